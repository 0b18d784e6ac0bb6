"""Audits in the lake: samples that never change, and labels that are only added.

audits/<sample>/sample.json, population.parquet
audits/<sample>/labels/<number>.json
"""

import io
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock

from footfall_assets.contracts.audit import POPULATION, AuditSample, Label
from footfall_assets.contracts.documents import parse_stored
from footfall_assets.contracts.errors import CorruptObject, NoData, UserMistake
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.storage.lake import LakeStore, ObjectMissing, UnsafeKey

_SAMPLES: Final = "audits"


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
            sample = parse_stored(self.lake.read(f"{_SAMPLES}/{sample_id}/sample.json"), AuditSample, sample_id)
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
        return [parse_stored(self.lake.read(key), Label, key) for key in keys]

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
    """Return the lock under which audits grow, one label at a time."""
    lock_folder.mkdir(parents=True, exist_ok=True)
    return FileLock(lock_folder / "audit.lock")
