"""Hair, hats, beards and glasses."""

import numpy as np

from footfall_assets.simulation.brush import Points, band, ellipse, fill, smooth
from footfall_assets.simulation.face_model import Head
from footfall_assets.simulation.sketch import SIDES, Sketch, mirrored, mixed, shaded

HIDDEN_EARS = ("bob", "long", "scarf")


def paint_hair_behind(sketch: Sketch) -> None:
    """What of the hair, or of a scarf, lies behind the head."""
    traits, style = sketch.traits, sketch.traits.hair_style
    head = traits.head
    half = head.cheek_half
    if style in {"bob", "long"}:
        end = head.chin_y + (10 if style == "bob" else 75)
        sketch.paint_outline(_mane(half * 1.28, head.crown_y * 1.1, end), shaded(traits.hair, 0.7))
    elif style == "curly":
        sketch.paint_outline(_curls(half * 1.3, head.crown_y * 1.16, 22), shaded(traits.hair, 0.8))
    elif style == "bun":
        sketch.paint_outline(ellipse(0, head.crown_y * 1.14, radius_x=30, radius_y=26), shaded(traits.hair, 0.85))
    elif style == "scarf":
        sketch.paint_outline(_mane(half * 1.24, head.crown_y * 1.1, head.chin_y + 60), shaded(traits.cloth, 0.8))


def paint_hair_before(sketch: Sketch) -> None:
    """What of the hair, or of a hat, lies before the head."""
    style = sketch.traits.hair_style
    if style == "cap":
        _paint_cap(sketch)
    elif style == "scarf":
        _paint_scarf(sketch)
    elif style == "buzz":
        _paint_buzz(sketch)
    elif style != "bald":
        _paint_top(sketch, style)


def paint_beard(sketch: Sketch) -> None:
    """Moustache and beard in the colour of the hair."""
    traits = sketch.traits
    style, mouth, head = traits.beard_style, traits.mouth, traits.head
    colour = mixed(shaded(traits.hair, 0.7), shaded(traits.skin, 0.3), share=0.3)
    lip = traits.nose.length + mouth.gap
    if style in {"stubble", "full", "chinstrap"}:
        opacity = {"stubble": 0.38, "full": 0.92, "chinstrap": 0.85}[style]
        rise = lip + 8 if style == "chinstrap" else traits.nose.length + 5
        sketch.paint(_jaw_beard(head, rise, lip), colour, softness=2.6, opacity=opacity)
    if style in {"moustache", "goatee", "full", "stubble"}:
        _paint_moustache(sketch, lip, opacity=0.4 if style == "stubble" else 0.92)
    if style == "goatee":
        tuft = smooth([(-15, lip + 11), (15, lip + 11), (19, head.chin_y), (0, head.chin_y + 12), (-19, head.chin_y)])
        sketch.paint(tuft, colour, softness=1.8, opacity=0.92)


def paint_glasses(sketch: Sketch) -> None:
    """Frames before the eyes, with a bridge, arms and a hint of glass."""
    traits = sketch.traits
    if traits.glasses_style == "none":
        return
    x, colour = traits.eyes.half_spacing + 1, traits.glasses_colour
    for side in SIDES:
        rim = mirrored(_rim(traits.glasses_style, x), side)
        closed = np.concatenate([rim, rim[:2]])
        sketch.paint(rim, (235, 235, 235), softness=0.5, opacity=0.07, lift=10)
        sketch.paint(band(closed, 2.4), colour, softness=0.5, opacity=0.95, lift=10)
        if traits.glasses_style == "browline":
            sketch.paint(mirrored(band([(x - 22, -14), (x, -17), (x + 23, -14)], 6.0), side), colour, lift=10)
        sketch.paint(mirrored(band([(x + 22, -6), (traits.head.cheek_half, -4)], 3.0), side), colour, lift=4)
    sketch.paint(band([(-x + 20, -3), (0, -6), (x - 20, -3)], 3.0), colour, softness=0.5, lift=12)


