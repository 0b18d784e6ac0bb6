"""How the fleet is doing: what each device last said of itself, what the platform knows of it, and what is wrong.

One reading for the command line, for Dagster's check and for the app.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from footfall_assets.contracts.errors import InvalidDocument
from footfall_assets.contracts.fleet import CameraState, DeviceReport, IntakeRecord, intake_record_key, reported_key
from footfall_assets.contracts.registry import Camera, Device, Registry
from footfall_assets.contracts.settings import FleetSettings
from footfall_assets.reporting.provenance import duration_text
from footfall_assets.storage.fleet_store import read_record, read_signed
from footfall_assets.storage.lake import LakeStore, ObjectMissing

_MISSED_REPORTS: Final = 3
_MISSED_FRAMES: Final = 4


class DeviceState(StrEnum):
    """Whether a device is heard of."""

    REPORTING = "reporting"
    SILENT = "silent"  # its last report is old
    NEVER = "never"  # it has not reported yet
    UNTRUSTED = "untrusted"  # what lies there as its report is not from it
    REVOKED = "revoked"


class CameraHealth(StrEnum):
    """Whether a camera gives pictures."""

    OK = "ok"
    SILENT = "silent"
    UNKNOWN = "unknown"  # its device does not say


@dataclass(frozen=True)
class CameraStatus:
    """One camera of a device: what is registered, and what the device says of it."""

    camera_id: str
    health: CameraHealth
    reported: CameraState | None


@dataclass(frozen=True)
class DeviceStatus:
    """One device; `age_s` is the time since its last report, freed of its clock's known error."""

    device_id: str
    location_id: str
    state: DeviceState
    desired_revision: int
    report: DeviceReport | None
    age_s: float | None
    cameras: tuple[CameraStatus, ...]
    intake: IntakeRecord | None
    problems: tuple[str, ...]

    @property
    def quarantined(self) -> int:
        """Batches in its name that the platform has set aside, ever; resends of known batches are no fault."""
        found = self.intake.quarantined if self.intake else {}
        return sum(count for reason, count in found.items() if reason != "duplicate")

    def cameras_that_are(self, health: CameraHealth) -> int:
        """Return the number of its cameras in that state."""
        return sum(camera.health is health for camera in self.cameras)


@dataclass(frozen=True)
class FleetStatus:
    """All devices that are bound to a location, sorted, and what lies in quarantine by reason."""

    at: datetime
    devices: tuple[DeviceStatus, ...] = ()
    quarantined: Mapping[str, int] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[str, ...]:
        """One line per thing that is wrong, with the device it is wrong with."""
        return tuple(f"{device.device_id}: {problem}" for device in self.devices for problem in device.problems)

    def within(self, allowed: tuple[str, ...] | None) -> "FleetStatus":
        """Return the devices of the locations `allowed` alone, None for all; quarantine has no location."""
        if allowed is None:
            return self
        return FleetStatus(self.at, tuple(device for device in self.devices if device.location_id in allowed))


def count_quarantined(lake: LakeStore) -> dict[str, int]:
    """Return the number of objects in quarantine per reason."""
    counts: dict[str, int] = {}
    for key in lake.list_keys("quarantine"):
        if key.endswith(".json"):
            reason = key.split("/")[1]
            counts[reason] = counts.get(reason, 0) + 1
    return counts


def fleet_status(lake: LakeStore, registry: Registry, limits: FleetSettings, *, now: datetime) -> FleetStatus:
    """Return how every device is doing at `now`; what cannot be read or believed is a state, not an error."""
    bound = [device for device in registry.devices if device.location_id is not None]
    return FleetStatus(
        at=now,
        devices=tuple(_device_status(lake, registry, device, limits, now) for device in bound),
        quarantined=dict(sorted(count_quarantined(lake).items())),
    )


def _device_status(
    lake: LakeStore, registry: Registry, device: Device, limits: FleetSettings, now: datetime
) -> DeviceStatus:
    report, untrusted = _report(lake, device)
    age_s = _age_s(report, now) if report else None
    state = _state(device, age_s, limits, untrusted=untrusted)
    today = now.astimezone(UTC).date()
    served = () if device.revoked else registry.cameras_of(device.device_id, today)
    cameras = tuple(_camera_status(camera, report, state, limits) for camera in served)
    problems = () if state is DeviceState.REVOKED else tuple(_problems(device, state, report, age_s, cameras, limits))
    return DeviceStatus(
        device_id=device.device_id,
        location_id=device.location_id or "",
        state=state,
        desired_revision=device.revision,
        report=report,
        age_s=age_s,
        cameras=cameras,
        intake=_intake(lake, device),
        problems=problems,
    )


