"""From a token on paper to a device that follows its fleet: once, in time, and again where somebody died half-way."""

import json
import stat
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.configuration import ConfigurationState
from edge_capture.enrolment import enroll
from footfall_assets.capture.desired import publish_desired
from footfall_assets.capture.enrolment import accept_enrolments, issue_token, waiting_enrolments
from footfall_assets.capture.enrolment_tokens import TokenStore
from footfall_assets.capture.signing_key import load_fleet_key, rotate_fleet_key
from footfall_assets.contracts.batch import public_key_text
from footfall_assets.contracts.camera_settings import Limits
from footfall_assets.contracts.errors import RegistryError, UserMistake
from footfall_assets.contracts.fleet import DesiredConfiguration, desired_key, enrolment_key
from footfall_assets.contracts.registry import LocationMode
from footfall_assets.storage.fleet_store import read_signed
from footfall_assets.storage.registry_store import change_registry, read_registry

KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (5, 6))


@pytest.fixture
def settings(settings_of, tmp_path, landing, registry):
    """A home whose fleet has store-101 with one door, served by box-7, and the own device box-1."""
    made = settings_of(tmp_path / "home", lake=str(tmp_path / "lake"))
    change_registry(landing.lake, made.home, lambda _: registry)
    set_door(landing.lake, made)
    return made


def set_door(lake, settings, **changes) -> None:
    def changed(registry):
        door = registry.camera("store-101-door", registry.first_day)
        source = {"device_id": "box-7", "kind": "network", "address": "rtsp://10.0.0.7/s1"}
        return registry.with_camera(door.model_validate(dict(door) | source | changes))

    change_registry(lake, settings.home, changed)


@pytest.fixture
def token(landing, settings, make):
    return issue_token(landing.lake, settings, "box-7", "store-101", now=make.now)


@pytest.fixture
def desired(landing, settings):
    def read(device="box-7"):
        public_key = public_key_text(load_fleet_key(landing.lake, settings.keys_dir))
        return read_signed(landing.lake, desired_key(device), DesiredConfiguration, public_key)

    return read


def accept(landing, settings, make, **later):
    return accept_enrolments(landing.lake, settings, now=make.now + timedelta(**later))


def test_a_device_joins_and_gets_its_first_configuration(landing, settings, make, token, desired, tmp_path) -> None:
    enroll(token.text, key=KEY, lake=landing.lake, state=tmp_path / "device")
    assert waiting_enrolments(landing.lake) == [enrolment_key("box-7")]
    report = accept(landing, settings, make)
    assert (report.accepted, report.refused.total()) == (["box-7"], 0)
    assert waiting_enrolments(landing.lake) == []
    device = read_registry(landing.lake).device("box-7")
    assert (device.public_key, device.location_id, device.revision) == (public_key_text(KEY), "store-101", 1)
    fetched = ConfigurationState(tmp_path / "device").fetch(landing.lake)
    assert fetched == desired()
    assert [(camera.camera_id, camera.address) for camera in fetched.cameras] == [
        ("store-101-door", "rtsp://10.0.0.7/s1")
    ]


def test_a_token_works_once(landing, settings, make, token) -> None:
    enroll(token.text, key=KEY, lake=landing.lake)
    accept(landing, settings, make)
    enroll(token.text, key=OTHER, lake=landing.lake)
    assert accept(landing, settings, make).refused == {"bad_enrolment": 1}
    assert read_registry(landing.lake).device("box-7").public_key == public_key_text(KEY)


def test_a_request_that_comes_again_is_no_second_one(landing, settings, make, token) -> None:
    for expected in (["box-7"], []):
        enroll(token.text, key=KEY, lake=landing.lake)
        report = accept(landing, settings, make)
        assert (report.accepted, report.refused.total()) == (expected, 0)
    assert read_registry(landing.lake).device("box-7").revision == 1


def test_a_token_expires(landing, settings, make, token) -> None:
    enroll(token.text, key=KEY, lake=landing.lake)
    assert accept(landing, settings, make, hours=24).refused == {"bad_enrolment": 1}
    enroll(token.text, key=KEY, lake=landing.lake)
    assert accept(landing, settings, make, hours=24, seconds=-1).accepted == ["box-7"]


def test_the_newest_token_voids_the_one_before(landing, settings, make, token) -> None:
    newer = issue_token(landing.lake, settings, "box-7", "store-101", now=make.now)
    enroll(token.text, key=KEY, lake=landing.lake)
    assert accept(landing, settings, make).refused == {"bad_enrolment": 1}
    enroll(newer.text, key=KEY, lake=landing.lake)
    assert accept(landing, settings, make).accepted == ["box-7"]


