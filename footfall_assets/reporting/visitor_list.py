"""The rows of the visitor report: a page of them in some order, or all of them in pieces.

Who is listed comes from `visitor_day` (whole days) or `fct_appearances` (to the minute). Visits are recomputed over the
selected cameras, and only for the visitors of the page: a stay seen only by other cameras does not count, and a pause
that only they would have filled ends a visit.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.reporting.publication import fetch_rows, has_table
from footfall_assets.reporting.ready_ranking import ready_sums
from footfall_assets.reporting.request import Order, ReportRequest
from footfall_assets.reporting.selected_rows import OF_CHOSEN, SelectedRows, in_file, rows_of, selected_rows
from footfall_assets.reporting.selection import Directory, read_directory, select_cameras

ROWS_A_PAGE_AT_MOST: Final = 1_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ROWS_A_PIECE: Final = 100_000  # of some 300 bytes each, while a whole list is read


_LAST_SEEN: Final = {False: "max(last_seen_at)", True: "max(ended_at)"}  # by whether the rows are to the minute
_SORTED: Final[Mapping[Order, str]] = {
    Order.MOST_APPEARANCES: "total_appearances desc, visitor_id, linkage_window",
    Order.FEWEST_APPEARANCES: "total_appearances, visitor_id, linkage_window",
    Order.VISITOR_ID: "visitor_id, linkage_window",
    Order.MOST_LOCATIONS: "count(distinct location_id) desc, total_appearances desc, visitor_id, linkage_window",
    Order.LAST_SEEN: "{last_seen} desc, visitor_id, linkage_window",
}
_APPEARANCES: Final = rows_of("fct_appearances", "started_at")
_SOURCES: Final = {
    False: (rows_of("visitor_day", "first_seen_at")[False], "sum(appearances)"),
    True: (_APPEARANCES[True], "count(*)"),
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

# Appearances of one visitor may overlap (two cameras), so a pause counts from the latest end so far, not from the last
# row. Local midnight ends a visit: the business day is part of the partition.
_IS_ARRIVAL: Final = """
coalesce(
    started_at > max(ended_at) over (
        partition by linkage_window, visitor_id, location_id, business_day
        order by started_at, ended_at
        rows between unbounded preceding and 1 preceding
    ) + to_seconds($visit_gap_s),
    true
)
"""
_BY_VISITS: Final = """
having total_appearances >= $min_appearances
order by {visits} desc, total_appearances desc, visitor_id, linkage_window
limit $most offset $skipped
"""
_RANKED_BY_VISITS_SQL: Final = {
    to_the_minute: f"""
with
    arrivals as (
        select linkage_window, visitor_id, {_IS_ARRIVAL} as is_arrival
        from {rows} as appearances
        where visitor_id is not null
    )
select linkage_window, visitor_id, count(*) as total_appearances
from arrivals
group by linkage_window, visitor_id
{_BY_VISITS.format(visits="count(*) filter (where is_arrival)")}
"""  # noqa: S608 - a constant; what people ask for is bound
    for to_the_minute, rows in _APPEARANCES.items()
}
# All cameras and whole days: the visits are published, a third of the rows and nothing to sort.
_RANKED_BY_READY_VISITS_SQL: Final = f"""
select linkage_window, visitor_id, sum(appearances)::bigint as total_appearances
from fct_visits
where visitor_id is not null and business_day between $first_day and $last_day
group by linkage_window, visitor_id
{_BY_VISITS.format(visits="count(*)")}
"""  # noqa: S608 - a constant; what people ask for is bound
_PUBLISHED_GAP_SQL: Final = "select visit_gap_s from publication_header"

_STAYS_SQL: Final = {
    to_the_minute: f"""
with
    chosen as (
        select unnest($windows::varchar[]) as linkage_window, unnest($visitors::varchar[]) as visitor_id
    ),
    arrivals as (
        select
            linkage_window,
            visitor_id,
            location_id,
            ended_at,
            {_IS_ARRIVAL} as is_arrival
        from {rows} as appearances
        {OF_CHOSEN}
    ),
    stays as (
        select
            linkage_window,
            visitor_id,
            location_id,
            count(*) as appearances,
            count(*) filter (where is_arrival) as visits,
            epoch_us(max(ended_at)) as ended_us
        from arrivals
        group by linkage_window, visitor_id, location_id
    )
select
    linkage_window,
    visitor_id,
    sum(visits)::bigint as visits,
    list(struct_pack(location_id := location_id, appearances := appearances)) as frequencies,
    max(ended_us) as ended_us,
    arg_max(location_id, ended_us) as last_location_id
