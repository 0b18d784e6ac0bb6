"""The newest day against the same weekday before it: what somebody looks at first in the morning.

Visits, sightings and dwell add up over stores; unique visitors are of one store each and are never added. The two days
are compared over the stores that have data on both.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.publication import fetch_frame, fetch_rows
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import read_directory

WEEK: Final = timedelta(days=7)

_CHOSEN: Final = "location_id in (select unnest($locations::varchar[]))"
_NEWEST_SQL: Final = f"""
select max(business_day)
from footfall_daily
where sightings is not null and business_day between $first_day and $last_day and {_CHOSEN}
"""  # noqa: S608 - a constant; what people ask for is bound
_STORES_SQL: Final = f"""
with
    days as (
        select
            location_id,
            business_day,
            visits,
            unique_visitors,
            sightings,
            least(frames_captured / nullif(frames_expected, 0), 1) as captured_share
        from footfall_daily
        where business_day in ($day, $earlier_day) and {_CHOSEN}
    ),
    busiest as (
        select location_id, business_day, local_hour as peak_hour
        from footfall_hourly
        where business_day in ($day, $earlier_day) and visits_started > 0 and {_CHOSEN}
        qualify
            row_number() over (partition by location_id, business_day order by visits_started desc, local_hour) = 1
    )
