"""Other counters beside the cameras: sources stay apart, and ratios are of hours both saw."""

from datetime import date

import pandas as pd
import pytest

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.counted_traffic import counted_traffic_by_day, counted_traffic_by_location
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
