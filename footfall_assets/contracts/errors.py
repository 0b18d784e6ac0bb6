"""The platform's error tree: what went wrong, and whether trying again can help.

FootfallError
├── UserMistake          one clear line for the person at the keyboard, exit code 2
│   ├── InvalidIdentifier
│   ├── RegistryError
│   └── NoData
├── PermanentFailure     the same input will fail again
│   ├── InvalidBatch     carries the quarantine reason
│   ├── InvalidDocument  too large, not its schema, or not signed by whom it should be
│   ├── CorruptObject    stored bytes are not what was written
│   └── FinalPartition   its sources were removed by retention
└── TransientFailure     network, lock: worth another try
"""

from enum import StrEnum


class FootfallError(Exception):
    """Base of everything the platform raises on purpose."""


class UserMistake(FootfallError):
    """Something the caller can mend; the message says how."""


class InvalidIdentifier(UserMistake):
    """An id from outside that does not have the agreed form."""


class RegistryError(UserMistake):
    """The registry does not know something, or a change to it contradicts itself."""


class NoData(UserMistake):
    """Nothing is there for what was asked."""


class PermanentFailure(FootfallError):
    """Trying the same input again gives the same failure."""


class InvalidDocument(PermanentFailure):
    """A JSON document from outside that may not be used."""


class CorruptObject(PermanentFailure):
    """Stored bytes do not have the hash that was recorded when they were written."""


class FinalPartition(PermanentFailure):
    """Retention has removed this partition's sources: it can no longer be recomputed and stays as it is."""


class TransientFailure(FootfallError):
    """A failure that may pass: network, lock, a service that is down."""


class QuarantineReason(StrEnum):
    """Why a batch or an image was set aside; also the folder it lies in."""

    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    BAD_ARCHIVE = "bad_archive"
    BAD_MANIFEST = "bad_manifest"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_DEVICE = "unknown_device"
    REVOKED_DEVICE = "revoked_device"
    WRONG_LOCATION = "wrong_location"
    BAD_ENROLMENT = "bad_enrolment"
    UNKNOWN_LOCATION = "unknown_location"
    UNKNOWN_CAMERA = "unknown_camera"
    LOCATION_OFF = "location_off"
    WRONG_PATH = "wrong_path"
    CLOCK = "clock"
    DUPLICATE = "duplicate"
    HASH_MISMATCH = "hash_mismatch"
    FORMAT = "format"
    DIMENSIONS = "dimensions"
    UNDECODABLE = "undecodable"
    INVALID_VECTOR = "invalid_vector"


class InvalidBatch(PermanentFailure):
    """A landed batch that may not enter the lake.

    Attributes:
        reason: the quarantine folder it belongs in.
    """

    def __init__(self, reason: QuarantineReason, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
