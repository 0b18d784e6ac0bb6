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
from footfall_assets.contracts.schemas import FACES, face_embeddings
from footfall_assets.contracts.settings import LinkageSettings

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
