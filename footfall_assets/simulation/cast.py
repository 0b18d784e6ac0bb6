"""The shipped cast: procedural people chosen so that a detector finds them and an embedder tells them apart."""

import json
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

import numpy as np

from footfall_assets.simulation.errors import CastError
from footfall_assets.simulation.face_model import FaceTraits
from footfall_assets.simulation.face_painter import paint_back, paint_face
from footfall_assets.simulation.face_sampling import Genes, blend_traits, draw_state
from footfall_assets.simulation.figure import Figure

CAST_FILE = "cast.json"
# Drawings seen through a clean camera look so unlike photographs that the detector misses one in five of them;
# grain and a soft lens bring that to about one in a hundred.
GRAIN_FOR_DRAWINGS = 9.0


@dataclass(frozen=True)
class ProceduralCast:
    """People drawn from seeds of their parts; visitor n is the n-th."""

    genes: tuple[Genes, ...]

    @property
    def size(self) -> int:
        """How many different people there are."""
        return len(self.genes)

    @cached_property
    def people(self) -> tuple[FaceTraits, ...]:
        """The traits of everybody, drawn once."""
        return tuple(blend_traits(genes) for genes in self.genes)

    @property
    def sensor_noise(self) -> float:
        """Grain of the camera, in grey levels (standard deviation)."""
        return GRAIN_FOR_DRAWINGS

    def person_id(self, visitor: int) -> str:
        """The name of a person in the truth, which means the same in every simulation with the shipped cast."""
        return f"person-{visitor + 1:04d}"

    def figure(
        self, visitor: int, *, visit_number: int, face_height: float, visible: bool, rng: np.random.Generator
    ) -> Figure:
        """The person in a pose, mood and light of the moment; they look the same on every visit."""
        del visit_number
        paint = paint_face if visible else paint_back
        return paint(self.people[visitor], draw_state(rng), face_height=face_height)


def procedural_cast(visitors: int | None) -> ProceduralCast:
    """The first `visitors` of the shipped cast (None: all), who are the ones that differ most.

    Raises:
        CastError: more visitors than the cast has.
    """
    people = json.loads(files(__package__).joinpath(CAST_FILE).read_text(encoding="utf-8"))["people"]
    if visitors is not None and visitors > len(people):
        raise CastError(
            f"{visitors} visitors asked for, but the procedural cast has {len(people)} people who can be told apart;"
            f" ask for at most {len(people)}, or give photographs with --people DIR (DIR/<name>/*.jpg)"
        )
    return ProceduralCast(tuple(tuple(genes) for genes in people[:visitors]))
