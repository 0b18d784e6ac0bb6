"""`footfall fleet` for devices, as a person uses it, with a device at the other end."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.configuration import ConfigurationState, write_report
from edge_capture.enrolment import enroll
from footfall_assets.contracts.fleet import CameraState, DeviceReport
from footfall_assets.contracts.settings import load_settings
from footfall_assets.storage import open_lake
from footfall_assets.storage.registry_store import read_registry

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
DOOR = ("fleet", "add-camera", "store-101-door", "--location", "store-101", "--device", "box-1")
SOURCE = ("--source", "network", "--address", "rtsp://10.0.0.7:554/s1")


@pytest.fixture
def store(footfall):
    said = footfall("fleet", "add-location", "store-101", "--name", "Store #101", "--timezone", "Europe/London")
    assert said.code == 0
    return footfall


@pytest.fixture
def device(store, tmp_path):
    """A device that holds a token and has used it; call it to let it fetch and say what it follows."""
    said = store("fleet", "enroll", "box-1", "--location", "store-101")
    assert said.code == 0
    state = tmp_path / "device"
    enroll(said.out, key=KEY, lake=open_lake(load_settings()), state=state)

    def follow():
        device = ConfigurationState(state)
        newer = device.fetch(open_lake(load_settings()))
        if newer:
            device.accept(newer)
            device.commit()
        return device.last_good

    return follow


def test_from_a_token_to_a_configuration(store, device) -> None:
    assert (
        store(
            *DOOR, *SOURCE, "--zone", "door=0.1,0.2/0.5,0.2/0.5,0.9", "--zone", "till", "--mask", "0,0/1,0/1,0.1"
        ).code
        == 0
    )
    assert device() is None
    said = store("fleet", "enroll", "--accept")
    assert (said.code, said.err.strip()) == (0, "box-1: enrolled")
    [camera] = device().cameras
    assert (camera.camera_id, camera.address, camera.interval_s) == ("store-101-door", "rtsp://10.0.0.7:554/s1", 5.0)
    assert [(zone.name, zone.polygon[2]) for zone in camera.zones] == [("door", (0.5, 0.9))]
    assert camera.masks == (((0.0, 0.0), (1.0, 0.0), (1.0, 0.1)),)
    assert device().timezone == "Europe/London"
    assert read_registry(open_lake(load_settings())).camera("store-101-door", date.max).zones == ("door", "till")


def test_a_new_camera_reaches_the_device_by_itself(store, device) -> None:
    store("fleet", "enroll", "--accept")
    assert device().cameras == ()
    store(*DOOR, *SOURCE)
    assert [camera.camera_id for camera in device().cameras] == ["store-101-door"]
    assert device().revision == 2


def test_changes_of_cameras_and_devices(store, device) -> None:
    store(*DOOR, *SOURCE)
    store("fleet", "enroll", "--accept")
    device()
    said = store("fleet", "set", "--location", "store-101", "--every", "2", "--batch-age", "60", "--spool-items", "500")
    assert said.out.strip() == "box-1: revision 2"
    said = store("fleet", "set", "--camera", "store-101-door", "--filter", "person")
    assert said.out.strip() == "box-1: revision 3"
    followed = device()
    assert (followed.revision, followed.cameras[0].interval_s, followed.cameras[0].filter) == (3, 2.0, "person")
    assert (followed.limits.batch_age_s, followed.limits.spool_items, followed.limits.batch_stills) == (60.0, 500, 200)
    store("fleet", "set", "--device", "box-1", "--upload-bytes-per-s", "1000")
    assert device().limits.upload_bytes_per_s == 1000
    store("fleet", "set", "--device", "box-1", "--upload-bytes-per-s", "0")
    assert device().limits.upload_bytes_per_s is None
    assert store("fleet", "set", "--device", "box-1", "--upload-bytes-per-s", "0").out == ""  # nothing changed


def test_a_camera_is_moved_on_the_plan_from_a_day_on(store) -> None:
    def place(day: date):
        return read_registry(open_lake(load_settings())).camera("store-101-door", day).plan_position

    added = ("fleet", "add-camera", "store-101-door", "--location", "store-101", "--plan", "10,1.5")
    assert store(*added, "--from", "2024-01-01").code == 0
    assert "plan 10,1.5" in store("fleet", "list").out
    move = ("fleet", "set", "--camera", "store-101-door", "--plan")
    assert store(*move, "7.5,8", "--from", "2024-02-01").code == 0
    assert store(*move, "none", "--from", "2024-03-01").code == 0
    assert [place(date(2024, month, 1)) for month in (1, 2, 3)] == [(10, 1.5), (7.5, 8), None]
    assert "plan" not in store("fleet", "list").out


MISTAKES = {
    "nothing named": (("--every", "2"), "one of"),
    "two named": (("--device", "box-1", "--location", "store-101", "--every", "2"), "one of"),
    "nothing to change": (("--device", "box-1"), "something to change"),
    "limits of a camera": (("--camera", "store-101-door", "--batch-age", "60"), "--device"),
    "unknown device": (("--device", "box-9", "--batch-age", "60"), "box-1"),
    "unknown camera": (("--camera", "roof", "--every", "2"), "roof"),
    "a place for many cameras": (("--location", "store-101", "--plan", "7,8"), "--camera"),
    "no place": (("--camera", "store-101-door", "--plan", "left"), "7.5,8"),
    "a place beyond any plan": (("--camera", "store-101-door", "--plan", "7,80000"), "plan_position"),
    "out of range": (("--location", "store-101", "--every", "0"), "interval_s"),
    "no such policy": (("--device", "box-1", "--when-full", "panic"), "when_full"),
    "no such model": (("--device", "box-1", "--model", "unheard_of"), "unheard_of"),
    "model not pulled": (("--device", "box-1", "--model", "centerface"), "models pull"),
}


@pytest.mark.parametrize(("arguments", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_line_and_changes_nothing(store, device, arguments, said) -> None:
    store(*DOOR, *SOURCE)
    store("fleet", "enroll", "--accept")
    before = read_registry(open_lake(load_settings()))
    answer = store("fleet", "set", *arguments)
    assert answer.code == 2
    assert said in answer.complaint
    assert read_registry(open_lake(load_settings())) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--source", "network", "--address", "rtsp://user:secret@10.0.0.7/s1"), "credentials"),
        (("--source", "network", "--address", "10.0.0.7"), "rtsp://"),
        ((), "kind of its source"),
        ((*SOURCE, "--zone", "door=0.1,0.2"), "polygon"),
        ((*SOURCE, "--zone", "door=0.1,0.2/2,0.2/0.5,0.9"), "less than or equal to 1"),
        ((*SOURCE, "--mask", "all"), "corners"),
        ((*SOURCE, "--plan", "7"), "7.5,8"),
        ((*SOURCE, "--plan", "-1,8"), "greater than or equal to 0"),
        ((*SOURCE, "--plan", "nan,8"), "plan_position"),
    ],
)
def test_a_camera_that_no_device_could_serve(store, arguments, said) -> None:
    answer = store(*DOOR, *arguments)
    assert answer.code == 2
    assert said in answer.complaint
    assert "secret@" not in answer.err
    assert read_registry(open_lake(load_settings())).cameras == ()


def test_revoking(store, device) -> None:
    store(*DOOR, *SOURCE)
    store("fleet", "enroll", "--accept")
    assert len(device().cameras) == 1
    assert store("fleet", "revoke", "box-1").code == 0
    assert device().cameras == ()
    assert store("fleet", "revoke", "box-9").code == 2
    assert " revoked " in store("fleet", "status").out


def test_a_revoked_token_lets_nobody_in(store, device) -> None:
    assert store("fleet", "revoke", "box-1").code == 2  # not known yet, and yet its token is void
    said = store("fleet", "enroll", "--accept")
    assert "1 requests refused" in said.err
    assert read_registry(open_lake(load_settings())).devices == ()


def test_status_answers_and_shows(store, device) -> None:
    store(*DOOR, *SOURCE)
    said = store("fleet", "status")
    assert "box-1: enrolled" in said.err
    assert "box-1: has not reported yet" in said.err
    device()
    now = datetime.now(UTC)
    camera = CameraState(
        camera_id="store-101-door",
        connected=True,
        last_frame_at=now - timedelta(hours=1),
        frames_expected=100,
        frames_captured=90,
        frames_kept=10,
        frames_dropped=10,
        reconnects=2,
    )
    report = DeviceReport(
        device_id="box-1",
        reported_at=now,
        agent_version="1",
        boot_id="b",
        revision=1,
        cameras=(camera,),
        spool_items=7,
        spool_bytes=1000,
        dropped_items=1,
        dropped_stills=20,
        quarantined_items=0,
        uploaded_items=5,
        uploaded_bytes=100,
        upload_failures=0,
        clock_skew_s=-90.0,
    )
    write_report(open_lake(load_settings()), report, KEY)
    said = store("fleet", "status")
    [row] = [line for line in said.out.splitlines() if "box-1" in line]
    words = ("store-101", "reporting", "1 of 1", "1 silent", "7", "1 (20 stills)", "-90.0 s")
    assert [word for word in words if word not in row] == []
    assert "box-1: clock 1 minute behind" in said.err
    assert "box-1: no pictures from store-101-door" in said.err


def test_the_fleet_key_is_replaced_and_the_device_follows(store, device) -> None:
    store("fleet", "enroll", "--accept")
    device()
    said = store("fleet", "rotate-key")
    assert (said.code, "1 configurations signed again" in said.out) == (0, True)
    store(*DOOR, *SOURCE)
    assert len(device().cameras) == 1


def test_enrolling_says_what_is_missing(store) -> None:
    assert "--location" in store("fleet", "enroll", "box-1").complaint
    assert "--accept" in store("fleet", "enroll").complaint
    assert "store-999" in store("fleet", "enroll", "box-1", "--location", "store-999").complaint


def test_no_secret_is_kept_in_the_lake(store, device, home) -> None:
    """A reader of the lake may not become a device, nor the platform."""
    store("fleet", "enroll", "--accept")
    secrets = [path.read_bytes() for path in (home / "keys").rglob("*") if path.is_file()]
    hashes = [json.loads(secret)["secret_sha256"].encode() for secret in secrets if secret.startswith(b"{")]
    keys = [secret for secret in secrets if not secret.startswith(b"{")]
    assert hashes
    assert keys
    for path in (home / "lake").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret in content for secret in (*hashes, *keys)), path
