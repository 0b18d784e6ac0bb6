"""The newest minutes: a covered window without a row is 0, an uncovered one is missing, and the age is of the data."""

from datetime import UTC, date, datetime, timedelta

import pytest

from footfall_assets.contracts.errors import NoData, UserMistake
from footfall_assets.reporting.recent_footfall import recent_footfall

DAY = date(2024, 1, 2)
TEN = datetime(2024, 1, 2, 10, tzinfo=UTC)
NOW = TEN + timedelta(hours=2)


def seconds(number: float) -> datetime:
    return TEN + timedelta(seconds=number)


def window(marts, at: float, sightings: int, uniques: int | None, *, place: str = "store") -> None:
    marts.add(
        "footfall_15s",
        location_id=place,
        business_day=DAY,
        window_starts_at=seconds(at),
        sightings=sightings,
        unidentified_sightings=1,
        unique_visitors=uniques,
    )


def span(marts, start: float, end: float, *, place: str = "store") -> None:
    marts.add(
        "coverage_spans", location_id=place, business_day=DAY, covered_from=seconds(start), covered_to=seconds(end)
    )


@pytest.fixture
def store(marts):
    marts.place("store", timezone="Asia/Kathmandu")
    marts.place("kiosk", mode="count_only")
    marts.place("silent")
    return marts


def test_silence_and_an_empty_window_are_told_apart(store) -> None:
    span(store, 0, 30)
    span(store, 45, 46)
    window(store, 15, 4, 2)
    found = recent_footfall(store.connection, "store", minutes=1, now=NOW)
    assert found.newest == seconds(46)
    assert found.age == timedelta(hours=2) - timedelta(seconds=46)
    assert found.windows["window_starts_at"].tolist() == [seconds(each) for each in (0, 15, 30, 45)]
    assert found.windows["sightings"].isna().tolist() == [False, False, True, False]
    assert found.windows["sightings"].dropna().tolist() == [0, 4, 0]
    assert found.windows["unique_visitors"].dropna().tolist() == [0, 2, 0]
    assert f"{found.windows['local_time'].iloc[0]:%H:%M:%S}" == "15:45:00"
    assert found.since == seconds(0)


def test_a_span_ends_before_the_window_it_closes_on(store) -> None:
    span(store, 0, 30)
    found = recent_footfall(store.connection, "store", minutes=1, now=NOW)
    assert found.windows["window_starts_at"].iloc[-1] == seconds(15)
    assert found.windows["sightings"].isna().tolist() == [True, True, False, False]


def test_a_window_with_sightings_is_known_without_coverage(store) -> None:
    """A batch that was lost on its way can have left its stills behind."""
    window(store, 15, 4, 2)
    found = recent_footfall(store.connection, "store", minutes=1, now=NOW)
    assert found.newest == seconds(30)
    assert found.windows["sightings"].isna().tolist() == [True, True, True, False]


def test_a_location_that_counts_only_has_sightings_and_no_visitors(store) -> None:
    span(store, 0, 30, place="kiosk")
    window(store, 15, 4, None, place="kiosk")
    found = recent_footfall(store.connection, "kiosk", minutes=1, now=NOW)
    assert found.windows["sightings"].dropna().tolist() == [0, 4]
    assert found.windows["unique_visitors"].isna().all()


def test_other_locations_and_older_windows_stay_out(store) -> None:
    window(store, 0, 4, 2)
    window(store, 15, 9, 9, place="kiosk")
    window(store, -3600, 7, 7)
    found = recent_footfall(store.connection, "store", minutes=2, now=NOW)
    assert found.windows["sightings"].dropna().tolist() == [4]
    assert len(found.windows) == 8


def test_a_clock_that_runs_behind_gives_no_negative_age(store) -> None:
    window(store, 0, 4, 2)
    assert recent_footfall(store.connection, "store", minutes=1, now=TEN).age == timedelta(0)


def test_what_cannot_be_answered_says_so(store) -> None:
    with pytest.raises(NoData, match="delivered nothing"):
        recent_footfall(store.connection, "silent", minutes=1, now=NOW)
    with pytest.raises(UserMistake, match="unknown location"):
        recent_footfall(store.connection, "store", minutes=1, now=NOW, allowed=("kiosk",))
    for minutes in (0, 1441):
        with pytest.raises(UserMistake, match="1 to 1440 minutes"):
            recent_footfall(store.connection, "store", minutes=minutes, now=NOW)


def test_a_publication_from_before_windows_says_so(store) -> None:
    store.connection.execute("drop table footfall_15s")
    with pytest.raises(NoData, match="publish again"):
        recent_footfall(store.connection, "store", minutes=1, now=NOW)


def test_windows_of_any_moment_hold_it(store) -> None:
    for number in (0, 14.999999, 15, 59.999999):
        store.connection.execute("delete from coverage_spans")
        span(store, -5, number)
        newest = recent_footfall(store.connection, "store", minutes=1, now=NOW).windows["window_starts_at"].iloc[-1]
        assert newest < seconds(number) <= newest + timedelta(seconds=15)
