from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footfall_assets.contracts.errors import InvalidIdentifier, NoData, UserMistake
from footfall_assets.reporting.publication import open_visitors
from footfall_assets.reporting.request import Period, ReportRequest
from footfall_assets.reporting.visitor_report import VisitorRow, spans, visitor_report

JANUARY = {"first_day": date(2024, 1, 1), "last_day": date(2024, 1, 31)}


@pytest.fixture
def report_on(lake, tmp_path):
    def report(made, **asked):
        publication = made.publish(lake, tmp_path / "build")
        with open_visitors(lake, publication) as connection:
            return visitor_report(connection, ReportRequest(**(JANUARY | asked)))

    return report


def test_rows_are_sorted_by_appearances_then_id(made, report_on):
    for hour in range(3):
        made.appear("00200B", "store-101-door", f"2024-01-05T{10 + hour}:00")
        made.appear("00100C", "store-101-door", f"2024-01-05T{10 + hour}:30")
    made.appear("00001D", "store-101-door", "2024-01-06T10:00")
    rows = report_on(made).visitors
    assert [(row.visitor_id, row.total_appearances) for row in rows] == [("00100C", 3), ("00200B", 3), ("00001D", 1)]


def test_frequencies_are_by_location_name_most_first_and_sum_to_the_total(made, report_on):
    made.appear("00123A", "store-101-door", "2024-01-05T10:00")
    for minute in (0, 10, 20):
        made.appear("00123A", "store-203-till", f"2024-01-06T10:{minute:02}")
    (row,) = report_on(made).visitors
    assert row.frequencies == (("Store #203", 3), ("Store #101", 1))
    assert row.total_appearances == 4


def test_frequencies_that_do_not_sum_are_refused():
    with pytest.raises(ValueError, match="sum 5"):
        VisitorRow("2024-01", "00123A", 5, 1, (("Store #101", 4),))


def test_minimum_shortens_the_list_and_not_the_total(made, report_on):
    made.appear("00123A", "store-101-door", "2024-01-05T10:00")
    made.appear("00123A", "store-101-door", "2024-01-05T11:00")
    made.appear("00124B", "store-101-door", "2024-01-05T10:00")
    report = report_on(made, min_appearances=2)
    assert (report.windows[0].identified_visitors, report.listed_visitors) == (2, 1)
    assert [row.visitor_id for row in report.visitors] == ["00123A"]
    none_listed = report_on(made, min_appearances=3)
    assert (none_listed.windows[0].identified_visitors, none_listed.listed_visitors) == (2, 0)


def test_only_the_period_counts_both_days_included(made, report_on):
    for day in (1, 2, 3, 4):
        made.appear("00123A", "store-101-door", f"2024-01-0{day}T12:00")
    report = report_on(made, first_day=date(2024, 1, 2), last_day=date(2024, 1, 3))
    assert report.visitors[0].total_appearances == 2


def test_the_business_day_decides_and_not_the_utc_date(made, report_on):
    made.appear("00123A", "store-101-door", "2024-01-05T23:30", day="2024-01-06")
    assert report_on(made, first_day=date(2024, 1, 6), last_day=date(2024, 1, 6)).listed_visitors == 1


@pytest.mark.parametrize(
    ("second_at", "visits"),
    [
        pytest.param("2024-01-05T13:00:10", 1, id="exactly three hours after the end of the first"),
        pytest.param("2024-01-05T13:00:11", 2, id="one second more"),
    ],
)
def test_a_visit_ends_after_three_hours_away(made, report_on, second_at, visits):
    made.appear("00123A", "store-101-door", "2024-01-05T10:00:00", lasts_s=10)
    made.appear("00123A", "store-101-door", second_at)
    assert report_on(made).visitors[0].visits == visits


def test_a_visit_ends_at_local_midnight(made, report_on):
    made.appear("00123A", "store-101-door", "2024-01-05T23:59:30")
    made.appear("00123A", "store-101-door", "2024-01-06T00:00:30")
    assert report_on(made).visitors[0].visits == 2


def test_a_pause_counts_from_the_latest_end_of_overlapping_appearances(made, report_on):
    """With the row before instead of the latest end, the short appearance at the door would start a second visit."""
    made.appear("00123A", "store-101-till", "2024-01-05T10:00", lasts_s=2 * 3600)
    made.appear("00123A", "store-101-door", "2024-01-05T10:05", lasts_s=5)
    made.appear("00123A", "store-101-door", "2024-01-05T14:00")
    assert report_on(made).visitors[0].visits == 1


