"""The simulated chain: stores, their time zones, their cameras and the zones these see."""

from dataclasses import dataclass
from typing import Final

from footfall_assets.contracts.camera_settings import Zone

CAMERA_ROLES = ("entrance", "aisle", "checkout")
# Where each camera hangs, in metres from the left front corner of a sales floor of 20 by 12 metres.
PLAN_POSITIONS_M: Final = {"entrance": (10.0, 1.0), "aisle": (7.0, 8.0), "checkout": (16.0, 3.0)}
# The aisle's camera sees two departments: whoever walks in the left of its three lanes is at the first.
_HOUSEHOLD_SHARE: Final = 1 / 3  # of the picture's width
AISLE_AREAS: Final = (
    Zone(name="household", polygon=((0, 0), (_HOUSEHOLD_SHARE, 0), (_HOUSEHOLD_SHARE, 1), (0, 1))),
    Zone(name="groceries", polygon=((_HOUSEHOLD_SHARE, 0), (1, 0), (1, 1), (_HOUSEHOLD_SHARE, 1))),
)


@dataclass(frozen=True)
class SimulatedCamera:
    """A fixed camera; `interval_s` is the time between two of its stills.

    `areas` are those of its `zones` that are drawn in its picture, `plan_position` is in metres on the store's plan.
    """

    camera_id: str
    location_id: str
    name: str
    role: str
    interval_s: float
    zones: tuple[str, ...] = ()
    areas: tuple[Zone, ...] = ()
    plan_position: tuple[float, float] | None = None


@dataclass(frozen=True)
class SimulatedStore:
    """A store with one camera per role; its business day is local to `timezone` (IANA name)."""

    location_id: str
    name: str
    timezone: str
    cameras: tuple[SimulatedCamera, ...]


def build_stores(count: int, *, interval_s: float, timezones: tuple[str, ...]) -> tuple[SimulatedStore, ...]:
    """Stores #101, #203, #305 and so on, the time zones dealt out in turn."""
    return tuple(
        _store(101 + 102 * index, timezone=timezones[index % len(timezones)], interval_s=interval_s)
        for index in range(count)
    )


def _store(number: int, *, timezone: str, interval_s: float) -> SimulatedStore:
    location_id = f"store-{number}"
    cameras = tuple(_camera(location_id, role, interval_s) for role in CAMERA_ROLES)
    return SimulatedStore(location_id, f"Store #{number}", timezone, cameras)


def _camera(location_id: str, role: str, interval_s: float) -> SimulatedCamera:
    areas = AISLE_AREAS if role == "aisle" else ()
    return SimulatedCamera(
        f"{location_id}-{role}",
        location_id,
        role.capitalize(),
        role,
        interval_s,
        zones=tuple(area.name for area in areas) or (role,),
        areas=areas,
        plan_position=PLAN_POSITIONS_M[role],
    )
