"""`footfall identities`: corrections to who is who, and why somebody is somebody."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from footfall_assets.contracts.errors import UserMistake

if TYPE_CHECKING:
    from footfall_assets.contracts.events import EventDraft
    from footfall_assets.identity.drafts import Authorship
    from footfall_assets.platform import Platform

app = typer.Typer(no_args_is_help=True, help="Correct who is who, and see why.")


class Form(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"


_Visitor = Annotated[str, typer.Argument(help="Visitor ID as reports show it, such as 00123A.")]
_Window = Annotated[str | None, typer.Option("--window", help="Linkage window, such as 2024-01; default the newest.")]
_Author = Annotated[str, typer.Option("--author", envvar="USER", help="Who says so.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why, in one line.")]
_Form = Annotated[Form, typer.Option("--format", help="How to write it.")]
_SIGHTINGS_SHOWN = 6  # of a local visitor in a table; JSON has all


@app.command()
def merge(
    visitors: Annotated[list[str], typer.Argument(help="Two or more Visitor IDs that are one person.")],
    reason: _Reason,
    author: _Author = "",
    window: _Window = None,
) -> None:
    """Say that several visitors are one person.

    Example: footfall identities merge 00123A 00456B --reason "same coat, same bag"
    """
    from footfall_assets.identity.drafts import merge_draft
    from footfall_assets.identity.visitors import open_window

    by, platform = _authorship(author, reason), _platform()
    _append(platform, merge_draft(open_window(platform, window), visitors, by))


@app.command()
def split(
    visitor: _Visitor,
    reason: _Reason,
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Take out its sightings of this business day.")
    ] = None,
    location: Annotated[str | None, typer.Option(help="... at this location.")] = None,
    camera: Annotated[str | None, typer.Option(help="... at this camera.")] = None,
    sighting: Annotated[
        list[str] | None, typer.Option(help="Take out this sighting, by its id in explain; repeat for more.")
    ] = None,
    author: _Author = "",
    window: _Window = None,
) -> None:
    """Say that some sightings of a visitor are of somebody else: those of a day, location and camera, or named ones.

    Example: footfall identities split 00123A --day 2024-01-05 --location store-101 --reason "another person"
    """
    from footfall_assets.identity.drafts import Chosen, split_draft
    from footfall_assets.identity.visitors import open_window

    chosen = Chosen(
        day=day.date() if day else None, location_id=location, camera_id=camera, sightings=tuple(sighting or ())
    )
    if chosen == Chosen():
        raise UserMistake("expected --day, --location, --camera or --sighting: which sightings are of somebody else")
    by, platform = _authorship(author, reason), _platform()
    _append(platform, split_draft(open_window(platform, window), visitor, chosen, by))


@app.command()
def exclude(visitor: _Visitor, reason: _Reason = "staff", author: _Author = "", window: _Window = None) -> None:
    """Take a visitor out of all counts; its sightings stay in the log.

    Example: footfall identities exclude 00123A --reason staff
    """
    from footfall_assets.identity.drafts import exclude_draft
    from footfall_assets.identity.visitors import open_window

    by, platform = _authorship(author, reason), _platform()
    _append(platform, exclude_draft(open_window(platform, window), visitor, by))


@app.command()
def undo(
    event: Annotated[int, typer.Argument(help="Number of the event, as events lists it.", min=1)],
    reason: _Reason = "undone",
    author: _Author = "",
) -> None:
    """Take an event back; undo the undo to bring it back.

    Example: footfall identities undo 3 --reason "they were twins"
    """
    from footfall_assets.identity.drafts import undo_draft

    by, platform = _authorship(author, reason), _platform()
    known = {each.sequence: each for each in platform.events.verify()}
    if event not in known:
        raise UserMistake(f"no event {event}; there are {len(known)}: footfall identities events")
    _append(platform, undo_draft(known[event].linkage_window, event, by))


@app.command()
def events(form: _Form = Form.TABLE) -> None:
    """List all events and what became of each in the newest map of its window.

    Example: footfall identities events
    """
    import json

    from footfall_assets.identity.fates import event_rows

    platform = _platform()
    platform.events.verify()
    rows = event_rows(platform)
    if form is Form.JSON:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        what = f"undoes {row['undoes']}" if row["undoes"] else " ".join(row["visitors"])
        matched = "" if row["matched"] is None else f", {row['matched']} of {row['anchors']} sightings matched"
        typer.echo(
            f"{row['sequence']}  {row['created_at'][:16]}  {row['kind']}  {what}  window {row['linkage_window']}  "
            f"{row['status']}{matched}  by {row['author']}: {row['reason']}"
        )
    unmatched = sum(row["status"] == "unmatched" for row in rows)
    typer.echo(f"{len(rows)} events, {unmatched} unmatched", err=True)
    for key in platform.events.unreachable():
        typer.echo(f"not in the chain, left by a crash or a pointer that was set back: {key}", err=True)


@app.command()
def seal(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Business day whose identities to seal.")],
    author: _Author = "",
) -> None:
    """Have a provisional day solved over its whole linkage window; later provisional days then rest on it.

    Example: footfall identities seal 2024-01-24
    """
    from footfall_assets.identity.seals import request_seal
    from footfall_assets.identity.window_plan import known_places, window_plan

    if not author.strip():
        raise UserMistake("expected --author NAME: a seal names who asked for it")
    platform, asked = _platform(), day.date()
    places = known_places(platform)
    if not any(place.day == asked for place in places):
        raise UserMistake(f"nobody is known on {asked} yet; footfall run first, or name another day")
    if asked in window_plan(platform, places, asked).sealing.sealed:
        typer.echo(f"{asked} is sealed as it is")
        return
    request_seal(platform.lake, asked, author)
    typer.echo(f"{asked} will be sealed, asked for by {author}")
    typer.echo("next: footfall run", err=True)


@app.command()
def explain(
    visitor: _Visitor,
    window: _Window = None,
    nearest: Annotated[int, typer.Option(help="Other visitors to compare with.", min=0)] = 5,
    form: _Form = Form.TABLE,
) -> None:
    """Tell why the sightings of a visitor are one person, and who is nearest to it.

    Example: footfall identities explain 00123A --format json
    """
    import json

    from footfall_assets.identity.explain import explain as explained
    from footfall_assets.identity.visitors import open_window

    visitors = open_window(_platform(), window)
    found = explained(visitors, visitors.visitor(visitor), nearest=nearest)
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2) if form is Form.JSON else _table(found))


def _platform() -> "Platform":
    from footfall_assets.contracts.settings import load_settings
    from footfall_assets.platform import Platform

    return Platform(load_settings())


def _authorship(author: str, reason: str) -> "Authorship":
    from footfall_assets.identity.drafts import Authorship

    if not author.strip():
        raise UserMistake("expected --author NAME: an event names who said so")
    if not reason.strip():
        raise UserMistake("expected --reason TEXT: an event says why")
    return Authorship(author, reason, datetime.now(UTC))


def _append(platform: "Platform", draft: "EventDraft") -> None:
    event = platform.events.append(draft, platform.settings.home / "locks")
    typer.echo(f"event {event.sequence}: {event.kind} {' '.join(event.visitors) or event.undoes} by {event.author}")
    typer.echo(f"next: footfall run; to take it back: footfall identities undo {event.sequence}", err=True)


def _table(found: dict[str, Any]) -> str:
    """Return an explanation for people."""
    number = {row["local_visitor_id"]: f"#{place}" for place, row in enumerate(found["local_visitors"], start=1)}
    state = f", excluded ({found['excluded_reason']})" if found["excluded_reason"] else ""
    lines = [f"Visitor {found['visitor_id']} of window {found['linkage_window']}, map of {found['map_of']}{state}"]
    if found["mean_distance"] is not None:
        lines.append(f"Mean distance {found['mean_distance']:.3f}, linked up to {found['threshold']:g} (1 - cosine)")
    for row in found["local_visitors"]:
        lines.append(
            f"{number[row['local_visitor_id']]}  {row['day']}  {row['location_id']}  {row['faces']} faces in "
            f"{row['tracklets']} tracklets  score {row['match_score']:.3f}"
        )
        lines += [
            f"      {each['captured_at'][11:19]}  {each['camera_id']}  {each['sighting_id'][:13]}  "
            f"quality {each['quality']:.2f}"
            for each in row["sightings"][:_SIGHTINGS_SHOWN]
        ]
        if len(row["sightings"]) > _SIGHTINGS_SHOWN:
            lines.append(f"      and {len(row['sightings']) - _SIGHTINGS_SHOWN} more: --format json")
    lines += [
        f"link  {number[link['from']]} - {number[link['to']]}  distance {link['distance']:.3f}  {link['because']}"
        for link in found["links"]
    ]
    lines += [f"conflict  {each['visitor_id']}  {each['because']}" for each in found["conflicts"]]
    lines += [
        f"nearest  {each['visitor_id']}  mean distance {each['mean_distance']:.3f}  not merged: {each['because']}"
        for each in found["nearest"]
    ]
    lines += [
        f"event {each['sequence']}  {each['kind']}  {each['status']}, {each['matched']} of {each['anchors']} sightings "
        f"matched  by {each['author']}: {each['reason']}"
        for each in found["events"]
    ]
    lines += [
        f"lineage  {each['day']}  {'new' if each['minted'] else 'known'}"
        + (f", took over {', '.join(each['merged_from'])}" if each["merged_from"] else "")
        + (f", parted from {each['split_from']}" if each["split_from"] else "")
        for each in found["lineage"]
    ]
    return "\n".join(lines)
