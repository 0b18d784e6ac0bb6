"""A device follows its fleet's newest configuration, nobody else's, and never goes back to an old one by itself."""

import hashlib
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.configuration import (
    ConfigurationRefused,
    ConfigurationState,
    ModelsUnavailable,
    fetch_desired,
    pinned_models,
    provide_models,
    write_report,
)
from edge_capture.enrolment import DeviceIdentity, NotEnrolled, save_identity
from footfall_assets.contracts.batch import public_key_text
from footfall_assets.contracts.fleet import (
    DesiredConfiguration,
    DeviceReport,
    KeyHandover,
    ModelPin,
    desired_key,
    handover_key,
    model_key,
    reported_key,
)
from footfall_assets.storage.fleet_store import read_signed, signature_key, write_signed
from footfall_assets.storage.lake import FolderLake
from models.cache import cached_path
from models.manifest import Manifest, load_manifest

FLEET, NEXT, LAST = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2, 3))
PUBLIC = public_key_text(FLEET)


def desired(revision: int, **changes) -> DesiredConfiguration:
    plain = {
        "device_id": "box-1",
        "revision": revision,
        "issued_at": datetime(2024, 1, 1, tzinfo=UTC),
        "location_id": "store-101",
        "timezone": "UTC",
    }
    return DesiredConfiguration.model_validate(plain | changes)


@pytest.fixture
def lake(tmp_path):
    return FolderLake(tmp_path / "lake")


@pytest.fixture
def issue(lake):
    def issued(revision, *, signer=FLEET, **changes):
        document = desired(revision, **changes)
        write_signed(lake, desired_key("box-1"), document, signer)
        return document

    return issued


@pytest.fixture
def state(tmp_path):
    save_identity(tmp_path / "state", DeviceIdentity(device_id="box-1", fleet_public_key=PUBLIC))
    return lambda: ConfigurationState(tmp_path / "state")


def test_a_newer_configuration_is_fetched_and_no_other(lake, issue) -> None:
    assert fetch_desired(lake, "box-1", PUBLIC, 0) is None
    issued = issue(3)
    assert fetch_desired(lake, "box-1", PUBLIC, 2) == issued
    assert fetch_desired(lake, "box-1", PUBLIC, 3) is None


def test_an_older_one_is_refused(lake, issue) -> None:
    """Whoever may write to the lake could put back a signed one that switches masks off."""
    issue(3)
    with pytest.raises(ConfigurationRefused, match="put an old one back"):
        fetch_desired(lake, "box-1", PUBLIC, 4)


def test_one_of_another_device_is_refused(lake, issue) -> None:
    issue(3, device_id="box-2")
    with pytest.raises(ConfigurationRefused, match="box-2"):
        fetch_desired(lake, "box-1", PUBLIC, 0)


def test_one_that_the_fleet_did_not_sign_is_refused(lake, issue) -> None:
    issue(3, signer=NEXT)
    with pytest.raises(ConfigurationRefused, match="signature"):
        fetch_desired(lake, "box-1", PUBLIC, 0)


@pytest.mark.parametrize("document", [b"{}", b"[" * 100_000, b'{"revision": 1, "revision": 2}', b" " * 600_000])
def test_one_that_is_none_is_refused(lake, document) -> None:
    lake.write(desired_key("box-1"), document)
    lake.write(signature_key(desired_key("box-1")), FLEET.sign(document))
    with pytest.raises(ConfigurationRefused):
        fetch_desired(lake, "box-1", PUBLIC, 0)


def test_trial_commit_and_restart(state) -> None:
    first = state()
    assert (first.in_force, first.newest_revision) == (None, 0)
    first.accept(desired(1))
    assert first.is_on_trial
    assert state().in_force == desired(1)
    first.commit()
    again = state()
    assert (again.in_force, again.is_on_trial, again.newest_revision) == (desired(1), False, 1)


def test_what_does_not_work_is_given_back_and_not_tried_again(state, lake, issue) -> None:
    device = state()
    device.accept(desired(1))
    device.commit()
    device.accept(desired(2))
    assert device.rollback("camera door: no such address") == desired(1)
    for each in (device, state()):
        assert (each.in_force, each.newest_revision) == (desired(1), 2)
        assert (each.refused_revision, each.refused_reason) == (2, "camera door: no such address")
        with pytest.raises(ConfigurationRefused, match="above 2"):
            each.accept(desired(2))
    issue(2)
    assert device.fetch(lake) is None
    device.accept(desired(3))
    device.commit()
    assert (state().in_force, state().refused_revision) == (desired(3), None)


