"""How detector and embedder see drawn people: the judge of who may be in the cast."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from footfall_assets.simulation.boxes import box_iou
from footfall_assets.simulation.cast import ProceduralCast
from footfall_assets.simulation.face_sampling import Genes
from footfall_assets.simulation.plan import PersonPlan, StillPlan
from footfall_assets.simulation.scenes import paint_scene
from models.alignment import CropTemplate, align
from models.detector import FaceDetector
from models.embedder import FaceEmbedder

Vector = NDArray[np.float32]

PER_SCENE = 3
IOU_MIN = 0.5
FACE_HEIGHTS_PX = (84.0, 172.0)


@dataclass(frozen=True)
class CastEye:
    """Detector, embedder (with the template of its crops) and the empty scene people are put into."""

    detector: FaceDetector
    embedder: FaceEmbedder
    template: CropTemplate
    background: NDArray[np.uint8]

    def look(self, people: Sequence[Genes], *, round_: int) -> Iterator[Vector | None]:
        """Everybody's unit vector in a scene of this round, None for the missed; another round, other poses."""
        for start in range(0, len(people), PER_SCENE):
            yield from self._look_at_scene(people[start : start + PER_SCENE], round_=round_)

    def _look_at_scene(self, people: Sequence[Genes], *, round_: int) -> Iterator[Vector | None]:
        rng = np.random.default_rng([round_, *(seed for genes in people for seed in genes)])
        cast = ProceduralCast(tuple(people))
        scene = paint_scene(_still(len(people), rng), cast, self.background)
        stored = cv2.imencode(".jpg", scene.image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        image = np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.uint8)
        faces = self.detector.detect([image])[0]
        vectors = self.embedder.embed(align(image, faces.landmarks, self.template))
        boxes = {truth.person_id: truth.box for truth in scene.truth}
        for index in range(len(people)):
            box = boxes[cast.person_id(index)]
            overlaps = [box_iou(box, (x1, y1, x2, y2)) for x1, y1, x2, y2 in faces.boxes.tolist()]
            best = int(np.argmax(overlaps)) if overlaps else -1
            yield vectors[best] if overlaps and overlaps[best] >= IOU_MIN else None


def _still(count: int, rng: np.random.Generator) -> StillPlan:
    people = tuple(
        PersonPlan(
            visitor=index,
            visit_number=0,
            visit_id="",
            appearance_id="",
            x=640 / PER_SCENE * (index + 0.5) + float(rng.uniform(-12, 12)),
            y=float(rng.uniform(140, 190)),
            face_height=float(rng.uniform(*FACE_HEIGHTS_PX)),
            visible=True,
        )
        for index in range(count)
    )
    key = tuple(rng.integers(2**31, size=4).tolist())
    return StillPlan("camera", "store", datetime(2024, 1, 1, tzinfo=UTC), people, key)
