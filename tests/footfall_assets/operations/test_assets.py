"""Dagster looks after the fleet: devices are answered, configured and watched, and new stores come online unasked."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import dagster as dg
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.batch import BatchLimits, CameraProfile, capture_batches
from edge_capture.configuration import ConfigurationState, write_report
from edge_capture.enrolment import enroll
from edge_capture.filter import KeepAll
from edge_capture.source import Frame
from footfall_assets.capture.enrolment import issue_token
from footfall_assets.capture.intake import take_in
from footfall_assets.contracts.batch import landing_key
from footfall_assets.contracts.fleet import DeviceReport
from footfall_assets.contracts.registry import Camera, Location
from footfall_assets.definitions import build_definitions
from footfall_assets.operations.assets import HEALTH_CHECK, build_fleet_schedule, fleet
from footfall_assets.operations.automation import _evaluate
from footfall_assets.operations.jobs import FLEET_JOB, INTAKE_JOB, PLACES_JOB
from footfall_assets.partitions import LOCATION_GROUPS
from footfall_assets.platform import Platform
from footfall_assets.storage.registry_store import change_registry

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DAY = date(2024, 1, 2)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def platform(tmp_path, settings_of):
    return Platform(settings_of(tmp_path / "home"))


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def open_store(platform):
    """Register a store with one door served by its own box, as `footfall fleet` does."""

    def opened(name):
        store = Location(location_id=name, name=name, partition_group=name, valid_from=DAY)
        source = {"device_id": f"{name}-box", "kind": "synthetic", "address": "1"}
        door = Camera(camera_id=f"{name}-door", location_id=name, name="Door", valid_from=DAY, **source)
        change_registry(
            platform.lake,
            platform.settings.home,
            lambda registry: registry.with_first_day(DAY).with_location(store).with_camera(door),
        )

    return opened


@pytest.fixture
def join(platform, tmp_path):
    def joined(name):
        now = datetime.now(UTC)
        token = issue_token(platform.lake, platform.settings, f"{name}-box", name, now=now)
        enroll(token.text, key=KEY, lake=platform.lake, state=tmp_path / name)
        return ConfigurationState(tmp_path / name)

    return joined


@pytest.fixture
def materialize(platform, instance):
    def run():
        result = dg.materialize([fleet], instance=instance, resources={"platform": platform}, run_config=QUIET)
        [event] = result.asset_materializations_for_node("fleet")
        [check] = result.get_asset_check_evaluations()
        return event.metadata, check

    return run


def report_of(name, **changes):
    counts = ("spool_items", "spool_bytes", "dropped_items", "dropped_stills", "quarantined_items")
    counts += ("uploaded_items", "uploaded_bytes", "upload_failures")
    plain = {"device_id": f"{name}-box", "reported_at": datetime.now(UTC), "agent_version": "1", "boot_id": "b"}
    return DeviceReport.model_validate(plain | dict.fromkeys(counts, 0) | {"revision": 1} | changes)


def batch_of(desired, sequence_start):
    camera = desired.cameras[0]
    profile = CameraProfile(
        device_id=desired.device_id,
        location_id=desired.location_id,
        camera_id=camera.camera_id,
        timezone=desired.timezone,
        interval_s=camera.interval_s,
        boot_id=UUID(int=1),
    )
    frame = Frame(np.zeros((48, 64, 3), np.uint8), datetime(2024, 1, 2, 10, tzinfo=UTC), sequence_start)
    [batch] = capture_batches([frame], profile, KeepAll(), KEY, limits=BatchLimits())
    return batch


def test_a_new_store_comes_online_without_a_change_of_code(platform, instance, open_store, join, materialize) -> None:
    """From the registry to Dagster's partitions: location, device and camera are data."""
    open_store("store-101")
    result = _evaluate(instance, platform)
    assert result.dynamic_partitions_requests[0].partition_keys == ["store-101"]
    instance.add_dynamic_partitions(LOCATION_GROUPS, ["store-101"])
    open_store("store-999")
    device = join("store-999")
    result = _evaluate(instance, platform)
    assert [request.job_name for request in result.run_requests] == [INTAKE_JOB]  # somebody asks to join
    assert result.dynamic_partitions_requests[0].partition_keys == ["store-999"]
    materialize()
    desired = device.fetch(platform.lake)
    assert [camera.camera_id for camera in desired.cameras] == ["store-999-door"]
    batch = batch_of(desired, 1)
    platform.lake.write(landing_key(batch.manifest), batch.data)
    report = take_in(platform.lake, platform.registry, platform.settings.intake, now=datetime.now(UTC))
    assert report.accepted == 1
    result = _evaluate(instance, platform)
    assert [
        (request.job_name, request.partition_key.keys_by_dimension["location"]) for request in result.run_requests
    ] == [(PLACES_JOB, "store-999")]


def test_the_intake_job_lets_a_device_in_before_its_batches(platform, instance, open_store, join) -> None:
    open_store("store-101")
    device = join("store-101")
    job = build_definitions(platform.settings).resolve_job_def(INTAKE_JOB)
    result = job.execute_in_process(instance=instance, run_config=QUIET)
    [event] = result.asset_materializations_for_node("batches")
    assert event.metadata["enrolled"].value == "store-101-box"
    assert device.fetch(platform.lake).revision == 1


def test_health_warns_and_recovers(platform, open_store, join, materialize) -> None:
    open_store("store-101")
    join("store-101")
    metadata, check = materialize()
    assert metadata["enrolled"].value == "store-101-box"
    assert (check.check_name, check.passed, check.severity) == (HEALTH_CHECK, False, dg.AssetCheckSeverity.WARN)
    assert check.metadata["problems"].value == "store-101-box: has not reported yet"
    late = datetime.now(UTC) - timedelta(hours=1)
    write_report(platform.lake, report_of("store-101", reported_at=late, dropped_stills=3), KEY)
    metadata, check = materialize()
    assert check.metadata["problems"].value.splitlines() == [
        "store-101-box: silent for 1 hour",
        "store-101-box: dropped 0 batches with 3 stills",
    ]
    assert (metadata["devices_silent"].value, metadata["dropped_stills"].value) == (1, 3)
    write_report(platform.lake, report_of("store-101"), KEY)
    metadata, check = materialize()
    assert (check.passed, metadata["devices_reporting"].value, metadata["configurations_issued"].value) == (True, 1, 0)


def test_the_schedule_rests_where_there_is_no_device(platform, open_store, join) -> None:
    schedule = build_fleet_schedule()

    def ticked():
        context = dg.build_schedule_context(resources={"platform": platform})
        return schedule(context)

    open_store("store-101")
    assert isinstance(ticked(), dg.SkipReason)
    join("store-101")
    assert isinstance(ticked(), dg.RunRequest)
    assert schedule.job_name == FLEET_JOB
