import sys
from datetime import UTC, date, datetime

import pytest

from footfall_assets.reporting import footfall_over_time
from footfall_assets.reporting.provenance import DEVELOPMENT_NOTE
from streamlit_app import shell

HAND_MADE = sys.modules["hand_made_publication"]  # loaded by conftest.py
INJECTION = "' or 1=1; drop table fct_appearances --"
HOSTILE = {
    "sql in every parameter": dict.fromkeys(("from", "location", "group"), INJECTION),
    "sql in the numbers": {"min": "1 or 1=1", "by": "hour; attach '/etc/passwd'", "to": "2024-02-03' --"},
    "script": {"location": "<script>alert(1)</script>", "group": "[x](javascript:alert(1))"},
    "huge": {"location": "a" * 2_000, "min": "9" * 2_000, "from": "2" * 2_000},
    "unknown": {"location": "store-999", "group": "exits"},
    "turned round": {"from": "2024-02-02", "to": "2024-01-31"},
    "outside": {"from": "0001-01-01", "to": "9999-12-31"},
    "no numbers": {"min": "-1", "from": "today", "by": ""},
    "superscript": {"min": "\u00b2"},
}


def texts(app):
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.title)
    return "\n".join(element.value for kind in kinds for element in kind)


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


def run(app, **params):
    app.switch_page("pages/visitors.py")
    for name, value in params.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def address(app):
    return {name: [value] if isinstance(value, str) else value for name, value in app.query_params.items()}


def test_normal_page(publish, stores, app):
    publication = publish(stores)
    run(app)
    assert app.title[0].value == "Unique Visitor Report"
    assert metrics(app)["Listed Visitors"] == "13"
    assert metrics(app)["Unidentified Sightings"] == "1 of 38"
    shown = texts(app)
    assert "**Time Period:** February 1, 2024 \\- February 3, 2024" in shown
    assert "**Camera Group:** Selected Cameras across 3 Store Locations" in shown
    assert DEVELOPMENT_NOTE[:16] in shown
    assert "Data age: 1 hour" in shown
    assert publication.publication_id in shown
    assert "These data are old" not in shown
    frame = app.dataframe[0].value
    assert frame["Visitor ID"].iloc[0] == "00102A"
    assert frame["Total Appearances"].iloc[0] == 4
    assert len(frame) == 13


def test_empty_home_says_what_to_run(home, app):
    run(app)
    assert "footfall run" in texts(app)
    assert not app.metric


def test_publication_without_a_day_says_so(publish, app, stores):
    stores.appearances.clear()
    stores.sightings.clear()
    stores.daily.clear()
    stores.hourly.clear()
    publish(stores)
    run(app)
    assert "holds no day" in texts(app).replace("\\", "")


def test_stale_data_are_called_old(publish, stores, app):
    publish(stores, last_captured_at=datetime(2024, 2, 3, 20, tzinfo=UTC))
    run(app)
    assert "These data are old" in app.warning[0].value


def test_damaged_publication_shows_no_number(publish, stores, app, home):
    publication = publish(stores)
    path = home / "lake" / publication.visitors.key
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    run(app)
    assert "sha256" in texts(app)
    assert not app.metric


def test_address_sets_the_filters_and_stays(publish, stores, app):
    publish(stores)
    asked = {"from": "2024-02-01", "to": "2024-02-02", "location": "store-101", "group": "entrances", "min": "2"}
    run(app, **asked)
    assert address(app) == {name: [value] for name, value in asked.items()}
    assert metrics(app)["Listed Visitors"] == "4"
    assert "Entrances \\(1 camera\\) across 1 Store Location" in texts(app)


def test_filters_set_the_address(publish, stores, app):
    publish(stores)
    run(app)
    app.date_input[0].set_value((date(2024, 2, 2), date(2024, 2, 2)))
    app.multiselect[0].set_value(["store-203"])
    app.number_input(key="filter_min_appearances").set_value(2).run()
    assert not app.exception
    assert address(app) == {"from": ["2024-02-02"], "to": ["2024-02-02"], "location": ["store-203"], "min": ["2"]}
    assert metrics(app)["Listed Visitors"] == "0"


def test_half_a_period_asks_for_the_rest(publish, stores, app):
    publish(stores)
    run(app)
    app.date_input[0].set_value((date(2024, 2, 2),)).run()
    assert not app.exception
    assert "last day" in app.info[0].value


