"""Protected counts for people who may see a place's figures and nothing about single people.

Each count belongs to one fixed hour, day, week or month of one location, and comes out as it was published whatever is
asked: nothing is added up, divided or counted anew here.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.publication import fetch_frame, fetch_rows
from footfall_assets.reporting.request import Period

_COUNTS_SQL: Final = """
select
    counts.first_day,
    counts.last_day,
    coalesce(timezone(places.timezone, counts.hour_starts_at), counts.first_day::timestamp) as local_time,
    counts.is_fewer,
    counts.unique_visitors
from protected_footfall as counts
inner join dim_locations as places using (location_id)
where
    counts.location_id = $location
    and ($allowed::varchar[] is null or counts.location_id in (select unnest($allowed::varchar[])))
    and counts.grain = $grain
    and counts.first_day <= $last_day
    and counts.last_day >= $first_day
order by counts.first_day, counts.hour_starts_at
"""
_RULES_SQL: Final = "select least_visitors, rounding from protection_rules"
_EXTENT_SQL: Final = """
select min(first_day), max(last_day)
from protected_footfall
where
    grain = 'day'
    and ($allowed::varchar[] is null or location_id in (select unnest($allowed::varchar[])))
"""


class ProtectedGrain(StrEnum):
    """The units that have counts of their own."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class ProtectionRules:
    """How counts were protected.

    Attributes:
        least_visitors: different people from which on a count is shown.
        rounding: counts are multiples of it.
    """

    least_visitors: int
    rounding: int

    @property
    def fewer(self) -> str:
        """What stands in place of a hidden count."""
        return f"<{self.least_visitors}"


def protection_rules(connection: duckdb.DuckDBPyConnection) -> ProtectionRules:
    """Return how the counts of this publication were protected."""
    ((least, rounding),) = fetch_rows(connection, _RULES_SQL, {})
    return ProtectionRules(least, rounding)


def protected_footfall(
    connection: duckdb.DuckDBPyConnection,
    location_id: str,
    grain: ProtectedGrain,
    period: Period,
    *,
    allowed: tuple[str, ...] | None,
) -> pd.DataFrame:
    """Return one row for each unit of a location that touches the period and has a count, in order.

    None for a location that is not among the `allowed` (None: all are).

    Columns: `first_day`, `last_day` (dates of the unit), `local_time` (its start on the location's clock, naive),
    `is_fewer`, `unique_visitors` (nullable integer, missing where fewer). A unit that is closed, without coverage or
    not over yet has no row.
    """
    parameters = {
        "location": location_id,
        "allowed": None if allowed is None else list(allowed),
        "grain": str(grain),
        "first_day": period.first_day,
        "last_day": period.last_day,
    }
    return fetch_frame(connection, _COUNTS_SQL, parameters).astype({"unique_visitors": "Int64"})


def protected_days(connection: duckdb.DuckDBPyConnection, *, allowed: tuple[str, ...] | None) -> Period:
    """Return the first and the last business day that any of the `allowed` locations (None: all) has a count for.

    Raises:
        NoData: there is none yet: a day counts once the next one has begun.
    """
    places = {"allowed": None if allowed is None else list(allowed)}
    found: list[tuple[date | None, date | None]] = fetch_rows(connection, _EXTENT_SQL, places)
    [(first, last)] = found
    if first is None or last is None:
        raise NoData(
            "no day of your locations is over yet, expected at least one; a day counts once the next has begun"
        )
    return Period(first, last)