def test_visits_are_recomputed_over_the_selected_cameras(made, report_on):
    made.appear("00123A", "store-101-door", "2024-01-05T10:00")
    made.appear("00123A", "store-101-till", "2024-01-05T12:00")
    made.appear("00123A", "store-101-door", "2024-01-05T14:00")
    assert report_on(made).visitors[0].visits == 1
    assert report_on(made, camera_ids=("store-101-door",)).visitors[0].visits == 2


def test_visits_at_two_locations_are_two(made, report_on):
    made.appear("00123A", "store-101-door", "2024-01-05T10:00")
    made.appear("00123A", "store-203-door", "2024-01-05T10:30")
    assert report_on(made).visitors[0].visits == 2


def test_filters_narrow_the_cameras_and_all_must_hold(made, report_on):
    made.group("entrances", "Entrances", "store-101-door", "store-203-door")
    for camera in ("store-101-door", "store-101-till", "store-203-door"):
        made.appear(f"at {camera}", camera, "2024-01-05T10:00")

    def seen(**asked):
        return {row.visitor_id for row in report_on(made, **asked).visitors}

    assert seen(location_ids=("store-101",)) == {"at store-101-door", "at store-101-till"}
    assert seen(camera_group="entrances") == {"at store-101-door", "at store-203-door"}
    assert seen(camera_group="entrances", location_ids=("store-101",)) == {"at store-101-door"}
    with pytest.raises(UserMistake, match="all filters"):
        seen(camera_group="entrances", camera_ids=("store-101-till",))


@pytest.mark.parametrize(
    ("asked", "header"),
    [
        ({}, "Selected Cameras across 2 Store Locations"),
        ({"location_ids": ("store-101",)}, "Selected Cameras across 1 Store Location"),
        ({"camera_group": "entrances"}, "Entrances (2 cameras) across 2 Store Locations"),
        ({"camera_group": "entrances", "location_ids": ("store-101",)}, "Entrances (1 camera) across 1 Store Location"),
    ],
)
def test_camera_group_header(made, report_on, asked, header):
    made.group("entrances", "Entrances", "store-101-door", "store-203-door")
    made.appear("00123A", "store-101-door", "2024-01-05T10:00")
    assert report_on(made, **asked).camera_group == header


def test_closed_store_is_counted_in_the_header_only_where_it_saw_somebody(made, report_on):
    made.place("store-9", "Store #9", is_current=False)
    made.appear("00123A", "store-101-door", "2024-01-05T10:00")
    assert report_on(made).camera_group == "Selected Cameras across 2 Store Locations"
    made.appear("00123A", "store-9-door", "2024-01-06T10:00")
    assert report_on(made).camera_group == "Selected Cameras across 3 Store Locations"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"location_ids": ("store-404",)}, r"unknown location store-404; known: store-101 \(Store #101\), store-203"),
        ({"camera_group": "exits"}, r"unknown camera group exits; known: none"),
        ({"camera_ids": ("nowhere",)}, r"unknown camera nowhere; known: store-101-door"),
    ],
)
def test_unknown_names_are_answered_with_the_known_ones(made, report_on, asked, message):
    made.appear("00123A", "store-101-door", "2024-01-05T10:00")
    with pytest.raises(UserMistake, match=message):
        report_on(made, **asked)


def test_period_without_data_names_the_days_with_data(made, report_on):
    for day in ("2024-01-02", "2024-01-03", "2024-01-09"):
        made.appear("00123A", "store-101-door", f"{day}T10:00")
    with pytest.raises(NoData, match="2024-01-02 to 2024-01-03, 2024-01-09;"):
        report_on(made, first_day=date(2024, 1, 20))
    with pytest.raises(NoData, match="nor on any other day"):
        report_on(made, location_ids=("store-203",))


def test_faces_without_visitor_give_an_empty_report_that_counts_them(made, report_on):
    made.stranger("store-101-door", "2024-01-05T10:00")
    report = report_on(made)
    assert (report.total.people, report.total.interval, report.visitors) == (0, (0, 0), ())
    assert (report.sightings, report.unidentified_sightings) == (1, 1)


def test_period_across_windows_has_one_total_a_window_and_no_sum(made, report_on):
    """The same number in two windows is two people: the numbers are permuted anew for each window."""
    made.appear("00123A", "store-101-door", "2024-01-31T10:00")
    made.appear("00124B", "store-101-door", "2024-01-31T11:00")
    made.appear("00123A", "store-101-door", "2024-02-01T10:00")
    report = report_on(made, last_day=date(2024, 2, 29), min_appearances=1)
    assert report.total.people is None
    assert "cannot be added" in report.total.reason
    assert [(w.linkage_window, w.identified_visitors, w.listed_visitors) for w in report.windows] == [
        ("2024-01", 2, 2),
        ("2024-02", 1, 1),
    ]
    assert [(row.linkage_window, row.visitor_id) for row in report.visitors] == [
        ("2024-01", "00123A"),
        ("2024-02", "00123A"),
        ("2024-01", "00124B"),
    ]


