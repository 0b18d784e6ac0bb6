"""One visitor of a window as an analyst names it: from the public Visitor ID to its local visitors and faces."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from footfall_assets.contracts.errors import NoData, UserMistake
from footfall_assets.contracts.schemas import (
    FACES,
    IDENTITIES,
    LOCAL_VISITORS,
    VISITOR_NUMBERS,
    local_visitor_templates,
)
from footfall_assets.domain.agglomeration import Floats
from footfall_assets.domain.calendar import LinkageWindow
from footfall_assets.domain.visitor_number import is_visitor_id
from footfall_assets.identity.visitor_numbers import ledger_place, newest_identities
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.arrow import matrix
from footfall_assets.storage.partitions import PartitionManifest


@dataclass(frozen=True)
class SeenFace:
    """One sighting of a visitor."""

    face_image_id: UUID
    image_id: UUID
    camera_id: str
    place: Place
    captured_at: datetime
    box: tuple[float, float, float, float]
    quality: float
    match_score: float | None  # cosine to its local visitor's template
    local_visitor_id: UUID


@dataclass(frozen=True)
class Member:
    """One local visitor of an identity."""

    local_visitor_id: UUID
    place: Place
    match_score: float  # cosine to the identity's template


@dataclass(frozen=True)
class Visitor:
    """An identity of the newest map of its window."""

    visitor_id: str
    face_id: UUID
    excluded_reason: str | None
    members: tuple[Member, ...]

    @property
    def places(self) -> tuple[Place, ...]:
        """Where and on which days it was seen, sorted."""
        return tuple(sorted({member.place for member in self.members}))


class VisitorDirectory:
    """The newest map of one linkage window with its ledger of Visitor IDs."""

    def __init__(self, platform: Platform, window: LinkageWindow, manifest: PartitionManifest, day: date) -> None:
        self.platform, self.window, self.day, self.manifest = platform, window, day, manifest
        store = platform.partitions
        self.identities = store.read_table(manifest, "identities", IDENTITIES)
        ledger = store.read_table(store.manifest(ledger_place(platform, window)), "visitor_numbers", VISITOR_NUMBERS)
        self._ledger = ledger

    def visitor_id(self, face_id: UUID) -> str:
        """Return the Visitor ID of an identity; its name where the ledger has not met it yet."""
        known = pc.is_in(plain_ids(self._ledger["face_id"]), pa.array([face_id.bytes], pa.binary(16)))
        found = self._ledger.filter(known)["visitor_id"].to_pylist()
        return str(found[0]) if found else f"unnumbered {face_id}"

    def face_id_of(self, local_visitor_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """Return the identity of each of some local visitors that the map knows."""
        rows = self._rows("local_visitor_id", local_visitor_ids)
        return dict(zip(rows["local_visitor_id"].to_pylist(), rows["face_id"].to_pylist(), strict=True))

    def visitor(self, text: str) -> Visitor:
        """Return the visitor whom an analyst named.

        Raises:
            UserMistake: no Visitor ID, or none of this window, or one that no visitor bears any more.
        """
        name = text.strip().upper()
        if not is_visitor_id(name):
            raise UserMistake(
                f"expected a Visitor ID such as 00123A, got {text[:40]!r}; its letter guards against slips"
            )
        rows = self._ledger.filter(pc.equal(self._ledger["visitor_id"], name))
        if not rows.num_rows:
            raise UserMistake(f"no visitor {name} in window {self.window.label}; for another window: --window YYYY-MM")
        face_id = rows["face_id"].to_pylist()[0]
        members = self._rows("face_id", [face_id])
        if not members.num_rows:
            raise UserMistake(
                f"{name} is nobody in the newest map of window {self.window.label}: a merge, a split or late data gave "
                "its sightings to others; footfall identities events shows the corrections"
            )
        return _visitor(name, face_id, members)

    def visitor_of(self, face_id: UUID) -> Visitor:
        """Return an identity of the map."""
        return _visitor(self.visitor_id(face_id), face_id, self._rows("face_id", [face_id]))

    def faces(self, visitor: Visitor) -> tuple[SeenFace, ...]:
        """Return every sighting of a visitor by time; faces that retention removed are missing."""
        ids = {member.local_visitor_id for member in visitor.members}
        found = [face for place in visitor.places for face in _faces_at(self.platform, place, ids)]
        return tuple(sorted(found, key=lambda face: (face.captured_at, face.face_image_id)))

    def templates(self, places: Sequence[Place]) -> pa.Table:
        """Return the templates of the local visitors of these places."""
        schema = local_visitor_templates(self.platform.embedding_dim)
        manifests = (self.platform.manifest("local_visitors", place) for place in sorted(set(places)))
        tables = [self.platform.partitions.read_table(each, "templates", schema) for each in manifests]
        return pa.concat_tables([schema.empty_table(), *tables])

    def _rows(self, column: str, values: Iterable[UUID]) -> pa.Table:
        wanted = pa.array([each.bytes for each in values], pa.binary(16))
        return self.identities.filter(pc.is_in(plain_ids(self.identities[column]), wanted))


def open_window(platform: Platform, label: str | None) -> VisitorDirectory:
    """Return the newest map of a window such as `2024-01`, by default of the newest window.

    Raises:
        NoData: there is no map of that window.
    """
    newest = {window.label: (window, manifest) for window, manifest in newest_identities(platform).items()}
    chosen = label or max(newest, default=None)
    if chosen is None or chosen not in newest:
        known = ", ".join(sorted(newest)) or "none; run: footfall run"
        raise NoData(f"no identities of window {chosen or '-'}; windows with identities: {known}")
    window, manifest = newest[chosen]
    days = [
        place.day
        for place in platform.partitions.places("identities", platform.versions.identities)
        if window.first_day <= place.day <= window.last_day
    ]
    return VisitorDirectory(platform, window, manifest, max(days))


def plain_ids(column: pa.ChunkedArray) -> pa.Array:
    """Return a column of UUIDs as 16 bytes each, which Arrow's functions compare."""
    whole = column.combine_chunks()
    return whole.storage if isinstance(whole, pa.ExtensionArray) else whole