from stays
group by linkage_window, visitor_id
"""  # noqa: S608 - a constant; what people ask for is bound
    for to_the_minute, rows in _APPEARANCES.items()
}


@dataclass(frozen=True, slots=True)
class VisitorRow:
    """One visitor of one linkage window.

    Attributes:
        linkage_window: such as `2024-01`.
        visitor_id: of that window.
        total_appearances: in the selection.
        visits: over the selected cameras.
        frequencies: appearances by location, most first; they sum to the total.
        last_seen_at: the end of the last appearance, on the clock of its location.
    """

    linkage_window: str
    visitor_id: str
    total_appearances: int
    visits: int
    frequencies: tuple[tuple[str, int], ...]
    last_seen_at: datetime | None = None

    def __post_init__(self) -> None:
        by_location = sum(count for _, count in self.frequencies)
        if by_location != self.total_appearances:
            raise ValueError(
                f"visitor {self.visitor_id}: expected frequencies with sum {self.total_appearances}, got {by_location}"
            )


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
    ranked = _ranked(connection, rows, request, order, most=most, skipped=first, visit_gap_s=visit_gap_s)
    return _with_stays(connection, rows, directory, ranked.fetchall(), visit_gap_s)


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
            yield _with_stays(connection, rows, directory, found, visit_gap_s)


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
    limits = {"min_appearances": request.min_appearances, "most": most, "skipped": skipped}
    parameters = dict(rows.parameters)
    ready = ready_sums(connection, rows)
    if ready is not None and ready.ranks_by(order):
        return ready.ranking(connection, order, limits)
    if order is not Order.MOST_VISITS:
        sql, bound = in_file(connection, _RANKED_SQL[order, rows.to_the_minute], parameters | limits)
        return connection.execute(sql, dict(bound))
    if _visits_are_ready(connection, rows, visit_gap_s):
        return connection.execute(_RANKED_BY_READY_VISITS_SQL, rows.days | limits)
    asked = parameters | limits | {"visit_gap_s": visit_gap_s}
    sql, bound = in_file(connection, _RANKED_BY_VISITS_SQL[rows.to_the_minute], asked)
    return connection.execute(sql, dict(bound))


def _visits_are_ready(connection: duckdb.DuckDBPyConnection, rows: SelectedRows, visit_gap_s: int) -> bool:
    """Return whether the publication's own visits are those of the selection: of all cameras, by the same pause."""
    if not rows.is_whole_days_of_all_cameras:
        return False
    if not (has_table(connection, "fct_visits") and has_table(connection, "publication_header")):
        return False
    return fetch_rows(connection, _PUBLISHED_GAP_SQL, {}) == [(visit_gap_s,)]


def _with_stays(
    connection: duckdb.DuckDBPyConnection,
    rows: SelectedRows,
    directory: Directory,
    ranked: Sequence[tuple[Any, ...]],
    visit_gap_s: int,
) -> tuple[VisitorRow, ...]:
    asked: dict[str, object] = {
        "windows": [window for window, *_ in ranked],
        "visitors": [visitor for _, visitor, *_ in ranked],
        "visit_gap_s": visit_gap_s,
    }
    numbers = [number for _, _, _, *numbers in ranked for number in numbers]  # of what was summed up by number
    asked |= {"numbers": numbers} if numbers else {}
    found = fetch_rows(connection, *in_file(connection, _STAYS_SQL[rows.to_the_minute], dict(rows.parameters) | asked))
    stays = {(window, visitor): of_one for window, visitor, *of_one in found}
    clocks = {key: ZoneInfo(place.timezone) for key, place in directory.locations.items()}
    return tuple(_row(ranked_row, stays[ranked_row[0], ranked_row[1]], directory, clocks) for ranked_row in ranked)


def _row(
    ranked: tuple[Any, ...], stays: Sequence[Any], directory: Directory, clocks: Mapping[str, ZoneInfo]
) -> VisitorRow:
    window, visitor, total, *_ = ranked
    visits, frequencies, ended_us, place = stays
    last_seen_at = (_EPOCH + timedelta(microseconds=ended_us)).astimezone(clocks.get(place, UTC))
    return VisitorRow(window, visitor, total, visits, _by_frequency(frequencies, directory), last_seen_at)


def _by_frequency(frequencies: Iterable[Mapping[str, Any]], directory: Directory) -> tuple[tuple[str, int], ...]:
    # Sorted here: sorting the lists in the query took three times as long as all the rest of it.
    labelled = ((directory.label(each["location_id"]), each["appearances"]) for each in frequencies)
    return tuple(sorted(labelled, key=lambda each: (-each[1], each[0])))
