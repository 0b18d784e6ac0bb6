from datetime import UTC, datetime
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.storage.arrow import (
    codes,
    list_column,
    matrix,
    microseconds,
    uuid_column,
    uuid_lists,
    uuid_words,
    words_column,
    words_lists,
)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_matrix_comes_back_from_its_column(count):
    values = np.arange(count * 4, dtype=np.float32).reshape(count, 4)
    table = pa.table({"vector": list_column(values, 4)})
    assert table.schema.field("vector").type == pa.list_(pa.float32(), 4)
    assert np.array_equal(matrix(table["vector"]), values)


def test_a_matrix_reads_only_the_rows_of_a_slice_over_several_chunks():
    values = np.arange(40, dtype=np.float32).reshape(10, 4)
    table = pa.concat_tables([pa.table({"v": list_column(part, 4)}) for part in np.split(values, 5)])
    assert table["v"].num_chunks == 5
    assert np.array_equal(matrix(table["v"].slice(3, 4)), values[3:7])
    assert np.array_equal(matrix(table.take(pa.array([9, 0]))["v"]), values[[9, 0]])


def test_a_column_takes_any_layout_and_makes_float32():
    values = np.asfortranarray(np.arange(12, dtype=np.float64).reshape(3, 4))
    assert np.array_equal(matrix(pa.chunked_array([list_column(values, 4)])), values)


IDS = st.uuids()


@given(st.lists(st.none() | IDS))
def test_ids_come_back_from_their_column(values):
    column = uuid_column(values)
    assert column.type == pa.uuid()
    assert column.to_pylist() == values


@given(st.lists(st.lists(IDS, max_size=3)))
def test_lists_of_ids_come_back_as_their_bytes(values):
    found = uuid_lists(values).to_pylist()
    assert [[UUID(bytes=each) for each in several] for several in found] == values


def test_times_are_microseconds_since_the_epoch():
    moments = [datetime(1970, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 0, 0, 0, 7, tzinfo=UTC)]
    column = pa.chunked_array([pa.array(moments, pa.timestamp("us", tz="UTC"))])
    found = microseconds(column)
    assert found.dtype == np.int64
    assert found.tolist() == [0, 1704067200000007]


@given(st.lists(st.sampled_from("abcdefg")))
def test_codes_number_values_in_the_order_of_their_first_appearance(values):
    found = codes(values).tolist()
    order = list(dict.fromkeys(values))
    assert [order[code] for code in found] == values


@given(st.lists(st.integers(0, 2**128 - 1), max_size=8))
def test_ids_come_back_from_their_words(values):
    ids = [UUID(int=each) for each in values]
    column = pa.chunked_array([uuid_column(ids[:2]), uuid_column(ids[2:])], pa.uuid())
    words = uuid_words(column)
    assert [(int(high) << 64) + int(low) for high, low in words] == values
    assert words_column(words).to_pylist() == ids
    assert uuid_words(column.slice(1)).tolist() == words[1:].tolist()


def test_words_that_are_not_valid_are_null():
    words = np.array([[1, 2], [3, 4]], np.uint64)
    column = words_column(words, valid=np.array([False, True]))
    assert column.type == pa.uuid()
    assert column.to_pylist() == [None, UUID(int=(3 << 64) + 4)]


def test_lists_of_words_are_lists_of_ids():
    words = np.array([[0, 1], [0, 2], [0, 3]], np.uint64)
    column = words_lists(words, np.array([2, 0, 1]))
    assert column.equals(uuid_lists([[UUID(int=1), UUID(int=2)], [], [UUID(int=3)]]))
