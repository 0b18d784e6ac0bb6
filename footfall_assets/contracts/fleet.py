"""What the platform asks of a device and what the device answers: desired configuration, actual state, enrolment.

They are JSON in the lake's fleet area, beside an Ed25519 signature (RFC 8032) over their very bytes:

    fleet/devices/<device_id>/desired.json   and .sig    signed by the platform's fleet key
    fleet/devices/<device_id>/reported.json  and .sig    signed by the device
    fleet/enrolments/<device_id>.json                    proof of a one-time token, see EnrolmentRequest
    fleet/handovers/<sha256 of a key>.json   and .sig    the fleet key that follows this one, signed by this one
    fleet/intake/<device_id>.json                        what became of the device's batches, see IntakeRecord
    fleet/models/<sha256>.onnx                           a pinned model, as converted; devices check the hash
    fleet/public-key.txt                                 the fleet key's public half, to look at; devices pin theirs

A `.sig` holds one or two signatures of 64 bytes: while a document is being replaced, that of the old one stays behind
that of the new one, so that a reader always finds a pair that fits.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from footfall_assets.contracts.camera_settings import (
    CameraAddress,
    IntervalSeconds,
    Limits,
    ModelPin,
    Polygon,
    SourceKind,
    Zone,
)
from footfall_assets.contracts.errors import InvalidIdentifier, UserMistake
from footfall_assets.contracts.ids import Sha256, Slug, parse_slug, sha256_hex
from footfall_assets.contracts.registry import FilterMode, TimezoneName

__all__ = [
    "ENROLMENTS",
    "MOST_DOCUMENT_BYTES",
    "PUBLIC_KEY_KEY",
    "CameraState",
    "DesiredCamera",
    "DesiredConfiguration",
    "DeviceReport",
    "EnrolmentRequest",
    "EnrolmentToken",
    "IntakeRecord",
    "KeyHandover",
    "Limits",
    "ModelPin",
    "Polygon",
    "PublicKey",
    "SourceKind",
    "Zone",
    "desired_key",
    "enrolment_key",
    "enrolment_proof",
    "handover_key",
    "intake_record_key",
    "model_key",
    "reported_key",
    "secret_hash",
]

_MOST_CAMERAS: Final = 64  # of one device
MOST_DOCUMENT_BYTES: Final = 512 * 1024  # of any document of the fleet area; 64 cameras with masks need about 300 kB
PUBLIC_KEY_KEY: Final = "fleet/public-key.txt"
ENROLMENTS: Final = "fleet/enrolments"
_WORD: Final = "footfall1"
_SECRET_BYTES: Final = 32
_KEY_BYTES: Final = 32


PublicKey = Annotated[str, Field(min_length=44, max_length=44)]  # base64 of 32 bytes


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DesiredCamera(_Record):
    """What a device is to do with one camera.

    `address` holds no credentials: the device reads those from its own secrets file by `camera_id`.
    """

    camera_id: Slug
    kind: SourceKind
    address: CameraAddress
    interval_s: IntervalSeconds = 5.0
    filter: FilterMode = FilterMode.FACE
    zones: tuple[Zone, ...] = ()
    masks: tuple[Polygon, ...] = ()  # painted black before anything else sees the picture


class DesiredConfiguration(_Record):
    """All that a device is to do. `revision` only ever rises; a device refuses an older one."""

    format: Literal["footfall-desired/1"] = "footfall-desired/1"
    device_id: Slug
    revision: int = Field(ge=1)
    issued_at: AwareDatetime
    location_id: Slug
    timezone: TimezoneName
    cameras: Annotated[tuple[DesiredCamera, ...], Field(max_length=_MOST_CAMERAS)] = ()
    models: tuple[ModelPin, ...] = ()
    limits: Limits = Limits()
    report_every_s: float = Field(default=60.0, gt=0)

    @model_validator(mode="after")
    def _cameras_are_different(self) -> Self:
        names = [camera.camera_id for camera in self.cameras]
        if len(set(names)) != len(names):
            raise ValueError(f"expected every camera once, got {', '.join(names)}")
        return self


class CameraState(_Record):
    """How one camera is doing, counted since the agent started."""

    camera_id: Slug
    connected: bool
    last_frame_at: AwareDatetime | None
    frames_expected: int = Field(ge=0)
    frames_captured: int = Field(ge=0)
    frames_kept: int = Field(ge=0)
    frames_dropped: int = Field(ge=0)  # due but never taken
    reconnects: int = Field(ge=0)
    error: str | None = Field(default=None, max_length=400)


class DeviceReport(_Record):
    """The actual state of a device."""

    format: Literal["footfall-reported/1"] = "footfall-reported/1"
    device_id: Slug
    reported_at: AwareDatetime
    agent_version: str = Field(max_length=40)
    boot_id: str = Field(max_length=64)
    revision: int = Field(ge=0)  # of the configuration in force; 0 where there is none yet
    refused_revision: int | None = None  # newest one that did not work and was rolled back
    refused_reason: str | None = Field(default=None, max_length=400)
    cameras: tuple[CameraState, ...] = ()
    spool_items: int = Field(ge=0)
    spool_bytes: int = Field(ge=0)
    oldest_item_at: AwareDatetime | None = None
    dropped_items: int = Field(ge=0)
    dropped_stills: int = Field(ge=0)
    quarantined_items: int = Field(ge=0)
    uploaded_items: int = Field(ge=0)
    uploaded_bytes: int = Field(ge=0)
    upload_failures: int = Field(ge=0)
    clock_skew_s: float | None = None  # device minus lake, where the lake tells a time


class EnrolmentRequest(_Record):
    r"""A device's own public key, and the proof that whoever sent it held the one-time token.

    `proof` is HMAC-SHA256 (RFC 2104) over "device_id\\npublic_key", in hexadecimal. Its key is the SHA-256 of the
    token's secret, which is what the platform keeps: nobody can print the token a second time.
    """

    format: Literal["footfall-enrolment/1"] = "footfall-enrolment/1"
    device_id: Slug
    public_key: PublicKey
    proof: Sha256


class KeyHandover(_Record):
    """The fleet key that follows another one; signed by that other one."""

    format: Literal["footfall-handover/1"] = "footfall-handover/1"
    public_key: PublicKey
    next_public_key: PublicKey


class IntakeRecord(_Record):
    """What became of the batches that came in a device's name, counted since its first one; the platform's own note."""

    format: Literal["footfall-intake/1"] = "footfall-intake/1"
    device_id: Slug
    accepted: int = Field(default=0, ge=0)
    quarantined: dict[str, int] = Field(default_factory=dict)  # by reason
    last_received_at: AwareDatetime | None = None  # the platform's clock
    last_captured_at: AwareDatetime | None = None  # the device's clock, of the newest accepted still or batch


@dataclass(frozen=True, repr=False)
class EnrolmentToken:
    """What a person carries to a device once: its name, a secret, and the fleet key that it will believe."""

    device_id: str
    secret: bytes
    fleet_public_key: str  # base64 of 32 bytes

    def __repr__(self) -> str:
        return f"EnrolmentToken({self.device_id!r})"

    @property
    def text(self) -> str:
        """One word that `parse` takes, about 110 characters."""
        parts = (self.secret, base64.b64decode(self.fleet_public_key))
        words = [base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts]
        return ".".join((_WORD, self.device_id, *words))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the token that `text` is.

        Raises:
            UserMistake: not a whole token; the message does not repeat it.
        """
        mark, *parts = text.strip().split(".")
        try:
            device_id, secret, public_key = parts
            parse_slug(device_id)
            raw = [base64.b64decode(f"{part}=", altchars=b"-_", validate=True) for part in (secret, public_key)]
        except (ValueError, binascii.Error, InvalidIdentifier) as error:
            raise UserMistake(_not_a_token()) from error
        if mark != _WORD or [len(part) for part in raw] != [_SECRET_BYTES, _KEY_BYTES]:
            raise UserMistake(_not_a_token())
        return cls(device_id, raw[0], base64.b64encode(raw[1]).decode())