def _paint_top(sketch: Sketch, style: str) -> None:
    traits = sketch.traits
    head = traits.head
    if style == "curly":
        outline = _curly_top(head)
    elif style in {"fringe", "bob"}:
        outline = _cap_of_hair(head, rise=1.1, dip=30.0 if style == "fringe" else 22.0)
    elif style == "quiff":
        outline = _cap_of_hair(head, rise=1.28, dip=-4.0)
    elif style == "parted":
        outline = _parted(head)
    else:
        outline = _cap_of_hair(head, rise=1.1, dip=2.0)
    sketch.paint_outline(outline, traits.hair, softness=1.2)
    _paint_strands(sketch)
    if style in {"bob", "long"}:
        for side in SIDES:
            lock = band(
                [
                    (side * head.temple_half, -70),
                    (side * head.cheek_half * 1.1, 0),
                    (side * head.cheek_half * 1.08, 60),
                ],
                20.0,
            )
            sketch.paint_outline(lock, shaded(traits.hair, 0.92), softness=1.2)


def _paint_buzz(sketch: Sketch) -> None:
    shorn = sketch.view.outline(_cap_of_hair(sketch.traits.head, rise=1.1, dip=0.0))
    softness = sketch.view.length(2.5)
    fill(sketch.canvas, shorn, sketch.traits.hair, softness=softness, opacity=0.78, within=sketch.face)


def _paint_strands(sketch: Sketch) -> None:
    head, hair = sketch.traits.head, sketch.traits.hair
    for index, x in enumerate((-38, -16, 8, 30)):
        strand = band([(x, head.crown_y * 1.02), (x * 1.2, (head.crown_y + head.hairline_y) / 2)], 5.0)
        sketch.paint_outline(strand, shaded(hair, 1.45 if index % 2 else 0.7), softness=2.5, opacity=0.5)


def _paint_cap(sketch: Sketch) -> None:
    head, cloth = sketch.traits.head, sketch.traits.cloth
    colour = mixed(cloth, (90, 60, 40), share=0.5)
    sketch.paint_outline(_cap_of_hair(head, rise=1.12, dip=0.0), colour)
    brim = band(
        [(-head.temple_half, head.hairline_y), (0, head.hairline_y + 9), (head.temple_half, head.hairline_y)], 13.0
    )
    sketch.paint_outline(brim, shaded(colour, 0.6), softness=1)
    sketch.paint_outline(band([(0, head.crown_y * 1.1), (0, head.hairline_y)], 2.0), shaded(colour, 0.7))


def _paint_scarf(sketch: Sketch) -> None:
    head, cloth = sketch.traits.head, sketch.traits.cloth
    sketch.paint_outline(_cap_of_hair(head, rise=1.1, dip=0.0), cloth)
    for side in SIDES:
        fall = band(
            [
                (side * head.temple_half * 0.98, head.hairline_y - 6),
                (side * head.cheek_half * 1.06, 0),
                (side * head.jaw_half * 1.05, head.jaw_y),
                (side * head.chin_half * 0.8, head.chin_y + 12),
            ],
            17.0,
        )
        sketch.paint_outline(fall, shaded(cloth, 0.9), softness=1)
    sketch.paint_outline(
        ellipse(0, head.chin_y + 26, radius_x=head.jaw_half * 0.9, radius_y=18), shaded(cloth, 0.8), softness=2
    )


def _paint_moustache(sketch: Sketch, lip: float, *, opacity: float) -> None:
    mouth, nose = sketch.traits.mouth, sketch.traits.nose
    colour = mixed(shaded(sketch.traits.hair, 0.7), shaded(sketch.traits.skin, 0.3), share=0.3)
    middle = (nose.length + lip - mouth.upper) / 2 + 3
    half = mouth.half_width * 1.12
    x = np.linspace(-half, half, 13)
    spine = np.stack([x, middle + 6 * (x / half) ** 2], axis=1)
    thickness = min(9.0, mouth.gap * 0.5) * (1 - 0.6 * np.abs(x / half))
    sketch.paint(band(spine, thickness), colour, softness=1.3, opacity=opacity, lift=4)


