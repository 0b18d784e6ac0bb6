"""What each device is to do: worked out from the registry, numbered, signed, and laid where the device looks."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from footfall_assets.capture.signing_key import load_fleet_key
from footfall_assets.contracts.batch import public_key_text
from footfall_assets.contracts.errors import InvalidDocument
from footfall_assets.contracts.fleet import DesiredCamera, DesiredConfiguration, desired_key
from footfall_assets.contracts.ids import digest_of
from footfall_assets.contracts.registry import Camera, Device, Location, LocationMode, Registry
from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.domain.calendar import business_day
from footfall_assets.storage.fleet_store import read_signed, write_signed
from footfall_assets.storage.lake import LakeStore, ObjectMissing
from footfall_assets.storage.registry_store import change_registry, read_registry


@dataclass(frozen=True)
class Published:
    """A configuration that was issued."""

    device_id: str
    revision: int


def desired_of(registry: Registry, device: Device, now: datetime) -> DesiredConfiguration | None:
    """Return what a device is to do now, with its present revision; None for one that is bound to no location.

    A revoked device, and one at a location that is off or not open yet, is to serve no camera: silence would leave it
    at what it was told last.
    """
    if device.location_id is None:
        return None
    location = _location_now(registry, device.location_id, now)
    cameras = () if location is None or device.revoked else _cameras(registry, device, location, now)
    return DesiredConfiguration(
        device_id=device.device_id,
        revision=max(device.revision, 1),
        issued_at=now,
        location_id=device.location_id,
        timezone=location.timezone if location else "UTC",
        cameras=tuple(_desired_camera(camera) for camera in cameras),
        models=device.models,
        limits=device.limits,
        report_every_s=device.report_every_s,
    )


def _location_now(registry: Registry, location_id: str, now: datetime) -> Location | None:
    """Return the version that holds on the location's own day: its zone decides which day that is."""
    known = registry.location(location_id, now.astimezone(UTC).date())
    later = [each for each in registry.locations if each.location_id == location_id]
    nearest = known or min(later, key=lambda each: each.valid_from, default=None)
    return registry.location(location_id, business_day(now, nearest.timezone)) if nearest else None


def _cameras(registry: Registry, device: Device, location: Location, now: datetime) -> tuple[Camera, ...]:
    if location.mode is LocationMode.OFF:
        return ()
    day = business_day(now, location.timezone)
    found = registry.cameras_of(device.device_id, day)
    return tuple(camera for camera in found if camera.location_id == device.location_id)


def _desired_camera(camera: Camera) -> DesiredCamera:
    return DesiredCamera.model_validate(
        {
            "camera_id": camera.camera_id,
            "kind": camera.kind,
            "address": camera.address,
            "interval_s": camera.interval_s,
            "filter": camera.filter,
            "zones": camera.areas,
            "masks": camera.masks,
        }
    )


def publish_desired(
    lake: LakeStore, settings: PlatformSettings, *, now: datetime, check_all: bool = False
) -> tuple[Published, ...]:
    """Issue a new revision to every device whose configuration has changed, and return those that were written.

    The registry's number comes first, the signed document after it. `check_all` also writes those whose document is
    missing, damaged, of another number or signed by an earlier key: what a crash, a stranger or a rotation left.

    Raises:
        InvalidDocument: a configuration too large for a device to read.
    """
    before = read_registry(lake)
    registry = change_registry(lake, settings.home, lambda current: _with_revisions(current, now))
    changed = {device.device_id for device in registry.devices if before.device(device.device_id) != device}
    written = []
    for device in registry.devices:
        desired = desired_of(registry, device, now)
        if desired is None or not (check_all or device.device_id in changed):
            continue
        if device.device_id in changed or not _is_in_place(lake, desired, settings.keys_dir):
            write_signed(lake, desired_key(device.device_id), desired, load_fleet_key(lake, settings.keys_dir))
            written.append(Published(device.device_id, desired.revision))
    return tuple(written)


def _with_revisions(registry: Registry, now: datetime) -> Registry:
    for device in registry.devices:
        desired = desired_of(registry, device, now)
        if desired is None:
            continue
        found = digest_of(desired.model_dump_json(exclude={"revision", "issued_at"}))
        if found != device.desired_hash:
            update = {"revision": device.revision + 1, "desired_hash": found}
            registry = registry.with_device(device.model_copy(update=update))
    return registry


def _is_in_place(lake: LakeStore, desired: DesiredConfiguration, keys_dir: Path) -> bool:
    public_key = public_key_text(load_fleet_key(lake, keys_dir))
    try:
        found = read_signed(lake, desired_key(desired.device_id), DesiredConfiguration, public_key)
    except (ObjectMissing, InvalidDocument):
        return False
    return found == desired.model_copy(update={"issued_at": found.issued_at})
