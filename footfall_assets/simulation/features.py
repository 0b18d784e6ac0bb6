"""Eyes, brows, nose and mouth: what a detector looks for and an embedder measures."""

import numpy as np

from footfall_assets.simulation.brush import Points, band, coverage_of, ellipse
from footfall_assets.simulation.face_model import Colour
from footfall_assets.simulation.sketch import SIDES, Sketch, mirrored, mixed, shaded

BROW_ROOT = -0.85  # from here to the nose, as a share of the half length, a brow thins out
SCLERA: Colour = (226, 230, 234)
INK: Colour = (14, 14, 18)
MOUTH_DARK: Colour = (28, 20, 44)
TEETH: Colour = (214, 226, 230)


def paint_eyes(sketch: Sketch) -> None:
    """Sockets, eyes and lids on both sides."""
    for side in SIDES:
        _paint_socket(sketch, side)
        _paint_eye(sketch, side)
        _paint_lids(sketch, side)


def paint_brows(sketch: Sketch) -> None:
    """Both eyebrows, in a darker shade of the hair."""
    brows, eyes, skin = sketch.traits.brows, sketch.traits.eyes, sketch.traits.skin
    colour = mixed(shaded(sketch.traits.hair, 0.55), shaded(skin, 0.3), share=0.45)
    t = np.linspace(-1, 1, 12)
    x = eyes.half_spacing + brows.offset + t * brows.half_length
    y = -brows.height - 5 * sketch.state.brow_raise - brows.arch * (1 - t**2)
    y -= np.tan(np.radians(brows.tilt)) * t * brows.half_length
    thickness = brows.thickness * (1 - 0.62 * np.clip(t, 0, 1) ** 2) * np.where(t < BROW_ROOT, 0.7, 1)
    stroke = band(np.stack([x, y], axis=1), thickness)
    for side in SIDES:
        sketch.paint(mirrored(stroke, side), colour, softness=1.0, opacity=brows.opacity, lift=2)


def paint_nose(sketch: Sketch) -> None:
    """Bridge, tip, wings and nostrils, modelled by light from above and one side."""
    _paint_bridge(sketch)
    _paint_wings(sketch)
    _paint_tip(sketch)


def paint_mouth(sketch: Sketch) -> None:
    """Lips and, when the mouth is open, teeth and the dark behind them."""
    mouth, state = sketch.traits.mouth, sketch.state
    x, line = _lip_line(sketch)
    opening = 9 * state.mouth_open * np.sqrt(np.clip(1 - (x / x.max()) ** 2, 0, 1))
    rim = np.clip(1 - np.abs(x / x.max()) ** 2.2, 0, 1)
    bow = 1 - 0.45 * mouth.bow * np.exp(-((x / 4.5) ** 2))
    top, bottom = line - mouth.upper * rim * bow, line + opening + mouth.lower * rim
    skin = sketch.traits.skin
    colour = mixed(mouth.colour, skin, share=0.25)
    shadow = ellipse(0, float(bottom.max()) + 5, radius_x=mouth.half_width * 0.6, radius_y=3.5)
    sketch.paint(shadow, shaded(skin, 0.5), softness=2.5, opacity=0.5)
    sketch.paint(_between(x, top, line), shaded(colour, 0.78), lift=4)
    sketch.paint(_between(x, line + opening, bottom), colour, lift=4)
    if state.mouth_open > 0:
        sketch.paint(_between(x, line, line + opening), MOUTH_DARK, lift=3)
        sketch.paint(_between(x * 0.8, line, line + 0.5 * opening), TEETH, lift=3)
    seam = band(np.stack([x, line], axis=1), 1.8)
    sketch.paint(seam, MOUTH_DARK, softness=0.6, opacity=0.9, lift=4)
    gleam = ellipse(0, float(np.mean(bottom) + opening.mean() / 2), radius_x=mouth.half_width * 0.3, radius_y=1.2)
    sketch.paint(gleam, shaded(colour, 1.35), softness=1.2, opacity=0.5, lift=4)
    for side in SIDES:
        corner = ellipse(side * float(x.max()), float(line[-1]), radius_x=2.4, radius_y=2)
        sketch.paint(corner, shaded(skin, 0.4), softness=1.5, opacity=0.6, lift=2)


def _eye_outline(sketch: Sketch) -> tuple[Points, Points]:
    eyes = sketch.traits.eyes
    opening = eyes.opening * (1 - 0.45 * sketch.state.squint - 0.12 * sketch.state.smile)
    t = np.linspace(-1, 1, 14)
    slope = -np.tan(np.radians(eyes.tilt)) * t * eyes.half_width
    x = eyes.half_spacing + t * eyes.half_width
    upper = slope - 0.6 * opening * (1 - np.abs(t) ** 2.2)
    lower = slope + 0.4 * opening * (1 - np.abs(t) ** 2.0)
    return np.stack([x, upper], axis=1).astype(np.float32), np.stack([x, lower], axis=1).astype(np.float32)


def _paint_socket(sketch: Sketch, side: int) -> None:
    eyes, skin = sketch.traits.eyes, sketch.traits.skin
    hollow = ellipse(side * eyes.half_spacing, -3, radius_x=eyes.half_width * 1.25, radius_y=12)
    sketch.paint(
        hollow, mixed(shaded(skin, 0.42), eyes.makeup, share=0.5), softness=5, opacity=0.35 + 0.4 * eyes.shadow
    )
    inner = ellipse(side * (eyes.half_spacing - eyes.half_width - 2), -2, radius_x=4, radius_y=8)
    sketch.paint(inner, shaded(skin, 0.4), softness=2.5, opacity=0.45)
    if eyes.bag > 0:
        bag = band(_arc(side * eyes.half_spacing, 9, half=eyes.half_width, sag=6), 3.5)
        sketch.paint(bag, shaded(skin, 0.5), softness=1.6, opacity=0.6 * eyes.bag)


