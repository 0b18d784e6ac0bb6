"""Visitors of whole days at all cameras, added up by their numbers.

Numbers of visitors are dense: of millions of rows an array with a place for each visitor is the sum in a quarter of the
time that a hash table takes.
"""

from collections.abc import Mapping
from typing import Final, Literal

import duckdb
import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.estimate import SIZE_CLASSES
from footfall_assets.reporting.publication import fetch_rows

Numbers = NDArray[np.int64]
Measure = Literal["appearances", "local_visitors"]

_BATCH_ROWS: Final = 4_000_000  # added up at a time: each batch costs a pass over the visitors beside one over its rows
_TIED_AT_MOST: Final = 20_000  # visitors whose names are looked up for one page

_WINDOWS_SQL: Final = """
select distinct linkage_window
from day_bitmaps
where business_day between $first_day and $last_day and cut = 0
order by linkage_window
"""
_ROWS_SQL: Final[Mapping[Measure, str]] = {
    "appearances": """
select visitor_number, appearances::integer
from visitor_day_total
where business_day between $first_day and $last_day
""",
    "local_visitors": """
select visitor_number, local_visitors::integer
from visitor_day_total
where business_day between $first_day and $last_day
""",
}
_OF_WINDOW: Final = " and linkage_window = $window"  # of one window it is left out: it takes as long as all the rest
_NAMES_SQL: Final = """
select visitor_number, visitor_id
from visitor_window
where linkage_window = $window and visitor_number in (select unnest($numbers::integer[]))
"""


def totals_by_window(
    connection: duckdb.DuckDBPyConnection, days: Mapping[str, object], measure: Measure
) -> dict[str, Numbers]:
    """Return by linkage window the sum of each visitor, at the place of its number; 0 for who was not seen.

    Args:
        connection: to the visitor-level file of a publication.
        days: `first_day` and `last_day`; a window without a visitor on them is not there.
        measure: what is added up.
    """
    windows = [window for (window,) in fetch_rows(connection, _WINDOWS_SQL, days)]
    if len(windows) == 1:
        return {windows[0]: _totals(connection, _ROWS_SQL[measure], days)}
    of_window = _ROWS_SQL[measure] + _OF_WINDOW
    return {window: _totals(connection, of_window, {**days, "window": window}) for window in windows}


def _totals(connection: duckdb.DuckDBPyConnection, sql: str, asked: Mapping[str, object]) -> Numbers:
    total: NDArray[np.float64] = np.zeros(0)  # exact up to 2^53
    for batch in connection.execute(sql, dict(asked)).to_arrow_reader(_BATCH_ROWS):
        number, count = (column.to_numpy() for column in batch.columns)
        added = np.bincount(number, weights=count, minlength=len(total)).astype(np.float64, copy=False)
        added[: len(total)] += total
        total = added
    return total.astype(np.int64)


def sizes_of(totals: Numbers) -> tuple[int, int, tuple[int, ...]]:
    """Return the local visitors, the identities, and how many identities have 1, 2, ... local visitors."""
    of_size = np.bincount(totals, minlength=SIZE_CLASSES + 1)
    sizes = tuple(int(count) for count in of_size[1 : SIZE_CLASSES + 1])
    return int(totals.sum()), int(of_size[1:].sum()), sizes


def most_often_seen(
    connection: duckdb.DuckDBPyConnection,
    days: Mapping[str, object],
    *,
    min_appearances: int,
    first: int,
    most: int,
) -> list[tuple[str, str, int, int]] | None:
    """Return linkage window, Visitor ID, appearances and number of the rows from `first` on, most appearances first.

    Ties are in the order of the Visitor ID and the window. None where so many are tied that sorting all is cheaper.
    """
    totals = totals_by_window(connection, days, "appearances")
    least = _least_shown(np.concatenate([np.zeros(0, np.int64), *totals.values()]), first + most)
    least = max(least, min_appearances, 1)
    shown = {window: np.flatnonzero(total >= least) for window, total in totals.items()}
    if sum(map(len, shown.values())) > _TIED_AT_MOST:
        return None
    rows = [
        (window, name, int(totals[window][number]), number)
        for window, numbers in shown.items()
        for number, name in fetch_rows(connection, _NAMES_SQL, {"window": window, "numbers": numbers.tolist()})
    ]
    return sorted(rows, key=lambda row: (-row[2], row[1], row[0]))[first : first + most]


def _least_shown(totals: Numbers, rows: int) -> int:
    """Return the total of the last of so many rows, the largest first; 0 where there are fewer.

    Totals are small numbers, most of them equal: counting how many have each is quicker than any selection.
    """
    with_more = np.cumsum(np.bincount(totals)[::-1])  # of the largest total, of it and the one before, ...
    place = int(np.searchsorted(with_more, rows))
    return len(with_more) - 1 - place if place < len(with_more) else 0
