"""What an audit can ask: every link that the solve made, and every identity that might be another one's person.

Inside an identity of n local visitors average linkage made n - 1 merges: the **links**. Each is asked by its closest
pair of local visitors. Between identities the **gaps** are the pairs of an identity and one of its nearest others, also
asked by their closest pair. Both carry the mean distance between the two sides, which is what
`window_max_distance` cuts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.agglomeration import Floats, Labels, Pairs

NEIGHBOURS: Final = 20  # identities around each that are gaps; see `audit_estimate` for those beyond
_BLOCK_ROWS: Final = 1024  # rows of the distance matrix held at a time
_MOST_CONFIRMED: Final = 3  # a third identity between the two of a gap: so many are asked about

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Questions:
    """Pairs of local visitors (rows of a matrix of templates) that could be asked about.

    Attributes:
        pair: (q, 2) rows of the closest local visitors of the two sides, the smaller first.
        linked: (q,) whether both are in one identity.
        distance: (q,) cosine distance of the pair.
        height: (q,) mean cosine distance between the two sides.
        nearer: (q,) how many identities are nearer to the side to which fewer are; 0 for links.
        farther: (q,) how many are nearer to the other side; 0 for links.
    """

    pair: Pairs
    linked: NDArray[np.bool_]
    distance: Numbers
    height: Numbers
    nearer: Labels
    farther: Labels

    def __len__(self) -> int:
        return len(self.pair)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Questions":
        """Return some of the questions."""
        return Questions(
            self.pair[rows],
            self.linked[rows],
            self.distance[rows],
            self.height[rows],
            self.nearer[rows],
            self.farther[rows],
        )


def concatenated(several: Sequence[Questions]) -> Questions:
    """Return the questions of all, in order."""
    return Questions(
        np.concatenate([each.pair for each in several]),
        np.concatenate([each.linked for each in several]),
        np.concatenate([each.distance for each in several]),
        np.concatenate([each.height for each in several]),
        np.concatenate([each.nearer for each in several]),
        np.concatenate([each.farther for each in several]),
    )


def merges_of(distances: Numbers) -> tuple[Pairs, Numbers]:
    """Return the n - 1 merges of average linkage over n items, as closest pairs (n - 1, 2) and heights (n - 1,).

    The pairs are the edges of a spanning tree. Time n^3, for the local visitors of one identity.

    Args:
        distances: (n, n) symmetric distances.
    """
    mean = distances.astype(np.float64)
    np.fill_diagonal(mean, np.inf)
    closest, size = mean.copy(), np.ones(len(mean))
    ends = np.stack(np.meshgrid(range(len(mean)), range(len(mean)), indexing="ij"), axis=-1)
    pairs, heights = [], []
    for _ in range(len(mean) - 1):
        keep, gone = sorted(np.unravel_index(int(mean.argmin()), mean.shape))
        pairs.append(np.sort(ends[keep, gone]))
        heights.append(float(mean[keep, gone]))
        merged = (size[keep] * mean[keep] + size[gone] * mean[gone]) / (size[keep] + size[gone])
        mean[keep], mean[:, keep] = merged, merged
        nearer = closest[gone] < closest[keep]
        closest[keep] = np.where(nearer, closest[gone], closest[keep])
        ends[keep] = np.where(nearer[:, None], ends[gone], ends[keep])
        closest[:, keep], ends[:, keep] = closest[keep], ends[keep]
        mean[gone], mean[:, gone], mean[keep, keep] = np.inf, np.inf, np.inf
        size[keep] += size[gone]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2), np.array(heights)


def links(vectors: Floats, members: Sequence[Labels]) -> Questions:
    """Return the links inside identities, whose rows of unit vectors (n, d) are `members`."""
    found = [_links_of(vectors, rows) for rows in members if len(rows) > 1]
    return concatenated(found) if found else _questions(np.empty((0, 2), np.int64), np.empty(0), vectors, linked=True)


def _links_of(vectors: Floats, rows: Labels) -> Questions:
    pairs, heights = merges_of(1.0 - vectors[rows].astype(np.float64) @ vectors[rows].T.astype(np.float64))
    return _questions(rows[pairs], heights, vectors, linked=True)


def _questions(pair: Pairs, height: Numbers, vectors: Floats, *, linked: bool) -> Questions:
    none = np.zeros(len(pair), np.int64)
    distance = 1.0 - np.einsum("ij,ij->i", vectors[pair[:, 0]], vectors[pair[:, 1]]).astype(np.float64)
    return Questions(np.sort(pair, axis=1), np.full(len(pair), linked), distance, height, none, none.copy())


class Identities:
    """The identities of a period and how far they are apart: mean cosine distance between their local visitors."""

    def __init__(self, vectors: Floats, members: Sequence[Labels]) -> None:
        self.vectors = vectors
        self.members = members
        # The mean of all cosines between two groups is the product of their means.
        self._mean = np.array([vectors[rows].astype(np.float64).mean(axis=0) for rows in members])

    def __len__(self) -> int:
        return len(self.members)

    def distances(self, rows: Labels) -> Numbers:
        """Return (r, m) mean distances of some identities to all m; infinite to themselves."""
        found = 1.0 - self._mean[rows] @ self._mean.T
        found[np.arange(len(rows)), rows] = np.inf
        return np.asarray(found, dtype=np.float64)

    def closest_pair(self, one: int, other: int) -> Pairs:
        """Return the rows (2,) of the two local visitors by which two identities are nearest, smaller first."""
        left, right = self.members[one], self.members[other]
        cosines = self.vectors[left] @ self.vectors[right].T
        at = np.unravel_index(int(cosines.argmax()), cosines.shape)
        return np.sort(np.array([left[at[0]], right[at[1]]], dtype=np.int64))

    def neighbour_pairs(self, neighbours: int = NEIGHBOURS) -> tuple[Pairs, Numbers, Pairs]:
        """Return (g, 2) pairs of an identity and one of its nearest, their distance (g,), and both ranks (g, 2)."""
        count = min(neighbours, len(self) - 1)
        if count < 1:
            return np.empty((0, 2), np.int64), np.empty(0), np.empty((0, 2), np.int64)
        blocks = np.array_split(np.arange(len(self)), -(-len(self) // _BLOCK_ROWS))
        near = [np.argsort(self.distances(rows), axis=1, kind="stable")[:, :count] for rows in blocks]
        right = np.concatenate(near)
        left = np.repeat(np.arange(len(self)), count)
        pairs = np.unique(np.sort(np.stack([left, right.ravel()], axis=1), axis=1), axis=0)
        height = 1.0 - np.einsum("ij,ij->i", self._mean[pairs[:, 0]], self._mean[pairs[:, 1]])
        ranks = np.stack([self._ranks(pairs[:, 0], height, blocks), self._ranks(pairs[:, 1], height, blocks)], axis=1)
        return pairs, height, ranks

    def _ranks(self, identity: Labels, height: Numbers, blocks: Sequence[Labels]) -> Labels:
        """Return how many identities are nearer to each of `identity` than `height`."""
        ranks = np.zeros(len(identity), dtype=np.int64)
        order = np.argsort(identity, kind="stable")
        for rows in blocks:
            nearest = np.sort(self.distances(rows), axis=1)
            first, last = np.searchsorted(identity[order], [rows[0], rows[-1] + 1])
            for question in order[first:last]:
                # Rounding must not count the pair itself as nearer.
                limit = height[question] - 1e-9
                ranks[question] = np.searchsorted(nearest[identity[question] - rows[0]], limit)
        return ranks

    def between(self, one: int, other: int) -> list[int]:
        """Return the identities that are nearer to both of two than these are to each other, the nearest first."""
        distance = self.distances(np.array([one, other]))
        reach = distance.max(axis=0)
        reach[[one, other]] = np.inf
        inside = np.flatnonzero(reach < distance[0, other] - 1e-9)
        return [int(each) for each in inside[np.argsort(reach[inside], kind="stable")][:_MOST_CONFIRMED]]


def gaps(identities: Identities, impossible: Callable[[int, int], bool]) -> Questions:
    """Return the gaps between identities, less those of which `impossible` says that they are two people for sure."""
    pairs, height, ranks = identities.neighbour_pairs()
    kept = np.array([not impossible(int(one), int(other)) for one, other in pairs], dtype=np.bool_)
    pairs, height, ranks = pairs[kept], height[kept], ranks[kept]
    closest = [identities.closest_pair(int(one), int(other)) for one, other in pairs]
    found = _questions(np.array(closest, np.int64).reshape(-1, 2), height, identities.vectors, linked=False)
    return Questions(found.pair, found.linked, found.distance, height, ranks.min(axis=1), ranks.max(axis=1))
