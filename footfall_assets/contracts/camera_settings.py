"""What is set for a camera and for the device behind it: source, zones, masks, limits, model pins."""

from enum import StrEnum
from typing import Annotated, Final, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.ids import Sha256, Slug

_MOST_CORNERS: Final = 64  # of a polygon; more is a drawing, not an area
_MOST_ADDRESS_CHARACTERS: Final = 2048
_LARGEST_PLAN_M: Final = 10_000  # an airport; more is a slip of the keyboard
_SECRET_PARAMETERS: Final = {"user", "username", "usr", "password", "passwd", "pwd", "pass", "token", "auth", "key"}


def _without_credentials(address: str) -> str:
    """Return `address` when it names no user: the registry and the lake are no place for passwords."""
    try:
        parts = urlsplit(address)
        named = bool(parts.username or parts.password) if parts.netloc else False
    except ValueError as error:
        raise ValueError("expected an address such as rtsp://10.0.0.7:554/stream1, got something else") from error
    if named or _SECRET_PARAMETERS & {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}:
        raise ValueError("expected an address without credentials; put those into the device's own secrets file")
    if not address.isprintable():
        raise ValueError("expected an address of printable characters")
    return address


CameraAddress = Annotated[
    str, Field(min_length=1, max_length=_MOST_ADDRESS_CHARACTERS), AfterValidator(_without_credentials)
]
Fraction = Annotated[float, Field(ge=0, le=1)]
Polygon = Annotated[tuple[tuple[Fraction, Fraction], ...], Field(min_length=3, max_length=_MOST_CORNERS)]
IntervalSeconds = Annotated[float, Field(gt=0, le=3600)]
Metres = Annotated[float, Field(ge=0, le=_LARGEST_PLAN_M)]
PlanPosition = tuple[Metres, Metres]  # on the plan of a location: to the right, and back, from its left front corner


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SourceKind(StrEnum):
    """What stands behind a camera."""

    NETWORK = "network"  # rtsp(s):// or http(s)://
    USB = "usb"  # a device number such as 0
    VIDEO = "video"  # a recorded file, played once or in a loop
    FOLDER = "folder"  # stills in a folder
    SYNTHETIC = "synthetic"  # drawn scenes, for tests and demonstrations


class Zone(_Record):
    """A named area of a camera's picture; corners are fractions of its width and height, (0, 0) top left."""

    name: Slug
    polygon: Polygon


class ModelPin(_Record):
    """A model by the name in `models/manifest.toml` and the hash of its converted file."""

    name: Slug
    sha256: Sha256


class Limits(_Record):
    """How much a device may keep, and how fast it may send."""

    batch_stills: int = Field(default=200, ge=1, le=5_000)
    batch_bytes: int = Field(default=32 * 1024**2, ge=1)
    batch_age_s: float = Field(default=300.0, gt=0)
    jpeg_quality: int = Field(default=80, ge=1, le=100)  # percent; a face moves by 0.003 of cosine distance
    people_only: bool = True  # grey out all but what the filter found: less leaves the store, in a fifth of the bytes
    spool_bytes: int = Field(default=20 * 1024**3, ge=1)
    spool_items: int = Field(default=100_000, ge=1)  # each is one file: a cap on inodes
    when_full: Literal["drop_oldest", "reject_new"] = "drop_oldest"
    upload_bytes_per_s: int | None = Field(default=None, ge=1)  # None: as fast as the link


def parse_polygon(text: str) -> tuple[tuple[float, float], ...]:
    """Return the corners in `0.1,0.2/0.5,0.2/0.5,0.9`: fractions of width and height, checked where they are used.

    Raises:
        UserMistake: not pairs of numbers.
    """
    try:
        corners = tuple(tuple(float(number) for number in corner.split(",")) for corner in text.split("/"))
        return tuple((x, y) for x, y in corners)
    except ValueError as error:
        raise UserMistake(
            f"expected corners such as 0.1,0.2/0.5,0.2/0.5,0.9 (fractions of width and height), got {text[:80]!r}"
        ) from error


def parse_plan_position(text: str) -> tuple[float, float]:
    """Return the place in `7.5,8`: metres from the left front corner of the plan, checked where they are used.

    Raises:
        UserMistake: not two numbers.
    """
    try:
        x, y = (float(number) for number in text.split(","))
    except ValueError as error:
        raise UserMistake(
            "expected a place on the plan such as 7.5,8 (metres to the right and back from its left front corner), "
            f"got {text[:80]!r}"
        ) from error
    return x, y
