"""Ids of 16 bytes as two numbers each: millions of them sorted, numbered and looked up without a Python object."""

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]  # (n, 2): the first eight bytes, then the last eight, each as a number
Labels = NDArray[np.int64]


def id_order(words: Words) -> Labels:
    """Return the (n,) rows in the order of their ids; equal ids in the order of their rows."""
    return np.lexsort((words[:, 1], words[:, 0]))


def numbered(words: Words) -> tuple[Words, Labels]:
    """Return the distinct ids, sorted, and the number of each row's id among them."""
    order = id_order(words)
    ordered = words[order]
    fresh = np.ones(len(order), dtype=np.bool_)
    fresh[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.cumsum(fresh) - 1
    return ordered[fresh], number


def rows_of(wanted: Words, known: Words) -> Labels:
    """Return the row of each `wanted` id (k, 2) among the distinct `known` (n, 2), -1 where it is not there."""
    distinct, number = numbered(np.concatenate([known, wanted]))
    row = np.full(len(distinct), -1, dtype=np.int64)
    row[number[: len(known)]] = np.arange(len(known))
    return row[number[len(known) :]]
