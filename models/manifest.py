"""The list of models this project may run, each pinned by hash and described by contract."""

import hashlib
import json
import tomllib
from enum import StrEnum
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from models.alignment import TEMPLATES, CropTemplate
from models.errors import ManifestError

_IDENTITY_HEX_DIGITS = 16
_BATCH_AXES: dict[str, int | str] = {"fixed_one": 1, "free": "n", "any": "any"}


def _plain_relative_path(value: str) -> str:
    path = PurePosixPath(value)
    if not value or path.is_absolute() or ".." in path.parts or "\\" in value:
        raise ValueError(f"expected a relative path without '..', got {value!r}")
    return value


def _named_template(value: object) -> object:
    if isinstance(value, str):
        if value not in TEMPLATES:
            raise ValueError(f"unknown template {value!r}; known: {', '.join(sorted(TEMPLATES))}, or give a table")
        return TEMPLATES[value]
    return value


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
RelativePath = Annotated[str, AfterValidator(_plain_relative_path)]
# A number is a fixed axis, a letter an axis that must be free, "any" one that may be either.
Axis = Annotated[int, Field(ge=1)] | Annotated[str, Field(pattern=r"^[a-z]+$")]


class ModelKind(StrEnum):
    """What a model is for."""

    FACE_DETECTOR = "face_detector"
    FACE_EMBEDDER = "face_embedder"
    PERSON_DETECTOR = "person_detector"
    AGE_GENDER = "age_gender"
    EXPRESSION = "expression"


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class SourceFile(_Entry):
    """One file as its publisher ships it: the path inside the archive (or its name) and its pin."""

    path: RelativePath
    sha256: Sha256
    size_bytes: Annotated[int, Field(gt=0, le=2**30)]

    @property
    def base_name(self) -> str:
        """The name under which a mirror serves the file."""
        return PurePosixPath(self.path).name


