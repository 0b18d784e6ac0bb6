"""How many people came in a period and at some cameras: the selection's part of the merge tree, and its estimate.

The tree is summarised where its rows lie. Clusters are counted with bitmaps, one bit a cluster, so that the memory does
not grow with the number of local visitors.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import duckdb

from footfall_assets.contracts.calibration import DEFAULT_LEVEL, Calibration
from footfall_assets.contracts.schemas import CUT_COLUMNS
from footfall_assets.domain.count_range import CountCalibration, CountRange, FacesSeen, Total, judge
from footfall_assets.domain.estimate import SIZE_CLASSES, CountModel, TreeSummary
from footfall_assets.domain.strangers import Strangers
from footfall_assets.reporting.day_totals import sizes_of, totals_by_window
from footfall_assets.reporting.publication import fetch_rows, has_table
from footfall_assets.reporting.selected_rows import SELECTED, in_file, rows_of
from footfall_assets.storage.calibration_store import parse_calibration

_CALIBRATION_SQL: Final = "select digest, document from count_calibration"
_STRANGERS_SQL: Final = "select linkage_window, pairs, matches from stranger_pairs"

# By whether the period is to the minute: then with an appearance that starts in it.
_CUTS: Final = {
    False: f"(select * from local_visitor_cuts where {SELECTED})",  # noqa: S608 - a constant
    True: (
        "(select * from local_visitor_cuts semi join "  # noqa: S608 - a constant
        f"{rows_of('fct_appearances', 'started_at')[True]} as kept using (face_id, camera_id, business_day))"
    ),
}

# A local visitor has a row a camera; it is one local visitor at all of them.
_SIZES_SQL: Final = {
    to_the_minute: f"""
with
    selected as (
        select linkage_window, face_id, local_visitor_id
        from {cuts} as cuts
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
    for to_the_minute, cuts in _CUTS.items()
}

# Whole bitmaps of 2^20 clusters: one over all would have to know how many there are before it is planned.
_CLUSTERS_SQL: Final = {
    (cut, to_the_minute): f"""
with
    bitmaps as (
        select linkage_window, bitstring_agg({cut} & 1048575, 0, 1048575) as bitmap
        from {cuts} as cuts
        where {cut} is not null
        group by linkage_window, {cut} >> 20
    )
select linkage_window, sum(bit_count(bitmap))::bigint
from bitmaps
group by linkage_window
"""  # noqa: S608 - a constant; what people ask for is bound
    for cut in CUT_COLUMNS
    for to_the_minute, cuts in _CUTS.items()
}
# One scan of a selection that fits in memory, instead of one for each cut.
_AT_MOST_ROWS: Final = 8_000_000  # of the selection: about 60 bytes each
_EVERY_CUT_SQL: Final = " union all ".join(
    f"""
select {place} as place, linkage_window, sum(bit_count(bitmap))::bigint
from (
    select linkage_window, bitstring_agg({cut} & 1048575, 0, 1048575) as bitmap
    from selected
    where {cut} is not null
    group by linkage_window, {cut} >> 20
) as bitmaps
group by linkage_window
"""  # noqa: S608 - a constant; what people ask for is bound
    for place, cut in enumerate(CUT_COLUMNS)
)
_ONE_SCAN_SQL: Final = {
    to_the_minute: f"""
with selected as materialized (select linkage_window, {", ".join(CUT_COLUMNS)} from {cuts} as cuts)
{_EVERY_CUT_SQL}
"""  # noqa: S608 - a constant; what people ask for is bound
    for to_the_minute, cuts in _CUTS.items()
}
_ROWS_OF_DAYS_SQL: Final = """
select
    (select count(*) from local_visitor_cuts where business_day between $first_day and $last_day),
    (select count(*) from dim_cameras)
"""
_WINDOW_TREES_SQL: Final = """
select linkage_window, local_visitors, clusters, listed, sizes, first_day >= $first_day and last_day <= $last_day
from window_trees
where last_day >= $first_day and first_day <= $last_day
"""
# Whole days at all cameras, from what the publication has summed up by day.
_DAYS_CLUSTERS_SQL: Final = """
with
    days_joined as (
        select linkage_window, cut, bit_or(cluster_bitmap) as cluster_bitmap
        from day_bitmaps
        where business_day between $first_day and $last_day and cut > 0
        group by linkage_window, cut, block
    )
select cut - 1, linkage_window, sum(bit_count(cluster_bitmap))::bigint
from days_joined
group by cut, linkage_window
"""
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


def tree_summaries(
    connection: duckdb.DuckDBPyConnection, period: Mapping[str, object], *, to_the_minute: bool = False
) -> dict[str, TreeSummary]:
    """Return by linkage window the merge tree over the local visitors with an appearance in a selection.

    Args:
        connection: to the visitor-level file of a publication.
        period: the parameters of `selected_rows`: `first_day`, `last_day`, `cameras` (None for all).
        to_the_minute: whether they have edges inside days.
    """
    ready = None if to_the_minute or period["cameras"] is not None else _ready(connection, period)
    if ready is not None:
        return ready
    by_cut = _clusters(connection, period, to_the_minute=to_the_minute)
    return _summaries(by_cut, fetch_rows(connection, *in_file(connection, _SIZES_SQL[to_the_minute], period)))


