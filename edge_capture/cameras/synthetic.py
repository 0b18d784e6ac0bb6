"""Drawn scenes, for demonstrations and tests where no camera is: figures that walk across a floor.

The faces are drawings. A face detector may find some of them; nobody is in them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from edge_capture.source import Image

_FLOOR: Final = (96, 104, 112)  # BGR, as all colours here
_WALL: Final = (176, 180, 172)
_SKIN: Final = ((150, 180, 225), (110, 140, 190), (70, 95, 140))
_MOST_PEOPLE: Final = 3
_CROSSING_TICKS: Final = 12  # how long a figure is in the picture
_PERIOD_TICKS: Final = 40  # then the next ones come; the rest of the time the scene is empty


@dataclass(frozen=True)
class SyntheticScenes:
    """Scenes that depend on seed, size and tick alone."""

    seed: int
    width: int = 1280
    height: int = 720

    @contextmanager
    def pictures(self) -> Iterator[Iterator[tuple[int, Image]]]:
        """Give the scenes from tick 0 on, without end."""
        yield ((tick, self.draw(tick)) for tick in _count())

    def draw(self, tick: int) -> Image:
        """Return the scene of a tick."""
        image = np.empty((self.height, self.width, 3), np.uint8)
        image[:] = _FLOOR
        image[: self.height * 2 // 5] = _WALL
        rng = np.random.default_rng((self.seed, tick // _PERIOD_TICKS))
        for _ in range(int(rng.integers(1, _MOST_PEOPLE + 1))):
            start, lane, size = int(rng.integers(0, _PERIOD_TICKS // 2)), rng.uniform(0.3, 0.5), rng.uniform(0.08, 0.2)
            colour = tuple(int(each) for each in rng.integers(30, 220, 3))
            skin = _SKIN[int(rng.integers(0, len(_SKIN)))]
            share = (tick % _PERIOD_TICKS - start) / _CROSSING_TICKS
            if 0 <= share < 1:
                centre = (round(share * self.width), round(lane * self.height))
                _draw_figure(image, centre, face_px=round(size * self.height), clothes=colour, skin=skin)
        noise = np.random.default_rng((self.seed, tick)).integers(0, 5, image.shape, np.uint8)
        return np.asarray(cv2.add(image, noise), np.uint8)


def _count() -> Iterator[int]:
    tick = 0
    while True:
        yield tick
        tick += 1


def _draw_figure(
    image: Image, centre: tuple[int, int], *, face_px: int, clothes: tuple[int, ...], skin: tuple[int, int, int]
) -> None:
    x, y = centre
    half = max(face_px // 2, 4)
    cv2.rectangle(image, (x - face_px, y + half), (x + face_px, image.shape[0]), clothes, cv2.FILLED)
    cv2.ellipse(image, (x, y), (half * 3 // 4, half), 0, 0, 360, skin, cv2.FILLED)
    cv2.ellipse(image, (x, y - half // 3), (half * 3 // 4, half * 2 // 3), 0, 180, 360, (40, 40, 50), cv2.FILLED)
    for side in (-1, 1):
        cv2.circle(image, (x + side * half // 3, y - half // 8), max(half // 9, 1), (30, 30, 30), cv2.FILLED)
    cv2.line(image, (x, y), (x, y + half // 4), (90, 110, 150), max(half // 12, 1))
    cv2.ellipse(image, (x, y + half // 2), (half // 3, max(half // 8, 1)), 0, 0, 180, (60, 60, 150), cv2.FILLED)
