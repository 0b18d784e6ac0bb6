"""How many people came in a period and at some cameras: the selection's part of the merge tree, and its estimate.

The tree is summarised where its rows lie. Clusters are counted with bitmaps, one bit a cluster, so that the memory does
not grow with the number of local visitors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import duckdb

from footfall_assets.contracts.calibration import DEFAULT_LEVEL, Calibration
from footfall_assets.contracts.schemas import CUT_COLUMNS
from footfall_assets.domain.count_range import CountCalibration, CountRange, FacesSeen, Total, judge
from footfall_assets.domain.estimate import SIZE_CLASSES, CountModel, TreeSummary
from footfall_assets.reporting.publication import fetch_rows
from footfall_assets.storage.calibration_store import parse_calibration

# What a report is about; all three are bound.
SELECTED: Final = """
business_day between $first_day and $last_day
and ($cameras::varchar[] is null or camera_id in (select unnest($cameras::varchar[])))
"""
_CALIBRATION_SQL: Final = "select digest, document from count_calibration"

# A local visitor has a row a camera; it is one local visitor at all of them.
_SIZES_SQL: Final = f"""
with
    selected as (
        select linkage_window, face_id, local_visitor_id
        from local_visitor_cuts
        where {SELECTED}
        group by linkage_window, face_id, local_visitor_id
    ),
    identities as (
        select linkage_window, face_id, count(*) as local_visitors
        from selected
        group by linkage_window, face_id
    )
select
    linkage_window,
    sum(local_visitors)::bigint,
    count(*),
    {", ".join(f"count(*) filter (where local_visitors = {size})" for size in range(1, SIZE_CLASSES + 1))}
from identities
group by linkage_window
"""  # noqa: S608 - a constant; what people ask for is bound

# Whole bitmaps of 2^20 clusters: one over all would have to know how many there are before it is planned.
_CLUSTERS_SQL: Final = {
    cut: f"""
with
    bitmaps as (
        select linkage_window, bitstring_agg({cut} & 1048575, 0, 1048575) as bitmap
        from local_visitor_cuts
        where {cut} is not null and {SELECTED}
        group by linkage_window, {cut} >> 20
    )
select linkage_window, sum(bit_count(bitmap))::bigint
from bitmaps
group by linkage_window
"""  # noqa: S608 - a constant; what people ask for is bound
    for cut in CUT_COLUMNS
}
_NOBODY: Final = TreeSummary(0, (0,) * len(CUT_COLUMNS), 0, (0,) * SIZE_CLASSES)


@dataclass(frozen=True)
class CountBasis:
    """Where totals come from, in words that a report prints."""

    origin: str
    made_on: date
    digest: str


def read_calibration(connection: duckdb.DuckDBPyConnection) -> Calibration | None:
    """Return the calibration that a publication carries, None where it has none.

    Raises:
        CorruptObject: it does not have the hash beside it, or is none.
    """
    found = fetch_rows(connection, _CALIBRATION_SQL, {})
    return parse_calibration(found[0][1], found[0][0], source="count_calibration") if found else None


def basis_of(calibration: Calibration | None) -> CountBasis | None:
    """Return what a report says about a calibration."""
    return CountBasis(calibration.origin, calibration.made_on, calibration.digest) if calibration else None


def tree_summaries(connection: duckdb.DuckDBPyConnection, period: Mapping[str, object]) -> dict[str, TreeSummary]:
    """Return by linkage window the merge tree over the local visitors with an appearance in a selection.

    Args:
        connection: to the visitor-level file of a publication.
        period: the parameters `first_day`, `last_day` and `cameras` (None for all).
    """
    by_cut = [dict(fetch_rows(connection, sql, period)) for sql in _CLUSTERS_SQL.values()]
    return {
        window: TreeSummary(
            local_visitors=local_visitors,
            clusters=tuple(clusters.get(window, 0) for clusters in by_cut),
            listed=listed,
            sizes=tuple(sizes),
        )
        for window, local_visitors, listed, *sizes in fetch_rows(connection, _SIZES_SQL, period)
    }


def window_totals(
    calibration: Calibration | None,
    trees: Mapping[str, TreeSummary],
    faces: Mapping[str, FacesSeen],
    level: float = DEFAULT_LEVEL,
) -> dict[str, Total]:
    """Return the total of each linkage window that saw faces; totals of several windows are never added."""
    known = _count_calibration(calibration) if calibration else None
    return {window: judge(known, trees.get(window, _NOBODY), seen, level) for window, seen in sorted(faces.items())}


def _count_calibration(calibration: Calibration) -> CountCalibration:
    count = calibration.count
    return CountCalibration(
        CountModel(
            count.centre, count.scale, count.weight, count.intercept, count.spread, dict(count.low), dict(count.high)
        ),
        CountRange(count.listed, count.feature_ranges, calibration.evaluation.false_match_rate),
    )
