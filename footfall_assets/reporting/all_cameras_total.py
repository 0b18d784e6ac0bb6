"""How many people all cameras together saw on a day, and in its linkage window so far, without a row about anybody.

The totals are those of the visitor report for the same days: the same trees, the same calibration, the same refusals.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import duckdb

from footfall_assets.contracts.errors import NoData
from footfall_assets.domain.count_range import FacesSeen, Total
from footfall_assets.domain.estimate import TreeSummary
from footfall_assets.reporting.count import (
    CountBasis,
    basis_of,
    read_calibration,
    read_strangers,
    window_totals,
)
from footfall_assets.reporting.provisional_days import read_provisional_days, with_provisional_reasons
from footfall_assets.reporting.publication import fetch_rows, has_table

_DAY_TREES_SQL: Final = """
select linkage_window, local_visitors, clusters, listed, sizes from day_trees where business_day = $day
"""
_WINDOW_TREES_SQL: Final = """
select linkage_window, local_visitors, clusters, listed, sizes
from window_trees
where list_contains($windows::varchar[], linkage_window)
"""
_FACES: Final = """
linkage_window,
(sum(sightings) - sum(only_counted_sightings))::bigint,
(sum(unidentified_sightings) - sum(only_counted_sightings))::bigint,
sum(only_counted_sightings)::bigint
"""
_DAY_FACES_SQL: Final = f"""
select {_FACES} from sightings_daily where business_day = $day group by linkage_window
"""  # noqa: S608 - a constant; what people ask for is bound
_WINDOW_FACES_SQL: Final = f"""
select {_FACES}, min(business_day), max(business_day)
from sightings_daily
where list_contains($windows::varchar[], linkage_window)
group by linkage_window
"""  # noqa: S608 - a constant; what people ask for is bound


@dataclass(frozen=True)
class AllCamerasTotal:
    """The people that all cameras saw from one day to another, both inclusive, inside one linkage window."""

    linkage_window: str
    first_day: date
    last_day: date
    total: Total


@dataclass(frozen=True)
class AllCamerasTotals:
    """The totals of a day, and of the linkage windows it lies in; one of each, unless windows differ by location."""

    of_day: tuple[AllCamerasTotal, ...]
    of_windows: tuple[AllCamerasTotal, ...]
    basis: CountBasis | None


def all_cameras_totals(connection: duckdb.DuckDBPyConnection, day: date) -> AllCamerasTotals:
    """Return the totals of `day` from the aggregates of a publication.

    Raises:
        NoData: the publication was made before it held what they are made of, or no face was seen that day.
        CorruptObject: the calibration in the publication is not what was written.
    """
    if not (has_table(connection, "day_trees") and has_table(connection, "count_calibration")):
        raise NoData("this publication was made before totals of all stores were part of it; publish: footfall run")
    faces = fetch_rows(connection, _DAY_FACES_SQL, {"day": day})
    if not faces:
        raise NoData(f"no face was seen on {day}")
    windows = {"windows": [window for window, *_ in faces]}
    calibration, strangers = read_calibration(connection), read_strangers(connection)
    provisional = read_provisional_days(connection)

    def judged(trees: Iterable[tuple[Any, ...]], seen: Sequence[tuple[Any, ...]]) -> dict[str, Total]:
        totals = window_totals(
            calibration,
            {
                window: TreeSummary(local_visitors, tuple(clusters or ()), listed, tuple(sizes))
                for window, local_visitors, clusters, listed, sizes in trees
            },
            {window: FacesSeen(*counts) for window, *counts in seen},
            strangers,
        )
        return with_provisional_reasons(totals, provisional)

    of_day = judged(fetch_rows(connection, _DAY_TREES_SQL, {"day": day}), faces)
    of_windows = fetch_rows(connection, _WINDOW_FACES_SQL, windows)
    in_windows = judged(
        fetch_rows(connection, _WINDOW_TREES_SQL, windows), [(window, *seen[:3]) for window, *seen in of_windows]
    )
    return AllCamerasTotals(
        of_day=tuple(AllCamerasTotal(window, day, day, total) for window, total in of_day.items()),
        of_windows=tuple(
            AllCamerasTotal(window, first, last, in_windows[window]) for window, *_, first, last in of_windows
        ),
        basis=basis_of(calibration),
    )
