"""Tracklets: faces that follow each other from still to still of one camera, and pairs that cannot be one person."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.linkage import Floats, Labels, Pairs, connected_components


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
    corner_low = np.maximum(left[:, None, :2], right[None, :, :2])
    corner_high = np.minimum(left[:, None, 2:], right[None, :, 2:])
    shared = np.prod(np.clip(corner_high - corner_low, 0, None), axis=2)
    area_left = np.prod(left[:, 2:] - left[:, :2], axis=1)[:, None]
    area_right = np.prod(right[:, 2:] - right[:, :2], axis=1)[None, :]
    union = area_left + area_right - shared
    return np.asarray(shared / np.where(union > 0, union, 1), dtype=np.float32)


def must_links(faces: FaceEvidence, *, min_iou: float, max_distance: float) -> Pairs:
    """Return (m, 2) pairs of faces in consecutive stills of a camera that are one person.

    Consecutive: next to each other at the camera and at most twice its interval apart. Boxes overlap by `min_iou` and,
    where there are vectors, these lie within `max_distance` (cosine). One to one, best overlap first.
    """
    pairs: list[tuple[int, int]] = []
    for camera in np.unique(faces.camera):
        stills = _stills_of(faces, int(camera))
        for before, after in pairwise(stills):
            gap_s = (faces.time_us[after[0]] - faces.time_us[before[0]]) / 1e6
            if 0 < gap_s <= 2 * faces.interval_s[after[0]]:
                pairs += _match(faces, before, after, min_iou=min_iou, max_distance=max_distance)
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _stills_of(faces: FaceEvidence, camera: int) -> list[NDArray[np.int64]]:
    rows = np.flatnonzero(faces.camera == camera)
    rows = rows[np.lexsort((faces.image[rows], faces.time_us[rows]))]
    return np.split(rows, np.flatnonzero(np.diff(faces.image[rows])) + 1)


def _match(
    faces: FaceEvidence,
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    *,
    min_iou: float,
    max_distance: float,
) -> list[tuple[int, int]]:
    overlap = box_iou(faces.box[before], faces.box[after])
    if faces.vector.shape[1]:
        distance = 1.0 - faces.vector[before] @ faces.vector[after].T
        overlap = np.where(distance <= max_distance, overlap, 0)
    found = []
    while overlap.size and overlap.max() >= min_iou:
        row, column = np.unravel_index(int(overlap.argmax()), overlap.shape)
        found.append((int(before[row]), int(after[column])))
        overlap[row, :] = 0
        overlap[:, column] = 0
    return found


def tracklets(faces: FaceEvidence, *, min_iou: float, max_distance: float) -> Labels:
    """Return a tracklet label for each face."""
    return connected_components(len(faces), must_links(faces, min_iou=min_iou, max_distance=max_distance))


def cooccurring(image: Labels, group: Labels) -> Pairs:
    """Return the (m, 2) distinct pairs of groups with a face in the same image: two faces, two people."""
    pairs: set[tuple[int, int]] = set()
    order = np.argsort(image, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(image[order])) + 1):
        members = np.unique(group[rows])
        pairs.update((int(a), int(b)) for position, a in enumerate(members) for b in members[position + 1 :] if a >= 0)
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