def test_a_wrong_proof_does_not_use_the_token_up(landing, settings, make, token) -> None:
    """Otherwise whoever can write to the lake could keep every device out."""
    enroll(token.text, key=KEY, lake=landing.lake)
    document = json.loads(landing.lake.read(enrolment_key("box-7")))
    landing.lake.write(enrolment_key("box-7"), json.dumps(document | {"proof": "0" * 64}).encode())
    assert accept(landing, settings, make).refused == {"bad_enrolment": 1}
    enroll(token.text, key=KEY, lake=landing.lake)
    assert accept(landing, settings, make).accepted == ["box-7"]


def test_what_is_kept_of_a_token_is_not_the_token(settings, token) -> None:
    [path] = (settings.keys_dir / "enrolment").iterdir()
    assert token.text.split(".")[2] not in path.read_text()
    assert token.secret.hex() not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("hours", [0, -1, 24 * 31])
def test_a_token_lives_for_a_while_only(landing, settings, make, hours) -> None:
    with pytest.raises(UserMistake, match="30 days"):
        issue_token(landing.lake, settings, "box-7", "store-101", now=make.now, valid_for=timedelta(hours=hours))


def test_who_can_have_no_token(landing, settings, make) -> None:
    for device, location in (("box-7", "store-999"), ("box-1", "store-101"), ("../box", "store-101")):
        with pytest.raises(UserMistake):
            issue_token(landing.lake, settings, device, location, now=make.now)


class Killed(BaseException):
    """The process died."""


@pytest.mark.parametrize("alive_for", range(12))
def test_killed_at_any_write_the_same_request_is_answered_the_next_time(
    landing, settings, make, token, desired, alive_for, monkeypatch
) -> None:
    enroll(token.text, key=KEY, lake=landing.lake)
    steps = []
    for name in ("write", "delete"):
        real = getattr(type(landing.lake), name)

        def counted(self, *arguments, _real=real):
            steps.append(1)
            if len(steps) > alive_for:
                raise Killed
            return _real(self, *arguments)

        monkeypatch.setattr(type(landing.lake), name, counted)
    try:
        accept(landing, settings, make)
    except Killed:
        pass
    else:
        assert len(steps) <= alive_for
    monkeypatch.undo()
    accept(landing, settings, make)
    publish_desired(landing.lake, settings, now=make.now, check_all=True)
    assert read_registry(landing.lake).device("box-7").public_key == public_key_text(KEY)
    assert desired().revision == 1
    assert waiting_enrolments(landing.lake) == []
    enroll(token.text, key=OTHER, lake=landing.lake)  # whatever was interrupted, the token is used up
    assert accept(landing, settings, make).refused == {"bad_enrolment": 1}


@pytest.fixture
def joined(landing, settings, make, token):
    enroll(token.text, key=KEY, lake=landing.lake)
    accept(landing, settings, make)


@pytest.mark.usefixtures("joined")
def test_a_change_is_a_new_revision_and_no_change_is_none(landing, settings, make, desired) -> None:
    assert publish_desired(landing.lake, settings, now=make.now, check_all=True) == ()
    set_door(landing.lake, settings, interval_s=2.0)
    [published] = publish_desired(landing.lake, settings, now=make.now)
    assert (published.device_id, published.revision) == ("box-7", 2)
    assert desired().cameras[0].interval_s == 2.0
    assert publish_desired(landing.lake, settings, now=make.now, check_all=True) == ()


@pytest.mark.usefixtures("joined")
def test_a_camera_that_changes_tomorrow_is_issued_tomorrow(landing, settings, make, desired) -> None:
    tomorrow = make.now.date() + timedelta(days=1)
    set_door(landing.lake, settings, interval_s=1.0, valid_from=tomorrow)
    assert publish_desired(landing.lake, settings, now=make.now) == ()
    publish_desired(landing.lake, settings, now=make.now + timedelta(days=1))
    assert (desired().revision, desired().cameras[0].interval_s) == (2, 1.0)


@pytest.mark.usefixtures("joined")
@pytest.mark.parametrize("why", ["revoked", "location off"])
def test_a_device_that_may_not_capture_is_told_so(landing, settings, make, desired, why) -> None:
    """Taking its configuration away would leave a device at what it was told last."""

    def changed(registry):
        if why == "revoked":
            return registry.with_device_revoked("box-7", make.now)
        store = registry.location("store-101", make.now.date())
        return registry.with_location(store.model_copy(update={"mode": LocationMode.OFF}))

    change_registry(landing.lake, settings.home, changed)
    publish_desired(landing.lake, settings, now=make.now)
    assert (desired().revision, desired().cameras) == (2, ())


