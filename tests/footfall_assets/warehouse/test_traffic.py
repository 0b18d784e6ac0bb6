"""Traffic over time as a real build makes it: windows of a crowd counted once more, and imported files by hand."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WINDOW = timedelta(seconds=15)


def expected_windows(home):
    """Return sightings, unidentified sightings and visitors by location, day and window."""
    people = {local: row["face_id"] for found in home.identities.values() for local, row in found.items()}
    modes = {row["location_id"]: row["mode"] for row in home.locations}
    windows = defaultdict(list)
    for day, rows in home.sightings.items():
        for row in rows:
            start = EPOCH + (row["captured_at"] - EPOCH) // WINDOW * WINDOW
            windows[row["location_id"], day, start].append(people.get(row["local_visitor_id"]))
    for (location_id, day, start), seen in windows.items():
        visitors = len(set(seen) - {None}) if modes[location_id] == "unique" else None
        yield location_id, day, start, len(seen), seen.count(None), visitors


def test_windows_of_a_crowd(built) -> None:
    found = built.rows(
        "select location_id, business_day, window_starts_at, sightings, unidentified_sightings, unique_visitors "
        "from footfall_15s"
    )
    assert sorted(found, key=str) == sorted(expected_windows(built.home), key=str)
    assert len(found) > 900


def test_windows_add_up_to_days(built) -> None:
    days = built.rows("select location_id, business_day, sightings from footfall_daily where sightings > 0")
    windows = built.rows("select location_id, business_day, sum(sightings)::bigint from footfall_15s group by all")
    assert sorted(windows) == sorted(days)


def test_spans_join_cameras_and_leave_out_dead_ones(built) -> None:
    spans = built.rows("select covered_from, covered_to from coverage_spans order by 1")
    assert [(f"{start:%d %H:%M}", f"{end:%d %H:%M}") for start, end in spans] == [
        ("02 08:00", "02 12:00"),
        ("04 09:00", "04 10:00"),
    ]


def test_hours_of_a_day_with_plan_hours_and_visitors(built) -> None:
    hours = built.rows(
        "select local_hour, is_open, open_minutes, covered_minutes, unique_visitors, planned_staff, visitors_per_staff "
        "from staffing_hourly where location_id = 'store-101' and business_day = '2024-01-02' order by hour_starts_at"
    )
    assert hours == [
        (9, True, 30, 60, 0, 0, None),
        (10, True, 60, 60, 1, 2, 0.5),
        (11, True, 60, 60, 0, 1, 0),
        (12, True, 60, 60, 0, 0, None),
        (13, True, 60, 0, None, 0, None),
        (14, True, 60, 0, None, 0, None),
        (15, True, 60, 0, None, 0, None),
        (16, True, 60, 15, 1, 0, None),
        (17, True, 60, 0, None, 0, None),
    ]


def test_the_night_of_the_clock_change_has_23_hours_staffed(built) -> None:
    hours = built.rows(
        "select local_hour, planned_staff, open_minutes from staffing_hourly "
        "where location_id = 'berlin' and business_day = '2024-03-31' order by hour_starts_at"
    )
    assert hours == [(hour, 1, 60) for hour in range(24) if hour != 2]
    assert built.rows("select open_minutes from opening_hours where location_id = 'berlin'") == [(23 * 60,)]


def test_days_open_closed_and_unknown(built) -> None:
    found = built.rows(
        "select business_day, is_open, open_minutes from opening_hours where location_id = 'store-101' order by 1"
    )
    assert found == [(date(2024, 1, 2), True, 510), (date(2024, 1, 5), False, 0)]


def test_sales_beside_visits(built) -> None:
    found = built.rows(
        "select business_day, transactions, items, revenue, visits, transactions_per_visit from conversion_daily "
        "order by 1"
    )
    assert found == [
        (date(2024, 1, 2), 1, 2, Decimal("30.00"), 2, 0.5),
        (date(2024, 1, 5), 4, None, None, None, None),
    ]
    assert built.rows("select category, items from sales_by_category_daily") == [("Hats", 2)]


def test_counters_beside_cameras(built) -> None:
    found = built.rows(
        "select people_in, people_out, visits, compared_hours, compared_people_in, compared_visits, "
        "visits_per_person_in from counted_traffic_daily"
    )
    assert found == [(12, 9, 2, 1, 5, 1, 0.2)]


def test_visitors_of_weeks_and_months(built) -> None:
    found = built.rows(
        "select location_id, period, first_day, unique_visitors, visits, known_days from footfall_periods "
        "where location_id like 'store%' order by all"
    )
    january, first_week = date(2024, 1, 1), date(2024, 1, 1)
    assert found == [
        ("store-101", "month", january, 1, 2, 2),
        ("store-101", "week", first_week, 1, 2, 2),
        ("store-203", "month", january, 2, 3, 2),
        ("store-203", "month", date(2024, 2, 1), 1, 1, 1),
        ("store-203", "week", first_week, 2, 3, 2),
        ("store-203", "week", date(2024, 2, 1), 1, 1, 1),
    ]
