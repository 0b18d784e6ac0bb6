"""Intake: every landed batch is verified, then kept in `batches/` or set aside in `quarantine/<reason>/`."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from footfall_assets.capture.quarantine import quarantine_landed
from footfall_assets.contracts.batch import (
    BatchManifest,
    UnpackedBatch,
    accepted_key,
    landing_key,
    repaired_key,
    unpack_batch,
)
from footfall_assets.contracts.errors import InvalidBatch, InvalidDocument, QuarantineReason
from footfall_assets.contracts.fleet import IntakeRecord, intake_record_key
from footfall_assets.contracts.registry import Device, Location, LocationMode, Registry
from footfall_assets.contracts.settings import IntakeLimits
from footfall_assets.domain.calendar import business_day
from footfall_assets.storage.fleet_store import read_record
from footfall_assets.storage.lake import LakeStore, ObjectMissing, UnsafeKey, check_key

CODE_VERSION: Final = "intake/2"
LANDING: Final = "landing"


@dataclass
class DeviceTally:
    """What came in one device's name."""

    accepted: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    last_captured_at: datetime | None = None  # end of the newest accepted batch


@dataclass
class IntakeReport:
    """What became of the landed objects: each is counted once.

    `devices` holds what could be laid at the door of a registered device; the name is what the batch says, even where
    its signature does not bear that out.
    """

    accepted: int = 0
    images: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    unreadable_names: int = 0
    devices: dict[str, DeviceTally] = field(default_factory=dict)

    @property
    def landed(self) -> int:
        """Everything that was found: accepted + quarantined + names that cannot be opened."""
        return self.accepted + sum(self.quarantined.values()) + self.unreadable_names


def waiting(lake: LakeStore) -> list[str]:
    """Return the landed objects that intake can open; those whose names are no keys stay until somebody looks."""
    return [key for key in lake.list_keys(LANDING) if _is_key(key)]


def _is_key(name: str) -> bool:
    try:
        check_key(name)
    except UnsafeKey:
        return False
    return True