def vectors_by_id(templates: pa.Table, ids: Sequence[UUID]) -> Floats:
    """Return the (n, d) vectors of local visitors in the order of `ids`."""
    at = {each: row for row, each in enumerate(templates["local_visitor_id"].to_pylist())}
    return matrix(templates["vector"])[np.array([at[each] for each in ids], dtype=np.int64)]


def _visitor(name: str, face_id: UUID, rows: pa.Table) -> Visitor:
    members = [
        Member(row["local_visitor_id"], Place(row["day"], row["location_id"]), row["match_score"])
        for row in rows.to_pylist()
    ]
    return Visitor(
        name,
        face_id,
        rows["excluded_reason"].to_pylist()[0],
        tuple(sorted(members, key=lambda each: (each.place, each.local_visitor_id))),
    )


def _faces_at(platform: Platform, place: Place, wanted: set[UUID]) -> list[SeenFace]:
    store = platform.partitions
    assigned = store.read_table(platform.manifest("local_visitors", place), "local_visitors", LOCAL_VISITORS)
    rows = {row["face_image_id"]: row for row in assigned.to_pylist() if row["local_visitor_id"] in wanted}
    faces = store.read_table(platform.manifest("faces", place), "faces", FACES)
    measured = faces.select(["face_image_id", "box", "quality"]).to_pylist()
    return [
        SeenFace(
            face_image_id=face["face_image_id"],
            image_id=row["image_id"],
            camera_id=row["camera_id"],
            place=place,
            captured_at=row["captured_at"],
            box=(face["box"][0], face["box"][1], face["box"][2], face["box"][3]),
            quality=face["quality"],
            match_score=row["match_score"],
            local_visitor_id=row["local_visitor_id"],
        )
        for face in {each["face_image_id"]: each for each in measured}.values()
        if (row := rows.get(face["face_image_id"]))
    ]
