"""How long visitors stay, and where: zones, departments and whole visits, each with its bounds.

From stills every n seconds a stay is known only to an interval: every figure comes as lower bound, midpoint and upper
bound. Medians of a period are read from the distribution, which adds up; medians of days do not.
"""

from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.location_query import fetch_at_locations
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import read_directory

MEASURES: Final = ("lower", "midpoint", "upper")

_CHOSEN: Final = """
business_day between $first_day and $last_day
and location_id in (select unnest($locations::varchar[]))
"""
_ZONES_SQL: Final = f"""
select
    location_id,
    zone,
    count(*) filter (where stays is not null) as days,
    max(visitors) as most_visitors_a_day,
    avg(visitors) as visitors_a_day,
    sum(stays)::bigint as stays,
    sum(total_lower_s) / nullif(sum(stays), 0) as mean_lower_s,
    sum(total_midpoint_s) / nullif(sum(stays), 0) as mean_midpoint_s,
    sum(total_upper_s) / nullif(sum(stays), 0) as mean_upper_s
from dwell_by_zone
where {_CHOSEN}
group by location_id, zone
order by location_id, zone
"""  # noqa: S608 - a constant; what people ask for is bound
_VISITS_SQL: Final = f"""
select
    location_id,
    count(*) filter (where visits is not null) as days,
    sum(visits)::bigint as visits,
    sum(total_lower_s) / nullif(sum(visits), 0) as mean_lower_s,
    sum(total_midpoint_s) / nullif(sum(visits), 0) as mean_midpoint_s,
    sum(total_upper_s) / nullif(sum(visits), 0) as mean_upper_s
from visit_dwell
where {_CHOSEN}
group by location_id
order by location_id
"""  # noqa: S608 - a constant; what people ask for is bound
# The median stay is one of those in the class where half of all stays are reached; which one is not known, so the means
# of that class stand for it. Classes are a fifth of their value wide or less, from a minute on. Seconds are added up in
# whole milliseconds: a sum of fractions depends on the order of its rows.
_MEDIANS_SQL: Final = f"""
with
    classes as (
        select
            {{key}},
            from_s,
            sum(stays) as stays,
            sum(round(1000 * total_lower_s)::bigint) / 1000 as total_lower_s,
            sum(round(1000 * total_midpoint_s)::bigint) / 1000 as total_midpoint_s,
            sum(round(1000 * total_upper_s)::bigint) / 1000 as total_upper_s
        from dwell_distribution
        where {_CHOSEN} and zone is {{zones}}
        group by {{key}}, from_s
    ),
    reached as (
        select
            *,
            sum(stays) over (partition by {{key}} order by from_s) as reached,
            sum(stays) over (partition by {{key}}) as total
        from classes
    )
select
    {{key}},
    total_lower_s / stays as median_lower_s,
    total_midpoint_s / stays as median_midpoint_s,
    total_upper_s / stays as median_upper_s
from reached
where 2 * reached >= total and 2 * (reached - stays) < total
"""  # noqa: S608 - a constant; what people ask for is bound
_ZONE_MEDIANS_SQL: Final = _MEDIANS_SQL.format(key="location_id, zone", zones="not null")
_DEPARTMENT_MEDIANS_SQL: Final = _MEDIANS_SQL.format(key="zone", zones="not null")
_VISIT_MEDIANS_SQL: Final = _MEDIANS_SQL.format(key="location_id", zones="null")
_DAYS_SQL: Final = f"""
select
    location_id,
    zone,
    business_day,
    visitors,
    stays,
    lower_quartile_midpoint_s,
    median_lower_s,
    median_midpoint_s,
    median_upper_s,
    upper_quartile_midpoint_s
from dwell_by_zone
where {_CHOSEN}
order by location_id, zone, business_day
"""  # noqa: S608 - a constant; what people ask for is bound
_HOURS_SQL: Final = f"""
select location_id, zone, local_hour, sum(stays)::bigint as stays, sum(total_midpoint_s) / sum(stays) as mean_midpoint_s
from dwell_by_zone_hourly
where {_CHOSEN}
group by location_id, zone, local_hour
order by location_id, zone, local_hour
"""  # noqa: S608 - a constant; what people ask for is bound
_PLAN_SQL: Final = """
select location_id, zone, camera_ids, is_named, plan_x_m, plan_y_m
from dim_zones
where location_id in (select unnest($locations::varchar[]))
order by location_id, zone
"""
_VISIBILITY_SQL: Final = """
select location_id, camera_id, linkage_window, interval_s, stills, stills_shown, visibility
from camera_visibility
where
    linkage_window between strftime($first_day::date, '%Y-%m') and strftime($last_day::date, '%Y-%m')
    and location_id in (select unnest($locations::varchar[]))
order by location_id, camera_id, linkage_window, interval_s
"""


