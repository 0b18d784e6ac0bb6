"""Who is listed, and in which order, from what a publication has summed up over all cameras: windows, or whole days.

A thousand pages of the list cost what reading one row a visitor, or a visitor and day, costs. Whoever may see some
locations only asks for their cameras, and gets nothing from here: sums over all locations are not theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import duckdb

from footfall_assets.reporting.day_totals import most_often_seen
from footfall_assets.reporting.publication import fetch_rows, has_table
from footfall_assets.reporting.request import Order
from footfall_assets.reporting.selected_rows import SelectedRows


class Sums(StrEnum):
    """What a publication holds a row of for each visitor; the value names the table."""

    WINDOWS = "visitor_window"
    DAYS = "visitor_day_total"


_IS_WHOLE_SQL: Final = """
select coalesce(bool_and(first_day >= $first_day and last_day <= $last_day), false)
from visitor_window
where last_day >= $first_day and first_day <= $last_day
"""
# Visitors with a day in the period; of whole windows none of them has another day.
_TOTALS: Final[Mapping[Sums, str]] = {
    Sums.WINDOWS: """
select linkage_window, visitor_id, appearances as total_appearances, visitor_number
from visitor_window
where
    visitor_id is not null
    and last_day >= $first_day
    and first_day <= $last_day
    and appearances >= $min_appearances
""",
    Sums.DAYS: """
select
    linkage_window, any_value(visitor_id) as visitor_id, sum(appearances)::bigint as total_appearances, visitor_number
from visitor_day_total
where business_day between $first_day and $last_day
group by linkage_window, visitor_number
having total_appearances >= $min_appearances
""",
}
_LISTED_SQL: Final = {
    sums: f"select linkage_window, count(*) from ({totals}) as listed group by linkage_window"  # noqa: S608 - constants
    for sums, totals in _TOTALS.items()
}
# Everybody of some days is a bit for each.
_EVERYBODY_SQL: Final = """
with
    days_joined as (
        select linkage_window, bit_or(cluster_bitmap) as cluster_bitmap
        from day_bitmaps
        where business_day between $first_day and $last_day and cut = 0
        group by linkage_window, block
    )
select linkage_window, sum(bit_count(cluster_bitmap))::bigint
from days_joined
group by linkage_window
"""
_ORDERS: Final[Mapping[Order, str]] = {
    Order.MOST_APPEARANCES: "total_appearances desc, visitor_id, linkage_window",
    Order.FEWEST_APPEARANCES: "total_appearances, visitor_id, linkage_window",
    Order.VISITOR_ID: "visitor_id, linkage_window",
}
_RANKED_SQL: Final = {
    **{
        (sums, order): f"{totals} order by {columns} limit $most offset $skipped"
        for sums, totals in _TOTALS.items()
        for order, columns in _ORDERS.items()
    },
    (Sums.WINDOWS, Order.MOST_LOCATIONS): (
        f"{_TOTALS[Sums.WINDOWS]} order by locations desc, {_ORDERS[Order.MOST_APPEARANCES]} "
        "limit $most offset $skipped"
    ),
}


@dataclass(frozen=True)
class ReadySums:
    """What answers for a selection: all cameras, and whole windows or whole days."""

    sums: Sums
    rows: SelectedRows

    def ranks_by(self, order: Order) -> bool:
        """Return whether the list can be had in this order."""
        return (self.sums, order) in _RANKED_SQL

    def listed_by_window(self, connection: duckdb.DuckDBPyConnection, *, min_appearances: int) -> dict[str, int]:
        """Return by linkage window how many visitors have at least `min_appearances`."""
        if self.sums is Sums.DAYS and min_appearances == 1:
            return dict(fetch_rows(connection, _EVERYBODY_SQL, self.rows.days))
        asked = self.rows.days | {"min_appearances": min_appearances}
        return dict(fetch_rows(connection, _LISTED_SQL[self.sums], asked))

    def page(
        self, connection: duckdb.DuckDBPyConnection, order: Order, *, min_appearances: int, first: int, most: int
    ) -> Sequence[tuple[Any, ...]]:
        """Return up to `most` rows of the `ranking` from row number `first` on."""
        found = None
        if self.sums is Sums.DAYS and order is Order.MOST_APPEARANCES:
            days = self.rows.days
            found = most_often_seen(connection, days, min_appearances=min_appearances, first=first, most=most)
        if found is None:
            limits = {"min_appearances": min_appearances, "most": most, "skipped": first}
            return self.ranking(connection, order, limits).fetchall()
        return found

    def ranking(
        self, connection: duckdb.DuckDBPyConnection, order: Order, limits: Mapping[str, object]
    ) -> duckdb.DuckDBPyConnection:
        """Return the open result of linkage window, Visitor ID, appearances and the visitor's number.

        Args:
            connection: to the visitor-level file of a publication.
            order: one that it `ranks_by`.
            limits: `min_appearances`, `most` (None for all), `skipped`.
        """
        return connection.execute(_RANKED_SQL[self.sums, order], self.rows.days | dict(limits))


def ready_sums(connection: duckdb.DuckDBPyConnection, rows: SelectedRows) -> ReadySums | None:
    """Return what the publication has summed up for a selection; None where it has to be counted anew."""
    if not rows.is_whole_days_of_all_cameras:
        return None
    if has_table(connection, Sums.WINDOWS):
        [(is_whole,)] = fetch_rows(connection, _IS_WHOLE_SQL, rows.days)
        if is_whole:
            return ReadySums(Sums.WINDOWS, rows)
    return ReadySums(Sums.DAYS, rows) if has_table(connection, Sums.DAYS) else None
