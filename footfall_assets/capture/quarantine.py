"""Where bad input goes: its bytes under the reason, a note beside them."""

from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict

from footfall_assets.contracts.errors import InvalidBatch, QuarantineReason
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.storage.lake import LakeStore


class QuarantineNote(BaseModel):
    """Why an object was set aside, and where it came from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: QuarantineReason
    message: str
    stage: str
    code_version: str
    source: str
    quarantined_at: AwareDatetime


def quarantine(
    lake: LakeStore,
    data: bytes,
    suffix: str,
    *,
    reason: QuarantineReason,
    message: str,
    stage: str,
    code_version: str,
    source: str,
) -> str:
    """Store `data` under `quarantine/<reason>/<sha256><suffix>` with its note, once; return the key."""
    key = f"quarantine/{reason}/{sha256_hex(data)}{suffix}"
    if not lake.exists(f"{key}.json"):
        note = QuarantineNote(
            reason=reason,
            message=message,
            stage=stage,
            code_version=code_version,
            source=source,
            quarantined_at=datetime.now(UTC),
        )
        lake.write(key, data)
        lake.write(f"{key}.json", note.model_dump_json(indent=1).encode())
    return key


def quarantine_landed(
    lake: LakeStore, key: str, data: bytes, error: InvalidBatch, *, stage: str, code_version: str
) -> str:
    """Move a landed object to `quarantine/<reason>/<sha256>.tar` with its note, and return the new key.

    `data` is what was read of it, perhaps only its beginning: the object is moved, so that none of it is lost.
    """
    target = f"quarantine/{error.reason}/{sha256_hex(data)}.tar"
    note = QuarantineNote(
        reason=error.reason,
        message=str(error),
        stage=stage,
        code_version=code_version,
        source=key,
        quarantined_at=datetime.now(UTC),
    )
    if not lake.exists(f"{target}.json"):
        lake.write(f"{target}.json", note.model_dump_json(indent=1).encode())
    lake.move(key, target)
    return target
