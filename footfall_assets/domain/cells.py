"""Clusters beyond the identities: what merges at looser cuts, among as many identities as a calibration knows.

How many clusters are left at a looser cut tells how alike people are, but also how many there are: the more, the more
strangers lie within it. So each identity is dealt to one of as many cells, by chance and for good, as give
`CELL_IDENTITIES` each. What merges inside them tells as much of a million people as of a few hundred, and only inside
them anybody has to be compared: the time is linear.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.agglomeration import (
    GRID_STEPS,
    Apart,
    Floats,
    Grid,
    Labels,
    MergeTree,
    Pairs,
    merge_tree,
    on_grid,
)
from footfall_assets.domain.row_groups import span_members

CELL_IDENTITIES: Final = 300  # the longest list that calibrations are fitted on
_CELLS_AT_ONCE: Final = 64  # whose rows are held as float32 at a time: 32 MB at 128 dimensions and 4 rows an identity
_SLACK: Final = 1e-4  # of a cosine: more than float32 gets wrong; what lies beyond the cut never merges anyway


def link_in_cells(
    vectors: Floats | Grid,
    weights: Floats,
    near: Pairs,
    apart: Apart,
    cuts: Sequence[float],
    identity_cut: float,
    tree: MergeTree | None = None,
) -> Labels:
    """Return the (n, len(cuts)) labels at rising `cuts`; beyond `identity_cut`, only identities of one cell merge on.

    Args:
        vectors: (n, d) unit vectors, or means of such, or either already on the grid.
        weights: (n,) how much each row counts in a mean distance, above 0.
        near: (m, 2) pairs of rows, among them those within `identity_cut` of each other.
        apart: which rows never share a cluster.
        cuts: cosine distances.
        identity_cut: at which rows are one identity.
        tree: the merge tree of the rows up to `identity_cut`, if it is known.
    """
    if tree is None:
        tree = merge_tree(vectors, weights, near, apart, identity_cut)
    if cuts[-1] > identity_cut:
        tree = _grown_in_cells(vectors, weights, apart, tree, identity_cut, cuts[-1])
    return np.stack([tree.labels(cut) for cut in cuts], axis=1)


def _grown_in_cells(
    vectors: Floats | Grid, weights: Floats, apart: Apart, tree: MergeTree, identity_cut: float, last_cut: float
) -> MergeTree:
    """Return the tree with what merges further in each cell; nothing of that counts up to `identity_cut`."""
    identity = tree.labels(identity_cut)
    alike = np.concatenate([_NO_PAIRS, *alike_identities(vectors, weights, identity, last_cut)])
    grown = merge_tree(vectors, weights, alike, apart, last_cut, start=identity)
    beyond = np.nextafter(identity_cut, np.inf)
    return MergeTree(
        tree.count,
        np.concatenate([tree.keep, grown.keep]),
        np.concatenate([tree.gone, grown.gone]),
        np.concatenate([tree.height, np.maximum(grown.height, beyond)]),
    )


_NO_PAIRS: Final = np.empty((0, 2), np.int64)


def alike_identities(vectors: Floats | Grid, weights: Floats, identity: Labels, max_distance: float) -> Iterator[Pairs]:
    """Yield the pairs of identities of one cell whose mean distance is within `max_distance`, by a row of each.

    A few pairs that are a little further apart are among them.

    Args:
        vectors: (n, d) as `link_in_cells`.
        weights: (n,) above 0.
        identity: (n,) number of each row's identity, none left out.
        max_distance: cosine distance.
    """
    size = np.bincount(identity)
    rows = np.argsort(identity, kind="stable")
    first = np.cumsum(size) - size
    cell = cells_of(len(size))
    by_cell = np.argsort(cell, kind="stable")
    bounds = np.searchsorted(cell[by_cell], np.arange(cell.max(initial=-1) + 2))
    for start in range(0, len(bounds) - 1, _CELLS_AT_ONCE):
        several = bounds[start : start + _CELLS_AT_ONCE + 1]
        chosen = by_cell[several[0] : several[-1]]
        mean = _means(vectors, weights, rows, first[chosen], size[chosen])
        for begin, end in zip(several[:-1] - several[0], several[1:] - several[0], strict=True):
            near = 1.0 - mean[begin:end] @ mean[begin:end].T <= max_distance + _SLACK
            pairs = np.argwhere(np.triu(near, 1))
            yield rows[first[chosen[begin:end]]][pairs]


def cells_of(identities: int) -> Labels:
    """Return the cell of each identity by its number: all in one where one holds them."""
    cells = -(-identities // CELL_IDENTITIES)
    if cells <= 1:
        return np.zeros(identities, np.int64)
    return np.asarray(_mixed(np.arange(identities)) % np.uint64(cells), dtype=np.int64)


def _means(vectors: Floats | Grid, weights: Floats, rows: Labels, first: Labels, size: Labels) -> Floats:
    """Return the weighted mean vector of each group of rows: `size` (k,) places of `rows` from `first` (k,) on."""
    _, place = span_members(first, size)
    chosen = vectors[rows[place]]
    grid = chosen if chosen.dtype == np.int16 else on_grid(np.asarray(chosen, dtype=np.float32))
    weight = weights[rows[place]][:, None]
    starts = np.cumsum(size) - size
    total = np.add.reduceat(grid.astype(np.float32) * weight, starts, axis=0)
    return np.asarray(total / np.add.reduceat(weight, starts, axis=0) / GRID_STEPS, dtype=np.float32)


def _mixed(numbers: Labels) -> NDArray[np.uint64]:
    """Return 64 bits for each number that look drawn by chance: the finaliser of SplitMix64 (Steele et al. 2014)."""
    bits = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)), dtype=np.uint64)
