"""The access log: who saw, labelled or took away what; lines that are only added.

access_log/<number>.json       one line
access_log/HEAD                the newest line
access_log/heads/<day>.json    the last line of a day (UTC), signed

Lines are a chain of keyed hashes: who can write the lake but has not the key can change none unseen. The newest line
is also noted in the home, so that the lake alone cannot go back to an older state. Who has both lake and home can
write what he likes; a signed head that somebody else kept shows it.
"""

import hmac
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from filelock import FileLock

from footfall_assets.contracts.access import Access, AccessLogHead, AccessRecord
from footfall_assets.contracts.documents import parse_stored
from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.ids import digest_of
from footfall_assets.storage.lake import LakeStore, ObjectMissing, written_whole
from footfall_assets.storage.secret_file import read_or_create_secret

_LOG: Final = "access_log"
_HEAD: Final = f"{_LOG}/HEAD"
_DAYS: Final = f"{_LOG}/heads"
_KEY_BYTES: Final = 32
_FIRST: Final = ""  # what the first line has before it
_COMPARE: Final = "compare it with a backup"


class AccessLog:
    """Reads and extends the access log of a lake."""

    def __init__(self, lake: LakeStore, keys_dir: Path) -> None:
        self._lake = lake
        self._keys = keys_dir

    def append(
        self,
        *,
        who: str,
        role: str,
        access: Access,
        about: str,
        count: int,
        at: datetime,
        lock_folder: Path,
        purpose: str | None = None,
        scope: str | None = None,
    ) -> AccessRecord:
        """Add a line and return it; durable once this returns. A file lock in `lock_folder` orders the writers."""
        lock_folder.mkdir(parents=True, exist_ok=True)
        with FileLock(lock_folder / "access_log.lock"):
            before = self._newest()
            fields = {"number": before[0] + 1, "at": at, "who": who, "role": role, "access": access, "about": about}
            fields |= {"count": count, "purpose": purpose, "scope": scope, "previous": before[1], "digest": "0" * 64}
            unsigned = AccessRecord.model_validate(fields)
            record = unsigned.model_copy(update={"digest": self._digest(unsigned)})
            self._lake.write(_line_key(record.number), record.model_dump_json().encode())
            self._lake.write(_HEAD, f"{record.number} {record.digest}".encode())
            self._note(record)
            self._sign_day(record, before[0])
        return record

    def verify(self) -> list[AccessRecord]:
        """Return all lines, oldest first.

        Raises:
            CorruptObject: a line was changed, removed, added or moved, or a day's head was; the message names the line.
        """
        newest, head = self._head()
        there = [key for key in self._lake.list_keys(_LOG) if key != _HEAD and not key.startswith(f"{_DAYS}/")]
        noted, noted_digest = self._noted()
        lines: list[AccessRecord] = []
        previous = _FIRST
        for number in range(1, max(newest, noted, len(there)) + 1):
            line = self._line(number)
            if (line.number, line.previous) != (number, previous) or line.digest != self._digest(line):
                raise CorruptObject(f"access log: line {number} is not what was written; {_COMPARE}")
            lines.append(line)
            previous = line.digest
        for last, digest in ((newest, head), (noted, noted_digest)):
            if last and lines[last - 1].digest != digest:
                raise CorruptObject(f"access log: line {last} is not what was written last; {_COMPARE}")
        self._verify_days(lines)
        return lines

    def heads(self) -> list[AccessLogHead]:
        """Return the signed last line of each day, oldest day first."""
        return [parse_stored(self._lake.read(key), AccessLogHead, key) for key in sorted(self._lake.list_keys(_DAYS))]

    def _verify_days(self, lines: list[AccessRecord]) -> None:
        last_of_day = {line.at.astimezone(UTC).date(): line for line in lines}
        heads = {head.day: head for head in self.heads()}
        public_key = self._signing_key().public_key()
        for day, line in last_of_day.items():
            head = heads.pop(day, None)
            if head is None:
                raise CorruptObject(f"access log: the signed head of {day}, line {line.number}, is missing; {_COMPARE}")
            if (head.number, head.digest) != (line.number, line.digest) or not _is_signed(head, public_key):
                raise CorruptObject(
                    f"access log: line {line.number} is not the one that was signed as the last of {day}; {_COMPARE}"
                )
        for day, head in heads.items():
            raise CorruptObject(f"access log: line {head.number}, signed as the last of {day}, is missing; {_COMPARE}")

    def _line(self, number: int) -> AccessRecord:
        try:
            return parse_stored(self._lake.read(_line_key(number)), AccessRecord, f"access log: line {number}")
        except ObjectMissing as error:
            raise CorruptObject(f"access log: line {number} is missing; {_COMPARE}") from error

    def _head(self) -> tuple[int, str]:
        return _place(self._lake.read(_HEAD)) if self._lake.exists(_HEAD) else (0, _FIRST)

    def _noted(self) -> tuple[int, str]:
        path = self._noted_path
        return _place(path.read_bytes()) if path.is_file() else (0, _FIRST)

    def _newest(self) -> tuple[int, str]:
        """Return number and digest of the newest line: a crash may have left one that HEAD does not name yet."""
        number, digest = max(self._head(), self._noted())
        while self._lake.exists(_line_key(number + 1)):
            number += 1
            digest = self._line(number).digest
        return number, digest

    def _note(self, record: AccessRecord) -> None:
        with written_whole(self._noted_path) as file:
            file.write(f"{record.number} {record.digest}".encode())

    @property
    def _noted_path(self) -> Path:
        return self._keys / "access-log.head"

    def _sign_day(self, record: AccessRecord, before: int) -> None:
        """Sign `record` as the last of its day, and the line before where a crash kept it from being signed."""
        if before:
            previous = self._line(before)
            if previous.at.astimezone(UTC).date() != record.at.astimezone(UTC).date():
                self._sign(previous)
        self._sign(record)

    def _sign(self, record: AccessRecord) -> None:
        day = record.at.astimezone(UTC).date()
        key = self._signing_key()
        unsigned = AccessLogHead(
            day=day,
            number=record.number,
            digest=record.digest,
            public_key=key.public_key().public_bytes_raw().hex(),
            signature="0" * 128,
        )
        signed = unsigned.model_copy(update={"signature": key.sign(_message(unsigned)).hex()})
        self._lake.write(f"{_DAYS}/{day.isoformat()}.json", signed.model_dump_json().encode())

    def _signing_key(self) -> Ed25519PrivateKey:
        stored = read_or_create_secret(
            self._keys / "access-log-signing.key", lambda: Ed25519PrivateKey.generate().private_bytes_raw()
        )
        return Ed25519PrivateKey.from_private_bytes(stored)

    def _digest(self, line: AccessRecord) -> str:
        key = read_or_create_secret(self._keys / "access-log.key", lambda: secrets.token_bytes(_KEY_BYTES))
        # What is not there is left out: lines that were written before a field existed keep their hash.
        content = line.model_dump_json(exclude={"digest"}, exclude_none=True)
        return hmac.digest(key, digest_of(content).encode(), "sha256").hex()


def _line_key(number: int) -> str:
    return f"{_LOG}/{number:012d}.json"


def _place(text: bytes) -> tuple[int, str]:
    number, _, digest = text.decode("ascii", errors="replace").partition(" ")
    if not number.isdecimal():
        raise CorruptObject(f"access log: expected the number of its newest line, got {number[:20]!r}; {_COMPARE}")
    return int(number), digest


def _message(head: AccessLogHead) -> bytes:
    return digest_of("access-log-head", head.day.isoformat(), str(head.number), head.digest).encode()


def _is_signed(head: AccessLogHead, key: Ed25519PublicKey) -> bool:
    try:
        key.verify(bytes.fromhex(head.signature), _message(head))
    except InvalidSignature:
        return False
    return head.public_key == key.public_bytes_raw().hex()
