"""A device of the fleet that turns bad, and strangers beside it: refused, counted, and in nobody else's way."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from footfall_assets.capture.enrolment import accept_enrolments, issue_token
from footfall_assets.capture.intake import take_in
from footfall_assets.contracts.batch import accepted_key, landing_key, public_key_text
from footfall_assets.contracts.errors import QuarantineReason
from footfall_assets.contracts.fleet import IntakeRecord, enrolment_key, intake_record_key
from footfall_assets.contracts.registry import Device
from footfall_assets.storage.fleet_store import read_record
from footfall_assets.storage.registry_store import change_registry, read_registry


def files_below(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def record_of(landing, device: str) -> IntakeRecord | None:
    return read_record(landing.lake, intake_record_key(device), IntakeRecord)


def test_everything_hostile_at_once_and_nothing_else_is_touched(landing, registry, make, tmp_path) -> None:
    """Each refused under its own reason, all good ones taken in, and not one file outside the prefixes of intake."""
    good = [make.capture(make.start + timedelta(minutes=number), seed=number) for number in range(5)]
    stranger = Ed25519PrivateKey.generate()
    hostile = {
        "bad_signature": make.signed({}, [make.still(1).jpeg], key=stranger),
        "unknown_device": make.capture(device_id="box-9", seed=11),
        "revoked_device": make.capture(device_id="box-gone", seed=12),
        "wrong_location": make.capture(device_id="box-tokyo", seed=13),
        "duplicate": good[0],
    }
    landing.land(good[0])
    take_in(landing.lake, registry, landing.limits, now=make.now)
    before = files_below(tmp_path)
    for batch in [*good[1:], *hostile.values()]:
        landing.land(batch)
    for number, name in enumerate(("x..%2f..%2fevil", "a\nb", "a b", "evil.tar")):
        path = tmp_path / "lake" / "landing" / f"junk-{number}" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"junk")
    report = take_in(landing.lake, registry, landing.limits, now=make.now)
    assert report.accepted == len(good) - 1
    assert report.quarantined == dict.fromkeys(hostile, 1) | {"truncated": 1}
    assert report.unreadable_names == 3
    assert landing.lake.list_keys("batches") == sorted(accepted_key(batch.manifest) for batch in good)
    new = files_below(tmp_path) - before
    assert {path.parts[1] for path in new} <= {"batches", "quarantine", "fleet", "landing"}
    assert {path.parts[:3] for path in new if path.parts[1] == "fleet"} == {("lake", "fleet", "intake")}


def test_what_came_in_a_devices_name_is_counted_over_intakes(landing, registry, make) -> None:
    batches = [make.capture(make.start + timedelta(minutes=number), seed=number) for number in range(3)]
    for batch in (*batches, batches[0], make.capture(device_id="box-gone", seed=5), make.capture(device_id="box-9")):
        landing.land(batch)
        take_in(landing.lake, registry, landing.limits, now=make.now)
    record = record_of(landing, "box-1")
    assert (record.accepted, record.quarantined) == (3, {"duplicate": 1})
    assert record.last_captured_at == batches[2].manifest.closed_at
    assert record.last_received_at == make.now
    assert record_of(landing, "box-gone").quarantined == {"revoked_device": 1}
    assert record_of(landing, "box-9") is None  # names that nobody registered get no place


def test_a_replayed_batch_has_no_effect_however_often(landing, registry, make) -> None:
    batch = make.capture()
    landing.land(batch)
    take_in(landing.lake, registry, landing.limits, now=make.now)
    accepted = {key: landing.lake.read(key) for key in landing.lake.list_keys("batches")}
    for _ in range(4):
        landing.land(batch)
        assert take_in(landing.lake, registry, landing.limits, now=make.now).quarantined == {"duplicate": 1}
    assert {key: landing.lake.read(key) for key in landing.lake.list_keys("batches")} == accepted
    assert record_of(landing, "box-1").quarantined == {"duplicate": 4}


def test_a_damaged_record_does_not_stop_intake(landing, registry, make) -> None:
    landing.lake.write(intake_record_key("box-1"), b"\xff" * 100)
    landing.land(make.capture())
    assert take_in(landing.lake, registry, landing.limits, now=make.now).accepted == 1
    assert record_of(landing, "box-1").accepted == 1


def test_revoking_holds_for_whatever_time_a_batch_names(landing, registry, make, tmp_path) -> None:
    """Whoever holds a stolen key can write any time into a batch: what counts is when it is taken in."""
    early = make.capture()
    landing.land(early)
    revoked = registry.with_device_revoked("box-1", make.now)
    assert take_in(landing.lake, revoked, landing.limits, now=make.now).quarantined == {"revoked_device": 1}
    [note] = [key for key in landing.lake.list_keys("quarantine/revoked_device") if key.endswith(".json")]
    assert "revoked since 2024-01-06T00:00:00+00:00" in json.loads(landing.lake.read(note))["message"]
    assert landing.lake.read(note.removesuffix(".json")) == early.data  # nothing is lost: it can be landed again
    landing.lake.move(note.removesuffix(".json"), landing_key(early.manifest))
    assert take_in(landing.lake, registry, landing.limits, now=make.now).accepted == 1


@pytest.fixture
def fleet(landing, registry, settings_of, tmp_path):
    settings = settings_of(tmp_path / "home", lake=str(tmp_path / "lake"))
    change_registry(landing.lake, settings.home, lambda _: registry)
    return settings


HOSTILE_REQUESTS = {
    "no JSON": b"hello",
    "deep": b"[" * 100_000,
    "huge": b" " * 2_000_000,
    "unknown field": b'{"device_id": "box-2", "root": true}',
    "climbing id": b'{"device_id": "../box", "public_key": "%s", "proof": "%s"}' % (b"a" * 44, b"0" * 64),
    "no token": b'{"device_id": "box-2", "public_key": "%s", "proof": "%s"}' % (b"a" * 44, b"0" * 64),
    "of another device": b'{"device_id": "box-1", "public_key": "%s", "proof": "%s"}' % (b"a" * 44, b"0" * 64),
}


@pytest.mark.parametrize("document", HOSTILE_REQUESTS.values(), ids=HOSTILE_REQUESTS.keys())
def test_a_hostile_request_lets_nobody_in(landing, fleet, make, document) -> None:
    before = read_registry(landing.lake).devices
    landing.lake.write(enrolment_key("box-2"), document)
    report = accept_enrolments(landing.lake, fleet, now=make.now)
    assert (report.accepted, report.refused) == ([], {"bad_enrolment": 1})
    changed = {device.device_id: device.public_key for device in read_registry(landing.lake).devices}
    assert changed == {device.device_id: device.public_key for device in before}
    assert landing.lake.list_keys("fleet/enrolments") == []
    [note] = [key for key in landing.lake.list_keys("quarantine/bad_enrolment") if key.endswith(".json")]
    assert json.loads(landing.lake.read(note))["reason"] == QuarantineReason.BAD_ENROLMENT


def test_a_request_cannot_take_a_known_device_over(landing, fleet, make) -> None:
    """A token for one device says nothing of another."""
    issue_token(landing.lake, fleet, "box-2", "store-101", now=make.now)
    thief = Ed25519PrivateKey.generate()
    document = b'{"device_id": "box-tokyo", "public_key": "%s", "proof": "%s"}'
    landing.lake.write(enrolment_key("box-tokyo"), document % (public_key_text(thief).encode(), b"0" * 64))
    accept_enrolments(landing.lake, fleet, now=make.now)
    device = read_registry(landing.lake).device("box-tokyo")
    assert isinstance(device, Device)
    assert device.public_key == public_key_text(make.key)
