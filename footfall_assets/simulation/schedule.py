"""From trips to stills: who passes which camera when, on the camera's own clock.

A camera takes a still every `interval_s` from opening on. Somebody who passes is in two to five of them in a
row, in a lane of the picture nobody else uses at the time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

import numpy as np

from footfall_assets.simulation.errors import PlanError
from footfall_assets.simulation.plan import Appearance, PersonPlan, Schedule, SimulationPlan, StillPlan, Visit
from footfall_assets.simulation.stores import SimulatedCamera, SimulatedStore, build_stores
from footfall_assets.simulation.trips import CLOSING_HOUR, LONGEST_VISIT, OPENING_HOUR, Trip, plan_trips

OPEN_S = 10 * 3600
LANES = 3  # faces side by side in one picture
MERGE_GAP_S = 60.0  # sightings closer than this, or than MERGE_INTERVALS stills, are one appearance
MERGE_INTERVALS = 4
STILLS_MIN, STILLS_MAX = 2, 5
AISLE_SHARE, SECOND_AISLE_SHARE, CHECKOUT_SHARE, EXIT_SHARE = 0.7, 0.2, 0.55, 0.15
AWAY_STILL_SHARE = 0.06  # of stills: the face is turned away
AWAY_APPEARANCE_SHARE = 0.02  # of appearances: it is turned away all the time
MISSED_BY_CAMERA_SHARE = 0.1  # a companion walks past the camera unseen, after the entrance
EMPTY_STILL_SHARE = 0.08  # stills without anybody, for the filter at the edge to reject
FACE_HEIGHT_PX = (88.0, 135.0)  # on a picture 480 pixels high, at the first still of an appearance
FACE_HEIGHT_MAX_PX = 172.0
# Purposes of the random streams: a change in one leaves the others as they are.
TRIPS, PASSAGES, EMPTIES, PICTURES, PHASES, BUSINESS = range(6)


@dataclass(frozen=True)
class CameraClock:
    """When one camera takes its stills on one day: every `interval_s` from the first on, until closing (UTC)."""

    first_still_at: datetime
    closes_at: datetime
    interval_s: float

    def tick_after(self, moment: datetime) -> int:
        """The number of the first still at or after this moment."""
        return max(0, ceil((moment - self.first_still_at).total_seconds() / self.interval_s))

    def time_of(self, tick: int) -> datetime:
        """When the still of this number is taken."""
        return self.first_still_at + timedelta(seconds=tick * self.interval_s)

    def moments(self, last: datetime) -> Iterator[datetime]:
        """Every still until closing, or until `last` where somebody stays longer."""
        ticks = self.tick_after(max(self.closes_at, last + timedelta(microseconds=1)))
        return (self.time_of(tick) for tick in range(ticks))


@dataclass
class _CameraDay:
    """A camera's clock and who is before it, for one local day."""

    camera: SimulatedCamera
    clock: CameraClock
    lanes: dict[int, dict[int, PersonPlan]] = field(default_factory=dict)

    def free_lanes(self, ticks: range) -> list[int]:
        """Lanes nobody uses in any of these stills."""
        used = {lane for tick in ticks for lane in self.lanes.get(tick, ())}
        return [lane for lane in range(LANES) if lane not in used]


@dataclass
class _World:
    """All cameras on all days, filled trip by trip."""

    plan: SimulationPlan
    stores: tuple[SimulatedStore, ...]
    rng: np.random.Generator
    days: dict[tuple[str, date], _CameraDay] = field(default_factory=dict)

    def camera_day(self, store: SimulatedStore, camera: SimulatedCamera, *, day: date) -> _CameraDay:
        """The clock of a camera on a day, started when first asked for."""
        key = (camera.camera_id, day)
        if key not in self.days:
            self.days[key] = _CameraDay(camera, camera_clock(self.plan, store, camera=camera, day=day))
        return self.days[key]


def make_schedule(plan: SimulationPlan) -> Schedule:
    """The whole simulation before anything is painted; equal plans give equal schedules.

    Raises:
        PlanError: the cameras are too few for so many visitors.
    """
    stores = build_stores(plan.locations, interval_s=plan.interval_s, timezones=plan.timezones)
    world = _World(plan, stores, _stream(plan, PASSAGES))
    visits: list[Visit] = []
    numbers = dict.fromkeys(range(plan.visitors), 0)
    for trip in plan_trips(plan, stores, _stream(plan, TRIPS)):
        started = [
            Visit(
                f"visit-{len(visits) + index:06d}",
                member,
                numbers[member],
                stores[trip.store].location_id,
                trip.day,
                (),
            )
            for index, member in enumerate(trip.members)
        ]
        visits += _walk(world, trip, started)
        for member in trip.members:
            numbers[member] += 1
    _add_empty_stills(world)
    return Schedule(plan, stores, tuple(visits), tuple(_stills(world)))


def _walk(world: _World, trip: Trip, visits: list[Visit]) -> list[Visit]:
    """The visits of a trip with their appearances, camera by camera along the party's route."""
    rng, store = world.rng, world.stores[trip.store]
    moment = trip.arrives_at
    for stop, role in enumerate(_route(rng)):
        camera = next(camera for camera in store.cameras if camera.role == role)
        day = world.camera_day(store, camera, day=trip.day)
        seen = [i for i in range(len(visits)) if stop == 0 or i == 0 or rng.uniform() > MISSED_BY_CAMERA_SHARE]
        ticks, lanes = _free_passage(day, moment, people=len(seen), rng=rng)
        if day.clock.time_of(ticks[-1]) > trip.arrives_at + LONGEST_VISIT:
            if stop == 0:
                raise PlanError("too many visitors for so few cameras and days; ask for more --locations or --days")
            break
        for index, lane in zip(seen, lanes, strict=True):
            visits[index] = _pass_camera(world, visits[index], day=day, ticks=ticks, lane=lane)
        moment = day.clock.time_of(ticks[-1]) + timedelta(seconds=_pause_s(world.plan) + float(rng.uniform(0, 480)))
    return visits


