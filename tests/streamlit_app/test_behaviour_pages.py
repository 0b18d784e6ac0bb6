"""Dwell and zones, Journeys, Loyalty: normal, empty, old, before their marts, and forbidden."""

from datetime import UTC, datetime, timedelta

import pytest

PAGES = ("dwell", "journeys", "loyalty")
ROWS = (
    """insert into dwell_by_zone values
        ('store-101', 'hats', '2024-02-01', 3, 4, 40, 60, 80, 8, 10, 15, 20, 22),
        ('store-101', '*shoes*', '2024-02-01', 1, 1, 5, 10, 15, 8, 10, 15, 20, 22)""",
    """insert into dwell_distribution values ('store-101', 'hats', '2024-02-01', 10, 4, 40, 60, 80),
        ('store-101', '*shoes*', '2024-02-01', 5, 1, 5, 10, 15),
        ('store-101', null, '2024-02-01', 300, 2, 610, 640, 670)""",
    "insert into visit_dwell values ('store-101', '2024-02-01', 2, 610, 640, 670)",
    """insert into dim_zones values ('store-101', 'hats', 1, true, 'store-101-door', 3, 4),
        ('store-101', '*shoes*', 1, true, 'store-101-till', null, null)""",
    "insert into dwell_by_zone_hourly values ('store-101', 'hats', '2024-02-01', 9, 4, 60)",
    "insert into camera_visibility values ('store-101-door', 'store-101', '2024-02', 5, 40, 30, 0.75)",
    """insert into camera_flows values ('store-101', '2024-02-01', 'zone', '(entry)', 'hats', 2, null, null),
        ('store-101', '2024-02-01', 'zone', 'hats', '*shoes*', 1, 30, 30),
        ('store-101', '2024-02-01', 'zone', 'hats', '(exit)', 1, null, null),
        ('store-101', '2024-02-01', 'zone', '*shoes*', '(exit)', 1, null, null)""",
    "insert into camera_flows_hourly values ('store-101', '2024-02-01', 9, '(entry)', 'hats', 2)",
    """insert into journeys values ('store-101', '2024-02-01', 'hats > *shoes*', 2, false, 1),
        ('store-101', '2024-02-01', 'hats', 1, false, 1)""",
    """insert into visit_frequency values ('2024-02', 'store-101', 'visits', 1, 6),
        ('2024-02', 'store-101', 'visits', 2, 2), ('2024-02', 'store-101', 'days', 1, 8)""",
    "insert into days_between_visits values ('2024-02', 'store-101', 2, 3)",
    "insert into loyalty_daily values ('2024-02', 'store-101', '2024-02-01', 8, 5, 3, 2)",
    """insert into stores_shared values ('2024-02', 'store-101', 'store-101', 10),
        ('2024-02', 'store-101', 'store-203', 4), ('2024-02', 'store-203', 'store-203', 8)""",
)


def texts(app):
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.title, app.subheader)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


@pytest.fixture
def opened(app):
    def open_page(name, **params):
        for key, value in params.items():
            app.query_params[key] = value
        app.switch_page(f"pages/{name}.py")
        app.run()
        assert not app.exception
        return app

    return open_page


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


def test_dwell_shows_bounds_and_what_has_no_place(publish, stores, opened):
    publish(stores.with_behaviour(*ROWS))
    shown = opened("dwell")
    assert shown.title[0].value == "Dwell and zones"
    assert not shown.error
    said = texts(shown)
    assert "at least so long" in said
    assert "Place on the plan not known: *shoes*." in said
    assert "Data age: 1 hour" in said
    zones = next(frame.value for frame in shown.dataframe if "Zone" in frame.value and "Stays" in frame.value)
    hats = zones.set_index("Zone").loc["hats"]
    assert hats[["Median, at least, s", "Median, midpoint, s", "Median, upper bound, s"]].tolist() == [10, 15, 20]


def test_journeys_show_moves_and_ways(publish, stores, opened):
    publish(stores.with_behaviour(*ROWS))
    shown = opened("journeys")
    assert metrics(shown) == {"Visits": "2", "Moves inside the store, a visit": "0.5"}
    journeys = next(frame.value for frame in shown.dataframe if "Journey" in frame.value)
    assert set(journeys["Journey"]) == {"hats > *shoes*", "hats"}
    shown.segmented_control(key="journeys_level").set_value("camera").run()
    assert "no visit at these locations" in texts(shown)


def test_loyalty_shows_who_comes_back(publish, stores, opened):
    publish(stores.with_behaviour(*ROWS))
    shown = opened("loyalty")
    assert metrics(shown) == {"Visitors of the window": "8", "With two visits or more": "25%"}
    days = next(frame.value for frame in shown.dataframe if "Returning" in frame.value)
    known = days.set_index(days["Business day"].astype(str))
    assert known.loc["2024-02-01", ["New", "Returning"]].tolist() == [5, 3]
    assert known.loc["2024-02-02", "Unique visitors"] is not None
    assert known["New"].isna().sum() == len(known) - 1  # the other days are not known: missing, never 0
    shared = next(frame.value for frame in shown.dataframe if "Other store" in frame.value)
    assert shared.loc[shared["Store"] != shared["Other store"], "Visitors of both"].tolist() == [4]


@pytest.mark.parametrize("name", PAGES)
def test_a_period_without_rows_says_so(name, publish, stores, opened):
    publish(stores.with_behaviour())
    shown = opened(name)
    assert not shown.error
    assert "choose another period" in texts(shown)


@pytest.mark.parametrize("name", PAGES)
def test_old_data_are_called_old(name, publish, stores, opened):
    publish(stores.with_behaviour(*ROWS), last_captured_at=datetime.now(UTC) - timedelta(days=40))
    assert "These data are old: 40 days" in texts(opened(name))


@pytest.mark.parametrize("name", PAGES)
def test_production_without_users_shows_nothing(name, publish, stores, opened, monkeypatch):
    publish(stores.with_behaviour(*ROWS), environment="production")
    monkeypatch.setenv("FOOTFALL_ENVIRONMENT", "production")
    shown = opened(name)
    assert not shown.dataframe
    assert not shown.metric


@pytest.mark.parametrize("name", PAGES)
def test_a_publication_from_before_the_marts_is_told(name, publish, stores, opened):
    publish(stores)
    shown = opened(name)
    assert "publish again: footfall run" in texts(shown)
    assert not shown.dataframe
