"""The sightings of two publications side by side: which face of one is which face of the other, day by day.

A face has the same id where the same detector found the same box in the same still. Other boxes of a still are matched
by their overlap, read from the `faces` that each publication was made from. Only one day is held at a time, in a
database of its own that may spill to disk and is gone afterwards.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from footfall_assets.contracts.publication import Publication
from footfall_assets.contracts.schemas import FACES
from footfall_assets.reporting.publication import fetch_rows
from footfall_assets.storage.arrow import matrix
from footfall_assets.storage.partitions import PartitionPlace, PartitionStore

MIN_OVERLAP: Final = 0.5  # intersection over union at which two boxes are one face, as detectors are scored
_ROWS_AT_A_TIME: Final = 100_000  # of some 150 bytes
_SCRATCH: Final[Mapping[str, str]] = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "python_enable_replacements": "false",
    "memory_limit": "1GB",
    "threads": "2",
}

_DAYS_SQL: Final = """
select distinct business_day from fct_sightings
where
    ($first_day::date is null or business_day >= $first_day)
    and ($last_day::date is null or business_day <= $last_day)
    and ($places::varchar[] is null or location_id in (select unnest($places::varchar[])))
"""
# An excluded visitor, such as staff, is in the log and in no count.
_DAY_SQL: Final = """
select
    face_image_id,
    image_id,
    location_id,
    linkage_window,
    if(is_excluded, null, visitor_id) as visitor_id,
    coalesce(unidentified_reason, excluded_reason) as reason
from fct_sightings
where
    business_day = $day
    and ($places::varchar[] is null or location_id in (select unnest($places::varchar[])))
"""
_KNOWS_EXCLUSION_SQL: Final = """
select count(*) > 0 from duckdb_columns() where table_name = 'fct_sightings' and column_name = 'is_excluded'
"""
_DAY_BEFORE_EXCLUSION_SQL: Final = """
select face_image_id, image_id, location_id, linkage_window, visitor_id, unidentified_reason as reason
from fct_sightings
where
    business_day = $day
    and ($places::varchar[] is null or location_id in (select unnest($places::varchar[])))
"""
_TABLES_SQL: Final = """
create table totals(side varchar, linkage_window varchar, visitor_id varchar, sightings bigint);
create table shared(linkage_window varchar, before_id varchar, after_id varchar, sightings bigint);
create table flows(state varchar, reason varchar, sightings bigint);
create table boxes(side varchar, face_image_id uuid, x1 float, y1 float, x2 float, y2 float);
"""
_BEFORE_SQL: Final = """
create or replace temp table before_day as
select * replace (face_image_id::uuid as face_image_id, image_id::uuid as image_id) from incoming
"""
_AFTER_SQL: Final = """
create or replace temp table after_day as
select * replace (face_image_id::uuid as face_image_id, image_id::uuid as image_id) from incoming
"""
_SAME_ID_SQL: Final = """
create or replace temp table pairs as
select face_image_id as before_face, face_image_id as after_face, false as by_overlap
from before_day inner join after_day using (face_image_id)
"""
# Faces that nothing was matched to, in stills that both have: where their boxes are needed.
_OPEN_SQL: Final = """
create or replace temp table open_faces as
select 'before' as side, face_image_id, image_id, location_id
from before_day anti join pairs on before_face = face_image_id
where image_id in (select image_id from after_day anti join pairs on after_face = face_image_id)
union all
select 'after', face_image_id, image_id, location_id
from after_day anti join pairs on after_face = face_image_id
where image_id in (select image_id from before_day anti join pairs on before_face = face_image_id)
"""
_OPEN_PLACES_SQL: Final = "select distinct location_id from open_faces order by location_id"
_BOXES_SQL: Final = "insert into boxes select side, face_image_id::uuid, x1, y1, x2, y2 from incoming"
# Each box with the one it overlaps most, and that one with it; ties by id.
_OVERLAP_SQL: Final = """
insert into pairs
with
    known as (select * from open_faces inner join boxes using (side, face_image_id)),
    candidates as (
        select
            b.face_image_id as before_face,
            a.face_image_id as after_face,
            greatest(least(b.x2, a.x2) - greatest(b.x1, a.x1), 0)
            * greatest(least(b.y2, a.y2) - greatest(b.y1, a.y1), 0) as shared_px,
            shared_px
            / ((b.x2 - b.x1) * (b.y2 - b.y1) + (a.x2 - a.x1) * (a.y2 - a.y1) - shared_px) as overlap
        from known as b
        inner join known as a on b.image_id = a.image_id and b.side = 'before' and a.side = 'after'
    ),
    ranked as (
        select
            *,
            row_number() over (partition by before_face order by overlap desc, after_face) as of_before,
            row_number() over (partition by after_face order by overlap desc, before_face) as of_after
        from candidates
        where overlap >= $min_overlap
    )
select before_face, after_face, true from ranked where of_before = 1 and of_after = 1
"""
_COUNT_SQL: Final = """
insert into totals
select 'before', linkage_window, visitor_id, count(*) from before_day where visitor_id is not null group by all;

insert into totals
select 'after', linkage_window, visitor_id, count(*) from after_day where visitor_id is not null group by all;

insert into shared
select b.linkage_window, b.visitor_id, a.visitor_id, count(*)
from pairs
inner join before_day as b on b.face_image_id = before_face
inner join after_day as a on a.face_image_id = after_face
where b.visitor_id is not null and a.visitor_id is not null and a.linkage_window = b.linkage_window
group by all;

