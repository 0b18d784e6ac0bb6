"""Constrained average linkage: which items are one, given distances and pairs that cannot be.

Average linkage (UPGMA; Sokal & Michener 1958) merges the two clusters with the smallest mean distance between their
members until none lies within the threshold. Two clusters that merge hold at least one pair of members within the
threshold, so solving each connected component of the graph of such pairs gives the same answer as solving the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.agglomeration import (
    Apart,
    Floats,
    Grid,
    Labels,
    Pairs,
    components,
    merge_tree,
)
from footfall_assets.domain.row_groups import Groups

__all__ = [
    "Apart",
    "ApartPairs",
    "Floats",
    "Grid",
    "Labels",
    "Pairs",
    "apart_by_pairs",
    "connected_components",
    "cosine_distances",
    "first_appearance_labels",
    "link",
    "link_at_cuts",
    "unit",
]


def cosine_distances(vectors: Floats) -> Floats:
    """Return the (n, n) matrix of 1 - cosine between unit vectors of shape (n, d)."""
    return np.asarray(1.0 - vectors @ vectors.T, dtype=np.float32)


def unit(vectors: Floats) -> Floats:
    """Return the rows of (n, d) scaled to length one; rows of length zero stay zero."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(norms > 0, norms, 1), dtype=np.float32)


def first_appearance_labels(labels: Labels) -> Labels:
    """Return the same grouping, its groups numbered 0, 1, ... in the order of their first member."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first, kind="stable")] = np.arange(len(first))
    return np.asarray(order[inverse], dtype=np.int64)


def connected_components(count: int, pairs: Pairs) -> Labels:
    """Return a label for each of `count` items, equal where a chain of `pairs` joins them."""
    return first_appearance_labels(components(count, pairs))


def link(vectors: Floats | Grid, weights: Floats, near: Pairs, apart: Apart, max_distance: float) -> Labels:
    """Return cluster labels of n unit vectors (n, d), solved component by component.

    Args:
        vectors: (n, d) unit length, as float32 or on the grid of `agglomeration`.
        weights: (n,) how much each row counts in a mean distance, above 0.
        near: (m, 2) pairs of rows within `max_distance` of each other; missing ones can only keep clusters apart.
        apart: which of some rows can never share a cluster.
        max_distance: cosine distance.
    """
    return link_at_cuts(vectors, weights, near, apart, [max_distance])[:, 0]


def link_at_cuts(vectors: Floats | Grid, weights: Floats, near: Pairs, apart: Apart, cuts: Sequence[float]) -> Labels:
    """Return the (n, len(cuts)) cluster labels that `link` gives at each of the rising `cuts`, in one pass.

    Args:
        vectors: (n, d) unit length, as float32 or on the grid of `agglomeration`.
        weights: (n,) how much each row counts in a mean distance, above 0.
        near: (m, 2) pairs of rows within the last cut of each other.
        apart: which of some rows can never share a cluster.
        cuts: cosine distances, rising.
    """
    tree = merge_tree(vectors, weights, near, apart, cuts[-1])
    return np.stack([tree.labels(cut) for cut in cuts], axis=1)


@dataclass(frozen=True)
class ApartPairs:
    """The `Apart` that keeps these pairs of rows asunder and no others."""

    count: int
    pairs: Pairs

    @cached_property
    def _keys(self) -> Labels:
        return np.unique(_pair_keys(self.count, self.pairs[:, 0], self.pairs[:, 1]))

    def __call__(self, rows: Labels) -> Pairs:
        """Return the (m, 2) pairs of positions among distinct `rows` that are never one."""
        position = np.full(self.count, -1, dtype=np.int64)
        position[rows] = np.arange(len(rows))
        inside = position[self.pairs]
        return np.asarray(inside[(inside >= 0).all(axis=1)], dtype=np.int64)

    def between(self, left: Labels, right: Labels) -> NDArray[np.bool_]:
        """Return whether the rows `left` (k,) and `right` (k,) are never one, pair by pair."""
        if not len(self._keys):
            return np.zeros(len(left), dtype=np.bool_)
        wanted = _pair_keys(self.count, left, right)
        place = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        return np.asarray(self._keys[place] == wanted, dtype=np.bool_)

    def between_groups(self, groups: Groups, left: Labels, right: Labels) -> NDArray[np.bool_]:
        """Return whether groups `left` (k,) and `right` (k,) hold rows that are never one."""
        place = np.minimum(np.searchsorted(groups.rows, self.pairs), len(groups.rows) - 1)
        inside = (groups.rows[place] == self.pairs).all(axis=1)
        one, other = groups.label[place[inside]].T
        return ApartPairs(len(groups.rows), np.stack([one, other], axis=1)).between(left, right)


def _pair_keys(count: int, one: Labels, other: Labels) -> Labels:
    return np.minimum(one, other) * count + np.maximum(one, other)


def apart_by_pairs(count: int, pairs: Pairs) -> ApartPairs:
    """Return the `apart` of `link` that keeps exactly these (m, 2) pairs of `count` rows asunder."""
    return ApartPairs(count, pairs)
