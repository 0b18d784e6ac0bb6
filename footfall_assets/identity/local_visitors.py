"""The `local_visitors` asset: each face of one location and day given to a visitor of that day, or a reason why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from footfall_assets.contracts.events import CorrectionEvent
from footfall_assets.contracts.ids import local_visitor_id
from footfall_assets.contracts.schemas import LOCAL_VISITORS, local_visitor_templates
from footfall_assets.contracts.settings import LinkageSettings, QualitySettings
from footfall_assets.domain.founding import FaceMeasures, FoundingRules, Probe, founding_reasons
from footfall_assets.domain.linkage import Floats, Labels
from footfall_assets.domain.local_visitors import (
    LinkageRules,
    LocalSolution,
    UnidentifiedReason,
    follow_boxes,
    solve,
)
from footfall_assets.domain.presence import stays
from footfall_assets.domain.tracklets import FaceEvidence
from footfall_assets.identity.corrections import faces_apart
from footfall_assets.identity.neighbours import near_pairs
from footfall_assets.storage.arrow import codes, list_column, matrix, microseconds, uuid_column, uuid_lists

_LENGTH_TOLERANCE = 1e-2
_DEFAULT_INTERVAL_S = 5.0  # where the registry has forgotten a camera


@dataclass(frozen=True)
class LocalVisitors:
    """One row per face, and one row per visitor."""

    assignments: pa.Table
    templates: pa.Table


@dataclass(frozen=True)
class DayFaces:
    """The faces of one location and day in canonical order (time, then id), their vectors beside them.

    Attributes:
        faces: n rows of `faces`, each face once.
        vector: (n, d) unit vectors; zero where a face has none.
        has_vector: (n,) whether it has a usable one.
    """

    faces: pa.Table
    vector: Floats
    has_vector: NDArray[np.bool_]


def day_faces(faces: pa.Table, embeddings: pa.Table) -> DayFaces:
    """Bring the faces and vectors of one location and day together; a face that came twice counts once.

    A vector that is not finite or not of unit length is none: its face is kept, and its reason says so.
    """
    ids = faces["face_image_id"].to_pylist()
    moments = faces["captured_at"].to_pylist()
    first = {face: row for row, face in reversed(list(enumerate(ids)))}
    order = sorted(first.values(), key=lambda row: (moments[row], ids[row]))
    vectors = matrix(embeddings["vector"])
    at = {face: row for row, face in enumerate(embeddings["face_image_id"].to_pylist())}
    rows = np.array([at.get(ids[row], -1) for row in order], dtype=np.int64)
    vector = np.zeros((len(order), vectors.shape[1]), dtype=np.float32)
    vector[rows >= 0] = vectors[rows[rows >= 0]]
    usable = (rows >= 0) & np.isfinite(vector).all(axis=1)
    vector[~usable] = 0
    usable &= np.abs(np.linalg.norm(vector, axis=1) - 1) < _LENGTH_TOLERANCE
    return DayFaces(faces.take(pa.array(order, pa.int64())), vector, usable)


def solve_day(
    day: DayFaces,
    *,
    location_id: str,
    business_day: date,
    interval_s: Mapping[str, float],
    quality: QualitySettings,
    linkage: LinkageSettings,
    splits: Sequence[CorrectionEvent] = (),
    probe: Probe | None = None,
) -> LocalVisitors:
    """Return who was there on one day at a location in mode `unique`.

    Args:
        day: its faces and vectors.
        location_id: where.
        business_day: when.
        interval_s: seconds between stills of each camera.
        quality: what a face must show to found an identity.
        linkage: when two faces are one visitor.
        splits: events that part faces of this location and day.
        probe: tells which vectors come from a recognisable face; None takes all for recognisable.
    """
    usable = np.flatnonzero(day.has_vector)
    faces = day.faces.take(pa.array(usable))
    reasons = gate_reasons(faces, quality, day.vector[usable], probe)
    solution = solve(
        _evidence(faces, interval_s, day.vector[usable]),
        np.maximum(faces["quality"].to_numpy(), 1e-3).astype(np.float32),
        np.array([reason is None for reason in reasons], dtype=np.bool_),
        _rules(linkage),
        lambda vectors, distance: near_pairs(vectors, distance, linkage),
        faces_apart(faces, splits),
    )
    names = _names(faces, solution.visitor, location_id, business_day)
    return LocalVisitors(
        assignments=_assignments(day, usable, solution, names, reasons),
        templates=_templates(
            faces,
            solution,
            names,
            location_id,
            business_day,
            dim=day.vector.shape[1],
            elsewhere_after_s=linkage.elsewhere_after_s,
        ),
    )


def follow_day(
    day: DayFaces, *, location_id: str, business_day: date, interval_s: Mapping[str, float], linkage: LinkageSettings
) -> LocalVisitors:
    """Return the tracks of a location in mode `count_only`: boxes followed from still to still, nothing recognised."""
    evidence = _evidence(day.faces, interval_s, np.empty((day.faces.num_rows, 0), np.float32))
    track = follow_boxes(evidence, _rules(linkage))
    names = _names(day.faces, track, location_id, business_day)
    assignments = _assignment_table(
        day.faces,
        [names[number] for number in track.tolist()],
        [None] * day.faces.num_rows,
        [str(UnidentifiedReason.COUNT_ONLY)] * day.faces.num_rows,
    )
    return LocalVisitors(assignments, local_visitor_templates(day.vector.shape[1]).empty_table())


def gate_reasons(
    faces: pa.Table, quality: QualitySettings, vectors: Floats | None = None, probe: Probe | None = None
) -> list[UnidentifiedReason | None]:
    """Return for each face why it may not found an identity, or None where it may.

    Args:
        faces: n rows of `faces`.
        quality: the gate.
        vectors: (n, d) unit vectors; needed where there is a probe.
        probe: tells from a vector whether its face is recognisable.
    """
    size_px, score, sharpness, yaw = (
        faces[name].to_numpy().astype(np.float32) for name in ("size_px", "score", "sharpness", "yaw")
    )
    seen = np.empty((faces.num_rows, 0), np.float32) if vectors is None else vectors
    rules = FoundingRules(
        quality.min_size_px, quality.min_score, quality.min_sharpness, quality.max_abs_yaw, probe=probe
    )
    return founding_reasons(FaceMeasures(size_px, score, sharpness, yaw, seen), rules)


def _rules(linkage: LinkageSettings) -> LinkageRules:
    return LinkageRules(
        local_max_distance=linkage.local_max_distance,
        join_max_distance=linkage.join_max_distance,
        tracklet_max_distance=linkage.tracklet_max_distance,
        tracklet_min_iou=linkage.tracklet_min_iou,
    )


def _evidence(faces: pa.Table, interval_s: Mapping[str, float], vector: Floats) -> FaceEvidence:
    cameras = faces["camera_id"].to_pylist()
    return FaceEvidence(
        image=codes(faces["image_id"].to_pylist()),
        camera=codes(cameras),
        time_us=microseconds(faces["captured_at"]),
        box=matrix(faces["box"]),
        interval_s=np.array([interval_s.get(camera, _DEFAULT_INTERVAL_S) for camera in cameras], dtype=np.float64),
        vector=vector,
    )


def _names(faces: pa.Table, visitor: Labels, location_id: str, day: date) -> dict[int, UUID]:
    """Return the id of each visitor, from the first of its faces in canonical order."""
    ids = faces["face_image_id"].to_pylist()
    founder: dict[int, UUID] = {}
    for row, number in enumerate(visitor.tolist()):
        founder.setdefault(number, ids[row])
    return {number: local_visitor_id(location_id, day, face) for number, face in founder.items() if number >= 0}


def _assignments(
    day: DayFaces,
    usable: NDArray[np.int64],
    solution: LocalSolution,
    names: Mapping[int, UUID],
    reasons: list[UnidentifiedReason | None],
) -> pa.Table:
    count = day.faces.num_rows
    who: list[UUID | None] = [None] * count
    score: list[float | None] = [None] * count
    why: list[str | None] = [str(UnidentifiedReason.INVALID_VECTOR)] * count
    for position, row in enumerate(usable.tolist()):
        number = int(solution.visitor[position])
        who[row] = names.get(number)
        score[row] = float(solution.score[position]) if number >= 0 else None
        why[row] = None if number >= 0 else str(reasons[position])
    return _assignment_table(day.faces, who, score, why)


def _assignment_table(
    faces: pa.Table, who: list[UUID | None], score: list[float | None], why: list[str | None]
) -> pa.Table:
    kept = faces.select(["face_image_id", "image_id", "camera_id", "location_id", "captured_at"])
    columns = [*kept.columns, uuid_column(who), pa.array(score, pa.float32()), pa.array(why, pa.string())]
    return pa.Table.from_arrays(columns, schema=LOCAL_VISITORS)


def _templates(
    faces: pa.Table,
    solution: LocalSolution,
    names: Mapping[int, UUID],
    location_id: str,
    day: date,
    *,
    dim: int,
    elsewhere_after_s: float,
) -> pa.Table:
    count = len(solution.template)
    times = microseconds(faces["captured_at"])
    present = [stays(times[solution.visitor == number], elsewhere_after_s) for number in range(count)]
    conflicts: list[list[UUID]] = [[] for _ in range(count)]
    for left, right in solution.conflicts.tolist():
        conflicts[left].append(names[right])
        conflicts[right].append(names[left])
    schema = local_visitor_templates(dim)
    table = pa.Table.from_arrays(
        [
            uuid_column([names[number] for number in range(count)]),
            pa.array([location_id] * count, pa.string()),
            pa.array([day] * count, pa.date32()),
            list_column(solution.template.reshape(count, dim), dim),
            pa.array([int((solution.visitor == number).sum()) for number in range(count)], pa.int32()),
            pa.array(solution.quality, pa.float32()),
            pa.array([starts.tolist() for starts, _ in present], schema.field("stay_starts").type),
            pa.array([ends.tolist() for _, ends in present], schema.field("stay_ends").type),
            uuid_lists([sorted(each) for each in conflicts]),
        ],
        schema=schema,
    )
    order = sorted(range(count), key=lambda number: names[number])
    return table.take(pa.array(order, pa.int64()))
