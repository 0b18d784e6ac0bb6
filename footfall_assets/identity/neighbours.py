"""Which vectors lie near each other: exact for a few thousand, through a usearch index above."""

import numpy as np
from usearch.index import Index

from footfall_assets.contracts.settings import LinkageSettings
from footfall_assets.domain.linkage import Floats, Pairs

_FEWEST_INDEXED = 2  # usearch answers one query with another shape, and none with an error
_BLOCK_ROWS = 1024  # rows of the distance matrix held at a time


def near_pairs(vectors: Floats, max_distance: float, settings: LinkageSettings) -> Pairs:
    """Return the (m, 2) pairs of rows (left < right) of unit vectors (n, d) within a cosine distance, sorted.

    Below `exact_neighbours_below` rows every such pair is found. Above, usearch proposes `neighbours` candidates a row
    and their distances are computed again exactly, so a pair may be missing but none is wrong.
    """
    if len(vectors) < max(settings.exact_neighbours_below, _FEWEST_INDEXED):
        return _exact(vectors, max_distance)
    return _indexed(vectors, max_distance, settings.neighbours)


def _exact(vectors: Floats, max_distance: float) -> Pairs:
    found = []
    for start in range(0, len(vectors), _BLOCK_ROWS):
        similarity = vectors[start : start + _BLOCK_ROWS] @ vectors.T
        left, right = np.nonzero(1.0 - similarity <= max_distance)
        pairs = np.stack([left + start, right], axis=1)
        found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return np.concatenate(found) if found else np.empty((0, 2), np.int64)


def _indexed(vectors: Floats, max_distance: float, neighbours: int) -> Pairs:
    index = Index(ndim=vectors.shape[1], metric="cos", dtype="f32")
    # One thread in canonical order: two threads gave other neighbours for 1.7 % of queries.
    index.add(np.arange(len(vectors)), vectors, threads=1)
    matches = index.search(vectors, min(neighbours + 1, len(vectors)), threads=0)
    right = np.asarray(matches.keys, dtype=np.int64)
    valid = np.arange(right.shape[1])[None, :] < np.asarray(matches.counts)[:, None]
    left = np.broadcast_to(np.arange(len(vectors))[:, None], right.shape)
    pairs = np.stack([np.minimum(left, right)[valid], np.maximum(left, right)[valid]], axis=1)
    pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
    similarity = np.einsum("ij,ij->i", vectors[pairs[:, 0]], vectors[pairs[:, 1]])
    return np.asarray(pairs[1.0 - similarity <= max_distance], dtype=np.int64)