def _mane(half: float, top: float, end: float) -> Points:
    corners = [(0, top), (half * 0.8, top * 0.92), (half, 0), (half, end * 0.8), (half * 0.75, end)]
    return smooth(corners + [(-x, y) for x, y in corners[:0:-1]])


def _curls(half: float, top: float, count: int) -> Points:
    angle = np.linspace(0, 2 * np.pi, count * 6, endpoint=False)
    bumps = 1 + 0.05 * np.sin(count * angle)
    return np.stack([half * bumps * np.cos(angle), top * 0.3 - top * 0.72 * bumps * np.sin(angle)], axis=1).astype(
        np.float32
    )


def _curly_top(head: Head) -> Points:
    line = np.linspace(head.temple_half, -head.temple_half, 40)
    edge = head.hairline_y + 5 + 4 * np.sin(line / 4)
    over = _curls(head.temple_half * 1.15, head.crown_y * 1.12, 16)
    over = over[over[:, 1] < head.hairline_y]
    over = over[np.argsort(over[:, 0])]
    return np.concatenate([over, np.stack([line, edge], axis=1)]).astype(np.float32)


def _cap_of_hair(head: Head, *, rise: float, dip: float) -> Points:
    half, line = head.temple_half, head.hairline_y
    over = [
        (-half * 1.12, -14),
        (-half * 1.24, line),
        (-half * 0.95, head.crown_y * rise),
        (0, head.crown_y * rise * 1.05),
    ]
    over += [(half * 0.95, head.crown_y * rise), (half * 1.24, line), (half * 1.12, -14)]
    edge = [(half * 0.94, -24), (half * 0.82, line * 0.9), (half * 0.4, line + dip), (-half * 0.4, line + dip)]
    return smooth([*over, *edge, (-half * 0.82, line * 0.9), (-half * 0.94, -24)])


def _parted(head: Head) -> Points:
    half, line, crown = head.temple_half, head.hairline_y, head.crown_y
    over = [
        (-half * 1.14, -10),
        (-half * 1.26, line),
        (-half * 0.95, crown * 1.1),
        (0, crown * 1.15),
        (half * 0.92, crown * 1.06),
    ]
    over += [(half * 1.2, line), (half * 1.12, -16)]
    edge = [
        (half * 0.93, -22),
        (half * 0.7, line),
        (half * 0.3, line - 16),
        (-half * 0.3, line + 8),
        (-half * 0.8, line + 26),
    ]
    return smooth([*over, *edge, (-half * 0.94, -20)])


def _jaw_beard(head: Head, rise: float, lip: float) -> Points:
    half = head.cheek_half
    right = [
        (half * 1.05, 16),
        (head.jaw_half + 8, head.jaw_y + 6),
        (head.chin_half + 14, head.chin_y + 8),
        (0, head.chin_y + 14),
    ]
    inner = [(0, lip + 9), (head.jaw_half * 0.45, lip + 6), (head.jaw_half * 0.72, rise), (half * 0.9, 24)]
    left = [(-x, y) for x, y in right[2::-1]]
    return smooth([*right, *left, *[(-x, y) for x, y in inner[::-1]], *inner[1:]])


def _rim(style: str, x: float) -> Points:
    if style == "round":
        return ellipse(x, 1, radius_x=21, radius_y=20)
    return smooth([(x - 22, -14), (x + 24, -15), (x + 21, 16), (x - 18, 16)], rounds=2)


def paint_nape(sketch: Sketch) -> None:
    """The back of the head: hair, hat or scarf down to the neck, or a bald head."""
    traits, head = sketch.traits, sketch.traits.head
    if traits.hair_style == "bald":
        return
    colour = traits.cloth if traits.hair_style in {"cap", "scarf"} else traits.hair
    low = head.jaw_y if traits.hair_style in HIDDEN_EARS else 35.0
    half = head.temple_half * 1.06
    corners = [(0, head.crown_y * 1.1), (half, head.crown_y), (half * 1.05, -20), (half * 0.8, low), (0, low + 14)]
    sketch.paint_outline(smooth(corners + [(-x, y) for x, y in corners[-2:0:-1]]), colour, softness=1.5)
    _paint_strands(sketch)