def test_forged_period_is_put_back(publish, stores, app):
    """A browser may send what the widget does not offer; ten thousand years of hours would fill the memory."""
    publish(stores)
    run(app)
    app.date_input[0].set_value((date(1, 1, 1), date(9999, 12, 31))).run()
    assert not app.exception
    assert app.date_input[0].value == (date(2024, 2, 1), date(2024, 2, 3))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_address_shows_the_default_and_repeats_nothing(publish, stores, app, name):
    publish(stores)
    run(app, **HOSTILE[name])
    assert app.warning
    assert metrics(app)["Listed Visitors"] == "13"
    shown = texts(app)
    for value in HOSTILE[name].values():
        assert len(value) < 3 or value not in shown
        assert [value] not in address(app).values()


def test_names_do_not_act_as_markdown(publish, stores, app):
    stores.locations[2] = (*stores.locations[2][:3], "count_only", True)
    publish(stores)
    run(app)
    assert "](http" not in texts(app)
    assert "\\[x\\]\\(http" in texts(app)


def test_a_total_has_its_interval_and_says_where_it_comes_from(publish, stores, calibration, app):
    """13 listed x 1.15; the cuts agree."""
    stores.calibration = calibration
    publish(stores)
    run(app)
    shown = texts(app).replace("\\", "")
    assert metrics(app)["Total Unique Visitors"] == "15"
    assert "Total Unique Visitors: 15 (90 % interval 12 to 18)" in shown
    assert "calibrated on: hand-made stores" in shown
    assert "Total People incl. Unseen: not available" in shown


def test_a_total_that_cannot_be_given_is_not_shown(publish, stores, calibration, app):
    stores.calibration = calibration
    for minute in range(60):
        stores.stranger("store-203-door", f"2024-02-02T16:{minute:02}")
    publish(stores)
    run(app)
    assert metrics(app)["Total Unique Visitors"] == "not estimated"
    assert "of the sightings show nobody who can be recognised" in texts(app)
    assert "hand-made stores" not in texts(app).replace("\\", "")
    assert metrics(app)["Listed Visitors"] == "13"


def test_without_a_calibration_the_list_is_shown_and_no_total(publish, stores, app):
    publish(stores)
    run(app)
    assert metrics(app)["Total Unique Visitors"] == "not estimated"
    assert "no calibration for this embedder and threshold" in texts(app)


def test_two_windows_have_two_totals_and_no_sum(publish, stores, calibration, app):
    stores.calibration = calibration
    publish(stores)
    run(app, **{"from": "2024-01-30", "to": "2024-02-03"})
    totals = {name: value for name, value in metrics(app).items() if name.startswith("Total")}
    assert totals == {"Total Unique Visitors, 2024-01": "not estimated", "Total Unique Visitors, 2024-02": "15"}
    shown = texts(app).replace("\\", "")
    assert "Total Unique Visitors, 2024-01: not estimated: 1 listed visitors are fewer than the 2" in shown
    assert "cannot be added" in texts(app)
    assert "Linkage Window" in app.dataframe[0].value.columns


def test_cameras_that_saw_nobody_are_not_a_zero(publish, stores, app):
    publish(stores)
    run(app, **{"from": "2024-02-01", "to": "2024-02-01", "location": "store-305"})
    assert "days with data: 2024-02-02" in texts(app).replace("\\", "")
    assert not app.metric


def test_new_publication_replaces_the_answer(publish, stores, app):
    publish(stores)
    run(app)
    publish(stores.appear("00900Z", "store-203-door", "2024-02-03T18:00"))
    run(app)
    assert metrics(app)["Listed Visitors"] == "14"


def test_days_that_a_publication_took_away_are_left(publish, stores, app):
    publish(stores)
    run(app, **{"from": "2024-01-30", "to": "2024-02-03"})
    stores.daily = [row for row in stores.daily if row[1].month == 2]
    publish(stores)
    run(app)
    assert app.date_input[0].value == (date(2024, 2, 1), date(2024, 2, 3))
    assert metrics(app)["Listed Visitors"] == "13"