select days.*, busiest.peak_hour
from days
left join busiest on days.location_id = busiest.location_id and days.business_day = busiest.business_day
"""  # noqa: S608 - a constant; what people ask for is bound
_HOURS_SQL: Final = f"""
select location_id, business_day, local_hour, sum(visits_started)::bigint as visits
from footfall_hourly
where business_day in ($day, $earlier_day) and visits_started is not null and {_CHOSEN}
group by location_id, business_day, local_hour
"""  # noqa: S608 - a constant; what people ask for is bound
_DWELL_SQL: Final = f"""
select location_id, business_day, visits, total_lower_s, total_midpoint_s, total_upper_s
from visit_dwell
where business_day in ($day, $earlier_day) and visits > 0 and {_CHOSEN}
"""  # noqa: S608 - a constant; what people ask for is bound
_COUNTS: Final = ("visits", "unique_visitors", "sightings")


@dataclass(frozen=True)
class Dwell:
    """The mean stay of a visit in seconds: known to an interval, as stills are taken seconds apart."""

    lower_s: float
    midpoint_s: float
    upper_s: float


@dataclass(frozen=True)
class DayOverview:
    """The newest day with data, and the same weekday a week before.

    Attributes:
        day: the newest business day of the period with data at any of the stores.
        stores: one row a store, most visits first: `location_id`, `location`, `visits`, `earlier_visits`, `change`
            (0.1 is 10 % more), `unique_visitors`, `earlier_unique_visitors`, `sightings`, `earlier_sightings`,
            `peak_hour` (local), `captured_share` (frames captured of those expected); missing where unknown.
        hours: `local_hour`, `visits`, `earlier_visits` over `compared_stores`, or over all with data on `day` where
            none is; missing where no store has a record of that hour.
        dwell: of the visits of `day`; None where nobody can say.
        earlier_dwell: of the day a week before.
    """

    day: date
    stores: pd.DataFrame
    hours: pd.DataFrame
    dwell: Dwell | None
    earlier_dwell: Dwell | None

    @property
    def earlier_day(self) -> date:
        """The same weekday, a week before."""
        return self.day - WEEK

    @property
    def known_stores(self) -> pd.DataFrame:
        """The stores with data on the day."""
        return self.stores[self.stores["sightings"].notna()]

    @property
    def compared_stores(self) -> pd.DataFrame:
        """The stores with data on both days."""
        return self.stores[self.stores["sightings"].notna() & self.stores["earlier_sightings"].notna()]

    def total(self, count: str) -> int | None:
        """Return visits or sightings of the day over all stores with data; None where none has."""
        return _sum(self.known_stores[count])

    def change(self, count: str) -> float | None:
        """Return the change of visits or sightings against the week before, 0.1 is 10 % more; None where unknown."""
        now, before = _sum(self.compared_stores[count]), _sum(self.compared_stores[f"earlier_{count}"])
        return now / before - 1 if now is not None and before else None

    @property
    def peak_hour(self) -> int | None:
        """The local hour in which most visits of the day began; None where none did."""
        known = self.hours.dropna(subset=["visits"])
        if known.empty or not known["visits"].max():
            return None
        busiest = known["visits"].to_numpy(dtype="int64").argmax()
        return int(known["local_hour"].to_numpy(dtype="int64")[busiest])


def day_overview(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> DayOverview:
    """Return the newest day of a period with data at these stores, against the same weekday before.

    Raises:
        NoData: none of the stores has data in the period.
    """
    places = list(location_ids)
    span = {"first_day": period.first_day, "last_day": period.last_day, "locations": places}
    ((day,),) = fetch_rows(connection, _NEWEST_SQL, span)
    if day is None:
        raise NoData(f"no camera saw these stores from {period.label}; ask for another period or location")
    asked = {"day": day, "earlier_day": day - WEEK, "locations": places}
    label = read_directory(connection).label
    stores = _stores(fetch_frame(connection, _STORES_SQL, asked), day, places)
    stores.insert(1, "location", stores["location_id"].map(label))
    dwell = _dwell(connection, asked)
    overview = DayOverview(
        day=day,
        stores=stores.sort_values(["visits", "location"], ascending=[False, True], ignore_index=True),
        hours=pd.DataFrame(),
        dwell=_mean(dwell, day),
        earlier_dwell=_mean(dwell, day - WEEK),
    )
    shown = overview.compared_stores if len(overview.compared_stores) else overview.known_stores
    hours = _hours(fetch_frame(connection, _HOURS_SQL, asked), day, set(shown["location_id"]))
    return DayOverview(overview.day, overview.stores, hours, overview.dwell, overview.earlier_dwell)


def _stores(found: pd.DataFrame, day: date, places: list[str]) -> pd.DataFrame:
    days = pd.to_datetime(found["business_day"]).dt.date
    now, before = (found[days == each].set_index("location_id") for each in (day, day - WEEK))
    frame = pd.DataFrame(index=pd.Index(places, name="location_id"))
    for name in _COUNTS:
        frame[name] = now[name].reindex(places).astype("Int64")
        frame[f"earlier_{name}"] = before[name].reindex(places).astype("Int64")
    earlier = frame["earlier_visits"].where(frame["earlier_visits"] > 0).astype("Float64")
    frame["change"] = frame["visits"].astype("Float64") / earlier - 1
    frame["peak_hour"] = now["peak_hour"].reindex(places).astype("Int64")
    frame["captured_share"] = now["captured_share"].reindex(places).astype("Float64")
    return frame.reset_index()


def _hours(found: pd.DataFrame, day: date, places: set[str]) -> pd.DataFrame:
    kept = found[found["location_id"].isin(places)]
    days = pd.to_datetime(kept["business_day"]).dt.date
    now, before = (kept[days == each].groupby("local_hour")["visits"].sum() for each in (day, day - WEEK))
    frame = pd.DataFrame({"visits": now, "earlier_visits": before}).astype("Int64")
    return frame.rename_axis("local_hour").reset_index()


def _dwell(connection: duckdb.DuckDBPyConnection, asked: dict[str, object]) -> pd.DataFrame:
    try:
        return fetch_frame(connection, _DWELL_SQL, asked)
    except duckdb.CatalogException:  # published before dwell was part of it
        return pd.DataFrame(columns=["business_day", "visits", "total_lower_s", "total_midpoint_s", "total_upper_s"])


def _mean(found: pd.DataFrame, day: date) -> Dwell | None:
    of_day = found[pd.to_datetime(found["business_day"]).dt.date == day]
    visits = of_day["visits"].sum()
    if not visits:
        return None
    lower, midpoint, upper = (of_day[f"total_{name}_s"].sum() / visits for name in ("lower", "midpoint", "upper"))
    return Dwell(float(lower), float(midpoint), float(upper))


def _sum(counts: pd.Series) -> int | None:
    return int(counts.sum()) if counts.notna().any() else None
