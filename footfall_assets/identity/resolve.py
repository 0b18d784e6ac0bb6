"""The `identities` asset: all local visitors of the linkage window so far, linked together, with names that stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from footfall_assets.contracts.ids import minted_face_id
from footfall_assets.contracts.schemas import CUTS, IDENTITIES
from footfall_assets.contracts.settings import LinkageSettings
from footfall_assets.domain.agglomeration import Grid, Labels, MergeTree, merge_tree
from footfall_assets.domain.calendar import linkage_window
from footfall_assets.domain.cells import alike_identities, link_in_cells
from footfall_assets.domain.corrections import relink
from footfall_assets.domain.id_words import Words, id_order, numbered, rows_of
from footfall_assets.domain.linkage import Floats
from footfall_assets.domain.naming import Naming, carry_over
from footfall_assets.identity.corrections import NO_CORRECTIONS, Corrections
from footfall_assets.identity.window import WindowVisitors, impossible_pairs, ranks
from footfall_assets.storage.arrow import uuid_words, words_column, words_lists

__all__ = ["NO_NAMES", "Names", "Solution", "impossible_pairs", "match_scores", "resolve", "solve"]

_EPOCH: Final = date(1970, 1, 1)
_BLOCK_ROWS: Final = 65_536  # rows whose vectors are held as float64 at a time: 64 MB at 128 dimensions


@dataclass(frozen=True)
class Names:
    """What local visitors are called.

    Attributes:
        local: (n, 2) ids of the local visitors.
        face: (n, 2) the name of each.
        minted_on: (n,) days since the epoch.
    """

    local: Words
    face: Words
    minted_on: NDArray[np.int32]

    @classmethod
    def of(cls, identities: pa.Table) -> "Names":
        """Return the names in rows of `identities`."""
        minted_on = identities["minted_on"].cast(pa.int32()).to_numpy()
        return cls(uuid_words(identities["local_visitor_id"]), uuid_words(identities["face_id"]), minted_on)


NO_NAMES: Final = Names.of(IDENTITIES.empty_table())


@dataclass(frozen=True)
class Solution:
    """The identities of all local visitors up to a day.

    Attributes:
        names: of the visitors, in canonical order.
        identity: (n,) number of each visitor's identity.
        naming: where the names come from; its own names are numbers of `before`.
        before: (m, 2) the names of the day before, sorted.
        at_cuts: (n, c) cluster of each visitor at each cut.
        tree: of the identities before any correction.
    """

    names: Names
    identity: Labels
    naming: Naming
    before: Words
    at_cuts: NDArray[np.int32]
    tree: MergeTree

    def table(self, visitors: WindowVisitors) -> pa.Table:
        """Return the rows of `identities`, sorted by local visitor."""
        order = id_order(visitors.local)
        identity = self.identity[order]
        split_from = self.naming.split_from[identity]
        columns = [
            words_column(visitors.local[order]),
            words_column(self.names.face[order]),
            visitors.rows["location_id"].take(pa.array(order)),
            visitors.rows["day"].take(pa.array(order)),
            pa.array(match_scores(visitors.grid, self.identity)[order], pa.float32()),
            pa.array(self.names.minted_on[order], pa.int32()).cast(pa.date32()),
            self._merged_from(identity),
            words_column(self._before(split_from), valid=split_from >= 0),
            pa.nulls(len(order), pa.string()),
        ]
        return pa.Table.from_arrays(columns, schema=IDENTITIES)

    def cuts(self, visitors: WindowVisitors) -> pa.Table:
        """Return the rows of `cuts`, sorted by local visitor; none where nothing was cut."""
        if not self.at_cuts.shape[1]:
            return CUTS.empty_table()
        order = id_order(visitors.local)
        labels = [pa.array(self.at_cuts[order, cut]) for cut in range(self.at_cuts.shape[1])]
        return pa.Table.from_arrays([words_column(visitors.local[order]), *labels], schema=CUTS)

    def _merged_from(self, identity: Labels) -> pa.Array:
        owner, name = self.naming.merged.T
        sizes = np.bincount(owner, minlength=len(self.naming.name))
        first, each = (np.cumsum(sizes) - sizes)[identity], sizes[identity]
        place = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
        return words_lists(self._before(name[np.repeat(first, each) + place]), each)

    def _before(self, number: Labels) -> Words:
        """Return the names of those numbers; anything for -1."""
        return self.before[number] if len(self.before) else np.zeros((len(number), 2), np.uint64)


def resolve(
    templates: pa.Table,
    previous: pa.Table,
    day: date,
    linkage: LinkageSettings,
    corrections: Corrections = NO_CORRECTIONS,
) -> pa.Table:
    """Return the identity of every local visitor from the start of the window to `day`, sorted by local visitor.

    The grouping is a function of `templates` and `corrections` alone, whatever the order of the templates; `previous`
    only supplies the names.

    Args:
        templates: rows of the templates table of `local_visitors`, all days and locations of the window up to `day`.
        previous: `identities` of the day before in the same window; empty on its first day.
        day: the newest day.
        linkage: when two local visitors are one person.
        corrections: what people said about it; never contradicts `impossible_pairs`.
    """
    visitors = WindowVisitors.of([templates], linkage)
    return solve(visitors, Names.of(previous), day, linkage, corrections).table(visitors)


def solve(
    visitors: WindowVisitors,
    previous: Names,
    day: date,
    linkage: LinkageSettings,
    corrections: Corrections = NO_CORRECTIONS,
    cuts: Sequence[float] = (),
    tree: MergeTree | None = None,
) -> Solution:
    """Return the identities of `visitors`, those of the window up to `day`, and their clusters at the rising `cuts`.

    Corrections hold at every cut: rows that are one share all their clusters, rows that are not share none. The `tree`
    of a solution of a day before spares the merging of all whom nobody joined since. Other arguments as `resolve`.
    """
    linked, at_cuts, tree = _linked(visitors, linkage, corrections, cuts, tree)
    identity = _numbered_by_smallest_id(linked, ranks(visitors.local))
    before, number = numbered(previous.face)
    row = rows_of(visitors.local, previous.local)
    known = row >= 0
    bore = np.full(len(row), -1, dtype=np.int64)
    bore[known] = number[row[known]]
    naming = carry_over(identity, bore)
    face, minted_on = _called(visitors, identity, naming, before, day)
    kept_since = np.zeros(len(before), dtype=np.int32)
    kept_since[number] = previous.minted_on
    kept = naming.name >= 0
    minted_on[kept] = kept_since[naming.name[kept]]
    return Solution(Names(visitors.local, face[identity], minted_on[identity]), identity, naming, before, at_cuts, tree)


def _linked(
    visitors: WindowVisitors,
    linkage: LinkageSettings,
    corrections: Corrections,
    cuts: Sequence[float],
    before: MergeTree | None,
) -> tuple[Labels, NDArray[np.int32], MergeTree]:
    """Return the (n,) identities, the (n, c) clusters at the cuts, and the merge tree of the identities."""
    cut, alike = linkage.window_max_distance, np.ones(len(visitors.grid), np.float32)
    distances = sorted({cut, *cuts})
    tree = merge_tree(visitors.grid, alike, visitors.near, visitors.apart, cut, before)
    link = partial(link_in_cells, cuts=distances, identity_cut=cut)
    labels = link(visitors.grid, alike, visitors.near, visitors.apart, tree=tree)
    if corrections.together or corrections.apart:
        loose = alike_identities(visitors.grid, alike, tree.labels(cut), distances[-1]) if cuts else ()
        near = np.concatenate([visitors.near, *loose])
        labels = relink(labels, visitors.grid, alike, near, visitors.apart, corrections.settled(visitors.local), link)
    at_cuts = np.empty((len(labels), len(cuts)), np.int32)  # half the memory: 12 million rows x 11 cuts
    for number, each in enumerate(cuts):
        at_cuts[:, number] = labels[:, distances.index(each)]
    return labels[:, distances.index(cut)].copy(), at_cuts, tree


def _numbered_by_smallest_id(labels: Labels, rank: Labels) -> Labels:
    """Return the same grouping with its groups in the order of their smallest ids."""
    smallest = np.full(int(labels.max(initial=-1)) + 1, len(labels), dtype=np.int64)
    np.minimum.at(smallest, labels, rank)
    number = np.empty(len(smallest), dtype=np.int64)
    number[np.argsort(smallest)] = np.arange(len(smallest))
    return np.asarray(number[labels], dtype=np.int64)


def _called(
    visitors: WindowVisitors, identity: Labels, naming: Naming, before: Words, day: date
) -> tuple[Words, NDArray[np.int32]]:
    """Return the name of each identity and, where that is new, the day that minted it."""
    order = id_order(visitors.local)
    founder = order[np.unique(identity[order], return_index=True)[1]]
    face = np.zeros((len(naming.name), 2), dtype=np.uint64)
    kept = naming.name >= 0
    face[kept] = before[naming.name[kept]]
    window = linkage_window(day).label
    local = np.ascontiguousarray(visitors.local[founder[~kept]]).astype(">u8")
    minted = [minted_face_id(window, day, UUID(bytes=each.tobytes())).bytes for each in local]
    face[~kept] = np.frombuffer(b"".join(minted), dtype=">u8").reshape(-1, 2)
    return face, np.full(len(face), (day - _EPOCH).days, dtype=np.int32)


def match_scores(grid: Grid, identity: Labels) -> Floats:
    """Return the (n,) cosine of each row of unit vectors on the grid to the mean of its identity's rows."""
    score = np.empty(len(grid), dtype=np.float32)
    order = np.argsort(identity, kind="stable")
    starts = np.flatnonzero(np.diff(identity[order], prepend=-1))
    begin = 0
    while begin < len(starts):
        stop = max(begin + 1, int(np.searchsorted(starts, starts[begin] + _BLOCK_ROWS)))
        end = starts[stop] if stop < len(starts) else len(order)
        rows = order[starts[begin] : end]
        vectors = grid[rows].astype(np.float64)
        total = np.add.reduceat(vectors, starts[begin:stop] - starts[begin], axis=0)
        centre = total[np.repeat(np.arange(stop - begin), np.diff(np.append(starts[begin:stop], end)))]
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(centre, axis=1)
        score[rows] = np.einsum("ij,ij->i", vectors, centre) / lengths
        begin = stop
    return score
