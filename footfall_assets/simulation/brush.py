"""Soft polygons on a canvas: the one primitive everything procedural is drawn with."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from footfall_assets.simulation.face_model import Colour

Points = NDArray[np.floating]  # (n, 2) x and y
Mask = NDArray[np.float32]  # (height, width) coverage 0..1

SUBPIXEL_BITS = 4
SHARPEST_BLUR_PX = 0.65  # below it the smooth edge of the polygon itself is soft enough


@dataclass(frozen=True)
class Canvas:
    """BGR pixels 0..255, multiplied by how much of each the figure covers, and that coverage; both float32."""

    pixels: NDArray[np.float32]
    coverage: Mask

    @classmethod
    def blank(cls, *, width: int, height: int) -> "Canvas":
        """A transparent black canvas."""
        return cls(np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32))


@dataclass(frozen=True)
class Patch:
    """A mask on a part of a canvas."""

    rows: slice
    columns: slice
    mask: Mask


def smooth(corners: ArrayLike, *, rounds: int = 3) -> Points:
    """A closed polygon with its corners cut (Chaikin 1974), which tends to a quadratic B-spline."""
    points = np.asarray(corners, np.float32)
    for _ in range(rounds):
        following = np.roll(points, -1, axis=0)
        points = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], axis=1).reshape(-1, 2)
    return points


def ellipse(x: float, y: float, *, radius_x: float, radius_y: float, count: int = 28) -> Points:
    """The outline of an upright ellipse."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + radius_x * np.cos(angle), y + radius_y * np.sin(angle)], axis=1).astype(np.float32)


def band(spine: ArrayLike, thickness: ArrayLike) -> Points:
    """The outline of a stroke along `spine` (n, 2), `thickness` (n,) or one number wide, thickest where told."""
    middle = np.asarray(spine, np.float32)
    tangent = np.gradient(middle, axis=0)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-6
    offset = normal * (np.broadcast_to(np.asarray(thickness, np.float32), len(middle))[:, None] / 2)
    return np.concatenate([middle + offset, (middle - offset)[::-1]]).astype(np.float32)


def rasterise(shape: tuple[int, ...], polygon: Points, *, softness: float) -> Patch | None:
    """The polygon's mask on a canvas of this shape, blurred by `softness` pixels; None where it lies outside."""
    height, width = shape[:2]
    margin = int(3 * softness) + 2
    left, top = np.maximum(np.floor(polygon.min(axis=0)).astype(int) - margin, 0).tolist()
    right, bottom = np.minimum(np.ceil(polygon.max(axis=0)).astype(int) + margin, (width, height)).tolist()
    if right <= left or bottom <= top:
        return None
    mask = np.zeros((bottom - top, right - left), np.uint8)
    corners = np.round((polygon - (left, top)) * 2**SUBPIXEL_BITS).astype(np.int32)
    cv2.fillPoly(mask, [corners], 255, lineType=cv2.LINE_AA, shift=SUBPIXEL_BITS)
    if softness > SHARPEST_BLUR_PX:
        mask = cv2.GaussianBlur(mask, (0, 0), softness)
    return Patch(slice(top, bottom), slice(left, right), mask.astype(np.float32) / np.float32(255))


def fill(
    canvas: Canvas,
    polygon: Points,
    colour: Colour | NDArray[np.float32],
    *,
    softness: float = 0.8,
    opacity: float = 1.0,
    within: Mask | None = None,
    solid: bool = False,
) -> None:
    """Paint a polygon; `within` limits it to a mask, `solid` makes the canvas covered where it lies."""
    patch = rasterise(canvas.coverage.shape, polygon, softness=softness)
    if patch is None:
        return
    mask = patch.mask * opacity
    if within is not None:
        mask *= within[patch.rows, patch.columns]
    pixels = canvas.pixels[patch.rows, patch.columns]
    pixels += (np.asarray(colour, np.float32) - pixels) * mask[:, :, None]
    if solid:
        coverage = canvas.coverage[patch.rows, patch.columns]
        coverage += mask - coverage * mask


def coverage_of(canvas: Canvas, polygon: Points, *, softness: float = 0.8) -> Mask:
    """The polygon's mask over the whole canvas."""
    mask = np.zeros_like(canvas.coverage)
    patch = rasterise(mask.shape, polygon, softness=softness)
    if patch is not None:
        mask[patch.rows, patch.columns] = patch.mask
    return mask