def _report(lake: LakeStore, device: Device) -> tuple[DeviceReport | None, bool]:
    """Return a device's report, and whether something else lies in its place."""
    try:
        report = read_signed(lake, reported_key(device.device_id), DeviceReport, device.public_key)
    except ObjectMissing:
        return None, False
    except InvalidDocument:
        return None, True
    return (report, False) if report.device_id == device.device_id else (None, True)


def _intake(lake: LakeStore, device: Device) -> IntakeRecord | None:
    try:
        return read_record(lake, intake_record_key(device.device_id), IntakeRecord)
    except InvalidDocument:
        return None


def _age_s(report: DeviceReport, now: datetime) -> float:
    return (now - report.reported_at + timedelta(seconds=report.clock_skew_s or 0.0)).total_seconds()


def _state(device: Device, age_s: float | None, limits: FleetSettings, *, untrusted: bool) -> DeviceState:
    if device.revoked:
        return DeviceState.REVOKED
    if untrusted:
        return DeviceState.UNTRUSTED
    if age_s is None:
        return DeviceState.NEVER
    late = age_s > max(limits.silent_after_s, _MISSED_REPORTS * device.report_every_s)
    return DeviceState.SILENT if late else DeviceState.REPORTING


def _camera_status(
    camera: Camera, report: DeviceReport | None, state: DeviceState, limits: FleetSettings
) -> CameraStatus:
    found = report.cameras if report else ()
    reported = next((each for each in found if each.camera_id == camera.camera_id), None)
    if report is None or reported is None or state is not DeviceState.REPORTING:
        return CameraStatus(camera.camera_id, CameraHealth.UNKNOWN, reported)
    patience_s = max(limits.camera_silent_after_s, _MISSED_FRAMES * camera.interval_s)
    seen = reported.last_frame_at
    alive = seen is not None and (report.reported_at - seen).total_seconds() <= patience_s
    return CameraStatus(camera.camera_id, CameraHealth.OK if alive else CameraHealth.SILENT, reported)


def _problems(
    device: Device,
    state: DeviceState,
    report: DeviceReport | None,
    age_s: float | None,
    cameras: tuple[CameraStatus, ...],
    limits: FleetSettings,
) -> Iterator[str]:
    if state is DeviceState.UNTRUSTED:
        yield "its report is not signed by it"
    if state is DeviceState.NEVER:
        yield "has not reported yet"
    if report is None or age_s is None:
        return
    if state is DeviceState.SILENT:
        yield f"silent for {duration_text(timedelta(seconds=age_s))}"
    silent = [camera.camera_id for camera in cameras if camera.health is CameraHealth.SILENT]
    if silent:
        yield f"no pictures from {', '.join(silent)}"
    yield from _configuration_problems(device, report)
    yield from _spool_problems(device, report, limits)
    yield from _clock_problems(report, age_s, limits)


def _configuration_problems(device: Device, report: DeviceReport) -> Iterator[str]:
    if report.refused_revision is not None:
        yield f"refused revision {report.refused_revision}: {report.refused_reason or 'no reason given'}"
    if report.revision < device.revision and report.refused_revision != device.revision:
        yield f"follows revision {report.revision} of {device.revision}"


def _spool_problems(device: Device, report: DeviceReport, limits: FleetSettings) -> Iterator[str]:
    caps = ((report.spool_bytes, device.limits.spool_bytes), (report.spool_items, device.limits.spool_items))
    share = max(used / cap for used, cap in caps)
    if share >= limits.spool_share:
        yield f"spool {share:.0%} full"
    if report.oldest_item_at is not None:
        waiting_s = (report.reported_at - report.oldest_item_at).total_seconds()
        if waiting_s > limits.spool_age_s:
            yield f"oldest batch in the spool waits for {duration_text(timedelta(seconds=waiting_s))}"
    if report.dropped_items or report.dropped_stills:
        yield f"dropped {report.dropped_items} batches with {report.dropped_stills} stills"
    if report.quarantined_items:
        yield f"{report.quarantined_items} damaged batches set aside on the device"


def _clock_problems(report: DeviceReport, age_s: float, limits: FleetSettings) -> Iterator[str]:
    if report.clock_skew_s is not None and abs(report.clock_skew_s) > limits.clock_skew_s:
        side = "ahead" if report.clock_skew_s > 0 else "behind"
        yield f"clock {duration_text(timedelta(seconds=abs(report.clock_skew_s)))} {side}"
    elif age_s < -limits.clock_skew_s:
        yield f"clock at least {duration_text(timedelta(seconds=-age_s))} ahead"
