"""One visitor's way: every appearance of a period, and the visits that they make up."""

from collections.abc import Iterable
from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.publication import fetch_frame
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.selected_rows import in_file, rows_of, selected_rows
from footfall_assets.reporting.selection import read_directory, select_cameras

# As in the list: a pause counts from the latest end so far, and local midnight ends a visit.
_APPEARANCES_SQL: Final = {
    to_the_minute: f"""
with
    arrivals as (
        select
            *,
            coalesce(
                started_at > max(ended_at) over (
                    partition by location_id, business_day
                    order by started_at, ended_at
                    rows between unbounded preceding and 1 preceding
                ) + to_seconds($visit_gap_s),
                true
            ) as is_arrival
        from {rows} as selected
        where visitor_id = $visitor_id and linkage_window = $linkage_window
    )
select
    business_day,
    location_id,
    camera_id,
    started_at,
    ended_at,
    sightings,
    sum(is_arrival::integer) over (
        order by business_day, location_id, started_at, ended_at rows unbounded preceding
    )::bigint as visit
from arrivals
order by started_at, ended_at, camera_id
"""  # noqa: S608 - a constant; what people ask for is bound
    for to_the_minute, rows in rows_of("fct_appearances", "started_at").items()
}


def visitor_timeline(
    connection: duckdb.DuckDBPyConnection,
    request: ReportRequest,
    *,
    visitor_id: str,
    linkage_window: str,
    visit_gap_s: int,
    allowed: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Return one row an appearance of one visitor at the selected cameras, in order of their start.

    Columns: `business_day`, `location`, `camera`, `starts_local` and `ends_local` (wall clock of the location, naive),
    `sightings`, `visit` (1 is the first of the period; appearances of one number are one stay). `allowed` are the
    locations that may be asked for; None for all.

    Raises:
        UserMistake: an unknown location, camera or camera group.
        NoData: there is no such visitor in the selection.
    """
    directory = read_directory(connection, allowed=allowed)
    rows = selected_rows(directory, select_cameras(directory, request), request.period)
    asked = {"visitor_id": visitor_id, "linkage_window": linkage_window, "visit_gap_s": visit_gap_s}
    found = fetch_frame(
        connection, *in_file(connection, _APPEARANCES_SQL[rows.to_the_minute], dict(rows.parameters) | asked)
    )
    if found.empty:
        raise NoData("no visitor of this ID was seen in the period at the selected cameras; take one from the list")
    zones = {key: place.timezone for key, place in directory.locations.items()}
    cameras = {key: camera.name for key, camera in directory.cameras.items()}
    numbers = {visit: number for number, visit in enumerate(dict.fromkeys(found["visit"]), start=1)}
    return pd.DataFrame(
        {
            "business_day": found["business_day"],
            "location": found["location_id"].map(directory.label),
            "camera": [cameras.get(key, key) for key in found["camera_id"]],
            "starts_local": _local(found, "started_at", zones),
            "ends_local": _local(found, "ended_at", zones),
            "sightings": found["sightings"],
            "visit": found["visit"].map(numbers),
        }
    )


def _local(found: pd.DataFrame, column: str, zones: dict[str, str]) -> pd.Series:
    clocks = [
        moment.tz_convert(zones.get(place, "UTC")).tz_localize(None)
        for moment, place in zip(found[column], found["location_id"], strict=True)
    ]
    return pd.Series(clocks, index=found.index, dtype="datetime64[us]")
