"""Why the sightings of a visitor are one person: its local visitors, what links them, what parts them from others."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from footfall_assets.contracts.events import CorrectionEvent
from footfall_assets.contracts.schemas import FACES, IDENTITIES, LOCAL_VISITORS, face_embeddings
from footfall_assets.domain.agglomeration import Doubles, Floats, Pairs
from footfall_assets.domain.corrections import cut_tracks
from footfall_assets.domain.linkage import cosine_distances
from footfall_assets.domain.tracklets import FaceEvidence, tracklets
from footfall_assets.identity.corrections import (
    AnchoredVisitors,
    Corrections,
    faces_apart,
    of_window,
    splits_at,
    window_corrections,
)
from footfall_assets.identity.local_visitors import day_faces
from footfall_assets.identity.refresh import known_places
from footfall_assets.identity.visitors import SeenFace, Visitor, VisitorDirectory, plain_ids, vectors_by_id
from footfall_assets.identity.window import impossible_pairs
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.arrow import codes, matrix, microseconds

NEAREST_SHOWN: Final = 5  # other visitors
_DEFAULT_INTERVAL_S: Final = 5.0  # where the registry has forgotten a camera


def explain(visitors: VisitorDirectory, visitor: Visitor, *, nearest: int = NEAREST_SHOWN) -> dict[str, Any]:
    """Return why the sightings of `visitor` are one person, as plain values that JSON can hold.

    Distances are cosine distances. A link is an edge of the shortest tree over the local visitors; average linkage
    joins by mean distances, so that a link may be longer than the threshold where the mean is not.

    Args:
        visitors: the newest map of a window.
        visitor: one of it.
        nearest: how many other visitors to compare with; 0 reads no other template.
    """
    platform, ids = visitors.platform, [member.local_visitor_id for member in visitor.members]
    events = of_window(platform.events.active(), visitors.window)
    anchored = AnchoredVisitors(platform)
    places = known_places(platform)
    own = visitors.templates(visitor.places)
    vectors = vectors_by_id(own, ids)
    corrections = window_corrections(
        events, visitors.day, anchored, lambda several: _impossible(visitors, places, several)
    )
    threshold = platform.settings.linkage.window_max_distance
    faces = visitors.faces(visitor)
    distances = cosine_distances(vectors).astype(np.float64)
    links = _links(ids, distances, corrections, threshold)
    others = _nearest(visitors, visitor, vectors, places, corrections, nearest) if nearest else []
    return {
        "visitor_id": visitor.visitor_id,
        "face_id": str(visitor.face_id),
        "linkage_window": visitors.window.label,
        "map_of": visitors.day.isoformat(),
        "excluded_reason": visitor.excluded_reason,
        "threshold": threshold,
        "mean_distance": _rounded(distances[np.triu_indices(len(ids), 1)].mean()) if len(ids) > 1 else None,
        "weakest_link": max(links, key=lambda link: float(link["distance"])) if links else None,
        "local_visitors": _members(visitors, visitor, own, faces),
        "links": links,
        "conflicts": _conflicts(visitors, visitor, own),
        "nearest": others,
        "events": _events(events, anchored, corrections, set(ids), visitors.day),
        "lineage": _lineage(visitors, visitor),
    }


def _impossible(visitors: VisitorDirectory, places: Sequence[Place], ids: Sequence[UUID]) -> Pairs:
    """Return the impossible pairs among local visitors of the window, from the places that the map puts them at."""
    wanted = pc.is_in(plain_ids(visitors.identities["local_visitor_id"]), pa.array([each.bytes for each in ids]))
    rows = visitors.identities.filter(wanted).select(["day", "location_id"]).to_pylist()
    there = {Place(row["day"], row["location_id"]) for row in rows} & set(places)
    return impossible_pairs(visitors.templates(sorted(there)), ids)


def _members(
    visitors: VisitorDirectory, visitor: Visitor, templates: pa.Table, faces: Sequence[SeenFace]
) -> list[dict[str, Any]]:
    measured = {
        row["local_visitor_id"]: row for row in templates.select(["local_visitor_id", "faces", "quality"]).to_pylist()
    }
    tracks = {place: _tracklets(visitors.platform, place) for place in visitor.places}
    found = []
    for member in visitor.members:
        own = [face for face in faces if face.local_visitor_id == member.local_visitor_id]
        row = measured[member.local_visitor_id]
        found.append(
            {
                "local_visitor_id": str(member.local_visitor_id),
                "day": member.place.day.isoformat(),
                "location_id": member.place.location_id,
                "faces": row["faces"],
                "tracklets": tracks[member.place].get(member.local_visitor_id, 0),
                "quality": _rounded(row["quality"]),
                "match_score": _rounded(member.match_score),
                "sightings": [_sighting(face) for face in own],
            }
        )
    return found


def _sighting(face: SeenFace) -> dict[str, Any]:
    return {
        "sighting_id": str(face.face_image_id),
        "camera_id": face.camera_id,
        "captured_at": face.captured_at.isoformat(),
        "quality": _rounded(face.quality),
        "match_score": None if face.match_score is None else _rounded(face.match_score),
    }


def _tracklets(platform: Platform, place: Place) -> dict[UUID, int]:
    """Return of how many tracklets each local visitor of a place is made."""
    store, dim = platform.partitions, platform.embedding_dim
    faces = store.read_table(platform.manifest("faces", place), "faces", FACES)
    vectors = store.read_table(platform.manifest("face_embeddings", place), "face_embeddings", face_embeddings(dim))
    rows = store.read_table(platform.manifest("local_visitors", place), "local_visitors", LOCAL_VISITORS)
    day = day_faces(faces, vectors)
    usable = np.flatnonzero(day.has_vector)
    seen = day.faces.take(pa.array(usable))
    linkage = platform.settings.linkage
    evidence = _evidence(seen, day.vector[usable], platform.intervals_s(place))
    track = tracklets(evidence, min_iou=linkage.tracklet_min_iou, max_distance=linkage.tracklet_max_distance)
    track = cut_tracks(track, faces_apart(seen, splits_at(platform.events.active(), place)))
    owner = dict(zip(rows["face_image_id"].to_pylist(), rows["local_visitor_id"].to_pylist(), strict=True))
    found: dict[UUID, set[int]] = {}
    for face, label in zip(seen["face_image_id"].to_pylist(), track.tolist(), strict=True):
        if owner.get(face):
            found.setdefault(owner[face], set()).add(label)
    return {visitor: len(labels) for visitor, labels in found.items()}


def _evidence(faces: pa.Table, vector: Floats, interval_s: Mapping[str, float]) -> FaceEvidence:
    cameras = faces["camera_id"].to_pylist()
    return FaceEvidence(
        image=codes(faces["image_id"].to_pylist()),
        camera=codes(cameras),
        time_us=microseconds(faces["captured_at"]),
        box=matrix(faces["box"]),
        interval_s=np.array([interval_s.get(each, _DEFAULT_INTERVAL_S) for each in cameras], dtype=np.float64),
        vector=vector,
    )


def _links(ids: Sequence[UUID], distances: Doubles, corrections: Corrections, threshold: float) -> list[dict[str, Any]]:
    """Return the edges of the shortest tree over the local visitors (Prim 1957), those of events first."""
    at = {each: row for row, each in enumerate(ids)}
    cost = distances.copy()
    for one, other in corrections.together:
        if one in at and other in at:
            cost[at[one], at[other]] = cost[at[other], at[one]] = -1.0
    outside = np.ones(len(ids), dtype=np.bool_)
    outside[:1] = False
    nearest, best = np.zeros(len(ids), dtype=np.int64), cost[0].copy()
    links = []
    for _ in range(len(ids) - 1):
        row = int(np.where(outside, best, np.inf).argmin())
        distance = distances[nearest[row], row]
        why = "merge event" if best[row] < 0 else "alike" if distance <= threshold else "alike on average"
        links.append(
            {"from": str(ids[nearest[row]]), "to": str(ids[row]), "distance": _rounded(distance), "because": why}
        )
        outside[row] = False
        closer = cost[row] < best
        nearest[closer], best = row, np.minimum(best, cost[row])
    return links


def _conflicts(visitors: VisitorDirectory, visitor: Visitor, templates: pa.Table) -> list[dict[str, Any]]:
    """Return the visitors who shared a still with this one: certainly other people."""
    own = {member.local_visitor_id for member in visitor.members}
    shared = {
        UUID(bytes=other)
        for row in templates.select(["local_visitor_id", "conflicts"]).to_pylist()
        if row["local_visitor_id"] in own
        for other in row["conflicts"]
    }
    names = sorted({visitors.visitor_id(face) for face in visitors.face_id_of(shared).values()})
    return [{"visitor_id": name, "because": "in one still"} for name in names]


def _nearest(
    visitors: VisitorDirectory,
    visitor: Visitor,
    vectors: Floats,
    places: Sequence[Place],
    corrections: Corrections,
    count: int,
) -> list[dict[str, Any]]:
    """Return the nearest other visitors by mean distance, each with the reason why it was not merged."""
    centre = vectors.mean(axis=0)
    total: dict[UUID, float] = {}
    size: dict[UUID, int] = {}
    for ids, near in _similarities(visitors, places, centre):
        identity = visitors.face_id_of(ids)
        for each, similarity in zip(ids, near.tolist(), strict=True):
            if each in identity:
                face = identity[each]
                total[face] = total.get(face, 0.0) + similarity
                size[face] = size.get(face, 0) + 1
    total.pop(visitor.face_id, None)
    ranked = sorted(total, key=lambda face: (-total[face] / size[face], face))[:count]
    return [
        {
            "visitor_id": visitors.visitor_id(face),
            "mean_distance": _rounded(1.0 - total[face] / size[face]),
            "because": _why_not(visitors, visitor, face, 1.0 - total[face] / size[face], corrections),
        }
        for face in ranked
    ]


def _similarities(
    visitors: VisitorDirectory, places: Sequence[Place], centre: Floats
) -> Iterator[tuple[list[UUID], Floats]]:
    window = visitors.window
    for place in places:
        if window.first_day <= place.day <= visitors.day:
            templates = visitors.templates([place])
            yield templates["local_visitor_id"].to_pylist(), matrix(templates["vector"]) @ centre


def _why_not(
    visitors: VisitorDirectory, visitor: Visitor, face_id: UUID, distance: float, corrections: Corrections
) -> str:
    other = visitors.visitor_of(face_id)
    own = {member.local_visitor_id for member in visitor.members}
    theirs = {member.local_visitor_id: member.place for member in other.members}
    if any({one, two} & own and {one, two} & theirs.keys() for one, two in corrections.apart):
        return "split event"
    ids = sorted(own | theirs.keys())
    templates = visitors.templates([*visitor.places, *theirs.values()])
    for one, two in impossible_pairs(templates, ids).tolist():
        if (ids[one] in own) != (ids[two] in own):
            where = {member.local_visitor_id: member.place for member in (*visitor.members, *other.members)}
            same = where[ids[one]].location_id == where[ids[two]].location_id
            return "in one still" if same else "at two locations at once"
    threshold = visitors.platform.settings.linkage.window_max_distance
    if distance > threshold:
        return f"mean distance above {threshold:g}"
    return "each had joined others first"


def _events(
    events: Sequence[CorrectionEvent],
    anchored: AnchoredVisitors,
    corrections: Corrections,
    ids: set[UUID],
    day: date,
) -> list[dict[str, Any]]:
    """Return the events with an anchor on one of these local visitors."""
    fates = {fate["sequence"]: fate for fate in corrections.fates}
    found = []
    for event in events:
        anchors = [anchor for side in event.sides for anchor in side if anchor.day <= day]
        if event.sequence in fates and ids & set(anchored.look_up(anchors).values()):
            told = {"author": event.author, "reason": event.reason, "created_at": event.created_at.isoformat()}
            found.append({**fates[event.sequence], **told})
    return found


def _lineage(visitors: VisitorDirectory, visitor: Visitor) -> list[dict[str, Any]]:
    """Return the days on which the visitor took over others, or was parted from one."""
    platform, window = visitors.platform, visitors.window
    wanted = pa.array([visitor.face_id.bytes], pa.binary(16))
    found = []
    for place in platform.partitions.places("identities", platform.versions.identities):
        if not window.first_day <= place.day <= visitors.day:
            continue
        rows = platform.partitions.read_table(platform.partitions.manifest(place), "identities", IDENTITIES)
        own = rows.filter(pc.is_in(plain_ids(rows["face_id"]), wanted)).slice(0, 1).to_pylist()
        for row in own:
            minted = row["minted_on"] == place.day
            merged = [visitors.visitor_id(UUID(bytes=each)) for each in row["merged_from"]]
            split = visitors.visitor_id(row["split_from"]) if row["split_from"] else None
            if minted or merged or split:
                found.append(
                    {"day": place.day.isoformat(), "minted": minted, "merged_from": merged, "split_from": split}
                )
    return found


def _rounded(value: "float | np.floating[Any]") -> float:
    return round(float(value), 4)
