"""Joining the fleet: one token, used once, ties the device's own key to its name and pins the key it will believe."""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, ValidationError

from edge_capture.errors import EdgeError
from footfall_assets.contracts.batch import public_key_text
from footfall_assets.contracts.fleet import (
    EnrolmentRequest,
    EnrolmentToken,
    PublicKey,
    enrolment_key,
    enrolment_proof,
    secret_hash,
)
from footfall_assets.contracts.ids import Slug
from footfall_assets.storage.lake import LakeStore, written_whole

_IDENTITY: Final = "identity.json"


class NotEnrolled(EdgeError):
    """This device does not know who it is, or whom to believe."""


class DeviceIdentity(BaseModel):
    """Who this device is, and whose signature it believes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device_id: Slug
    fleet_public_key: PublicKey


def enroll(token_text: str, *, key: Ed25519PrivateKey, lake: LakeStore, state: Path | None = None) -> DeviceIdentity:
    """Ask to join the fleet and return who this device is from now on; saved in the folder `state` where one is given.

    The platform answers with the first signed configuration. Asking again with the same token and key changes nothing.

    Raises:
        UserMistake: not a token.
        TransientFailure: the lake cannot be reached.
    """
    token = EnrolmentToken.parse(token_text)
    public_key = public_key_text(key)
    proof = enrolment_proof(secret_hash(token.secret), token.device_id, public_key)
    request = EnrolmentRequest(device_id=token.device_id, public_key=public_key, proof=proof)
    lake.write(enrolment_key(token.device_id), request.model_dump_json().encode())
    identity = DeviceIdentity(device_id=token.device_id, fleet_public_key=token.fleet_public_key)
    if state is not None:
        save_identity(state, identity)
    return identity


def save_identity(state: Path, identity: DeviceIdentity) -> None:
    """Keep `identity` in the folder `state`, whole or not at all."""
    state.mkdir(parents=True, exist_ok=True)
    with written_whole(state / _IDENTITY) as partial:
        partial.write(identity.model_dump_json(indent=1).encode())


def load_identity(state: Path) -> DeviceIdentity:
    """Return the identity kept in the folder `state`.

    Raises:
        NotEnrolled: there is none, or it cannot be read.
    """
    path = state / _IDENTITY
    try:
        return DeviceIdentity.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise NotEnrolled(
            f"{state}: expected the identity of an enrolled device, found none; run edge-capture enroll with a token "
            "of footfall fleet enroll"
        ) from error
    except (OSError, ValidationError) as error:
        raise NotEnrolled(f"{path}: expected a device's identity, got {error}; restore it or enrol again") from error