def dwell_by_zone(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a location and zone that was known in the period.

    Columns: `location_id`, `location`, `zone`, `days` (known), `visitors_a_day` (mean), `most_visitors_a_day`, `stays`,
    then mean and median of the dwell in seconds, each as `..._lower_s`, `..._midpoint_s` and `..._upper_s`; missing
    where the location counts only or nobody stayed. `camera_ids`, `plan_x_m` and `plan_y_m` are of now.

    Raises:
        NoData: no zone was known in the period.
    """
    zones = fetch_at_locations(connection, _ZONES_SQL, period, location_ids)
    if zones.empty:
        raise _no_zone(period)
    medians = fetch_at_locations(connection, _ZONE_MEDIANS_SQL, period, location_ids)
    plan = fetch_at_locations(connection, _PLAN_SQL, period, location_ids)
    found = zones.merge(medians, on=["location_id", "zone"], how="left").merge(
        plan, on=["location_id", "zone"], how="left"
    )
    return _labelled(connection, found)


def dwell_by_department(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a department: the zones of one name at all locations together.

    Columns: `zone`, `locations`, `stays`, `share` (of all stays) and medians of the dwell in seconds as in
    `dwell_by_zone`. Visitors are not in it: they do not add up over stores.

    Raises:
        NoData: no zone was known in the period.
    """
    zones = fetch_at_locations(connection, _ZONES_SQL, period, location_ids)
    if zones.empty:
        raise _no_zone(period)
    medians = fetch_at_locations(connection, _DEPARTMENT_MEDIANS_SQL, period, location_ids)
    by_name = zones.groupby("zone")
    columns = {"locations": by_name["location_id"].nunique(), "stays": by_name["stays"].sum(min_count=1)}
    found = pd.DataFrame(columns).reset_index()
    found["share"] = found["stays"] / found["stays"].sum()
    return found.merge(medians, on="zone", how="left").sort_values(
        ["stays", "zone"], ascending=[False, True], ignore_index=True
    )


def dwell_of_visits(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a location: visits of the period, mean and median of their dwell as in `dwell_by_zone`.

    Raises:
        NoData: no location was known in the period.
    """
    visits = fetch_at_locations(connection, _VISITS_SQL, period, location_ids)
    if visits.empty:
        raise _no_zone(period)
    medians = fetch_at_locations(connection, _VISIT_MEDIANS_SQL, period, location_ids)
    return _labelled(connection, visits.merge(medians, on="location_id", how="left"))


def dwell_by_day(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a location, zone and known day, with the median of that day and its bounds in seconds."""
    return _labelled(connection, fetch_at_locations(connection, _DAYS_SQL, period, location_ids))


def stays_by_hour(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a location, zone and hour of the local clock: stays that began in it, and their mean dwell."""
    return _labelled(connection, fetch_at_locations(connection, _HOURS_SQL, period, location_ids))


def camera_visibility(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a camera, linkage window of the period and interval: how often a still shows who is there."""
    return _labelled(connection, fetch_at_locations(connection, _VISIBILITY_SQL, period, location_ids))


def _labelled(connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame) -> pd.DataFrame:
    names = frame["location_id"].map(read_directory(connection).label)
    frame.insert(1, "location", names.astype("str"))
    return frame


def _no_zone(period: Period) -> NoData:
    return NoData(f"no camera of these locations was alive from {period.label}; choose another period or location")
