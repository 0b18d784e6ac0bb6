"""Figures of the hand-made home, counted by hand from `conftest.hand_made_home`."""

import hashlib
from datetime import date
from uuid import UUID

import duckdb
import pytest


def test_every_node_succeeds(built):
    assert set(built.build.results) == {"success", "pass", "no-op"}  # exposures are no-ops
    assert built.build.results["pass"] > 80
    assert built.build.source_rows["coverage"] == 4


def test_six_obligatory_columns_come_first(built):
    columns = [row[0] for row in built.rows("describe fct_sightings")]
    assert columns[:6] == ["face_id", "face_image_id", "image_id", "camera_id", "location_id", "captured_at"]


def test_appearances_of_one_visitor(built):
    found = built.rows(
        "select camera_id, strftime(started_at, '%d %H:%M:%S'), strftime(ended_at, '%H:%M:%S'), sightings "
        "from fct_appearances where visitor_id = 'ada-2024-01' order by started_at"
    )
    assert found == [
        ("door", "02 09:00:00", "09:00:04", 3),
        ("till", "02 09:05:00", "09:07:00", 2),  # 120 s apart, 4 intervals of 30 s
        ("door", "02 09:10:00", "09:10:00", 1),
        ("door", "02 15:00:00", "15:00:00", 1),
        ("gate", "03 15:00:00", "15:00:00", 1),
    ]


def test_visits_of_one_visitor(built):
    found = built.rows(
        "select location_id, appearances, sightings, cameras, dwell_lower_s, dwell_upper_s "
        "from fct_visits where visitor_id = 'ada-2024-01' order by started_at"
    )
    assert found == [
        ("store-101", 3, 6, 2, 600.0, 604.0),
        ("store-101", 1, 1, 1, 0.0, 4.0),
        ("store-203", 1, 1, 1, 0.0, 4.0),
    ]


def test_local_midnight_cuts_the_visit(built):
    found = built.rows(
        "select business_day, appearances from fct_visits where visitor_id = 'bob-2024-01' order by started_at"
    )
    assert found == [(date(2024, 1, 2), 1), (date(2024, 1, 3), 1)]


def test_report_shows_windows_apart(built):
    found = built.rows(
        "select visitor_id, total_appearances, visits, locations_visited, visit_frequency_per_location "
        "from unique_visitor_report where visitor_id not like 'crowd%' order by visitor_id"
    )
    assert found == [
        ("ada-2024-01", 5, 3, ["Store #101", "Store #203"], "Store #101: 4, Store #203: 1"),
        ("ada-2024-02", 1, 1, ["Store #203"], "Store #203: 1"),
        ("bob-2024-01", 2, 2, ["Store #203"], "Store #203: 2"),
    ]


def test_visitor_day_has_one_row_per_camera(built):
    found = built.rows(
        "select camera_id, business_day, appearances, sightings from visitor_day "
        "where visitor_id = 'ada-2024-01' order by business_day, camera_id"
    )
    assert found == [
        ("door", date(2024, 1, 2), 3, 5),
        ("till", date(2024, 1, 2), 1, 2),
        ("gate", date(2024, 1, 3), 1, 1),
    ]


@pytest.mark.parametrize(
    ("location_id", "day", "figures"),
    [
        pytest.param("store-101", "2024-01-02", (1, 2, 4, 8, 1, 3600, 2700), id="busy"),
        pytest.param("store-101", "2024-01-04", (0, 0, 0, 0, 0, 1800, 1800), id="covered and empty"),
        pytest.param("store-101", "2024-01-05", (None, None, None, None, None, 1800, 0), id="cameras dead"),
        pytest.param("store-203", "2024-01-03", (2, 2, 2, 2, 0, 0, 0), id="no coverage known"),
        pytest.param("kiosk", "2024-01-02", (None, None, None, 2, 2, 0, 0), id="counts only"),
    ],
)
def test_daily_figures(built, location_id, day, figures):
    found = built.rows(
        "select unique_visitors, visits, appearances, sightings, unidentified_sightings, frames_expected, "
        "frames_captured from footfall_daily where location_id = $location and business_day = $day::date",
        location=location_id,
        day=day,
    )
    assert found == [figures]


def test_lost_batches_are_a_gap_and_no_other_is_listed(built):
    found = built.rows(
        "select camera_id, device_id, business_day, first_missing, last_missing, "
        "strftime(gap_starts_at, '%d %H:%M'), strftime(gap_ends_at, '%d %H:%M') from coverage_gaps"
    )
    assert found == [("door", "box-1", date(2024, 1, 4), 2, 3, "02 12:00", "04 09:00")]


def test_coverage_by_camera_and_day_has_rows_for_what_came_only(built):
    found = built.rows("select camera_id, business_day, batches, missing_batches, frames_captured from coverage_daily")
    assert found == [
        ("door", date(2024, 1, 2), 1, 0, 1800),
        ("till", date(2024, 1, 2), 1, 0, 900),
        ("door", date(2024, 1, 4), 1, 2, 1800),
        ("door", date(2024, 1, 5), 1, 0, 0),
    ]


def test_a_day_without_data_has_no_row(built):
    assert (
        built.rows("select * from footfall_daily where location_id = 'store-101' and business_day = '2024-01-03'") == []
    )


def test_hours_are_local_and_covered_ones_are_zero(built):
    found = built.rows(
        "select local_hour, strftime(hour_starts_at, '%H:%M'), unique_visitors, visits_started, appearances, sightings "
        "from footfall_hourly where location_id = 'store-101' and business_day = '2024-01-02' order by hour_starts_at"
    )
    assert found == [
        (9, "08:00", 0, 0, 0, 0),
        (10, "09:00", 1, 1, 3, 7),
        (11, "10:00", 0, 0, 0, 0),
        (12, "11:00", 0, 0, 0, 0),
        (16, "15:00", 1, 1, 1, 1),
    ]


def test_hours_of_a_zone_of_half_hours(built):
    found = built.rows(
        "select local_hour, strftime(hour_starts_at, '%H:%M'), unique_visitors, sightings "
        "from footfall_hourly where location_id = 'kiosk' order by hour_starts_at"
    )
    assert found == [(11, "05:30", None, 1), (12, "06:30", None, 1)]


def test_header_says_what_is_covered(built):
    found = built.rows(
        "select environment, first_business_day, last_captured_at = (select max(captured_at) from fct_sightings), "
        "appearance_gap_s, appearance_gap_intervals, visit_gap_s from publication_header"
    )
    assert found == [("development", date(2024, 1, 2), True, 60, 4, 10800)]


def test_appearance_ids_depend_on_visitor_camera_and_start_only(built):
    [(found, face_id, started_us)] = built.rows(
        "select appearance_id, face_id, epoch_us(started_at) from fct_appearances "
        "where visitor_id = 'ada-2024-01' and camera_id = 'till'"
    )
    text = f"appearance|{face_id}|till|{started_us}"
    assert found == UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())


def test_camera_groups_are_published_by_camera(built):
    assert built.rows("select group_id, camera_id from dim_camera_groups order by all") == [
        ("entrances", "door"),
        ("entrances", "gate"),
    ]


def test_the_build_leaves_its_file_closed(built):
    with duckdb.connect(built.build.path) as connection:
        assert connection.execute("select count(*) from fct_sightings").fetchone() is not None
