from datetime import UTC, date, datetime, timedelta

import dagster as dg
import numpy as np
import pytest

from edge_capture.filter import KeepAll
from edge_capture.source import Frame
from footfall_assets.capture.hand_over import CameraNeed, LocalDevice
from footfall_assets.capture.intake import take_in
from footfall_assets.definitions import build_definitions
from footfall_assets.operations.automation import _evaluate, next_requests
from footfall_assets.operations.dagster_home import open_instance
from footfall_assets.operations.jobs import DAYS_JOB, INTAKE_JOB, PLACES_JOB, WAREHOUSE_JOB
from footfall_assets.operations.pending import Pending
from footfall_assets.partitions import LOCATION_GROUPS
from footfall_assets.platform import Place, Platform

FIRST = date(2024, 1, 1)
SECOND = FIRST + timedelta(days=1)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
START = datetime(2024, 1, 1, 10, tzinfo=UTC)


@pytest.fixture
def platform(tmp_path, settings_of):
    return Platform(settings_of(tmp_path / "home"))


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def land(platform):
    """Land one empty-looking batch of a store's door."""
    device = LocalDevice(platform)

    def run(store, day=FIRST):
        registry = device.register([CameraNeed(store, f"{store}-door", FIRST)])
        frame = Frame(np.zeros((48, 64, 3), np.uint8), START + (day - FIRST), 0)
        device.land([frame], registry.camera(f"{store}-door", day), registry.location(store, day), KeepAll())

    return run


def jobs_of(result):
    return [request.job_name for request in result.run_requests]


def test_nothing_to_do(platform, instance) -> None:
    assert isinstance(_evaluate(instance, platform), dg.SkipReason)


def test_what_landed_is_taken_in_first(platform, instance, land) -> None:
    land("store-101")
    result = _evaluate(instance, platform)
    assert jobs_of(result) == [INTAKE_JOB]
    [groups] = result.dynamic_partitions_requests
    assert (groups.partitions_def_name, groups.partition_keys) == (LOCATION_GROUPS, ["store-101"])


def test_every_place_is_a_run(platform, instance, land) -> None:
    for store, day in (("store-101", FIRST), ("store-101", SECOND), ("store-203", FIRST)):
        land(store, day)
    take_in(platform.lake, platform.registry, platform.settings.intake, now=datetime.now(UTC))
    result = _evaluate(instance, platform)
    assert jobs_of(result) == [PLACES_JOB] * 3
    keys = [request.partition_key.keys_by_dimension for request in result.run_requests]
    assert keys == [
        {"day": "2024-01-01", "location": "store-101"},
        {"day": "2024-01-01", "location": "store-203"},
        {"day": "2024-01-02", "location": "store-101"},
    ]
    [groups] = result.dynamic_partitions_requests
    assert groups.partition_keys == ["store-101", "store-203"]


def test_a_name_that_intake_cannot_open_stops_nothing(platform, instance, land, tmp_path) -> None:
    land("store-101")
    (tmp_path / "home" / "lake" / "landing" / "a b.tar").write_bytes(b"x")
    report = take_in(platform.lake, platform.registry, platform.settings.intake, now=datetime.now(UTC))
    assert report.unreadable_names == 1
    assert jobs_of(_evaluate(instance, platform)) == [PLACES_JOB]


def test_groups_that_dagster_knows_are_not_asked_for_again(platform, instance, land) -> None:
    land("store-101")
    instance.add_dynamic_partitions(LOCATION_GROUPS, ["store-101"])
    assert _evaluate(instance, platform).dynamic_partitions_requests == []


@dg.op
def nothing() -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    ("status", "waits"),
    [
        (dg.DagsterRunStatus.NOT_STARTED, True),
        (dg.DagsterRunStatus.STARTED, True),
        (dg.DagsterRunStatus.SUCCESS, False),
        (dg.DagsterRunStatus.FAILURE, False),
    ],
)
def test_a_run_that_is_not_done_is_waited_for(platform, instance, land, status, waits) -> None:
    land("store-101")

    @dg.job(name=PLACES_JOB)
    def places():
        nothing()

    instance.create_run_for_job(places, status=status)
    result = _evaluate(instance, platform)
    assert isinstance(result, dg.SkipReason) == waits


