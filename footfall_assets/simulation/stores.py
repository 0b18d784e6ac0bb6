"""The simulated chain: stores, their time zones and their cameras."""

from dataclasses import dataclass

CAMERA_ROLES = ("entrance", "aisle", "checkout")


@dataclass(frozen=True)
class SimulatedCamera:
    """A fixed camera; `interval_s` is the time between two of its stills."""

    camera_id: str
    location_id: str
    name: str
    role: str
    interval_s: float


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
    cameras = tuple(
        SimulatedCamera(f"{location_id}-{role}", location_id, role.capitalize(), role, interval_s)
        for role in CAMERA_ROLES
    )
    return SimulatedStore(location_id, f"Store #{number}", timezone, cameras)
