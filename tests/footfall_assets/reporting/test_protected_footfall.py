"""Protected counts come out as they were published, for allowed locations only."""

from datetime import date

import pytest

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.protected_footfall import (
    ProtectedGrain,
    ProtectionRules,
    protected_days,
    protected_footfall,
    protection_rules,
)
from footfall_assets.reporting.publication import open_protected
from footfall_assets.reporting.request import Period

WEEK = Period(date(2024, 1, 1), date(2024, 1, 7))


@pytest.fixture
def opened(made, lake, tmp_path):
    made.place("berlin", "Berlin", timezone="Europe/Berlin")
    made.protected("berlin", "hour", "2024-01-02", 25, hour=9).protected("berlin", "hour", "2024-01-02", None, hour=10)
    made.protected("berlin", "day", "2024-01-02", 30).protected("berlin", "day", "2024-01-04", None)
    made.protected("berlin", "week", "2024-01-01", 30, last_day="2024-01-07")
    made.protected("store-101", "day", "2024-01-03", 500)
    with open_protected(lake, made.publish(lake, tmp_path / "build")) as connection:
        yield connection


def test_hidden_counts_are_missing_and_days_without_a_count_are_not_there(opened):
    frame = protected_footfall(opened, "berlin", ProtectedGrain.DAY, WEEK, allowed=None)
    assert [str(day.date()) for day in frame["local_time"]] == ["2024-01-02", "2024-01-04"]
    assert frame["is_fewer"].tolist() == [False, True]
    assert frame["unique_visitors"].fillna(-1).tolist() == [30, -1]


def test_hours_are_on_the_locations_clock(opened):
    frame = protected_footfall(opened, "berlin", ProtectedGrain.HOUR, WEEK, allowed=("berlin",))
    assert [moment.hour for moment in frame["local_time"]] == [10, 11]


@pytest.mark.parametrize("allowed", [(), ("store-101",), ("store-101", "store-203")])
def test_a_location_that_is_not_allowed_has_no_rows(opened, allowed):
    assert protected_footfall(opened, "berlin", ProtectedGrain.DAY, WEEK, allowed=allowed).empty


def test_a_unit_is_whole_whatever_part_of_it_is_asked_for(opened):
    """A period that cuts a week must not make another count of it."""
    for first, last in ((1, 7), (3, 3), (1, 1), (7, 20)):
        period = Period(date(2024, 1, first), date(2024, 1, last))
        frame = protected_footfall(opened, "berlin", ProtectedGrain.WEEK, period, allowed=None)
        assert frame["unique_visitors"].tolist() == [30]
    assert protected_footfall(
        opened, "berlin", ProtectedGrain.WEEK, Period(date(2024, 1, 8), date(2024, 1, 9)), allowed=None
    ).empty


def test_days_are_those_of_allowed_locations(opened):
    assert protected_days(opened, allowed=None) == Period(date(2024, 1, 2), date(2024, 1, 4))
    assert protected_days(opened, allowed=("store-101",)) == Period(date(2024, 1, 3), date(2024, 1, 3))
    with pytest.raises(NoData, match="over yet"):
        protected_days(opened, allowed=("store-203",))


def test_rules_say_what_stands_for_a_hidden_count(opened):
    assert protection_rules(opened) == ProtectionRules(10, 5)
    assert protection_rules(opened).fewer == "<10"
