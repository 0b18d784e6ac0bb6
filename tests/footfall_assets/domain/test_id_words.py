"""Ids as pairs of numbers sort, number and join as the ids themselves."""

from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.domain.id_words import id_order, numbered, rows_of

# Ids that share their first or last half, or are all zeros at one end, beside any others.
IDS = st.lists(
    st.one_of(st.integers(0, 3), st.integers(0, 3).map(lambda each: each << 64), st.integers(0, 2**128 - 1)),
    max_size=20,
)


def words(ids):
    return np.array([divmod(each, 2**64) for each in ids], dtype=np.uint64).reshape(-1, 2)


@given(IDS)
def test_the_order_is_that_of_the_ids(ids):
    order = id_order(words(ids)).tolist()
    assert order == sorted(range(len(ids)), key=lambda row: (UUID(int=ids[row]).bytes, row))


@given(IDS)
def test_equal_ids_get_one_number_in_the_order_of_ids(ids):
    distinct, number = numbered(words(ids))
    expected = sorted(set(ids))
    assert distinct.tolist() == words(expected).tolist()
    assert number.tolist() == [expected.index(each) for each in ids]


@given(IDS, IDS)
def test_each_id_is_found_where_it_is(wanted, known):
    known = list(dict.fromkeys(known))
    expected = [known.index(each) if each in known else -1 for each in wanted]
    assert rows_of(words(wanted), words(known)).tolist() == expected
