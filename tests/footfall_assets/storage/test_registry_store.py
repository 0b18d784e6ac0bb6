import random
import threading
from datetime import date

import pytest

from footfall_assets.contracts.errors import CorruptObject, RegistryError
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.contracts.registry import Location, LocationMode, Registry
from footfall_assets.storage.lake import FolderLake
from footfall_assets.storage.registry_store import change_registry, read_registry


def location(number, **changes):
    name = f"store-{number}"
    fields = {"location_id": name, "name": name, "partition_group": name, "valid_from": date(2024, 1, 1)}
    return Location(**fields | changes)


@pytest.fixture
def add(folder_lake, tmp_path):
    return lambda number: change_registry(
        folder_lake, tmp_path / "home", lambda registry: registry.with_location(location(number))
    )


def test_where_nothing_was_registered_the_registry_is_empty(folder_lake):
    assert read_registry(folder_lake) == Registry()


def test_each_change_is_a_revision_of_its_own_and_old_ones_stay(folder_lake, add):
    assert [add(number).revision for number in (1, 2, 3)] == [1, 2, 3]
    assert read_registry(folder_lake).location_ids() == ("store-1", "store-2", "store-3")
    keys = folder_lake.list_keys("registry")
    assert [key.split("/")[1][:8] for key in keys] == ["00000001", "00000002", "00000003", "CURRENT"]


def test_a_change_that_changes_nothing_stores_nothing(folder_lake, add):
    first = add(1)
    before = folder_lake.list_keys("registry")
    assert add(1) == first
    assert folder_lake.list_keys("registry") == before


def test_a_change_that_contradicts_itself_is_refused_and_nothing_is_stored(folder_lake, add, tmp_path):
    before = add(1)

    def unlawful(registry):
        return registry.with_location(location(2, mode=LocationMode.UNIQUE))

    with pytest.raises(RegistryError, match="legal basis"):
        change_registry(folder_lake, tmp_path / "home", unlawful)
    assert read_registry(folder_lake) == before


def test_a_crash_before_the_pointer_leaves_the_old_registry_and_the_next_change_works(folder_lake, add, monkeypatch):
    before = add(1)
    real = FolderLake.write

    def die_at_the_pointer(lake, key, data):
        if key.endswith("CURRENT"):
            raise KeyboardInterrupt
        real(lake, key, data)

    with monkeypatch.context() as patch:
        patch.setattr(FolderLake, "write", die_at_the_pointer)
        with pytest.raises(KeyboardInterrupt):
            add(2)
    assert read_registry(folder_lake) == before
    assert add(3).location_ids() == ("store-1", "store-3")


def test_changes_at_the_same_time_are_all_kept(folder_lake, add):
    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    registry = read_registry(folder_lake)
    assert registry.revision == 8
    assert len(registry.location_ids()) == 8


def test_every_flipped_bit_of_revision_and_pointer_is_noticed(folder_lake, add):
    add(1)
    for key in folder_lake.list_keys("registry"):
        data, stored = folder_lake.read(key), folder_lake.local_path(key)
        for bit in random.Random(7).sample(range(8 * len(data)), 200):  # noqa: S311 - the same ones each time
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            stored.write_bytes(bytes(changed))
            with pytest.raises(CorruptObject):
                read_registry(folder_lake)
        stored.write_bytes(data)
    assert read_registry(folder_lake).location_ids() == ("store-1",)


def test_the_pointer_cannot_lead_out_of_the_lake(folder_lake, add):
    add(1)
    folder_lake.write("registry/CURRENT", b"../../../etc/passwd")
    with pytest.raises(CorruptObject, match="CURRENT"):
        read_registry(folder_lake)


def test_a_registry_of_another_version_is_told_in_one_line(tmp_path) -> None:
    lake = FolderLake(tmp_path / "lake")
    document = b'{"revision": 1, "unheard_of": true}'
    key = f"registry/00000001-{sha256_hex(document)}.json"
    lake.write(key, document)
    lake.write("registry/CURRENT", key.encode())
    with pytest.raises(CorruptObject, match=r"unheard_of.*FOOTFALL_HOME"):
        read_registry(lake)