@pytest.mark.usefixtures("joined")
def test_a_device_comes_back_with_a_new_key_and_its_limits(landing, settings, make, tmp_path) -> None:
    def limited(registry):
        device = registry.device("box-7")
        return registry.with_device(device.model_copy(update={"limits": Limits(batch_age_s=60)}))

    change_registry(landing.lake, settings.home, limited)
    change_registry(landing.lake, settings.home, lambda registry: registry.with_device_revoked("box-7", make.now))
    again = issue_token(landing.lake, settings, "box-7", "store-101", now=make.now)
    enroll(again.text, key=OTHER, lake=landing.lake, state=tmp_path / "device")
    assert accept(landing, settings, make).accepted == ["box-7"]
    device = read_registry(landing.lake).device("box-7")
    assert (device.revoked, device.public_key, device.limits.batch_age_s) == (False, public_key_text(OTHER), 60)
    assert ConfigurationState(tmp_path / "device").fetch(landing.lake).limits.batch_age_s == 60


@pytest.mark.usefixtures("joined")
@pytest.mark.parametrize("damage", ["gone", "forged", "older"])
def test_a_document_that_is_not_what_was_issued_is_issued_again(landing, settings, make, desired, damage) -> None:
    older = {key: landing.lake.read(key) for key in landing.lake.list_keys("fleet/devices/box-7")}
    set_door(landing.lake, settings, interval_s=2.0)
    publish_desired(landing.lake, settings, now=make.now)
    if damage == "gone":
        landing.lake.delete(desired_key("box-7"))
    elif damage == "forged":
        landing.lake.write(desired_key("box-7"), landing.lake.read(desired_key("box-7")).replace(b"2.0", b"9.0"))
    else:
        for key, data in older.items():
            landing.lake.write(key, data)
    publish_desired(landing.lake, settings, now=make.now, check_all=True)
    assert (desired().revision, desired().cameras[0].interval_s) == (2, 2.0)


def test_a_device_follows_a_new_fleet_key(landing, settings, make, token, tmp_path) -> None:
    enroll(token.text, key=KEY, lake=landing.lake, state=tmp_path / "device")
    accept(landing, settings, make)
    device = ConfigurationState(tmp_path / "device")
    device.accept(device.fetch(landing.lake))
    device.commit()
    for _ in range(2):
        old, new = rotate_fleet_key(landing.lake, settings.keys_dir)
        assert old != new
    publish_desired(landing.lake, settings, now=make.now, check_all=True)
    assert device.fetch(landing.lake) is None
    set_door(landing.lake, settings, interval_s=2.0)
    publish_desired(landing.lake, settings, now=make.now)
    assert device.fetch(landing.lake).revision == 2
    assert device.identity.fleet_public_key == new


@pytest.mark.parametrize("step", range(3))
def test_a_rotation_that_was_killed_goes_on_with_the_same_key(landing, settings, step, monkeypatch) -> None:
    old = public_key_text(load_fleet_key(landing.lake, settings.keys_dir))
    real = type(landing.lake).write
    writes = []

    def dying(self, key, data):
        if len(writes) == step:
            raise Killed
        writes.append(key)
        real(self, key, data)

    with monkeypatch.context() as patch:
        patch.setattr(type(landing.lake), "write", dying)
        with pytest.raises(Killed):
            rotate_fleet_key(landing.lake, settings.keys_dir)
    in_force = public_key_text(load_fleet_key(landing.lake, settings.keys_dir))
    assert (in_force == old) == (step < 2)


def test_a_token_file_that_was_replaced_meanwhile_is_not_marked_used(settings, make) -> None:
    store = TokenStore(settings.keys_dir)
    for _ in range(2):
        store.issue("box-7", "store-101", fleet_public_key="A" * 43 + "=", now=make.now, valid_for=timedelta(hours=1))
    first = store.find("box-7").model_copy(update={"secret_sha256": "0" * 64})
    store.mark_used(first, make.now)
    assert [token.device_id for token in store.waiting()] == ["box-7"]


def test_an_unknown_device_cannot_be_revoked(registry, make) -> None:
    with pytest.raises(RegistryError, match="box-9"):
        registry.with_device_revoked("box-9", make.now)
