"""Audits in the lake: samples that never change, labels that are only added, and the log of who saw crops.

audits/<sample>/sample.json, population.parquet
audits/<sample>/labels/<number>.json
access_log/<number>.json                           HEAD, the newest line
"""

import hmac
import io
import secrets
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock
from pydantic import BaseModel, ValidationError

from footfall_assets.contracts.audit import POPULATION, Access, AccessRecord, AuditSample, Label
from footfall_assets.contracts.errors import CorruptObject, NoData, UserMistake
from footfall_assets.contracts.ids import digest_of, sha256_hex
from footfall_assets.storage.lake import LakeStore, ObjectMissing, UnsafeKey
from footfall_assets.storage.secret_file import read_or_create_secret

_SAMPLES: Final = "audits"
_LOG: Final = "access_log"
_HEAD: Final = f"{_LOG}/HEAD"
_KEY_BYTES: Final = 32
_FIRST: Final = ""  # what the first line has before it
_Stored = TypeVar("_Stored", bound=BaseModel)


class AuditStore:
    """Reads and writes the audits of a lake."""

    def __init__(self, lake: LakeStore) -> None:
        self.lake = lake

    def sample_ids(self) -> list[str]:
        """Return all samples, the newest last day first."""
        keys = self.lake.list_keys(_SAMPLES)
        return sorted({key.split("/")[1] for key in keys if key.endswith("/sample.json")}, reverse=True)

    def sample(self, sample_id: str) -> AuditSample:
        """Return a sample.

        Raises:
            NoData: there is none of that id.
            CorruptObject: it is not what was stored.
        """
        try:
            sample = _parsed(AuditSample, self.lake.read(f"{_SAMPLES}/{sample_id}/sample.json"), sample_id)
        except (ObjectMissing, UnsafeKey) as error:
            known = ", ".join(self.sample_ids()[:5]) or "none; run: footfall audit sample"
            raise NoData(f"no audit sample {sample_id[:80]!r}; there are: {known}") from error
        if sample.sample_id != sample_id:
            raise CorruptObject(f"audit sample {sample_id}: got {sample.sample_id}; restore it from a backup")
        return sample

    def population(self, sample: AuditSample) -> pa.Table:
        """Return all questions from which the sample was drawn.

        Raises:
            CorruptObject: not the bytes that the sample names.
        """
        key = f"{_SAMPLES}/{sample.sample_id}/population.parquet"
        data = self.lake.read(key)
        if sha256_hex(data) != sample.population:
            raise CorruptObject(f"{key}: content does not match the hash in the sample; restore it from a backup")
        return pq.read_table(pa.BufferReader(data)).cast(POPULATION)

    def add(self, sample: AuditSample, population: bytes) -> None:
        """Store a sample and its population; nothing happens when it is there."""
        folder = f"{_SAMPLES}/{sample.sample_id}"
        if not self.lake.exists(f"{folder}/sample.json"):
            self.lake.write(f"{folder}/population.parquet", population)
            self.lake.write(f"{folder}/sample.json", sample.model_dump_json().encode())

    def labels(self, sample_id: str) -> list[Label]:
        """Return the answers to a sample in the order they were given."""
        keys = self.lake.list_keys(f"{_SAMPLES}/{sample_id}/labels")
        return [_parsed(Label, self.lake.read(key), key) for key in keys]

    def append(self, label: Label, lock_folder: Path) -> None:
        """Add an answer to those of its sample. One at a time: a file lock in `lock_folder` orders them.

        Raises:
            UserMistake: the sample has no such question.
        """
        if self.sample(label.sample_id).question(label.question) is None:
            raise UserMistake(f"{label.sample_id} has no question {label.question}")
        with _locked(lock_folder):
            folder = f"{_SAMPLES}/{label.sample_id}/labels"
            number = len(self.lake.list_keys(folder)) + 1
            self.lake.write(f"{folder}/{number:08d}.json", label.model_dump_json().encode())

    def write_pairs(self, sample_id: str, pairs: pa.Table) -> str:
        """Store the labelled pairs of a sample and return their key."""
        sink = io.BytesIO()
        pq.write_table(pairs, sink, compression="zstd", write_page_checksum=True)
        key = f"{_SAMPLES}/{sample_id}/labelled_pairs.parquet"
        self.lake.write(key, sink.getvalue())
        return key


