"""In which order visitors go through a store: moves between zones or cameras, and the most common journeys."""

from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.location_query import fetch_at_locations
from footfall_assets.reporting.request import Period

ENTRY: Final = "(entry)"
EXIT: Final = "(exit)"

_CHOSEN: Final = """
business_day between $first_day and $last_day
and location_id in (select unnest($locations::varchar[]))
"""
# Places of one name at several stores are one place: departments. The medians of days give no median of a period, so a
# period shows the mean gap, whose total adds up.
_FLOWS_SQL: Final = f"""
select
    from_place,
    to_place,
    sum(moves)::bigint as moves,
    sum(moves) / sum(sum(moves)) over (partition by from_place) as share_of_leaving,
    sum(total_gap_s) / sum(moves) as mean_gap_s
from camera_flows
where level = $level and {_CHOSEN}
group by from_place, to_place
order by moves desc, from_place, to_place
"""  # noqa: S608 - a constant; what people ask for is bound
_HOURLY_SQL: Final = f"""
select local_hour, from_place, to_place, sum(moves)::bigint as moves
from camera_flows_hourly
where {_CHOSEN}
group by local_hour, from_place, to_place
order by local_hour, moves desc, from_place, to_place
"""  # noqa: S608 - a constant; what people ask for is bound
_JOURNEYS_SQL: Final = f"""
select
    journey,
    steps,
    goes_on,
    sum(visits)::bigint as visits,
    sum(visits) / sum(sum(visits)) over () as share
from journeys
where {_CHOSEN}
group by journey, steps, goes_on
order by visits desc, journey, goes_on
limit $most
"""  # noqa: S608 - a constant; what people ask for is bound


def flows(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...], level: str = "zone"
) -> pd.DataFrame:
    """Return one row a pair of places that visits moved between, the most frequent first.

    Columns: `from_place` (`(entry)` for the way in), `to_place` (`(exit)` for the way out), `moves`,
    `share_of_leaving` (of all that left the first place), `mean_gap_s` (missing for the ways in and out). `level` is
    `zone` or `camera`.

    Raises:
        NoData: nobody visited.
    """
    found = fetch_at_locations(connection, _FLOWS_SQL, period, location_ids, {"level": level})
    if found.empty:
        raise _nobody(period)
    return found


def flows_by_hour(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a local hour and pair of zones: `local_hour`, `from_place`, `to_place`, `moves`."""
    return fetch_at_locations(connection, _HOURLY_SQL, period, location_ids)


def journeys(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...], most: int = 15
) -> pd.DataFrame:
    """Return the `most` frequent journeys: `journey`, `steps`, `goes_on`, `visits` and `share` of all visits.

    Raises:
        NoData: nobody visited.
    """
    found = fetch_at_locations(connection, _JOURNEYS_SQL, period, location_ids, {"most": most})
    if found.empty:
        raise _nobody(period)
    return found


def _nobody(period: Period) -> NoData:
    return NoData(
        f"no visit at these locations from {period.label}; choose another period, or locations that recognise visitors"
    )