def test_two_stores_of_one_name_stay_apart(made, report_on):
    made.place("store-7", "Store #101")
    made.appear("00123A", "store-101-door", "2024-01-05T10:00")
    made.appear("00123A", "store-7-door", "2024-01-06T10:00")
    (row,) = report_on(made).visitors
    assert row.frequencies == (("Store #101 (store-101)", 1), ("Store #101 (store-7)", 1))


def test_count_only_store_is_named_in_a_note(made, report_on):
    made.place("store-5", "Store #5", mode="count_only")
    made.appear("00123A", "store-101-door", "2024-01-05T10:00")
    assert report_on(made).notes == (
        "No visitors are identified at Store #5: mode count_only, faces are counted only.",
    )
    assert report_on(made, location_ids=("store-101",)).notes == ()


def test_period_must_start_before_it_ends():
    with pytest.raises(UserMistake, match="swap"):
        ReportRequest(date(2024, 1, 2), date(2024, 1, 1))


@pytest.mark.parametrize("least", [0, -1, 1_000_001, 2**70])
def test_minimum_out_of_range_is_refused(least):
    with pytest.raises(UserMistake, match="1 to 1,000,000"):
        ReportRequest(**JANUARY, min_appearances=least)


@pytest.mark.parametrize(
    "hostile", ["' or 1=1 --", "../x", "a" * 65, "Store", "\u0455tore", "s\x00", "s1;drop table x"]
)
@pytest.mark.parametrize("where", ["location_ids", "camera_ids", "camera_group"])
def test_hostile_ids_never_reach_a_query(hostile, where):
    with pytest.raises(InvalidIdentifier):
        ReportRequest(**JANUARY, **{where: hostile if where == "camera_group" else (hostile,)})


def test_future_days_are_refused_once_they_have_begun_nowhere():
    now = datetime(2024, 1, 5, 11, tzinfo=UTC)
    Period(date(2024, 1, 1), date(2024, 1, 6)).check_not_future(now)
    with pytest.raises(UserMistake, match="ends by 2024-01-06"):
        Period(date(2024, 1, 1), date(2024, 1, 7)).check_not_future(now)


def test_long_lists_of_days_are_cut_and_counted():
    days = [date(2024, 1, day) for day in range(1, 31, 2)]
    assert spans(days).endswith("2024-01-09 and 10 more runs of days")


APPEARANCES = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from([0, 1, 2, 3]), st.integers(0, 3 * 24 * 60), st.integers(0, 300)),
    min_size=1,
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(appearances=APPEARANCES, chosen=st.sets(st.sampled_from([0, 1, 2, 3]), min_size=1))
def test_counts_agree_with_a_plain_reading_of_the_rules(lake, tmp_path, new_store, appearances, chosen):
    """Visits by a loop over the minutes, against the window functions."""
    made = new_store().place("a", "A", cameras=("x", "y")).place("b", "B", cameras=("x", "y"))
    cameras = ["a-x", "a-y", "b-x", "b-y"]
    start = datetime(2024, 1, 5)  # noqa: DTZ001
    expected = {}
    for visitor, camera, minute, lasts in sorted(appearances, key=lambda row: row[2]):
        at = start + timedelta(minutes=minute)
        made.appear(visitor, cameras[camera], at.isoformat(), lasts_s=lasts * 60)
        if camera in chosen:
            counts, ends = expected.setdefault(visitor, ([0, 0], {}))
            stay = (camera // 2, at.date())
            counts[0] += 1
            counts[1] += stay not in ends or at - ends[stay] > timedelta(hours=3)
            ends[stay] = max(ends.get(stay, at), at + timedelta(minutes=lasts))
    publication = made.publish(lake, tmp_path / "build")
    if not expected:
        return
    request = ReportRequest(**JANUARY, camera_ids=tuple(cameras[each] for each in sorted(chosen)))
    with open_visitors(lake, publication) as connection:
        report = visitor_report(connection, request)
    found = {row.visitor_id: [row.total_appearances, row.visits] for row in report.visitors}
    assert found == {visitor: counts for visitor, (counts, _) in expected.items()}
    assert report.windows[0].identified_visitors == len(expected)