class RegistrySource(_Entry):
    """Members of a package that the registry's own client fetches."""

    kind: Literal["registry"]
    registry: Literal["pypi", "npm"]
    package: Annotated[str, Field(pattern=r"^@?[A-Za-z0-9][A-Za-z0-9._/-]*$")]
    version: Annotated[str, Field(pattern=r"^[0-9][0-9A-Za-z.+-]*$")]
    archive: Literal["wheel", "sdist", "npm"]
    archive_sha256: Sha256
    files: Annotated[tuple[SourceFile, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _archive_fits_registry(self) -> Self:
        if (self.registry == "npm") != (self.archive == "npm"):
            raise ValueError(f"registry {self.registry!r} does not carry archives of kind {self.archive!r}")
        return self


class HttpsSource(_Entry):
    """A single file at a public address."""

    kind: Literal["https"]
    url: Annotated[str, Field(pattern=r"^https://[^\s]+$")]
    files: Annotated[tuple[SourceFile, ...], Field(min_length=1, max_length=1)]


class MirrorSource(_Entry):
    """Files that only the user's own mirror can serve."""

    kind: Literal["mirror"]
    files: Annotated[tuple[SourceFile, ...], Field(min_length=1)]


Source = Annotated[RegistrySource | HttpsSource | MirrorSource, Field(discriminator="kind")]


class InputContract(_Entry):
    """How images enter the model.

    A pixel becomes `(value - mean) * scale`. Sides are fixed by `height` and `width`, or free and then a multiple
    of `multiple`. An empty `name` means the model's only input.
    """

    name: str = ""
    dtype: Literal["uint8", "float32"]
    layout: Literal["nchw", "nhwc"]
    colour: Literal["bgr", "rgb"]
    batch: Literal["fixed_one", "free", "any"] = "free"
    height: Annotated[int, Field(ge=1)] | None = None
    width: Annotated[int, Field(ge=1)] | None = None
    multiple: Annotated[int, Field(ge=1)] = 1
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: Annotated[float, Field(gt=0)] = 1.0

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
        return (batch, 3, height, width) if self.layout == "nchw" else (batch, height, width, 3)


class OutputContract(_Entry):
    """Name and shape of one result."""

    name: str = ""
    shape: tuple[Axis, ...]


class Threshold(_Entry):
    """Cosine distances `1 - a.b` of unit vectors at which a share of 1e-3 or 1e-4 of all pairs of strangers match.

    Starting points for verification, not for counting people: `evaluation` says on which faces they were measured.
    """

    cosine_distance_at_fmr_1e_3: Annotated[float, Field(gt=0, lt=2)]
    cosine_distance_at_fmr_1e_4: Annotated[float, Field(gt=0, lt=2)]
    evaluation: Annotated[str, Field(min_length=20)]


class ModelSpec(_Entry):
    """One model: where it comes from, what it must hash to, what it takes and gives.

    `family` names the code that reads the outputs.
    """

    name: Name
    kind: ModelKind
    family: Name
    version: Annotated[str, Field(min_length=1)]
    optional: bool = False
    licence: Annotated[str, Field(min_length=2)]
    source: Source
    converter: str = ""
    onnx_sha256: Sha256
    input: InputContract
    outputs: Annotated[tuple[OutputContract, ...], Field(min_length=1)]
    embedding_dim: Annotated[int, Field(ge=2)] | None = None
    metric: Literal["cosine"] | None = None
    alignment: Annotated[CropTemplate, BeforeValidator(_named_template)] | None = None
    threshold: Threshold | None = None
    notes: str = ""

    @property
    def identity(self) -> str:
        """A short hash of everything that changes the model's results; equal specs give equal results."""
        decisive = self.model_dump(
            mode="json",
            include={"kind", "family", "onnx_sha256", "input", "outputs", "embedding_dim", "metric", "alignment"},
        )
        canonical = json.dumps(decisive, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:_IDENTITY_HEX_DIGITS]

    @property
    def source_sha256(self) -> str:
        """The pin of the first source file, which holds the weights."""
        return self.source.files[0].sha256

    @model_validator(mode="after")
    def _unconverted_is_pinned_once(self) -> Self:
        if not self.converter and (len(self.source.files) != 1 or self.source_sha256 != self.onnx_sha256):
            raise ValueError("without a converter the one source file is the model: their sha256 must be equal")
        return self

    @model_validator(mode="after")
    def _embedder_is_complete(self) -> Self:
        if self.kind is ModelKind.FACE_EMBEDDER and None in (self.embedding_dim, self.metric, self.alignment):
            raise ValueError("a face_embedder needs embedding_dim, metric and alignment")
        return self

    @model_validator(mode="after")
    def _crop_fills_the_input(self) -> Self:
        side = self.alignment.side_px if self.alignment else None
        if self.kind is ModelKind.FACE_EMBEDDER and (side, side) != (self.input.height, self.input.width):
            raise ValueError(f"the crop is {side} px but the input {self.input.height} x {self.input.width}")
        return self


class Manifest(_Entry):
    """All models, in the order of the file."""

    models: Annotated[tuple[ModelSpec, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [spec.name for spec in self.models]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"model names must be unique; repeated: {', '.join(repeated)}")
        return self

    def get(self, name: str, kind: ModelKind | None = None) -> ModelSpec:
        """Return the model called `name`.

        Raises:
            ManifestError: there is none, or it is of another kind than asked for.
        """
        fitting = {spec.name: spec for spec in self.models if kind in (None, spec.kind)}
        if name not in fitting:
            what = kind.value if kind else "model"
            raise ManifestError(f"no {what} named {name!r} in the manifest; known: {', '.join(fitting) or 'none'}")
        return fitting[name]

    def required(self) -> tuple[ModelSpec, ...]:
        """Return the models the product cannot work without."""
        return tuple(spec for spec in self.models if not spec.optional)


def parse_manifest(text: str) -> Manifest:
    """Read a manifest from TOML.

    Raises:
        ManifestError: not TOML, an unknown key, or an entry that contradicts itself.
    """
    try:
        return Manifest.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"the model manifest is not valid TOML: {error}") from error
    except ValidationError as error:
        raise ManifestError(f"the model manifest is not valid: {error}") from error


def load_manifest(path: Path | None = None) -> Manifest:
    """Read the manifest at `path`, by default the one that ships with this package.

    Raises:
        ManifestError: it cannot be read or is not valid.
    """
    try:
        packaged = resources.files("models").joinpath("manifest.toml")
        text = path.read_text("utf-8") if path else packaged.read_text("utf-8")
    except OSError as error:
        raise ManifestError(f"cannot read the model manifest: {error}") from error
    return parse_manifest(text)
