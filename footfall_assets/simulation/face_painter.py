"""Paint one procedural person's head and shoulders on a transparent tile, from the front or from behind."""

import cv2
import numpy as np
from numpy.typing import NDArray

from footfall_assets.simulation.brush import Canvas, coverage_of
from footfall_assets.simulation.face_model import FaceState, FaceTraits
from footfall_assets.simulation.features import paint_brows, paint_eyes, paint_mouth, paint_nose
from footfall_assets.simulation.figure import Box, Figure
from footfall_assets.simulation.hair import (
    HIDDEN_EARS,
    paint_beard,
    paint_glasses,
    paint_hair_before,
    paint_hair_behind,
    paint_nape,
)
from footfall_assets.simulation.head_pose import projection
from footfall_assets.simulation.sketch import Sketch
from footfall_assets.simulation.skin import head_outline, paint_body, paint_ears, paint_marks, paint_skin

# The tile in millimetres, and its resolution: about that of the largest faces shown.
TILE_WIDTH_MM = 320.0
TILE_HEIGHT_MM = 380.0
EYE_LEVEL_MM = 165.0
TILE_PX_PER_MM = 1.0
# CenterFace's boxes on these faces begin above the eyes and end below the chin by this much (medians).
FOREHEAD_MM = 75.0
UNDER_CHIN_MM = 6.0
FEATURES = (
    paint_marks,
    paint_beard,
    paint_nose,
    paint_mouth,
    paint_eyes,
    paint_brows,
    paint_hair_before,
    paint_glasses,
)


def paint_face(traits: FaceTraits, state: FaceState, *, face_height: float) -> Figure:
    """The person in this state, facing the camera; the face box is `face_height` pixels high."""
    sketch, box = _begin(traits, state)
    paint_hair_behind(sketch)
    paint_body(sketch.canvas, sketch.view, traits)
    if traits.hair_style not in HIDDEN_EARS:
        paint_ears(sketch)
    paint_skin(sketch.canvas, sketch.view, traits=traits, state=state, face=sketch.face)
    for paint in FEATURES:
        paint(sketch)
    return _scaled(sketch, box, face_height=face_height)


def paint_back(traits: FaceTraits, state: FaceState, *, face_height: float) -> Figure:
    """The person from behind: hair and shoulders, with the box where the face would be."""
    sketch, box = _begin(traits, state)
    paint_body(sketch.canvas, sketch.view, traits)
    paint_ears(sketch)
    paint_skin(sketch.canvas, sketch.view, traits=traits, state=state, face=sketch.face)
    paint_hair_behind(sketch)
    paint_nape(sketch)
    return _scaled(sketch, box, face_height=face_height)


def _begin(traits: FaceTraits, state: FaceState) -> tuple[Sketch, Box]:
    width, height = round(TILE_WIDTH_MM * TILE_PX_PER_MM), round(TILE_HEIGHT_MM * TILE_PX_PER_MM)
    canvas = Canvas.blank(width=width, height=height)
    origin = (TILE_WIDTH_MM / 2 * TILE_PX_PER_MM, EYE_LEVEL_MM * TILE_PX_PER_MM)
    view = projection(traits, state, scale=TILE_PX_PER_MM, origin=origin)
    outline = view.outline(head_outline(traits.head))
    x1, _ = outline.min(axis=0).tolist()
    x2, chin = outline.max(axis=0).tolist()
    box = (x1, origin[1] - FOREHEAD_MM * view.scale, x2, chin + UNDER_CHIN_MM * view.scale)
    return Sketch(canvas, view, traits, state, coverage_of(canvas, outline)), box


def _scaled(sketch: Sketch, box: Box, *, face_height: float) -> Figure:
    height, width = sketch.canvas.coverage.shape
    ratio = face_height / (box[3] - box[1])
    size = (round(width * ratio), round(height * ratio))
    pixels = cv2.resize(_lit(sketch.canvas.pixels, sketch.state), size, interpolation=cv2.INTER_AREA)
    coverage = cv2.resize(sketch.canvas.coverage, size, interpolation=cv2.INTER_AREA)
    if sketch.state.blur_px > 0:
        pixels = cv2.GaussianBlur(pixels, (0, 0), sketch.state.blur_px)
        coverage = cv2.GaussianBlur(coverage, (0, 0), sketch.state.blur_px)
    x1, y1, x2, y2 = (edge * ratio for edge in box)
    anchor = (sketch.view.origin[0] * ratio, sketch.view.origin[1] * ratio)
    return Figure(pixels, coverage, anchor, (x1, y1, x2, y2))


def _lit(pixels: NDArray[np.float32], state: FaceState) -> NDArray[np.float32]:
    blue, green, red = np.array([1 - 0.05 * state.warmth, 1.0, 1 + 0.05 * state.warmth]) * state.light_gain
    return np.minimum(pixels * np.array([blue, green, red], np.float32), np.float32(255))
