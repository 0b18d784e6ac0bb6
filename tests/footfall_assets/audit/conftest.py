"""A home whose people overlap: faces and vectors by hand, who is who known, the solve sometimes wrong."""

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import cv2
import numpy as np
import pyarrow as pa
import pytest

from footfall_assets.audit.sample import draw_sample
from footfall_assets.contracts.audit import Answer, AuditSample, Label
from footfall_assets.contracts.ids import face_image_id, image_id
from footfall_assets.contracts.registry import Camera, Location, LocationMode
from footfall_assets.contracts.schemas import FACES, LOCAL_VISITORS, face_embeddings
from footfall_assets.contracts.settings import AuditSettings, LinkageSettings, PlatformSettings
from footfall_assets.domain.linkage import unit
from footfall_assets.identity.refresh import refresh_identities, refresh_local_visitors
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.audit_store import AuditStore
from footfall_assets.storage.registry_store import change_registry

DAYS = (date(2024, 1, 5), date(2024, 1, 6))
STORES = ("store-101", "store-203")
NOW = datetime(2024, 1, 6, 20, tzinfo=UTC)
# Inside a day nothing is confused: only the links of the window can be wrong.
LINKAGE = {"local_max_distance": 0.01, "join_max_distance": 0.008, "tracklet_max_distance": 0.01}
OPTED_IN = AuditSettings(crop_reserve=True, reserve_share=1.0)


def crop_of(person: int, look: int) -> bytes:
    """Return a drawn face: each person has a colour of skin and hair, each look a small difference."""
    chance = np.random.default_rng(person)
    skin, hair = (tuple(int(each) for each in chance.integers(60, 240, 3)) for _ in range(2))
    picture = np.full((150, 150, 3), 235, np.uint8)
    cv2.ellipse(picture, (75, 80), (45, 58), 0, 0, 360, skin, -1)
    cv2.ellipse(picture, (75, 42), (48, 26), 0, 180, 360, hair, -1)
    for x in (58, 92):
        cv2.circle(picture, (x, 74), 5, (40, 40, 40), -1)
    cv2.ellipse(picture, (75, 105), (16, 5 + look % 4), 0, 0, 180, (60, 60, 140), 2)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def looks(people: int, visits: int, dim: int, seed: int) -> np.ndarray:
    """Return (people, visits, dim) unit vectors: an anisotropic Gaussian, some visits much less clear than others."""
    chance = np.random.default_rng(seed)
    spread = np.arange(1, dim) ** -1.2
    spread = np.sqrt(spread / spread.sum())
    place = chance.normal(size=(people, 1, dim - 1)) * spread
    clarity = chance.gamma(4, 1 / 4, (people, visits, 1))
    place = place + chance.normal(size=(people, visits, dim - 1)) * spread * 0.36 * clarity
    flat = np.concatenate([np.full((people, visits, 1), 2.2), place], axis=2).reshape(-1, dim)
    return unit(flat.astype(np.float32)).reshape(people, visits, dim)


