"""Rows of a published table that a report is about: whole business days, or to the minute of each location's clock.

All SQL here is made of constants of this package when it is imported; what people ask for is bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import duckdb

from footfall_assets.reporting.publication import fetch_rows
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import Directory, Selection

# What a report is about; all three are bound.
SELECTED: Final = """
business_day between $first_day and $last_day
and ($cameras::varchar[] is null or camera_id in (select unnest($cameras::varchar[])))
"""
# The same by number: cameras of one location are neighbours, and rows of others are skipped by the block.
_SELECTED_BY_NUMBER: Final = """
business_day between $first_day and $last_day
and ($cameras::integer[] is null or camera_number in (select unnest($cameras::integer[])))
"""
_NUMBERS_SQL: Final = "select camera_number from dim_cameras where camera_id in (select unnest($cameras::varchar[]))"
# The appearances of some visitors, in a CTE `chosen`; a number is cheaper to look for than two texts.
OF_CHOSEN: Final = "semi join chosen using (linkage_window, visitor_id)"
_OF_CHOSEN_BY_NUMBER: Final = """
semi join (
    select visitor_number from visitor_window semi join chosen using (linkage_window, visitor_id)
) as numbers using (visitor_number)
"""
_OF_NUMBERS: Final = (
    "semi join (select unnest($numbers::integer[]) as visitor_number) as numbers using (visitor_number)"
)
_IS_NUMBERED_SQL: Final = """
select 1 from duckdb_columns() where table_name = 'dim_cameras' and column_name = 'camera_number'
"""
# One row a location: where its clock shows the period's first and last minute.
_EDGES: Final = """
select
    unnest($places::varchar[]) as location_id,
    unnest($starts::timestamptz[]) as period_starts_at,
    unnest($ends::timestamptz[]) as period_ends_at
"""


@dataclass(frozen=True)
class SelectedRows:
    """What to bind, and whether the queries are those to the minute."""

    parameters: Mapping[str, object]
    to_the_minute: bool

    @property
    def days(self) -> dict[str, object]:
        """The first and last day alone, for queries of all cameras."""
        return {name: self.parameters[name] for name in ("first_day", "last_day")}

    @property
    def is_whole_days_of_all_cameras(self) -> bool:
        """Whether sums over all cameras may answer; never where somebody may see some locations only."""
        return not self.to_the_minute and self.parameters["cameras"] is None


def selected_rows(directory: Directory, selection: Selection, period: Period) -> SelectedRows:
    """Return what a query of `rows_of` needs for the cameras of `selection`.

    To the minute, locations that the directory does not know have no clock and are left out.
    """
    days: dict[str, object] = {
        "first_day": period.first_day,
        "last_day": period.last_day,
        "cameras": selection.parameter,
    }
    if period.is_whole_days:
        return SelectedRows(days, to_the_minute=False)
    places = list(directory.locations.values())
    bounds = [period.bounds(place.timezone) for place in places]
    edges = {
        "places": [place.location_id for place in places],
        "starts": [starts for starts, _ in bounds],
        "ends": [ends for _, ends in bounds],
    }
    return SelectedRows(days | edges, to_the_minute=True)


def in_file(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]
) -> tuple[str, Mapping[str, object]]:
    """Return a query with `SELECTED` and `OF_CHOSEN` as the open file answers it fastest, and what to bind.

    Publications of before number neither cameras nor visitors. Where `numbers` of visitors are bound, the rows of all
    who have one of them in any window are found: looking for names among millions takes longer than leaving some aside.
    """
    if not fetch_rows(connection, _IS_NUMBERED_SQL, {}):
        return sql, parameters
    of_chosen = _OF_NUMBERS if "numbers" in parameters else _OF_CHOSEN_BY_NUMBER
    by_number = sql.replace(SELECTED, _SELECTED_BY_NUMBER).replace(OF_CHOSEN, of_chosen)
    cameras = parameters["cameras"]
    if cameras is None:
        return by_number, parameters
    numbers = [number for (number,) in fetch_rows(connection, _NUMBERS_SQL, {"cameras": cameras})]
    return by_number, dict(parameters) | {"cameras": numbers}


def rows_of(table: str, moment: str) -> dict[bool, str]:
    """Return the selected rows of a table as SQL to select from, by whether they are to the minute.

    Args:
        table: a published table with `business_day`, `camera_id` and `location_id`; a constant.
        moment: its column that belongs to the period or not; a constant.
    """
    return {
        False: f"(select * from {table} where {SELECTED})",  # noqa: S608 - constants
        True: (
            f"(select {table}.* from {table} inner join ({_EDGES}) as edges using (location_id) "  # noqa: S608
            f"where {moment} >= period_starts_at and {moment} < period_ends_at and {SELECTED})"
        ),
    }
