"""Staff in the warehouse: in the log with a reason, in no count and in no aggregate."""

from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from footfall_assets.warehouse.build import build_warehouse
from footfall_assets.warehouse.project import default_project_dir


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


MARTS = ["fct_appearances", "fct_visits", "visitor_day", "unique_visitor_report"]


@pytest.fixture(scope="module")
def staffed(tmp_path_factory, target_path, new_home):
    """The hand-made home with Bob as staff, a camera at a staff door, and a shop assistant all day long."""
    home = new_home()
    home.exclude("bob", "staff_camera")
    home.exclude("shop", "event")
    home.add_camera("staff-door", "store-101", staff_only=True)
    for minute in range(0, 120, 10):
        home.see("till", utc("2024-01-02 09:00:00") + timedelta(minutes=minute), who="shop")
    home.see("staff-door", utc("2024-01-02 20:00:00"), who="shop")
    home.see("staff-door", utc("2024-01-02 20:00:10"), who="ada")
    home.see("staff-door", utc("2024-01-02 20:00:20"), reason="too_small")
    home.cover("staff-door", utc("2024-01-02 20:00:00"), hours=1)
    home.cover("staff-door", utc("2024-01-06 20:00:00"), hours=1)
    folder = tmp_path_factory.mktemp("staffed")
    build = build_warehouse(
        folder / "warehouse", home.write(folder / "lake"), project_dir=default_project_dir(), target_path=target_path
    )

    def rows(sql):
        with duckdb.connect(build.path, read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()

    return rows


def test_staff_stay_in_the_log_with_the_reason(staffed) -> None:
    found = staffed(
        "select excluded_reason, is_excluded, count(*) from fct_sightings "
        "where is_excluded or visitor_id like 'bob%' group by all order by 1"
    )
    assert found == [("event", True, 13), ("staff_camera", True, 2), ("staff_only_camera", True, 2)]


@pytest.mark.parametrize("mart", MARTS)
def test_staff_are_in_no_count(staffed, mart) -> None:
    names = {name for (name,) in staffed(f"select distinct visitor_id from {mart}")}  # noqa: S608 - names of this file
    assert names == {"ada-2024-01", "ada-2024-02"}


def test_what_a_staff_only_camera_sees_never_counts(staffed) -> None:
    [(appearances,)] = staffed("select sum(appearances) from visitor_day where visitor_id = 'ada-2024-01'")
    assert appearances == 5
    assert staffed("select distinct camera_id from fct_appearances order by 1") == [("door",), ("gate",), ("till",)]


def test_aggregates_are_as_without_staff(staffed) -> None:
    [found] = staffed(
        "select unique_visitors, visits, appearances, sightings, unidentified_sightings, frames_expected "
        "from footfall_daily where location_id = 'store-101' and business_day = '2024-01-02'"
    )
    assert found == (1, 2, 4, 8, 1, 3600)
    assert staffed("select * from footfall_daily where business_day = '2024-01-06'") == []
    assert staffed("select max(local_hour) from footfall_hourly where location_id = 'store-101'") == [(16,)]
    gone = staffed(
        "select unique_visitors, sightings from footfall_daily where location_id = 'store-203' order by 2, 1"
    )
    assert gone == [(1, 1), (1, 1)]
