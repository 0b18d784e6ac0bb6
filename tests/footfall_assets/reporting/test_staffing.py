"""Profiles and staffing: gaps stay gaps, and nobody is called idle in an hour that was seen in part."""

from datetime import UTC, date, datetime, timedelta

import pytest

from footfall_assets.contracts.errors import NoData, UserMistake
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.staffing import (
    PeopleMeasure,
    ServiceLevel,
    hourly_profile,
    peak_text,
    staffing_profile,
    summarise,
    understaffed_hours,
)

MONDAY = date(2024, 1, 1)
PERIOD = Period(MONDAY, date(2024, 1, 31))
STORES = ("a", "b")


@pytest.fixture
def hours(marts):
    marts.place("a", timezone="Europe/Berlin")
    marts.place("b", mode="count_only")

    def add(place: str, day: date, hour: int, visits: int | None, **more: object) -> None:
        starts = datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - timedelta(hours=1)
        columns = {
            "location_id": place,
            "business_day": day,
            "weekday": day.isoweekday(),
            "hour_starts_at": starts,
            "local_hour": hour,
            "covered_minutes": 60 if visits is not None else 0,
            "unique_visitors": visits,
            "visits_started": visits,
            "sightings": None if visits is None else 5 * visits,
        }
        marts.add("staffing_hourly", **(columns | more))

    add.connection = marts.connection  # type: ignore[attr-defined]
    return add


def test_a_profile_is_the_mean_over_days_that_have_data(hours) -> None:
    hours("a", MONDAY, 9, 4)
    hours("a", date(2024, 1, 8), 9, 0)
    hours("a", date(2024, 1, 15), 9, None)
    hours("a", date(2024, 1, 2), 9, 7)
    hours("a", date(2024, 2, 5), 9, 99)
    hours("elsewhere", MONDAY, 9, 99)
    frame = hourly_profile(hours.connection, PERIOD, location_ids=STORES)
    assert frame[["weekday", "local_hour", "people_per_hour", "store_days"]].to_numpy().tolist() == [
        [1, 9, 2.0, 2],
        [2, 9, 7.0, 1],
    ]


def test_two_hours_of_one_name_add_up_to_one(hours) -> None:
    hours("a", MONDAY, 2, 3)
    hours("a", MONDAY, 2, 4, hour_starts_at=datetime(2024, 1, 1, 2, tzinfo=UTC), repeats_local_hour=True)
    frame = hourly_profile(hours.connection, PERIOD, location_ids=STORES)
    assert frame[["people_per_hour", "store_days"]].to_numpy().tolist() == [[7.0, 1]]


def test_stores_are_means_and_a_location_that_counts_only_has_sightings(hours) -> None:
    hours("a", MONDAY, 9, 4)
    hours("b", MONDAY, 9, None, covered_minutes=60, sightings=8)
    assert hourly_profile(hours.connection, PERIOD, location_ids=STORES)["store_days"].tolist() == [1]
    by_sightings = hourly_profile(hours.connection, PERIOD, location_ids=STORES, measure=PeopleMeasure.SIGHTINGS)
    assert by_sightings[["people_per_hour", "store_days"]].to_numpy().tolist() == [[14.0, 2]]


def test_no_hour_seen_is_no_profile(hours) -> None:
    hours("a", MONDAY, 9, None, planned_staff=2.0)
    with pytest.raises(NoData, match="no camera saw"):
        hourly_profile(hours.connection, PERIOD, location_ids=STORES)


JUDGED = {
    "one more than two serve": (21, 60, 60, True, 2.0, 3, "under"),
    "exactly what two serve": (20, 60, 60, True, 2.0, 2, "as needed"),
    "half a person more than needed": (20, 60, 60, True, 2.5, 2, "as needed"),
    "a whole person more": (20, 60, 60, True, 3.0, 2, "over"),
    "an empty hour still needs the least": (0, 60, 60, True, 0.5, 1, "under"),
    "too few for the part that was seen": (21, 15, 60, True, 2.0, 3, "under"),
    "enough for the part that was seen": (1, 15, 60, True, 5.0, 1, None),
    "open half of the hour, all of that seen": (1, 30, 30, True, 5.0, 1, "over"),
    "hours of the day not known": (21, 60, None, None, 2.0, 3, "under"),
    "closed": (21, 60, 0, False, 2.0, None, None),
    "no plan for the day": (21, 60, 60, True, None, 3, None),
    "no camera": (None, 0, 60, True, 2.0, None, None),
}


