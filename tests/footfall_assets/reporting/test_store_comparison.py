"""Stores side by side: each by its own known days, ranked where known, and never added up."""

from datetime import date, timedelta

import pandas as pd
import pytest

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.store_comparison import compare_stores, period_before

FIRST = date(2024, 1, 8)
PERIOD = Period(FIRST, FIRST + timedelta(days=6))
STORES = ("a", "b", "kiosk")


@pytest.fixture
def days(marts):
    for place in STORES:
        marts.place(place)

    def add(place: str, offset: int, visits: int | None, uniques: int | None = None, captured: int = 100) -> None:
        marts.add(
            "footfall_daily",
            location_id=place,
            business_day=FIRST + timedelta(days=offset),
            visits=visits,
            unique_visitors=uniques if uniques is not None else visits,
            sightings=None if captured == 0 else 1,
            frames_expected=100,
            frames_captured=captured,
        )

    add.marts = marts  # type: ignore[attr-defined]
    return add


def compared(days):
    frame = compare_stores(days.marts.connection, PERIOD, location_ids=STORES)
    return {row["location_id"]: row for row in frame.to_dict("records")}


def test_the_period_before_has_equal_length() -> None:
    assert period_before(PERIOD) == Period(date(2024, 1, 1), date(2024, 1, 7))
    assert period_before(Period(FIRST, FIRST)) == Period(date(2024, 1, 7), date(2024, 1, 7))


def test_stores_by_day_against_the_period_before(days) -> None:
    days("a", 0, 10)
    days("a", 1, 20, uniques=18)
    days("a", 2, None, captured=0)
    days("a", -1, 10)
    days("a", -8, 999)
    days("b", 0, 40, captured=50)
    days("kiosk", 0, None)
    found = compared(days)
    a, b, kiosk = (found[place] for place in STORES)
    assert (a["known_days"], a["visits"], a["visits_per_day"], a["unique_visitors_per_day"]) == (2, 30, 15, 14)
    assert (a["earlier_visits_per_day"], a["change"], a["most_unique_visitors"]) == (10, 0.5, 18)
    assert (a["rank_visits_per_day"], b["rank_visits_per_day"]) == (2, 1)
    assert (a["captured_share"], b["captured_share"]) == (pytest.approx(2 / 3), 0.5)
    assert kiosk["known_days"] == 1
    unknown = (b["change"], kiosk["visits"], kiosk["rank_visits_per_day"])
    assert all(pd.isna(each) for each in unknown)


def test_open_hours_sales_and_peaks(days) -> None:
    days("a", 0, 22)
    days("a", 1, 100)
    days("b", 0, 10)
    marts = days.marts
    for offset, is_open, minutes in ((0, True, 660), (1, False, 0)):
        day = FIRST + timedelta(days=offset)
        marts.add("opening_hours", location_id="a", business_day=day, is_open=is_open, open_minutes=minutes)
    marts.add("conversion_daily", location_id="a", business_day=FIRST, transactions=11, visits=22)
    marts.add("conversion_daily", location_id="a", business_day=FIRST + timedelta(days=1), transactions=5)
    for hour, visits, is_open in ((9, 3, True), (17, 8, True), (18, 8, True), (22, 99, False), (12, None, True)):
        marts.add(
            "staffing_hourly",
            location_id="a",
            business_day=FIRST,
            local_hour=hour,
            visits_started=visits,
            is_open=is_open,
        )
    a, b = compared(days)["a"], compared(days)["b"]
    assert (a["visits_per_open_hour"], a["transactions_per_visit"]) == (2.0, 0.5)
    assert (a["peak_hour"], a["peak_visits_per_hour"]) == (17, 8)
    assert all(pd.isna(b[name]) for name in ("visits_per_open_hour", "transactions_per_visit", "peak_hour"))


def test_visitors_of_a_whole_week_or_month_are_counted_once(days) -> None:
    """Known only where the period's known days are those of one calendar period: others were never counted."""

    def period_of(place: str, kind: str, first: date, last: date, known: int, uniques: int) -> None:
        days.marts.add(
            "footfall_periods",
            location_id=place,
            period=kind,
            first_day=first,
            last_day=last,
            known_days=known,
            unique_visitors=uniques,
        )

    for place in ("a", "b"):
        days(place, 0, 5)
        days(place, 3, 5)
    month = date(2024, 1, 1), date(2024, 1, 31)
    period_of("a", "week", FIRST, PERIOD.last_day, 2, 7)
    period_of("a", "month", *month, 5, 15)
    period_of("a", "week", date(2024, 1, 15), date(2024, 1, 21), 2, 99)
    period_of("b", "month", *month, 2, 6)
    found = compared(days)
    assert (found["a"]["unique_visitors"], found["b"]["unique_visitors"]) == (7, 6)
    days("a", 4, 1)
    assert pd.isna(compared(days)["a"]["unique_visitors"])


def test_a_mean_stay_divides_sums(days) -> None:
    days("a", 0, 5)
    for visits, seconds in ((1, 600), (3, 600), (None, None)):
        stay = {"total_lower_s": seconds and seconds / 2, "total_midpoint_s": seconds, "total_upper_s": seconds}
        days.marts.add("visit_dwell", location_id="a", business_day=FIRST, visits=visits, **stay)
    a = compared(days)["a"]
    assert (a["dwell_lower_minutes"], a["dwell_minutes"], a["dwell_upper_minutes"]) == (2.5, 5.0, 5.0)


def test_a_store_without_data_is_listed_and_none_with_data_is_refused(days) -> None:
    with pytest.raises(NoData, match="no camera saw"):
        compared(days)
    days("a", 0, 1)
    assert list(compared(days)) == list(STORES)


def test_a_publication_from_before_the_comparison_says_so(days) -> None:
    days.marts.connection.execute("drop table opening_hours")
    with pytest.raises(NoData, match="publish again"):
        compared(days)
