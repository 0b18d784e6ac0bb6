"""Constrained average linkage: which items are one, given distances and pairs that cannot be.

Average linkage (UPGMA; Sokal & Michener 1958) merges the two clusters with the smallest mean distance between their
members until none lies within the threshold. Two clusters that merge hold at least one pair of members within the
threshold, so solving each connected component of the graph of such pairs gives the same answer as solving the whole.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]
Pairs = NDArray[np.int64]  # (m, 2) row numbers
Apart = Callable[[Labels], Pairs]  # row numbers -> pairs of positions among them that are never one


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
    parent = np.arange(count, dtype=np.int64)

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = int(parent[item])
        return item

    for left, right in pairs:
        a, b = root(int(left)), root(int(right))
        if a != b:
            parent[max(a, b)] = min(a, b)
    return first_appearance_labels(np.array([root(item) for item in range(count)], dtype=np.int64))


@dataclass
class _Agglomeration:
    """Clusters being merged: `distance` between live clusters, infinite where they must stay apart."""

    distance: NDArray[np.float64]
    size: NDArray[np.float64]
    labels: Labels
    nearest: NDArray[np.int64]
    nearest_distance: NDArray[np.float64]

    @classmethod
    def start(cls, distances: Floats, cannot_link: Pairs, weights: Floats) -> "_Agglomeration":
        distance = distances.astype(np.float64)
        distance[cannot_link[:, 0], cannot_link[:, 1]] = np.inf
        distance[cannot_link[:, 1], cannot_link[:, 0]] = np.inf
        np.fill_diagonal(distance, np.inf)
        count = len(distance)
        nearest = distance.argmin(axis=1) if count else np.empty(0, np.int64)
        return cls(distance, weights.astype(np.float64), np.arange(count), nearest, distance[np.arange(count), nearest])

    def merge(self, keep: int, gone: int) -> None:
        """Move cluster `gone` into `keep`; an infinite distance to either stays infinite."""
        weights = self.size[[keep, gone]] / self.size[[keep, gone]].sum()
        mean = weights[0] * self.distance[keep] + weights[1] * self.distance[gone]
        self.distance[keep, :] = self.distance[:, keep] = mean
        self.distance[gone, :] = self.distance[:, gone] = np.inf
        self.distance[keep, keep] = np.inf
        self.size[keep] += self.size[gone]
        self.labels[self.labels == gone] = keep
        self.nearest_distance[gone] = np.inf
        # A mean never beats both its parts, so only rows that pointed at the pair can have a new nearest cluster.
        stale = np.flatnonzero((self.nearest == keep) | (self.nearest == gone))
        for row in {*stale.tolist(), keep} - {gone}:
            self.nearest[row] = self.distance[row].argmin()
            self.nearest_distance[row] = self.distance[row, self.nearest[row]]


def average_linkage(distances: Floats, cannot_link: Pairs, weights: Floats, max_distance: float) -> Labels:
    """Return cluster labels of n items from their (n, n) symmetric distances.

    Ties go to the smaller row numbers, so the result depends on the order of the rows only through them: callers sort
    rows by id. Memory is 8 n^2 bytes; time about n^2.

    Args:
        distances: (n, n) float32.
        cannot_link: (m, 2) pairs of rows that never share a cluster.
        weights: (n,) how much each row counts in a mean, above 0.
        max_distance: the largest mean distance at which two clusters merge.
    """
    state = _Agglomeration.start(distances, cannot_link, weights)
    for _ in range(len(distances) - 1):
        row = int(state.nearest_distance.argmin())
        if not state.nearest_distance[row] <= max_distance:
            break
        other = int(state.nearest[row])
        state.merge(min(row, other), max(row, other))
    return first_appearance_labels(state.labels)


def link(vectors: Floats, weights: Floats, near: Pairs, apart: Apart, max_distance: float) -> Labels:
    """Return cluster labels of n unit vectors (n, d), solved component by component.

    Args:
        vectors: (n, d) float32, unit length.
        weights: (n,) how much each row counts in a mean distance, above 0.
        near: (m, 2) pairs of rows within `max_distance` of each other; missing ones can only keep clusters apart.
        apart: which of some rows can never share a cluster.
        max_distance: cosine distance.
    """
    component = connected_components(len(vectors), near)
    labels = np.empty(len(vectors), dtype=np.int64)
    offset = 0
    order = np.argsort(component, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(component[order])) + 1):
        if len(rows) == 0:
            continue
        found = average_linkage(cosine_distances(vectors[rows]), apart(rows), weights[rows], max_distance)
        labels[rows] = found + offset
        offset += int(found.max()) + 1
    return first_appearance_labels(labels)


def apart_by_pairs(count: int, pairs: Pairs) -> Apart:
    """Return the `apart` of `link` that keeps exactly these (m, 2) pairs of `count` rows asunder."""
    position = np.full(count, -1, dtype=np.int64)

    def among(rows: Labels) -> Pairs:
        position[rows] = np.arange(len(rows))
        inside = position[pairs]
        position[rows] = -1
        return np.asarray(inside[(inside >= 0).all(axis=1)], dtype=np.int64)

    return among