class AuditHome:
    """Two stores, two days, three stills a visit; every person comes up to once a store and day."""

    def __init__(self, settings: PlatformSettings, person_of_face: dict[UUID, int]) -> None:
        self.platform = Platform(settings)
        self.person_of_face = person_of_face

    def fill(self, people: int, seed: int) -> None:
        """Let people come and solve who is who."""
        settings = self.platform.settings
        home = settings.home
        for store in STORES:
            change_registry(self.platform.lake, home, lambda registry, store=store: registered(registry, store))
        dim = self.platform.embedding_dim
        vectors = looks(people, 4, dim, seed)
        chance = np.random.default_rng(seed + 1)
        for number, (day, store) in enumerate((day, store) for day in DAYS for store in STORES):
            came = [person for person in range(people) if chance.random() < 0.6]
            self._write(Place(day, store), came, vectors[:, number], number)
            refresh_local_visitors(self.platform, Place(day, store))
        self.refresh()

    def refresh(self) -> None:
        """Solve again, under whatever the settings are."""
        for place in self.places:
            refresh_local_visitors(self.platform, place)
        for day in DAYS:
            refresh_identities(self.platform, day)

    @property
    def places(self) -> list[Place]:
        return [Place(day, store) for day in DAYS for store in STORES]

    @property
    def store(self) -> AuditStore:
        return AuditStore(self.platform.lake)

    def with_settings(self, **changes: Any) -> "AuditHome":
        """Return the same home under other settings."""
        return AuditHome(self.platform.settings.model_copy(update=changes), self.person_of_face)

    def _write(self, place: Place, came: list[int], vectors: np.ndarray, number: int) -> None:
        rows, seen = [], []
        for position, person in enumerate(came):
            for still in range(3):
                start = datetime.combine(place.day, time(9 + 5 * STORES.index(place.location_id)), UTC)
                moment = start + timedelta(minutes=3 * position, seconds=5 * still)
                image = image_id(f"{place.location_id}-door", moment, "0" * 64)
                face = face_image_id(image, (0.0, 0.0, 60.0, 60.0))
                self.person_of_face[face] = person
                rows.append(
                    {
                        "face_image_id": face.bytes,
                        "image_id": image.bytes,
                        "camera_id": f"{place.location_id}-door",
                        "location_id": place.location_id,
                        "captured_at": moment,
                        "box": [0.0, 0.0, 60.0, 60.0],
                        "landmarks": [0.0] * 10,
                        "score": 0.95,
                        "size_px": 60.0,
                        "sharpness": 0.8,
                        "yaw": 0.1,
                        "pitch": 0.0,
                        "roll_deg": 0.0,
                        "quality": 0.9 - still / 10,
                        "crop": crop_of(person, 4 * number + still),
                    }
                )
                seen.append({"face_image_id": face.bytes, "model": "hand", "vector": vectors[person].tolist()})
        dim = self.platform.embedding_dim
        tables = {
            "faces": pa.Table.from_pylist(rows, schema=FACES),
            "face_embeddings": pa.Table.from_pylist(
                [{**each, "quality": 0.9} for each in seen], schema=face_embeddings(dim)
            ),
        }
        for asset, table in tables.items():
            target = self.platform.place_of(asset, place)
            part = self.platform.partitions.write_part(target, asset, "0", table)
            self.platform.partitions.commit(target, "0" * 64, [part])

    def persons(self) -> dict[UUID, int]:
        """Return who each local visitor is."""
        found = {}
        for place in self.places:
            table = self.platform.partitions.read_table(
                self.platform.manifest("local_visitors", place), "local_visitors", LOCAL_VISITORS
            )
            for row in table.to_pylist():
                if row["local_visitor_id"] is not None:
                    found[row["local_visitor_id"]] = self.person_of_face[row["face_image_id"]]
        return found

    def sample(self, first: date = DAYS[0], last: date = DAYS[1], *, pairs: int = 100, seed: int = 0) -> AuditSample:
        return draw_sample(self.platform, first, last, pairs=pairs, seed=seed, now=NOW)

    def true_answers(self, sample: AuditSample) -> dict[int, Answer]:
        """Return what somebody who knows everybody would answer."""
        person = self.persons()
        return {
            question.number: Answer.SAME
            if person[question.left.local_visitor_id] == person[question.right.local_visitor_id]
            else Answer.DIFFERENT
            for question in sample.questions
        }

    def label(self, sample: AuditSample, answers: dict[int, Answer | None], labeller: str = "ann") -> None:
        """Store answers as they are, in order."""
        for number, answer in answers.items():
            label = Label(
                sample_id=sample.sample_id, question=number, labeller=labeller, answer=answer, answered_at=NOW
            )
            self.store.append(label, self.platform.settings.home / "locks")


def registered(registry, store):
    location = Location(
        location_id=store,
        name=store,
        mode=LocationMode.UNIQUE,
        legal_basis="development",
        partition_group=store,
        valid_from=DAYS[0],
    )
    camera = Camera(camera_id=f"{store}-door", location_id=store, name="Door", interval_s=5, valid_from=DAYS[0])
    return registry.with_first_day(DAYS[0]).with_location(location).with_camera(camera)


@pytest.fixture(scope="session")
def built_homes(
    settings_of: Callable[..., PlatformSettings], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[LinkageSettings, int, int], AuditHome]:
    """Build each home once; tests work on copies."""
    known: dict[tuple[str, int, int], AuditHome] = {}

    def build(linkage: LinkageSettings, people: int, seed: int) -> AuditHome:
        key = (linkage.model_dump_json(), people, seed)
        if key not in known:
            folder = tmp_path_factory.mktemp("audited") / "home"
            known[key] = AuditHome(settings_of(folder, linkage=linkage), {})
            known[key].fill(people, seed)
        return known[key]

    return build


@pytest.fixture
def audit_home(
    built_homes: Callable[..., AuditHome], settings_of: Callable[..., PlatformSettings], tmp_path: Path
) -> Callable[..., AuditHome]:
    """Return a home of the test's own; nobody has opted in to anything unless the test says so."""

    def copy(*, people: int = 40, seed: int = 1, threshold: float = 0.05, **changes: Any) -> AuditHome:
        linkage = LinkageSettings(window_max_distance=threshold, **LINKAGE)
        built = built_homes(linkage, people, seed)
        shutil.copytree(built.platform.settings.home, tmp_path / "home")
        return AuditHome(settings_of(tmp_path / "home", linkage=linkage, **changes), built.person_of_face)

    return copy


@pytest.fixture
def days() -> tuple[date, date]:
    return DAYS


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def opted_in() -> AuditSettings:
    return OPTED_IN
