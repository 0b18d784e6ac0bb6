"""What makes one procedural face differ from another, and one still of it from the next.

Lengths are millimetres on a head whose origin lies between the eyes (x right, y down, z towards the
viewer); angles are degrees; colours are BGR 0..255.
"""

from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Head:
    """The outline of skull and jaw (half widths at four heights, and those heights)."""

    temple_half: float
    cheek_half: float
    jaw_half: float
    jaw_y: float
    chin_half: float
    chin_y: float
    crown_y: float
    hairline_y: float
    ear_half: float


@dataclass(frozen=True)
class Eyes:
    """Eye openings, lids and irises."""

    half_spacing: float
    half_width: float
    opening: float
    tilt: float
    iris_radius: float
    iris: Colour
    lash: float
    crease: float
    bag: float
    shadow: float
    makeup: Colour


@dataclass(frozen=True)
class Brows:
    """Eyebrows, measured from the eye they belong to."""

    height: float
    half_length: float
    thickness: float
    arch: float
    tilt: float
    offset: float
    opacity: float


@dataclass(frozen=True)
class Nose:
    """Bridge, tip and wings of the nose."""

    length: float
    half_width: float
    bridge: float
    tip: float
    nostril: float
    droop: float
    relief: float
    bend: float


@dataclass(frozen=True)
class Mouth:
    """Lips; `gap` is the distance from the base of the nose to the line between them."""

    gap: float
    half_width: float
    upper: float
    lower: float
    bow: float
    curve: float
    skew: float
    colour: Colour


@dataclass(frozen=True)
class Marks:
    """What time and sun leave on a skin; strengths 0..1, positions in millimetres."""

    folds: float
    forehead_lines: float
    blush: float
    cheekbones: float
    cleft: float
    freckles: tuple[tuple[float, float, float], ...]
    moles: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class FaceTraits:
    """Everything that stays the same about a person from still to still."""

    seed: int
    head: Head
    eyes: Eyes
    brows: Brows
    nose: Nose
    mouth: Mouth
    marks: Marks
    skin: Colour
    hair: Colour
    hair_style: str
    beard_style: str
    glasses_style: str
    glasses_colour: Colour
    cloth: Colour


@dataclass(frozen=True)
class FaceState:
    """What changes from still to still: pose (degrees), expression (0..1, gaze and lean -1..1), light and blur."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    smile: float = 0.0
    mouth_open: float = 0.0
    squint: float = 0.0
    brow_raise: float = 0.0
    gaze: float = 0.0
    light_side: float = 0.0
    light_gain: float = 1.0
    warmth: float = 0.0
    blur_px: float = 0.0
