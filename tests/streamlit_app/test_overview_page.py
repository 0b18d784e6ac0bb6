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
