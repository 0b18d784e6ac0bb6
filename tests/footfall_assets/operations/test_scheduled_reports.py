"""The day's reports as files: the same rows as everywhere, once, and again where the publication is another one."""

import csv
import importlib.util
import io
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from footfall_assets.contracts.registry import Location
from footfall_assets.contracts.settings import ReportSettings
from footfall_assets.definitions import build_definitions
from footfall_assets.operations.jobs import REPORTS_JOB
from footfall_assets.operations.scheduled_reports import (
    DayOfReports,
    build_report_schedule,
    report_folder,
    write_reports,
)
from footfall_assets.platform import Platform
from footfall_assets.storage.registry_store import change_registry

DAY = date(2024, 1, 5)


@pytest.fixture(scope="module")
def hand_made():
    path = Path(__file__).parents[1] / "reporting" / "conftest.py"
    spec = importlib.util.spec_from_file_location("hand_made_reports", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def platform(tmp_path, settings_of):
    platform = Platform(settings_of(tmp_path / "home"))
    for name, group in (("store-101", "north"), ("store-203", "north"), ("store-305", "south")):
        store = Location(location_id=name, name=name, partition_group=group, valid_from=DAY)
        change_registry(
            platform.lake,
            platform.settings.home,
            lambda registry, store=store: registry.with_first_day(DAY).with_location(store),
        )
    return platform


@pytest.fixture
def made(hand_made):
    made = hand_made.HandMade()
    for number in (101, 203, 305):
        made.place(f"store-{number}", f"Store #{number}", timezone="UTC")
    made.appear("00123A", "store-101-door", f"{DAY}T10:00").appear("00123A", "store-203-door", f"{DAY}T12:00")
    return made.appear("00876B", "store-101-door", "2024-01-06T10:00")


@pytest.fixture
def publish(platform, made, tmp_path):
    return lambda: made.publish(platform.lake, tmp_path / "build")


def files(platform):
    return {key: platform.lake.read(key) for key in platform.lake.list_keys("reports")}


def test_each_group_with_data_gets_its_report_in_three_forms(platform, publish):
    assert write_reports(platform, publish(), DAY) == DayOfReports(written=1, without_data=1)
    found = files(platform)
    folder = report_folder(DAY, "north")
    assert sorted(found) == [
        f"{folder}/{name}" for name in ("report.json", "visitors.csv", "visitors.html", "visitors.parquet")
    ]
    rows = list(csv.reader(io.StringIO(found[f"{folder}/visitors.csv"].decode())))
    assert rows[1:] == [["00123A", "2", "2", "Store #101, Store #203", "Store #101: 1, Store #203: 1"]]
    assert pq.read_table(io.BytesIO(found[f"{folder}/visitors.parquet"]))["visitor_id"].to_pylist() == ["00123A"]
    assert b"January 5, 2024 - January 5, 2024" in found[f"{folder}/visitors.html"]


def test_the_same_publication_writes_nothing_again_and_the_same_bytes(platform, publish):
    publication = publish()
    write_reports(platform, publication, DAY)
    before = files(platform)
    assert write_reports(platform, publication, DAY) == DayOfReports(unchanged=1, without_data=1)
    for key in list(before):
        platform.lake.delete(key)
    write_reports(platform, publication, DAY)
    assert files(platform) == before


def test_a_later_publication_replaces_the_report_and_takes_away_what_is_empty(platform, publish, made):
    write_reports(platform, publish(), DAY)
    made.appear("00999C", "store-305-door", f"{DAY}T10:00")
    for rows in (made.appearances, made.sightings):
        rows[:] = [row for row in rows if "store-305" in str(row) or (row[6] != DAY and DAY not in row)]
    assert write_reports(platform, publish(), DAY) == DayOfReports(written=1, without_data=1)
    assert {key.split("/")[2] for key in files(platform)} == {"south"}


def test_the_asset_is_backfilled_over_days(platform, publish):
    publish()
    definitions = build_definitions(platform.settings)
    job = definitions.resolve_job_def(REPORTS_JOB)
    with dg.DagsterInstance.ephemeral() as instance:
        tags = {"dagster/asset_partition_range_start": "2024-01-05", "dagster/asset_partition_range_end": "2024-01-06"}
        assert job.execute_in_process(instance=instance, tags=tags).success
    assert {key.split("/")[1] for key in files(platform)} == {"2024-01-05", "2024-01-06"}


def test_the_schedule_is_off_by_default_and_asks_for_the_day_before(platform, publish):
    assert build_report_schedule(ReportSettings()).default_status is dg.DefaultScheduleStatus.STOPPED
    schedule = build_report_schedule(ReportSettings(schedule=True))
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING

    def asked(at):
        context = dg.build_schedule_context(scheduled_execution_time=at, resources={"platform": platform})
        return schedule(context)

    assert "nothing is published" in asked(datetime(2024, 1, 6, 6, tzinfo=UTC)).skip_message
    publish()
    assert asked(datetime(2024, 1, 6, 6, tzinfo=UTC)).partition_key == "2024-01-05"
    assert "before 2024-01-08" in asked(datetime(2024, 1, 9, 6, tzinfo=UTC)).skip_message


def test_a_time_zone_that_is_none_is_refused():
    with pytest.raises(ValueError, match="IANA"):
        ReportSettings(timezone="Mars/Olympus")
