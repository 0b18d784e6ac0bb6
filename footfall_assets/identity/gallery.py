"""The gallery: all local visitors of a linkage window, each compared with those before it in canonical order.

Up to a measured size every pair is looked at. Above it, hash tables propose whom to compare: a table turns the vectors
by a fixed random rotation and puts those together whose largest coordinates are the same, sign included (cross-polytope
hashing; Andoni et al. 2015, "Practical and optimal LSH for angular distance").

Whether two rows are found depends on their vectors and on the rows before the later one, and on nothing else. So days
give the same pairs whether they are added in one run or in thirty, the pairs of a day are those of the day before and
some more, and nothing is kept that could be damaged or lost. All comparisons are of whole numbers that float32 holds
exactly: no number of threads, no block and no machine changes them. A usearch graph, measured beside this in
`benchmarks/gallery.py`, has to add its rows one by one to be reproducible.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import log2
from typing import Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from footfall_assets.domain.agglomeration import GRID_STEPS, Floats, Grid, Labels, Pairs

# Dot products of unit vectors in steps of 1 / 2047 stay below 2^24, up to which float32 holds every whole number; those
# of a difference of two with a rotation's row in steps of 1 / 4095 stay below 2^24.
_COARSE_STEPS: Final = 2047
_ROTATION_STEPS: Final = 4095
_COARSE_SLACK: Final = 1.3e-3  # six standard deviations of what the coarse grid moves a cosine by
_BLOCK_ROWS: Final = 512  # rows compared with so many others at a time: 1 MB of cosines
_BLOCKS_AT_ONCE: Final = 8  # compared by one worker with all before them
_BELOW_DIAGONAL: Final = np.tri(_BLOCK_ROWS, k=-1, dtype=np.bool_)
_HASH_ROWS: Final = 32_768  # rows hashed at a time
_GROWTH: Final = 4  # the tables get finer where the gallery has grown by this
_ROWS_PER_CELL: Final = 2000  # on average, in the largest gallery a table serves
_HASHES: Final = 2  # coordinates that must agree
# Of pairs at the linkage distance a table finds 1 in 4 among 65,536 rows and 1 in 15 among 17 million: so many tables
# find 99 and 97 of 100 (measured with the spreads of simulation/spreads.toml).
_TABLES_AT: Final = 65_536
_TABLES: Final = 24
_TABLES_PER_DOUBLING: Final = 6
_FEWEST_TABLES: Final = 16
_TABLES_MERGED: Final = 8  # between two removals of pairs found twice
_PAIR_BUDGET: Final = 200_000_000  # candidates kept in all: 16 bytes each
_FEWEST_NEIGHBOURS: Final = 8
_WORKERS: Final = 2
_SHARES: Final = 32  # that the cells of a table are dealt out in
_SEED: Final = 20240101  # of the rotations, which are the same for every window and home


@dataclass(frozen=True)
class Search:
    """What counts as near, and how hard to look.

    Attributes:
        max_distance: cosine distance.
        exact_below: rows that are compared with all before them.
        neighbours: earlier rows kept for each, nearest first; fewer where all of them would not fit the memory.
    """

    max_distance: float
    exact_below: int
    neighbours: int

    @property
    def least_product(self) -> float:
        """The dot product in coarse steps that a candidate has at least."""
        return (1.0 - self.max_distance - _COARSE_SLACK) * _COARSE_STEPS**2


@dataclass(frozen=True)
class _Found:
    """Candidates: later row, earlier row, and their dot product in coarse steps."""

    later: Labels
    earlier: Labels
    product: Floats

    @classmethod
    def union(cls, parts: Sequence["_Found"]) -> "_Found":
        return cls(
            np.concatenate([np.empty(0, np.int64), *(part.later for part in parts)]),
            np.concatenate([np.empty(0, np.int64), *(part.earlier for part in parts)]),
            np.concatenate([np.empty(0, np.float32), *(part.product for part in parts)]),
        )

    def nearest(self, keep: int) -> "_Found":
        """Return each pair once, and of each later row the `keep` nearest earlier ones; ties to the smaller row."""
        order = np.lexsort((self.earlier, -self.product, self.later))
        later, earlier, product = self.later[order], self.earlier[order], self.product[order]
        fresh = np.ones(len(order), dtype=np.bool_)
        fresh[1:] = (np.diff(later) != 0) | (np.diff(earlier) != 0)
        later, earlier, product = later[fresh], earlier[fresh], product[fresh]
        rank = np.arange(len(later)) - np.searchsorted(later, later)
        return _Found(later[rank < keep], earlier[rank < keep], product[rank < keep])


def gallery_pairs(grid: Grid, search: Search, *, first: int = 0) -> Pairs:
    """Return the (m, 2) pairs of near rows, the smaller first, sorted by the larger row.

    The pairs whose larger row is below some row are what this returns for the rows below that one.

    Args:
        grid: (n, d) unit vectors on the grid, in canonical order.
        search: what counts as near.
        first: only pairs whose larger row is this or one behind it.
    """
    count = len(grid)
    if count <= min(search.exact_below, _BLOCK_ROWS * _BLOCKS_AT_ONCE):  # a place, of which there are many: no threads
        found = _blocks(grid, np.arange(count), 0, first, search, _kept(search, count)).nearest(_kept(search, count))
        return np.stack([found.earlier, found.later], axis=1)
    bounds = [0, min(search.exact_below, count)]
    while bounds[-1] < count:
        bounds.append(min(max(bounds[-1], 1) * _GROWTH, count))
    stages = [_Found.union([])]
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(_WORKERS) as workers:
        for stage, (start, stop) in enumerate(pairwise(bounds)):
            if max(start, first) < stop:
                tables = [] if stage == 0 else _tables(max(search.exact_below, 1) * _GROWTH**stage, grid.shape[1])
                stages.append(_stage(grid[:stop], max(start, first), tables, search, workers))
    pairs = _Found.union(stages)
    return np.stack([pairs.earlier, pairs.later], axis=1)


def _stage(grid: Grid, first: int, tables: Sequence[Floats], search: Search, workers: ThreadPoolExecutor) -> _Found:
    """Return the candidates of the rows from `first` on; by comparing all where there are no tables."""
    keep = _kept(search, len(grid))
    if not tables:
        return _among(grid, [np.arange(len(grid))], first, search, keep, workers).nearest(keep)
    # What all vectors have in common would put them into one cell. The rows that are compared with all show it.
    centre = np.zeros(grid.shape[1], np.float32)
    if search.exact_below:
        centre = np.rint(_coarse(grid[: search.exact_below]).mean(axis=0, dtype=np.float64)).astype(np.float32)
    found = _Found.union([])
    for start in range(0, len(tables), _TABLES_MERGED):
        several = tables[start : start + _TABLES_MERGED]
        blocks = [slice(row, row + _HASH_ROWS) for row in range(0, len(grid), _HASH_ROWS)]
        cells = workers.map(partial(_cells, tables=several, centre=centre), (grid[block] for block in blocks))
        numbers = np.concatenate(list(cells))
        parts = [_among(grid, _groups(number), first, search, keep, workers) for number in numbers.T]
        found = _Found.union([found, *parts]).nearest(keep)
    return found


def _kept(search: Search, count: int) -> int:
    """Return how many earlier rows each keeps in a gallery of `count`."""
    return max(_FEWEST_NEIGHBOURS, min(search.neighbours, _PAIR_BUDGET // max(count, 1)))


def _tables(largest: int, dim: int) -> list[Floats]:
    """Return the rotations of the tables for galleries of up to `largest` rows, each (hashes x width, dim)."""
    cells = largest / _ROWS_PER_CELL
    width = int(np.clip(round(cells ** (1 / _HASHES) / 2), 1, dim))
    count = max(_FEWEST_TABLES, round(_TABLES + _TABLES_PER_DOUBLING * log2(largest / _TABLES_AT)))
    generator = np.random.Generator(np.random.Philox(_SEED))
    drawn = [generator.standard_normal((_HASHES, dim, dim)) for _ in range(count)]
    turned = [np.concatenate([np.linalg.qr(each)[0][:width] for each in table]) for table in drawn]
    return [np.rint(table * _ROTATION_STEPS).astype(np.float32) for table in turned]


def _cells(grid: Grid, tables: Sequence[Floats], centre: Floats) -> NDArray[np.int32]:
    """Return (n, tables) the cell that each row falls into: the largest coordinate and its sign, for each hash."""
    width = len(tables[0]) // _HASHES
    turned = (_coarse(grid) - centre) @ np.concatenate(tables).T
    turned = turned.reshape(len(grid), len(tables), _HASHES, width)
    largest = np.abs(turned).argmax(axis=3)
    positive = np.take_along_axis(turned, largest[..., None], axis=3)[..., 0] > 0
    cell = np.zeros(largest.shape[:2], dtype=np.int32)
    for number in range(_HASHES):
        cell = cell * (2 * width) + 2 * largest[..., number].astype(np.int32) + positive[..., number]
    return cell


def _groups(cell: NDArray[np.int32]) -> list[Labels]:
    """Return the rows of each cell, rising."""
    order = np.argsort(cell, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(cell[order])) + 1)


def _among(
    grid: Grid, cells: Sequence[Labels], first: int, search: Search, keep: int, workers: ThreadPoolExecutor
) -> _Found:
    """Return the candidates within each of the groups of rising rows, those from row `first` on against all before."""
    tasks: list[list[tuple[Labels, int]]] = [[] for _ in range(_SHARES)]
    for number, rows in enumerate(cells):
        begin = int(np.searchsorted(rows, first)) // _BLOCK_ROWS * _BLOCK_ROWS
        if len(rows) > 1 and rows[-1] >= first:
            for block, start in enumerate(range(begin, len(rows), _BLOCK_ROWS * _BLOCKS_AT_ONCE)):
                tasks[(number + block) % _SHARES].append((rows, start))
    found = workers.map(lambda share: [_blocks(grid, rows, start, first, search, keep) for rows, start in share], tasks)
    return _Found.union([each for share in found for each in share])


def _blocks(grid: Grid, rows: Labels, start: int, first: int, search: Search, keep: int) -> _Found:
    """Return the candidates of a few blocks of rows against all of `rows` before each, `keep` of each in a block."""
    stop = min(start + _BLOCK_ROWS * _BLOCKS_AT_ONCE, len(rows))
    coarse = _coarse(grid[rows[:stop]])
    found = []
    for begin in range(start, stop, _BLOCK_ROWS):
        later = slice(begin, min(begin + _BLOCK_ROWS, stop))
        for other in range(0, begin + 1, _BLOCK_ROWS):
            earlier = slice(other, min(other + _BLOCK_ROWS, later.stop))
            product = coarse[later] @ coarse[earlier].T
            near = product >= search.least_product
            if other == begin:
                near &= _BELOW_DIAGONAL[: len(near), : near.shape[1]]
            if rows[begin] < first:
                near[: np.searchsorted(rows[later], first)] = False
            if np.count_nonzero(near) > keep:
                _thin_out(near, product, keep)
            left, right = np.divmod(np.flatnonzero(near), near.shape[1])
            found.append(_Found(rows[later][left], rows[earlier][right], product[left, right]))
    return _Found.union(found)


def _thin_out(near: NDArray[np.bool_], product: Floats, keep: int) -> None:
    """Leave of each row of `near` the `keep` largest products, and those that equal the least of them."""
    crowded = np.flatnonzero(np.count_nonzero(near, axis=1) > keep)
    if len(crowded):
        held = np.where(near[crowded], product[crowded], -np.inf)
        near[crowded] = held >= np.partition(held, -keep, axis=1)[:, -keep, None]


def _coarse(grid: Grid) -> Floats:
    return np.asarray(np.rint(grid * np.float32(_COARSE_STEPS / GRID_STEPS)), dtype=np.float32)
