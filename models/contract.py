"""What a model takes and gives, as its manifest entry says it: pixels in, vectors or maps out."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from models.errors import ManifestError

_BATCH_AXES: dict[str, int | str] = {"fixed_one": 1, "free": "n", "any": "any"}
_CHANNELS = 3

# A number is a fixed axis, a letter one that the declaration leaves free, "any" one that may be either.
Axis = Annotated[int, Field(ge=1)] | Annotated[str, Field(pattern=r"^[a-z]+$")]


def _a_channel_each(value: object) -> object:
    """Spread one number over the three channels."""
    return (value,) * _CHANNELS if isinstance(value, (int, float)) else value


def _numbers(name: str, value: object) -> tuple[float, float, float]:
    spread = _a_channel_each(value)
    if isinstance(spread, (list, tuple)) and len(spread) == _CHANNELS:
        red, green, blue = spread
        if all(isinstance(each, (int, float)) for each in spread):
            return float(red), float(green), float(blue)
    raise ValueError(f"{name}: expected a number or three, got {value!r}")


def _positive(name: str, value: object) -> tuple[float, float, float]:
    numbers = _numbers(name, value)
    if min(numbers) <= 0:
        raise ValueError(f"{name}: expected numbers greater than 0, got {value!r}")
    return numbers


def _one_if_equal(numbers: tuple[float, ...]) -> float | tuple[float, ...]:
    return numbers[0] if len(set(numbers)) == 1 else numbers


class ManifestEntry(BaseModel):
    """Base of everything in the manifest: frozen, unknown keys and numbers that are none refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)


Channels = Annotated[tuple[float, float, float], BeforeValidator(_a_channel_each)]
_Positive = Annotated[float, Field(gt=0)]


class InputContract(ManifestEntry):
    """How images enter the model.

    A pixel of 0 to 255 becomes `(value - mean) * scale`, channel by channel in the order of `colour`; one number
    stands for all three channels. Two other spellings are understood and kept in that form: `std` for `1 / scale`, and
    `offset` beside `scale` for `value * scale + offset`.

    Sides are fixed by `height` and `width`, or free and then a multiple of `multiple`. An empty `name` means the
    model's only input. `batch`: "fixed_one" feeds one image at a time, "free" needs a free first axis, "any" takes
    the file as it is.
    """

    name: str = ""
    dtype: Literal["uint8", "float16", "float32"]
    layout: Literal["nchw", "nhwc"]
    colour: Literal["bgr", "rgb"]
    batch: Literal["fixed_one", "free", "any"] = "free"
    height: Annotated[int, Field(ge=1)] | None = None
    width: Annotated[int, Field(ge=1)] | None = None
    multiple: Annotated[int, Field(ge=1)] = 1
    mean: Channels = (0.0, 0.0, 0.0)
    scale: _Positive | tuple[_Positive, _Positive, _Positive] = 1.0

    @model_validator(mode="before")
    @classmethod
    def _spelled_as_mean_and_scale(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the file says
        if not isinstance(given, dict) or not {"std", "offset"} & set(given):
            return given
        said = dict(given)
        if "std" in said:
            if {"scale", "offset"} & set(said):
                raise ValueError("std stands for 1 / scale: give std, or scale with or without offset")
            said["scale"] = _one_if_equal(tuple(1 / std for std in _positive("std", said.pop("std"))))
        if "offset" in said:
            if "mean" in said:
                raise ValueError("give a mean (subtracted before scaling) or an offset (added after it), not both")
            scales = _positive("scale", said.get("scale", 1.0))
            offsets = _numbers("offset", said.pop("offset"))
            said["mean"] = tuple(-offset / scale for offset, scale in zip(offsets, scales, strict=True))
        return said

    @model_validator(mode="after")
    def _both_sides_or_none(self) -> Self:
        if (self.height is None) != (self.width is None):
            raise ValueError("give both height and width, or neither")
        if self.dtype == "uint8" and (any(self.mean) or self.scale != 1.0):
            raise ValueError("a uint8 input cannot carry a mean or a scale")
        return self

    def fixed_sides(self) -> tuple[int, int]:
        """Return height and width in pixels.

        Raises:
            ManifestError: the model takes images of any size.
        """
        if self.height is None or self.width is None:
            raise ManifestError("this kind of model needs input.height and input.width in the manifest")
        return self.height, self.width

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The declared shape in the model's layout."""
        batch: Axis = _BATCH_AXES[self.batch]
        height: Axis = self.height or "h"
        width: Axis = self.width or "w"
        return (batch, _CHANNELS, height, width) if self.layout == "nchw" else (batch, height, width, _CHANNELS)


class OutputContract(ManifestEntry):
    """One result: its name, or its place among the file's outputs from 0, and its shape."""

    name: str = ""
    index: Annotated[int, Field(ge=0)] | None = None
    shape: tuple[Axis, ...]

    @model_validator(mode="after")
    def _named_or_numbered(self) -> Self:
        if self.name and self.index is not None:
            raise ValueError("give the output's name or its index, not both")
        return self


_Distance = Annotated[float, Field(gt=0, lt=2)]


class Threshold(ManifestEntry):
    """Cosine distances `1 - a.b` of unit vectors at which a share of 1e-3 to 1e-5 of all pairs of strangers match.

    Starting points for verification, not for counting people: `evaluation` says on which faces they were measured.
    A publisher's Euclidean distances go in as `euclidean_distance_at_...` and are kept as cosine distances: between
    vectors of length L, `d * d / (2 * L * L)`. L is `vector_length`, 1 unless given.
    """

    cosine_distance_at_fmr_1e_3: _Distance
    cosine_distance_at_fmr_1e_4: _Distance
    cosine_distance_at_fmr_1e_5: _Distance | None = None
    evaluation: Annotated[str, Field(min_length=20)]

    @model_validator(mode="before")
    @classmethod
    def _as_cosine_distances(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the file says
        if not isinstance(given, dict):
            return given
        said = dict(given)
        length = _positive("vector_length", said.pop("vector_length", 1.0))[0]
        for name in [name for name in said if name.startswith("euclidean_")]:
            distance = _positive(name, said.pop(name))[0]
            said.setdefault(name.replace("euclidean", "cosine", 1), distance**2 / (2 * length**2))
        return said