@pytest.mark.parametrize(
    ("visitors", "covered", "opened", "is_open", "planned", "needed", "expected"), JUDGED.values(), ids=JUDGED.keys()
)
def test_an_hour_is_judged(hours, visitors, covered, opened, is_open, planned, needed, expected) -> None:
    hours(
        "a", MONDAY, 9, visitors, covered_minutes=covered, open_minutes=opened, is_open=is_open, planned_staff=planned
    )
    level = {"location_ids": STORES, "level": ServiceLevel(10, 1)}
    profile = staffing_profile(hours.connection, PERIOD, **level)
    summary = summarise(profile)
    judged = {"under": summary.under, "over": summary.over, "as needed": summary.as_needed}
    assert judged == dict.fromkeys(judged, 0) | ({expected: 1} if expected else {})
    assert summary.planned_hours == int(planned is not None)
    assert summary.no_verdict == int(planned is not None and needed is not None and expected is None)
    assert profile["needed_staff"].dropna().tolist() == ([needed] if planned and needed else [])
    under = understaffed_hours(hours.connection, PERIOD, **level, most=10)
    assert len(under) == int(expected == "under")


def test_understaffed_hours_by_what_they_lack(hours) -> None:
    for hour, visitors in ((9, 15), (10, 35), (11, 5), (12, 15)):
        hours("a", MONDAY, hour, visitors, is_open=True, open_minutes=60, planned_staff=1.0)
    level = {"location_ids": STORES, "level": ServiceLevel(10, 1)}
    found = understaffed_hours(hours.connection, PERIOD, **level, most=2)
    assert [f"{at:%H:%M}" for at in found["local_time"]] == ["10:00", "09:00"]
    assert found[["unique_visitors", "needed_staff"]].to_numpy().tolist() == [[35, 4], [15, 2]]
    assert found["location"].tolist() == ["a", "a"]


def test_means_by_local_hour_are_of_hours_with_known_visitors(hours) -> None:
    hours("a", MONDAY, 9, 15, is_open=True, planned_staff=1.0)
    hours("a", date(2024, 1, 2), 9, 5, is_open=True, planned_staff=4.0)
    hours("a", date(2024, 1, 3), 9, None, is_open=True, planned_staff=99.0)
    [row] = staffing_profile(hours.connection, PERIOD, location_ids=STORES, level=ServiceLevel(10, 1)).to_dict(
        "records"
    )
    assert (row["planned_staff"], row["needed_staff"], row["unique_visitors"]) == (2.5, 1.5, 10)
    assert (row["planned_hours"], row["hours"]) == (3, 2)


def test_unknown_opening_hours_are_told(hours) -> None:
    hours("a", MONDAY, 9, 15, planned_staff=1.0)
    level = {"location_ids": STORES, "level": ServiceLevel(10, 1)}
    assert not summarise(staffing_profile(hours.connection, PERIOD, **level)).opening_known
    hours("a", MONDAY, 10, 15, is_open=True, planned_staff=1.0)
    assert summarise(staffing_profile(hours.connection, PERIOD, **level)).opening_known


def test_peaks_in_words(hours) -> None:
    for day, hour, visits in ((1, 9, 1), (1, 17, 8), (2, 17, 9), (2, 18, 5), (3, 9, 0)):
        hours("a", date(2024, 1, day), hour, visits, is_open=True)
    hours("a", date(2024, 1, 4), 22, 99, is_open=False)
    text = peak_text(hourly_profile(hours.connection, PERIOD, location_ids=STORES))
    assert text == (
        "Busiest: Tuesday 17:00 to 18:00, with 9.0 visits an hour and store on average; then Monday 17:00 to 18:00 and "
        "Tuesday 18:00 to 19:00. Quietest: Wednesday 09:00 to 10:00, with 0.0."
    )


def test_a_single_hour_is_the_peak_and_has_no_quietest(hours) -> None:
    hours("a", MONDAY, 9, 1)
    text = peak_text(hourly_profile(hours.connection, PERIOD, location_ids=STORES))
    assert text == "Busiest: Monday 09:00 to 10:00, with 1.0 visits an hour and store on average."


@pytest.mark.parametrize("visitors", [0, -1, 1001, float("nan")])
def test_a_service_level_is_checked(visitors) -> None:
    with pytest.raises(UserMistake, match="visitors for each member of staff"):
        ServiceLevel(visitors, 1)


def test_a_publication_from_before_staffing_says_so(hours) -> None:
    hours.connection.execute("drop table staffing_hourly")
    with pytest.raises(NoData, match="publish again"):
        hourly_profile(hours.connection, PERIOD, location_ids=STORES)
