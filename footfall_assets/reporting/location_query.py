"""One way to ask a table about days at locations: the parameters bound, and a word where the table is not there yet."""

from collections.abc import Mapping

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.publication import fetch_frame
from footfall_assets.reporting.request import Period


def fetch_at_locations(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    period: Period,
    location_ids: tuple[str, ...],
    more: Mapping[str, object] | None = None,
) -> pd.DataFrame:
    """Return the rows of `sql`, which may name `$first_day`, `$last_day`, `$locations` and what is in `more`.

    Raises:
        NoData: the publication is older than a table it names.
    """
    asked = {"first_day": period.first_day, "last_day": period.last_day, "locations": list(location_ids)}
    used = {name: value for name, value in (asked | dict(more or {})).items() if f"${name}" in sql}
    try:
        return fetch_frame(connection, sql, used)
    except duckdb.CatalogException as error:
        raise NoData("this publication is from before these figures; publish again: footfall run") from error
