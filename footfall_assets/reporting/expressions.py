"""Shares of visitors by expression, at a camera or in a zone such as at a display; corrected as in `demographics`.

Cameras and zones are never put together: one visitor is seen by several cameras and walks through several zones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.attributes import Trait
from footfall_assets.reporting.demographics import (
    TraitShares,
    asked_of,
    confusions_at,
    corrected_shares,
    left_out_days,
)
from footfall_assets.reporting.request import Period

PLACES_AT_MOST: Final = 24  # cameras or zones whose expressions are estimated, those with most visitors first
_DRAWS: Final = 300
LeftOut = tuple[tuple[str, int], ...]  # camera-days or zone-days of which nothing is said, by reason

_OF_PERIOD: Final = "business_day between $first_day and $last_day"
_AT_CAMERAS: Final = "($cameras::varchar[] is null or camera_id in (select unnest($cameras::varchar[])))"
_AT_LOCATIONS: Final = "location_id in (select unnest($locations::varchar[]))"
_CAMERAS_SQL: Final = f"""
select location_id, camera_id as place, class, sum(visitors)::bigint as visitors
from expression_daily
where visitors is not null and {_OF_PERIOD} and {_AT_CAMERAS}
group by location_id, camera_id, class
order by location_id, camera_id, class
"""  # noqa: S608 - a constant; what people ask for is bound
_CAMERAS_LEFT_OUT_SQL: Final = f"""
select suppressed_reason, count(distinct (camera_id, business_day))
from expression_daily
where suppressed_reason is not null and {_OF_PERIOD} and {_AT_CAMERAS}
group by suppressed_reason
order by suppressed_reason
"""  # noqa: S608 - a constant; what people ask for is bound
_ZONES_SQL: Final = f"""
select location_id, zone as place, class, sum(visitors)::bigint as visitors
from expression_by_zone
where visitors is not null and {_OF_PERIOD} and {_AT_LOCATIONS}
group by location_id, zone, class
order by location_id, zone, class
"""  # noqa: S608 - a constant; what people ask for is bound
_ZONES_LEFT_OUT_SQL: Final = f"""
select suppressed_reason, count(distinct (location_id, zone, business_day))
from expression_by_zone
where suppressed_reason is not null and {_OF_PERIOD} and {_AT_LOCATIONS}
group by suppressed_reason
order by suppressed_reason
"""  # noqa: S608 - a constant; what people ask for is bound


@dataclass(frozen=True)
class PlaceExpressions:
    """Expressions at one camera or in one zone of a location; `place` is the camera's id or the zone's name."""

    place: str
    location_id: str
    shown: TraitShares


def expressions_by_camera(
    connection: duckdb.DuckDBPyConnection, period: Period, *, camera_ids: tuple[str, ...] | None
) -> tuple[tuple[PlaceExpressions, ...], LeftOut]:
    """Return the expressions at each camera, most visitors first, and the camera-days of which nothing is said.

    Raises as `demographics.trait_shares`.
    """
    asked = _days(period) | {"cameras": None if camera_ids is None else list(camera_ids)}
    return _by_place(connection, asked, counts=_CAMERAS_SQL, left_out=_CAMERAS_LEFT_OUT_SQL)


def expressions_by_zone(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> tuple[tuple[PlaceExpressions, ...], LeftOut]:
    """Return the expressions in each zone, most visitors first, and the zone-days of which nothing is said.

    Raises as `demographics.trait_shares`.
    """
    asked = _days(period) | {"locations": list(location_ids)}
    return _by_place(connection, asked, counts=_ZONES_SQL, left_out=_ZONES_LEFT_OUT_SQL)


def _by_place(
    connection: duckdb.DuckDBPyConnection, asked: Mapping[str, object], *, counts: str, left_out: str
) -> tuple[tuple[PlaceExpressions, ...], LeftOut]:
    rows = asked_of(connection, counts, asked)
    unsaid = left_out_days(connection, left_out, asked)
    confusions = confusions_at(connection, Trait.EXPRESSION, tuple(rows["location_id"].unique()))
    places = rows.groupby(["location_id", "place"], sort=True)
    busiest = places["visitors"].sum().sort_values(ascending=False, kind="stable")
    found = []
    for location_id, place in busiest.index[:PLACES_AT_MOST]:
        of_place: pd.DataFrame = places.get_group((location_id, place))
        shown = corrected_shares(Trait.EXPRESSION, of_place, confusions, (), draws=_DRAWS)
        found.append(PlaceExpressions(str(place), str(location_id), shown))
    return tuple(found), unsaid


def _days(period: Period) -> dict[str, object]:
    return {"first_day": period.first_day, "last_day": period.last_day}
