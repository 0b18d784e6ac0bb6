"""Compare stores: normal, without optional files, from before its marts, old, and forbidden."""

from datetime import UTC, datetime, timedelta

import pytest

OPEN = """
insert into opening_hours
select 'store-101', date '2024-02-01' + number::integer, true, 600 from range(3) as numbers (number)
"""
SALES = """
insert into conversion_daily (location_id, business_day, transactions, visits, has_more_transactions_than_visits)
values ('store-101', '2024-02-01', 18, 9, true), ('store-203', '2024-02-01', 3, 9, false)
"""
HOURS = """
insert into staffing_hourly (location_id, business_day, local_hour, visits_started, is_open, hour_starts_at)
values ('store-101', '2024-02-01', 17, 6, true, '2024-02-01 16:00:00+00')
"""


def texts(app):
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.title, app.subheader)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def metrics(app):
    return {metric.label.replace("\\", ""): metric.value for metric in app.metric}


@pytest.fixture
def compare(app):
    def run(**address):
        for name, value in address.items():
            app.query_params[name] = value
        app.switch_page("pages/compare_stores.py")
        app.run()
        assert not app.exception
        return app

    return run


@pytest.fixture
def compared(stores):
    """Two days of nine visits at two stores in February, one day before, and a busier day at one of them."""
    return stores.whole_day("store-101", "2024-02-02", 20).with_traffic(OPEN, SALES, HOURS)


def test_normal_page(publish, compared, compare) -> None:
    publish(compared)
    page = compare()
    assert page.title[0].value == "Compare stores"
    assert metrics(page) == {
        "Most visits a day: Store #101": "13.0",
        "Most receipts for each visit: Store #101": "2.00",
        "Highest change: Store #101": "+44%",
    }
    [table] = (each.value for each in page.dataframe)
    rows = table.set_index("Store")
    first = rows.loc["Store #101"]
    assert (first["Days with data"], first["Visits"], first["Rank by visits a day"]) == (3, 39, 1)
    assert (first["Visits an open hour"], first["Receipts for each visit"]) == (1.3, 2.0)
    assert (first["Busiest hour"], first["Visits in it"]) == (17, 6)
    silent = rows.loc["Store *#305* [x](http://evil.example)"]
    assert silent["Days with data"] == 0
    assert rows["Visits"].isna().tolist() == [False, False, True]
    said = texts(page)
    for words in (
        "No data in this period: Store *#305* [x](http://evil.example)",
        "More receipts than visits on some day at Store #101:",
        "against 2024-01-29 to 2024-01-31",
        "Data age: 1 hour",
    ):
        assert words in said


def test_another_figure_has_its_own_definition(publish, compared, compare) -> None:
    publish(compared)
    page = compare()
    [figure] = [each for each in page.selectbox if each.label == "Compare by"]
    figure.select("Unique visitors a day").run()
    assert not page.exception
    assert "never added up over days or stores" in texts(page)


def test_chosen_locations_only(publish, compared, compare) -> None:
    publish(compared)
    page = compare(location="store-203")
    assert page.dataframe[0].value["Store"].tolist() == ["Store #203"]


def test_without_optional_files_the_page_says_what_is_missing(publish, stores, compare) -> None:
    publish(stores.with_traffic())
    said = texts(compare())
    for command in ("opening-hours", "sales"):
        assert f"footfall import {command} FILE.csv" in said


def test_a_publication_from_before_these_marts_says_so(publish, stores, compare) -> None:
    publish(stores)
    assert "publish again: footfall run" in texts(compare())


def test_old_data_are_called_old(publish, compared, compare) -> None:
    publish(compared, last_captured_at=datetime.now(UTC) - timedelta(days=3))
    assert "These data are old: 3 days" in texts(compare())


def test_production_without_users_shows_nothing(publish, compared, compare, monkeypatch) -> None:
    publish(compared, environment="production")
    monkeypatch.setenv("FOOTFALL_ENVIRONMENT", "production")
    page = compare()
    assert "Store #101" not in texts(page)
    assert not page.dataframe
