"""One spooled batch as a file that explains itself, so that a lost index can be made again from the files alone.

8 bytes     b"FFSPOOL1"
4 bytes     length of the label, big-endian
label       JSON of BatchFacts, key id and payload length
payload     the batch tar, sealed where a key is set
"""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from edge_capture.errors import DamagedItem, KeyMissing

MAGIC: Final = b"FFSPOOL1"
_LENGTH_BYTES: Final = 4
_HASH_BYTES: Final = 32
_HEAD_BYTES: Final = len(MAGIC) + _LENGTH_BYTES + _HASH_BYTES
_MOST_LABEL_BYTES: Final = 8192
SUFFIX: Final = ".batch"


@dataclass(frozen=True)
class BatchFacts:
    """What the spool has to know of a batch; it never looks inside."""

    key: str  # where it goes in the lake
    camera_id: str
    sequence: int  # per camera, from 1
    stills: int
    first_at: datetime
    last_at: datetime
    epoch: UUID  # timeline of the clock that dated it
    sha256: str  # of the plain batch

    @property
    def name(self) -> str:
        """Its file name: one per camera and sequence, so a second try replaces the first."""
        return f"{self.camera_id}.{self.sequence:012d}{SUFFIX}"


@dataclass(frozen=True)
class Label:
    """The head of an item file."""

    facts: BatchFacts
    key_id: str  # of the key it is sealed with; empty for plain bytes
    payload_bytes: int

    def to_json(self) -> str:
        """Return its text form."""
        facts = vars(self.facts) | {
            "first_at": self.facts.first_at.isoformat(),
            "last_at": self.facts.last_at.isoformat(),
            "epoch": str(self.facts.epoch),
        }
        return json.dumps({"facts": facts, "key_id": self.key_id, "payload_bytes": self.payload_bytes})

    @classmethod
    def from_json(cls, text: str | bytes) -> "Label":
        """Return the label of a text form.

        Raises:
            DamagedItem: it is none.
        """
        try:
            found = json.loads(text)
            facts = found["facts"]
            known = BatchFacts(
                key=str(facts["key"]),
                camera_id=str(facts["camera_id"]),
                sequence=int(facts["sequence"]),
                stills=int(facts["stills"]),
                first_at=datetime.fromisoformat(facts["first_at"]),
                last_at=datetime.fromisoformat(facts["last_at"]),
                epoch=UUID(facts["epoch"]),
                sha256=str(facts["sha256"]),
            )
            return cls(known, str(found["key_id"]), int(found["payload_bytes"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DamagedItem("bad_label", f"expected the label of a spooled batch, got {error!r}") from error


class Seal(Protocol):
    """What keeps plain bytes off the disk; `name` binds a payload to its place in the lake."""

    key_id: str

    def seal(self, plain: bytes, name: str) -> bytes:
        """Return the bytes that may be stored."""

    def unseal(self, sealed: bytes, name: str) -> bytes:
        """Return the plain bytes; raises DamagedItem where they are not what was sealed under `name`."""


class PlainText:
    """No encryption at rest."""

    key_id = ""

    def seal(self, plain: bytes, name: str) -> bytes:  # noqa: ARG002 - the contract of all seals
        """Return the bytes as they are."""
        return plain

    def unseal(self, sealed: bytes, name: str) -> bytes:  # noqa: ARG002 - the contract of all seals
        """Return the bytes as they are."""
        return sealed


def pack_item(facts: BatchFacts, data: bytes, seal: Seal) -> tuple[Label, bytes]:
    """Return label and file content of a batch."""
    payload = seal.seal(data, facts.key)
    label = Label(facts, seal.key_id, len(payload))
    text = label.to_json().encode()
    head = (MAGIC, len(text).to_bytes(_LENGTH_BYTES, "big"), sha256(text).digest())
    return label, b"".join((*head, text, payload))


def item_bytes(label: Label, text: str) -> int:
    """Return the length that the file of this label, whose JSON is `text`, has to have."""
    return _HEAD_BYTES + len(text.encode()) + label.payload_bytes


def read_label(path: Path) -> Label:
    """Return the label of an item file whose length fits; the payload is not read.

    Raises:
        DamagedItem: no item, or cut short.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        label, length = _label(head, file.read(_label_bytes(head)), path.name)
    _check_length(label, path.stat().st_size - _HEAD_BYTES - length, path.name)
    return label


def read_batch(path: Path, facts: BatchFacts, seal: Seal) -> bytes:
    """Return the plain batch of an item file, checked against the hash in `facts`.

    Raises:
        DamagedItem: it is not there, or not what was put there.
        KeyMissing: it was sealed with another key.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DamagedItem("missing_file", f"{path.name}: expected a file, found none") from error
    head, rest = content[:_HEAD_BYTES], content[_HEAD_BYTES:]
    label, length = _label(head, rest[: _label_bytes(head)], path.name)
    payload = rest[length:]
    _check_length(label, len(payload), path.name)
    if label.key_id not in {"", seal.key_id}:
        raise KeyMissing(
            f"{path.name}: encrypted with the key {label.key_id}, this device holds {seal.key_id or 'none'}; "
            "restore the key file"
        )
    plain = seal.unseal(payload, facts.key) if label.key_id else payload
    if sha256(plain).hexdigest() != facts.sha256:
        raise DamagedItem("hash_mismatch", f"{path.name}: not the bytes that were put there")
    return plain


def _label_bytes(head: bytes) -> int:
    length = int.from_bytes(head[len(MAGIC) : len(MAGIC) + _LENGTH_BYTES], "big")
    return min(length, _MOST_LABEL_BYTES)


def _label(head: bytes, text: bytes, name: str) -> tuple[Label, int]:
    """Return the label and the length of its text."""
    if not head.startswith(MAGIC) or sha256(text).digest() != head[-_HASH_BYTES:]:
        raise DamagedItem(
            "bad_label", f"{name}: expected a spooled batch, got {head[:8]!r} and a label that is not whole"
        )
    return Label.from_json(text), len(text)


def _check_length(label: Label, size: int, name: str) -> None:
    if size != label.payload_bytes:
        raise DamagedItem("truncated", f"{name}: expected {label.payload_bytes} bytes of payload, got {size}")