def test_location_that_a_publication_took_away_is_dropped(publish, stores, app):
    publish(stores)
    run(app, location="store-305")
    stores.locations.pop()
    publish(stores)
    run(app)
    assert app.multiselect[0].value == []


def test_address_of_a_million_characters_is_survived(publish, stores, app):
    publish(stores)
    run(app, location="a" * 1_000_000)
    assert metrics(app)["Listed Visitors"] == "13"


def test_chart_by_day_has_its_table(publish, stores, app):
    publish(stores)
    run(app, by="day")
    table = app.dataframe[1].value
    first = table[table["Location"] == "Store #101"]
    assert first["Business day"].tolist() == ["2024-02-01", "2024-02-02", "2024-02-03"]
    assert first["Unique visitors"].isna().tolist() == [False, True, False]
    assert address(app)["by"] == ["day"]


def test_more_hours_than_a_browser_holds_are_shown_by_day(publish, stores, app, monkeypatch):
    publish(stores)
    monkeypatch.setattr(footfall_over_time, "ROWS_AT_MOST", 3 * 3 * 24 - 1)
    run(app)
    assert "By day: so many locations" in texts(app)
    assert app.dataframe[1].value.columns[1] == "Business day"
    monkeypatch.setattr(footfall_over_time, "ROWS_AT_MOST", 3 * 3 * 24)
    run(app, to="2024-02-02")  # another question, as the answer is kept
    assert "By day: so many locations" not in texts(app)
    assert app.dataframe[1].value.columns[1] == "Hour (local)"


def test_a_long_table_is_shown_in_part_and_says_so(publish, stores, app, monkeypatch):
    publish(stores)
    monkeypatch.setattr(shell, "_SHOWN_ROWS", 4)
    run(app, by="day")
    assert len(app.dataframe[1].value) == 4
    assert "The first 4 of 9 rows; the files hold all of them." in texts(app)


@pytest.mark.parametrize("where", ["home", "publication"])
def test_production_without_users_shows_nothing(publish, stores, app, monkeypatch, where):
    publish(stores, environment="production" if where == "publication" else "development")
    if where == "home":
        monkeypatch.setenv("FOOTFALL_ENVIRONMENT", "production")
    run(app)
    assert "it has no users" in app.error[0].value
    assert not app.metric
    assert not app.dataframe
    assert not app.multiselect


@pytest.fixture
def examples(publish):
    """Five visitors of the report's example, in four stores."""
    return publish(HAND_MADE.example_stores())


def test_the_examples_rows_are_on_the_page(examples, app):
    run(app)
    frame = app.dataframe[0].value
    rows = frame[["Visitor ID", "Total Appearances", "Visit Frequency per Location"]].to_numpy().tolist()
    assert [tuple(row) for row in rows] == [(*row[:2], row[3]) for row in HAND_MADE.EXAMPLE_ROWS]
    assert frame["Locations Visited"].tolist() == [row[2] for row in HAND_MADE.EXAMPLE_ROWS]
    assert metrics(app)["Listed Visitors"] == "5"


def test_the_list_comes_a_page_at_a_time_in_the_order_asked_for(publish, app):
    made = HAND_MADE.HandMade().place("store-101", "Store #101").whole_day("store-101", "2024-02-01", 120)
    for number in range(120):
        made.appear(f"{number:05}A", "store-101-door", f"2024-02-01T{8 + number // 12:02}:{number % 12 * 5:02}")
    publish(made)
    run(app)
    assert len(app.dataframe[0].value) == 50
    assert "Rows 1 to 50 of 120." in texts(app)
    page = next(each for each in app.number_input if each.label == "Page")
    page.set_value(3).run()
    assert app.dataframe[0].value["Visitor ID"].tolist() == [f"{number:05}A" for number in range(100, 120)]
    app.number_input(key="filter_min_appearances").set_value(2).run()
    assert not app.exception
    assert "No visitor has that many appearances" in texts(app)


def test_a_visitors_way_is_shown_once_chosen(examples, app):
    run(app)
    chosen = next(each for each in app.selectbox if each.key == "visitors_chosen")
    chosen.select_index(0).run()
    assert not app.exception
    assert "07654D: 22 appearances" in texts(app).replace("\\", "")
    table = next(each.value for each in app.dataframe if "Camera" in each.value.columns)
    assert len(table) == 22
    assert set(table["Location"]) == {"Store #150", "Store #203"}


