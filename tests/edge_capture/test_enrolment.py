import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.enrolment import DeviceIdentity, NotEnrolled, enroll, load_identity, save_identity
from footfall_assets.contracts.batch import public_key_text
from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.fleet import (
    EnrolmentRequest,
    EnrolmentToken,
    enrolment_key,
    enrolment_proof,
    secret_hash,
)
from footfall_assets.storage.lake import FolderLake

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
TOKEN = EnrolmentToken("box-1", bytes(range(32)), public_key_text(Ed25519PrivateKey.generate()))


@pytest.fixture
def lake(tmp_path):
    return FolderLake(tmp_path / "lake")


def test_a_device_asks_with_a_proof_and_pins_the_fleet_key(lake, tmp_path) -> None:
    identity = enroll(TOKEN.text, key=KEY, lake=lake, state=tmp_path / "state")
    assert identity == DeviceIdentity(device_id="box-1", fleet_public_key=TOKEN.fleet_public_key)
    assert load_identity(tmp_path / "state") == identity
    document = lake.read(enrolment_key("box-1"))
    request = EnrolmentRequest.model_validate_json(document)
    assert request.public_key == public_key_text(KEY)
    assert request.proof == enrolment_proof(secret_hash(TOKEN.secret), "box-1", request.public_key)
    assert TOKEN.secret not in document
    assert secret_hash(TOKEN.secret).encode() not in document


def test_asking_twice_changes_nothing(lake, tmp_path) -> None:
    enroll(TOKEN.text, key=KEY, lake=lake, state=tmp_path)
    before = lake.read(enrolment_key("box-1"))
    enroll(TOKEN.text, key=KEY, lake=lake, state=tmp_path)
    assert lake.read(enrolment_key("box-1")) == before


def test_what_is_no_token_asks_for_nothing(lake, tmp_path) -> None:
    with pytest.raises(UserMistake):
        enroll("footfall1.box-1.short.short", key=KEY, lake=lake, state=tmp_path)
    assert lake.list_keys("fleet") == []
    with pytest.raises(NotEnrolled):
        load_identity(tmp_path)


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"device_id": "../x", "fleet_public_key": ""}', b"\xff"])
def test_a_damaged_identity_is_said_as_such(tmp_path, damage) -> None:
    save_identity(tmp_path, DeviceIdentity(device_id="box-1", fleet_public_key=TOKEN.fleet_public_key))
    (tmp_path / "identity.json").write_bytes(damage)
    with pytest.raises(NotEnrolled, match="enrol again"):
        load_identity(tmp_path)
