"""A face in progress: canvas, view of the head and the person, shared by all features that draw on it."""

from dataclasses import dataclass

import numpy as np

from footfall_assets.simulation.brush import Canvas, Mask, Points, fill
from footfall_assets.simulation.face_model import Colour, FaceState, FaceTraits
from footfall_assets.simulation.head_pose import Projection

SIDES = (-1, 1)  # the viewer's left, the viewer's right


@dataclass(frozen=True)
class Sketch:
    """One tile being painted. `face` is the mask of the skin, which features do not leave."""

    canvas: Canvas
    view: Projection
    traits: FaceTraits
    state: FaceState
    face: Mask

    def paint(
        self,
        points: Points,
        colour: Colour,
        *,
        softness: float = 0.6,
        opacity: float = 1.0,
        lift: float = 0.0,
        within: Mask | None = None,
    ) -> None:
        """Paint a polygon in millimetres on the front of the face; `softness` and `lift` in millimetres."""
        fill(
            self.canvas,
            self.view.surface(points, lift=lift),
            colour,
            softness=self.view.length(softness),
            opacity=opacity,
            within=self.face if within is None else within,
        )

    def paint_outline(
        self, points: Points, colour: Colour, *, softness: float = 0.6, opacity: float = 1.0, solid: bool = True
    ) -> None:
        """Paint a polygon in millimetres in the plane of the silhouette: hair, ears, hats."""
        fill(
            self.canvas,
            self.view.outline(points),
            colour,
            softness=self.view.length(softness),
            opacity=opacity,
            solid=solid,
        )


def shaded(colour: Colour, factor: float) -> Colour:
    """The colour darker (factor under 1) or lighter."""
    blue, green, red = np.clip(np.asarray(colour) * factor, 0, 255).tolist()
    return blue, green, red


def mixed(first: Colour, second: Colour, *, share: float) -> Colour:
    """The first colour with this share of the second in it."""
    blue, green, red = (np.asarray(first) * (1 - share) + np.asarray(second) * share).tolist()
    return blue, green, red


def mirrored(points: Points, side: int) -> Points:
    """Points of the right half on the given side."""
    return points * np.array([side, 1], np.float32)
