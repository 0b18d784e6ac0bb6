"""Rows that lie in groups, and the members of groups one by one."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """Rows in groups: (n,) row numbers, rising, and (n,) the group of each, a number below n."""

    rows: Labels
    label: Labels

    @cached_property
    def size(self) -> Labels:
        """(n,) members of each group."""
        return np.bincount(self.label, minlength=len(self.rows))

    @cached_property
    def first(self) -> Labels:
        """(n,) where the members of each group begin in `members`."""
        return np.cumsum(self.size) - self.size

    @cached_property
    def members(self) -> Labels:
        """(n,) row numbers, group after group."""
        return self.rows[np.argsort(self.label, kind="stable")]


def span_members(first: Labels, size: Labels) -> tuple[Labels, Labels]:
    """Return all places of spans that begin at `first` (k,) and are `size` (k,) long: which span, and the place."""
    span = np.repeat(np.arange(len(size)), size)
    return span, np.arange(len(span)) - np.repeat(np.cumsum(size) - size - first, size)


def all_members(size: Labels, first: Labels, left: Labels, right: Labels) -> tuple[Labels, Labels, Labels]:
    """Return every pair of members of clusters `left` and `right`: which pair of clusters, and the two members.

    Args:
        size: members of each cluster.
        first: where in the list of members each cluster's begin; members come back as places in that list.
        left: (k,) clusters.
        right: (k,) clusters.
    """
    each = size[left] * size[right]
    pair = np.repeat(np.arange(len(left)), each)
    place = np.arange(len(pair)) - np.repeat(np.cumsum(each) - each, each)
    one, other = np.divmod(place, size[right][pair])
    return pair, first[left][pair] + one, first[right][pair] + other