def test_one_that_is_refused_untried_leaves_the_present_one(state) -> None:
    device = state()
    device.accept(desired(1))
    device.commit()
    device.refuse(2, "x" * 1000)
    assert (state().in_force, state().newest_revision, len(state().refused_reason)) == (desired(1), 2, 400)


def test_a_trial_survives_power_cuts_but_not_for_ever(state) -> None:
    device = state()
    device.accept(desired(1))
    device.commit()
    device.accept(desired(2))
    assert [state().in_force.revision for _ in range(3)] == [2, 2, 1]
    assert "stopped 3 times" in state().refused_reason


@pytest.mark.parametrize("name", ["configuration.json", "configuration.copy.json"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"0" * 64 + b"\n{}"])
def test_one_damaged_file_loses_nothing(state, tmp_path, name, damage) -> None:
    device = state()
    device.accept(desired(5))
    device.commit()
    (tmp_path / "state" / name).write_bytes(damage)
    assert (state().in_force, state().newest_revision) == (desired(5), 5)


def test_a_flipped_bit_is_noticed(state, tmp_path) -> None:
    device = state()
    device.accept(desired(5))
    device.commit()
    path = tmp_path / "state" / "configuration.json"
    path.write_bytes(path.read_bytes().replace(b'"revision":5', b'"revision":4'))
    assert state().in_force == desired(5)


def test_two_damaged_files_start_anew_and_are_kept(state, tmp_path) -> None:
    device = state()
    device.accept(desired(5))
    for name in ("configuration.json", "configuration.copy.json"):
        (tmp_path / "state" / name).write_bytes(b"damaged")
    assert (state().in_force, state().newest_revision) == (None, 0)
    assert (tmp_path / "state" / "configuration.json.damaged").read_bytes() == b"damaged"


def test_a_death_between_the_two_files_leaves_the_new_one(state, tmp_path, monkeypatch) -> None:
    device = state()
    device.accept(desired(1))
    device.commit()
    old = (tmp_path / "state" / "configuration.copy.json").read_bytes()
    device.accept(desired(2))
    (tmp_path / "state" / "configuration.copy.json").write_bytes(old)
    assert state().in_force == desired(2)


def hand_over(lake, old, new, *, signer=None) -> None:
    handover = KeyHandover(public_key=public_key_text(old), next_public_key=public_key_text(new))
    write_signed(lake, handover_key(handover.public_key), handover, signer or old)


def test_the_fleet_key_is_followed_over_several_handovers(state, lake, issue) -> None:
    """A device may be switched off while the key is replaced twice."""
    device = state()
    hand_over(lake, FLEET, NEXT)
    hand_over(lake, NEXT, LAST)
    issued = issue(1, signer=LAST)
    assert device.fetch(lake) == issued
    assert device.identity.fleet_public_key == public_key_text(LAST)
    issue(2, signer=FLEET)
    with pytest.raises(ConfigurationRefused):
        device.fetch(lake)


def test_a_handover_alone_moves_nothing(state, lake, issue) -> None:
    hand_over(lake, FLEET, NEXT)
    issued = issue(1, signer=FLEET)
    assert state().fetch(lake) == issued
    assert state().identity.fleet_public_key == PUBLIC


def test_a_handover_that_the_old_key_did_not_sign_is_refused(state, lake, issue) -> None:
    hand_over(lake, FLEET, NEXT, signer=NEXT)
    issue(1, signer=NEXT)
    with pytest.raises(ConfigurationRefused):
        state().fetch(lake)
    assert state().identity.fleet_public_key == PUBLIC


def test_a_handover_of_another_key_is_refused(state, lake, issue) -> None:
    other = KeyHandover(public_key=public_key_text(LAST), next_public_key=public_key_text(NEXT))
    write_signed(lake, handover_key(PUBLIC), other, FLEET)
    issue(1, signer=NEXT)
    with pytest.raises(ConfigurationRefused, match="lies where"):
        state().fetch(lake)


