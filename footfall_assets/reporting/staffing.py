"""When people come, and whether as many staff are planned as they need.

The profile is a mean over days that have data: an hour that no camera saw is left out of it and is never a zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData, UserMistake
from footfall_assets.reporting.publication import fetch_frame
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import read_directory

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOST_VISITORS_PER_STAFF: Final = 1000

# Of two hours of one name, when clocks go back, visits add up and the day counts once.
_PROFILE_SQL: Final = """
with
    hours as (
        select
            weekday,
            local_hour,
            is_open,
            repeats_local_hour,
            case when $measure = 'visits' then visits_started else sightings end as people
        from staffing_hourly
        where
            business_day between $first_day and $last_day
            and location_id in (select unnest($locations::varchar[]))
            and covered_minutes > 0
    )
select
    weekday,
    local_hour,
    sum(people) / count(*) filter (where not repeats_local_hour) as people_per_hour,
    count(*) filter (where not repeats_local_hour) as store_days,
    bool_or(coalesce(is_open, true)) as is_open
from hours
where people is not null
group by weekday, local_hour
order by weekday, local_hour
"""

# An hour seen in part can have been too busy for its staff; that it was too quiet nobody knows.
_JUDGED: Final = """
with
    hours as (
        select
            location_id,
            hour_starts_at,
            local_hour,
            is_open,
            open_minutes,
            covered_minutes,
            unique_visitors,
            planned_staff,
            case
                when unique_visitors is not null and coalesce(is_open, true)
                then greatest($least_staff, ceil(unique_visitors / $visitors_per_staff::double))
            end as needed_staff
        from staffing_hourly
        where
            business_day between $first_day and $last_day
            and location_id in (select unnest($locations::varchar[]))
            and planned_staff is not null
    ),
    judged as (
        select
            *,
            case
                when needed_staff is null then null
                when planned_staff < needed_staff then 'under'
                when covered_minutes < coalesce(open_minutes, 60) then null
                when planned_staff >= needed_staff + 1 then 'over'
                else 'as needed'
            end as staffing
        from hours
    )
"""
_PROFILE_OF_STAFF_SQL: Final = f"""
{_JUDGED}
select
    local_hour,
    avg(planned_staff) filter (where needed_staff is not null) as planned_staff,
    avg(needed_staff) as needed_staff,
    avg(unique_visitors) filter (where needed_staff is not null) as unique_visitors,
    count(*) as planned_hours,
    count(needed_staff) as hours,
    count(*) filter (where staffing = 'under') as under,
    count(*) filter (where staffing = 'over') as over,
    count(*) filter (where staffing = 'as needed') as as_needed,
    count(*) filter (where is_open is null) as hours_of_unknown_opening
from judged
group by local_hour
order by local_hour
"""  # noqa: S608 - a constant; what people ask for is bound
_UNDER_SQL: Final = f"""
{_JUDGED}
select
    location_id,
    hour_starts_at,
    unique_visitors,
    planned_staff,
    needed_staff,
    covered_minutes
