"""Stores side by side over a period, against the period of equal length before it.

Everything is a figure of one store: nothing is added up over stores, and unique visitors never over days.
"""

from datetime import timedelta
from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.publication import fetch_frame
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import read_directory

RANKED: Final = (
    "visits_per_day",
    "unique_visitors_per_day",
    "dwell_minutes",
    "visits_per_open_hour",
    "transactions_per_visit",
    "captured_share",
)

# Per day that is known: two periods in which a camera was dead for other days would not compare otherwise.
_STORES_SQL: Final = """
with
    chosen as (select unnest($locations::varchar[]) as location_id),
    days as (
        select
            location_id,
            count(*) filter (where sightings is not null) as known_days,
            count(visits) as visit_days,
            sum(visits)::bigint as visits,
            min(business_day) filter (where visits is not null) as first_visit_day,
            max(business_day) filter (where visits is not null) as last_visit_day,
            avg(visits) as visits_per_day,
            avg(unique_visitors) as unique_visitors_per_day,
            max(unique_visitors) as most_unique_visitors,
            least(sum(frames_captured) / nullif(sum(frames_expected), 0), 1) as captured_share
        from footfall_daily
        where business_day between $first_day and $last_day
        group by location_id
    ),
    -- Unique visitors of the whole period are known where its known days are those of one week or month.
    exact as (
        select
            footfall_periods.location_id,
            max(footfall_periods.unique_visitors) as unique_visitors
        from footfall_periods
        inner join days on footfall_periods.location_id = days.location_id
        where
            footfall_periods.known_days = days.visit_days
            and footfall_periods.first_day <= days.first_visit_day
            and footfall_periods.last_day >= days.last_visit_day
        group by footfall_periods.location_id
    ),
    stays as (
        select
            location_id,
            sum(total_midpoint_s) / nullif(sum(visits), 0) / 60 as dwell_minutes,
            sum(total_lower_s) / nullif(sum(visits), 0) / 60 as dwell_lower_minutes,
            sum(total_upper_s) / nullif(sum(visits), 0) / 60 as dwell_upper_minutes
        from visit_dwell
        where business_day between $first_day and $last_day
        group by location_id
    ),
    earlier as (
        select
            location_id,
            count(visits) as earlier_visit_days,
            avg(visits) as earlier_visits_per_day
        from footfall_daily
        where business_day between $earlier_first_day and $earlier_last_day
        group by location_id
    ),
    open_hours as (
        select
            opening_hours.location_id,
            sum(footfall_daily.visits) / nullif(sum(opening_hours.open_minutes) / 60.0, 0) as visits_per_open_hour
        from opening_hours
        inner join footfall_daily using (location_id, business_day)
        where
            business_day between $first_day and $last_day
            and opening_hours.is_open
            and footfall_daily.visits is not null
        group by opening_hours.location_id
    ),
    sold as (
        select
            location_id,
            sum(transactions) / nullif(sum(visits), 0) as transactions_per_visit,
            bool_or(has_more_transactions_than_visits) as has_more_transactions_than_visits
        from conversion_daily
        where
            business_day between $first_day and $last_day
            and transactions is not null
            and visits is not null
        group by location_id
    ),
    hours as (
        select location_id, local_hour, avg(visits_started) as visits_per_hour
        from staffing_hourly
        where
            business_day between $first_day and $last_day
            and visits_started is not null
            and coalesce(is_open, true)
        group by location_id, local_hour
    ),
    peaks as (
        select
            location_id,
            local_hour as peak_hour,
            visits_per_hour as peak_visits_per_hour
        from hours
        qualify row_number() over (partition by location_id order by visits_per_hour desc, local_hour) = 1
    )
select
    chosen.location_id,
    coalesce(days.known_days, 0) as known_days,
    days.visits,
    days.visits_per_day,
    earlier.earlier_visits_per_day,
    days.visits_per_day / nullif(earlier.earlier_visits_per_day, 0) - 1 as change,
    exact.unique_visitors,
    days.unique_visitors_per_day,
    days.most_unique_visitors,
    open_hours.visits_per_open_hour,
    peaks.peak_hour,
    peaks.peak_visits_per_hour,
    stays.dwell_minutes,
    stays.dwell_lower_minutes,
    stays.dwell_upper_minutes,
    sold.transactions_per_visit,
    sold.has_more_transactions_than_visits,
    days.captured_share
from chosen
left join days on chosen.location_id = days.location_id
left join exact on chosen.location_id = exact.location_id
left join stays on chosen.location_id = stays.location_id
left join earlier on chosen.location_id = earlier.location_id
left join open_hours on chosen.location_id = open_hours.location_id
left join sold on chosen.location_id = sold.location_id
left join peaks on chosen.location_id = peaks.location_id
order by chosen.location_id
"""


def period_before(period: Period) -> Period:
    """Return the period of equal length that ends on the day before `period`."""
    length = period.last_day - period.first_day
    last = period.first_day - timedelta(days=1)
    return Period(last - length, last)


def compare_stores(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a store, in order of its name.

    Columns: `location_id`, `location`, `known_days` (of the period, with data), `visits`, `visits_per_day` and
    `unique_visitors_per_day` (means over known days), `unique_visitors` (of the whole period, where its known days are
    those of one calendar week or month: other periods are not counted in advance), `most_unique_visitors` (of the
    busiest day), `earlier_visits_per_day` (of `period_before`), `change` (of visits a day, 0.1 is 10 % more),
    `visits_per_open_hour`, `dwell_minutes` (mean of a visit's midpoint) with `dwell_lower_minutes` and
    `dwell_upper_minutes`, `peak_hour` (local), `peak_visits_per_hour`, `transactions_per_visit`,
    `has_more_transactions_than_visits`, `captured_share` (frames captured of those expected), and `rank_<figure>` for
    `RANKED`, 1 is the highest. What is not known is missing and has no rank.

    Raises:
        NoData: none of the stores has data in the period, or the publication was made before stores were compared.
    """
    earlier = period_before(period)
    parameters = {
        "first_day": period.first_day,
        "last_day": period.last_day,
        "earlier_first_day": earlier.first_day,
        "earlier_last_day": earlier.last_day,
        "locations": list(location_ids),
    }
    try:
        frame = fetch_frame(connection, _STORES_SQL, parameters)
    except duckdb.CatalogException as error:
        raise NoData("this publication compares no stores; publish again: footfall run") from error
    if not frame["known_days"].sum():
        raise NoData("no camera saw these stores in the period; ask for another period or location")
    frame.insert(1, "location", frame["location_id"].map(read_directory(connection).label))
    ranks = {f"rank_{name}": frame[name].rank(method="min", ascending=False).astype("Int64") for name in RANKED}
    counts = ["known_days", "visits", "unique_visitors", "most_unique_visitors", "peak_hour"]
    typed = frame.astype(dict.fromkeys(counts, "Int64") | {"has_more_transactions_than_visits": "boolean"})
    return typed.assign(**ranks).sort_values(["location", "location_id"], ignore_index=True)
