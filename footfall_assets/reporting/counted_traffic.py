"""What door counters and others counted, beside what the cameras saw; the two are never mixed.

A counter counts passages of everybody, also of staff; a visit is a stay of a visitor whose face was seen.
"""

from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.publication import fetch_frame
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import read_directory

COUNTS: Final = ("people_in", "people_out", "compared_hours", "compared_people_in", "compared_visits")

_SUMS: Final = """
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


def counted_traffic_by_location(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a location and source.

    Columns: `location_id`, `location`, `count_source`, `days`, `COUNTS` as nullable integers, and
    `visits_per_person_in`, of the hours that both a counter and the cameras saw. `people_out` is missing where a day
    does not say. Empty without counts.

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


def _fetch(
    connection: duckdb.DuckDBPyConnection, sql: str, period: Period, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    parameters = {"first_day": period.first_day, "last_day": period.last_day, "locations": list(location_ids)}
    try:
        frame = fetch_frame(connection, sql, parameters)
    except duckdb.CatalogException as error:
        raise NoData("this publication says nothing of other counters; publish again: footfall run") from error
    return frame.astype(dict.fromkeys(COUNTS, "Int64"))
