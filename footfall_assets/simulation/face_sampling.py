"""Draw a person's traits from a seed, and the state of a face in one still.

The ranges are wider than anthropometry, and their ends likelier than their middles, on purpose: caricature keeps
people apart for a face embedder that never saw drawings.
"""

from dataclasses import replace
from typing import TypeVar

import numpy as np

from footfall_assets.simulation.face_model import (
    Brows,
    Colour,
    Eyes,
    FaceState,
    FaceTraits,
    Head,
    Marks,
    Mouth,
    Nose,
)

T = TypeVar("T")
Genes = tuple[int, int, int, int, int, int, int]  # seeds of the parts of a person, see `blend_traits`

SKIN_TONES: tuple[Colour, ...] = (
    (178, 202, 236),
    (158, 184, 226),
    (136, 170, 218),
    (112, 150, 204),
    (92, 130, 188),
    (76, 112, 170),
    (62, 92, 146),
)
HAIR_COLOURS: tuple[Colour, ...] = (
    (20, 18, 18),
    (26, 34, 52),
    (30, 52, 88),
    (44, 84, 132),
    (84, 150, 200),
    (36, 66, 160),
    (150, 150, 152),
    (214, 214, 216),
)
IRIS_COLOURS: tuple[Colour, ...] = ((24, 40, 70), (30, 60, 104), (70, 110, 80), (150, 110, 60), (120, 120, 110))
LIP_COLOURS: tuple[Colour, ...] = ((96, 98, 168), (86, 84, 178), (60, 50, 170), (110, 90, 140), (70, 70, 120))
MAKEUP_COLOURS: tuple[Colour, ...] = ((40, 46, 70), (40, 46, 70), (110, 60, 60), (70, 40, 100), (80, 80, 50))
CLOTH_COLOURS: tuple[Colour, ...] = (
    (60, 60, 64),
    (120, 80, 40),
    (50, 50, 150),
    (70, 110, 60),
    (170, 160, 150),
    (40, 130, 190),
    (130, 70, 110),
    (200, 200, 204),
)
HAIR_STYLES = ("bald", "buzz", "short", "parted", "quiff", "curly", "fringe", "bob", "long", "bun", "cap", "scarf")
BEARD_STYLES = ("none", "stubble", "moustache", "goatee", "full", "chinstrap")
GLASSES_STYLES = ("none", "round", "square", "browline")
SHAVEN_SHARE = 0.5  # people who never wear a beard


def draw_traits(seed: int) -> FaceTraits:
    """Traits of the person with this seed; the same seed gives the same person for ever."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))
    nose, mouth = _nose(rng), _mouth(rng)
    hair_style, beard_style = _hair_and_beard(rng)
    skin_index = int(rng.integers(len(SKIN_TONES)))
    return FaceTraits(
        seed=seed,
        head=_head(rng, mouth_y=nose.length + mouth.gap),
        eyes=_eyes(rng),
        brows=_brows(rng),
        nose=nose,
        mouth=mouth,
        marks=_marks(rng),
        skin=_tinted(SKIN_TONES[skin_index], rng),
        hair=_tinted(_pick(rng, HAIR_COLOURS), rng),
        hair_style=hair_style,
        beard_style=beard_style,
        glasses_style=_pick(rng, GLASSES_STYLES, weights=(0.52, 0.16, 0.16, 0.16)),
        glasses_colour=_pick(rng, ((24, 24, 26), (30, 40, 90), (40, 30, 120), (120, 60, 30), (50, 50, 56))),
        cloth=_tinted(_pick(rng, CLOTH_COLOURS), rng),
    )


def blend_traits(genes: Genes) -> FaceTraits:
    """The person with skin and hair, head, eyes, brows, nose, mouth and glasses of seven seeds in turn.

    Seven equal seeds give the person of that seed.
    """
    base, head, eyes, brows, nose, mouth, glasses = (draw_traits(seed) for seed in genes)
    lips = nose.nose.length + mouth.mouth.gap
    shift = lips - (head.nose.length + head.mouth.gap)
    chin_y = head.head.chin_y + shift
    return replace(
        base,
        head=replace(head.head, chin_y=chin_y, jaw_y=head.head.jaw_y * chin_y / head.head.chin_y),
        marks=head.marks,
        eyes=eyes.eyes,
        brows=brows.brows,
        nose=nose.nose,
        mouth=mouth.mouth,
        glasses_style=glasses.glasses_style,
        glasses_colour=glasses.glasses_colour,
    )


def draw_state(rng: np.random.Generator) -> FaceState:
    """One still's pose, expression, light and blur, as a shop camera above the shelf would catch them."""
    return FaceState(
        yaw=float(np.clip(rng.normal(0, 7), -16, 16)),
        pitch=float(np.clip(rng.normal(0, 4), -8, 8)),
        roll=float(np.clip(rng.normal(0, 3), -7, 7)),
        smile=float(rng.uniform(0, 0.8)),
        mouth_open=float(max(0.0, rng.uniform(-1.2, 0.5))),
        squint=float(rng.uniform(0, 0.3)),
        brow_raise=float(rng.uniform(0, 0.8)),
        gaze=float(rng.uniform(-0.7, 0.7)),
        light_side=float(rng.uniform(-1, 1)),
        light_gain=float(rng.uniform(0.86, 1.12)),
        warmth=float(rng.uniform(-1, 1)),
        blur_px=float(rng.uniform(0, 0.7)),
    )


