from datetime import date

import pandas as pd
import pytest

from footfall_assets.contracts.errors import NoData, UserMistake
from footfall_assets.reporting.footfall_over_time import days_with_data, footfall_by_day, footfall_by_hour
from footfall_assets.reporting.publication import open_aggregates
from footfall_assets.reporting.request import Period

FIFTH = Period(date(2024, 1, 5), date(2024, 1, 5))


@pytest.fixture
def ask(lake, tmp_path):
    def asked(made, query, *arguments, **named):
        publication = made.publish(lake, tmp_path / "build")
        with open_aggregates(lake, publication) as connection:
            return query(connection, *arguments, **named)

    return asked


def test_an_hour_without_row_is_missing_and_a_zero_is_zero(made, ask):
    made.hour("store-101", "2024-01-05T10:00", 4).hour("store-101", "2024-01-05T11:00", 0)
    frame = ask(made, footfall_by_hour, FIFTH, location_ids=("store-101",))
    assert len(frame) == 24
    by_hour = frame.set_index(frame["local_time"].dt.hour)["unique_visitors"]
    assert (by_hour[10], by_hour[11]) == (4, 0)
    assert by_hour.drop([10, 11]).isna().all()
    assert frame["location"].unique().tolist() == ["Store #101"]


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25), ("2024-06-01", 24)])
def test_days_of_a_clock_change_have_their_hours(new_store, ask, day, hours):
    made = new_store().place("berlin", "Berlin", timezone="Europe/Berlin")
    made.hour("berlin", f"{day}T10:00", 1)
    period = Period(date.fromisoformat(day), date.fromisoformat(day))
    frame = ask(made, footfall_by_hour, period, location_ids=("berlin",))
    assert len(frame) == hours
    assert frame["hour_starts_at"].is_unique


def test_wall_clock_is_the_locations(new_store, ask):
    made = new_store().place("kolkata", "Kolkata", timezone="Asia/Kolkata")
    made.hour("kolkata", "2024-01-05T04:30", 7)
    frame = ask(made, footfall_by_hour, FIFTH, location_ids=("kolkata",))
    (seen,) = frame.dropna(subset=["unique_visitors"]).itertuples()
    assert seen.local_time == pd.Timestamp("2024-01-05T10:00")
    assert len(frame) == 24


def test_an_hour_off_the_grid_is_not_lost(new_store, ask):
    """Lord Howe Island moves its clock by half an hour."""
    made = new_store().place("howe", "Lord Howe", timezone="Australia/Lord_Howe")
    made.hour("howe", "2024-04-06T22:30", 3, day="2024-04-07")
    period = Period(date(2024, 4, 7), date(2024, 4, 7))
    frame = ask(made, footfall_by_hour, period, location_ids=("howe",))
    assert frame["unique_visitors"].sum() == 3


def test_days_keep_gaps_and_coverage(made, ask):
    made.whole_day("store-101", "2024-01-05", 9).whole_day("store-101", "2024-01-07", 0)
    period = Period(date(2024, 1, 5), date(2024, 1, 7))
    frame = ask(made, footfall_by_day, period, location_ids=("store-101", "store-203"))
    assert len(frame) == 6
    first = frame[frame["location_id"] == "store-101"]["unique_visitors"]
    assert first.fillna(-1).tolist() == [9, -1, 0]
    assert frame[frame["location_id"] == "store-203"]["frames_captured"].isna().all()


def test_only_the_chosen_locations(made, ask):
    made.whole_day("store-101", "2024-01-05", 9).whole_day("store-203", "2024-01-05", 5)
    frame = ask(made, footfall_by_day, FIFTH, location_ids=("store-203",))
    assert frame["unique_visitors"].tolist() == [5]


@pytest.mark.parametrize("query", [footfall_by_day, footfall_by_hour])
def test_nothing_recorded_is_said(made, ask, query):
    with pytest.raises(NoData, match="nothing was recorded"):
        ask(made, query, FIFTH, location_ids=("store-101",))


def test_days_with_data(made, ask):
    made.whole_day("store-101", "2024-01-05", 9).whole_day("store-203", "2024-01-09", 0)
    assert ask(made, days_with_data) == Period(date(2024, 1, 5), date(2024, 1, 9))


def test_days_that_only_a_counter_tells_of_are_days_with_data(made, ask):
    counted = "insert into counted_traffic_daily (location_id, business_day) values ('corner', '2024-01-{}')"
    made.whole_day("store-101", "2024-01-05", 9).with_traffic(counted.format("02"), counted.format("07"))
    assert ask(made, days_with_data) == Period(date(2024, 1, 2), date(2024, 1, 7))


def test_empty_publication_has_no_days(made, ask):
    with pytest.raises(NoData, match="footfall run"):
        ask(made, days_with_data)


def test_a_chart_that_no_browser_holds_is_refused(made, ask):
    made.hour("store-101", "2024-01-05T10:00", 4)
    month = Period(date(2024, 1, 1), date(2024, 1, 31))
    stores = ("store-101", *(f"other-{number}" for number in range(600)))
    with pytest.raises(UserMistake, match="447,144 in these 31 days"):
        ask(made, footfall_by_hour, month, location_ids=stores)
    assert len(ask(made, footfall_by_hour, FIFTH, location_ids=stores)) == 24
