"""The merge tree of average linkage, from near pairs alone and for all clusters at once: millions of items in minutes.

Two facts make the dense matrix unnecessary. The mean distance between two clusters of vectors is 1 - S·T / (w v), from
the weighted sums S and T of their members and the total weights w and v. And two clusters whose mean distance is within
the threshold hold a pair of members within it, so only pairs of clusters joined by a near pair can merge.

Merging, round by round, every two clusters that are each other's nearest gives the tree of merging the nearest pair one
at a time, because average linkage is reducible (Bruynooghe 1977; at scale: Sumengen et al. 2021, "Scaling hierarchical
agglomerative clustering to billion-sized datasets"). Cannot-links keep that: an infinite distance stays infinite.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components as sparse_components

from footfall_assets.domain.row_groups import Groups, all_members

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Labels = NDArray[np.int64]
Pairs = NDArray[np.int64]  # (m, 2) row numbers
Mask = NDArray[np.bool_]
Grid = NDArray[np.int16]  # vectors in steps of 1 / GRID_STEPS

# Products of whole numbers below 2^15, added up 128 times, are whole numbers that float64 holds exactly. So no order of
# summation, block shape or number of threads can change a bit of a distance. It moves a cosine by about 1e-5.
GRID_STEPS: Final = 32767
_BATCH_ROWS: Final = 200_000  # rows solved at a time, whole components; 8 bytes x dimensions each
_BLOCK_PAIRS: Final = 16_384  # pairs whose vectors are gathered at a time: 32 MB at 128 dimensions
_BLOCK_MEMBERS: Final = 4_000_000  # pairs of members looked up in the cannot-links at a time
_FEW_MEMBER_PAIRS: Final = 64  # of two clusters, that are looked up one by one; above it members are swept in order


class Apart(Protocol):
    """Which rows are certainly two people."""

    def __call__(self, rows: Labels) -> Pairs:
        """Return the (m, 2) pairs of positions among distinct `rows` that are never one."""

    def between(self, left: Labels, right: Labels) -> Mask:
        """Return whether the rows `left` (k,) and `right` (k,) are never one, pair by pair."""

    def between_groups(self, groups: Groups, left: Labels, right: Labels) -> Mask:
        """Return whether groups `left` (k,) and `right` (k,) hold rows that are never one, in time linear in members.

        No group holds two such rows itself.
        """


def on_grid(vectors: Floats) -> Grid:
    """Return vectors (n, d) with coordinates within [-1, 1] in whole steps of 1 / GRID_STEPS."""
    return np.asarray(np.rint(vectors * np.float32(GRID_STEPS)), dtype=np.int16)


@dataclass(frozen=True)
class MergeTree:
    """Which clusters merged, and how far apart they were.

    Attributes:
        count: number of rows.
        keep: (m,) smallest row of the one cluster, which is that of the merged one.
        gone: (m,) smallest row of the other; each row once.
        height: (m,) mean cosine distance between the two.
    """

    count: int
    keep: Labels
    gone: Labels
    height: Doubles

    def labels(self, max_distance: float) -> Labels:
        """Return the cluster of each row when merging stops beyond `max_distance`, numbered by first member."""
        parent = np.arange(self.count, dtype=np.int64)
        within = self.height <= max_distance
        parent[self.gone[within]] = self.keep[within]
        while not np.array_equal(parent, above := parent[parent]):
            parent = above
        return np.asarray((np.cumsum(parent == np.arange(self.count)) - 1)[parent], dtype=np.int64)


def components(count: int, pairs: Pairs) -> Labels:
    """Return a label for each of `count` rows, equal where a chain of `pairs` joins them, in no particular order."""
    graph = coo_array((np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(sparse_components(graph, directed=False)[1], dtype=np.int64)


def merge_tree(
    vectors: Floats | Grid,
    weights: Floats,
    near: Pairs,
    apart: Apart,
    max_distance: float,
    before: MergeTree | None = None,
    start: Labels | None = None,
) -> MergeTree:
    """Return the tree of average linkage up to a mean cosine distance.

    Ties go to the smaller rows, so callers sort rows by id. Memory beside the arguments: 200 MB at 128 dimensions, or
    8 bytes x dimensions a row of the largest component, whichever is more.

    Args:
        vectors: (n, d) unit vectors, or means of such, or either already on the grid.
        weights: (n,) how much each row counts in a mean distance, above 0.
        near: (m, 2) pairs of rows, among them those within `max_distance` of each other; a missing one can only keep
            clusters apart, one that is further apart changes nothing.
        apart: which rows never share a cluster.
        max_distance: the largest mean distance at which two clusters merge.
        before: the tree of the first rows, made of the same but for the later ones; rows that no chain of pairs joins
            to a later row merge as they did there.
        start: (n,) clusters that have merged already, whose merges are not in the tree; `near` may then be pairs of any
            members, among them those of clusters whose mean distance is within `max_distance`.
    """
    merges = []
    if before is not None:
        near, unchanged = _changed(len(vectors), near, before)
        merges = [unchanged]
    if start is not None:
        near = np.concatenate([near, _held_together(start)])
    for rows, pairs in _batches(len(vectors), near):
        clusters = _Clusters.of(vectors, weights, rows)
        if start is not None:
            clusters.begin_with(start[rows])
        clusters.pair(pairs)
        merges.append(clusters.solve(apart, max_distance))
    keep, gone, height = (np.concatenate(each) for each in zip(*merges, strict=True)) if merges else _NOTHING
    return MergeTree(len(vectors), keep, gone, height)


_NOTHING: Final = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))


def _held_together(label: Labels) -> Pairs:
    """Return pairs of rows that chain together the rows of each label."""
    order = np.argsort(label, kind="stable")
    same = np.flatnonzero(np.diff(label[order]) == 0)
    return np.stack([order[same], order[same + 1]], axis=1)


def _changed(count: int, near: Pairs, before: MergeTree) -> tuple[Pairs, tuple[Labels, Labels, Doubles]]:
    """Return the pairs among rows that a chain of pairs joins to a later row, and the merges of all other rows."""
    component = components(count, near)
    reached = np.zeros(count, dtype=np.bool_)
    reached[component[before.count :]] = True
    changed = reached[component]
    kept = ~changed[before.keep]
    return near[changed[near[:, 0]]], (before.keep[kept], before.gone[kept], before.height[kept])


def _batches(count: int, near: Pairs) -> Iterator[tuple[Labels, Pairs]]:
    """Yield sorted rows and the pairs among them, as positions: whole components, about _BATCH_ROWS rows each time."""
    if not len(near):
        return
    paired = np.zeros(count, dtype=np.bool_)
    paired[near] = True
    rows = np.flatnonzero(paired)
    pairs = (np.cumsum(paired) - 1)[near]
    component = components(len(rows), pairs)
    size = np.bincount(component)
    batch_of_component = (np.cumsum(size) - size) // _BATCH_ROWS
    batch = batch_of_component[component].astype(np.int16)  # numpy sorts 16 bits in linear time
    by_batch, pairs_by_batch = np.argsort(batch, kind="stable"), np.argsort(batch[pairs[:, 0]], kind="stable")
    ends = np.searchsorted(batch[by_batch], np.arange(batch.max() + 1), side="right")
    pair_ends = np.searchsorted(batch[pairs[pairs_by_batch, 0]], np.arange(batch.max() + 1), side="right")
    position = np.empty(len(rows), dtype=np.int64)
    for chosen, chosen_pairs in zip(
        np.split(by_batch, ends[:-1]), np.split(pairs_by_batch, pair_ends[:-1]), strict=True
    ):
        position[chosen] = np.arange(len(chosen))
        yield rows[chosen], position[pairs[chosen_pairs]]


@dataclass
class _Clusters:
    """Clusters being merged, each known by its smallest member; rows by their place in `rows`.

    Attributes:
        rows: (n,) row numbers, rising.
        total: (n, d) weighted sum of the vectors of the cluster known by that row, in grid steps.
        weight: (n,) its weight.
        label: (n,) the cluster each row is in.
        left, right: (m,) pairs of clusters that may merge, left < right.
        distance: (m,) the mean distance of each.
    """

    rows: Labels
    total: Doubles
    weight: Doubles
    label: Labels
    left: Labels
    right: Labels
    distance: Doubles

    @classmethod
    def of(cls, vectors: Floats | Grid, weights: Floats, rows: Labels) -> "_Clusters":
        chosen = vectors[rows]
        grid = chosen if chosen.dtype == np.int16 else on_grid(np.asarray(chosen, dtype=np.float32))
        weight = weights[rows].astype(np.float64)
        total = grid * weight[:, None]
        nobody = np.empty(0, np.int64)
        return cls(rows, total, weight, np.arange(len(rows)), nobody, nobody, np.empty(0, np.float64))

    def begin_with(self, label: Labels) -> None:
        """Merge the rows of each label, before any pair is known."""
        order = np.argsort(label, kind="stable")
        first = np.flatnonzero(np.diff(label[order], prepend=label[order[:1]] - 1))
        keep = order[first]
        self.total[keep] = np.add.reduceat(self.total[order], first, axis=0)
        self.weight[keep] = np.add.reduceat(self.weight[order], first)
        self.label[order] = np.repeat(keep, np.diff(first, append=len(order)))

    def pair(self, pairs: Pairs) -> None:
        """Let the clusters of these pairs of rows merge."""
        self.left, self.right = self._distinct(self.label[pairs[:, 0]], self.label[pairs[:, 1]])

    def solve(self, apart: Apart, max_distance: float) -> tuple[Labels, Labels, Doubles]:
        """Merge until nothing is left to merge; return the smallest rows of each two, and their distance."""
        self.distance = self._distances(self.left, self.right)
        self._keep(self._may_merge(self.left, self.right, self.distance, apart, max_distance))
        merges = [_NOTHING]
        while len(self.left):
            keep, gone, height = self._mutually_nearest()
            merges.append((self.rows[keep], self.rows[gone], height))
            self._merge(keep, gone, apart, max_distance)
        kept, gone_rows, heights = (np.concatenate(each) for each in zip(*merges, strict=True))
        return kept, gone_rows, heights

    def _keep(self, chosen: Mask) -> None:
        self.left, self.right, self.distance = self.left[chosen], self.right[chosen], self.distance[chosen]

    def _distinct(self, one: Labels, other: Labels) -> tuple[Labels, Labels]:
        """Return the distinct pairs of different clusters, the smaller first, in order."""
        count = len(self.rows)
        key = np.unique(np.minimum(one, other) * count + np.maximum(one, other))
        left, right = np.divmod(key, count)
        differ = left != right
        return left[differ], right[differ]

    def _distances(self, left: Labels, right: Labels) -> Doubles:
        products = np.empty(len(left), dtype=np.float64)
        for start in range(0, len(left), _BLOCK_PAIRS):
            block = slice(start, start + _BLOCK_PAIRS)
            products[block] = np.einsum("ij,ij->i", self.total[left[block]], self.total[right[block]])
        scale = self.weight[left] * self.weight[right] * GRID_STEPS**2
        return np.asarray(1.0 - products / scale, dtype=np.float64)

    def _may_merge(self, left: Labels, right: Labels, distance: Doubles, apart: Apart, max_distance: float) -> Mask:
        """Return which pairs are near enough and not kept apart.

        The others may be forgotten: a mean of two distances lies between them, and infinity stays.
        """
        chosen = distance <= max_distance
        chosen[chosen] = ~self._kept_apart(left[chosen], right[chosen], apart)
        return chosen

    def _kept_apart(self, left: Labels, right: Labels, apart: Apart) -> Mask:
        """Return for each pair of clusters whether any member of the one is never one with any member of the other."""
        groups = Groups(self.rows, self.label)
        found = np.zeros(len(left), dtype=np.bool_)
        small = groups.size[left] * groups.size[right] <= _FEW_MEMBER_PAIRS
        for block in _blocks(np.flatnonzero(small), (groups.size[left] * groups.size[right])[small]):
            pair, one, other = all_members(groups.size, groups.first, left[block], right[block])
            found[block[pair[apart.between(groups.members[one], groups.members[other])]]] = True
        for block in _blocks(np.flatnonzero(~small), (groups.size[left] + groups.size[right])[~small]):
            found[block] = apart.between_groups(groups, left[block], right[block])
        return found

    def _mutually_nearest(self) -> tuple[Labels, Labels, Doubles]:
        """Return the pairs in which each is the other's nearest; of equals, the smallest is the nearest."""
        count = len(self.rows)
        nearest = np.full(count, np.inf)
        np.minimum.at(nearest, self.left, self.distance)
        np.minimum.at(nearest, self.right, self.distance)
        of_left, of_right = self.distance == nearest[self.left], self.distance == nearest[self.right]
        choice = np.full(count, count, dtype=np.int64)
        np.minimum.at(choice, self.left[of_left], self.right[of_left])
        np.minimum.at(choice, self.right[of_right], self.left[of_right])
        mutual = (choice[self.left] == self.right) & (choice[self.right] == self.left)
        return self.left[mutual], self.right[mutual], self.distance[mutual]

    def _merge(self, keep: Labels, gone: Labels, apart: Apart, max_distance: float) -> None:
        self.total[keep] += self.total[gone]
        self.weight[keep] += self.weight[gone]
        into = np.arange(len(self.rows))
        into[gone] = keep
        self.label = into[self.label]
        changed = np.zeros(len(self.rows), dtype=np.bool_)
        changed[keep] = changed[gone] = True
        stale = changed[self.left] | changed[self.right]
        left, right = self._distinct(into[self.left[stale]], into[self.right[stale]])
        distance = self._distances(left, right)
        chosen = self._may_merge(left, right, distance, apart, max_distance)
        self._keep(~stale)
        self.left = np.concatenate([self.left, left[chosen]])
        self.right = np.concatenate([self.right, right[chosen]])
        self.distance = np.concatenate([self.distance, distance[chosen]])


def _blocks(chosen: Labels, members: Labels) -> Iterator[Labels]:
    """Yield runs of `chosen` (k,) that have about _BLOCK_MEMBERS of the `members` (k,) together."""
    number = (np.cumsum(members) - members) // _BLOCK_MEMBERS
    yield from np.split(chosen, np.flatnonzero(np.diff(number)) + 1) if len(chosen) else ()
