"""Other counters beside the cameras: sources stay apart, and ratios are of hours both saw."""

from datetime import UTC, date, datetime

import pandas as pd
import pytest

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.counted_traffic import (
    counted_profile,
    counted_traffic_by_day,
    counted_traffic_by_location,
    newest_counted_day,
)
from footfall_assets.reporting.request import Period

PERIOD = Period(date(2024, 1, 1), date(2024, 1, 31))


@pytest.fixture
def counted(marts):
    marts.place("store")

    def add(day: int, source: str, people_in: int, people_out: int | None, compared: tuple[int, int] | None) -> None:
        people, visits = compared or (None, None)
        marts.add(
            "counted_traffic_daily",
            location_id="store",
            business_day=date(2024, 1, day),
            count_source=source,
            hours=10,
            counters=1,
            people_in=people_in,
            people_out=people_out,
            compared_hours=5 if compared else 0,
            compared_people_in=people,
            compared_visits=visits,
        )

    add.connection = marts.connection  # type: ignore[attr-defined]
    return add


def test_sources_of_a_period_side_by_side(counted) -> None:
    counted(1, "infrared", 100, 90, (50, 40))
    counted(2, "infrared", 10, None, (30, 0))
    counted(2, "mat", 7, 7, None)
    frame = counted_traffic_by_location(counted.connection, PERIOD, location_ids=("store",))
    infrared, mat = frame.to_dict("records")
    assert (infrared["days"], infrared["people_in"], infrared["compared_hours"]) == (2, 110, 10)
    assert infrared["hours"] == 20
    assert infrared["visits_per_person_in"] == pytest.approx(0.5)
    assert (mat["people_in"], mat["people_out"]) == (7, 7)
    assert all(pd.isna(each) for each in (infrared["people_out"], mat["visits_per_person_in"]))


def test_no_counts_are_no_rows(counted) -> None:
    days = counted_traffic_by_day(counted.connection, PERIOD, location_ids=("store",))
    assert days.empty
    assert counted_traffic_by_location(counted.connection, PERIOD, location_ids=("store",)).empty


def test_days_are_sums_over_locations_and_one_row_a_source(counted) -> None:
    counted(1, "infrared", 100, 90, (50, 40))
    counted(1, "infrared", 10, 10, (30, 0))
    counted(1, "mat", 7, 7, None)
    days = counted_traffic_by_day(counted.connection, PERIOD, location_ids=("store",)).to_dict("records")
    assert [(row["count_source"], row["people_in"]) for row in days] == [("infrared", 110), ("mat", 7)]
    assert (days[0]["compared_people_in"], days[0]["compared_visits"], days[0]["visits_per_person_in"]) == (80, 40, 0.5)


def test_a_publication_from_before_counts_says_so(counted) -> None:
    counted.connection.execute("drop table counted_traffic_daily")
    with pytest.raises(NoData, match="publish again"):
        counted_traffic_by_day(counted.connection, PERIOD, location_ids=("store",))


def test_the_newest_day_that_was_counted_even_where_nobody_came(counted) -> None:
    counted(1, "infrared", 100, 90, None)
    counted(3, "mat", 0, 0, None)
    assert newest_counted_day(counted.connection, PERIOD, location_ids=("store",)) == date(2024, 1, 3)
    with pytest.raises(NoData, match="nobody was counted"):
        newest_counted_day(counted.connection, PERIOD, location_ids=("elsewhere",))


def test_the_week_of_a_counter_is_of_one_source_and_has_no_row_for_what_it_did_not_count(marts) -> None:
    def hour(day, local_hour, source, people_in):
        starts = datetime(2024, 1, day, local_hour, tzinfo=UTC)
        marts.add(
            "counted_traffic_hourly",
            location_id="corner",
            business_day=starts.date(),
            hour_starts_at=starts,
            local_hour=local_hour,
            count_source=source,
            people_in=people_in,
        )

    for day, people_in in ((1, 4), (8, 0), (15, 5)):
        hour(day, 9, "infrared", people_in)
    hour(2, 9, "infrared", 7)
    hour(1, 9, "mat", 1000)
    opened = datetime(2024, 1, 2, 9, tzinfo=UTC)
    marts.add("staffing_hourly", location_id="corner", hour_starts_at=opened, local_hour=9, is_open=False)
    found = counted_profile(marts.connection, PERIOD, location_ids=("corner",))
    assert found.to_dict("records") == [
        {
            "count_source": "infrared",
            "weekday": 1,
            "local_hour": 9,
            "people_per_hour": 3.0,
            "store_days": 3,
            "is_open": True,
        },
        {
            "count_source": "infrared",
            "weekday": 2,
            "local_hour": 9,
            "people_per_hour": 7.0,
            "store_days": 1,
            "is_open": False,
        },
    ]
    assert counted_profile(marts.connection, PERIOD, location_ids=("elsewhere",)).empty
