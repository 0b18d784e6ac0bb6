"""A person cut out and ready to be placed in a picture, whoever drew or photographed them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]  # x1, y1, x2, y2 in pixels


@dataclass(frozen=True)
class Figure:
    """A cut-out: BGR pixels (height, width, 3) times coverage (height, width) 0..1, both float32.

    `anchor` is the point between the eyes and `box` the face, in pixels of the cut-out.
    """

    pixels: NDArray[np.float32]
    coverage: NDArray[np.float32]
    anchor: tuple[float, float]
    box: Box


class Cast(Protocol):
    """People who can be put into pictures."""

    @property
    def size(self) -> int:
        """How many different people there are."""
        ...

    @property
    def sensor_noise(self) -> float:
        """Grain of the camera that films them, in grey levels (standard deviation)."""
        ...

    def person_id(self, visitor: int) -> str:
        """The name of a person in the truth."""
        ...

    def figure(
        self, visitor: int, *, visit_number: int, face_height: float, visible: bool, rng: np.random.Generator
    ) -> Figure:
        """The person as seen in one still, the face `face_height` pixels high; from behind if not `visible`."""
        ...
