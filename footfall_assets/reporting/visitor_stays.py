"""The rows of the visitor report: how often some visitors came, and where.

Visits are recomputed over the selected cameras, and only for the visitors of a page: a stay seen only by other cameras
does not count, and a pause that only they would have filled ends a visit. Of whole days at all cameras they are the
published ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb

from footfall_assets.reporting.publication import fetch_rows, has_table
from footfall_assets.reporting.selected_rows import OF_CHOSEN, SelectedRows, in_file, rows_of
from footfall_assets.reporting.selection import Directory

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
APPEARANCES: Final = rows_of("fct_appearances", "started_at")

# Appearances of one visitor may overlap (two cameras), so a pause counts from the latest end so far, not from the last
# row. Local midnight ends a visit: the business day is part of the partition.
IS_ARRIVAL: Final = """
coalesce(
    started_at > max(ended_at) over (
        partition by linkage_window, visitor_id, location_id, business_day
        order by started_at, ended_at
        rows between unbounded preceding and 1 preceding
    ) + to_seconds($visit_gap_s),
    true
)
"""
_WINDOW, _VISITOR_ID, _NUMBER = 0, 1, 3  # places in a ranked row
_PUBLISHED_GAP_SQL: Final = "select visit_gap_s from publication_header"

# A row a visitor, from `stays`: one a visitor and location.
_OF_STAYS: Final = {
    visitor: f"""
select
    linkage_window,
    {visitor},
    sum(visits)::bigint as visits,
    list(struct_pack(location_id := location_id, appearances := appearances)) as frequencies,
    max(ended_us) as ended_us,
    arg_max(location_id, ended_us) as last_location_id
from stays
group by linkage_window, {visitor}
"""  # noqa: S608 - a constant
    for visitor in ("visitor_id", "visitor_number")
}
_CHOSEN: Final = """
chosen as (
    select unnest($windows::varchar[]) as linkage_window, unnest($visitors::varchar[]) as visitor_id
)
"""
_STAYS_SQL: Final = {
    to_the_minute: f"""
with
    {_CHOSEN},
    arrivals as (
        select
            linkage_window,
            visitor_id,
            location_id,
            ended_at,
            {IS_ARRIVAL} as is_arrival
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
{_OF_STAYS["visitor_id"]}
"""  # noqa: S608 - a constant; what people ask for is bound
    for to_the_minute, rows in APPEARANCES.items()
}
# By number from end to end: reading the names of those who were found took three times as long as all the rest.
_READY_STAYS_SQL: Final = f"""
with
    numbers as (select unnest($numbers::integer[]) as visitor_number),
    stays as (
        select
            linkage_window,
            visitor_number,
            location_id,
            sum(appearances)::bigint as appearances,
            count(*) as visits,
            epoch_us(max(ended_at)) as ended_us
        from fct_visits
        semi join numbers using (visitor_number)
        where business_day between $first_day and $last_day
        group by linkage_window, visitor_number, location_id
    )
{_OF_STAYS["visitor_number"]}
"""  # noqa: S608 - a constant; what people ask for is bound


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


def visits_are_ready(connection: duckdb.DuckDBPyConnection, rows: SelectedRows, visit_gap_s: int) -> bool:
    """Return whether the publication's own visits are those of the selection: of all cameras, by the same pause."""
    if not rows.is_whole_days_of_all_cameras:
        return False
    if not (has_table(connection, "fct_visits") and has_table(connection, "publication_header")):
        return False
    return fetch_rows(connection, _PUBLISHED_GAP_SQL, {}) == [(visit_gap_s,)]


def with_stays(
    connection: duckdb.DuckDBPyConnection,
    rows: SelectedRows,
    directory: Directory,
    ranked: Sequence[tuple[Any, ...]],
    visit_gap_s: int,
) -> tuple[VisitorRow, ...]:
    """Return the rows of some visitors in the order of `ranked`.

    `ranked` has linkage window, Visitor ID and appearances, and the visitor's number where it was summed up by number.
    """
    numbers = [number for _, _, _, *numbers in ranked for number in numbers]  # of what was summed up by number
    by_number = bool(numbers) and visits_are_ready(connection, rows, visit_gap_s)
    if by_number:
        found = fetch_rows(connection, _READY_STAYS_SQL, {**rows.days, "numbers": numbers})
    else:
        found = fetch_rows(connection, *_stays_query(connection, rows, ranked, numbers, visit_gap_s))
    stays = {(window, visitor): of_one for window, visitor, *of_one in found}
    clocks = {key: ZoneInfo(place.timezone) for key, place in directory.locations.items()}
    visitor = _NUMBER if by_number else _VISITOR_ID
    return tuple(_row(row, stays[row[_WINDOW], row[visitor]], directory, clocks) for row in ranked)


def _stays_query(
    connection: duckdb.DuckDBPyConnection,
    rows: SelectedRows,
    ranked: Sequence[tuple[Any, ...]],
    numbers: Sequence[int],
    visit_gap_s: int,
) -> tuple[str, Mapping[str, object]]:
    """Return what counts the stays of some visitors anew, and what to bind."""
    asked: dict[str, object] = {
        "windows": [row[_WINDOW] for row in ranked],
        "visitors": [row[_VISITOR_ID] for row in ranked],
        "visit_gap_s": visit_gap_s,
    }
    asked |= {"numbers": numbers} if numbers else {}
    return in_file(connection, _STAYS_SQL[rows.to_the_minute], {**rows.parameters, **asked})


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
