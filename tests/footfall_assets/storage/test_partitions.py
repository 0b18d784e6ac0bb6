import dataclasses
import random
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from footfall_assets.contracts.errors import CorruptObject, FootfallError
from footfall_assets.storage.lake import FolderLake, UnsafeKey
from footfall_assets.storage.partitions import PartitionManifest, PartitionPlace, PartitionStore

INPUTS = "ab" * 32


@pytest.fixture
def committed(store, place, rows):
    part = store.write_part(place, "faces", "batch-1", rows)
    return store.commit(place, INPUTS, [part])


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def some_bits(data, count):
    return random.Random(7).sample(range(8 * len(data)), count)  # noqa: S311 - the same ones each time


def test_a_place_is_a_folder_with_its_version_in_it(place):
    assert place.prefix == "faces/version=0123456789abcdef/day=2024-01-01/location=store-101"
    assert dataclasses.replace(place, location_id=None).prefix == "faces/version=0123456789abcdef/day=2024-01-01"


def test_rows_come_back_as_they_were(store, place, rows, committed):
    assert store.read_table(store.manifest(place), "faces", rows.schema).equals(rows)
    assert committed.rows("faces") == rows.num_rows
    assert committed.rows("others") == 0


def test_a_partition_that_was_never_made_reads_as_empty(store, place, rows):
    assert store.manifest(place) is None
    empty = store.read_table(None, "faces", rows.schema)
    assert (empty.num_rows, empty.schema) == (0, rows.schema)


def test_parts_are_invisible_until_they_are_committed(store, place, rows, committed):
    store.write_part(place, "faces", "batch-2", rows)
    assert store.manifest(place) == committed
    assert store.read_table(store.manifest(place), "faces", rows.schema).num_rows == rows.num_rows


def test_a_crash_before_the_manifest_leaves_the_old_partition(store, place, rows, committed, monkeypatch):
    real = FolderLake.write

    def die_at_the_manifest(lake, key, data):
        if key.endswith("manifest.json"):
            raise KeyboardInterrupt
        real(lake, key, data)

    monkeypatch.setattr(FolderLake, "write", die_at_the_manifest)
    part = store.write_part(place, "faces", "batch-2", rows.slice(0, 3))
    with pytest.raises(KeyboardInterrupt):
        store.commit(place, "cd" * 32, [part])
    assert store.manifest(place) == committed
    assert store.read_table(committed, "faces", rows.schema).equals(rows)


def test_committing_the_same_again_writes_nothing(store, place, rows, committed, monkeypatch):
    written = []
    monkeypatch.setattr(FolderLake, "write", lambda _lake, key, _data: written.append(key))
    assert store.commit(place, INPUTS, [store.write_part(place, "faces", "batch-1", rows)]) == committed
    assert written == []


def test_the_same_rows_make_the_same_bytes_and_the_order_of_parts_makes_no_difference(tmp_path, place, rows):
    contents = []
    for name, order in (("a", (0, 1, 2)), ("b", (2, 0, 1))):
        store = PartitionStore(FolderLake(tmp_path / name))
        parts = [store.write_part(place, "faces", f"batch-{number}", rows.slice(number * 40, 40)) for number in order]
        manifest = store.commit(place, INPUTS, parts)
        contents.append({key: store.lake.read(key) for key in store.lake.list_keys("faces")})
        contents.append(manifest.content_hash)
    assert contents[0] == contents[2]
    assert contents[1] == contents[3]
    assert len(contents[0]) == 4


def test_the_content_hash_changes_with_any_part_and_not_with_the_inputs(store, place, rows, committed):
    other = store.commit(place, "cd" * 32, list(committed.parts))
    assert other.content_hash == committed.content_hash
    renamed = [store.write_part(place, "faces", "batch-2", rows)]
    retabled = [store.write_part(place, "others", "batch-1", rows)]
    shorter = [store.write_part(place, "faces", "batch-1", rows.slice(1))]
    contents = [list(committed.parts), renamed, retabled, shorter, []]
    assert len({store.commit(place, INPUTS, parts).content_hash for parts in contents}) == 5


def test_every_flipped_bit_of_a_part_is_noticed(store, committed):
    part = committed.parts[0]
    data = store.lake.read(part.key)
    stored = store.lake.local_path(part.key)
    for bit in some_bits(data, 500):
        stored.write_bytes(flipped(data, bit))
        with pytest.raises(CorruptObject, match="SHA-256"):
            store.read_part(part)
    stored.write_bytes(data)
    assert store.read_part(part).num_rows == part.rows


