"""Tracklets: faces that follow each other from still to still of one camera, and pairs that cannot be one person."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.agglomeration import Floats, Labels, Pairs
from footfall_assets.domain.linkage import connected_components
from footfall_assets.domain.row_groups import all_members


@dataclass(frozen=True)
class FaceEvidence:
    """What is known of n faces of one location and day, in canonical order.

    Attributes:
        image: (n,) number of the still each face is in.
        camera: (n,) number of its camera.
        time_us: (n,) microseconds since the epoch.
        box: (n, 4) xyxy in pixels.
        interval_s: (n,) seconds between stills of its camera.
        vector: (n, d) unit vectors, or (n, 0) where nothing but boxes is allowed.
    """

    image: Labels
    camera: Labels
    time_us: NDArray[np.int64]
    box: Floats
    interval_s: NDArray[np.float64]
    vector: Floats

    def __len__(self) -> int:
        return len(self.image)


def box_iou(left: Floats, right: Floats) -> Floats:
    """Return the (n, m) intersection over union of xyxy boxes (n, 4) and (m, 4)."""
    rows, columns = (each.ravel() for each in np.mgrid[: len(left), : len(right)])
    return paired_iou(left[rows], right[columns]).reshape(len(left), len(right))


def paired_iou(left: Floats, right: Floats) -> Floats:
    """Return the (n,) intersection over union of xyxy boxes (n, 4) and (n, 4), pair by pair."""
    sides = np.clip(np.minimum(left[:, 2:], right[:, 2:]) - np.maximum(left[:, :2], right[:, :2]), 0, None)
    area_left, area_right = ((box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]) for box in (left, right))
    shared = sides[:, 0] * sides[:, 1]
    union = area_left + area_right - shared
    return np.asarray(shared / np.where(union > 0, union, 1), dtype=np.float32)


def must_links(faces: FaceEvidence, *, min_iou: float, max_distance: float) -> Pairs:
    """Return (m, 2) pairs of faces in consecutive stills of a camera that are one person.

    Consecutive: next to each other at the camera and at most twice its interval apart. Boxes overlap by `min_iou` and,
    where there are vectors, these lie within `max_distance` (cosine). One to one, best overlap first.
    """
    before, after = _candidates(faces)
    overlap = paired_iou(faces.box[before], faces.box[after])
    fits = overlap >= min_iou
    if faces.vector.shape[1]:
        cosine = np.einsum("ij,ij->i", faces.vector[before], faces.vector[after], dtype=np.float64)
        fits &= 1.0 - cosine <= max_distance
    return _one_to_one(before[fits], after[fits], overlap[fits], len(faces))


def _candidates(faces: FaceEvidence) -> tuple[Labels, Labels]:
    """Return every face of a still with every face of the camera's next still, where that follows soon enough."""
    order = np.lexsort((faces.image, faces.time_us, faces.camera))
    image, camera = faces.image[order], faces.camera[order]
    first = np.flatnonzero((np.diff(image, prepend=-1) != 0) | (np.diff(camera, prepend=-1) != 0))
    size = np.diff(np.append(first, len(order)))
    gap_s = np.diff(faces.time_us[order[first]]) / 1e6
    soon = (gap_s > 0) & (gap_s <= 2 * faces.interval_s[order[first[1:]]]) & (np.diff(camera[first]) == 0)
    still = np.flatnonzero(soon)
    _, one, other = all_members(size, first, still, still + 1)
    return order[one], order[other]


def _one_to_one(before: Labels, after: Labels, overlap: Floats, count: int) -> Pairs:
    """Return the pairs that are left when the best overlap of all takes its two faces, then the best of the rest.

    Ties go to the smaller rows. A pair that is better than every other of its two faces is taken in any case, so all
    such pairs are taken at once, round by round.
    """
    right = np.lexsort((after, before, -overlap))
    before, after = before[right], after[right]
    found = [np.empty((0, 2), dtype=np.int64)]
    while len(before):
        place = np.arange(len(before))
        best_before, best_after = np.full(count, count**2), np.full(count, count**2)
        np.minimum.at(best_before, before, place)
        np.minimum.at(best_after, after, place)
        best = (best_before[before] == place) & (best_after[after] == place)
        found.append(np.stack([before[best], after[best]], axis=1))
        left = ~np.isin(before, before[best]) & ~np.isin(after, after[best])
        before, after = before[left], after[left]
    return np.concatenate(found)


def tracklets(faces: FaceEvidence, *, min_iou: float, max_distance: float) -> Labels:
    """Return a tracklet label for each face."""
    return connected_components(len(faces), must_links(faces, min_iou=min_iou, max_distance=max_distance))


def cooccurring(image: Labels, group: Labels) -> Pairs:
    """Return the (m, 2) distinct pairs of groups with a face in the same image: two faces, two people."""
    known = group >= 0
    groups = int(group.max(initial=-1)) + 1
    number, seen = np.divmod(np.unique(image[known] * groups + group[known]), max(groups, 1))
    first = np.flatnonzero(np.diff(number, prepend=-1))
    size = np.diff(np.append(first, len(number)))
    still = np.flatnonzero(size > 1)
    _, one, other = all_members(size, first, still, still)
    ahead = one < other
    key = np.unique(seen[one[ahead]] * groups + seen[other[ahead]])
    return np.stack(np.divmod(key, max(groups, 1)), axis=1)
