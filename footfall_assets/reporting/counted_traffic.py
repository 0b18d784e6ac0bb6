"""What door counters and others counted, beside what the cameras saw; the two are never mixed.

A counter counts passages of everybody, also of staff; a visit is a stay of a visitor whose face was seen.
"""

from datetime import date
from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.publication import fetch_frame
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import read_directory

COUNTS: Final = ("hours", "people_in", "people_out", "compared_hours", "compared_people_in", "compared_visits")

_NOTHING: Final = "this publication says nothing of other counters; publish again: footfall run"
_SUMS: Final = """
    sum(hours)::bigint as hours,
    sum(people_in)::bigint as people_in,
    case when bool_and(people_out is not null) then sum(people_out)::bigint end as people_out,
    sum(compared_hours)::bigint as compared_hours,
    sum(compared_people_in)::bigint as compared_people_in,
    sum(compared_visits)::bigint as compared_visits,
    sum(compared_visits) / nullif(sum(compared_people_in), 0) as visits_per_person_in
from counted_traffic_daily
where
    business_day between $first_day and $last_day
    and location_id in (select unnest($locations::varchar[]))
"""
_BY_LOCATION_SQL: Final = f"""
select
    location_id,
    count_source,
    count(*) as days,
    {_SUMS}
group by location_id, count_source
order by location_id, count_source
"""
_BY_DAY_SQL: Final = f"""
select
    business_day,
    count_source,
    {_SUMS}
group by business_day, count_source
order by business_day, count_source
"""
# Sources see different things and are never added: of several, the one with the most hours, the first by name.
_PROFILE_SQL: Final = """
with
    counted as (
        select counted_traffic_hourly.*
        from counted_traffic_hourly
        where
            business_day between $first_day and $last_day
            and location_id in (select unnest($locations::varchar[]))
    ),
    chosen as (
        select count_source from counted group by count_source order by count(*) desc, count_source limit 1
    )
select
    counted.count_source,
    isodow(counted.business_day)::integer as weekday,
    counted.local_hour,
    sum(counted.people_in) / count(distinct (counted.location_id, counted.business_day)) as people_per_hour,
    count(distinct (counted.location_id, counted.business_day)) as store_days,
    bool_or(staffing_hourly.is_open is not false) as is_open
from counted
inner join chosen on counted.count_source = chosen.count_source
left join staffing_hourly
    on counted.location_id = staffing_hourly.location_id
    and counted.hour_starts_at = staffing_hourly.hour_starts_at
group by counted.count_source, isodow(counted.business_day), counted.local_hour
order by weekday, counted.local_hour
"""


def counted_traffic_by_location(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a location and source.

    Columns: `location_id`, `location`, `count_source`, `days`, `COUNTS` as nullable integers (`hours` are those of
    which the source says anything), and `visits_per_person_in`, of the hours that both a counter and the cameras saw.
    `people_out` is missing where a day does not say. Empty without counts.

    Raises:
        NoData: the publication was made before counts were part of it.
    """
    frame = _fetch(connection, _BY_LOCATION_SQL, period, location_ids)
    frame.insert(1, "location", frame["location_id"].map(read_directory(connection).label))
    return frame


def counted_traffic_by_day(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a business day and source, summed over the locations; columns and errors as by location."""
    return _fetch(connection, _BY_DAY_SQL, period, location_ids)


def newest_counted_day(connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]) -> date:
    """Return the newest business day of a period on which anybody was counted at these locations, were it nobody.

    Raises:
        NoData: none of them has a count in the period, or the publication was made before counts were part of it.
    """
    frame = _fetch(connection, _BY_DAY_SQL, period, location_ids)
    if frame.empty:
        raise NoData(f"nobody was counted at these stores from {period.label}; ask for another period or location")
    day: date = pd.Timestamp(frame["business_day"].max()).date()
    return day


def counted_profile(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return people who came in by weekday (1 is Monday) and local hour, of the source that says most.

    Columns: `count_source`, `weekday`, `local_hour`, `people_per_hour` (mean over stores and days on which the source
    says anything of the hour), `store_days` (how many of them), `is_open` (whether any store may have been open). An
    hour of which it says nothing has no row. Empty without counts; raises as `counted_traffic_by_location`.
    """
    parameters = {"first_day": period.first_day, "last_day": period.last_day, "locations": list(location_ids)}
    try:
        return fetch_frame(connection, _PROFILE_SQL, parameters)
    except duckdb.CatalogException as error:
        raise NoData(_NOTHING) from error


def _fetch(
    connection: duckdb.DuckDBPyConnection, sql: str, period: Period, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    parameters = {"first_day": period.first_day, "last_day": period.last_day, "locations": list(location_ids)}
    try:
        frame = fetch_frame(connection, sql, parameters)
    except duckdb.CatalogException as error:
        raise NoData(_NOTHING) from error
    return frame.astype(dict.fromkeys(COUNTS, "Int64"))
