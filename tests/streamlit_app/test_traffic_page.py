"""Traffic and staffing: normal, without imported files, from before its marts, old, and forbidden."""

from datetime import UTC, date, datetime, timedelta

import pytest

from footfall_assets.contracts.imports import ImportKind
from footfall_assets.contracts.registry import Location, Registry
from footfall_assets.imports.import_file import import_csv, parse_csv
from footfall_assets.storage.lake import FolderLake

HOURS = """
insert into staffing_hourly by name
select
    'store-101' as location_id,
    date '2024-02-01' as business_day,
    4 as weekday,
    timestamptz '2024-02-01 08:00:00+00' + to_hours(number::integer) as hour_starts_at,
    (9 + number)::integer as local_hour,
    number < 3 as is_open,
    (case when number < 3 then 60 else 0 end)::integer as open_minutes,
    case number when 1 then 0 else 60 end as covered_minutes,
    case number when 1 then null else 12 * (number + 1) end as unique_visitors,
    case number when 1 then null else 10 * (number + 1) end as visits_started,
    case number when 1 then null else 99 end as sightings,
    2.0 as planned_staff
from range(4) as numbers (number)
"""
SALES = """
insert into conversion_daily by name
select
    'store-101' as location_id,
    date '2024-02-01' + number::integer as business_day,
    [4, 30][number + 1] as transactions,
    [100.00, 500.00][number + 1] as revenue,
    [20, 10][number + 1] as visits,
    transactions / visits as transactions_per_visit,
    transactions > visits as has_more_transactions_than_visits
from range(2) as numbers (number)
"""
CATEGORIES = "insert into sales_by_category_daily values ('store-101', '2024-02-01', 'Shoes', 3, 4, 80)"
COUNTS = """
insert into counted_traffic_daily by name
select
    'store-101' as location_id, date '2024-02-01' as business_day, 'infrared' as count_source, 8 as hours,
    1 as counters, 50 as people_in, 45 as people_out, 20 as visits, 4 as compared_hours, 40 as compared_people_in,
    20 as compared_visits, 0.5 as visits_per_person_in
"""


def texts(app):
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.title, app.subheader)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


@pytest.fixture
def traffic(app):
    def run(**address):
        for name, value in address.items():
            app.query_params[name] = value
        app.switch_page("pages/traffic.py")
        app.run()
        assert not app.exception
        return app

    return run


def test_normal_page(publish, stores, traffic) -> None:
    publish(stores.with_traffic(HOURS, SALES, CATEGORIES, COUNTS))
    page = traffic()
    assert page.title[0].value == "Traffic and staffing"
    said = texts(page)
    assert "Busiest: Thursday 11:00 to 12:00, with 30.0 visits an hour and store on average" in said
    assert "Quietest: Thursday 09:00 to 10:00, with 10.0." in said
    assert metrics(page) == {
        "Hours understaffed": "1",
        "As needed": "1",
        "Hours overstaffed": "0",
        "No verdict: seen in part": "0",
        "Receipts for each visit": "1.13",
        "Revenue for each visit": "20.00",
        "Receipts compared": "34",
        "Visits compared": "30",
    }
    assert "More receipts than visits on 1 of 2 store days" in said
    for words in ("Data age: 1 hour", "local time (", "February 1, 2024 to February 3, 2024", "unknown, not zero"):
        assert words in said
    profile, _, under, sales, categories, counters = (each.value for each in page.dataframe)
    assert profile["Local hour"].tolist() == [9, 11, 12]
    assert profile["Open"].tolist() == [True, True, False]
    assert under[["Unique visitors", "Planned staff", "Needed staff"]].to_numpy().tolist() == [[36, 2.0, 4.0]]
    assert sales["Receipts for each visit"].tolist() == [0.2, 3.0]
    assert categories["Category"].tolist() == ["Shoes"]
    assert counters["Visits for each person in"].tolist() == [0.5]


def test_a_higher_service_level_needs_more_staff(publish, stores, traffic) -> None:
    publish(stores.with_traffic(HOURS))
    page = traffic()
    page.number_input[0].set_value(5.0).run()
    assert metrics(page)["Hours understaffed"] == "2"
    assert "one member of staff for every 5 visitors an hour" in texts(page)


def test_without_imported_files_the_page_names_the_commands(publish, stores, traffic) -> None:
    publish(stores.with_traffic(HOURS.replace("2.0 as planned_staff", "null::double as planned_staff")))
    said = texts(traffic())
    for command in ("staff", "sales", "counts"):
        assert f"footfall import {command} FILE.csv" in said
    assert "Busiest" in said