insert into flows
select
    case
        when b.visitor_id is not null and a.visitor_id is not null then 'visitor_in_both'
        when a.visitor_id is not null then 'visitor_only_after'
        when b.visitor_id is not null then 'visitor_only_before'
        else 'no_visitor_in_both'
    end,
    case
        when a.visitor_id is not null and b.visitor_id is null then b.reason
        when b.visitor_id is not null and a.visitor_id is null then a.reason
    end,
    count(*)
from pairs
inner join before_day as b on b.face_image_id = before_face
inner join after_day as a on a.face_image_id = after_face
group by all;

insert into flows select 'matched_by_overlap', null, count(*) from pairs where by_overlap having count(*) > 0;

insert into flows
select
    if(image_id in (select image_id from after_day), 'face_only_before', 'still_only_before'), null, count(*)
from before_day anti join pairs on before_face = face_image_id
group by all;

insert into flows
select
    if(image_id in (select image_id from before_day), 'face_only_after', 'still_only_after'), null, count(*)
from after_day anti join pairs on after_face = face_image_id
group by all;
"""


@dataclass(frozen=True)
class Side:
    """One of the two publications: its manifest and an open connection to its visitor-level file."""

    publication: Publication
    connection: duckdb.DuckDBPyConnection


@contextmanager
def matched_sightings(
    before: Side,
    after: Side,
    partitions: PartitionStore,
    *,
    first_day: date | None,
    last_day: date | None,
    location_ids: Sequence[str] | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a database of what both publications say about the same faces, for as long as the block runs.

    Its tables: `totals` and `shared`, sightings of each visitor and of each pair of visitors, a row a day; `flows`,
    sightings by what became of them, with the reason where they are of a visitor in one publication only.

    Args:
        before: what is compared.
        after: what it is compared with.
        partitions: where the `faces` lie that both were made from.
        first_day: business day to begin with; None for all.
        last_day: business day to end with; None for all.
        location_ids: of the sightings; None for all.
    """
    places = None if location_ids is None else list(location_ids)
    with tempfile.TemporaryDirectory(prefix="footfall-compare-") as folder:
        scratch = duckdb.connect(Path(folder, "scratch.duckdb"), config={**_SCRATCH, "temp_directory": folder})
        try:
            scratch.execute(_TABLES_SQL)
            period = {"first_day": first_day, "last_day": last_day, "places": places}
            days = {day for side in (before, after) for (day,) in fetch_rows(side.connection, _DAYS_SQL, period)}
            for day in sorted(days):
                _load(scratch, _BEFORE_SQL, before.connection, day, places)
                _load(scratch, _AFTER_SQL, after.connection, day, places)
                scratch.execute(_SAME_ID_SQL)
                _match_by_overlap(scratch, before, after, partitions, day)
                scratch.execute(_COUNT_SQL)
            yield scratch
        finally:
            scratch.close()


def _load(
    scratch: duckdb.DuckDBPyConnection,
    sql: str,
    source: duckdb.DuckDBPyConnection,
    day: date,
    places: list[str] | None,
) -> None:
    [(knows_exclusion,)] = fetch_rows(source, _KNOWS_EXCLUSION_SQL, {})
    rows = source.execute(_DAY_SQL if knows_exclusion else _DAY_BEFORE_EXCLUSION_SQL, {"day": day, "places": places})
    stream_into(scratch, sql, rows.to_arrow_reader(_ROWS_AT_A_TIME))


def stream_into(scratch: duckdb.DuckDBPyConnection, sql: str, rows: Any) -> None:  # noqa: ANN401 - Arrow's many forms
    """Run `sql` of ours on `scratch` with Arrow data as the table `incoming`."""
    scratch.register("incoming", rows)
    try:
        scratch.execute(sql)
    finally:
        scratch.unregister("incoming")


def _match_by_overlap(
    scratch: duckdb.DuckDBPyConnection, before: Side, after: Side, partitions: PartitionStore, day: date
) -> None:
    scratch.execute(_OPEN_SQL)
    scratch.execute("delete from boxes")
    for (location_id,) in scratch.execute(_OPEN_PLACES_SQL).fetchall():
        for name, side in (("before", before), ("after", after)):
            faces = _faces(partitions, side.publication, day, location_id)
            stream_into(scratch, _BOXES_SQL, _boxes(name, faces))
    scratch.execute(_OVERLAP_SQL, {"min_overlap": MIN_OVERLAP})


def _faces(partitions: PartitionStore, publication: Publication, day: date, location_id: str) -> pa.Table:
    """Return the faces that a publication was made from; none where they are not kept any more."""
    version = publication.asset_versions.get("faces")
    manifest = partitions.manifest(PartitionPlace("faces", version, day, location_id)) if version else None
    return partitions.read_table(manifest, "faces", FACES)


def _boxes(side: str, faces: pa.Table) -> pa.Table:
    corners = matrix(faces["box"])
    ids = [str(face) for face in faces["face_image_id"].to_pylist()]
    return pa.table(
        {"side": pa.array([side] * len(ids), pa.string()), "face_image_id": pa.array(ids, pa.string())}
        | {name: pa.array(corners[:, number]) for number, name in enumerate(("x1", "y1", "x2", "y2"))}
    )
