"""When a device is worth a warning, at both sides of each limit, and what the platform believes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from footfall_assets.contracts.batch import public_key_text
from footfall_assets.contracts.fleet import CameraState, DeviceReport, IntakeRecord, intake_record_key, reported_key
from footfall_assets.contracts.registry import Camera, Device, Location, Registry
from footfall_assets.contracts.settings import FleetSettings
from footfall_assets.reporting.fleet_status import CameraHealth, DeviceState, fleet_status
from footfall_assets.storage.fleet_store import write_signed

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW = datetime(2024, 1, 5, 12, tzinfo=UTC)
DEVICE = Device(device_id="box-1", public_key=public_key_text(KEY), location_id="store", revision=3)


def registry(device: Device = DEVICE, **camera) -> Registry:
    first = date(2024, 1, 1)
    source = {"device_id": "box-1", "kind": "synthetic", "address": "1"}
    door = Camera(camera_id="door", location_id="store", name="Door", valid_from=first, **source | camera)
    store = Location(location_id="store", name="Store", partition_group="store", valid_from=first)
    own = Device(device_id="local-ingest", public_key="A" * 44)
    return Registry(locations=(store,), cameras=(door,), devices=(device, own))


def report(*, age_s: float = 10, frame_age_s: float | None = 5, **changes) -> DeviceReport:
    at = NOW - timedelta(seconds=age_s)
    camera = CameraState(
        camera_id="door",
        connected=True,
        last_frame_at=None if frame_age_s is None else at - timedelta(seconds=frame_age_s),
        **dict.fromkeys(("frames_expected", "frames_captured", "frames_kept", "frames_dropped", "reconnects"), 0),
    )
    counts = ("spool_items", "spool_bytes", "dropped_items", "dropped_stills", "quarantined_items")
    counts += ("uploaded_items", "uploaded_bytes", "upload_failures")
    plain = {"device_id": "box-1", "reported_at": at, "agent_version": "1", "boot_id": "b", "revision": 3}
    return DeviceReport.model_validate(plain | dict.fromkeys(counts, 0) | {"cameras": (camera,)} | changes)


@pytest.fixture
def status(lake):
    def read(reported: DeviceReport | None = None, *, known: Registry | None = None):
        if reported:
            write_signed(lake, reported_key("box-1"), reported, KEY)
        [device] = fleet_status(lake, known or registry(), FleetSettings(), now=NOW).devices
        return device

    return read


def test_a_device_that_is_well_has_no_problem(status) -> None:
    device = status(report())
    assert (device.state, device.problems, device.age_s) == (DeviceState.REPORTING, (), 10)
    assert [camera.health for camera in device.cameras] == [CameraHealth.OK]


LIMITS = {
    "silent": ({"age_s": 300}, {"age_s": 301}, "silent for 5 minutes"),
    "no frame": ({"frame_age_s": 60}, {"frame_age_s": 61}, "no pictures from door"),
    "never a frame": ({}, {"frame_age_s": None}, "no pictures from door"),
    "spool bytes": ({"spool_bytes": 17_179_869_183}, {"spool_bytes": 17_179_869_184}, "spool 80% full"),
    "spool items": ({"spool_items": 79_999}, {"spool_items": 80_000}, "spool 80% full"),
    "waits": (
        {"oldest_item_at": NOW - timedelta(seconds=3610)},
        {"oldest_item_at": NOW - timedelta(seconds=3611)},
        "oldest batch in the spool waits for 1 hour",
    ),
    "dropped batches": ({}, {"dropped_items": 1}, "dropped 1 batches with 0 stills"),
    "dropped stills": ({}, {"dropped_stills": 1}, "dropped 0 batches with 1 stills"),
    "damaged": ({}, {"quarantined_items": 2}, "2 damaged batches set aside on the device"),
    "ahead": ({"clock_skew_s": 60.0}, {"clock_skew_s": 61.0}, "clock 1 minute ahead"),
    "behind": ({"clock_skew_s": -60.0}, {"clock_skew_s": -61.0}, "clock 1 minute behind"),
    "from the future": ({"age_s": -60}, {"age_s": -61}, "clock at least 1 minute ahead"),
    "older revision": ({"revision": 3}, {"revision": 2}, "follows revision 2 of 3"),
    "refused": (
        {},
        {"revision": 2, "refused_revision": 3, "refused_reason": "no such camera"},
        "refused revision 3: no such camera",
    ),
}


@pytest.mark.parametrize(("well", "ill", "said"), LIMITS.values(), ids=LIMITS.keys())
def test_both_sides_of_a_limit(status, well, ill, said) -> None:
    assert status(report(**well)).problems == ()
    assert status(report(**ill)).problems == (said,)


def test_patience_grows_with_the_intervals(status) -> None:
    slow = registry(DEVICE.model_copy(update={"report_every_s": 600.0}), interval_s=120.0)
    assert status(report(age_s=1800, frame_age_s=480), known=slow).problems == ()
    assert status(report(age_s=1801, frame_age_s=480), known=slow).problems == ("silent for 30 minutes",)
    assert status(report(age_s=10, frame_age_s=481), known=slow).problems == ("no pictures from door",)


def test_a_known_skew_is_taken_out_of_the_age(status) -> None:
    """A device ten minutes behind looked silent while it reported every minute."""
    device = status(report(age_s=610, clock_skew_s=-600.0))
    assert (device.state, device.age_s) == (DeviceState.REPORTING, 10)


def test_a_silent_devices_cameras_are_unknown(status) -> None:
    assert [camera.health for camera in status(report(age_s=301)).cameras] == [CameraHealth.UNKNOWN]


def test_a_camera_that_the_device_does_not_name_is_unknown(status) -> None:
    assert [camera.health for camera in status(report(cameras=())).cameras] == [CameraHealth.UNKNOWN]


def test_what_the_device_did_not_sign_is_not_its_report(lake, status) -> None:
    write_signed(lake, reported_key("box-1"), report(), Ed25519PrivateKey.generate())
    device = status()
    assert (device.state, device.report, device.problems) == (
        DeviceState.UNTRUSTED,
        None,
        ("its report is not signed by it",),
    )


def test_a_report_of_another_device_is_not_its_report(lake, status) -> None:
    write_signed(lake, reported_key("box-1"), report(device_id="box-2"), KEY)
    assert status().state is DeviceState.UNTRUSTED


def test_a_revoked_device_is_no_problem(status) -> None:
    gone = status(report(age_s=9999), known=registry(DEVICE.model_copy(update={"revoked": True})))
    assert (gone.state, gone.problems, gone.cameras) == (DeviceState.REVOKED, (), ())


def test_what_intake_has_noted_is_shown_and_a_resend_is_no_fault(lake, status) -> None:
    record = IntakeRecord(device_id="box-1", accepted=5, quarantined={"duplicate": 3, "clock": 2})
    lake.write(intake_record_key("box-1"), record.model_dump_json().encode())
    assert status(report()).quarantined == 2
    lake.write(intake_record_key("box-1"), b"\xff")
    assert status(report()).intake is None


def test_problems_name_their_device_and_the_quarantine_its_reasons(lake) -> None:
    for number in range(3):
        lake.write(f"quarantine/clock/{number}.tar", b"x")
        lake.write(f"quarantine/clock/{number}.tar.json", b"{}")
    found = fleet_status(lake, registry(), FleetSettings(), now=NOW)
    assert found.problems == ("box-1: has not reported yet",)
    assert found.quarantined == {"clock": 3}
