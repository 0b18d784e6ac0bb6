"""People as points of a space: clear clusters of unit vectors, seen by cameras that nobody has to draw."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest

from footfall_assets.contracts.ids import digest_of, face_image_id, image_id
from footfall_assets.contracts.registry import Camera, Location, LocationMode
from footfall_assets.contracts.schemas import CORRECTIONS, FACES, LOCAL_VISITORS, VISITOR_NUMBERS, face_embeddings
from footfall_assets.contracts.settings import LinkageSettings
from footfall_assets.identity.drafts import (
    Authorship,
    Chosen,
    exclude_draft,
    merge_draft,
    split_draft,
    undo_draft,
)
from footfall_assets.identity.refresh import refresh_identities, refresh_local_visitors, refresh_sightings
from footfall_assets.identity.visitor_numbers import ledger_place, refresh_visitor_numbers
from footfall_assets.identity.visitors import open_window
from footfall_assets.operations.pending import pending
from footfall_assets.operations.state import read_state
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.registry_store import change_registry

DAY = date(2024, 1, 5)
# One person's vectors lie within 0.01 of each other, two people's 1.0 apart: only the evidence is tested here.
LINKAGE = LinkageSettings(
    local_max_distance=0.1, window_max_distance=0.1, join_max_distance=0.08, tracklet_max_distance=0.15
)
GOOD = {"size_px": 60.0, "score": 0.95, "sharpness": 0.8, "yaw": 0.1, "quality": 0.9}
BAD = {
    "too_small": {"size_px": 12.0},
    "low_score": {"score": 0.3},
    "too_blurred": {"sharpness": 0.01},
    "extreme_pose": {"yaw": -0.95},
}


def vector_of(person: int, chance: np.random.Generator, dim: int) -> np.ndarray:
    """Return a look at a person: the person's own axis and a little of everything."""
    vector = chance.normal(0, 0.02 / np.sqrt(dim), dim)
    vector[person] += 1
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@dataclass
class Footage:
    """What the cameras of one location saw on one day."""

    location_id: str = "store-101"
    day: date = DAY
    dim: int = 16
    rows: list[dict[str, Any]] = field(default_factory=list)
    vectors: list[np.ndarray | None] = field(default_factory=list)

    def see(
        self, person: int, at_s: float, *, camera: str = "door", x: float = 0.0, blind: bool = False, **measured: float
    ) -> UUID:
        """Add a face of a person at so many seconds after ten; return its id. `blind`: it got no vector."""
        moment = datetime(self.day.year, self.day.month, self.day.day, 10, tzinfo=UTC) + timedelta(seconds=at_s)
        image = image_id(camera, moment, "0" * 64)
        face = face_image_id(image, (x, 0.0, x + 60, 60.0))
        self.rows.append(
            {
                "face_image_id": face.bytes,
                "image_id": image.bytes,
                "camera_id": camera,
                "location_id": self.location_id,
                "captured_at": moment,
                "box": [x, 0.0, x + 60, 60.0],
                "landmarks": [0.0] * 10,
                "pitch": 0.0,
                "roll_deg": 0.0,
                "crop": None,
                **GOOD,
                **measured,
            }
        )
        chance = np.random.default_rng(int(digest_of(str(person), str(face))[:8], 16))
        self.vectors.append(None if blind else vector_of(person, chance, self.dim))
        return face

    def pass_by(self, person: int, at_s: float, *, stills: int = 3, **options: Any) -> list[UUID]:
        """Add a person who stands still for a few stills, 5 s apart."""
        return [self.see(person, at_s + 5 * number, **options) for number in range(stills)]

    def tables(self, order: Iterable[int] | None = None) -> tuple[pa.Table, pa.Table]:
        """Return the rows of `faces` and `face_embeddings`, in any order, each row as often as it is named."""
        chosen = list(range(len(self.rows)) if order is None else order)
        faces = pa.Table.from_pylist([self.rows[row] for row in chosen], schema=FACES)
        seen = [row for row in chosen if self.vectors[row] is not None]
        embeddings = [
            {
                "face_image_id": self.rows[row]["face_image_id"],
                "model": "axes",
                "vector": self.vectors[row].tolist(),
                "quality": self.rows[row]["quality"],
            }
            for row in seen
        ]
        return faces, pa.Table.from_pylist(embeddings, schema=face_embeddings(self.dim))


@pytest.fixture(scope="session")
def footage() -> type[Footage]:
    return Footage


@pytest.fixture
def linkage() -> LinkageSettings:
    return LINKAGE


@pytest.fixture
def bad_measures() -> dict[str, dict[str, float]]:
    return BAD


CORRECTED_DAYS = [date(2024, 1, 10), date(2024, 1, 11), date(2024, 1, 12)]
CORRECTED_STORES = ["store-101", "store-203"]
CORRECTED_BY = Authorship("ann", "looked at them", datetime(2024, 2, 1, tzinfo=UTC))


