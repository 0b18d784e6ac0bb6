"""The head itself: outline, neck, ears, shading and what age and weather left on the skin."""

import numpy as np

from footfall_assets.simulation.brush import Canvas, Mask, Points, band, ellipse, fill, smooth
from footfall_assets.simulation.face_model import FaceState, FaceTraits, Head
from footfall_assets.simulation.head_pose import Projection
from footfall_assets.simulation.sketch import SIDES, Sketch, mirrored, mixed, shaded


def head_outline(head: Head) -> Points:
    """The silhouette of skull and jaw in millimetres, clockwise from the crown."""
    right = [
        (0, head.crown_y),
        (head.temple_half * 0.62, head.crown_y * 0.96),
        (head.temple_half * 1.04, head.crown_y * 0.62),
        (head.temple_half * 1.02, -30),
        (head.cheek_half * 1.02, 8),
        (head.cheek_half * 0.98, head.jaw_y * 0.55),
        (head.jaw_half, head.jaw_y),
        (head.chin_half + 12, head.chin_y * 0.95),
        (head.chin_half * 0.8, head.chin_y * 1.035),
        (0, head.chin_y * 1.02),
    ]
    left = [(-x, y) for x, y in right[-2:0:-1]]
    return smooth(right + left)


def paint_body(canvas: Canvas, view: Projection, traits: FaceTraits) -> None:
    """Neck and shoulders, which do not turn with the head."""
    chin, neck = traits.head.chin_y, traits.head.jaw_half * 0.78
    floor = 400.0
    throat = [(-neck, 20), (neck, 20), (neck * 1.02, chin + 25), (neck * 1.5, chin + 75), (-neck * 1.5, chin + 75)]
    throat += [(-neck * 1.02, chin + 25)]
    top = chin + 30
    coat = [(-neck, top), (0, top + 26), (neck, top), (120, top + 28), (150, top + 70), (150, floor), (-150, floor)]
    coat += [(-150, top + 70), (-120, top + 28)]
    place = np.asarray(view.origin, np.float32)
    fill(canvas, smooth(throat) * view.scale + place, shaded(traits.skin, 0.66), solid=True)
    shadow = ellipse(0, chin + 4, radius_x=neck * 0.95, radius_y=15)
    fill(canvas, shadow * view.scale + place, shaded(traits.skin, 0.4), softness=5 * view.scale, opacity=0.7)
    fill(canvas, smooth(coat, rounds=2) * view.scale + place, traits.cloth, solid=True)
    collar = band([(-neck, top + 2), (-neck / 2, top + 18), (0, top + 25), (neck / 2, top + 18), (neck, top + 2)], 5.0)
    fill(canvas, collar * view.scale + place, shaded(traits.cloth, 0.6), opacity=0.9)


def paint_ears(sketch: Sketch) -> None:
    """Both ears, level with eyes and nose."""
    head, skin = sketch.traits.head, sketch.traits.skin
    for side in SIDES:
        x = side * (head.cheek_half + 0.3 * head.ear_half)
        sketch.paint_outline(ellipse(x, 12, radius_x=head.ear_half, radius_y=24), shaded(skin, 0.82))
        hollow = ellipse(x + side * 2, 12, radius_x=head.ear_half * 0.45, radius_y=15)
        sketch.paint_outline(hollow, shaded(skin, 0.55), softness=2, opacity=0.7)


def paint_skin(canvas: Canvas, view: Projection, *, traits: FaceTraits, state: FaceState, face: Mask) -> None:
    """Skin lit from above and from one side, as a smooth egg would be."""
    rows, columns = _extent(face)
    mask = face[rows, columns]
    y, x = np.mgrid[rows, columns].astype(np.float32)
    x = (x - view.origin[0]) / (view.scale * traits.head.cheek_half)
    y = (y - view.origin[1] - 10 * view.scale) / (view.scale * 115)
    depth = np.sqrt(np.clip(1 - 0.8 * x**2 - 0.55 * y**2, 0.04, 1))
    light = 0.52 + 0.52 * depth + 0.2 * state.light_side * x - 0.1 * y
    tone = np.asarray(traits.skin, np.float32) * light[:, :, None]
    pixels = canvas.pixels[rows, columns]
    pixels += (np.minimum(tone, 255) - pixels) * mask[:, :, None]
    coverage = canvas.coverage[rows, columns]
    coverage += mask - coverage * mask


def paint_marks(sketch: Sketch) -> None:
    """Cheekbones, blush, folds, lines, a cleft, freckles and moles."""
    _paint_cheeks(sketch)
    _paint_folds(sketch)
    traits = sketch.traits
    for x, y, radius in traits.marks.freckles:
        sketch.paint(ellipse(x, y, radius_x=radius, radius_y=radius, count=8), shaded(traits.skin, 0.62), opacity=0.7)
    for x, y, radius in traits.marks.moles:
        sketch.paint(ellipse(x, y, radius_x=radius, radius_y=radius, count=12), shaded(traits.skin, 0.3), opacity=0.9)


def _paint_cheeks(sketch: Sketch) -> None:
    traits = sketch.traits
    marks, head = traits.marks, traits.head
    for side in SIDES:
        apple = ellipse(side * head.cheek_half * 0.58, 38, radius_x=14, radius_y=11)
        sketch.paint(apple, mixed(traits.skin, (90, 80, 215), share=0.4), softness=6, opacity=0.75 * marks.blush)
        hollow = band(
            [(side * head.cheek_half * 0.86, 34), (side * head.cheek_half * 0.5, traits.nose.length + 14)], 13.0
        )
        sketch.paint(hollow, shaded(traits.skin, 0.5), softness=6, opacity=0.6 * marks.cheekbones)


def _paint_folds(sketch: Sketch) -> None:
    traits, state = sketch.traits, sketch.state
    marks, nose, mouth = traits.marks, traits.nose, traits.mouth
    dark = shaded(traits.skin, 0.4)
    start, end = nose.half_width + 3, mouth.half_width + 7 + 3 * state.smile
    fold = band(
        [(start, nose.length - 4), ((start + end) / 2 + 2, nose.length + 6), (end, nose.length + mouth.gap)], 2.4
    )
    for side in SIDES:
        sketch.paint(
            mirrored(fold, side), dark, softness=1.4, opacity=min(0.85, marks.folds * 0.8 + 0.12 * state.smile)
        )
    if marks.forehead_lines > 0:
        for height in (-44, -52, -60):
            line = band([(-32, height + 2), (0, height), (32, height + 2)], 1.6)
            sketch.paint(line, dark, softness=0.9, opacity=0.55 * marks.forehead_lines)
    if marks.cleft > 0:
        cleft = band([(0, traits.head.chin_y - 15), (0, traits.head.chin_y - 4)], 2.6)
        sketch.paint(cleft, dark, softness=1.2, opacity=0.8 * marks.cleft)


def _extent(mask: Mask) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
