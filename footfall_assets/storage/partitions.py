"""Partitions of the lake's assets: immutable Parquet parts and a small manifest that names the valid ones.

    <asset>/version=<v>/day=<d>/location=<l>/<part>-<hash>.parquet
    <asset>/version=<v>/day=<d>/location=<l>/manifest.json          swapped last

A reader follows the manifest, verifies each part's SHA-256 and lets PyArrow verify the page checksums.
"""

import io
from dataclasses import dataclass
from datetime import date
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.ids import Sha256, digest_of, sha256_hex
from footfall_assets.storage.lake import LakeStore

_MANIFEST: Final = "manifest.json"


class PartRef(BaseModel):
    """One immutable file of a partition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    name: str
    key: str
    sha256: Sha256
    rows: int


class PartitionManifest(BaseModel):
    """What a partition consists of, and the hash of the inputs it was computed from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asset: str
    version: str
    inputs_hash: Sha256
    parts: tuple[PartRef, ...]

    @property
    def content_hash(self) -> str:
        """Hash of the sorted hashes of its parts: equal content, equal hash, whatever the order of arrival."""
        return digest_of(*sorted(f"{part.table}/{part.name}/{part.sha256}" for part in self.parts))

    def rows(self, table: str) -> int:
        """Return the number of rows of one of its tables."""
        return sum(part.rows for part in self.parts if part.table == table)

    def part(self, table: str, name: str) -> PartRef | None:
        """Return the part of that table and name, or None."""
        return next((each for each in self.parts if (each.table, each.name) == (table, name)), None)


@dataclass(frozen=True)
class PartitionPlace:
    """Where a partition lies: its asset, version and day, and its location where it has one."""

    asset: str
    version: str
    day: date
    location_id: str | None = None

    @property
    def prefix(self) -> str:
        """Its folder in the lake."""
        folder = f"{self.asset}/version={self.version}/day={self.day.isoformat()}"
        return f"{folder}/location={self.location_id}" if self.location_id else folder


class PartitionStore:
    """Reads and writes partitions in a lake."""

    def __init__(self, lake: LakeStore) -> None:
        self.lake = lake

    def manifest(self, place: PartitionPlace) -> PartitionManifest | None:
        """Return the partition's manifest, or None where it was never materialised.

        Raises:
            CorruptObject: it is not a manifest of this place.
        """
        key = f"{place.prefix}/{_MANIFEST}"
        if not self.lake.exists(key):
            return None
        try:
            manifest = PartitionManifest.model_validate_json(self.lake.read(key))
        except ValidationError as error:
            raise _corrupt(key, "a partition manifest", "something else") from error
        if (manifest.asset, manifest.version) != (place.asset, place.version):
            raise _corrupt(key, f"{place.asset} {place.version}", f"{manifest.asset} {manifest.version}")
        for part in manifest.parts:
            expected = _part_key(place, part.table, part.name, part.sha256)
            if part.key != expected:
                raise _corrupt(key, f"a part at {expected}", part.key)
        return manifest

    def places(self, asset: str, version: str, day: date | None = None) -> list[PartitionPlace]:
        """Return where an asset was materialised in a version, by day and location; on one day only, where given."""
        folder = f"{asset}/version={version}"
        keys = self.lake.list_keys(f"{folder}/day={day.isoformat()}" if day else folder)
        folders = [key.split("/")[2:-1] for key in keys if key.endswith(f"/{_MANIFEST}")]
        found = [dict(part.split("=", 1) for part in folder) for folder in folders]
        places = [
            PartitionPlace(asset, version, date.fromisoformat(each["day"]), each.get("location")) for each in found
        ]
        return sorted(places, key=lambda place: (place.day, place.location_id or ""))

    def write_part(self, place: PartitionPlace, table: str, name: str, rows: pa.Table) -> PartRef:
        """Store one part and return its reference; it becomes visible with `commit`."""
        sink = io.BytesIO()
        pq.write_table(rows, sink, compression="zstd", write_page_checksum=True, store_schema=True)
        data = sink.getvalue()
        digest = sha256_hex(data)
        key = _part_key(place, table, name, digest)
        if not (self.lake.exists(key) and sha256_hex(self.lake.read(key)) == digest):
            self.lake.write(key, data)
        return PartRef(table=table, name=name, key=key, sha256=digest, rows=rows.num_rows)

    def commit(self, place: PartitionPlace, inputs_hash: str, parts: list[PartRef]) -> PartitionManifest:
        """Make exactly `parts` the partition's content and return its manifest."""
        ordered = tuple(sorted(parts, key=lambda part: (part.table, part.name)))
        manifest = PartitionManifest(asset=place.asset, version=place.version, inputs_hash=inputs_hash, parts=ordered)
        if manifest != self.manifest(place):
            self.lake.write(f"{place.prefix}/{_MANIFEST}", manifest.model_dump_json().encode())
        return manifest

    def read_part(self, part: PartRef) -> pa.Table:
        """Return one part's rows.

        Raises:
            CorruptObject: its bytes do not have the recorded hash, or it has another number of rows.
        """
        data = self.lake.read(part.key)
        verify_part(part, sha256_hex(data))
        # Parts are small and many: threads and the dataset layer of `read_table` cost more than the reading.
        rows = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True).read(use_threads=False)
        if rows.num_rows != part.rows:
            raise _corrupt(part.key, f"{part.rows} rows", f"{rows.num_rows}")
        return rows

    def read_table(self, manifest: PartitionManifest | None, table: str, schema: pa.Schema) -> pa.Table:
        """Return all rows of one table of a partition, in the order of its parts; empty where there is none."""
        parts = [part for part in manifest.parts if part.table == table] if manifest else []
        tables = [self.read_part(part).cast(schema) for part in parts]
        return pa.concat_tables(tables) if tables else schema.empty_table()


def verify_part(part: PartRef, digest: str) -> None:
    """Raise CorruptObject unless `digest` is the SHA-256 that was recorded when the part was written."""
    if digest != part.sha256:
        raise _corrupt(part.key, f"SHA-256 {part.sha256}", digest)


def _part_key(place: PartitionPlace, table: str, name: str, digest: str) -> str:
    return f"{place.prefix}/{table}-{name}-{digest[:16]}.parquet"


def _corrupt(key: str, expected: str, got: str) -> CorruptObject:
    return CorruptObject(
        f"{key}: expected {expected}, got {got}; delete the partition's manifest and materialise it again, or restore "
        "the file"
    )
