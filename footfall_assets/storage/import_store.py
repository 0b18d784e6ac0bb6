"""Imported files in the lake: the file as it came, its rows as Parquet, what was set aside, and a ledger of them all.

    imports/<kind>/files/<sha256>.csv
    imports/<kind>/rows/<sha256>.parquet
    imports/<kind>/set_aside/<sha256>.json
    imports/<kind>/ledger/<number of files>-<sha256>.json
    imports/<kind>/CURRENT                              swapped last; holds the newest ledger's key

Nothing is replaced but the pointer: a correction is another file, and the warehouse takes the newest row of each key.
"""

import io
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock
from pydantic import ValidationError

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.contracts.imports import ImportKind, ImportLedger, ImportRecord, RowFault, SetAsideRow
from footfall_assets.storage.lake import LakeStore, ObjectMissing, UnsafeKey

_LISTED_ROWS: Final = 1000  # rows set aside that are listed; the others are only counted, and are in the file
_FILE_NAME_CHARACTERS: Final = 200


@dataclass(frozen=True)
class ParsedFile:
    """A file's bytes and what parsing made of them.

    Attributes:
        name: of the file, for people.
        data: the file as it came.
        rows: the rows taken, of `contracts.imports.SCHEMAS`, in an order that depends on their values only.
        set_aside: the rows not taken.
    """

    name: str
    data: bytes
    rows: pa.Table
    set_aside: tuple[SetAsideRow, ...]

    @property
    def set_aside_counts(self) -> dict[RowFault, int]:
        """How many rows were set aside for each reason, sorted by reason."""
        reasons = sorted({each.reason for each in self.set_aside})
        return {reason: sum(each.reason is reason for each in self.set_aside) for reason in reasons}


class ImportStore:
    """Reads and appends the imported files of a lake."""

    def __init__(self, lake: LakeStore) -> None:
        self._lake = lake

    def ledger(self, kind: ImportKind) -> ImportLedger:
        """Return what was imported of `kind`; an empty ledger where nothing was.

        Raises:
            CorruptObject: the pointer leads nowhere, or the ledger does not have the hash its name says.
        """
        pointer = f"imports/{kind}/CURRENT"
        if not self._lake.exists(pointer):
            return ImportLedger(kind=kind)
        key = self._lake.read(pointer).decode(errors="replace")
        try:
            document = self._lake.read(key)
            if not key.endswith(f"-{sha256_hex(document)}.json"):
                raise CorruptObject(f"{key[:200]}: content does not match the hash in its name; restore it")
            return ImportLedger.model_validate_json(document)
        except (ObjectMissing, UnsafeKey) as error:
            raise CorruptObject(f"{pointer}: leads to {key[:120]!r}, which is no ledger; restore it") from error
        except ValidationError as error:
            raise CorruptObject(f"{key}: expected a ledger of imports, got {error.errors()[0]['msg']}") from error

    def append(
        self, kind: ImportKind, parsed: ParsedFile, *, imported_at: datetime, lock_folder: Path
    ) -> tuple[ImportRecord, bool]:
        """Store a file and return its record, and whether that changed anything.

        The same bytes that give the same rows as when they were last imported change nothing, whatever came after.
        """
        lock_folder.mkdir(parents=True, exist_ok=True)
        rows = _parquet(parsed.rows) if parsed.rows.num_rows else None
        file_sha256 = sha256_hex(parsed.data)
        with FileLock(lock_folder / "imports.lock"):
            before = self.ledger(kind)
            known = before.newest_of(file_sha256)
            if known is not None and known.rows_sha256 == (rows and sha256_hex(rows)):
                return known, False
            record = ImportRecord(
                sequence=len(before.records) + 1,
                imported_at=imported_at,
                file_name=parsed.name[-_FILE_NAME_CHARACTERS:],
                file_sha256=file_sha256,
                rows=parsed.rows.num_rows,
                rows_key=self._keep(f"imports/{kind}/rows", rows, "parquet"),
                rows_sha256=sha256_hex(rows) if rows else None,
                set_aside=parsed.set_aside_counts,
                set_aside_key=self._keep(f"imports/{kind}/set_aside", _listing(parsed.set_aside), "json"),
            )
            self._keep(f"imports/{kind}/files", parsed.data, "csv")
            self._commit(before.model_copy(update={"records": (*before.records, record)}))
        return record, True

    def _keep(self, folder: str, data: bytes | None, suffix: str) -> str | None:
        if data is None:
            return None
        key = f"{folder}/{sha256_hex(data)}.{suffix}"
        self._lake.write(key, data)
        return key

    def _commit(self, ledger: ImportLedger) -> None:
        document = ledger.model_dump_json(indent=1).encode()
        key = f"imports/{ledger.kind}/ledger/{len(ledger.records):08d}-{sha256_hex(document)}.json"
        self._lake.write(key, document)
        self._lake.write(f"imports/{ledger.kind}/CURRENT", key.encode())

    def rows_path(self, record: ImportRecord) -> Path:
        """Return a local file with a record's rows, its hash checked.

        Raises:
            CorruptObject: its bytes are not what was written, or it has no rows.
        """
        if record.rows_key is None:
            raise CorruptObject(f"import {record.sequence} of {record.file_name!r} took no row")
        path = self._lake.local_path(record.rows_key)
        found = sha256_hex(path.read_bytes())
        if found != record.rows_sha256:
            raise CorruptObject(
                f"{record.rows_key}: expected sha256 {record.rows_sha256}, got {found}; "
                f"restore it, or import {record.file_name!r} again after removing it"
            )
        return path


def _parquet(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows, sink, compression="zstd", write_page_checksum=True, store_schema=True)
    return sink.getvalue()


def _listing(set_aside: tuple[SetAsideRow, ...]) -> bytes | None:
    if not set_aside:
        return None
    rows = [each.model_dump(mode="json") for each in set_aside[:_LISTED_ROWS]]
    return json.dumps({"rows": rows, "not_listed": len(set_aside) - len(rows)}, indent=1).encode()


def ledgers(lake: LakeStore) -> tuple[ImportLedger, ...]:
    """Return the ledger of every kind that has rows, in the order of the kinds."""
    store = ImportStore(lake)
    found = (store.ledger(kind) for kind in ImportKind)
    return tuple(ledger for ledger in found if ledger.has_rows)
