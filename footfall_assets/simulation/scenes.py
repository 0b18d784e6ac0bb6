"""Paint one still of a simulated camera and say who is where in it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from footfall_assets.simulation.figure import Box, Cast, Figure
from footfall_assets.simulation.plan import PersonPlan, StillPlan

LENS_BLUR_PX = 1.1


@dataclass(frozen=True)
class TruthFace:
    """One person in a still: face box in pixels, cut at the edges of the image; `visible` if it faces the camera."""

    box: Box
    person_id: str
    appearance_id: str
    visit_id: str
    visible: bool


@dataclass(frozen=True)
class Scene:
    """A painted still: BGR (height, width, 3) and the truth about it."""

    image: NDArray[np.uint8]
    truth: tuple[TruthFace, ...]


def paint_scene(still: StillPlan, cast: Cast, background: NDArray[np.uint8]) -> Scene:
    """The still over its camera's background; farther people are painted first."""
    rng = np.random.default_rng(np.random.SeedSequence(still.random_key))
    image = background.astype(np.float32)
    truth = []
    for person in sorted(still.people, key=lambda person: person.face_height):
        figure = cast.figure(
            person.visitor,
            visit_number=person.visit_number,
            face_height=person.face_height,
            visible=person.visible,
            rng=rng,
        )
        left, top = round(person.x - figure.anchor[0]), round(person.y - figure.anchor[1])
        place(image, figure, left=left, top=top)
        truth.append(_truth(person, cast, figure=figure, offset=(left, top), shape=image.shape))
    return Scene(photographed(image, noise=cast.sensor_noise, rng=rng), tuple(truth))


def place(image: NDArray[np.float32], figure: Figure, *, left: int, top: int) -> None:
    """Lay the figure over the image; its lowest row goes on to the bottom, as a torso does."""
    height, width = image.shape[:2]
    rows, columns = np.arange(max(top, 0), height), np.arange(max(left, 0), min(left + figure.pixels.shape[1], width))
    source = np.minimum(rows - top, figure.pixels.shape[0] - 1)
    if len(rows) == 0 or len(columns) == 0:
        return
    window = slice(int(columns[0]) - left, int(columns[-1]) - left + 1)
    target = image[rows[0] :, columns[0] : columns[-1] + 1]
    target *= 1 - figure.coverage[source, window, None]
    target += figure.pixels[source, window]


def _truth(
    person: PersonPlan, cast: Cast, *, figure: Figure, offset: tuple[int, int], shape: tuple[int, ...]
) -> TruthFace:
    x1, x2 = np.clip([figure.box[0] + offset[0], figure.box[2] + offset[0]], 0, shape[1]).tolist()
    y1, y2 = np.clip([figure.box[1] + offset[1], figure.box[3] + offset[1]], 0, shape[0]).tolist()
    return TruthFace(
        (x1, y1, x2, y2), cast.person_id(person.visitor), person.appearance_id, person.visit_id, person.visible
    )


def photographed(
    image: NDArray[np.float32], *, noise: float, rng: np.random.Generator, lens_blur_px: float = LENS_BLUR_PX
) -> NDArray[np.uint8]:
    """The image through a lens and a sensor, under light that wavers."""
    soft = cv2.GaussianBlur(image, (0, 0), lens_blur_px)
    soft *= np.float32(rng.uniform(0.94, 1.05))
    soft += np.float32(noise) * rng.standard_normal((*image.shape[:2], 1), dtype=np.float32)
    return np.asarray(np.clip(soft, 0, 255), np.uint8)
