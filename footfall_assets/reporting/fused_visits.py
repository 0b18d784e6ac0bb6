"""Visits of a location from all sources at once, faces and counters, with an interval and each source beside it.

How each source errs is measured on all of a publication's hours, and shown for those of a period. Nothing is added
over locations: each has counters and errors of its own.
"""

from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd

from footfall_assets.contracts.errors import NoData
from footfall_assets.domain.fusion import FACES, FusedVisits, HourlyCounts, fuse
from footfall_assets.reporting.publication import fetch_frame
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import read_directory

FUSED_COLUMNS: Final = ("visits", "low", "high")

# One row an hour and source; what a counter says is people, `visits_per_entry` makes visits of them.
_HOURS_SQL: Final = """
select
    hours.location_id,
    hours.business_day,
    hours.hour_starts_at,
    hours.local_hour,
    hours.count_source as source,
    hours.people_in * errors.visits_per_entry as counted,
    errors.error
from counted_traffic_hourly as hours
inner join count_source_errors as errors on hours.count_source = errors.count_source
where hours.location_id in (select unnest($locations::varchar[]))
union all
select location_id, business_day, hour_starts_at, local_hour, 'faces', visits_started, null
from footfall_hourly
where
    visits_started is not null
    and location_id in (select unnest($locations::varchar[]))
    and location_id in (select location_id from counted_traffic_hourly)
order by 1, 3, 5
"""


@dataclass(frozen=True)
class FusedFootfall:
    """Visits by day and by hour, from all sources at once.

    Attributes:
        days: a row a location and business day: `location_id`, `location`, `business_day`, `hours` (that any source
            saw), `visits`, `low`, `high` (90 %), and a column a source with the visits by it alone, at its factor;
            missing where it said nothing.
        hours: the same a local hour, `hour_starts_at` and `local_hour` in place of `hours`.
        sources: a row a location and source: `location`, `source`, `hours`, `factor` (counted for each visit),
            `hour_error` (of an hour with ten visits, as a share), `day_error` (of a day, as a share).
        reasons: by location, why nothing is fused there.
    """

    days: pd.DataFrame
    hours: pd.DataFrame
    sources: pd.DataFrame
    reasons: dict[str, str]