def test_nothing_seen_is_said_in_each_part(publish, stores, traffic) -> None:
    publish(stores.with_traffic())
    page = traffic()
    assert "no camera saw an hour of these locations" in texts(page)
    assert [part.value for part in page.subheader] == [
        "When people come",
        "Staff against visitors",
        "Conversion",
        "Other counters",
        "Visits from all sources",
        "Imported files",
    ]


def test_a_publication_from_before_these_marts_says_so(publish, stores, traffic) -> None:
    publish(stores)
    assert texts(traffic()).count("publish again: footfall run") == 5


def test_old_data_are_called_old(publish, stores, traffic) -> None:
    publish(stores.with_traffic(HOURS), last_captured_at=datetime.now(UTC) - timedelta(days=3))
    assert "These data are old: 3 days" in texts(traffic())


def test_an_empty_home_says_what_to_run(home, traffic) -> None:
    assert "nothing is published yet" in texts(traffic())


def test_production_without_users_shows_nothing(publish, stores, traffic, monkeypatch) -> None:
    publish(stores.with_traffic(HOURS), environment="production")
    monkeypatch.setenv("FOOTFALL_ENVIRONMENT", "production")
    page = traffic()
    assert "Busiest" not in texts(page)
    assert not page.dataframe


def test_imported_files_are_listed_with_what_was_set_aside(publish, stores, traffic, home) -> None:
    publish(stores.with_traffic(HOURS))
    registered = Registry(
        locations=(Location(location_id="a", name="A", partition_group="a", valid_from=date(2024, 1, 1)),)
    )
    now = datetime(2024, 2, 1, tzinfo=UTC)
    for number, text in enumerate(("a,2024-01-05,9,2", "a,2024-01-05,9,3\nb,2024-01-05,9,2")):
        data = f"location,date,hour,staff\n{text}".encode()
        parsed = parse_csv(ImportKind.STAFF, f"plan-{number}.csv", data, registry=registered, now=now)
        import_csv(
            FolderLake(home / "lake"),
            ImportKind.STAFF,
            parsed,
            now=now + timedelta(days=number),
            lock_folder=home / "locks",
        )
    table = traffic().dataframe[-1].value
    assert table[["File", "Rows", "Set aside", "Reasons"]].to_numpy().tolist() == [
        ["plan-1.csv", 1, 1, "unknown_location 1"],
        ["plan-0.csv", 1, 0, ""],
    ]


CORNER = """
insert into counted_traffic_daily by name
select
    'corner' as location_id, date '2024-02-01' + number::integer as business_day, 'infrared' as count_source,
    2 as hours, 1 as counters, 30 as people_in, 28 as people_out, 0 as compared_hours
from range(2) as numbers (number);
insert into counted_traffic_hourly by name
select
    'corner' as location_id, date '2024-02-01' as business_day, 'infrared' as count_source,
    timestamptz '2024-02-01 09:00:00+00' + to_hours(number::integer) as hour_starts_at,
    (9 + number)::integer as local_hour, 10 * (number + 1) as people_in
from range(2) as numbers (number)
"""


def test_a_location_without_a_camera_shows_what_its_counter_says(publish, stores, traffic) -> None:
    publish(stores.place("corner", "Corner", cameras=()).with_traffic(HOURS, COUNTS, CORNER))
    page = traffic(location="corner")
    said = texts(page)
    assert "No camera saw these locations: the hours are those of a counter (infrared)" in said
    assert "unique visitors, visits and dwell are not available" in said
    profile, counters = (each.value for each in page.dataframe)
    assert profile["People in, an hour and store"].tolist() == [10, 20]
    assert counters["Unique visitors"].tolist() == ["not available"]
    assert (counters["People in"].tolist(), counters["Hours counted"].tolist()) == ([60], [4])


def test_all_locations_have_the_counter_beside_the_cameras(publish, stores, traffic) -> None:
    publish(stores.place("corner", "Corner", cameras=()).with_traffic(HOURS, COUNTS, CORNER))
    page = traffic()
    assert "Busiest: Thursday 11:00 to 12:00" in texts(page)
    [counters] = [each.value for each in page.dataframe if "Unique visitors" in each.value and "Source" in each.value]
    assert dict(zip(counters["Location"], counters["Unique visitors"], strict=True)) == {
        "Corner": "not available",
        "Store #101": "from cameras",
    }
