"""Recorded or simulated footage taken in by this machine itself: its device, what it registers, what it lands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final, TypeVar
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.batch import BatchLimits, CameraProfile, Observe, capture_batches
from edge_capture.device import load_or_create_key
from edge_capture.filter import StillFilter
from edge_capture.source import Frame
from footfall_assets.contracts.batch import landing_key, public_key_text
from footfall_assets.contracts.camera_settings import Zone
from footfall_assets.contracts.errors import RegistryError
from footfall_assets.contracts.registry import (
    DEVELOPMENT_BASIS,
    Camera,
    Device,
    FilterMode,
    Location,
    LocationMode,
    Registry,
)
from footfall_assets.contracts.settings import check_partition_budget
from footfall_assets.platform import Platform
from footfall_assets.storage.registry_store import change_registry

DEVICE_ID: Final = "local-ingest"
Versioned = TypeVar("Versioned", Location, Camera)


@dataclass(frozen=True)
class CameraNeed:
    """A camera that footage comes from, with what a development home registers where it is new."""

    location_id: str
    camera_id: str
    first_day: date
    location_name: str | None = None
    camera_name: str | None = None
    timezone: str = "UTC"
    interval_s: float = 5.0
    filter: FilterMode = FilterMode.FACE
    zones: tuple[str, ...] = ()
    areas: tuple[Zone, ...] = ()
    plan_position: tuple[float, float] | None = None  # metres on the store's plan


@dataclass
class Landed:
    """What was handed over."""

    frames: int = 0
    kept: int = 0
    batches: int = 0
    size_bytes: int = 0


def register_for_development(registry: Registry, need: CameraNeed) -> Registry:
    """Return the registry with the camera known from its first day on, as `unique` on the basis `development`.

    What is registered already keeps its settings; a version that starts later is made to start on the first day.

    Raises:
        RegistryError: the camera belongs to another location.
    """
    registry = registry.with_first_day(need.first_day)
    if registry.location(need.location_id, need.first_day) is None:
        registry = registry.with_location(_location(registry, need))
    camera = registry.camera(need.camera_id, need.first_day)
    if camera is None:
        return registry.with_camera(_camera(registry, need))
    if camera.location_id != need.location_id:
        raise RegistryError(f"camera {need.camera_id!r} belongs to {camera.location_id!r}; choose another camera id")
    return registry


def _location(registry: Registry, need: CameraNeed) -> Location:
    later = [each for each in registry.locations if each.location_id == need.location_id]
    if later:
        return _from_first_day(later, need)
    return Location(
        location_id=need.location_id,
        name=need.location_name or need.location_id,
        timezone=need.timezone,
        mode=LocationMode.UNIQUE,
        legal_basis=DEVELOPMENT_BASIS,
        partition_group=need.location_id,
        valid_from=need.first_day,
    )


def _camera(registry: Registry, need: CameraNeed) -> Camera:
    later = [each for each in registry.cameras if each.camera_id == need.camera_id]
    if later:
        return _from_first_day(later, need)
    return Camera(
        camera_id=need.camera_id,
        location_id=need.location_id,
        name=need.camera_name or need.camera_id,
        interval_s=need.interval_s,
        filter=need.filter,
        zones=need.zones,
        areas=need.areas,
        plan_position=need.plan_position,
        valid_from=need.first_day,
    )


def _from_first_day(versions: Sequence[Versioned], need: CameraNeed) -> Versioned:
    """Return the earliest version, made to hold from the first day that is needed."""
    first = min(versions, key=lambda each: each.valid_from)
    return first.model_copy(update={"valid_from": need.first_day})


def require_registered(registry: Registry, need: CameraNeed) -> Registry:
    """Return the registry when it knows the camera on the first day: production registers nothing by itself.

    Raises:
        RegistryError: it does not.
    """
    camera = registry.camera(need.camera_id, need.first_day)
    if camera is None or camera.location_id != need.location_id:
        raise RegistryError(
            f"camera {need.camera_id!r} is not registered at {need.location_id!r} on {need.first_day}; "
            "run footfall fleet add-location and footfall fleet add-camera"
        )
    return registry


class LocalDevice:
    """This machine as a device: it signs batches and lands them in the lake."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._key: Ed25519PrivateKey = load_or_create_key(platform.settings.keys_dir / f"device-{DEVICE_ID}.key")
        self._boot_id = uuid4()

    def register(self, needs: Iterable[CameraNeed]) -> Registry:
        """Make device and cameras known (development) or check that they are (production); return the registry.

        Raises:
            RegistryError: a camera is not registered, or belongs to another location.
            UserMistake: so early a first day that there would be too many partitions.
        """
        wanted = tuple(needs)
        return change_registry(
            self._platform.lake, self._platform.settings.home, lambda registry: self.admitted(registry, wanted)
        )

    def admitted(self, registry: Registry, needs: Iterable[CameraNeed]) -> Registry:
        """Return the registry as `register` would make it, and store nothing (same errors)."""
        admit = register_for_development
        if self._platform.settings.environment != "development":
            admit = require_registered
        own = Device(device_id=DEVICE_ID, public_key=public_key_text(self._key))
        known = registry.device(DEVICE_ID)
        if known is None or known.public_key != own.public_key:  # one that was revoked stays so
            registry = registry.with_device(own)
        for need in needs:
            registry = admit(registry, need)
        today = datetime.now(UTC).date()
        check_partition_budget(len(registry.partition_groups()), registry.first_day or today, today)
        return registry

    def land(
        self,
        frames: Iterable[Frame],
        camera: Camera,
        location: Location,
        still_filter: StillFilter,
        *,
        limits: BatchLimits | None = None,
        observe: Observe | None = None,
    ) -> Landed:
        """Capture the frames of one camera into batches, land them, and return what that made."""
        profile = CameraProfile(
            device_id=DEVICE_ID,
            location_id=location.location_id,
            camera_id=camera.camera_id,
            timezone=location.timezone,
            interval_s=camera.interval_s,
            boot_id=self._boot_id,
            zones=camera.zones,
        )
        landed = Landed()
        batches = capture_batches(frames, profile, still_filter, self._key, limits=limits, observe=observe)
        for batch in batches:
            self._platform.lake.write(landing_key(batch.manifest), batch.data)
            landed.frames += batch.manifest.frames_captured
            landed.kept += batch.manifest.frames_kept
            landed.batches += 1
            landed.size_bytes += len(batch.data)
        return landed