def _locked(lock_folder: Path) -> FileLock:
    """Return the lock under which audits and their log grow, one line at a time."""
    lock_folder.mkdir(parents=True, exist_ok=True)
    return FileLock(lock_folder / "audit.lock")


def _parsed(kind: type[_Stored], document: bytes, what: str) -> _Stored:
    try:
        return kind.model_validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CorruptObject(f"{what}: expected {kind.__name__}, got {field}: {first['msg']}; restore it") from error


class AccessLog:
    """The append-only log of who saw or labelled crops: a chain of keyed hashes.

    Who can write the lake but has not the key can change no line unseen. Who has both can.
    """

    def __init__(self, lake: LakeStore, keys_dir: Path) -> None:
        self._lake = lake
        self._key_path = keys_dir / "access-log.key"

    def append(
        self, *, who: str, role: str, access: Access, about: str, count: int, at: datetime, lock_folder: Path
    ) -> AccessRecord:
        """Add a line and return it; durable once this returns. A file lock in `lock_folder` orders the writers."""
        with _locked(lock_folder):
            number, previous = self._newest()
            line = {"number": number + 1, "at": at, "who": who, "role": role, "access": access, "about": about}
            unsigned = AccessRecord.model_validate({**line, "count": count, "previous": previous, "digest": "0" * 64})
            record = unsigned.model_copy(update={"digest": self._digest(unsigned)})
            self._lake.write(_line_key(record.number), record.model_dump_json().encode())
            self._lake.write(_HEAD, f"{record.number} {record.digest}".encode())
        return record

    def verify(self) -> list[AccessRecord]:
        """Return all lines, oldest first.

        Raises:
            CorruptObject: a line was changed, removed, added or moved; the message names it.
        """
        newest, head = self._head()
        there = [key for key in self._lake.list_keys(_LOG) if key != _HEAD]
        lines: list[AccessRecord] = []
        previous = _FIRST
        for number in range(1, max(newest, len(there)) + 1):
            line = self._line(number)
            if (line.number, line.previous) != (number, previous) or line.digest != self._digest(line):
                raise CorruptObject(f"access log: line {number} is not what was written; compare it with a backup")
            lines.append(line)
            previous = line.digest
        if len(lines) < newest or (newest and lines[newest - 1].digest != head):
            raise CorruptObject(f"access log: line {newest} is not what was written last; compare it with a backup")
        return lines

    def _line(self, number: int) -> AccessRecord:
        try:
            return _parsed(AccessRecord, self._lake.read(_line_key(number)), f"access log: line {number}")
        except ObjectMissing as error:
            raise CorruptObject(f"access log: line {number} is missing; compare it with a backup") from error

    def _head(self) -> tuple[int, str]:
        if not self._lake.exists(_HEAD):
            return 0, _FIRST
        number, _, digest = self._lake.read(_HEAD).decode().partition(" ")
        return int(number), digest

    def _newest(self) -> tuple[int, str]:
        """Return number and digest of the newest line: a crash may have left one that HEAD does not name yet."""
        number, digest = self._head()
        while self._lake.exists(_line_key(number + 1)):
            number += 1
            digest = self._line(number).digest
        return number, digest

    def _digest(self, line: AccessRecord) -> str:
        key = read_or_create_secret(self._key_path, lambda: secrets.token_bytes(_KEY_BYTES))
        content = line.model_dump_json(exclude={"digest"})
        return hmac.digest(key, digest_of(content).encode(), "sha256").hex()


def _line_key(number: int) -> str:
    return f"{_LOG}/{number:012d}.json"
