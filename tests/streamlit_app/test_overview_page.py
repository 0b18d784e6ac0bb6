"""The page that somebody opens in the morning."""

from datetime import UTC, date, datetime, timedelta

import pytest


def texts(app):
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.title, app.subheader, app.success)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


@pytest.fixture
def overview(app):
    def run():
        app.switch_page("pages/overview.py")
        app.run()
        assert not app.exception
        return app

    return run


@pytest.fixture
def two_weeks(stores):
    """Saturday, February 3 has 9 visits at each of two stores; the Saturday before 4 at one of them."""
    stores.daily.append(("store-101", date(2024, 1, 27), "2024-01", 4, 4, 12, 36, 0, 17280, 17000, 900))
    return stores.covered("store-101-door", "2024-02-03").covered("store-203-door", "2024-02-03", captured=900)


def test_normal_page_tells_the_newest_day_against_the_week_before(publish, two_weeks, overview):
    publish(two_weeks)
    page = overview()
    shown = texts(page)
    assert "Saturday, February 3, 2024" in shown
    assert "18 visits at 2 stores, 125% more than on the same weekday a week before." in shown
    assert "Most visits began between 15:00 and 16:00." in shown
    assert "over 1 of 2 stores with data on both days" in shown
    assert metrics(page)["Visits"] == "18"
    assert "Unique visitors" not in metrics(page)  # those of two stores do not add up
    assert "local time (Europe/Berlin, UTC)" in shown
    assert "Data age: 1 hour" in shown
    assert "1 camera day with fewer than 90% of the frames" in shown
    table = page.dataframe[0].value if "Store" in page.dataframe[0].value else page.dataframe[1].value
    assert table["Visits"].tolist()[:2] == [9, 9]


def test_one_store_has_its_unique_visitors(publish, two_weeks, app, overview):
    publish(two_weeks)
    app.query_params["location"] = "store-101"
    assert metrics(overview())["Unique visitors"] == "8"


def test_a_day_with_nothing_to_compare_with_says_so(publish, stores, overview):
    publish(stores)
    shown = texts(overview())
    assert "Nothing was recorded on Saturday, January 27, 2024" in shown
    assert "week before." not in shown


def test_empty_home_says_what_to_run(home, overview):
    page = overview()
    assert "footfall run" in texts(page)
    assert not page.metric


def test_stale_data_are_called_old(publish, stores, overview):
    publish(stores, last_captured_at=datetime.now(UTC) - timedelta(days=3))
    assert "These data are old: 3 days" in texts(overview())


def test_a_publication_without_newest_minutes_shows_the_rest(publish, two_weeks, overview):
    publish(two_weeks)
    page = overview()
    assert "says nothing of 15-second windows" in texts(page) or "in the last 30 minutes of data" in texts(page)
    assert "What is missing" in texts(page)


def test_production_without_users_shows_nothing(publish, stores, overview):
    publish(stores, environment="production")
    page = overview()
    assert "it has no users" in texts(page)
    assert not page.metric
    assert not page.dataframe


CORNER = """
insert into counted_traffic_daily by name
select
    'corner' as location_id, date '2024-02-03' as business_day, 'infrared' as count_source,
    2 as hours, 1 as counters, 30 as people_in, 28 as people_out, 0 as compared_hours
"""


def counted_tables(page):
    return [each.value for each in page.dataframe if "Hours counted" in each.value]


def test_a_location_without_a_camera_has_its_counter_and_no_uniques(publish, two_weeks, app, overview):
    publish(two_weeks.place("corner", "Corner", cameras=()).with_traffic(CORNER))
    app.query_params["location"] = "corner"
    page = overview()
    shown = texts(page)
    assert "February 3, 2024" in shown
    assert "No camera saw these stores: only counters tell of them." in shown
    [counted] = counted_tables(page)
    assert counted[["Store", "Source", "People in", "Unique visitors"]].to_numpy().tolist() == [
        ["Corner", "infrared", 30, "not available"]
    ]
    assert not page.metric


def test_counters_stand_beside_the_cameras(publish, two_weeks, overview):
    publish(two_weeks.place("corner", "Corner", cameras=()).with_traffic(CORNER))
    page = overview()
    assert "18 visits at 2 stores" in texts(page)  # what was counted at the corner is no visit
    [counted] = counted_tables(page)
    assert counted["Store"].tolist() == ["Corner"]


def test_where_nobody_came_lately_the_strip_reaches_further_back(publish, two_weeks, app, overview):
    publish(
        two_weeks.with_traffic(
            "insert into coverage_spans values"
            " ('store-101', '2024-02-03', '2024-02-03 08:00:00+00', '2024-02-03 20:00:00+00')",
            "insert into footfall_15s values ('store-101', '2024-02-03', '2024-02-03 18:10:00+00', 2, 0, 1)",
        )
    )
    app.query_params["location"] = "store-101"
    page = overview()
    assert "2 sightings in the last 120 minutes of data" in texts(page)
    assert "Windows of 15 seconds, 480 of 480 with a camera alive." in texts(page)


def test_without_a_week_before_the_table_has_no_empty_columns(publish, stores, overview):
    publish(stores)
    tables = [each.value for each in overview().dataframe if "Visits" in each.value and "Store" in each.value]
    assert "Visits a week before" not in tables[0]


def test_all_stores_together_have_a_total_with_its_interval(publish, two_weeks, calibration, overview):
    """12 listed of the month and 5 of its last day, times 1.15; nothing of it comes from rows about visitors."""
    two_weeks.calibration = calibration
    publish(two_weeks.with_trees())
    page = overview()
    shown = texts(page)
    assert metrics(page)["February 3, 2024"] == "5"
    assert "February 3, 2024: 5 (90 % interval 3 to 6)." in shown
    assert metrics(page)["Window 2024-02 so far"] == "15"
    assert "Window 2024-02 so far, February 1, 2024 to February 3, 2024: 15 (90 % interval 12 to 18)." in shown
    assert "Calibrated on: hand-made stores" in shown


def test_a_total_that_is_refused_says_why(publish, two_weeks, overview):
    publish(two_weeks.with_trees())
    page = overview()
    assert metrics(page)["February 3, 2024"] == "not estimated"
    assert "February 3, 2024: not estimated: no calibration for this embedder and threshold." in texts(page)


def test_a_part_of_the_stores_has_no_total_here_and_says_where(publish, two_weeks, calibration, app, overview):
    two_weeks.calibration = calibration
    publish(two_weeks.with_trees())
    app.query_params["location"] = "store-101"
    page = overview()
    assert "Totals with their interval are of all stores together" in texts(page)
    assert not [label for label in metrics(page) if label.startswith("February")]
