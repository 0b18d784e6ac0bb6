"""`footfall fleet` for devices: enrolling, revoking, changing what they do, seeing how they are."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from footfall_assets.contracts.camera_settings import Limits, ModelPin, parse_plan_position
from footfall_assets.contracts.errors import RegistryError, UserMistake
from footfall_assets.contracts.registry import Camera, Device, FilterMode, Registry

if TYPE_CHECKING:
    from footfall_assets.contracts.settings import PlatformSettings
    from footfall_assets.reporting.fleet_status import DeviceStatus
    from footfall_assets.storage.lake import LakeStore

_OF_CAMERAS: Final = ("interval_s", "filter")
_FILE_WIDTH: Final = 160  # characters, where nobody's window says how wide a table may be
_COLUMNS: Final = (
    "device",
    "location",
    "state",
    "last report",
    "revision",
    "cameras",
    "spool",
    "dropped",
    "quarantined",
    "clock",
)


def enroll(
    device_id: Annotated[str | None, typer.Argument(help="Name of the device, such as box-1.")] = None,
    location: Annotated[str | None, typer.Option(help="Location it stands in; it can send for no other.")] = None,
    hours: Annotated[float, typer.Option(help="How long the token can be used.")] = 24.0,
    accept: Annotated[bool, typer.Option("--accept", help="Answer the devices that have used their tokens.")] = False,
) -> None:
    """Print a one-time token for a device, or answer devices that have used theirs.

    Example: footfall fleet enroll box-1 --location store-101
    """
    from footfall_assets.capture.enrolment import issue_token

    lake, settings, now = _open()
    if accept:
        _accept(lake, settings, now)
    if device_id is None:
        if not accept:
            raise UserMistake(
                "expected a device, such as footfall fleet enroll box-1 --location store-101, or --accept"
            )
        return
    if location is None:
        raise UserMistake("expected the location the device stands in: --location")
    token = issue_token(lake, settings, device_id, location, now=now, valid_for=timedelta(hours=hours))
    typer.echo(token.text)
    typer.echo(f"Shown once, for {device_id}, valid for {hours:g} hours: edge-capture enroll takes it.", err=True)


def revoke(device_id: Annotated[str, typer.Argument(help="Device that may send nothing more.")]) -> None:
    """Revoke a device: what it lands from now on is set aside, and it is told to serve no camera.

    Example: footfall fleet revoke box-1
    """
    from footfall_assets.capture.enrolment_tokens import TokenStore
    from footfall_assets.storage.registry_store import change_registry

    lake, settings, now = _open()
    TokenStore(settings.keys_dir).void(device_id)
    change_registry(lake, settings.home, lambda registry: registry.with_device_revoked(device_id, now))
    issue_configurations(lake, settings)
    typer.echo(f"{device_id}: revoked")


def change(
    camera: Annotated[str | None, typer.Option(help="Change this camera.")] = None,
    device: Annotated[str | None, typer.Option(help="Change this device, and its cameras.")] = None,
    location: Annotated[str | None, typer.Option(help="Change every device and camera of this location.")] = None,
    every: Annotated[float | None, typer.Option(help="Seconds between stills.")] = None,
    still_filter: Annotated[FilterMode | None, typer.Option("--filter", help="What a still must show.")] = None,
    plan: Annotated[
        str | None, typer.Option(help="Where --camera hangs on the plan, such as 7.5,8 in metres; 'none' clears.")
    ] = None,
    batch_age: Annotated[float | None, typer.Option(help="Seconds after which a batch is sent.")] = None,
    batch_stills: Annotated[int | None, typer.Option(help="Stills after which a batch is sent.")] = None,
    jpeg_quality: Annotated[int | None, typer.Option(help="1 to 100.")] = None,
    people_only: Annotated[
        bool | None, typer.Option("--people-only/--whole-stills", help="Grey out all but what the filter found.")
    ] = None,
    spool_bytes: Annotated[int | None, typer.Option(help="Cap of what waits on the device.")] = None,
    spool_items: Annotated[int | None, typer.Option(help="Cap of batches waiting on the device.")] = None,
    when_full: Annotated[str | None, typer.Option(help="drop_oldest or reject_new.")] = None,
    upload_bytes_per_s: Annotated[int | None, typer.Option(help="Bandwidth; 0 for as fast as the link.")] = None,
    report_every: Annotated[float | None, typer.Option(help="Seconds between two reports.")] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="Model of the manifest to pin; repeat. 'none' clears.")
    ] = None,
    valid_from: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Day cameras change; default today.")
    ] = None,
) -> None:
    """Change what cameras and devices do. Each device concerned gets a new signed configuration.

    Example: footfall fleet set --location store-101 --every 2 --batch-age 120
    """
    from footfall_assets.storage.registry_store import change_registry

    lake, settings, now = _open()
    of_cameras = _given(interval_s=every, filter=still_filter) | _placed(plan)
    limits = _given(
        batch_age_s=batch_age,
        batch_stills=batch_stills,
        jpeg_quality=jpeg_quality,
        people_only=people_only,
        spool_bytes=spool_bytes,
        spool_items=spool_items,
        when_full=when_full,
        upload_bytes_per_s=upload_bytes_per_s,
    )
    of_devices = _given(report_every_s=report_every, models=_pins(lake, settings, model))
    if sum(each is not None for each in (camera, device, location)) != 1:
        raise UserMistake("expected one of --camera, --device and --location")
    if not (of_cameras or limits or of_devices):
        raise UserMistake("expected something to change; see footfall fleet set --help")
    if camera is not None and (limits or of_devices):
        raise UserMistake("a camera has --every, --filter and --plan only; the rest belongs to its device: --device")
    if camera is None and plan is not None:
        raise UserMistake("expected --camera beside --plan: two cameras do not hang at one place")
    day = valid_from.date() if valid_from else now.date()

    def changed(registry: Registry) -> Registry:
        for each in _cameras(registry, camera, device, location, day) if of_cameras else ():
            registry = registry.with_camera(Camera.model_validate(dict(each) | of_cameras | {"valid_from": day}))
        for owner in _devices(registry, device, location) if limits or of_devices else ():
            registry = registry.with_device(_with_limits(owner, limits, of_devices))
        return registry

    change_registry(lake, settings.home, changed)
    for issued in issue_configurations(lake, settings):
        typer.echo(f"{issued.device_id}: revision {issued.revision}")


def status() -> None:
    """Show how every device is, after answering those that ask to join.

    Example: footfall fleet status
    """
    from rich.console import Console
    from rich.table import Table

    from footfall_assets.reporting.fleet_status import fleet_status
    from footfall_assets.storage.registry_store import read_registry

    lake, settings, now = _open()
    _accept(lake, settings, now)
    issue_configurations(lake, settings, check_all=True)
    found = fleet_status(lake, read_registry(lake), settings.fleet, now=now)
    table = Table(*_COLUMNS, box=None)
    for each in found.devices:
        table.add_row(*_row(each))
    console = Console()
    Console(width=console.width if console.is_terminal else _FILE_WIDTH).print(table)
    for problem in found.problems:
        typer.echo(problem, err=True)
    aside = ", ".join(f"{reason} {count}" for reason, count in found.quarantined.items())
    typer.echo(
        f"{len(found.devices)} devices, {len(found.problems)} problems, quarantine: {aside or 'empty'}", err=True
    )


def rotate_key() -> None:
    """Replace the fleet key: the old one vouches for the new one, and every configuration is signed again.

    Example: footfall fleet rotate-key
    """
    from footfall_assets.capture.signing_key import rotate_fleet_key

    lake, settings, _ = _open()
    old, new = rotate_fleet_key(lake, settings.keys_dir)
    issued = issue_configurations(lake, settings, check_all=True)
    typer.echo(f"fleet key {old[:12]}... is followed by {new[:12]}..., {len(issued)} configurations signed again")


def issue_configurations(lake: "LakeStore", settings: "PlatformSettings", *, check_all: bool = False) -> Any:  # noqa: ANN401 - a tuple of Published, which is imported lazily
    """Issue new configurations to the devices that a change concerns, and return them."""
    from footfall_assets.capture.desired import publish_desired

    return publish_desired(lake, settings, now=datetime.now(UTC), check_all=check_all)


def _open() -> "tuple[LakeStore, PlatformSettings, datetime]":
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.storage import open_lake

    settings = load_settings()
    return open_lake(settings), settings, datetime.now(UTC)


def _accept(lake: "LakeStore", settings: "PlatformSettings", now: datetime) -> None:
    from footfall_assets.capture.enrolment import accept_enrolments

    report = accept_enrolments(lake, settings, now=now)
    for device_id in report.accepted:
        typer.echo(f"{device_id}: enrolled", err=True)
    if report.refused:
        typer.echo(f"{report.refused.total()} requests refused: see quarantine/bad_enrolment", err=True)


def _given(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _placed(plan: str | None) -> dict[str, object]:
    if plan is None:
        return {}
    return {"plan_position": None if plan == "none" else parse_plan_position(plan)}


def _pins(lake: "LakeStore", settings: "PlatformSettings", names: list[str] | None) -> tuple[ModelPin, ...] | None:
    """Return the pins of models by name, each put into the lake for devices that lack it; None where none is named."""
    if names is None or names == ["none"]:
        return None if names is None else ()
    from footfall_assets.contracts.fleet import model_key
    from models.cache import read_model
    from models.manifest import load_manifest

    manifest = load_manifest(extra=settings.model_manifest)
    pins = []
    for spec in (manifest.get(name) for name in names):
        key = model_key(spec.onnx_sha256)
        if not lake.exists(key):
            lake.write(key, read_model(spec, settings.model_cache))
        pins.append(ModelPin(name=spec.name, sha256=spec.onnx_sha256))
    return tuple(pins)


def _cameras(
    registry: Registry, camera: str | None, device: str | None, location: str | None, day: date
) -> list[Camera]:
    names = sorted({each.camera_id for each in registry.cameras})
    held = [each for each in (registry.camera(name, day) for name in names) if each is not None]
    if device is not None:
        held = [each for each in held if each.device_id == device]
    if location is not None:
        held = [each for each in held if each.location_id == location]
    if camera is not None:
        held = [each for each in held if each.camera_id == camera]
    if not held:
        raise RegistryError(f"no camera of {camera or device or location!r} on {day}; see footfall fleet list")
    return held


def _devices(registry: Registry, device: str | None, location: str | None) -> list[Device]:
    bound = [each for each in registry.devices if each.location_id is not None and not each.revoked]
    found = [each for each in bound if device in (None, each.device_id) and location in (None, each.location_id)]
    if not found:
        known = ", ".join(each.device_id for each in bound) or "none"
        raise RegistryError(f"no device {device or f'at {location}'!r} is enrolled; enrolled: {known}")
    return found


def _with_limits(device: Device, limits: dict[str, object], changes: dict[str, object]) -> Device:
    if limits.get("upload_bytes_per_s") == 0:
        limits = limits | {"upload_bytes_per_s": None}
    changed = Limits.model_validate(device.limits.model_dump() | limits)
    return Device.model_validate(dict(device) | {"limits": changed} | changes)


def _row(device: "DeviceStatus") -> tuple[str, ...]:
    from footfall_assets.reporting.fleet_status import CameraHealth
    from footfall_assets.reporting.provenance import duration_text

    report, intake = device.report, device.intake
    counts = [f"{device.cameras_that_are(health)} {health}" for health in CameraHealth]
    refused = f", refused {report.refused_revision}" if report and report.refused_revision else ""
    oldest = report.oldest_item_at if report else None
    waits = f", {duration_text(report.reported_at - oldest)}" if report and oldest else ""
    skew = report.clock_skew_s if report else None
    return (
        device.device_id,
        device.location_id,
        str(device.state),
        f"{duration_text(timedelta(seconds=device.age_s))} ago" if device.age_s is not None else "never",
        f"{report.revision if report else 0} of {device.desired_revision}{refused}",
        ", ".join(text for text in counts if not text.startswith("0 ")) or "none",
        f"{report.spool_items}{waits}" if report else "-",
        f"{report.dropped_items} ({report.dropped_stills} stills)" if report else "-",
        str(device.quarantined) if intake else "0",
        f"{skew:+.1f} s" if skew is not None else "-",
    )