def _not_a_token() -> str:
    return f"expected an enrolment token ({_WORD}.device.secret.key), got something else; copy it whole"


def secret_hash(secret: bytes) -> str:
    """Return what the platform keeps of a token's secret, in hexadecimal."""
    return hashlib.sha256(secret).hexdigest()


def enrolment_proof(kept_hash: str, device_id: str, public_key: str) -> str:
    """Return the proof of an EnrolmentRequest, from the hash of the token's secret."""
    return hmac.new(bytes.fromhex(kept_hash), f"{device_id}\n{public_key}".encode(), hashlib.sha256).hexdigest()


def desired_key(device_id: str) -> str:
    """Return where a device's desired configuration lies in the lake; its signature is beside it with `.sig`."""
    return f"fleet/devices/{device_id}/desired.json"


def reported_key(device_id: str) -> str:
    """Return where a device's report lies in the lake; its signature is beside it with `.sig`."""
    return f"fleet/devices/{device_id}/reported.json"


def enrolment_key(device_id: str) -> str:
    """Return where a device's enrolment request lies in the lake."""
    return f"fleet/enrolments/{device_id}.json"


def handover_key(public_key: str) -> str:
    """Return where the lake says which fleet key follows this one; its signature is beside it with `.sig`."""
    return f"fleet/handovers/{sha256_hex(public_key.encode())}.json"


def intake_record_key(device_id: str) -> str:
    """Return where the platform notes what became of a device's batches."""
    return f"fleet/intake/{device_id}.json"


def model_key(sha256: str) -> str:
    """Return where the lake holds a pinned model for devices whose cache lacks it."""
    return f"fleet/models/{sha256}.onnx"