def test_a_period_to_the_minute_comes_from_the_address_and_stays(publish, stores, app):
    publish(stores)
    asked = {"from": "2024-02-01T09:30", "to": "2024-02-01T15:15", "location": "store-101"}
    run(app, **asked)
    assert address(app) == {name: [value] for name, value in asked.items()}
    assert "February 1, 2024 09:30 - February 1, 2024 15:15" in texts(app).replace("\\", "")


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "2024-02-01T25:00"},
        {"from": "2024-02-01T09:30:00"},
        {"from": "2024-02-01T09:30Z"},
        {"to": "2024-02-01T' or 1=1"},
        {"from": "2024-02-02T12:00", "to": "2024-02-02T11:00"},
        {"camera": "nobody-knows"},
    ],
)
def test_hostile_minutes_and_cameras_are_put_back(publish, stores, app, asked):
    publish(stores)
    run(app, **asked)
    assert app.warning
    assert "T" not in address(app)["from"][0] + address(app)["to"][0]
    assert "camera" not in address(app)


@pytest.fixture
def long_list(publish):
    """120 visitors of one day: the higher the number, the fewer appearances and visits, and the later the last one."""
    made = HAND_MADE.HandMade().place("store-101", "Store #101").whole_day("store-101", "2024-02-01", 120)
    for number in range(120):
        made.appear(f"{number:05}A", "store-101-door", f"2024-02-01T{8 + number // 12:02}:{number % 12 * 5:02}")
        if number == 77:
            made.appear("00077A", "store-101-door", "2024-02-01T23:00")
            made.appear("00077A", "store-101-door", "2024-02-01T23:30")
    return publish(made)


def test_page_and_order_are_in_the_address_and_come_from_it(long_list, app):
    run(app, sort="visitor-id", page="3", **{"from": "2024-02-01"})
    assert app.dataframe[0].value["Visitor ID"].tolist() == [f"{number:05}A" for number in range(100, 120)]
    assert (address(app)["sort"], address(app)["page"]) == (["visitor-id"], ["3"])
    app.selectbox(key="visitors_order").set_value("most visits").run()
    assert not app.exception
    assert app.dataframe[0].value["Visitor ID"].iloc[0] == "00077A"  # another order begins at its first page
    assert address(app)["sort"] == ["most-visits"]
    assert "page" not in address(app)
    next(each for each in app.number_input if each.label == "Page").set_value(2).run()
    assert address(app)["page"] == ["2"]


def test_last_seen_first_shows_when(long_list, app):
    run(app, sort="last-seen")
    first = app.dataframe[0].value.iloc[0]
    assert first[["Visitor ID", "Last Seen (local)", "Visits"]].tolist() == ["00077A", "2024-02-01 23:30", 2]
    assert app.dataframe[0].value["Last Seen (local)"].is_monotonic_decreasing


@pytest.mark.parametrize(
    "asked",
    [
        {"page": "0"},
        {"page": "-1"},
        {"page": "9" * 2_000},
        {"page": "\u00b2"},
        {"page": "1; drop table fct_visits"},
        {"page": "4"},
        {"sort": "total_appearances; attach 'x'"},
        {"sort": "most visits"},
        {"sort": ""},
    ],
)
def test_a_page_or_order_that_is_none_is_put_back_with_a_sentence(long_list, app, asked):
    run(app, **asked)
    assert any("in the address" in each.value for each in app.warning)
    assert len(app.dataframe[0].value) in {20, 50}
    assert {address(app).get("page", ["1"])[0], address(app).get("sort", ["visitor-id"])[0]} <= {"1", "3", "visitor-id"}


def test_provisional_days_are_named_and_have_no_total(publish, stores, calibration, app):
    stores.calibration = calibration
    stores.more_visitors = stores.more_aggregates = (
        "create table provisional_windows as select '2024-02' as linkage_window, date '2024-02-01' as last_sealed_day, "
        "date '2024-02-03' as last_provisional_day"
    )
    publish(stores)
    run(app)
    assert "2024-02-02 to 2024-02-03 are provisional" in app.warning[0].value.replace("\\", "")
    assert metrics(app)["Total Unique Visitors"] == "not estimated"
    assert "a total is given again after the next seal" in texts(app).replace("\\", "")
