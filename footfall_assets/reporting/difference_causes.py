"""Why two publications differ: other versions and what decided them, rules, calibration, registry, corrections."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import duckdb
from pydantic import ValidationError

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.publication import Publication
from footfall_assets.contracts.version_causes import VersionCauses, dotted, version_causes_key
from footfall_assets.reporting.count import read_calibration
from footfall_assets.reporting.publication import fetch_rows, has_table
from footfall_assets.storage.event_store import EventStore
from footfall_assets.storage.lake import LakeStore

_LOCATIONS_SQL: Final = "select location_id, mode, timezone from dim_locations"
_CAMERAS_SQL: Final = "select camera_id, location_id, interval_s::double from dim_cameras"
_RULES_SQL: Final = "select appearance_gap_s, appearance_gap_intervals, visit_gap_s from publication_header"


@dataclass(frozen=True)
class Cause:
    """One thing that is not as it was; None where it is there on one side only.

    `kind` is `version` (of an asset), `setting`, `model`, `code`, `rule`, `calibration`, `registry`, `correction` or
    `record`.
    """

    kind: str
    name: str
    before: str | None
    after: str | None


def causes_of(
    lake: LakeStore,
    publications: tuple[Publication, Publication],
    connections: tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyConnection],
    *,
    location_ids: Iterable[str] | None = None,
) -> tuple[Cause, ...]:
    """Return what differs between two publications apart from their rows.

    For somebody who may know some locations only, registry entries are those of `location_ids`, and corrections are
    told without their author and reason, which can name others.

    Raises:
        CorruptObject: the record of a version's causes, or a correction, is not what was written.
    """
    before, after = publications
    places = None if location_ids is None else frozenset(location_ids)
    same_versions = before.asset_versions == after.asset_versions
    return (
        *([] if same_versions else _decided_by(lake, before, after)),
        *_differences("rule", *(_rules(each) for each in connections)),
        *_differences("calibration", *(_calibration(each) for each in connections)),
        *_differences("registry", *(_registry(each, places) for each in connections)),
        *_corrections(lake, before, after, told_in_full=places is None),
        *_differences("version", before.asset_versions, after.asset_versions),
    )


def _differences(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[Cause]:
    names = list(dict.fromkeys((*before, *after)))
    return [
        Cause(kind, name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    ]


def _decided_by(lake: LakeStore, before: Publication, after: Publication) -> list[Cause]:
    records = [_record(lake, each) for each in (before, after)]
    missing = [
        Cause("record", f"what decided the versions of {each.publication_id[:12]} was not recorded", None, None)
        for each, record in zip((before, after), records, strict=True)
        if record is None
    ]
    known = [record.causes if record else None for record in records]
    if known[0] is None or known[1] is None:
        return missing
    return [
        Cause(kind, name, each.before, each.after)
        for each in _differences("", known[0], known[1])
        for kind, _, name in [each.name.partition(".")]
    ]


def _record(lake: LakeStore, publication: Publication) -> VersionCauses | None:
    key = version_causes_key(publication.asset_versions)
    if not lake.exists(key):
        return None
    try:
        return VersionCauses.model_validate_json(lake.read(key))
    except ValidationError as error:
        raise CorruptObject(
            f"expected a record of what decided versions at {key!r}: {error.errors()[0]['msg']}; restore or delete it"
        ) from error


def _rules(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    names = ("appearance_gap_s", "appearance_gap_intervals", "visit_gap_s")
    return {
        name: str(value)
        for row in fetch_rows(connection, _RULES_SQL, {})
        for name, value in zip(names, row, strict=True)
    }


def _calibration(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return what turned lists into counts; nothing for a file of before there were calibrations, or without one."""
    found = read_calibration(connection) if has_table(connection, "count_calibration") else None
    if found is None:
        return {}
    return {
        "digest": found.digest,
        "origin": found.origin,
        "made_on": found.made_on.isoformat(),
        "embedder": found.embedder,
        "window_max_distance": repr(found.window_max_distance),
    }


def _registry(connection: duckdb.DuckDBPyConnection, places: frozenset[str] | None) -> dict[str, str]:
    def told(kind: str, names: Iterable[str], rows: list[tuple[Any, ...]]) -> dict[str, str]:
        entries = {f"{kind} {row[0]}": dict(zip(names, row[1:], strict=True)) for row in sorted(rows)}
        return {name: text for entry, values in entries.items() for name, text in dotted(entry, values).items()}

    locations = fetch_rows(connection, _LOCATIONS_SQL, {})
    cameras = fetch_rows(connection, _CAMERAS_SQL, {})
    if places is not None:
        locations = [row for row in locations if row[0] in places]
        cameras = [row for row in cameras if row[1] in places]
    return told("location", ("mode", "timezone"), locations) | told("camera", ("location", "interval_s"), cameras)


def _corrections(lake: LakeStore, before: Publication, after: Publication, *, told_in_full: bool) -> list[Cause]:
    """Return the corrections that people made between the two; an undo is one of them."""
    first, last = sorted((before.published_at, after.published_at))
    return [
        Cause(
            "correction",
            f"{event.kind} by {event.author}: {event.reason}" if told_in_full else f"{event.kind}",
            None,
            f"event {event.sequence}" + (f", undoes {event.undoes}" if event.undoes else ""),
        )
        for event in EventStore(lake).events()
        if first < event.created_at <= last
    ]
