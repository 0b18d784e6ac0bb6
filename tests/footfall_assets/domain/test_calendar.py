from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.domain.calendar import (
    LinkageWindow,
    business_day,
    day_bounds,
    days_between,
    linkage_window,
    wall_clock_moments,
)

TICK = timedelta(microseconds=1)
ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/London",
        "America/New_York",
        "America/Sao_Paulo",  # its clocks changed at midnight
        "America/Havana",
        "Australia/Lord_Howe",  # by half an hour
        "Asia/Kathmandu",
        "Asia/Beirut",
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
        "Antarctica/Troll",  # by two hours
    ]
)
DAYS = st.dates(date(2000, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2024, 3, 31), "Europe/London", 23),
        (date(2024, 10, 27), "Europe/London", 25),
        (date(2024, 6, 1), "Europe/London", 24),
        (date(2024, 3, 10), "America/New_York", 23),
        (date(2024, 11, 3), "America/New_York", 25),
        (date(2018, 11, 4), "America/Sao_Paulo", 23),
        (date(2018, 2, 17), "America/Sao_Paulo", 25),
        (date(2024, 4, 7), "Australia/Lord_Howe", 24.5),
        (date(2011, 12, 30), "Pacific/Apia", 0),  # Samoa went without this day
    ],
)
def test_a_day_is_as_long_as_its_clocks_say(day, zone, hours):
    start, end = day_bounds(day, zone)
    assert (end - start) / timedelta(hours=1) == hours
    assert start.tzinfo is UTC


@given(DAYS, ZONES)
def test_bounds_and_days_agree_to_the_microsecond(day, zone):
    start, end = day_bounds(day, zone)
    assert business_day(start, zone) == business_day(end - TICK, zone) == day
    assert business_day(start - TICK, zone) == day - timedelta(days=1)
    assert business_day(end, zone) == day + timedelta(days=1)
    assert day_bounds(day + timedelta(days=1), zone)[0] == end


@given(st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)), ZONES)  # noqa: DTZ001
def test_every_moment_lies_in_its_own_day_whatever_zone_it_is_written_in(moment, zone):
    start, end = day_bounds(business_day(moment, zone), zone)
    assert start <= moment < end
    assert business_day(moment.astimezone(ZoneInfo("Asia/Tokyo")), zone) == business_day(moment, zone)


@pytest.mark.parametrize(
    ("day", "first", "last", "label"),
    [
        (date(2024, 1, 1), date(2024, 1, 1), date(2024, 1, 31), "2024-01"),
        (date(2024, 1, 31), date(2024, 1, 1), date(2024, 1, 31), "2024-01"),
        (date(2024, 2, 1), date(2024, 2, 1), date(2024, 2, 29), "2024-02"),
        (date(2023, 2, 28), date(2023, 2, 1), date(2023, 2, 28), "2023-02"),
        (date(2024, 12, 31), date(2024, 12, 1), date(2024, 12, 31), "2024-12"),
    ],
)
def test_a_window_is_a_calendar_month(day, first, last, label):
    assert linkage_window(day) == LinkageWindow(first, last)
    assert linkage_window(day).label == label


@given(DAYS)
def test_windows_tile_the_calendar(day):
    window = linkage_window(day)
    assert window.first_day <= day <= window.last_day
    assert all(linkage_window(each) == window for each in days_between(window.first_day, window.last_day))
    assert linkage_window(window.last_day + timedelta(days=1)).first_day == window.last_day + timedelta(days=1)


@given(DAYS, st.integers(-5, 400))
def test_days_between_are_all_of_them_in_order(first, count):
    days = days_between(first, first + timedelta(days=count))
    assert len(days) == max(count + 1, 0)
    assert list(days) == sorted(set(days))


def test_wall_clocks_skip_an_hour_in_spring_and_repeat_one_in_autumn():
    def moments(text):
        return [f"{each:%H:%M}" for each in wall_clock_moments(datetime.fromisoformat(text), "Europe/Berlin")]

    assert moments("2024-07-01T12:00") == ["10:00"]
    assert moments("2024-03-31T01:59") == ["00:59"]
    assert moments("2024-03-31T02:00") == moments("2024-03-31T02:59") == []
    assert moments("2024-03-31T03:00") == ["01:00"]
    assert moments("2024-10-27T02:00") == ["00:00", "01:00"]
    assert moments("2024-10-27T03:00") == ["02:00"]
