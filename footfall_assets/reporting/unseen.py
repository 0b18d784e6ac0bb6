"""People whose face never showed: the total of a report with them in it, from door counters of the same hours.

Counters see whole locations, so the number is for whole days of all cameras of a location.
"""

from collections.abc import Mapping
from typing import Final

import duckdb

from footfall_assets.contracts.calibration import DEFAULT_LEVEL
from footfall_assets.domain.count_range import Total
from footfall_assets.domain.unseen import (
    PlaceHours,
    Visibility,
    counted_places,
    grouped,
    people_including_unseen,
    refused_at_once,
    visibility,
)
from footfall_assets.domain.visit_thinning import SeenPeople
from footfall_assets.reporting.fused_visits import hours_by_location
from footfall_assets.reporting.publication import fetch_frame, fetch_rows, has_table
from footfall_assets.reporting.selected_rows import SelectedRows
from footfall_assets.reporting.selection import Directory

_TABLES: Final = ("count_source_errors", "counted_traffic_hourly", "fct_visits", "footfall_daily")
_CHANCE_STEP: Final = 0.05  # of the log of visibility: people are grouped to the nearest

_WHOLE_DAYS: Final = "door counters are compared over whole days; ask for days without times"
_WHOLE_LOCATIONS: Final = "door counters see whole locations; choose all cameras of each location"
_OLDER: Final = "this publication was made before door counters were compared; publish again: footfall run"

_DAYS: Final = """
select linkage_window, location_id, sum(visits)::bigint as visits
from footfall_daily
where business_day between $first_day and $last_day and location_id in (select unnest($locations::varchar[]))
group by linkage_window, location_id
having sum(visits) > 0
"""
# Places are picked by who asks: comparing ten thousand names with as many took four times as long.
_COUNTED: Final = """
with
    windows as (
        select linkage_window, min(business_day) as begins, max(business_day) as ends
        from sightings_daily
        where business_day between $first_day and $last_day
        group by linkage_window
    )
select distinct windows.linkage_window, counted.location_id
from counted_traffic_hourly as counted
inner join windows on counted.business_day between windows.begins and windows.ends
where
    counted.business_day between $first_day and $last_day
    and counted.count_source in (select count_source from count_source_errors)
"""
# What a counter says is people; `visits_per_entry` makes visits of them. Faces of an hour without coverage are unknown.
_HOURS: Final = """
with
    windows as (select distinct business_day, linkage_window from sightings_daily)
select
    hours.location_id,
    hours.business_day,
    hours.hour_starts_at,
    hours.local_hour,
    hours.source,
    hours.counted,
    hours.error
from (
    select
        location_id,
        business_day,
        hour_starts_at,
        local_hour,
        counted_traffic_hourly.count_source as source,
        people_in * visits_per_entry as counted,
        error
    from counted_traffic_hourly
    inner join count_source_errors on counted_traffic_hourly.count_source = count_source_errors.count_source
    union all
    -- Every source of an hour repeats the visits with a face.
    select distinct location_id, business_day, hour_starts_at, local_hour, 'faces', visits_started, null
    from counted_traffic_hourly
    where visits_started is not null
) as hours
inner join windows on hours.business_day = windows.business_day
where
    hours.business_day between $first_day and $last_day
    and hours.location_id in (select unnest($locations::varchar[]))
    and windows.linkage_window = $window
order by hours.location_id, hours.hour_starts_at, hours.source
"""
# Visits at locations of different visibility: the chance of somebody's visits together is their harmonic mean.
_SEEN: Final = """
with
    chances as (
        select unnest($locations::varchar[]) as location_id, unnest($chances::double[]) as chance
    ),
    people as (
        select
            visits.face_id,
            count(*) as times,
            least(exp(round(ln(count(*) / sum(1 / chances.chance)) / $step) * $step), 1) as chance
        from fct_visits as visits
        inner join chances on visits.location_id = chances.location_id
        where visits.business_day between $first_day and $last_day and visits.linkage_window = $window
        group by visits.face_id
    )
select chance, times, count(*)
from people
group by chance, times
order by chance, times
"""


def totals_incl_unseen(
    connection: duckdb.DuckDBPyConnection, directory: Directory, rows: SelectedRows, totals: Mapping[str, Total]
) -> dict[str, Total]:
    """Return by linkage window the people who came, seen or not, or why nobody can say.

    Args:
        connection: to the visitor-level file of a publication.
        directory: of the publication.
        rows: what the report is about.
        totals: of the people with a face, by linkage window.
    """
    places = _whole_locations(directory, rows)
    if isinstance(places, str):
        return {window: _refused(places) for window in totals}
    if not all(has_table(connection, table) for table in _TABLES):
        return {window: _refused(_OLDER) for window in totals}
    asked = {
        "first_day": rows.parameters["first_day"],
        "last_day": rows.parameters["last_day"],
        "locations": list(places),
    }
    visits = fetch_rows(connection, _DAYS, asked)
    counted = fetch_rows(connection, _COUNTED, rows.days)
    found = {}
    for window, total in totals.items():
        at = {place: count for of, place, count in visits if of == window}
        counted_at = {place for of, place in counted if of == window}.intersection(places)
        known = refused_at_once(at, counted_at) or _visibility(connection, directory, asked, window, at, counted_at)
        found[window] = people_including_unseen(total, _seen(connection, asked, window, known), known)
    return found


def _refused(reason: str) -> Total:
    return Total(None, None, DEFAULT_LEVEL, reason)


def _whole_locations(directory: Directory, rows: SelectedRows) -> tuple[str, ...] | str:
    """Return the locations whose cameras are all in the selection, or why a counter cannot be compared."""
    if rows.to_the_minute:
        return _WHOLE_DAYS
    cameras = rows.parameters["cameras"]
    if not isinstance(cameras, list):
        return tuple(directory.locations)
    chosen = {directory.cameras[camera].location_id for camera in cameras if camera in directory.cameras}
    missing = [
        camera.camera_id
        for camera in directory.cameras.values()
        if camera.location_id in chosen and camera.camera_id not in cameras
    ]
    return _WHOLE_LOCATIONS if missing else tuple(sorted(chosen))


def _visibility(
    connection: duckdb.DuckDBPyConnection,
    directory: Directory,
    asked: Mapping[str, object],
    window: str,
    visits: Mapping[str, int],
    counted: set[str],
) -> Visibility | str:
    hours = fetch_frame(connection, _HOURS, {**asked, "locations": sorted(counted), "window": window})
    by_place = hours_by_location(hours)
    places = {key: PlaceHours(directory.label(key), count, by_place.get(key)) for key, count in visits.items()}
    return visibility(counted_places(places))


def _seen(
    connection: duckdb.DuckDBPyConnection, asked: Mapping[str, object], window: str, known: Visibility | str
) -> tuple[SeenPeople, ...]:
    if isinstance(known, str):
        return ()
    bound = {
        "first_day": asked["first_day"],
        "last_day": asked["last_day"],
        "locations": list(known.chances),
        "chances": list(known.chances.values()),
        "window": window,
        "step": _CHANCE_STEP,
    }
    return grouped(fetch_rows(connection, _SEEN, bound))