def test_one_stage_at_a_time(platform, land) -> None:
    land("store-101")
    place = Place(FIRST, "store-101")
    everything = Pending(intake=True, places=(place,), days=(FIRST, SECOND), warehouse=True)
    stages = [
        (everything, INTAKE_JOB),
        (Pending(places=(place,), days=(FIRST,), warehouse=True), PLACES_JOB),
        (Pending(days=(FIRST, SECOND), warehouse=True), DAYS_JOB),
        (Pending(warehouse=True), WAREHOUSE_JOB),
    ]
    for due, job in stages:
        assert [request.job_name for request in next_requests(due, platform)] == [job]
    assert list(next_requests(Pending(), platform)) == []


def test_days_are_one_run_over_their_range(platform) -> None:
    [request] = next_requests(Pending(days=(FIRST, SECOND)), platform)
    assert request.tags == {
        "dagster/asset_partition_range_start": "2024-01-01",
        "dagster/asset_partition_range_end": "2024-01-02",
    }


def test_no_request_has_a_key_that_dagster_would_remember(platform, land) -> None:
    land("store-101")
    place = Place(FIRST, "store-101")
    for due in (Pending(intake=True), Pending(places=(place,)), Pending(days=(FIRST,)), Pending(warehouse=True)):
        assert all(request.run_key is None for request in next_requests(due, platform))


@pytest.mark.weights
def test_what_the_sensor_asks_for_can_be_run(drawn_home, first_run, own_environment) -> None:
    """Every request of a stale home, run as the daemon would run it; nothing changes, for nothing was stale."""
    before = drawn_home.hashes()
    platform = drawn_home.platform
    days = (FIRST, SECOND)
    asked = [
        *next_requests(Pending(places=(Place(FIRST, "kiosk"),)), platform),
        *next_requests(Pending(days=days), platform),
    ]
    with open_instance(drawn_home.settings) as instance:
        definitions = build_definitions(drawn_home.settings)
        for request in asked:
            job = definitions.resolve_job_def(request.job_name)
            result = job.execute_in_process(
                instance=instance, partition_key=request.partition_key, tags=request.tags, run_config=QUIET
            )
            assert result.success
        assert len(result.asset_materializations_for_node("identities")) == len(days)
        instance.add_dynamic_partitions(LOCATION_GROUPS, platform.registry.partition_groups())
        assert isinstance(_evaluate(instance, platform), dg.SkipReason)
    assert drawn_home.hashes() == before


def test_the_sensor_watches_and_the_schedule_catches_up(platform, own_environment) -> None:
    definitions = build_definitions(platform.settings)
    sensor = definitions.resolve_sensor_def("pending_work")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert {target.job_name for target in sensor.targets} == {INTAKE_JOB, PLACES_JOB, DAYS_JOB, WAREHOUSE_JOB}
    assert definitions.resolve_schedule_def("nightly_warehouse").job_name == WAREHOUSE_JOB


def failing_job(name):
    @dg.op
    def fail() -> None:
        raise RuntimeError

    @dg.job(name=name, logger_defs={})
    def job() -> None:
        fail()

    return job


def test_what_has_just_failed_is_not_asked_for_again_at_once(platform, instance, land) -> None:
    land("store-101")
    failing_job(INTAKE_JOB).execute_in_process(instance=instance, raise_on_error=False)
    assert jobs_of(_evaluate(instance, platform)) == []


def test_another_job_that_failed_holds_nothing_up(platform, instance, land) -> None:
    land("store-101")
    failing_job(WAREHOUSE_JOB).execute_in_process(instance=instance, raise_on_error=False)
    assert jobs_of(_evaluate(instance, platform)) == [INTAKE_JOB]


def test_data_from_before_the_loaded_partitions_asks_for_a_reload(platform, instance, land) -> None:
    land("store-101")
    take_in(platform.lake, platform.registry, platform.settings.intake, now=datetime.now(UTC))
    skipped = _evaluate(instance, platform, SECOND)
    assert isinstance(skipped, dg.SkipReason)
    assert "reload the code location" in skipped.skip_message
