"""The list of the visitor report: a page of it in some order, or all of it in pieces.

Who is listed comes from `visitor_day` (whole days) or `fct_appearances` (to the minute), or from what the publication
has summed up.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import duckdb

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.reporting.publication import fetch_rows
from footfall_assets.reporting.ready_ranking import ready_sums
from footfall_assets.reporting.request import Order, ReportRequest
from footfall_assets.reporting.selected_rows import SelectedRows, in_file, rows_of, selected_rows
from footfall_assets.reporting.selection import read_directory, select_cameras
from footfall_assets.reporting.visitor_stays import APPEARANCES, IS_ARRIVAL, VisitorRow, visits_are_ready, with_stays

ROWS_A_PAGE_AT_MOST: Final = 1_000
_ROWS_A_PIECE: Final = 100_000  # of some 300 bytes each, while a whole list is read


_LAST_SEEN: Final = {False: "max(last_seen_at)", True: "max(ended_at)"}  # by whether the rows are to the minute
_SORTED: Final[Mapping[Order, str]] = {
    Order.MOST_APPEARANCES: "total_appearances desc, visitor_id, linkage_window",
    Order.FEWEST_APPEARANCES: "total_appearances, visitor_id, linkage_window",
    Order.VISITOR_ID: "visitor_id, linkage_window",
    Order.MOST_LOCATIONS: "count(distinct location_id) desc, total_appearances desc, visitor_id, linkage_window",
    Order.LAST_SEEN: "{last_seen} desc, visitor_id, linkage_window",
}
_SOURCES: Final = {
    False: (rows_of("visitor_day", "first_seen_at")[False], "sum(appearances)"),
    True: (APPEARANCES[True], "count(*)"),
}
_TOTALS: Final = {
    to_the_minute: f"""
select linkage_window, visitor_id, {appearances}::bigint as total_appearances
from {rows} as counted
where visitor_id is not null
group by linkage_window, visitor_id
having total_appearances >= $min_appearances
"""  # noqa: S608 - a constant; what people ask for is bound
    for to_the_minute, (rows, appearances) in _SOURCES.items()
}
_RANKED_SQL: Final = {
    (order, to_the_minute): f"{totals} order by {columns.format(last_seen=_LAST_SEEN[to_the_minute])} "
    "limit $most offset $skipped"
    for order, columns in _SORTED.items()
    for to_the_minute, totals in _TOTALS.items()
}
_LISTED_SQL: Final = {
    to_the_minute: f"select linkage_window, count(*) from ({totals}) as listed group by linkage_window"  # noqa: S608
    for to_the_minute, totals in _TOTALS.items()
}

_BY_VISITS: Final = """
having total_appearances >= $min_appearances
order by {visits} desc, total_appearances desc, visitor_id, linkage_window
limit $most offset $skipped
"""
_RANKED_BY_VISITS_SQL: Final = {
    to_the_minute: f"""
with
    arrivals as (
        select linkage_window, visitor_id, {IS_ARRIVAL} as is_arrival
        from {rows} as appearances
        where visitor_id is not null
    )