def fused_footfall(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> FusedFootfall:
    """Return the visits of the whole days of a period at the locations that have a counter.

    Raises:
        NoData: the publication was made before sources were fused.
    """
    try:
        found = fetch_frame(connection, _HOURS_SQL, {"locations": list(location_ids)})
    except duckdb.CatalogException as error:
        raise NoData("this publication does not say how counters err; publish again: footfall run") from error
    label = read_directory(connection).label
    days, hours, sources, reasons = [], [], [], {}
    for location_id, rows in found.groupby("location_id"):
        name = label(str(location_id))
        clock, given = hours_of(rows)
        fused = fuse(given)
        if fused.reason:
            reasons[name] = fused.reason
            continue
        place = {"location_id": str(location_id), "location": name}
        sources += _sources(name, fused)
        in_period = clock["business_day"].between(period.first_day, period.last_day).to_numpy()
        hours.append(_by_hour(place, clock, fused)[in_period])
        days.append(_by_day(place, clock, fused, in_period))
    return FusedFootfall(_joined(days), _joined(hours), pd.DataFrame(sources), reasons)


def hours_of(rows: pd.DataFrame) -> tuple[pd.DataFrame, HourlyCounts]:
    """Return one location's hours, and what each source said of them.

    Args:
        rows: `business_day`, `hour_starts_at`, `local_hour`, `source`, `counted`, `error`: a row an hour and source.
    """
    clock = rows.groupby("hour_starts_at")[["business_day", "local_hour"]].first().reset_index()
    clock["business_day"] = pd.to_datetime(clock["business_day"]).dt.date
    counted = rows.pivot_table(index="hour_starts_at", columns="source", values="counted", aggfunc="sum")
    counted = counted.reindex(clock["hour_starts_at"])
    errors = rows.groupby("source")["error"].first().dropna()
    days = pd.to_datetime(clock["business_day"])
    return clock, HourlyCounts(
        day=np.asarray((days - days.min()).dt.days, dtype=np.int64),
        counts={str(name): np.asarray(counted[name], dtype=np.float64) for name in counted.columns},
        errors={str(name): float(error) for name, error in errors.items()},
    )


def hours_by_location(rows: pd.DataFrame) -> dict[str, HourlyCounts]:
    """Return what each source said of the hours of each location: `hours_of` of many at once, and faster.

    Args:
        rows: as for `hours_of`, with `location_id`.
    """
    said = rows.pivot_table(index=["location_id", "hour_starts_at"], columns="source", values="counted", aggfunc="sum")
    days = rows.groupby(["location_id", "hour_starts_at"])["business_day"].first().reindex(said.index)
    number = pd.to_datetime(days).to_numpy().astype("datetime64[D]").astype(np.int64)
    errors = rows.groupby(["location_id", "source"])["error"].first().dropna()
    counts = {str(name): said[name].to_numpy(np.float64) for name in said.columns}
    places = said.index.get_level_values("location_id").to_numpy()
    starts = np.flatnonzero(np.r_[True, places[1:] != places[:-1]]) if len(places) else np.empty(0, np.int64)
    found = {}
    for start, stop in zip(starts, [*starts[1:], len(places)], strict=True):
        here, place = slice(start, stop), str(places[start])
        known = {
            name: said_there for name, all_said in counts.items() if np.isfinite(said_there := all_said[here]).any()
        }
        anchored = {name: float(errors[place, name]) for name in known if (place, name) in errors.index}
        found[place] = HourlyCounts(number[here] - number[here].min(), known, anchored)
    return found


def _by_hour(place: dict[str, str], clock: pd.DataFrame, fused: FusedVisits) -> pd.DataFrame:
    bounds = [
        fused.interval(visits, error) for visits, error in zip(fused.visits.tolist(), fused.error.tolist(), strict=True)
    ]
    columns: dict[str, Any] = {
        **place,
        "visits": fused.visits,
        "low": [low for low, _ in bounds],
        "high": [high for _, high in bounds],
        **fused.alone,
    }
    return clock.assign(**columns)


def _by_day(
    place: dict[str, str], clock: pd.DataFrame, fused: FusedVisits, in_period: np.typing.NDArray[np.bool_]
) -> pd.DataFrame:
    rows = []
    for number, error in fused.day_error.items():
        of_day = (fused.day == number) & in_period
        if not of_day.any():
            continue
        visits = float(np.nansum(fused.visits[of_day]))
        low, high = fused.interval(visits, error)
        said = {name: _sum(alone[of_day]) for name, alone in fused.alone.items()}
        day = clock.loc[of_day, "business_day"].iloc[0]
        known = int(np.isfinite(fused.visits[of_day]).sum())
        rows.append({**place, "business_day": day, "hours": known, "visits": visits, "low": low, "high": high, **said})
    return pd.DataFrame(rows)


def _sum(said: np.typing.NDArray[np.float64]) -> float:
    """Return the sum over the hours of which the source said anything; NaN where it said nothing."""
    return float(np.nansum(said)) if np.isfinite(said).any() else float("nan")


def _sources(name: str, fused: FusedVisits) -> list[dict[str, object]]:
    ten = 10.0
    return [
        {
            "location": name,
            "source": source,
            "hours": fit.hours,
            "factor": fit.factor,
            "hour_error": float(np.sqrt(fit.dispersion / ten)),
            "day_error": fit.day_spread,
        }
        for source, fit in fused.sources.items()
    ]


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    kept = [frame for frame in frames if len(frame)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=["location", *FUSED_COLUMNS, FACES])
