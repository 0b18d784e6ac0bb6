"""Replaying corrections: anchors matched to faces, contradictions settled, and the linkage solved again around them.

Constrained clustering after Wagstaff et al. (2001, "Constrained k-means clustering with background knowledge"): pairs
that must be one, pairs that never are. Must-linked rows enter the linkage as one row with their mean vector and summed
weight, which leaves every mean distance of average linkage as it would be over their members.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.agglomeration import GRID_STEPS, Apart, Floats, Grid, Labels, Pairs
from footfall_assets.domain.linkage import apart_by_pairs, connected_components, first_appearance_labels
from footfall_assets.domain.tracklets import box_iou

# Detectors differ in how much forehead and chin a box takes in; the same face overlaps by more than this, its neighbour
# in the still by less.
ANCHOR_MIN_IOU: Final = 0.3
Link = Callable[[Floats, Floats, Pairs, Apart], Labels]  # vectors, weights, near, apart -> (n,) or (n, cuts) labels
NO_PAIRS: Final[Pairs] = np.empty((0, 2), dtype=np.int64)


def match_anchors(
    anchor_image: Labels, anchor_box: Floats, face_image: Labels, face_box: Floats, *, min_iou: float = ANCHOR_MIN_IOU
) -> Labels:
    """Return for each anchor the row of the face it overlaps most in its still, -1 where none overlaps by `min_iou`.

    Args:
        anchor_image: (a,) number of each anchor's still, in the same numbering as `face_image`.
        anchor_box: (a, 4) xyxy in pixels.
        face_image: (n,) number of each face's still.
        face_box: (n, 4) xyxy in pixels.
        min_iou: the least intersection over union.
    """
    found = np.full(len(anchor_image), -1, dtype=np.int64)
    for row, image in enumerate(anchor_image.tolist()):
        candidates = np.flatnonzero(face_image == image)
        if len(candidates):
            overlap = box_iou(anchor_box[row : row + 1], face_box[candidates])[0]
            best = int(overlap.argmax())
            if overlap[best] >= min_iou:
                found[row] = candidates[best]
    return found


@dataclass(frozen=True)
class Wish:
    """What one event asks of rows, as (m, 2) pairs.

    Attributes:
        within: rows of one side of a merge, which were one before; settled first.
        together: rows of two sides of a merge.
        apart: rows of the two sides of a split.
    """

    within: Pairs = field(default_factory=lambda: NO_PAIRS)
    together: Pairs = field(default_factory=lambda: NO_PAIRS)
    apart: Pairs = field(default_factory=lambda: NO_PAIRS)

    @classmethod
    def merge(cls, sides: Sequence[Sequence[int]]) -> "Wish":
        """Return the wish that all rows of all sides are one: every pair, so that a split parts only what it names."""
        each = [sorted(set(side)) for side in sides]
        within = sorted({pair for side in each for pair in combinations(side, 2)})
        whole = combinations(sorted({row for side in each for row in side}), 2)
        return cls(within=_pairs(within), together=_pairs(sorted(set(whole) - set(within))))

    @classmethod
    def split(cls, one: Sequence[int], other: Sequence[int]) -> "Wish":
        """Return the wish that no row of one side is a row of the other; a row on both sides is left alone."""
        both = set(one) & set(other)
        return cls(apart=_pairs(product(sorted(set(one) - both), sorted(set(other) - both))))


@dataclass(frozen=True)
class Settled:
    """What is left of the wishes when the contradictions are settled.

    Attributes:
        together: (m, 2) rows that are one.
        apart: (k, 2) rows that are not.
        held: for each wish, how many of its pairs between two sides hold.
        superseded: for each wish, how many of its pairs a later one overruled.
        impossible: for each wish, how many of its pairs the evidence overruled.
    """

    together: Pairs
    apart: Pairs
    held: tuple[int, ...] = ()
    superseded: tuple[int, ...] = ()
    impossible: tuple[int, ...] = ()


class _Groups:
    """Rows known to be one, and groups known to be two people: True where a wish says so, False where evidence does."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))
        self._enemies: list[dict[int, bool]] = [{} for _ in range(count)]

    def root(self, row: int) -> int:
        while self._parent[row] != row:
            self._parent[row] = self._parent[self._parent[row]]
            row = self._parent[row]
        return row

    def enmity(self, one: int, other: int) -> bool | None:
        return self._enemies[one].get(other)

    def part(self, one: int, other: int, *, wished: bool) -> None:
        for left, right in ((one, other), (other, one)):
            self._enemies[left][right] = self._enemies[left].get(right, True) and wished

    def join(self, one: int, other: int) -> None:
        keep, gone = min(one, other), max(one, other)
        self._parent[gone] = keep
        for enemy, wished in self._enemies[gone].items():
            del self._enemies[enemy][gone]
            self.part(keep, enemy, wished=wished)
        self._enemies[gone] = {}


