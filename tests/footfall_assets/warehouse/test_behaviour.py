"""Where, how long, in which order and how often: figures of the hand-made home, counted by hand."""

from datetime import date

ADA = "ada-2024-01"


def test_cameras_without_zones_stand_for_themselves(built):
    found = built.rows("select zone, cameras, is_named, plan_x_m from dim_zones where location_id = 'store-101'")
    assert sorted(found) == [("door", 1, False, None), ("till", 1, False, None)]


def test_dwell_of_a_day_has_bounds(built):
    found = built.rows(
        "select zone, visitors, stays, total_lower_s, total_midpoint_s, total_upper_s from dwell_by_zone "
        "where location_id = 'store-101' and business_day = '2024-01-02' order by zone"
    )
    # At the door 4, 0 and 0 s by stills every 2 s, at the till 120 s by stills every 30 s: n on either side.
    assert found == [("door", 1, 3, 4.0, 10.0, 16.0), ("till", 1, 1, 120.0, 150.0, 180.0)]


def test_days_that_are_empty_unknown_or_only_counted(built):
    found = built.rows(
        "select location_id, zone, day(business_day), visitors from dwell_by_zone "
        "where location_id in ('store-101', 'kiosk') and business_day > '2024-01-02' order by all"
    )
    assert found == [("store-101", "door", 4, 0)]  # on the 5th no frame came; nobody covered the kiosk
    assert built.rows("select count(*) from dwell_by_zone where location_id = 'kiosk' and visitors is not null") == [
        (0,)
    ]
    assert built.rows("select visits, total_lower_s from visit_dwell where location_id = 'kiosk'") == [(None, None)]


def test_moves_of_two_visits(built):
    found = built.rows(
        "select level, from_place, to_place, moves, total_gap_s from camera_flows "
        "where location_id = 'store-101' and business_day = '2024-01-02' and level = 'zone' order by all"
    )
    assert found == [
        ("zone", "(entry)", "door", 2, None),
        ("zone", "door", "(exit)", 2, None),
        ("zone", "door", "till", 1, 296.0),
        ("zone", "till", "door", 1, 180.0),
    ]
    assert built.rows(
        "select journey, steps, goes_on, visits from journeys "
        "where location_id = 'store-101' and business_day = '2024-01-02' order by all"
    ) == [("door", 1, False, 1), ("door > till > door", 3, False, 1)]


def test_a_visitor_of_two_stores(built):
    assert built.rows(
        "select first_day, last_day, days_seen, locations, visits, appearances, sightings from visitor_window "
        "where visitor_id = $visitor",
        visitor=ADA,
    ) == [(date(2024, 1, 2), date(2024, 1, 3), 2, 2, 3, 5, 8)]
    assert built.rows(
        "select visitors from stores_shared "
        "where linkage_window = '2024-01' and location_id = 'store-101' and other_location_id = 'store-203'"
    ) == [(1,)]


def test_frequencies_of_january(built):
    found = built.rows(
        "select location_id, measure, times, visitors from visit_frequency "
        "where linkage_window = '2024-01' and measure = 'visits' order by all"
    )
    # Ada: twice at #101, once at #203; Bob: twice at #203, either side of midnight.
    assert found == [
        ("store-101", "visits", 2, 1),
        ("store-203", "visits", 1, 1),
        ("store-203", "visits", 2, 1),
        (None, "visits", 2, 1),
        (None, "visits", 3, 1),
    ]


def test_every_mart_of_a_crowd_fits_the_others(built):
    """The data tests hold over a clock change and random overlaps: here that there is something to hold."""
    ((moves, gaps, stays),) = built.rows(
        "select (select sum(moves) from camera_flows), (select count(*) from camera_flows where total_gap_s > 0), "
        "(select sum(stays) from dwell_by_zone)"
    )
    assert moves > 500
    assert gaps > 20
    assert stays > 300
