"""Who and what is known: locations, cameras, camera groups and devices, each version with the day it starts to hold."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from footfall_assets.contracts.attributes import Attribute
from footfall_assets.contracts.camera_settings import (
    CameraAddress,
    IntervalSeconds,
    Limits,
    ModelPin,
    PlanPosition,
    Polygon,
    SourceKind,
    Zone,
)
from footfall_assets.contracts.errors import RegistryError
from footfall_assets.contracts.ids import Sha256, Slug

DEVELOPMENT_BASIS = "development"


class LocationMode(StrEnum):
    """What may be computed for a location."""

    OFF = "off"
    COUNT_ONLY = "count_only"
    UNIQUE = "unique"


class FilterMode(StrEnum):
    """What a still must show to leave the store."""

    FACE = "face"
    PERSON = "person"
    NONE = "none"


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"expected an IANA time zone such as Europe/London, got {value[:80]!r}") from error
    return value


TimezoneName = Annotated[str, AfterValidator(_known_zone)]
DisplayName = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Location(_Record):
    """One version of a store; `unique` needs its legal basis, notice and assessment (decision G11).

    So do age, gender and expression, of their own (G9); they are guessed of visitors, so only `unique` may have them.
    """

    location_id: Slug
    name: DisplayName
    timezone: TimezoneName = "UTC"
    mode: LocationMode = LocationMode.COUNT_ONLY
    legal_basis: str | None = None
    notice_since: date | None = None
    assessment: str | None = None
    attributes: tuple[Attribute, ...] = ()
    attributes_basis: str | None = None
    attributes_notice_since: date | None = None
    attributes_assessment: str | None = None
    partition_group: Slug
    valid_from: date

    @model_validator(mode="after")
    def _unique_is_lawful(self) -> Self:
        complete = _is_lawful(self.legal_basis, self.notice_since, self.assessment)
        if self.mode is LocationMode.UNIQUE and not complete:
            raise ValueError(
                f"location {self.location_id}: mode 'unique' needs a legal basis, the day the notice went up and the "
                "id of an assessment; give all three or use mode 'count_only'"
            )
        return self

    @model_validator(mode="after")
    def _attributes_are_lawful(self) -> Self:
        if not self.attributes:
            return self
        if len(set(self.attributes)) != len(self.attributes):
            raise ValueError(f"location {self.location_id}: expected each attribute once")
        if self.mode is not LocationMode.UNIQUE:
            raise ValueError(
                f"location {self.location_id}: attributes are guessed of visitors, which mode {self.mode.value!r} does "
                "not know; use mode 'unique' or switch them off"
            )
        if not _is_lawful(self.attributes_basis, self.attributes_notice_since, self.attributes_assessment):
            raise ValueError(
                f"location {self.location_id}: attributes need a legal basis of their own, the day their notice went "
                "up and the id of an assessment; give all three or switch them off"
            )
        return self


def _is_lawful(basis: str | None, notice_since: date | None, assessment: str | None) -> bool:
    named, assessed = (basis or "").strip(), (assessment or "").strip()
    return named == DEVELOPMENT_BASIS or bool(named and notice_since and assessed)


class Camera(_Record):
    """One version of a camera; `address` holds no credentials. Without a device nothing is sent to one for it."""

    camera_id: Slug
    location_id: Slug
    name: DisplayName
    interval_s: IntervalSeconds = 5.0
    filter: FilterMode = FilterMode.FACE
    zones: tuple[Slug, ...] = ()
    plan_position: PlanPosition | None = None
    staff_only: bool = False
    device_id: Slug | None = None
    kind: SourceKind | None = None
    address: CameraAddress | None = None
    areas: tuple[Zone, ...] = ()  # where in the picture the zones lie, of those that are drawn
    masks: tuple[Polygon, ...] = ()  # painted black by the device before anything else sees the picture
    valid_from: date

    @model_validator(mode="after")
    def _source_is_whole(self) -> Self:
        if (self.kind is None) != (self.address is None):
            raise ValueError(f"camera {self.camera_id}: give both the kind of its source and its address, or neither")
        if self.device_id is not None and self.kind is None:
            raise ValueError(f"camera {self.camera_id}: a device needs the kind of its source and its address")
        if self.kind is SourceKind.NETWORK and "://" not in (self.address or ""):
            raise ValueError(f"camera {self.camera_id}: expected an address such as rtsp://10.0.0.7:554/stream1")
        names = [area.name for area in self.areas]
        if len(set(names)) != len(names) or not set(names) <= set(self.zones):
            raise ValueError(f"camera {self.camera_id}: expected each drawn zone once and among its zones")
        return self


class CameraGroup(_Record):
    """A named set of cameras for reports."""

    group_id: Slug
    name: DisplayName
    camera_ids: tuple[Slug, ...] = Field(min_length=1)


class Device(_Record):
    """A device that may send batches; its Ed25519 public key is base64.

    One without a location is this installation's own: it takes in footage for any. The others are bound to theirs.
    `revision` and `desired_hash` say which configuration the platform has issued last.
    """

    device_id: Slug
    public_key: str = Field(min_length=44, max_length=44)
    revoked: bool = False
    location_id: Slug | None = None
    enrolled_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    limits: Limits = Limits()
    models: tuple[ModelPin, ...] = ()
    report_every_s: float = Field(default=60.0, gt=0)
    revision: int = Field(default=0, ge=0)
    desired_hash: Sha256 | None = None


_Versioned = TypeVar("_Versioned", Location, Camera)
_R = TypeVar("_R", bound=BaseModel)


class Registry(_Record):
    """Everything known, with history. A change gives a new registry; nothing is edited in place."""

    revision: int = 0
    first_day: date | None = None  # the earliest business day the platform accepts
    locations: tuple[Location, ...] = ()
    cameras: tuple[Camera, ...] = ()
    camera_groups: tuple[CameraGroup, ...] = ()
    devices: tuple[Device, ...] = ()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy that looks its own records up, not those it was copied from."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("versions_of_location", "versions_of_camera", "cameras_of_location"):
            copied.__dict__.pop(name, None)
        return copied

    @cached_property
    def versions_of_location(self) -> dict[str, tuple[Location, ...]]:
        """All versions of each location, by its id: ten thousand locations are looked up a million times."""
        return _by(self.locations, lambda each: each.location_id)

    @cached_property
    def versions_of_camera(self) -> dict[str, tuple[Camera, ...]]:
        """All versions of each camera, by its id."""
        return _by(self.cameras, lambda each: each.camera_id)

    @cached_property
    def cameras_of_location(self) -> dict[str, tuple[Camera, ...]]:
        """All versions of all cameras of each location, by its id."""
        return _by(self.cameras, lambda each: each.location_id)

    def location(self, location_id: str, day: date) -> Location | None:
        """Return the version of a location that holds on `day`, or None where it was not known yet."""
        return _version_on(self.versions_of_location.get(location_id, ()), day)

    def camera(self, camera_id: str, day: date) -> Camera | None:
        """Return the version of a camera that holds on `day`, or None where it was not known yet."""
        return _version_on(self.versions_of_camera.get(camera_id, ()), day)

    def device(self, device_id: str) -> Device | None:
        """Return a device, revoked or not."""
        return next((each for each in self.devices if each.device_id == device_id), None)

    def location_ids(self) -> tuple[str, ...]:
        """Return the ids of all locations, sorted."""
        return tuple(sorted({each.location_id for each in self.locations}))

    def partition_groups(self) -> tuple[str, ...]:
        """Return the location groups, sorted: the keys of Dagster's location dimension."""
        return tuple(sorted({each.partition_group for each in current(self.locations, "location_id")}))

    def locations_of(self, partition_group: str) -> tuple[str, ...]:
        """Return the ids of the locations of a group, sorted."""
        now = current(self.locations, "location_id")
        return tuple(sorted(each.location_id for each in now if each.partition_group == partition_group))

    def group_of(self, location_id: str) -> str:
        """Return the group a location belongs to.

        Raises:
            RegistryError: unknown location.
        """
        for each in current(self.locations, "location_id"):
            if each.location_id == location_id:
                return each.partition_group
        known = ", ".join(self.location_ids()) or "none"
        raise RegistryError(f"unknown location {location_id!r}; known: {known}")

    def with_location(self, location: Location) -> Self:
        """Return the registry with this version added, or replaced where one starts on the same day."""
        return self._with(locations=_upsert(self.locations, location, ("location_id", "valid_from")))

    def with_camera(self, camera: Camera) -> Self:
        """Return the registry with this version added.

        Raises:
            RegistryError: its location is unknown, or the camera belongs to another location.
        """
        if camera.location_id not in self.location_ids():
            raise RegistryError(
                f"unknown location {camera.location_id!r} for camera {camera.camera_id!r}; "
                "add it first: footfall fleet add-location"
            )
        for other in self.cameras:
            if other.camera_id == camera.camera_id and other.location_id != camera.location_id:
                raise RegistryError(
                    f"camera {camera.camera_id!r} belongs to {other.location_id!r}; camera ids are unique across "
                    "locations, choose another"
                )
        return self._with(cameras=_upsert(self.cameras, camera, ("camera_id", "valid_from")))

    def with_group(self, group: CameraGroup) -> Self:
        """Return the registry with this camera group added or replaced.

        Raises:
            RegistryError: it names an unknown camera.
        """
        known = {camera.camera_id for camera in self.cameras}
        unknown = sorted(set(group.camera_ids) - known)
        if unknown:
            raise RegistryError(
                f"camera group {group.group_id!r} names unknown cameras: {', '.join(unknown)}; "
                f"known: {', '.join(sorted(known)) or 'none'}"
            )
        return self._with(camera_groups=_upsert(self.camera_groups, group, ("group_id",)))

    def with_device(self, device: Device) -> Self:
        """Return the registry with this device added or replaced.

        Raises:
            RegistryError: its location is unknown.
        """
        if device.location_id is not None and device.location_id not in self.location_ids():
            raise RegistryError(
                f"unknown location {device.location_id!r} for device {device.device_id!r}; "
                "add it first: footfall fleet add-location"
            )
        return self._with(devices=_upsert(self.devices, device, ("device_id",)))

    def cameras_of(self, device_id: str, day: date) -> tuple[Camera, ...]:
        """Return the cameras that a device serves on `day`, sorted by id."""
        names = sorted({each.camera_id for each in self.cameras})
        held = (self.camera(name, day) for name in names)
        return tuple(camera for camera in held if camera is not None and camera.device_id == device_id)

    def with_device_revoked(self, device_id: str, moment: datetime) -> Self:
        """Return the registry with this device revoked; one that is already stays as it is.

        Raises:
            RegistryError: nobody knows it.
        """
        device = self.device(device_id)
        if device is None:
            known = ", ".join(each.device_id for each in self.devices) or "none"
            raise RegistryError(f"unknown device {device_id!r}; known: {known}")
        if device.revoked:
            return self
        return self.with_device(device.model_copy(update={"revoked": True, "revoked_at": moment}))

    def with_first_day(self, day: date) -> Self:
        """Return the registry accepting data from `day` on; the first day only ever moves back."""
        return self._with(first_day=min(day, self.first_day or day))

    def _with(self, **changes: object) -> Self:
        return type(self).model_validate(self.model_dump() | changes)


def current(records: Sequence[_Versioned], key: str) -> tuple[_Versioned, ...]:
    """Return the newest version of each record."""
    newest: dict[str, _Versioned] = {}
    for record in sorted(records, key=lambda each: each.valid_from):
        newest[getattr(record, key)] = record
    return tuple(newest[name] for name in sorted(newest))


def _by(records: Iterable[_R], key: Callable[[_R], str]) -> dict[str, tuple[_R, ...]]:
    found: dict[str, list[_R]] = {}
    for record in records:
        found.setdefault(key(record), []).append(record)
    return {name: tuple(several) for name, several in found.items()}


def _version_on(records: Iterable[_Versioned], day: date) -> _Versioned | None:
    held = [record for record in records if record.valid_from <= day]
    return max(held, key=lambda record: record.valid_from, default=None)


def _upsert(records: tuple[_R, ...], record: _R, key: tuple[str, ...]) -> tuple[_R, ...]:
    def name(each: _R) -> tuple[object, ...]:
        return tuple(getattr(each, part) for part in key)

    kept = [each for each in records if name(each) != name(record)]
    return tuple(sorted([*kept, record], key=lambda each: tuple(str(part) for part in name(each))))