def settle(count: int, wishes: Sequence[Wish], impossible: Pairs) -> Settled:
    """Return which pairs of the wishes (oldest first) hold: evidence first, then the newest wish, then those before it.

    A pair that contradicts what already holds is dropped and counted; the other pairs of its wish stay. Wishes without
    a contradiction commute: their order changes nothing.

    Args:
        count: number of rows.
        wishes: oldest first.
        impossible: (m, 2) rows that are certainly two people.
    """
    groups = _Groups(count)
    for one, other in impossible.tolist():
        groups.part(one, other, wished=False)
    together: list[tuple[int, int]] = []
    apart: list[tuple[int, int]] = []
    held, superseded, refused = ([0] * len(wishes) for _ in range(3))
    for number in range(len(wishes) - 1, -1, -1):
        wish = wishes[number]
        for place, (one, other) in enumerate([*wish.within.tolist(), *wish.together.tolist()]):
            left, right = groups.root(one), groups.root(other)
            enmity = groups.enmity(left, right)
            if enmity is None:
                together.append((one, other))
                held[number] += place >= len(wish.within)
                if left != right:
                    groups.join(left, right)
            elif enmity:
                superseded[number] += 1
            else:
                refused[number] += 1
        for one, other in wish.apart.tolist():
            left, right = groups.root(one), groups.root(other)
            if left == right:
                superseded[number] += 1
            else:
                apart.append((one, other))
                held[number] += 1
                groups.part(left, right, wished=True)
    return Settled(_pairs(together), _pairs(apart), tuple(held), tuple(superseded), tuple(refused))


def relink(
    labels: Labels, vectors: Floats | Grid, weights: Floats, near: Pairs, apart: Apart, settled: Settled, link: Link
) -> Labels:
    """Return `labels` with the components that a correction touches solved again under it; the others keep theirs.

    Args:
        labels: (n,) what `link` gave for all rows, or (n, cuts).
        vectors: (n, d) unit vectors, as float32 or on the grid of `agglomeration`.
        weights: (n,) above 0.
        near: (m, 2) pairs of rows within the linkage distance.
        apart: which of some rows are certainly two people.
        settled: what holds; its `together` contradicts neither its own `apart` nor `apart`.
        link: the linkage that `labels` came from; gets vectors that are no longer of unit length.
    """
    if not len(settled.together) and not len(settled.apart):
        return labels
    pairs = np.concatenate([near, settled.together])
    rows = _reached(len(vectors), np.concatenate([settled.together, settled.apart]).ravel(), pairs)
    position = np.full(len(vectors), -1, dtype=np.int64)
    position[rows] = np.arange(len(rows))
    group = connected_components(len(rows), position[settled.together])
    count = int(group.max()) + 1
    weight = np.bincount(group, weights=weights[rows], minlength=count)
    total = np.zeros((count, vectors.shape[1]), dtype=np.float64)
    unit_length = GRID_STEPS if vectors.dtype == np.int16 else 1
    np.add.at(total, group, vectors[rows].astype(np.float64) / unit_length * weights[rows][:, None])
    inside = position[near[(position[near] >= 0).all(axis=1)]]
    asunder = np.concatenate([apart(rows), position[settled.apart]])
    found = link(
        np.asarray(total / weight[:, None], dtype=np.float32),
        weight.astype(np.float32),
        _between(group, inside),
        apart_by_pairs(count, _between(group, asunder)),
    )
    corrected = labels.copy()
    corrected[rows] = found[group] + labels.max(initial=-1) + 1
    if corrected.ndim == 1:
        return first_appearance_labels(corrected)
    return np.stack([first_appearance_labels(each) for each in corrected.T], axis=1)


def cut_tracks(track: Labels, apart: Pairs) -> Labels:
    """Return tracklet labels in which no tracklet holds a forbidden pair: one that did falls into its faces."""
    broken = np.unique(track[apart[track[apart[:, 0]] == track[apart[:, 1]]][:, 0]])
    alone = np.isin(track, broken)
    labels = track.copy()
    labels[alone] = track.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return first_appearance_labels(labels)


def _between(group: Labels, pairs: Pairs) -> Pairs:
    """Return the distinct (m, 2) pairs of groups, smaller first, that pairs of rows join."""
    joined = np.sort(group[pairs], axis=1)
    return np.unique(joined[joined[:, 0] != joined[:, 1]], axis=0)


def _reached(count: int, seeds: NDArray[np.int64], pairs: Pairs) -> Labels:
    """Return the sorted rows that a chain of pairs leads to from the seeds."""
    inside = np.zeros(count, dtype=np.bool_)
    inside[seeds] = True
    reached = -1
    while int(inside.sum()) != reached:
        reached = int(inside.sum())
        inside[pairs[inside[pairs].any(axis=1)].ravel()] = True
    return np.flatnonzero(inside)


def _pairs(pairs: Iterable[tuple[int, ...]]) -> Pairs:
    return np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
