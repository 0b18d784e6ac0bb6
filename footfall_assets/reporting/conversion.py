"""Sales beside visits: conversion by day, over a period, and what was sold by category.

Ratios of a period divide sums, over the days on which both sides are known; ratios of days are never averaged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import duckdb
import pandas as pd

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.publication import fetch_frame
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import read_directory

_CHOSEN: Final = """
business_day between $first_day and $last_day
and location_id in (select unnest($locations::varchar[]))
"""
_DAILY_SQL: Final = f"""
select
    location_id,
    business_day,
    transactions,
    items,
    revenue::double as revenue,
    visits,
    unique_visitors,
    transactions_per_visit,
    transactions_per_visitor,
    revenue_per_visit,
    has_more_transactions_than_visits
from conversion_daily
where {_CHOSEN}
order by business_day, location_id
"""  # noqa: S608 - a constant; what people ask for is bound
_TOTALS_SQL: Final = f"""
select
    business_day,
    sum(transactions)::bigint as transactions,
    case when bool_and(items is not null) then sum(items)::bigint end as items,
    case when bool_and(revenue is not null) then sum(revenue)::double end as revenue,
    sum(visits)::bigint as visits,
    sum(transactions) / nullif(sum(visits), 0) as transactions_per_visit,
    case when bool_and(revenue is not null) then sum(revenue)::double end / nullif(sum(visits), 0) as revenue_per_visit,
    sum(transactions) > sum(visits) as has_more_transactions_than_visits
from conversion_daily
where {_CHOSEN} and transactions is not null and visits is not null
group by business_day
order by business_day
"""  # noqa: S608 - a constant; what people ask for is bound
_SUMMARY_SQL: Final = f"""
select
    count(*),
    count(*) filter (where transactions is not null and visits is not null),
    coalesce(sum(transactions) filter (where visits is not null), 0)::bigint,
    coalesce(sum(visits) filter (where transactions is not null), 0)::bigint,
    case
        when bool_and(revenue is not null) filter (where transactions is not null and visits is not null)
        then sum(revenue) filter (where transactions is not null and visits is not null)::double
    end,
    count(*) filter (where has_more_transactions_than_visits)
from conversion_daily
where {_CHOSEN}
"""  # noqa: S608 - a constant; what people ask for is bound
_CATEGORIES_SQL: Final = f"""
select
    category,
    case when bool_and(items is not null) then sum(items)::bigint end as items,
    case when bool_and(revenue is not null) then sum(revenue)::double end as revenue,
    count(distinct business_day) as days
from sales_by_category_daily
where {_CHOSEN}
group by category
order by revenue desc nulls last, items desc nulls last, category
"""  # noqa: S608 - a constant; what people ask for is bound


@dataclass(frozen=True)
class ConversionSummary:
    """Sums over the days and locations on which receipts and visits are both known, and their ratios.

    `compared_days` are days of one location each. Ratios are None where there is nothing to divide by.
    """

    sales_days: int
    compared_days: int
    transactions: int
    visits: int
    revenue: float | None
    flagged_days: int  # with more receipts than visits

    @property
    def transactions_per_visit(self) -> float | None:
        """Conversion over all compared days; above 1 the cameras must have missed people."""
        return self.transactions / self.visits if self.visits else None

    @property
    def revenue_per_visit(self) -> float | None:
        """Revenue for each visit over all compared days."""
        return self.revenue / self.visits if self.visits and self.revenue is not None else None


def conversion_by_day(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a location and day with sales.

    Columns: `location_id`, `location`, `business_day`, then `transactions`, `items`, `visits`, `unique_visitors` as
    nullable integers, `revenue`, `transactions_per_visit`, `transactions_per_visitor`, `revenue_per_visit`, and
    `has_more_transactions_than_visits`; a ratio is missing where visits are unknown or 0. Empty without sales.

    Raises:
        NoData: the publication was made before sales were part of it.
    """
    frame = _fetch(connection, _DAILY_SQL, period, location_ids)
    frame.insert(1, "location", frame["location_id"].map(read_directory(connection).label))
    counts = ["transactions", "items", "visits", "unique_visitors"]
    return frame.astype(dict.fromkeys(counts, "Int64") | {"has_more_transactions_than_visits": "boolean"})


def sales_by_category(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a product category, the highest revenue first: `category`, `items`, `revenue`, `days`.

    Raises:
        NoData: as `conversion_by_day`.
    """
    return _fetch(connection, _CATEGORIES_SQL, period, location_ids).astype({"items": "Int64", "days": "Int64"})


def conversion_totals_by_day(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    """Return one row a day: the sums over the locations whose receipts and visits of that day are both known.

    Columns as `conversion_by_day`, without `location_id` and unique visitors, which never add up; `location` is the
    same in every row. For more locations than can be told apart. Raises as `conversion_by_day`.
    """
    frame = _fetch(connection, _TOTALS_SQL, period, location_ids)
    frame.insert(0, "location", "All chosen locations")
    counts = ["transactions", "items", "visits"]
    return frame.astype(dict.fromkeys(counts, "Int64") | {"has_more_transactions_than_visits": "boolean"})


def conversion_summary(
    connection: duckdb.DuckDBPyConnection, period: Period, *, location_ids: tuple[str, ...]
) -> ConversionSummary:
    """Return the sums of the days on which receipts and visits are both known; raises as `conversion_by_day`."""
    found = _fetch(connection, _SUMMARY_SQL, period, location_ids).iloc[0].tolist()
    sales_days, compared_days, transactions, visits, revenue, flagged = found
    return ConversionSummary(
        sales_days=int(sales_days),
        compared_days=int(compared_days),
        transactions=int(transactions),
        visits=int(visits),
        revenue=None if pd.isna(revenue) else float(revenue),
        flagged_days=int(flagged),
    )


def _fetch(
    connection: duckdb.DuckDBPyConnection, sql: str, period: Period, location_ids: tuple[str, ...]
) -> pd.DataFrame:
    parameters: Mapping[str, object] = {
        "first_day": period.first_day,
        "last_day": period.last_day,
        "locations": list(location_ids),
    }
    try:
        return fetch_frame(connection, sql, parameters)
    except duckdb.CatalogException as error:
        raise NoData("this publication says nothing of sales; publish again: footfall run") from error
