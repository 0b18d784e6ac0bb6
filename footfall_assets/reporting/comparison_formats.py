"""A comparison of two publications as text for people and as JSON for programs."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from footfall_assets.contracts.publication import Publication
from footfall_assets.reporting.comparison import (
    COUNTS,
    Change,
    Comparison,
    DayChange,
    SightingFlow,
    VisitorChange,
)
from footfall_assets.reporting.difference_causes import Cause

_SHORT_ID: Final = 12  # digits of a publication id that people read
_OTHER_STILLS: Final = ("still_only_before", "still_only_after")
_CAUSES_SHOWN: Final = 60  # a change of all locations is thousands of lines; JSON has them all
_STATES: Final = {
    "visitor_in_both": "of a visitor in both",
    "no_visitor_in_both": "of no visitor in both",
    "visitor_only_before": "of a visitor before, not after",
    "visitor_only_after": "of a visitor after, not before",
    "face_only_before": "found before, not after, in a still of both",
    "face_only_after": "found after, not before, in a still of both",
    "still_only_before": "in stills that only the first has",
    "still_only_after": "in stills that only the second has",
    "matched_by_overlap": "of these, matched by the overlap of boxes",
}


def comparison_to_json(comparison: Comparison) -> str:
    """Return the comparison as JSON."""
    document = {
        "before": _publication(comparison.before),
        "after": _publication(comparison.after),
        "is_same": comparison.is_same,
        "causes": [vars(cause) for cause in comparison.causes],
        "windows": [vars(window) for window in comparison.windows],
        "changes": [
            vars(change) | {"others": [{"visitor_id": other, "sightings": n} for other, n in change.others]}
            for change in comparison.changes
        ],
        "days_changed": comparison.days_changed,
        "days": [_day(day) for day in comparison.days],
        "sightings": [vars(flow) for flow in comparison.flows],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def comparison_to_table(comparison: Comparison) -> str:
    """Return the comparison as lines that people read."""
    lines = [
        "Comparison of two publications",
        f"Before: {_told(comparison.before)}",
        f"After:  {_told(comparison.after)}",
        *(["", "Nothing differs: this is one publication."] if comparison.is_same else _body(comparison)),
    ]
    return "\n".join(lines) + "\n"


def told_flow(flow: SightingFlow) -> str:
    """Return what became of sightings, with the reason where they are of a visitor on one side only."""
    return f"{_STATES[flow.state]} ({flow.reason})" if flow.reason else _STATES[flow.state]


def told_change(change: Change) -> str:
    """Return what became of a visitor, such as `split into 00123A (4), 00200B (2)`."""
    parts = ", ".join(f"{other} ({sightings:,})" for other, sightings in change.others)
    return {"split": f"split into {parts}", "merged": f"merged from {parts}"}.get(change.kind, change.kind)


def publications_to_table(publications: Sequence[Publication], current: str | None) -> str:
    """Return one line a publication; a star marks the one that reports are made from."""
    lines = [f"{'*' if each.publication_id == current else ' '} {_told(each)}" for each in publications]
    return "\n".join(lines) + "\n"


def _body(comparison: Comparison) -> Iterator[str]:
    yield from ("", "Why")
    yield from (f"  {_cause(cause)}" for cause in comparison.causes[:_CAUSES_SHOWN])
    if len(comparison.causes) > _CAUSES_SHOWN:
        yield f"  and {len(comparison.causes) - _CAUSES_SHOWN:,} more"
    if not comparison.causes:
        yield "  no version, rule, registry entry or correction differs"
    if any(flow.state in _OTHER_STILLS for flow in comparison.flows):
        yield "  data: one has stills that the other has not (see below)"
    yield from ("", "Visitors (rows of the report; not estimates)")
    for window in comparison.windows:
        yield from (f"  {line}" for line in _window(window))
    yield from ("", "Sightings")
    for flow in sorted(comparison.flows, key=lambda each: list(_STATES).index(each.state)):
        yield f"  {flow.sightings:>10,}  {told_flow(flow)}"
    if comparison.changes:
        yield from ("", "Visitors that changed most (ids of another version name other visitors)")
        yield from (f"  {_change(change)}" for change in comparison.changes)
    yield from ("", f"Days and locations that differ: {comparison.days_changed:,}")
    for day in comparison.days:
        yield f"  {day.business_day} {day.location_id}: {_counts(day)}"
    hidden = comparison.days_changed - len(comparison.days)
    if hidden:
        yield f"  and {hidden:,} more"


def _told(publication: Publication) -> str:
    days = f"{publication.first_day} to {publication.last_day}" if publication.first_day else "no day"
    return f"{publication.publication_id[:_SHORT_ID]}, published {publication.published_at:%Y-%m-%d %H:%M %Z}, {days}"


def _cause(cause: Cause) -> str:
    if cause.before is None and cause.after is None:
        return f"{cause.kind}: {cause.name}"
    if cause.kind == "correction":
        return f"{cause.kind}: {cause.name} ({cause.after})"
    return f"{cause.kind}: {cause.name}: {cause.before or 'not there'} -> {cause.after or 'not there'}"


def _window(window: VisitorChange) -> tuple[str, str]:
    sum_told = (
        f"{window.linkage_window}: {window.before:,} -> {window.after:,} = {window.before:,} + {window.new:,} new"
        f" - {window.gone:,} gone + {window.more_by_split:,} by splits - {window.fewer_by_merge:,} by merges"
    )
    rest = (
        f"  unchanged {window.unchanged:,}, same visitor with other sightings {window.adjusted:,},"
        f" split {window.split:,}, merged {window.merged:,}"
    )
    return sum_told, rest


def _change(change: Change) -> str:
    said = told_change(change)
    return f"{change.linkage_window} {change.visitor_id} ({change.sightings:,} sightings): {said}"


def _counts(day: DayChange) -> str:
    told = zip(COUNTS, day.before, day.after, strict=True)
    return ", ".join(
        f"{name.replace('_', ' ')} {_number(old)} -> {_number(new)}" for name, old, new in told if old != new
    )


def _number(count: int | None) -> str:
    return "none" if count is None else f"{count:,}"


def _publication(publication: Publication) -> dict[str, object]:
    return publication.model_dump(mode="json", exclude={"aggregates", "visitors"})


def _day(day: DayChange) -> dict[str, object]:
    return {
        "business_day": day.business_day.isoformat(),
        "location_id": day.location_id,
        "before": dict(zip(COUNTS, day.before, strict=True)),
        "after": dict(zip(COUNTS, day.after, strict=True)),
    }
