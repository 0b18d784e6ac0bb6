"""Imported files in the lake: what is kept, what changes nothing, and what a damaged lake says."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.imports import PLANNED_STAFF, ImportKind, RowFault, SetAsideRow
from footfall_assets.storage.import_store import ImportStore, ParsedFile, ledgers
from footfall_assets.storage.lake import FolderLake

NOW = datetime(2024, 2, 1, tzinfo=UTC)


def parsed(data: bytes, *minutes: int, name: str = "plan.csv", bad: int = 0) -> ParsedFile:
    rows = [
        {"location_id": "a", "business_day": NOW.date(), "starts_minute": each, "ends_minute": each + 1, "staff": 1}
        for each in minutes
    ]
    aside = [SetAsideRow(line=2, reason=RowFault.FIELDS, message="expected", text="x") for _ in range(bad)]
    return ParsedFile(name, data, pa.Table.from_pylist(rows, schema=PLANNED_STAFF), tuple(aside))


@pytest.fixture
def lake(tmp_path):
    return FolderLake(tmp_path / "lake")


@pytest.fixture
def take(lake, tmp_path):
    def of(file: ParsedFile, kind: ImportKind = ImportKind.STAFF):
        return ImportStore(lake).append(kind, file, imported_at=NOW, lock_folder=tmp_path / "locks")

    return of


def test_a_file_is_kept_with_its_rows_and_what_was_set_aside(lake, take) -> None:
    record, is_new = take(parsed(b"one", 1, 2, bad=3))
    assert is_new
    assert (record.sequence, record.rows, record.set_aside) == (1, 2, {RowFault.FIELDS: 3})
    store = ImportStore(lake)
    assert pq.read_table(store.rows_path(record)).num_rows == 2
    assert lake.read(f"imports/staff/files/{record.file_sha256}.csv") == b"one"
    assert b'"not_listed": 0' in lake.read(record.set_aside_key)
    assert store.ledger(ImportKind.STAFF).records == (record,)
    assert store.ledger(ImportKind.COUNTS).records == ()


def test_the_same_file_twice_changes_nothing_whatever_came_between(lake, take) -> None:
    first, _ = take(parsed(b"one", 1))
    take(parsed(b"two", 2))
    keys = lake.list_keys("imports")
    digests = [ledger.digest for ledger in ledgers(lake)]
    again, is_new = take(parsed(b"one", 1, name="renamed.csv"))
    assert not is_new
    assert again == first
    assert lake.list_keys("imports") == keys
    assert [ledger.digest for ledger in ledgers(lake)] == digests


def test_the_same_file_counts_anew_once_more_of_its_rows_can_be_used(lake, take) -> None:
    """A location may be registered only after its file was first imported."""
    take(parsed(b"one", bad=1))
    assert ledgers(lake) == ()
    record, is_new = take(parsed(b"one", 1))
    assert (is_new, record.sequence) == (True, 2)
    assert [ledger.kind for ledger in ledgers(lake)] == [ImportKind.STAFF]


def test_the_digest_is_of_rows_and_their_order(lake, take) -> None:
    take(parsed(b"one", 1))
    before = ImportStore(lake).ledger(ImportKind.STAFF).digest
    take(parsed(b"nothing usable", bad=1))
    assert ImportStore(lake).ledger(ImportKind.STAFF).digest == before
    take(parsed(b"two", 2))
    assert ImportStore(lake).ledger(ImportKind.STAFF).digest != before


def test_damage_is_noticed(lake, take) -> None:
    record, _ = take(parsed(b"one", 1))
    lake.write(record.rows_key, b"other rows")
    with pytest.raises(CorruptObject, match="sha256"):
        ImportStore(lake).rows_path(record)
    key = lake.read("imports/staff/CURRENT").decode()
    lake.write(key, lake.read(key).replace(b'"rows": 1', b'"rows": 2'))
    with pytest.raises(CorruptObject, match="hash in its name"):
        ledgers(lake)
    lake.write("imports/staff/CURRENT", b"../../etc/passwd")
    with pytest.raises(CorruptObject, match="leads to"):
        ledgers(lake)


def test_many_bad_rows_are_counted_and_the_first_listed(lake, take) -> None:
    record, _ = take(parsed(b"one", 1, bad=1234))
    assert record.set_aside == {RowFault.FIELDS: 1234}
    assert b'"not_listed": 234' in lake.read(record.set_aside_key)
