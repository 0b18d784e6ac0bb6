import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footfall_assets.contracts.ids import digest_of
from footfall_assets.storage.lake import FolderLake
from footfall_assets.storage.partitions import PartitionStore
from footfall_assets.storage.parts import refresh_parts

SCHEMA = pa.schema([("name", pa.string())])


class Work:
    """Computes a part of one row, and remembers for whom."""

    def __init__(self, fail_at=None):
        self.done = []
        self.fail_at = fail_at

    def __call__(self, name):
        if name == self.fail_at:
            raise RuntimeError(name)
        self.done.append(name)
        return {"one": pa.table({"name": [name]}), "two": pa.table({"name": [name, name]})}


def refresh(store, place, inputs, work):
    return refresh_parts(store, place, ("one", "two"), inputs, work)


def names(store, place, table="one"):
    return store.read_table(store.manifest(place), table, SCHEMA)["name"].to_pylist()


def test_only_what_is_missing_is_computed(store, place):
    first, second, third = Work(), Work(), Work()
    found = refresh(store, place, ["b", "a"], first)
    assert (first.done, found.computed, found.reused) == (["a", "b"], 2, 0)
    found = refresh(store, place, ["c", "b", "a"], second)
    assert (second.done, found.computed, found.reused) == (["c"], 1, 2)
    found = refresh(store, place, ["a", "c", "b"], third)
    assert (third.done, found.computed, found.reused) == ([], 0, 3)
    assert names(store, place) == ["a", "b", "c"]
    assert names(store, place, "two") == ["a", "a", "b", "b", "c", "c"]


def test_what_is_no_longer_an_input_is_left_out(store, place):
    refresh(store, place, ["a", "b"], Work())
    found = refresh(store, place, ["b"], Work())
    assert (found.computed, found.reused) == (0, 1)
    assert names(store, place) == ["b"]


def test_a_part_that_lacks_a_table_is_computed_again(store, place):
    refresh_parts(store, place, ("one",), ["a"], Work())
    work = Work()
    assert refresh(store, place, ["a"], work).computed == 1
    assert names(store, place, "two") == ["a", "a"]


def test_no_input_is_an_empty_partition_and_not_a_missing_one(store, place):
    found = refresh(store, place, [], Work())
    assert store.manifest(place) == found.manifest
    assert names(store, place) == []


def test_an_input_named_twice_counts_once(store, place):
    found = refresh(store, place, ["a", "a", "b"], Work())
    assert (found.computed, found.reused) == (2, 0)
    assert names(store, place) == ["a", "b"]
    assert found.manifest.inputs_hash == digest_of("a", "b")


def test_a_failure_leaves_the_partition_as_it_was(store, place):
    before = refresh(store, place, ["a"], Work()).manifest
    with pytest.raises(RuntimeError):
        refresh(store, place, ["a", "b", "c"], Work(fail_at="c"))
    assert store.manifest(place) == before


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sets(st.sampled_from("abcdef")), min_size=1, max_size=5))
def test_the_history_of_a_partition_makes_no_difference(tmp_path_factory, place, history):
    grown = PartitionStore(FolderLake(tmp_path_factory.mktemp("grown")))
    for inputs in history:
        refresh(grown, place, inputs, Work())
    fresh = PartitionStore(FolderLake(tmp_path_factory.mktemp("fresh")))
    refresh(fresh, place, history[-1], Work())
    assert grown.manifest(place) == fresh.manifest(place)
