"""One drawn store, solved as the platform would solve it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.calibration.labelled_people import LabelledStills
from footfall_assets.calibration.stores import StoreVisits
from footfall_assets.contracts.settings import LinkageSettings, QualitySettings
from footfall_assets.domain.agglomeration import on_grid
from footfall_assets.domain.founding import FaceMeasures, FoundingRules, Probe, may_found
from footfall_assets.domain.linkage import Floats, Labels, Pairs, apart_by_pairs, link_at_cuts
from footfall_assets.domain.local_visitors import LinkageRules, solve
from footfall_assets.identity.gallery import Search, gallery_pairs
from footfall_assets.identity.neighbours import near_pairs

_LEAST_WEIGHT: Final = 1e-3  # of a face in a template; as in `local_visitors`
_DAYS_APART: Final = 1000  # more than a store has days: place x this + day numbers a place and day


@dataclass(frozen=True)
class SolvedStore:
    """The local visitors of a store, m in all, and who they are at each cut of the window's merge tree.

    Attributes:
        local: (n,) local visitor of each face of the store, -1 where it belongs to none.
        founded: (n,) whether the face may found an identity.
        template: (m, d) unit vectors.
        conflicts: (k, 2) local visitors that share a still.
        location, day: (m,) where and when.
        camera: (m,) camera of its first face.
        labels: (m, c) cluster at each cut.
    """

    local: Labels
    founded: NDArray[np.bool_]
    template: Floats
    conflicts: Pairs
    location: Labels
    day: Labels
    camera: Labels
    labels: Labels


def founding_rules(quality: QualitySettings, probe: Probe | None) -> FoundingRules:
    """Return the rules that the settings and a probe make."""
    return FoundingRules(
        quality.min_size_px, quality.min_score, quality.min_sharpness, quality.max_abs_yaw, probe=probe
    )


def founders(stills: LabelledStills, rules: FoundingRules) -> NDArray[np.bool_]:
    """Return which stills show a face that may found an identity."""
    measures = FaceMeasures(stills.size_px, stills.score, stills.sharpness, stills.yaw, stills.vector)
    return may_found(measures, rules)


def solve_store(
    stills: LabelledStills,
    visits: StoreVisits,
    founding: NDArray[np.bool_],
    linkage: LinkageSettings,
    cuts: Sequence[float],
) -> SolvedStore:
    """Return the store's local visitors and their clusters at the rising `cuts`.

    Args:
        stills: all labelled stills.
        visits: the store.
        founding: (stills,) which of them may found an identity.
        linkage: when faces of one day are one local visitor.
        cuts: cosine distances for the window.
    """
    place = (visits.location * _DAYS_APART + visits.day)[visits.visit]
    local = np.full(len(visits.still), -1, dtype=np.int64)
    templates, conflicts, rows_of_place = [], [], []
    count = 0
    for number in np.unique(place):
        rows = np.flatnonzero(place == number)
        solution = solve(
            visits.evidence(rows, stills.vector),
            np.maximum(stills.quality[visits.still[rows]], _LEAST_WEIGHT).astype(np.float32),
            founding[visits.still[rows]],
            _rules(linkage),
            lambda vectors, distance: near_pairs(vectors, distance, linkage),
        )
        member = solution.visitor >= 0
        local[rows[member]] = solution.visitor[member] + count
        templates.append(solution.template)
        conflicts.append(solution.conflicts + count)
        rows_of_place.append(np.full(len(solution.template), number))
        count += len(solution.template)
    template = np.concatenate(templates)
    together = np.concatenate(conflicts).reshape(-1, 2)
    at = np.concatenate(rows_of_place)
    first = np.unique(local, return_index=True)
    camera = visits.camera[first[1][first[0] >= 0]]
    return SolvedStore(
        local=local,
        founded=founding[visits.still],
        template=template,
        conflicts=together,
        location=at // _DAYS_APART,
        day=at % _DAYS_APART,
        camera=camera,
        labels=window_labels(template, together, cuts),
    )


def window_labels(template: Floats, conflicts: Pairs, cuts: Sequence[float]) -> Labels:
    """Return the (m, c) clusters of local visitors at the rising cuts."""
    grid = on_grid(template)
    near = gallery_pairs(grid, Search(cuts[-1], len(template) + 1, max(len(template), 1)))
    alike = np.ones(len(template), np.float32)
    return link_at_cuts(grid, alike, near, apart_by_pairs(len(template), conflicts), cuts)


def _rules(linkage: LinkageSettings) -> LinkageRules:
    return LinkageRules(
        local_max_distance=linkage.local_max_distance,
        join_max_distance=linkage.join_max_distance,
        tracklet_max_distance=linkage.tracklet_max_distance,
        tracklet_min_iou=linkage.tracklet_min_iou,
    )
