"""Footfall by hour or by day and location, for charts; a time without a row stays a gap and is never a zero.

Unique visitors of hours, days or locations are not added up here or anywhere: each row is its own count.
"""

from datetime import date, datetime, timedelta
from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData
from footfall_assets.domain.calendar import day_bounds, days_between
from footfall_assets.reporting.publication import fetch_frame, fetch_rows
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import Directory, LocationInfo, read_directory

COUNTS: Final = ("unique_visitors", "visits", "appearances", "sightings", "unidentified_sightings")
COVERAGE: Final = ("frames_expected", "frames_captured", "frames_kept")

_CHOSEN: Final = """
business_day between $first_day and $last_day
and location_id in (select unnest($locations::varchar[]))
"""
_HOURLY_SQL: Final = f"""
select
    location_id,
    business_day,
    hour_starts_at,
    unique_visitors,
    visits_started as visits,
    appearances,
    sightings,
    unidentified_sightings
from footfall_hourly
where {_CHOSEN}
"""  # noqa: S608 - a constant; what people ask for is bound
_DAILY_SQL: Final = f"""
select
    location_id,
    business_day,
    unique_visitors,
    visits,
    appearances,
    sightings,
    unidentified_sightings,
    frames_expected,
    frames_captured,
    frames_kept
from footfall_daily
where {_CHOSEN}
"""  # noqa: S608 - a constant; what people ask for is bound
_EXTENT_SQL: Final = "select min(business_day), max(business_day) from footfall_daily"


def footfall_by_hour(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a location and hour of its business days, counted or not.

    Columns: `location_id`, `location`, `business_day` (date), `hour_starts_at` (UTC), `local_time` (wall clock of the
    location, naive, for the axis), then `COUNTS` as nullable integers, missing where nothing was recorded. On the day
    the clock goes back one wall-clock hour occurs twice. `visits` are those that started in the hour.
    """
    directory = read_directory(connection)
    counted = fetch_frame(connection, _HOURLY_SQL, _parameters(period, location_ids))
    grid = _hours(period, _known(directory, location_ids), counted)
    return _on_grid(grid, counted, keys=["location_id", "business_day", "hour_starts_at"], counts=list(COUNTS))


def footfall_by_day(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a location and business day, counted or not.

    Columns: `location_id`, `location`, `business_day` (date), `local_time` (its midnight, naive, for the axis), then
    `COUNTS` and `COVERAGE` as nullable integers, missing where nothing was recorded.
    """
    directory = read_directory(connection)
    counted = fetch_frame(connection, _DAILY_SQL, _parameters(period, location_ids))
    grid = _days(period, _known(directory, location_ids))
    return _on_grid(grid, counted, keys=["location_id", "business_day"], counts=[*COUNTS, *COVERAGE])


def days_with_data(connection: duckdb.DuckDBPyConnection) -> Period:
    """Return the first and the last business day of a publication's aggregates.

    Raises:
        NoData: the publication is empty.
    """
    ((first, last),) = fetch_rows(connection, _EXTENT_SQL, {})
    if first is None or last is None:
        raise NoData("the publication holds no day, expected at least one; ingest stills, then run: footfall run")
    return Period(first, last)


def _parameters(period: Period, location_ids: tuple[str, ...]) -> dict[str, object]:
    return {"first_day": period.first_day, "last_day": period.last_day, "locations": list(location_ids)}


def _known(directory: Directory, location_ids: tuple[str, ...]) -> list[LocationInfo]:
    return [directory.locations[each] for each in location_ids if each in directory.locations]


def _hours(period: Period, locations: list[LocationInfo], counted: pd.DataFrame) -> pd.DataFrame:
    """Return the grid of hours; an hour that was counted is in it even where a clock moved by half an hour."""
    seen = zip(counted["location_id"], counted["business_day"], counted["hour_starts_at"], strict=True)
    hours = {(place, day, hour.to_pydatetime()) for place, day, hour in seen}
    for place in locations:
        for day in days_between(period.first_day, period.last_day):
            hours.update((place.location_id, day, hour) for hour in _hours_of(day, place.timezone))
    info = {place.location_id: place for place in locations}
    rows = [
        (key, info[key].label, day, hour, _wall_clock(hour, info[key].timezone))
        for key, day, hour in sorted(hours)
        if key in info
    ]
    columns = ["location_id", "location", "business_day", "hour_starts_at", "local_time"]
    return pd.DataFrame.from_records(rows, columns=columns).astype(
        {"hour_starts_at": "datetime64[us, UTC]", "local_time": "datetime64[us]"}
    )


def _hours_of(day: date, timezone: str) -> list[datetime]:
    """Return the starts of a business day's hours as UTC; 23 to 25 of them."""
    start, end = day_bounds(day, timezone)
    return [start + timedelta(hours=number) for number in range(int((end - start) / timedelta(hours=1)))]


def _wall_clock(moment: datetime, timezone: str) -> pd.Timestamp:
    return pd.Timestamp(moment).tz_convert(timezone).tz_localize(None)


def _days(period: Period, locations: list[LocationInfo]) -> pd.DataFrame:
    rows = [
        (place.location_id, place.label, day, pd.Timestamp(day))
        for place in locations
        for day in days_between(period.first_day, period.last_day)
    ]
    columns = ["location_id", "location", "business_day", "local_time"]
    return pd.DataFrame.from_records(rows, columns=columns).astype({"local_time": "datetime64[us]"})


def _on_grid(grid: pd.DataFrame, counted: pd.DataFrame, *, keys: list[str], counts: list[str]) -> pd.DataFrame:
    """Return every row of `grid`, with the counts where there are some.

    Raises:
        NoData: nothing was recorded at all.
    """
    if counted.empty:
        raise NoData("nothing was recorded at these locations in the period; ask for another period or location")
    joined = grid.merge(counted, on=keys, how="left", validate="one_to_one")
    return joined.astype(dict.fromkeys(counts, "Int64"))
