"""The viewer's page with normal, empty, stale and forbidden data, and its chart's encodings."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from footfall_assets.reporting.protected_footfall import ProtectedGrain, ProtectionRules
from streamlit_app.store_chart import drawn_units, store_chart, store_table

from .conftest import APP

RULES = ProtectionRules(10, 5)


def opened(**query):
    app = AppTest.from_file(str(APP.parent / "pages" / "store_footfall.py"), default_timeout=60)
    app.session_state["opened_through_app"] = True
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def texts(app):
    return "\n".join(each.value for each in (*app.error, *app.warning, *app.info, *app.caption)).replace("\\", "")


@pytest.fixture
def counted(stores):
    stores.protected("store-101", "day", "2024-02-01", 1250).protected("store-101", "day", "2024-02-03", None)
    stores.protected("store-101", "hour", "2024-02-01", 40, hour=9).protected(
        "store-101", "hour", "2024-02-01", None, hour=10
    )
    stores.protected("store-101", "week", "2024-02-01", 1300, last_day="2024-02-04")
    return stores.protected("store-203", "day", "2024-02-01", None)


def test_counts_of_days_with_all_that_must_stand_beside_them(counted, publish):
    publish(counted)
    app = opened()
    assert not app.exception
    assert app.dataframe[0].value.to_dict("list") == {
        "Business day": ["2024-02-01", "2024-02-03"],
        "Unique visitors": ["1,250", "<10"],
    }
    told = texts(app)
    for said in (
        "Store #101",
        "February 1, 2024 to February 3, 2024",
        "Europe/Berlin",
        "Data age",
        "<10",
        "do not add up",
    ):
        assert said in told
    assert len(app.get("download_button")) == 2
    assert app.get("vega_lite_chart")


def test_the_address_says_what_is_shown(counted, publish):
    publish(counted)
    app = opened(location="store-101", by="hour", **{"from": "2024-02-01", "to": "2024-02-01"})
    assert app.dataframe[0].value["Hour (local)"].tolist() == ["2024-02-01 10:00", "2024-02-01 11:00"]
    app.selectbox(key="store_location").set_value("store-203").run()
    assert app.query_params["location"] in ("store-203", ["store-203"])


def test_another_step_is_another_count_and_never_a_sum(counted, publish):
    publish(counted)
    app = opened(by="week")
    assert app.dataframe[0].value["Unique visitors"].tolist() == ["1,300"]
    assert "1,250" not in texts(app)


def test_a_store_without_counts_in_the_period(counted, publish):
    publish(counted)
    app = opened(location="store-305")
    assert not app.exception
    assert "No day of this period" in app.info[0].value
    assert not app.dataframe


def test_nothing_is_over_yet(stores, publish):
    publish(stores)
    app = opened()
    assert "over yet" in app.info[0].value


def test_an_older_publication_says_what_to_run(home, publish, stores):
    published = publish(stores)
    older = published.model_copy(update={"protected": None})
    (home / "lake" / "publications" / f"{published.publication_id}.json").write_text(older.model_dump_json())
    assert "footfall run" in opened().info[0].value


def test_nothing_is_published(home):
    app = opened()
    assert not app.exception
    assert "nothing is published yet" in app.info[0].value


def test_old_data_say_so(counted, publish):
    publish(counted, last_captured_at=datetime.now(UTC) - timedelta(days=9))
    assert "These data are old" in opened().warning[0].value


def frame(counts, *, grain_hours=1):
    starts = pd.Timestamp("2024-02-01 09:00")
    times = [starts + pd.Timedelta(hours=grain_hours * number) for number in range(len(counts))]
    return pd.DataFrame(
        {
            "first_day": [moment.date() for moment in times],
            "last_day": [moment.date() for moment in times],
            "local_time": times,
            "is_fewer": [count is None for count in counts],
            "unique_visitors": pd.array(counts, dtype="Int64"),
        }
    )


def test_a_hidden_count_is_a_pale_bar_that_says_fewer():
    chart = store_chart(frame([40, None]), ProtectedGrain.HOUR, RULES).to_dict()
    [rows] = chart["datasets"].values()
    assert [(row["told"], row["kind"], row["height"]) for row in rows] == [
        ("40", "Unique visitors", 40.0),
        ("<10", "Fewer than 10", 9.0),
    ]
    assert chart["encoding"]["y2"]["field"] == "ground"
    assert {tip["field"] for tip in chart["encoding"]["tooltip"]} == {"label", "told"}


def test_hours_of_the_newest_week_are_drawn_and_all_are_listed():
    hours = frame([15] * 24 * 20)
    drawn = drawn_units(hours, ProtectedGrain.HOUR)
    assert drawn["local_time"].max() == hours["local_time"].max()
    assert drawn["local_time"].dt.date.nunique() == 7
    assert len(drawn_units(hours, ProtectedGrain.DAY)) == len(hours)
    assert len(store_table(hours, ProtectedGrain.HOUR, RULES)) == len(hours)


def test_longer_units_are_named_by_their_ends():
    week = frame([40]).assign(first_day=date(2024, 2, 1), last_day=date(2024, 2, 4))
    assert store_table(week, ProtectedGrain.WEEK, RULES).iloc[0].tolist() == ["2024-02-01 to 2024-02-04", "40"]


def test_why_there_is_no_total_is_said(publish, stores, app):
    publish(stores.protected("store-101", "day", "2024-02-01", 15))
    app.switch_page("pages/store_footfall.py").run()
    assert not app.exception
    assert not app.metric
    assert any("a total of the period or of several stores is not given" in each.value for each in app.caption)
