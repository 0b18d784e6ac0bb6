"""Who is listed, and in which order, from what a publication has summed up: whole linkage windows at all cameras.

A thousand pages of the list cost what reading one row a visitor costs. Whoever may see some locations only asks for
their cameras, and gets nothing from here: sums over all locations are not theirs.
"""

from collections.abc import Mapping
from typing import Final

import duckdb

from footfall_assets.reporting.publication import fetch_rows, has_table
from footfall_assets.reporting.request import Order
from footfall_assets.reporting.selected_rows import SelectedRows

# Visitors with a day in the period; none of them has another day where its windows are whole.
_LISTED: Final = """
from visitor_window
where
    visitor_id is not null
    and last_day >= $first_day
    and first_day <= $last_day
    and appearances >= $min_appearances
"""
_IS_WHOLE_SQL: Final = """
select coalesce(bool_and(first_day >= $first_day and last_day <= $last_day), false)
from visitor_window
where last_day >= $first_day and first_day <= $last_day
"""
_LISTED_SQL: Final = f"select linkage_window, count(*) {_LISTED} group by linkage_window"
_ORDERS: Final = {
    Order.MOST_APPEARANCES: "total_appearances desc, visitor_id, linkage_window",
    Order.FEWEST_APPEARANCES: "total_appearances, visitor_id, linkage_window",
    Order.VISITOR_ID: "visitor_id, linkage_window",
    Order.MOST_LOCATIONS: "locations desc, total_appearances desc, visitor_id, linkage_window",
}
_RANKED_SQL: Final = {
    order: f"""
select linkage_window, visitor_id, appearances as total_appearances
{_LISTED}
order by {columns}
limit $most offset $skipped
"""
    for order, columns in _ORDERS.items()
}
READY_ORDERS: Final = frozenset(_ORDERS)


def is_ready(connection: duckdb.DuckDBPyConnection, rows: SelectedRows) -> bool:
    """Return whether a selection is all cameras over whole windows, and the publication holds their sums."""
    if not rows.is_whole_days_of_all_cameras or not has_table(connection, "visitor_window"):
        return False
    [(is_whole,)] = fetch_rows(connection, _IS_WHOLE_SQL, rows.days)
    return bool(is_whole)


def ready_listed_by_window(
    connection: duckdb.DuckDBPyConnection, rows: SelectedRows, *, min_appearances: int
) -> dict[str, int]:
    """Return by linkage window how many visitors have at least `min_appearances`; only where `is_ready`."""
    return dict(fetch_rows(connection, _LISTED_SQL, rows.days | {"min_appearances": min_appearances}))


def ready_ranking(
    connection: duckdb.DuckDBPyConnection, rows: SelectedRows, order: Order, limits: Mapping[str, object]
) -> duckdb.DuckDBPyConnection:
    """Return the open result of linkage window, Visitor ID and appearances; only where `is_ready`.

    Args:
        connection: to the visitor-level file of a publication.
        rows: the selection.
        order: one of `READY_ORDERS`.
        limits: `min_appearances`, `most` (None for all), `skipped`.
    """
    return connection.execute(_RANKED_SQL[order], rows.days | dict(limits))
