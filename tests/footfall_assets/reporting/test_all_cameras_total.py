"""The total of all cameras from the aggregates: what the visitor report says of the same days, or the same refusal."""

import math
from datetime import date

import pytest

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.all_cameras_total import all_cameras_totals
from footfall_assets.reporting.publication import open_aggregates, open_visitors
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.visitor_report import visitor_head

DAY = date(2024, 1, 3)


def whole(first, last=None):
    return ReportRequest(first, last or first)


@pytest.fixture
def asked(lake, tmp_path):
    """Returns the totals of a day from the aggregates, and the report's for the day and the month."""

    def answer(made, day=DAY):
        publication = made.with_trees().publish(lake, tmp_path / "build")
        with open_aggregates(lake, publication) as aggregates:
            totals = all_cameras_totals(aggregates, day)
        with open_visitors(lake, publication) as visitors:
            of_day = visitor_head(visitors, whole(day))
            of_month = visitor_head(visitors, whole(date(2024, 1, 1), date(2024, 1, 31)))
        return totals, of_day, of_month

    return answer


@pytest.fixture
def busy(made, new_calibration):
    made.calibration = new_calibration(intercept=math.log(1.15))
    for number in range(24):
        made.appear(f"{number:05}A", "store-101-door", f"2024-01-0{1 + number % 5}T09:15")
        if number % 4 == 0:
            made.appear(f"{number:05}A", "store-203-till", f"2024-01-0{1 + number % 5}T12:15")
    made.stranger("store-101-door", "2024-01-03T12:00")
    made.appear("00001B", "store-101-door", "2024-02-01T09:15")
    return made


def test_it_is_the_total_of_the_report(busy, asked):
    totals, of_day, of_month = asked(busy)
    [day], [month] = totals.of_day, totals.of_windows
    assert (day.first_day, day.last_day, day.total) == (DAY, DAY, of_day.total)
    assert (month.linkage_window, month.first_day, month.last_day) == ("2024-01", date(2024, 1, 1), date(2024, 1, 5))
    assert month.total == of_month.total
    assert (day.total.people, month.total.people) == (6, 28)
    assert totals.basis == of_month.count_basis


def test_without_a_calibration_it_is_refused_as_in_the_report(busy, asked):
    busy.calibration = None
    totals, of_day, _ = asked(busy)
    assert totals.of_day[0].total == of_day.total
    assert totals.of_day[0].total.reason == "no calibration for this embedder and threshold"


def test_a_window_with_provisional_days_has_no_total(busy, asked):
    provisional = (
        "create table provisional_windows as select '2024-01' as linkage_window, date '2024-01-02' as last_sealed_day, "
        "date '2024-01-05' as last_provisional_day"
    )
    busy.more_aggregates = busy.more_visitors = provisional
    totals, of_day, of_month = asked(busy)
    for each in (totals.of_day[0].total, totals.of_windows[0].total, of_day.total, of_month.total):
        assert each.people is None
        assert "after 2024-01-02 are provisional" in each.reason


def test_a_publication_of_before_says_so(busy, lake, tmp_path):
    with open_aggregates(lake, busy.publish(lake, tmp_path / "build")) as aggregates, pytest.raises(NoData):
        all_cameras_totals(aggregates, DAY)


def test_a_day_without_faces_has_no_total(busy, asked):
    with pytest.raises(NoData, match="no face"):
        asked(busy, date(2024, 1, 20))
