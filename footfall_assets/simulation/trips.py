"""Who goes to which store on which day, with whom, and when: trips before anybody meets a camera."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from footfall_assets.simulation.plan import SimulationPlan
from footfall_assets.simulation.stores import SimulatedStore

OPENING_HOUR = 9
# Arrivals by local hour from the opening on: a lunch peak and a higher one after work.
ARRIVALS_BY_HOUR = (0.5, 0.8, 1.0, 1.4, 1.3, 0.9, 0.9, 1.1, 1.6, 1.5, 0.9)
CLOSING_HOUR = OPENING_HOUR + len(ARRIVALS_BY_HOUR)
PARTY_SIZES, PARTY_SHARES = (1, 2, 3), (0.78, 0.16, 0.06)
VISIT_COUNTS, VISIT_SHARES = (1, 2, 3, 4, 5), (0.62, 0.19, 0.10, 0.06, 0.03)
HOME_STORE_SHARE = 0.65
JOINT_TRIP_SHARE = 0.5
# No visit lasts longer; between two visits of one person to different stores lies at least this much.
LONGEST_VISIT = timedelta(minutes=100)
TRAVEL_TIME = timedelta(minutes=40)
ATTEMPTS = 12


@dataclass(frozen=True)
class Trip:
    """People who enter one store together; `arrives_at` is UTC, `day` local."""

    members: tuple[int, ...]
    store: int
    day: date
    arrives_at: datetime


def plan_trips(plan: SimulationPlan, stores: tuple[SimulatedStore, ...], rng: np.random.Generator) -> tuple[Trip, ...]:
    """Trips in order of arrival: every visitor makes at least one, most only that one, some come back.

    Nobody visits one store twice on a day, and nobody is in two places at once.
    """
    taken: dict[int, list[Trip]] = {visitor: [] for visitor in range(plan.visitors)}
    for party in _parties(plan.visitors, rng):
        home = int(rng.integers(len(stores)))
        _book(party, home, plan=plan, stores=stores, rng=rng, taken=taken)
        for members in _later_trips(party, rng):
            _book(members, home, plan=plan, stores=stores, rng=rng, taken=taken)
    trips = {trip for trips in taken.values() for trip in trips}
    return tuple(sorted(trips, key=lambda trip: (trip.arrives_at, trip.members)))


def _parties(visitors: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    parties, first = [], 0
    while first < visitors:
        size = min(int(rng.choice(PARTY_SIZES, p=PARTY_SHARES)), visitors - first)
        parties.append(tuple(range(first, first + size)))
        first += size
    return parties


def _later_trips(party: tuple[int, ...], rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Who of a party comes back, alone or all together."""
    later: list[tuple[int, ...]] = []
    for visitor in party:
        count = int(rng.choice(VISIT_COUNTS, p=VISIT_SHARES)) - 1
        later += [party if rng.uniform() < JOINT_TRIP_SHARE / len(party) else (visitor,) for _ in range(count)]
    return later


def _book(
    members: tuple[int, ...],
    home: int,
    *,
    plan: SimulationPlan,
    stores: tuple[SimulatedStore, ...],
    rng: np.random.Generator,
    taken: dict[int, list[Trip]],
) -> None:
    """Enter a trip for all members, unless it keeps clashing with trips they have."""
    for _ in range(ATTEMPTS):
        store = home if rng.uniform() < HOME_STORE_SHARE else int(rng.integers(len(stores)))
        day = plan.first_day + timedelta(days=int(rng.integers(plan.days)))
        trip = Trip(members, store, day, _arrival(day, stores[store].timezone, rng))
        if not any(_clash(trip, other) for member in members for other in taken[member]):
            for member in members:
                taken[member].append(trip)
            return


def _arrival(day: date, timezone: str, rng: np.random.Generator) -> datetime:
    shares = np.asarray(ARRIVALS_BY_HOUR) / sum(ARRIVALS_BY_HOUR)
    hour = OPENING_HOUR + int(rng.choice(len(shares), p=shares))
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))
    local = midnight + timedelta(hours=hour, seconds=float(rng.integers(3600)))
    return local.astimezone(UTC)


def _clash(trip: Trip, other: Trip) -> bool:
    if (trip.store, trip.day) == (other.store, other.day):
        return True
    return abs(trip.arrives_at - other.arrives_at) < LONGEST_VISIT + TRAVEL_TIME