def _summaries(by_cut: Sequence[Mapping[str, int]], sizes: Iterable[Sequence[Any]]) -> dict[str, TreeSummary]:
    return {
        window: TreeSummary(
            local_visitors=local_visitors,
            clusters=tuple(clusters.get(window, 0) for clusters in by_cut),
            listed=listed,
            sizes=tuple(of_size),
        )
        for window, local_visitors, listed, *of_size in sizes
    }


def _ready(connection: duckdb.DuckDBPyConnection, period: Mapping[str, object]) -> dict[str, TreeSummary] | None:
    """Return what the publication has summed up for whole days of all cameras; None where it has not."""
    whole = _whole_windows(connection, period)
    if whole is not None:
        return whole
    return _whole_days(connection, period) if has_table(connection, "day_bitmaps") else None


def _whole_windows(
    connection: duckdb.DuckDBPyConnection, period: Mapping[str, object]
) -> dict[str, TreeSummary] | None:
    """Return what the publication holds ready; None where a window is cut, or it holds nothing."""
    if not has_table(connection, "window_trees"):
        return None
    days = _days_of(period)
    found = fetch_rows(connection, _WINDOW_TREES_SQL, days)
    if not all(is_whole for *_, is_whole in found):
        return None
    return {
        window: TreeSummary(local_visitors, tuple(clusters or _NOBODY.clusters), listed, tuple(sizes))
        for window, local_visitors, clusters, listed, sizes, _ in found
    }


def _whole_days(connection: duckdb.DuckDBPyConnection, period: Mapping[str, object]) -> dict[str, TreeSummary]:
    days = _days_of(period)
    by_cut = _by_cut(fetch_rows(connection, _DAYS_CLUSTERS_SQL, days))
    rows = []
    for window, totals in totals_by_window(connection, days, "local_visitors").items():
        local_visitors, listed, sizes = sizes_of(totals)
        rows.append((window, local_visitors, listed, *sizes))
    return _summaries(by_cut, rows)


def _days_of(period: Mapping[str, object]) -> dict[str, object]:
    return {name: period[name] for name in ("first_day", "last_day")}


def _by_cut(found: Iterable[Sequence[Any]]) -> list[dict[str, int]]:
    by_cut: list[dict[str, int]] = [{} for _ in CUT_COLUMNS]
    for place, window, clusters in found:
        by_cut[place][window] = clusters
    return by_cut


def _clusters(
    connection: duckdb.DuckDBPyConnection, period: Mapping[str, object], *, to_the_minute: bool
) -> list[dict[str, int]]:
    """Return for each cut the clusters of each linkage window."""
    if _fits(connection, period):
        return _by_cut(fetch_rows(connection, *in_file(connection, _ONE_SCAN_SQL[to_the_minute], period)))
    queries = (in_file(connection, _CLUSTERS_SQL[cut, to_the_minute], period) for cut in CUT_COLUMNS)
    return [dict(fetch_rows(connection, *asked)) for asked in queries]


def _fits(connection: duckdb.DuckDBPyConnection, period: Mapping[str, object]) -> bool:
    """Return whether a selection probably has few enough rows to be held, as if all cameras had seen as many."""
    days = _days_of(period)
    ((rows, cameras),) = fetch_rows(connection, _ROWS_OF_DAYS_SQL, days)
    chosen = period["cameras"]
    share = len(chosen) / max(cameras, 1) if isinstance(chosen, list) else 1.0
    return bool(rows * share <= _AT_MOST_ROWS)


def read_strangers(connection: duckdb.DuckDBPyConnection) -> dict[str, Strangers]:
    """Return by linkage window how often certain strangers match; publications of before know nothing of it."""
    if not has_table(connection, "stranger_pairs"):
        return {}
    return {window: Strangers(pairs, matches) for window, pairs, matches in fetch_rows(connection, _STRANGERS_SQL, {})}


def window_totals(
    calibration: Calibration | None,
    trees: Mapping[str, TreeSummary],
    faces: Mapping[str, FacesSeen],
    strangers: Mapping[str, Strangers],
    level: float = DEFAULT_LEVEL,
) -> dict[str, Total]:
    """Return the total of each linkage window that saw faces; totals of several windows are never added."""
    known = _count_calibration(calibration) if calibration else None
    return {
        window: judge(known, trees.get(window, _NOBODY), seen, level, strangers.get(window))
        for window, seen in sorted(faces.items())
    }


def _count_calibration(calibration: Calibration) -> CountCalibration:
    count = calibration.count
    return CountCalibration(
        CountModel(
            count.centre, count.scale, count.weight, count.intercept, count.spread, dict(count.low), dict(count.high)
        ),
        CountRange(count.listed, count.feature_ranges, calibration.evaluation.false_match_rate),
    )