class CorrectedHome:
    """Two stores whose faces and vectors the test writes, with whatever corrections it makes."""

    def __init__(self, settings, footage) -> None:
        self.platform = Platform(settings)
        self._footage = footage
        self.seen = {}
        for store in CORRECTED_STORES:
            self.change(lambda registry, store=store: _with_store(registry, store))

    def change(self, change) -> None:
        change_registry(self.platform.lake, self.platform.settings.home, change)

    def at(self, day, store):
        """Return the footage of a place, to add to."""
        return self.seen.setdefault(
            Place(day, store), self._footage(location_id=store, day=day, dim=self.platform.embedding_dim)
        )

    def write(self) -> None:
        """Store all faces and vectors, as another detector or embedder would."""
        for place, footage in self.seen.items():
            for asset, rows in zip(("faces", "face_embeddings"), footage.tables(), strict=True):
                target = self.platform.place_of(asset, place)
                part = self.platform.partitions.write_part(target, asset, "all", rows)
                self.platform.partitions.commit(target, "0" * 64, [part])

    def run(self):
        """Do what is due, and return the places and days that were."""
        self.write()
        done = [place for place in sorted(self.seen) if refresh_local_visitors(self.platform, place).parts_computed]
        days = pending(read_state(self.platform)).days
        for day in days:
            refresh_identities(self.platform, day)
            refresh_sightings(self.platform, day)
        refresh_visitor_numbers(self.platform)
        return done, list(days)

    def visitors(self):
        return open_window(self.platform, None)

    def append(self, draft):
        return self.platform.events.append(draft, self.platform.settings.home)

    def merge(self, *people):
        return self.append(merge_draft(self.visitors(), [self.name_of(each) for each in people], CORRECTED_BY))

    def split(self, person, **chosen):
        return self.append(split_draft(self.visitors(), self.name_of(person), Chosen(**chosen), CORRECTED_BY))

    def exclude(self, person):
        return self.append(exclude_draft(self.visitors(), self.name_of(person), CORRECTED_BY))

    def undo(self, event):
        return self.append(undo_draft("2024-01", event.sequence, CORRECTED_BY))

    def table(self):
        """Return the rows of the newest map."""
        return self.visitors().identities.to_pylist()

    def fates(self):
        return self.platform.partitions.read_table(self.visitors().manifest, "corrections", CORRECTIONS).to_pylist()

    def identity_of_face(self):
        """Return the identity of every face of the newest map."""
        who = {row["local_visitor_id"]: row["face_id"] for row in self.table()}
        found = {}
        for place in self.seen:
            rows = self.platform.partitions.read_table(
                self.platform.manifest("local_visitors", place), "local_visitors", LOCAL_VISITORS
            )
            for row in rows.to_pylist():
                found[row["face_image_id"]] = who.get(row["local_visitor_id"])
        return found

    def name_of(self, face):
        return self.visitors().visitor_id(self.identity_of_face()[face])

    def ledger(self):
        place = ledger_place(self.platform, self.visitors().window)
        manifest = self.platform.partitions.manifest(place)
        return self.platform.partitions.read_table(manifest, "visitor_numbers", VISITOR_NUMBERS)

    def all_names(self):
        """Return the Visitor ID of every face."""
        visitors = self.visitors()
        return {face: visitors.visitor_id(identity) for face, identity in self.identity_of_face().items()}

    def people(self):
        return len({row["face_id"] for row in self.table()})

    def hashes(self):
        """Return the content and inputs hash of every partition of identity, the ledger left out."""
        found = {}
        for asset in ("local_visitors", "identities", "sightings"):
            for place in self.platform.partitions.places(asset, self.platform.versions.as_dict()[asset]):
                manifest = self.platform.partitions.manifest(place)
                found[place] = (manifest.content_hash, manifest.inputs_hash)
        return found


def _with_store(registry, store, *, staff_only=False):
    location = Location(
        location_id=store,
        name=store,
        mode=LocationMode.UNIQUE,
        legal_basis="development",
        partition_group=store,
        valid_from=CORRECTED_DAYS[0],
    )
    registry = registry.with_first_day(CORRECTED_DAYS[0]).with_location(location)
    for name, staff in (("door", False), ("back", staff_only)):
        registry = registry.with_camera(
            Camera(
                camera_id=f"{store}-{name}",
                location_id=store,
                name=name,
                staff_only=staff,
                valid_from=CORRECTED_DAYS[0],
            )
        )
    return registry


@pytest.fixture
def new_corrected_home(tmp_path_factory, settings_of, footage, linkage):
    def build(**changes):
        return CorrectedHome(settings_of(tmp_path_factory.mktemp("home"), linkage=linkage, **changes), footage)

    return build
