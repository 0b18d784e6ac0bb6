"""What the simulated stores' other systems would export: opening hours, a staff plan, sales and a door counter.

All four follow from the schedule and the seed, so equal plans give equal files. They are plausible and not calibrated:
about one visit in three buys, the beam at the door misses a few people and sees no staff, who have a door of their own,
and the staff plan has its peak at lunch although most people come after work, and too few in the last hour.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from footfall_assets.contracts.imports import ImportKind
from footfall_assets.simulation.plan import Schedule, SimulationPlan, Visit
from footfall_assets.simulation.schedule import BUSINESS
from footfall_assets.simulation.trips import CLOSING_HOUR, OPENING_HOUR

BUYS_SHARE: Final = 0.35  # of visits
MISSED_BY_BEAM_SHARE: Final = 0.04  # of people who go in or out
CATEGORIES: Final = ("Shoes", "Coats", "Bags", "Hats")
_CATEGORY_SHARES: Final = (0.4, 0.3, 0.2, 0.1)
_PRICES: Final = (79.0, 129.0, 49.0, 25.0)  # of one thing, in whatever the currency is
_ITEMS_MEAN_MORE: Final = 0.6  # things beyond the first in a basket
_SHIFTS: Final = (("09:00", "19:00", 1), ("11:00", "15:00", 2), ("15:00", "20:00", 0.5))
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_HOUR = tuple[str, date, int]  # location, local day, local hour


def business_files(schedule: Schedule) -> Mapping[ImportKind, str]:
    """Return a CSV file of each kind, as `footfall import` takes it."""
    rng = np.random.default_rng(np.random.SeedSequence(schedule.plan.seed, spawn_key=(BUSINESS,)))
    visits = sorted(schedule.visits, key=lambda visit: visit.visit_id)
    zones = {store.location_id: ZoneInfo(store.timezone) for store in schedule.stores}
    stores = tuple(zones)
    return {
        ImportKind.OPENING_HOURS: _lines("location,weekday,opens,closes", _opening_hours(stores)),
        ImportKind.STAFF: _lines("location,date,from,to,staff", _staff(schedule.plan, stores)),
        ImportKind.SALES: _lines(
            "location,date,hour,transactions,items,revenue,category",
            _sales(schedule.plan, visits, zones=zones, rng=rng),
        ),
        ImportKind.COUNTS: _lines(
            "timestamp,location,source,in,out", _counts(schedule.plan, visits, zones=zones, rng=rng)
        ),
    }


def _lines(header: str, rows: Iterable[str]) -> str:
    return "\n".join((header, *rows)) + "\n"


def _opening_hours(stores: Iterable[str]) -> Iterable[str]:
    hours = f"{OPENING_HOUR:02}:00,{CLOSING_HOUR:02}:00"
    return (f"{store},{weekday},{hours}" for store in stores for weekday in _WEEKDAYS)


def _staff(plan: SimulationPlan, stores: Iterable[str]) -> Iterable[str]:
    return (
        f"{store},{day},{starts},{ends},{staff}"
        for store in stores
        for day in _days(plan)
        for starts, ends, staff in _SHIFTS
    )


def _sales(
    plan: SimulationPlan, visits: Iterable[Visit], *, zones: Mapping[str, ZoneInfo], rng: np.random.Generator
) -> Iterable[str]:
    # A till says that it sold nothing; without a row the hour would be unknown.
    hours = range(OPENING_HOUR, CLOSING_HOUR)
    receipts = Counter({((store, day, hour), ""): 0 for store in zones for day in _days(plan) for hour in hours})
    items: Counter[tuple[_HOUR, str]] = Counter()
    for visit in visits:
        if rng.uniform() >= BUYS_SHARE:
            continue
        hour = _hour_of(visit.location_id, visit.ends_at, zones)
        basket = rng.choice(len(CATEGORIES), size=1 + int(rng.poisson(_ITEMS_MEAN_MORE)), p=_CATEGORY_SHARES)
        receipts[hour, ""] += 1
        for category in sorted(set(basket.tolist())):
            receipts[hour, CATEGORIES[category]] += 1
        for category in basket.tolist():
            items[hour, CATEGORIES[category]] += 1
    prices = dict(zip(CATEGORIES, _PRICES, strict=True))
    totals: defaultdict[tuple[_HOUR, str], float] = defaultdict(float)
    for (hour, category), count in list(items.items()):
        totals[hour, category] += count * prices[category]
        totals[hour, ""] += count * prices[category]
        items[hour, ""] += count
    for (store, day, number), category in sorted(receipts):
        key = (store, day, number), category
        yield f"{store},{day},{number},{receipts[key]},{items[key]},{totals[key]:.2f},{category}"


def _counts(
    plan: SimulationPlan, visits: Iterable[Visit], *, zones: Mapping[str, ZoneInfo], rng: np.random.Generator
) -> Iterable[str]:
    people_in: Counter[_HOUR] = Counter()
    people_out: Counter[_HOUR] = Counter()
    for visit in visits:
        people_in[_hour_of(visit.location_id, visit.starts_at, zones)] += int(rng.uniform() >= MISSED_BY_BEAM_SHARE)
        people_out[_hour_of(visit.location_id, visit.ends_at, zones)] += int(rng.uniform() >= MISSED_BY_BEAM_SHARE)
    for store in zones:
        for day in _days(plan):
            for number in range(OPENING_HOUR, CLOSING_HOUR):
                hour = (store, day, number)
                yield f"{day}T{number:02}:00,{store},infrared,{people_in[hour]},{people_out[hour]}"


def _hour_of(location_id: str, moment: datetime, zones: Mapping[str, ZoneInfo]) -> _HOUR:
    """Return the local hour; who leaves after closing does so in the last hour of the till and the door."""
    local = moment.astimezone(zones[location_id])
    return location_id, local.date(), min(local.hour, CLOSING_HOUR - 1)


def _days(plan: SimulationPlan) -> Iterable[date]:
    return (plan.first_day + timedelta(days=offset) for offset in range(plan.days))
