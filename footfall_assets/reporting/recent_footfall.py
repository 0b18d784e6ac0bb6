"""The newest minutes of one location in windows of 15 seconds, and how old they are.

A window in which a camera was alive and nobody was there is 0; one in which no camera was alive is missing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData, UserMistake
from footfall_assets.reporting.publication import fetch_frame
from footfall_assets.reporting.selection import LocationInfo, read_directory

WINDOW_S: Final = 15
_WINDOW: Final = timedelta(seconds=WINDOW_S)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MOST_MINUTES: Final = 24 * 60  # a day of windows, 5,760 rows
COUNTS: Final = ("sightings", "unidentified_sightings", "unique_visitors")

_NEWEST_SQL: Final = """
select max(moment) as newest
from (
    select max(covered_to) as moment from coverage_spans where location_id = $location
    union all
    select make_timestamptz(max(epoch_us(window_starts_at)) + 15000000) from footfall_15s where location_id = $location
)
"""
_WINDOWS_SQL: Final = """
with
    windows as (
        select make_timestamptz(number * 15000000) as window_starts_at
        from range($first_number::bigint, $end_number::bigint) as numbers (number)
    ),
    spans as (
        select covered_from, covered_to
        from coverage_spans
        where location_id = $location and covered_to > $since and covered_from < $until
    ),
    counted as (
        select window_starts_at, sightings, unidentified_sightings, unique_visitors
        from footfall_15s
        where location_id = $location and window_starts_at >= $since and window_starts_at < $until
    ),
    known as (
        select
            windows.window_starts_at,
            counted.sightings is not null or exists (
                select 1
                from spans
                where
                    epoch_us(spans.covered_from) < epoch_us(windows.window_starts_at) + 15000000
                    and spans.covered_to > windows.window_starts_at
            ) as is_known,
            counted.* exclude (window_starts_at)
        from windows
        left join counted on windows.window_starts_at = counted.window_starts_at
    )
select
    window_starts_at,
    case when is_known then coalesce(sightings, 0) end as sightings,
    case when is_known then coalesce(unidentified_sightings, 0) end as unidentified_sightings,
    case when is_known and $recognises then coalesce(unique_visitors, 0) end as unique_visitors
from known
order by window_starts_at
"""


@dataclass(frozen=True)
class RecentFootfall:
    """The newest windows of one location.

    Attributes:
        location: the location asked for.
        newest: end of the newest data of the location, UTC.
        age: from `newest` to the moment of asking, never below 0.
        windows: one row a window of 15 s, oldest first, the last one holding `newest`: `window_starts_at` (UTC),
            `local_time` (wall clock of the location, naive, for the axis), then `COUNTS` as nullable integers, missing
            where no camera was alive; `unique_visitors` is missing throughout where the location counts only.
    """

    location: LocationInfo
    newest: datetime
    age: timedelta
    windows: pd.DataFrame

    @property
    def since(self) -> datetime:
        """Start of the oldest window, UTC."""
        start: datetime = self.windows["window_starts_at"].iloc[0].to_pydatetime()
        return start


def recent_footfall(
    connection: duckdb.DuckDBPyConnection,
    location_id: str,
    *,
    minutes: int,
    now: datetime,
    allowed: Iterable[str] | None = None,
) -> RecentFootfall:
    """Return the newest `minutes` of data of a location; `now` is timezone-aware and gives their age.

    `allowed` are the locations that may be asked for; None for all.

    The minutes count back from the newest data, not from now: an old publication still shows its last minutes, with
    their age.

    Raises:
        UserMistake: the location is unknown, or `minutes` is not 1 to 1,440.
        NoData: the location has never delivered anything, or the publication was made before there were windows.
    """
    if not 1 <= minutes <= MOST_MINUTES:
        raise UserMistake(f"expected 1 to {MOST_MINUTES} minutes, got {minutes}")
    location = read_directory(connection, allowed=allowed).locations.get(location_id)
    if location is None:
        raise UserMistake(f"unknown location {location_id[:80]!r}; choose one of the publication's locations")
    newest = _newest(connection, location_id)
    end_number = (newest - _EPOCH - timedelta(microseconds=1)) // _WINDOW + 1
    first_number = end_number - minutes * 60 // WINDOW_S
    windows = fetch_frame(
        connection,
        _WINDOWS_SQL,
        {
            "location": location_id,
            "first_number": first_number,
            "end_number": end_number,
            "since": _EPOCH + first_number * _WINDOW,
            "until": _EPOCH + end_number * _WINDOW,
            "recognises": location.mode == "unique",
        },
    )
    local_time = windows["window_starts_at"].dt.tz_convert(location.timezone).dt.tz_localize(None)
    windows.insert(1, "local_time", local_time.astype("datetime64[us]"))
    return RecentFootfall(
        location=location,
        newest=newest,
        age=max(now - newest, timedelta(0)),
        windows=windows.astype(dict.fromkeys(COUNTS, "Int64")),
    )


def _newest(connection: duckdb.DuckDBPyConnection, location_id: str) -> datetime:
    try:
        found = fetch_frame(connection, _NEWEST_SQL, {"location": location_id})["newest"].iloc[0]
    except duckdb.CatalogException as error:
        raise NoData("this publication says nothing of 15-second windows; publish again: footfall run") from error
    if pd.isna(found):
        raise NoData(f"{location_id} has delivered nothing yet; ingest stills, then run: footfall run")
    newest: datetime = found.to_pydatetime()
    return newest