from judged
where staffing = 'under'
order by needed_staff - planned_staff desc, hour_starts_at, location_id
limit $most
"""  # noqa: S608 - a constant; what people ask for is bound


class PeopleMeasure(StrEnum):
    """What a profile counts: visits where visitors are recognised, else sightings."""

    VISITS = "visits"
    SIGHTINGS = "sightings"


@dataclass(frozen=True)
class ServiceLevel:
    """How many staff an hour needs: one for every `visitors_per_staff` visitors, and `least_staff` while open.

    Raises:
        UserMistake: a number is out of range.
    """

    visitors_per_staff: float = 10
    least_staff: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.visitors_per_staff <= _MOST_VISITORS_PER_STAFF or self.least_staff < 0:
            raise UserMistake(
                f"expected more than 0 and at most {_MOST_VISITORS_PER_STAFF} visitors for each member of staff, "
                f"got {self.visitors_per_staff:g}"
            )

    @property
    def text(self) -> str:
        """The level in words."""
        return (
            f"one member of staff for every {self.visitors_per_staff:g} visitors an hour, at least {self.least_staff} "
            "while open"
        )


@dataclass(frozen=True)
class StaffingSummary:
    """How many planned hours there are, and how those with known visitors were judged.

    `no_verdict`: enough for what was seen of the hour, and the rest nobody knows. `opening_known`: of any planned hour.
    """

    planned_hours: int
    under: int
    over: int
    as_needed: int
    no_verdict: int
    opening_known: bool


def hourly_profile(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    *,
    location_ids: tuple[str, ...],
    measure: PeopleMeasure = PeopleMeasure.VISITS,
) -> pd.DataFrame:
    """Return the mean of people an hour and store by weekday and local hour, over the days that have data.

    Columns: `weekday` (1 is Monday), `local_hour`, `people_per_hour` (mean over stores and days), `store_days` (how
    many went into it), `is_open` (whether any store may have been open). A combination nobody saw has no row.

    Raises:
        NoData: no camera saw any hour, or none of the locations counts by `measure`.
    """
    frame = _fetch(connection, _PROFILE_SQL, _selected(period, location_ids) | {"measure": str(measure)})
    if frame.empty:
        raise NoData("no camera saw an hour of these locations in the period; ask for another period or location")
    return frame


def staffing_profile(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...], level: ServiceLevel
) -> pd.DataFrame:
    """Return the planned hours by local hour, judged against `level`.

    Columns: `local_hour`; `planned_staff`, `needed_staff`, `unique_visitors` (means over hours whose visitors are
    known), `planned_hours`, `hours` (how many went into the means), `under`, `over`, `as_needed` (how many were judged
    so), `hours_of_unknown_opening`. An hour is not judged where visitors are not known, where the store is closed, and
    where a part of it was not seen and the staff were enough for the rest. Empty where nothing is planned.

    Raises:
        NoData: the publication was made before staffing was part of it.
    """
    return _fetch(connection, _PROFILE_OF_STAFF_SQL, _selected(period, location_ids) | _bound(level))


def understaffed_hours(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    *,
    location_ids: tuple[str, ...],
    level: ServiceLevel,
    most: int,
) -> pd.DataFrame:
    """Return at most `most` hours with fewer staff planned than needed, those that lack most first.

    Columns: `location_id`, `location`, `hour_starts_at` (UTC), `local_time` (naive wall clock), `unique_visitors`,
    `planned_staff`, `needed_staff`, `covered_minutes` (of the hour, that a camera saw). Raises as `staffing_profile`.
    """
    frame = _fetch(connection, _UNDER_SQL, _selected(period, location_ids) | _bound(level) | {"most": most})
    directory = read_directory(connection)
    frame.insert(1, "location", frame["location_id"].map(directory.label))
    zones = {key: each.timezone for key, each in directory.locations.items()}
    frame.insert(3, "local_time", _wall_clock(frame, zones))
    return frame


def summarise(profile: pd.DataFrame) -> StaffingSummary:
    """Return the sums of `staffing_profile`."""
    names = ("planned_hours", "under", "over", "as_needed", "hours", "hours_of_unknown_opening")
    planned, under, over, as_needed, hours, unknown = (int(profile[name].sum()) for name in names)
    return StaffingSummary(
        planned_hours=planned,
        under=under,
        over=over,
        as_needed=as_needed,
        no_verdict=hours - under - over - as_needed,
        opening_known=unknown < planned,
    )


def peak_text(profile: pd.DataFrame, *, measure: PeopleMeasure = PeopleMeasure.VISITS) -> str:
    """Return in words which hours of the week are busiest and which open hour is quietest."""
    open_hours = profile[profile["is_open"]]
    ordered = (open_hours if not open_hours.empty else profile).sort_values(
        ["people_per_hour", "weekday", "local_hour"], ascending=[False, True, True]
    )
    busiest = [_hour_text(row) for row in ordered.head(3).itertuples()]
    quietest = ordered.iloc[-1]
    noun = "visits" if measure is PeopleMeasure.VISITS else "sightings"
    times = f"{ordered.iloc[0]['people_per_hour']:.1f}"
    text = f"Busiest: {busiest[0]}, with {times} {noun} an hour and store on average"
    text += f"; then {' and '.join(busiest[1:])}. " if len(busiest) > 1 else ". "
    if len(ordered) == 1:
        return text.strip()
    quiet = f"{WEEKDAYS[int(quietest['weekday']) - 1]} {_span(int(quietest['local_hour']))}"
    return text + f"Quietest: {quiet}, with {quietest['people_per_hour']:.1f}."


def _hour_text(row: object) -> str:
    weekday, hour = int(getattr(row, "weekday")), int(getattr(row, "local_hour"))  # noqa: B009 - columns of a frame
    return f"{WEEKDAYS[weekday - 1]} {_span(hour)}"


def _span(hour: int) -> str:
    return f"{hour:02}:00 to {hour + 1:02}:00"


def _selected(period: Period, location_ids: tuple[str, ...]) -> dict[str, object]:
    return {"first_day": period.first_day, "last_day": period.last_day, "locations": list(location_ids)}


def _bound(level: ServiceLevel) -> dict[str, object]:
    return {"visitors_per_staff": level.visitors_per_staff, "least_staff": level.least_staff}


def _wall_clock(frame: pd.DataFrame, zones: Mapping[str, str]) -> pd.Series:
    local = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us]")
    for zone, hours in frame.groupby(frame["location_id"].map(zones).fillna("UTC"))["hour_starts_at"]:
        local.loc[hours.index] = hours.dt.tz_convert(str(zone)).dt.tz_localize(None).astype("datetime64[us]")
    return local


def _fetch(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]) -> pd.DataFrame:
    try:
        return fetch_frame(connection, sql, parameters)
    except duckdb.CatalogException as error:
        raise NoData("this publication says nothing of staffing; publish again: footfall run") from error