def take_in(
    lake: LakeStore,
    registry: Registry,
    limits: IntakeLimits,
    *,
    now: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> IntakeReport:
    """Drain the landing area and return what became of each object; no single one stops the others."""
    report = IntakeReport()
    keys = lake.list_keys(LANDING)
    for number, key in enumerate(keys, start=1):
        _take_in_one(lake, registry, limits, key, now, report)
        if progress:
            progress(number, len(keys))
    _keep_records(lake, report, now)
    return report


def _keep_records(lake: LakeStore, report: IntakeReport, now: datetime) -> None:
    """Add this intake to what is kept of each device; a record that cannot be read begins anew."""
    for device_id, tally in report.devices.items():
        key = intake_record_key(device_id)
        try:
            before = read_record(lake, key, IntakeRecord) or IntakeRecord(device_id=device_id)
        except InvalidDocument:
            before = IntakeRecord(device_id=device_id)
        captured = [moment for moment in (before.last_captured_at, tally.last_captured_at) if moment]
        record = IntakeRecord(
            device_id=device_id,
            accepted=before.accepted + tally.accepted,
            quarantined=dict(sorted((Counter(before.quarantined) + tally.quarantined).items())),
            last_received_at=now,
            last_captured_at=max(captured, default=None),
        )
        lake.write(key, record.model_dump_json().encode())


def _take_in_one(
    lake: LakeStore, registry: Registry, limits: IntakeLimits, key: str, now: datetime, report: IntakeReport
) -> None:
    try:
        data = lake.read_range(key, 0, limits.batch_bytes + 1)  # one byte more shows that it is too large
    except UnsafeKey:
        # The name itself cannot be trusted as a key: it stays where it is and is counted.
        report.unreadable_names += 1
        return
    except ObjectMissing:
        return  # taken away since it was listed
    batch = None
    try:
        batch = unpack_batch(data, limits)
        verify_batch(batch, registry, limits, key=key, now=now)
        target = _free_target(lake, batch, limits)
    except InvalidBatch as error:
        quarantine_landed(lake, key, data, error, stage="intake", code_version=CODE_VERSION)
        report.quarantined[str(error.reason)] += 1
        if batch is not None:
            _tally(report, registry, batch.manifest).quarantined[str(error.reason)] += 1
        return
    lake.move(key, target)
    if target == repaired_key(batch.manifest):
        lake.delete(accepted_key(batch.manifest))  # its good stills are all in the repaired one
    report.accepted += 1
    report.images += len(batch.members)
    tally = _tally(report, registry, batch.manifest)
    tally.accepted += 1
    tally.last_captured_at = max(tally.last_captured_at or batch.manifest.closed_at, batch.manifest.closed_at)


def _tally(report: IntakeReport, registry: Registry, manifest: BatchManifest) -> DeviceTally:
    """Return where to count a batch; names that nobody registered get no place of their own."""
    if registry.device(manifest.device_id) is None:
        return DeviceTally()
    return report.devices.setdefault(manifest.device_id, DeviceTally())


def _free_target(lake: LakeStore, batch: UnpackedBatch, limits: IntakeLimits) -> str:
    """Return where a batch is to be kept.

    Its id covers camera, opening time and every still's bytes: the same id is the same footage. A copy without damage
    takes the place of one whose stills were damaged on the way.

    Raises:
        InvalidBatch: it was taken in before.
    """
    first, repaired = accepted_key(batch.manifest), repaired_key(batch.manifest)
    if not lake.exists(first) and not lake.exists(repaired):
        return first
    mends = lake.exists(first) and batch.is_intact and not unpack_batch(lake.read(first), limits).is_intact
    if not mends:
        raise InvalidBatch(QuarantineReason.DUPLICATE, f"batch {batch.manifest.batch_id} was taken in before")
    return repaired


def verify_batch(batch: UnpackedBatch, registry: Registry, limits: IntakeLimits, *, key: str, now: datetime) -> None:
    """Check that a batch lies where it says, comes from a known device and fits the registry and the clock.

    Raises:
        InvalidBatch: with the quarantine reason.
    """
    manifest = batch.manifest
    if key != landing_key(manifest):
        raise InvalidBatch(QuarantineReason.WRONG_PATH, f"expected at {landing_key(manifest)}, found at {key}")
    device = _verify_device(batch, registry)
    location = _verify_place(manifest, registry)
    if device.location_id not in (None, manifest.location_id):
        raise InvalidBatch(
            QuarantineReason.WRONG_LOCATION,
            f"device {device.device_id} belongs to {device.location_id}, its batch says {manifest.location_id}",
        )
    _verify_clock(manifest, registry, location, latest=now + timedelta(seconds=limits.clock_ahead_s))


def _verify_device(batch: UnpackedBatch, registry: Registry) -> Device:
    """Return the device that signed a batch.

    A revoked one is refused whatever time its batch names: whoever holds its key can write any time into it.
    """
    name = batch.manifest.device_id
    device = registry.device(name)
    if device is None:
        raise InvalidBatch(QuarantineReason.UNKNOWN_DEVICE, f"device {name} is unknown")
    batch.verify_signature(device.public_key)
    if device.revoked:
        since = f" since {device.revoked_at.isoformat(timespec='seconds')}" if device.revoked_at else ""
        raise InvalidBatch(QuarantineReason.REVOKED_DEVICE, f"device {name} is revoked{since}")
    return device


def _verify_place(manifest: BatchManifest, registry: Registry) -> Location:
    location = registry.location(manifest.location_id, manifest.day)
    if location is None:
        raise InvalidBatch(
            QuarantineReason.UNKNOWN_LOCATION, f"location {manifest.location_id} is not known on {manifest.day}"
        )
    if location.mode is LocationMode.OFF:
        raise InvalidBatch(QuarantineReason.LOCATION_OFF, f"location {manifest.location_id} is switched off")
    camera = registry.camera(manifest.camera_id, manifest.day)
    if camera is None or camera.location_id != manifest.location_id:
        raise InvalidBatch(
            QuarantineReason.UNKNOWN_CAMERA,
            f"camera {manifest.camera_id} is not known at {manifest.location_id} on {manifest.day}",
        )
    return location


def _verify_clock(manifest: BatchManifest, registry: Registry, location: Location, *, latest: datetime) -> None:
    if manifest.clock_fault:
        raise InvalidBatch(QuarantineReason.CLOCK, f"the device doubts its own clock: {manifest.clock_fault}")
    moments = [manifest.opened_at, manifest.closed_at, *(entry.captured_at for entry in manifest.images)]
    if max(moments) > latest:
        raise InvalidBatch(QuarantineReason.CLOCK, f"time {max(moments)} lies in the future")
    if not manifest.opened_at <= min(moments) <= max(moments) <= manifest.closed_at:
        raise InvalidBatch(QuarantineReason.CLOCK, "expected every still between the batch's opening and closing")
    days = {business_day(moment, location.timezone) for moment in moments}
    if days != {manifest.day}:
        raise InvalidBatch(
            QuarantineReason.CLOCK,
            f"expected every still on business day {manifest.day} in {location.timezone}, got {sorted(map(str, days))}",
        )
    if registry.first_day is None or manifest.day < registry.first_day:
        raise InvalidBatch(QuarantineReason.CLOCK, f"day {manifest.day} lies before the first day of this platform")