select linkage_window, visitor_id, count(*) as total_appearances
from arrivals
group by linkage_window, visitor_id
{_BY_VISITS.format(visits="count(*) filter (where is_arrival)")}
"""  # noqa: S608 - a constant; what people ask for is bound
    for to_the_minute, rows in APPEARANCES.items()
}
# All cameras and whole days: the visits are published, a third of the rows and nothing to sort.
_RANKED_BY_READY_VISITS_SQL: Final = f"""
select linkage_window, visitor_id, sum(appearances)::bigint as total_appearances
from fct_visits
where visitor_id is not null and business_day between $first_day and $last_day
group by linkage_window, visitor_id
{_BY_VISITS.format(visits="count(*)")}
"""  # noqa: S608 - a constant; what people ask for is bound


def visitor_page(
    connection: duckdb.DuckDBPyConnection,
    request: ReportRequest,
    *,
    first: int,
    most: int,
    order: Order = Order.MOST_APPEARANCES,
    visit_gap_s: int,
    allowed: Iterable[str] | None = None,
) -> tuple[VisitorRow, ...]:
    """Return up to `most` rows of the list from row number `first` (0 is the top) on; none beyond its end.

    `allowed` are the locations that may be asked for; None for all.

    Raises:
        UserMistake: more than 1,000 rows at a time, a row before the first, or an unknown location, camera or group.
    """
    if first < 0 or not 1 <= most <= ROWS_A_PAGE_AT_MOST:
        raise UserMistake(f"expected a row from 0 on and 1 to {ROWS_A_PAGE_AT_MOST} rows, got {first} and {most}")
    directory = read_directory(connection, allowed=allowed)
    rows = selected_rows(directory, select_cameras(directory, request), request.period)
    ready, least = ready_sums(connection, rows), request.min_appearances
    if ready is not None and ready.ranks_by(order):
        page = ready.page(connection, order, min_appearances=least, first=first, most=most)
    else:
        limits: dict[str, object] = {"min_appearances": least, "most": most, "skipped": first}
        page = _counted(connection, rows, order, limits, visit_gap_s).fetchall()
    return with_stays(connection, rows, directory, page, visit_gap_s)


def all_visitors(
    connection: duckdb.DuckDBPyConnection,
    request: ReportRequest,
    *,
    visit_gap_s: int,
    allowed: Iterable[str] | None = None,
    most: int | None = None,
    order: Order = Order.MOST_APPEARANCES,
) -> Iterator[tuple[VisitorRow, ...]]:
    """Yield the list in an order, in pieces that fit in memory; raises as `visitor_page`.

    `most` is how many rows of it; None for all.
    """
    directory = read_directory(connection, allowed=allowed)
    rows = selected_rows(directory, select_cameras(directory, request), request.period)
    # A cursor of its own: the ranking stays open while the stays of its pieces are asked for.
    with connection.cursor() as cursor:
        ranked = _ranked(cursor, rows, request, order, most=most, skipped=0, visit_gap_s=visit_gap_s)
        while found := ranked.fetchmany(_ROWS_A_PIECE):
            yield with_stays(connection, rows, directory, found, visit_gap_s)


def listed_by_window(
    connection: duckdb.DuckDBPyConnection, rows: SelectedRows, *, min_appearances: int
) -> dict[str, int]:
    """Return by linkage window how many visitors have at least `min_appearances` in the selection."""
    ready = ready_sums(connection, rows)
    if ready is not None:
        return ready.listed_by_window(connection, min_appearances=min_appearances)
    parameters = dict(rows.parameters) | {"min_appearances": min_appearances}
    return dict(fetch_rows(connection, *in_file(connection, _LISTED_SQL[rows.to_the_minute], parameters)))


def _ranked(
    connection: duckdb.DuckDBPyConnection,
    rows: SelectedRows,
    request: ReportRequest,
    order: Order,
    *,
    most: int | None,
    skipped: int,
    visit_gap_s: int,
) -> duckdb.DuckDBPyConnection:
    limits: dict[str, object] = {"min_appearances": request.min_appearances, "most": most, "skipped": skipped}
    ready = ready_sums(connection, rows)
    if ready is not None and ready.ranks_by(order):
        return ready.ranking(connection, order, limits)
    return _counted(connection, rows, order, limits, visit_gap_s)


def _counted(
    connection: duckdb.DuckDBPyConnection,
    rows: SelectedRows,
    order: Order,
    limits: dict[str, object],
    visit_gap_s: int,
) -> duckdb.DuckDBPyConnection:
    """Return the open ranking of a selection that nobody has summed up in this order."""
    parameters = dict(rows.parameters)
    if order is not Order.MOST_VISITS:
        sql, bound = in_file(connection, _RANKED_SQL[order, rows.to_the_minute], parameters | limits)
        return connection.execute(sql, dict(bound))
    if visits_are_ready(connection, rows, visit_gap_s):
        return connection.execute(_RANKED_BY_READY_VISITS_SQL, rows.days | limits)
    asked = parameters | limits | {"visit_gap_s": visit_gap_s}
    sql, bound = in_file(connection, _RANKED_BY_VISITS_SQL[rows.to_the_minute], asked)
    return connection.execute(sql, dict(bound))