def test_every_truncation_of_a_part_is_noticed(store, committed):
    part = committed.parts[0]
    data = store.lake.read(part.key)
    stored = store.lake.local_path(part.key)
    for percent in range(100):
        stored.write_bytes(data[: len(data) * percent // 100])
        with pytest.raises(CorruptObject):
            store.read_part(part)


def test_a_flipped_bit_of_a_manifest_never_changes_what_is_read(store, place, committed, rows):
    """One in the hash of the inputs makes the partition stale, and so made again; every other is an error."""
    key = f"{place.prefix}/manifest.json"
    data = store.lake.read(key)
    start = data.index(INPUTS.encode())
    noticed, stored = 0, store.lake.local_path(key)
    for bit in some_bits(data, 700):
        stored.write_bytes(flipped(data, bit))
        try:
            found = store.manifest(place)
            read = store.read_table(found, "faces", rows.schema)
        except FootfallError:
            noticed += 1
            continue
        assert start <= bit // 8 < start + len(INPUTS)
        assert found.inputs_hash != INPUTS
        assert read.equals(rows)
    assert noticed > 500


def test_a_manifest_of_another_place_is_noticed(store, place, committed):
    elsewhere = dataclasses.replace(place, location_id="store-102")
    store.lake.write(f"{elsewhere.prefix}/manifest.json", committed.model_dump_json().encode())
    with pytest.raises(CorruptObject):
        store.manifest(elsewhere)


@pytest.mark.parametrize("document", [b"", b"{}", b"null", b"\xff\xfe", b"[" * 10_000, b'{"parts": 1}'])
def test_what_is_no_manifest_is_corrupt(store, place, document):
    store.lake.write(f"{place.prefix}/manifest.json", document)
    with pytest.raises(CorruptObject, match="materialise it again"):
        store.manifest(place)


def test_the_cure_that_the_message_names_works(store, place, rows, committed):
    part = committed.parts[0]
    store.lake.write(part.key, store.lake.read(part.key)[:-1])
    with pytest.raises(CorruptObject, match="delete the partition's manifest and materialise it again"):
        store.read_table(store.manifest(place), "faces", rows.schema)
    store.lake.delete(f"{place.prefix}/manifest.json")
    store.commit(place, INPUTS, [store.write_part(place, "faces", "batch-1", rows)])
    assert store.read_table(store.manifest(place), "faces", rows.schema).equals(rows)


def test_a_wrong_number_of_rows_is_noticed(store, committed):
    with pytest.raises(CorruptObject, match="121 rows"):
        store.read_part(committed.parts[0].model_copy(update={"rows": 121}))


@pytest.mark.parametrize(
    ("asset", "version", "location"),
    [("../x", "v", "l"), ("faces", "..", "../../.."), ("faces", "v/../..", "l"), ("faces", "v", "a\x00b")],
)
def test_a_place_cannot_lead_out_of_the_lake(store, rows, asset, version, location):
    place = PartitionPlace(asset, version, date(2024, 1, 1), location)
    with pytest.raises(UnsafeKey):
        store.write_part(place, "faces", "x", rows)
    with pytest.raises(UnsafeKey):
        store.manifest(place)


def test_pages_carry_checksums_of_their_own(store, committed):
    """Without the hash of the file, PyArrow itself refuses a changed page."""
    data = store.lake.read(committed.parts[0].key)
    column = pq.ParquetFile(pa.BufferReader(data)).metadata.row_group(0).column(1)
    last = column.dictionary_page_offset + column.total_compressed_size - 1
    with pytest.raises(OSError, match="CRC"):
        pq.read_table(pa.BufferReader(flipped(data, 8 * last)), page_checksum_verification=True)


def test_a_part_is_found_by_table_and_name(committed):
    assert committed.part("faces", "batch-1") == committed.parts[0]
    assert committed.part("faces", "batch-2") is None
    assert committed.part("others", "batch-1") is None


def test_a_manifest_takes_no_field_that_it_does_not_know(committed):
    with pytest.raises(ValueError, match="extra"):
        PartitionManifest.model_validate(committed.model_dump() | {"extra": 1})
