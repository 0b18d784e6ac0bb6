"""`footfall fleet`: what is known of locations, cameras and camera groups; `devices` holds the rest of it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from footfall_assets.cli import devices
from footfall_assets.contracts.attributes import Attribute
from footfall_assets.contracts.camera_settings import SourceKind, parse_plan_position, parse_polygon
from footfall_assets.contracts.errors import RegistryError
from footfall_assets.contracts.registry import (
    DEVELOPMENT_BASIS,
    Camera,
    CameraGroup,
    FilterMode,
    Location,
    LocationMode,
    Registry,
)

app = typer.Typer(no_args_is_help=True, help="Register locations and cameras, enrol devices, see how they are.")
app.command("enroll")(devices.enroll)
app.command("revoke")(devices.revoke)
app.command("set")(devices.change)
app.command("status")(devices.status)
app.command("rotate-key")(devices.rotate_key)

_From = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Business day it holds from; default today.")
]


def _day(moment: datetime | None) -> date:
    return moment.date() if moment else datetime.now(UTC).date()


def _mistake(error: ValidationError) -> RegistryError:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return RegistryError(f"{field}: {first['msg']}" if field else first["msg"].removeprefix("Value error, "))


@app.command()
def add_location(
    location_id: Annotated[str, typer.Argument(help="Such as store-101.")],
    name: Annotated[str, typer.Option(help="As reports show it, such as 'Store #101'.")],
    timezone: Annotated[str, typer.Option(help="IANA zone that cuts its business day.")] = "UTC",
    mode: Annotated[LocationMode | None, typer.Option(help="Default: unique in development, else count_only.")] = None,
    legal_basis: Annotated[str | None, typer.Option(help="Needed for unique, such as 'consent'.")] = None,
    notice_since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day the notice went up; needed for unique.")
    ] = None,
    assessment: Annotated[str | None, typer.Option(help="Id of the impact assessment; needed for unique.")] = None,
    group: Annotated[str | None, typer.Option(help="Location group it is scheduled with; default itself.")] = None,
    valid_from: _From = None,
) -> None:
    """Add a location, or a new version of one.

    Example: footfall fleet add-location store-101 --name "Store #101" --timezone Europe/London
    """
    from footfall_assets.contracts.settings import load_settings

    settings = load_settings()
    development = settings.environment == "development"
    if not development and (legal_basis or "").strip() == DEVELOPMENT_BASIS:
        raise RegistryError(f"legal basis {DEVELOPMENT_BASIS!r} is none in production; name the basis that holds there")
    chosen = mode or (LocationMode.UNIQUE if development else LocationMode.COUNT_ONLY)
    try:
        location = Location(
            location_id=location_id,
            name=name,
            timezone=timezone,
            mode=chosen,
            legal_basis=legal_basis or (DEVELOPMENT_BASIS if development and chosen is LocationMode.UNIQUE else None),
            notice_since=notice_since.date() if notice_since else None,
            assessment=assessment,
            partition_group=group or location_id,
            valid_from=_day(valid_from),
        )
    except ValidationError as error:
        raise _mistake(error) from error
    _change(lambda registry: registry.with_first_day(location.valid_from).with_location(location))
    typer.echo(f"{location.location_id}: {location.name}, mode {location.mode}, from {location.valid_from}")


@app.command()
def add_camera(
    camera_id: Annotated[str, typer.Argument(help="Unique across locations, such as store-101-door.")],
    location: Annotated[str, typer.Option(help="Location it hangs in.")],
    name: Annotated[str | None, typer.Option(help="As reports show it.")] = None,
    every: Annotated[float, typer.Option(help="Seconds between stills.")] = 5.0,
    still_filter: Annotated[FilterMode, typer.Option("--filter", help="What a still must show.")] = FilterMode.FACE,
    zone: Annotated[
        list[str] | None, typer.Option(help="Zone it sees, or name=0.1,0.2/0.5,0.2/0.5,0.9; repeat for more.")
    ] = None,
    mask: Annotated[
        list[str] | None, typer.Option(help="Area painted black on the device, as the corners of a zone; repeat.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Device that serves it.")] = None,
    source: Annotated[SourceKind | None, typer.Option(help="What stands behind it.")] = None,
    address: Annotated[
        str | None, typer.Option(help="Such as rtsp://10.0.0.7/stream1, without user and password.")
    ] = None,
    staff_only: Annotated[bool, typer.Option("--staff-only", help="Sees staff only.")] = False,
    plan: Annotated[
        str | None, typer.Option(help="Where it hangs on the plan, in metres right and back of the left front corner.")
    ] = None,
    valid_from: _From = None,
) -> None:
    """Add a camera, or a new version of one.

    Example: footfall fleet add-camera store-101-door --location store-101 --every 5 --plan 10,1
    """
    named = [text.partition("=") for text in zone or ()]
    try:
        camera = Camera.model_validate(
            {
                "camera_id": camera_id,
                "location_id": location,
                "name": name or camera_id,
                "interval_s": every,
                "filter": still_filter,
                "zones": [zone_name for zone_name, _, _ in named],
                "areas": [{"name": zone_name, "polygon": parse_polygon(it)} for zone_name, drawn, it in named if drawn],
                "masks": [parse_polygon(text) for text in mask or ()],
                "device_id": device,
                "kind": source,
                "address": address,
                "staff_only": staff_only,
                "plan_position": None if plan is None else parse_plan_position(plan),
                "valid_from": _day(valid_from),
            }
        )
    except ValidationError as error:
        raise _mistake(error) from error
    _change(lambda registry: registry.with_camera(camera))
    typer.echo(f"{camera.camera_id}: at {camera.location_id}, every {camera.interval_s:g} s, from {camera.valid_from}")


@app.command()
def add_group(
    group_id: Annotated[str, typer.Argument(help="Such as entrances.")],
    name: Annotated[str, typer.Option(help="As reports show it.")],
    camera: Annotated[list[str], typer.Option(help="A camera of the group; repeat for more.")],
) -> None:
    """Add or replace a camera group.

    Example: footfall fleet add-group entrances --name Entrances --camera store-101-door --camera store-203-door
    """
    try:
        group = CameraGroup(group_id=group_id, name=name, camera_ids=tuple(dict.fromkeys(camera)))
    except ValidationError as error:
        raise _mistake(error) from error
    _change(lambda registry: registry.with_group(group))
    typer.echo(f"{group.group_id}: {group.name}, {len(group.camera_ids)} cameras")


@app.command()
def set_attributes(
    location_id: Annotated[str, typer.Argument(help="Such as store-101; its mode must be unique.")],
    attribute: Annotated[
        list[Attribute] | None, typer.Option(help="What to guess of faces; repeat for more. Without: nothing.")
    ] = None,
    legal_basis: Annotated[str | None, typer.Option(help="Of the attributes, besides that of unique.")] = None,
    notice_since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day the notice about them went up.")
    ] = None,
    assessment: Annotated[str | None, typer.Option(help="Id of the impact assessment about them.")] = None,
    valid_from: _From = None,
) -> None:
    """Switch guesses of age, gender and expression on for a location, or off; shares over many are all they give.

    Example: footfall fleet set-attributes store-101 --attribute age --attribute gender
    """
    from footfall_assets.contracts.settings import load_settings

    development = load_settings().environment == "development"
    if not development and (legal_basis or "").strip() == DEVELOPMENT_BASIS:
        raise RegistryError(f"legal basis {DEVELOPMENT_BASIS!r} is none in production; name the basis that holds there")
    wanted = tuple(dict.fromkeys(attribute or ()))
    basis = legal_basis or (DEVELOPMENT_BASIS if development else None)
    switched = {
        "attributes": wanted,
        "attributes_basis": basis if wanted else None,
        "attributes_notice_since": notice_since.date() if notice_since and wanted else None,
        "attributes_assessment": assessment if wanted else None,
        "valid_from": _day(valid_from),
    }
    _change(lambda registry: registry.with_location(_changed(registry, location_id, switched)))
    told = ", ".join(wanted) or "none"
    typer.echo(f"{location_id}: attributes {told}, from {switched['valid_from']}")


def _changed(registry: Registry, location_id: str, changes: dict[str, Any]) -> Location:
    """Return the version of a location that holds on the day of the change, changed."""
    found = registry.location(location_id, changes["valid_from"])
    if found is None:
        known = ", ".join(registry.location_ids()) or "none"
        raise RegistryError(f"unknown location {location_id!r} on {changes['valid_from']}; known: {known}")
    try:
        return Location.model_validate(found.model_dump() | changes)
    except ValidationError as error:
        raise _mistake(error) from error


@app.command("list")
def list_fleet() -> None:
    """List locations, cameras and camera groups as they are now.

    Example: footfall fleet list
    """
    from footfall_assets.contracts.registry import current
    from footfall_assets.contracts.settings import check_partition_budget, load_settings
    from footfall_assets.storage import open_lake
    from footfall_assets.storage.registry_store import read_registry

    registry = read_registry(open_lake(load_settings()))
    for location in current(registry.locations, "location_id"):
        typer.echo(
            f"{location.location_id}  {location.name}  {location.timezone}  {location.mode}  "
            f"basis {location.legal_basis or '-'}  group {location.partition_group}"
            f"  attributes {', '.join(location.attributes) or '-'}"
        )
        for camera in current(registry.cameras, "camera_id"):
            if camera.location_id == location.location_id:
                served = f"  device {camera.device_id}" if camera.device_id else ""
                placed = "  plan {:g},{:g}".format(*camera.plan_position) if camera.plan_position else ""
                taken = f"every {camera.interval_s:g} s  filter {camera.filter}"
                typer.echo(f"  {camera.camera_id}  {taken}{placed}{served}")
    for group in registry.camera_groups:
        typer.echo(f"group {group.group_id}  {group.name}  {', '.join(group.camera_ids)}")
    today = datetime.now(UTC).date()
    keys = check_partition_budget(len(registry.partition_groups()), registry.first_day or today, today)
    typer.echo(f"{len(registry.location_ids())} locations, {keys} partitions per asset", err=True)


def _change(change: Callable[[Registry], Registry]) -> None:
    from footfall_assets.contracts.settings import check_partition_budget, load_settings
    from footfall_assets.storage import open_lake
    from footfall_assets.storage.registry_store import change_registry

    def checked(registry: Registry) -> Registry:
        changed = change(registry)
        today = datetime.now(UTC).date()
        # The first day only ever moves back: what is refused here would stop every later run.
        check_partition_budget(len(changed.partition_groups()), changed.first_day or today, today)
        return changed

    settings = load_settings()
    lake = open_lake(settings)
    change_registry(lake, settings.home, checked)
    devices.issue_configurations(lake, settings)
