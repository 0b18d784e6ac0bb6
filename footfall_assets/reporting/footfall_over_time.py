"""Footfall by hour or by day and location, for charts; a time without a row stays a gap and is never a zero.

Unique visitors of hours, days or locations are not added up here or anywhere: each row is its own count.
"""

from datetime import date, datetime, timedelta
from typing import Final

import duckdb
import numpy as np
import pandas as pd

from footfall_assets.contracts.errors import NoData, UserMistake
from footfall_assets.domain.calendar import day_bounds, days_between
from footfall_assets.reporting.publication import fetch_frame, fetch_rows, has_table
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import Directory, LocationInfo, read_directory

COUNTS: Final = ("unique_visitors", "visits", "appearances", "sightings", "unidentified_sightings")
ROWS_AT_MOST: Final = 400_000  # of one answer: a month of 10,000 stores by day, a table that a browser still holds
_HOURS_A_DAY: Final = 24
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
_COUNTED_EXTENT_SQL: Final = "select min(business_day), max(business_day) from counted_traffic_daily"


def footfall_by_hour(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a location and hour of its business days, counted or not.

    Columns: `location_id`, `location`, `business_day` (date), `hour_starts_at` (UTC), `local_time` (wall clock of the
    location, naive, for the axis), then `COUNTS` as nullable integers, missing where nothing was recorded. On the day
    the clock goes back one wall-clock hour occurs twice. `visits` are those that started in the hour.

    Raises:
        NoData: nothing was recorded at all.
        UserMistake: there would be more than `ROWS_AT_MOST` rows.
    """
    _check_rows(period, location_ids, a_day=_HOURS_A_DAY, step="hour")
    directory = read_directory(connection)
    counted = fetch_frame(connection, _HOURLY_SQL, _parameters(period, location_ids))
    grid = _hours(period, _known(directory, location_ids), counted)
    return _on_grid(grid, counted, keys=["location_id", "business_day", "hour_starts_at"], counts=list(COUNTS))


def footfall_by_day(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a location and business day, counted or not.

    Columns: `location_id`, `location`, `business_day` (date), `local_time` (its midnight, naive, for the axis), then
    `COUNTS` and `COVERAGE` as nullable integers, missing where nothing was recorded. Raises as `footfall_by_hour`.
    """
    _check_rows(period, location_ids, a_day=1, step="day")
    directory = read_directory(connection)
    counted = fetch_frame(connection, _DAILY_SQL, _parameters(period, location_ids))
    grid = _days(period, _known(directory, location_ids))
    return _on_grid(grid, counted, keys=["location_id", "business_day"], counts=[*COUNTS, *COVERAGE])


def fits_by_hour(period: Period, *, location_ids: tuple[str, ...]) -> bool:
    """Return whether `footfall_by_hour` answers so many locations and days."""
    return _rows(period, location_ids, a_day=_HOURS_A_DAY) <= ROWS_AT_MOST


def days_with_data(connection: duckdb.DuckDBPyConnection) -> Period:
    """Return the first and the last business day of a publication's aggregates, of cameras and of other counters.

    Raises:
        NoData: the publication is empty.
    """
    extents = fetch_rows(connection, _EXTENT_SQL, {})
    if has_table(connection, "counted_traffic_daily"):
        extents += fetch_rows(connection, _COUNTED_EXTENT_SQL, {})
    known = [(first, last) for first, last in extents if first is not None]
    if not known:
        raise NoData("the publication holds no day, expected at least one; ingest stills, then run: footfall run")
    return Period(min(first for first, _ in known), max(last for _, last in known))


def _parameters(period: Period, location_ids: tuple[str, ...]) -> dict[str, object]:
    return {"first_day": period.first_day, "last_day": period.last_day, "locations": list(location_ids)}


def _known(directory: Directory, location_ids: tuple[str, ...]) -> list[LocationInfo]:
    return [directory.locations[each] for each in location_ids if each in directory.locations]


def _hours(period: Period, locations: list[LocationInfo], counted: pd.DataFrame) -> pd.DataFrame:
    """Return the grid of hours; an hour that was counted is in it even where a clock moved by half an hour."""
    keys = ["location_id", "business_day", "hour_starts_at"]
    info = {place.location_id: place for place in locations}
    zones: dict[str, list[str]] = {}
    for place in locations:
        zones.setdefault(place.timezone, []).append(place.location_id)
    parts = [_hours_at(places, period, zone) for zone, places in zones.items()]
    parts.append(counted.loc[counted["location_id"].isin(list(info)), keys])
    grid = pd.concat(parts).drop_duplicates().sort_values(keys, ignore_index=True)
    local = pd.Series(pd.NaT, index=grid.index, dtype="datetime64[us]")
    of_place = grid["location_id"].map({key: place.timezone for key, place in info.items()})
    for zone, rows in grid.groupby(of_place)["hour_starts_at"]:
        local.loc[rows.index] = rows.dt.tz_convert(str(zone)).dt.tz_localize(None)
    grid.insert(1, "location", grid["location_id"].map({key: place.label for key, place in info.items()}))
    return grid.assign(local_time=local)


def _hours_at(places: list[str], period: Period, timezone: str) -> pd.DataFrame:
    days = [
        (day, start) for day in days_between(period.first_day, period.last_day) for start in _hours_of(day, timezone)
    ]
    starts = pd.Series([start for _, start in days]).astype("datetime64[us, UTC]")
    return pd.DataFrame(
        {
            "location_id": np.repeat(np.array(places, dtype=object), len(days)),
            "business_day": np.tile(np.array([day for day, _ in days], dtype=object), len(places)),
            "hour_starts_at": pd.concat([starts] * len(places), ignore_index=True),
        }
    )


def _hours_of(day: date, timezone: str) -> list[datetime]:
    """Return the starts of a business day's hours as UTC; 23 to 25 of them."""
    start, end = day_bounds(day, timezone)
    return [start + timedelta(hours=number) for number in range(int((end - start) / timedelta(hours=1)))]


def _days(period: Period, locations: list[LocationInfo]) -> pd.DataFrame:
    days = np.array(days_between(period.first_day, period.last_day), dtype=object)
    each = {
        "location_id": [place.location_id for place in locations],
        "location": [place.label for place in locations],
    }
    columns = {name: np.repeat(np.array(values, dtype=object), len(days)) for name, values in each.items()}
    repeated = np.tile(days, len(locations))
    return pd.DataFrame(columns | {"business_day": repeated, "local_time": repeated.astype("datetime64[us]")})


def _check_rows(period: Period, location_ids: tuple[str, ...], *, a_day: int, step: str) -> None:
    days, rows = _days_of(period), _rows(period, location_ids, a_day=a_day)
    if rows > ROWS_AT_MOST:
        raise UserMistake(
            f"expected at most {ROWS_AT_MOST:,} points in a chart by {step}, {len(location_ids):,} locations have "
            f"{rows:,} in these {days:,} days; ask for fewer locations, a shorter period or a longer step"
        )


def _rows(period: Period, location_ids: tuple[str, ...], *, a_day: int) -> int:
    return len(location_ids) * _days_of(period) * a_day


def _days_of(period: Period) -> int:
    return (period.last_day - period.first_day).days + 1


def _on_grid(grid: pd.DataFrame, counted: pd.DataFrame, *, keys: list[str], counts: list[str]) -> pd.DataFrame:
    """Return every row of `grid`, with the counts where there are some.

    Raises:
        NoData: nothing was recorded at all.
    """
    if counted.empty:
        raise NoData("nothing was recorded at these locations in the period; ask for another period or location")
    joined = grid.merge(counted, on=keys, how="left", validate="one_to_one")
    return joined.astype(dict.fromkeys(counts, "Int64"))
