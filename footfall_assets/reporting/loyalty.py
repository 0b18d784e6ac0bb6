"""Who comes back, how often and after how long, inside a linkage window; and which stores share visitors.

Every figure is of a whole linkage window (a calendar month), for one location or for all together. Nothing is added up
over locations or windows: a visitor has another name in each window, and may come to several stores.
"""

from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData, UserMistake
from footfall_assets.domain.calendar import days_between
from footfall_assets.reporting.location_query import fetch_at_locations
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import read_directory

ALL_LOCATIONS: Final = "All locations"
PAIRS_AT_MOST: Final = 400_000  # of stores: a table that a browser still holds

# All locations together are counted over all there are: who may see some of them only gets no row of it.
_CHOSEN: Final = """
(
    location_id in (select unnest($locations::varchar[]))
    or (
        location_id is null
        and not exists (
            select 1 from dim_locations
            where location_id not in (select unnest($locations::varchar[])) and is_current and mode != 'off'
        )
    )
)
"""
_WINDOWS: Final = "linkage_window between strftime($first_day::date, '%Y-%m') and strftime($last_day::date, '%Y-%m')"
_DAILY_SQL: Final = f"""
select
    linkage_window, location_id, business_day, unique_visitors, new_visitors, returning_visitors, returning_to_location
from loyalty_daily
where business_day between $first_day and $last_day and {_CHOSEN}
order by location_id, business_day
"""  # noqa: S608 - a constant; what people ask for is bound
_FREQUENCY_SQL: Final = f"""
select linkage_window, location_id, measure, times, visitors
from visit_frequency
where {_WINDOWS} and {_CHOSEN}
order by linkage_window, location_id, measure, times
"""  # noqa: S608 - a constant; what people ask for is bound
_BETWEEN_SQL: Final = f"""
select linkage_window, location_id, days_between, returns
from days_between_visits
where {_WINDOWS} and {_CHOSEN}
order by linkage_window, location_id, days_between
"""  # noqa: S608 - a constant; what people ask for is bound
_PAIRS: Final = f"""
{_WINDOWS}
and location_id in (select unnest($locations::varchar[]))
and other_location_id in (select unnest($locations::varchar[]))
"""
_PAIRS_SQL: Final = f"select count(*) as pairs from stores_shared where {_PAIRS}"  # noqa: S608 - a constant
_SHARED_SQL: Final = f"""
select
    shared.linkage_window,
    shared.location_id,
    shared.other_location_id,
    shared.visitors,
    shared.visitors / own.visitors as share_of_location,
    shared.visitors / other.visitors as share_of_other
from stores_shared as shared
inner join stores_shared as own
    on shared.linkage_window = own.linkage_window
    and shared.location_id = own.location_id
    and own.location_id = own.other_location_id
inner join stores_shared as other
    on shared.linkage_window = other.linkage_window
    and shared.other_location_id = other.location_id
    and other.location_id = other.other_location_id
where
    shared.{_WINDOWS}
    and shared.location_id in (select unnest($locations::varchar[]))
    and shared.other_location_id in (select unnest($locations::varchar[]))
order by shared.linkage_window, shared.location_id, shared.other_location_id
"""  # noqa: S608 - a constant; what people ask for is bound


def loyalty_by_day(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a location and business day of the period, known or not.

    Columns: `location_id` (missing for all together), `location`, `business_day`, `unique_visitors`, `new_visitors`,
    `returning_visitors`, `returning_to_location`, as nullable integers: missing where the day is not known, and new
    and returning in the first 7 days of a window or of a location.

    Raises:
        NoData: no day is known at a location that recognises visitors.
    """
    found = fetch_at_locations(connection, _DAILY_SQL, period, location_ids)
    if found.empty:
        raise _nothing(period)
    counts = ["unique_visitors", "new_visitors", "returning_visitors", "returning_to_location"]
    keys = found[["location_id"]].drop_duplicates()
    days = pd.DataFrame({"business_day": days_between(period.first_day, period.last_day)})
    found["business_day"] = pd.to_datetime(found["business_day"]).dt.date
    grid = keys.merge(days, how="cross").merge(found, on=["location_id", "business_day"], how="left")
    return _labelled(connection, grid[["location_id", "business_day", *counts]].astype(dict.fromkeys(counts, "Int64")))


def visit_frequency(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a window of the period, location, measure (`visits`, `days`) and number of times: `visitors`.

    Raises:
        NoData: there is no visitor.
    """
    found = fetch_at_locations(connection, _FREQUENCY_SQL, period, location_ids)
    if found.empty:
        raise _nothing(period)
    return _labelled(connection, found)


def days_between_visits(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a window of the period, location and number of days: how often visitors came back after them.

    Raises:
        NoData: nobody came back.
    """
    found = fetch_at_locations(connection, _BETWEEN_SQL, period, location_ids)
    if found.empty:
        raise NoData(f"nobody came back on another day in the windows of {period.label}; choose a longer period")
    return _labelled(connection, found)


def stores_shared(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a window of the period and pair of locations: `visitors` of both, and their share of each.

    Columns: `linkage_window`, `location_id`, `location`, `other_location_id`, `other_location`, `visitors`,
    `share_of_location`, `share_of_other`. A location with itself counts its own visitors.

    Raises:
        NoData: there is no visitor.
        UserMistake: there are more than `PAIRS_AT_MOST` pairs.
    """
    pairs = int(fetch_at_locations(connection, _PAIRS_SQL, period, location_ids)["pairs"].iloc[0])
    if pairs > PAIRS_AT_MOST:
        raise UserMistake(
            f"expected at most {PAIRS_AT_MOST:,} pairs of stores that share visitors, these {len(location_ids):,} have "
            f"{pairs:,}; ask for fewer locations"
        )
    found = fetch_at_locations(connection, _SHARED_SQL, period, location_ids)
    if found.empty:
        raise _nothing(period)
    directory = read_directory(connection)
    found.insert(3, "other_location", found["other_location_id"].map(directory.label).astype("str"))
    return _labelled(connection, found)


def _labelled(connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame) -> pd.DataFrame:
    directory = read_directory(connection)
    labels = frame["location_id"].map(directory.label, na_action="ignore").fillna(ALL_LOCATIONS)
    frame.insert(1, "location", labels.astype("str"))
    return frame


def _nothing(period: Period) -> NoData:
    return NoData(
        f"no visitor is known at these locations from {period.label}; choose another period, or locations that "
        "recognise visitors"
    )