def _pass_camera(world: _World, visit: Visit, *, day: _CameraDay, ticks: range, lane: int) -> Visit:
    """The visit with one more appearance, entered into the camera's stills."""
    appearance = Appearance(
        appearance_id=f"{visit.visit_id}-{len(visit.appearances) + 1}",
        visit_id=visit.visit_id,
        visitor=visit.visitor,
        camera_id=day.camera.camera_id,
        location_id=visit.location_id,
        starts_at=day.clock.time_of(ticks[0]),
        ends_at=day.clock.time_of(ticks[-1]),
    )
    poses = _poses(world.plan, visit, appearance, lane=lane, count=len(ticks), rng=world.rng)
    for tick, person in zip(ticks, poses, strict=True):
        day.lanes.setdefault(tick, {})[lane] = person
    return replace(visit, appearances=(*visit.appearances, appearance))


def _pause_s(plan: SimulationPlan) -> float:
    """Shortest time between two passages, so that they are never taken for one appearance."""
    return 1.5 * max(MERGE_GAP_S, MERGE_INTERVALS * plan.interval_s)


def _route(rng: np.random.Generator) -> list[str]:
    route = ["entrance"]
    if rng.uniform() < AISLE_SHARE:
        route.append("aisle")
        if rng.uniform() < SECOND_AISLE_SHARE:
            route.append("aisle")
    if rng.uniform() < CHECKOUT_SHARE:
        route.append("checkout")
    if rng.uniform() < EXIT_SHARE:
        route.append("entrance")
    return route


def _free_passage(
    day: _CameraDay, moment: datetime, *, people: int, rng: np.random.Generator
) -> tuple[range, list[int]]:
    """The next run of stills with lanes for so many people, and those lanes from left to right."""
    count = int(rng.integers(STILLS_MIN, STILLS_MAX + 1))
    first = day.clock.tick_after(moment)
    while len(day.free_lanes(range(first, first + count))) < people:
        first += 1
    free = day.free_lanes(range(first, first + count))
    chosen = sorted(rng.choice(free, size=people, replace=False).tolist())
    return range(first, first + count), chosen


def _poses(
    plan: SimulationPlan, visit: Visit, appearance: Appearance, *, lane: int, count: int, rng: np.random.Generator
) -> Iterator[PersonPlan]:
    """The person still by still: coming nearer, so growing and sinking a little, in one lane."""
    unit = plan.height_px / 480
    nearer = float(rng.uniform(1.0, 1.09))
    start = float(rng.uniform(*FACE_HEIGHT_PX))
    lane_px = plan.width_px / LANES
    drift, shift = float(rng.uniform(-6, 6)), float(rng.uniform(-8, 8))
    turned_away = rng.uniform() < AWAY_APPEARANCE_SHARE
    for step in range(count):
        face = min(start * nearer**step, FACE_HEIGHT_MAX_PX)
        yield PersonPlan(
            visitor=visit.visitor,
            visit_number=visit.number,
            visit_id=visit.visit_id,
            appearance_id=appearance.appearance_id,
            x=lane_px * (lane + 0.5) + unit * (shift + drift * step / count + float(rng.uniform(-4, 4))),
            y=unit * (140 + 0.55 * (face - 88) + float(rng.uniform(-4, 4))),
            face_height=face * unit,
            visible=not (turned_away or rng.uniform() < AWAY_STILL_SHARE),
        )


def _add_empty_stills(world: _World) -> None:
    """Give every camera stills without anybody, on days without visitors too."""
    rng = _stream(world.plan, EMPTIES)
    for store, camera, date_ in _all_camera_days(world):
        day = world.camera_day(store, camera, day=date_)
        wanted = 1 + round(EMPTY_STILL_SHARE * len(day.lanes))
        for tick in rng.integers(0, max(1, int(OPEN_S / camera.interval_s)), size=wanted).tolist():
            day.lanes.setdefault(tick, {})


def _stills(world: _World) -> Iterator[StillPlan]:
    for number, (store, camera, date_) in enumerate(_all_camera_days(world)):
        day = world.camera_day(store, camera, day=date_)
        for tick in sorted(day.lanes):
            people = tuple(day.lanes[tick][lane] for lane in sorted(day.lanes[tick]))
            key = (world.plan.seed, PICTURES, number, tick)
            yield StillPlan(camera.camera_id, camera.location_id, day.clock.time_of(tick), people, key)


def _all_camera_days(world: _World) -> Iterator[tuple[SimulatedStore, SimulatedCamera, date]]:
    for store in world.stores:
        for camera in store.cameras:
            for offset in range(world.plan.days):
                yield store, camera, world.plan.first_day + timedelta(days=offset)


def camera_clock(plan: SimulationPlan, store: SimulatedStore, *, camera: SimulatedCamera, day: date) -> CameraClock:
    """A still every interval, from a moment after opening that is the camera's own, until closing."""
    number = [other.camera_id for other in store.cameras].index(camera.camera_id)
    phase_ms = int(_stream(plan, PHASES, day.toordinal(), number).integers(0, int(1000 * plan.interval_s)))
    opening, closing = (
        datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(store.timezone)).astimezone(UTC)
        for hour in (OPENING_HOUR, CLOSING_HOUR)
    )
    return CameraClock(opening + timedelta(milliseconds=phase_ms), closing, camera.interval_s)


def _stream(plan: SimulationPlan, *purpose: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(plan.seed, spawn_key=purpose))