def _paint_eye(sketch: Sketch, side: int) -> None:
    eyes = sketch.traits.eyes
    upper, lower = _eye_outline(sketch)
    outline = mirrored(np.concatenate([upper, lower[::-1]]), side)
    sketch.paint(outline, SCLERA, softness=0.4)
    ball = coverage_of(sketch.canvas, sketch.view.surface(outline)) * sketch.face
    x, y = side * eyes.half_spacing + 3.5 * sketch.state.gaze, -1.0
    iris = eyes.iris_radius
    sketch.paint(ellipse(x, y, radius_x=iris, radius_y=iris), shaded(eyes.iris, 0.6), softness=0.4, within=ball)
    sketch.paint(ellipse(x, y, radius_x=iris * 0.78, radius_y=iris * 0.78), eyes.iris, softness=0.5, within=ball)
    sketch.paint(ellipse(x, y, radius_x=iris * 0.5, radius_y=iris * 0.5), INK, softness=0.4, within=ball)
    sketch.paint(ellipse(x - 1.6, y - 1.8, radius_x=1.1, radius_y=1.1), (252, 252, 252), softness=0.3, within=ball)


def _paint_lids(sketch: Sketch, side: int) -> None:
    eyes, skin = sketch.traits.eyes, sketch.traits.skin
    upper, lower = _eye_outline(sketch)
    taper = np.linspace(0.6, 1.3, len(upper))
    sketch.paint(mirrored(band(upper, eyes.lash * taper), side), INK, softness=0.5, opacity=0.95)
    sketch.paint(mirrored(band(lower, 1.2), side), shaded(skin, 0.35), softness=0.5, opacity=0.7)
    if eyes.crease > 0:
        crease = upper - np.array([0, 3.2], np.float32)
        sketch.paint(mirrored(band(crease, 1.4), side), shaded(skin, 0.35), softness=0.6, opacity=0.8 * eyes.crease)


def _paint_bridge(sketch: Sketch) -> None:
    nose, skin = sketch.traits.nose, sketch.traits.skin
    y = np.linspace(-8, nose.length - 6, 10)
    rise = np.clip(y / nose.length, 0, 1)
    bend = nose.bend * rise
    half = nose.bridge + (nose.tip - nose.bridge) * rise
    for side in SIDES:
        lit = 0.5 - 0.5 * side * sketch.state.light_side
        flank = band(np.stack([side * (half + 2.5) + bend, y], axis=1), 7.0)
        sketch.paint(flank, shaded(skin, 0.45), softness=3, opacity=nose.relief * (0.3 + 0.4 * (1 - lit)), lift=6)
    ridge = band(np.stack([bend, y], axis=1), half * 0.7)
    sketch.paint(ridge, shaded(skin, 1.22), softness=2.2, opacity=0.6 * nose.relief, lift=12)


def _paint_wings(sketch: Sketch) -> None:
    nose, skin = sketch.traits.nose, sketch.traits.skin
    base = nose.length
    under = ellipse(nose.bend * 0.7, base + 3, radius_x=nose.half_width * 0.85, radius_y=3.4)
    sketch.paint(under, shaded(skin, 0.42), softness=2, opacity=0.75, lift=6)
    for side in SIDES:
        wing = _arc(side * (nose.half_width - 3), base - 5, half=4.5, sag=5)
        wing[:, 0] = side * (nose.half_width - 2 + 3.5 * np.cos(np.linspace(-1.3, 1.3, len(wing))))
        wing[:, 1] = base - 5 + 7 * np.sin(np.linspace(-1.3, 1.3, len(wing)))
        sketch.paint(band(wing, 2.4), shaded(skin, 0.38), softness=0.9, opacity=0.85, lift=5)
        hole = ellipse(
            side * nose.half_width * 0.48 + nose.bend * 0.8,
            base + nose.droop * 0.3,
            radius_x=nose.nostril * 1.25,
            radius_y=nose.nostril * 0.75,
        )
        sketch.paint(hole, shaded(skin, 0.16), softness=0.8, opacity=0.92, lift=8)


def _paint_tip(sketch: Sketch) -> None:
    nose, skin = sketch.traits.nose, sketch.traits.skin
    tip_y = nose.length - 9 + nose.droop
    ball = ellipse(nose.bend, tip_y, radius_x=nose.tip * 0.75, radius_y=nose.tip * 0.62)
    sketch.paint(ball, shaded(skin, 1.18), softness=2.6, opacity=0.6, lift=18)
    gleam = ellipse(nose.bend - 2 * sketch.state.light_side, tip_y - 2, radius_x=2.2, radius_y=1.8)
    sketch.paint(gleam, shaded(skin, 1.4), softness=1.2, opacity=0.6, lift=20)


def _lip_line(sketch: Sketch) -> tuple[Points, Points]:
    mouth, state = sketch.traits.mouth, sketch.state
    half = mouth.half_width * (1 + 0.16 * state.smile)
    x = np.linspace(-half, half, 25)
    curve = mouth.curve + 5.5 * state.smile
    y = sketch.traits.nose.length + mouth.gap - curve * ((x / half) ** 2 - 0.4) + mouth.skew * x
    return x, y


def _between(x: Points, top: Points, bottom: Points) -> Points:
    return np.concatenate([np.stack([x, top], axis=1), np.stack([x, bottom], axis=1)[::-1]]).astype(np.float32)


def _arc(x: float, y: float, *, half: float, sag: float) -> Points:
    t = np.linspace(-1, 1, 10)
    return np.stack([x + t * half, y + sag * (1 - t**2)], axis=1).astype(np.float32)
