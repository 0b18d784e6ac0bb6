"""From millimetres on a head to pixels on a tile, for a head that turns, nods and tilts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from footfall_assets.simulation.brush import Points
from footfall_assets.simulation.face_model import FaceState, FaceTraits

HEAD_DEPTH_MM = 82.0  # from the axis the head turns on to the bridge of the nose
CHIN_DEPTH_MM = 38.0  # the outline of the jaw lies this far before that axis


@dataclass(frozen=True)
class Projection:
    """Orthographic view of a head: pixels = origin + scale * rotation * millimetres."""

    rotation: NDArray[np.float64]  # (2, 3) the first two rows of a rotation matrix
    scale: float  # pixels per millimetre
    origin: tuple[float, float]
    cheek_half: float
    chin_y: float

    def surface(self, points: Points, *, lift: float = 0.0) -> Points:
        """Pixels of points on the front of the face, `lift` millimetres proud of it."""
        flat = (points[:, 0] / (1.12 * self.cheek_half)) ** 2 + ((points[:, 1] - 15) / 150) ** 2
        depth = HEAD_DEPTH_MM * np.sqrt(np.clip(1 - flat, 0.04, 1)) + lift
        return self._project(points, depth)

    def outline(self, points: Points) -> Points:
        """Pixels of points on the silhouette, which lies near the axis above and before it at the chin."""
        down = np.clip(points[:, 1] / self.chin_y, 0, 1)
        return self._project(points, CHIN_DEPTH_MM * down**2)

    def length(self, millimetres: float) -> float:
        """Pixels of a length across the view."""
        return self.scale * millimetres

    def _project(self, points: Points, depth: Points) -> Points:
        solid = np.concatenate([points, np.asarray(depth)[:, None]], axis=1)
        return (solid @ self.rotation.T * self.scale + self.origin).astype(np.float32)


def projection(traits: FaceTraits, state: FaceState, *, scale: float, origin: tuple[float, float]) -> Projection:
    """The view of a head in this state, `scale` pixels to the millimetre, eye level at `origin`."""
    yaw, pitch, roll = np.radians([state.yaw, state.pitch, state.roll])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return Projection(
        rotation=(tilt @ nod @ turn)[:2],
        scale=scale,
        origin=origin,
        cheek_half=traits.head.cheek_half,
        chin_y=traits.head.chin_y,
    )