def _head(rng: np.random.Generator, *, mouth_y: float) -> Head:
    cheek_half = _spread(rng, 62, 82)
    chin_y = mouth_y + _spread(rng, 22, 48)
    return Head(
        temple_half=cheek_half * rng.uniform(0.88, 1.02),
        cheek_half=cheek_half,
        jaw_half=cheek_half * _spread(rng, 0.64, 0.99),
        jaw_y=chin_y * rng.uniform(0.55, 0.74),
        chin_half=_spread(rng, 10, 38),
        chin_y=chin_y,
        crown_y=-rng.uniform(100, 122),
        hairline_y=-rng.uniform(48, 76),
        ear_half=rng.uniform(9, 16),
    )


def _eyes(rng: np.random.Generator) -> Eyes:
    half_spacing = _spread(rng, 25.5, 42)
    return Eyes(
        half_spacing=half_spacing,
        half_width=min(_spread(rng, 12, 20), half_spacing - 9),
        opening=_spread(rng, 7.5, 17),
        tilt=_spread(rng, -12, 17),
        iris_radius=rng.uniform(5.2, 7.2),
        iris=_pick(rng, IRIS_COLOURS),
        lash=rng.uniform(1.4, 3.6),
        crease=rng.uniform(0, 1),
        bag=max(0.0, rng.uniform(-0.6, 1)),
        shadow=rng.uniform(0.15, 0.75),
        makeup=_pick(rng, MAKEUP_COLOURS),
    )


def _brows(rng: np.random.Generator) -> Brows:
    return Brows(
        height=_spread(rng, 13, 27),
        half_length=_spread(rng, 13, 27),
        thickness=_spread(rng, 3.0, 12),
        arch=_spread(rng, -1, 10),
        tilt=_spread(rng, -17, 17),
        offset=_spread(rng, -5, 5),
        opacity=rng.uniform(0.75, 1),
    )


def _nose(rng: np.random.Generator) -> Nose:
    return Nose(
        length=_spread(rng, 34, 64),
        half_width=_spread(rng, 11, 28),
        bridge=_spread(rng, 4.5, 13),
        tip=_spread(rng, 6.5, 15),
        nostril=rng.uniform(2.2, 4.6),
        droop=rng.uniform(-3, 5),
        relief=rng.uniform(0.45, 1),
        bend=_spread(rng, -5, 5),
    )


def _mouth(rng: np.random.Generator) -> Mouth:
    return Mouth(
        gap=_spread(rng, 13, 31),
        half_width=_spread(rng, 17, 36),
        upper=rng.uniform(3, 9),
        lower=rng.uniform(4.5, 13),
        bow=rng.uniform(0, 1),
        curve=_spread(rng, -5, 5),
        skew=_spread(rng, -0.09, 0.09),
        colour=_tinted(_pick(rng, LIP_COLOURS), rng),
    )


def _marks(rng: np.random.Generator) -> Marks:
    return Marks(
        folds=max(0.0, rng.uniform(-0.5, 1)),
        forehead_lines=max(0.0, rng.uniform(-1, 1)),
        blush=max(0.0, rng.uniform(-0.5, 1)),
        cheekbones=rng.uniform(0, 1),
        cleft=max(0.0, rng.uniform(-1, 1)),
        freckles=_spots(rng, int(rng.choice((0, 0, 0, 30, 60))), radius=(0.7, 1.5)),
        moles=_spots(rng, int(rng.choice((0, 0, 1, 2))), radius=(1.8, 3.4)),
    )


def _spots(
    rng: np.random.Generator, count: int, *, radius: tuple[float, float]
) -> tuple[tuple[float, float, float], ...]:
    return tuple(
        (float(rng.uniform(-52, 52)), float(rng.uniform(8, 62)), float(rng.uniform(*radius))) for _ in range(count)
    )


def _hair_and_beard(rng: np.random.Generator) -> tuple[str, str]:
    if rng.uniform() < SHAVEN_SHARE:
        styles = ("buzz", "curly", "fringe", "bob", "long", "bun", "scarf", "parted")
        return _pick(rng, styles), "none"
    style = _pick(rng, ("bald", "buzz", "short", "parted", "quiff", "curly", "fringe", "cap"))
    return style, _pick(rng, BEARD_STYLES, weights=(0.3, 0.14, 0.14, 0.14, 0.18, 0.1))


def _tinted(colour: Colour, rng: np.random.Generator) -> Colour:
    shift = rng.uniform(0.96, 1.04, size=3) * rng.uniform(0.93, 1.06)
    blue, green, red = np.clip(np.asarray(colour) * shift, 0, 255).tolist()
    return blue, green, red


def _pick(rng: np.random.Generator, options: tuple[T, ...], *, weights: tuple[float, ...] | None = None) -> T:
    return options[int(rng.choice(len(options), p=weights))]


def _spread(rng: np.random.Generator, low: float, high: float) -> float:
    """A number from the range, its ends likelier than its middle: people who differ more than chance would."""
    return float(low + (high - low) * rng.beta(0.6, 0.6))
