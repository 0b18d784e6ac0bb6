"""Conversion over a period divides sums of the days on which both sides are known; ratios are never averaged."""

from datetime import date

import pandas as pd
import pytest

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.conversion import (
    conversion_by_day,
    conversion_summary,
    conversion_totals_by_day,
    sales_by_category,
)
from footfall_assets.reporting.request import Period

PERIOD = Period(date(2024, 1, 1), date(2024, 1, 31))


@pytest.fixture
def sold(marts):
    marts.place("store")

    def add(day: int, transactions: int | None, visits: int | None, revenue: float | None, *, place="store") -> None:
        marts.add(
            "conversion_daily",
            location_id=place,
            business_day=date(2024, 1, day),
            transactions=transactions,
            visits=visits,
            revenue=revenue,
            transactions_per_visit=transactions / visits if transactions and visits else None,
            has_more_transactions_than_visits=None if None in (transactions, visits) else transactions > visits,
        )

    add.marts = marts  # type: ignore[attr-defined]
    return add


def days_of(sold) -> pd.DataFrame:
    return conversion_by_day(sold.marts.connection, PERIOD, location_ids=("store",))


def summary_of(sold):
    return conversion_summary(sold.marts.connection, PERIOD, location_ids=("store",))


def test_sums_are_divided_and_unknown_days_left_out(sold) -> None:
    sold(1, 1, 10, 10)
    sold(2, 9, 10, 90)
    sold(3, 50, None, 500)
    sold(4, None, 10, 40)
    sold(5, 7, 7, 7, place="elsewhere")
    summary = summary_of(sold)
    assert (summary.sales_days, summary.compared_days, summary.flagged_days) == (4, 2, 0)
    assert summary.transactions_per_visit == pytest.approx(0.5)
    assert summary.revenue_per_visit == pytest.approx(5.0)


def test_more_receipts_than_visits_are_flagged_and_not_cut_off(sold) -> None:
    sold(1, 12, 10, None)
    summary = summary_of(sold)
    assert (summary.transactions_per_visit, summary.flagged_days, summary.revenue_per_visit) == (1.2, 1, None)


def test_nothing_to_divide_by_is_no_ratio(sold) -> None:
    assert summary_of(sold).transactions_per_visit is None
    sold(1, 2, 0, 3)
    assert summary_of(sold).transactions_per_visit is None
    assert days_of(sold)["transactions_per_visit"].isna().all()


def test_totals_of_a_day_are_of_locations_with_both_known(sold) -> None:
    sold(1, 1, 10, 10)
    sold(1, 5, 10, 20, place="other")
    sold(1, 99, None, 500, place="blind")
    sold(2, 3, None, 5)
    places = ("store", "other", "blind")
    [row] = conversion_totals_by_day(sold.marts.connection, PERIOD, location_ids=places).to_dict("records")
    assert (row["transactions"], row["visits"], row["revenue"], row["transactions_per_visit"]) == (6, 20, 30, 0.3)
    assert (row["location"], row["has_more_transactions_than_visits"]) == ("All chosen locations", False)


def test_categories_by_revenue(sold) -> None:
    for day, category, items, revenue in (
        (1, "hats", 1, 5),
        (1, "shoes", 2, 90),
        (2, "hats", 2, 10),
        (2, "bags", 1, None),
    ):
        sold.marts.add(
            "sales_by_category_daily",
            location_id="store",
            business_day=date(2024, 1, day),
            category=category,
            transactions=1,
            items=items,
            revenue=revenue,
        )
    frame = sales_by_category(sold.marts.connection, PERIOD, location_ids=("store",))
    assert frame[["category", "items", "days"]].to_numpy().tolist() == [["shoes", 2, 1], ["hats", 3, 2], ["bags", 1, 1]]
    assert frame["revenue"].isna().tolist() == [False, False, True]


def test_a_publication_from_before_sales_says_so(sold) -> None:
    sold.marts.connection.execute("drop table conversion_daily")
    with pytest.raises(NoData, match="publish again"):
        days_of(sold)
