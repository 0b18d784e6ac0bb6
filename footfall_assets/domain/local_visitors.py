"""Who was in one location on one day: tracklets linked into local visitors, lesser faces joined to them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.corrections import NO_PAIRS, cut_tracks
from footfall_assets.domain.linkage import Floats, Labels, Pairs, apart_by_pairs, first_appearance_labels, link, unit
from footfall_assets.domain.tracklets import FaceEvidence, cooccurring, tracklets

NearPairs = Callable[[Floats, float], Pairs]


class UnidentifiedReason(StrEnum):
    """Why a sighting belongs to no visitor."""

    TOO_SMALL = "too_small"
    LOW_SCORE = "low_score"
    TOO_BLURRED = "too_blurred"
    EXTREME_POSE = "extreme_pose"
    UNRECOGNISABLE = "unrecognisable"
    INVALID_VECTOR = "invalid_vector"
    COUNT_ONLY = "count_only"


@dataclass(frozen=True)
class LinkageRules:
    """Cosine distances and overlaps; see LinkageSettings for their meaning."""

    local_max_distance: float
    join_max_distance: float
    tracklet_max_distance: float
    tracklet_min_iou: float


@dataclass(frozen=True)
class LocalSolution:
    """The visitors of one location and day.

    Attributes:
        visitor: (n,) visitor number of each face, -1 where it belongs to none.
        score: (n,) cosine of each face to its visitor's template, nan where it belongs to none.
        template: (v, d) unit vector of each visitor.
        quality: (v,) best quality among the faces that found it.
        conflicts: (m, 2) visitors that share a still: certainly different people.
    """

    visitor: Labels
    score: Floats
    template: Floats
    quality: Floats
    conflicts: Pairs


def weighted_templates(vectors: Floats, weights: Floats, group: Labels, groups: int) -> Floats:
    """Return (groups, d) unit vectors, the mean of each group's vectors (n, d) weighted by `weights` (n,)."""
    total = np.zeros((groups, vectors.shape[1]), dtype=np.float64)
    np.add.at(total, group, vectors.astype(np.float64) * weights[:, None])
    return unit(np.asarray(total, dtype=np.float32))


def follow_boxes(faces: FaceEvidence, rules: LinkageRules) -> Labels:
    """Return a tracklet number for each face from boxes alone: all that a location in mode `count_only` may know."""
    return tracklets(faces, min_iou=rules.tracklet_min_iou, max_distance=rules.tracklet_max_distance)


def solve(
    faces: FaceEvidence,
    quality: Floats,
    may_found: NDArray[np.bool_],
    rules: LinkageRules,
    near_pairs: NearPairs,
    apart: Pairs = NO_PAIRS,
) -> LocalSolution:
    """Return the visitors among the faces of one location and day.

    Tracklets with a face good enough to found an identity are linked by constrained average linkage; the other faces
    join their tracklet's visitor, or the nearest visitor within `join_max_distance` that is not in the same still.

    Args:
        faces: n faces in canonical order; every vector finite and of unit length.
        quality: (n,) weight of each face in a template, above 0.
        may_found: (n,) whether the face may found an identity.
        rules: the distances and overlaps to link by.
        near_pairs: all pairs of rows of a matrix of unit vectors within a cosine distance.
        apart: (m, 2) faces that people said are never one visitor.
    """
    track = tracklets(faces, min_iou=rules.tracklet_min_iou, max_distance=rules.tracklet_max_distance)
    track = cut_tracks(track, apart)
    visitor = _link_tracklets(faces, quality, may_found, track, rules, near_pairs, apart)
    count = int(visitor.max(initial=-1)) + 1
    founders = may_found & (visitor >= 0)
    template = weighted_templates(faces.vector[founders], quality[founders], visitor[founders], count)
    visitor = _join_lesser_faces(faces, visitor, template, rules, apart)
    best = np.zeros(count, dtype=np.float32)
    np.maximum.at(best, visitor[founders], quality[founders])
    return LocalSolution(
        visitor=visitor,
        score=_scores(faces.vector, visitor, template),
        template=template,
        quality=best,
        conflicts=_conflicts(faces, visitor),
    )


def _link_tracklets(
    faces: FaceEvidence,
    quality: Floats,
    may_found: NDArray[np.bool_],
    track: Labels,
    rules: LinkageRules,
    near_pairs: NearPairs,
    forbidden: Pairs,
) -> Labels:
    """Return the visitor of each face in a tracklet that may found one, -1 for the others."""
    founding = np.unique(track[may_found])
    visitor = np.full(len(faces), -1, dtype=np.int64)
    if len(founding) == 0:
        return visitor
    dense = np.full(int(track.max()) + 1, -1, dtype=np.int64)
    dense[founding] = np.arange(len(founding))
    home = dense[track[may_found]]
    template = weighted_templates(faces.vector[may_found], quality[may_found], home, len(founding))
    # A long, clear tracklet says more about a person than a glimpse.
    weights = np.bincount(home, weights=quality[may_found]).astype(np.float32)
    parted = dense[track[forbidden]]
    never = np.concatenate([cooccurring(faces.image, dense[track]), parted[(parted >= 0).all(axis=1)]])
    apart = apart_by_pairs(len(founding), never)
    near = near_pairs(template, rules.local_max_distance)
    label = link(template, weights, near, apart, rules.local_max_distance)
    inside = dense[track] >= 0
    visitor[inside] = first_appearance_labels(label[dense[track[inside]]])
    return visitor


def _join_lesser_faces(
    faces: FaceEvidence, visitor: Labels, template: Floats, rules: LinkageRules, forbidden: Pairs
) -> Labels:
    joined = visitor.copy()
    present: dict[int, set[int]] = {}
    for image, who in zip(faces.image.tolist(), visitor.tolist(), strict=True):
        present.setdefault(image, set()).add(who)
    for row in np.flatnonzero(visitor < 0) if len(template) else ():
        distance = 1.0 - template @ faces.vector[row]
        here = present[int(faces.image[row])]
        distance[[who for who in here if who >= 0]] = np.inf
        parted = joined[forbidden[(forbidden == row).any(axis=1)].ravel()]
        distance[parted[parted >= 0]] = np.inf
        nearest = int(distance.argmin())
        if distance[nearest] <= rules.join_max_distance:
            joined[row] = nearest
            here.add(nearest)
    return joined


def _scores(vectors: Floats, visitor: Labels, template: Floats) -> Floats:
    score = np.full(len(vectors), np.nan, dtype=np.float32)
    member = visitor >= 0
    score[member] = np.einsum("ij,ij->i", vectors[member], template[visitor[member]])
    return score


def _conflicts(faces: FaceEvidence, visitor: Labels) -> Pairs:
    member = visitor >= 0
    return cooccurring(faces.image[member], visitor[member])
