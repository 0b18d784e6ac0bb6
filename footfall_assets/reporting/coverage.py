"""What the cameras delivered and what is missing; a day or a batch that is missing is listed, never a zero."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.publication import fetch_frame

_DAYS_SQL: Final = """
select
    location_id,
    camera_id,
    business_day,
    batches,
    missing_batches,
    frames_expected,
    frames_captured,
    frames_kept,
    images_quarantined
from coverage_daily
where business_day between $first_day and $last_day
order by business_day, camera_id
"""
_GAPS_SQL: Final = """
select
    location_id,
    camera_id,
    device_id,
    business_day,
    first_missing,
    last_missing,
    missing_batches,
    gap_starts_at,
    gap_ends_at
from coverage_gaps
where business_day between $first_day and $last_day
order by business_day desc, camera_id, first_missing
limit $most
"""


def coverage_by_day(connection: duckdb.DuckDBPyConnection, first_day: date, last_day: date) -> pd.DataFrame:
    """Return one row a camera and business day on which a batch came, sorted by day and camera.

    `captured_share` is frames captured of those expected, missing where none was expected.

    Raises:
        NoData: the publication was made before coverage was part of it.
    """
    frame = _fetch(connection, _DAYS_SQL, {"first_day": first_day, "last_day": last_day})
    expected = frame["frames_expected"].where(frame["frames_expected"] > 0)
    return frame.assign(captured_share=(frame["frames_captured"] / expected).clip(upper=1.0))


def coverage_gaps(
    connection: duckdb.DuckDBPyConnection, first_day: date, last_day: date, *, most: int = 1000
) -> pd.DataFrame:
    """Return one row a run of missing batches, the newest day first, at most `most`; times are UTC.

    Raises:
        NoData: the publication was made before coverage was part of it.
    """
    return _fetch(connection, _GAPS_SQL, {"first_day": first_day, "last_day": last_day, "most": most})


def _fetch(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, object]) -> pd.DataFrame:
    try:
        return fetch_frame(connection, sql, parameters)
    except duckdb.CatalogException as error:
        raise NoData("this publication says nothing of coverage; publish again: footfall run") from error