def test_handovers_in_a_circle_end(state, lake, issue) -> None:
    hand_over(lake, FLEET, NEXT)
    hand_over(lake, NEXT, FLEET)
    issue(1, signer=LAST)
    with pytest.raises(ConfigurationRefused, match="handovers"):
        state().fetch(lake)


def test_a_device_without_identity_asks_for_nothing(lake, tmp_path) -> None:
    with pytest.raises(NotEnrolled):
        ConfigurationState(tmp_path / "fresh").fetch(lake)


def test_a_report_is_signed_by_the_device(lake) -> None:
    counts = ("revision", "spool_items", "spool_bytes", "dropped_items", "dropped_stills", "quarantined_items")
    counts += ("uploaded_items", "uploaded_bytes", "upload_failures")
    report = DeviceReport(
        device_id="box-1",
        reported_at=datetime(2024, 1, 1, tzinfo=UTC),
        agent_version="1",
        boot_id="b",
        **dict.fromkeys(counts, 0),
    )
    write_report(lake, report, NEXT)
    assert read_signed(lake, reported_key("box-1"), DeviceReport, public_key_text(NEXT)) == report


MODEL = b"not really a model"


@pytest.fixture
def manifest() -> Manifest:
    """The project's manifest with one model whose file is small and needs no conversion."""
    plain = next(spec for spec in load_manifest().models if not spec.converter)
    digest = hashlib.sha256(MODEL).hexdigest()
    file = plain.source.files[0].model_copy(update={"sha256": digest, "size_bytes": len(MODEL)})
    source = plain.source.model_copy(update={"files": (file,)})
    return Manifest(models=(plain.model_copy(update={"source": source, "onnx_sha256": digest}),))


def pin(manifest: Manifest, **changes) -> DesiredConfiguration:
    spec = manifest.models[0]
    return desired(1, models=(ModelPin(**{"name": spec.name, "sha256": spec.onnx_sha256} | changes),))


def test_a_model_of_the_cache_needs_nothing_else(manifest, tmp_path) -> None:
    path = cached_path(manifest.models[0], tmp_path)
    path.parent.mkdir(parents=True)
    path.write_bytes(MODEL)
    assert provide_models(pin(manifest), cache=tmp_path, manifest=manifest) == (path,)


def test_a_missing_or_damaged_model_comes_from_the_lake(manifest, tmp_path, lake) -> None:
    lake.write(model_key(manifest.models[0].onnx_sha256), MODEL)
    for _ in range(2):
        [path] = provide_models(pin(manifest), cache=tmp_path, lake=lake, manifest=manifest)
        assert path.read_bytes() == MODEL
        path.write_bytes(b"damaged")


def test_a_model_that_is_not_what_was_pinned_is_refused(manifest, tmp_path, lake) -> None:
    lake.write(model_key(manifest.models[0].onnx_sha256), b"something else")
    with pytest.raises(ConfigurationRefused, match="sha256"):
        provide_models(pin(manifest), cache=tmp_path, lake=lake, manifest=manifest)
    assert not cached_path(manifest.models[0], tmp_path).exists()


def test_a_missing_model_comes_from_the_mirror(manifest, tmp_path, lake) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / manifest.models[0].source.files[0].base_name).write_bytes(MODEL)
    [path] = provide_models(pin(manifest), cache=tmp_path, lake=lake, mirror=str(mirror), manifest=manifest)
    assert path.read_bytes() == MODEL


def test_a_model_that_nothing_delivers_now_is_worth_another_try(manifest, tmp_path) -> None:
    class Unreachable(FolderLake):
        def read(self, _key):
            raise OSError("network is unreachable")

    with pytest.raises(ModelsUnavailable, match="unreachable"):
        provide_models(pin(manifest), cache=tmp_path, lake=Unreachable(tmp_path / "lake"), manifest=manifest)


@pytest.mark.parametrize(
    ("changes", "said"), [({"name": "unheard_of"}, "unheard_of"), ({"sha256": "0" * 64}, "update")]
)
def test_a_pin_that_can_never_hold_is_refused(manifest, changes, said) -> None:
    with pytest.raises(ConfigurationRefused, match=said):
        pinned_models(pin(manifest, **changes), manifest)
