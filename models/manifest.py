"""The list of models this project may run, each pinned by hash and described by contract."""

import hashlib
import json
import tomllib
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from models.alignment import TEMPLATES, CropTemplate
from models.contract import InputContract, ManifestEntry, OutputContract, Threshold
from models.errors import ManifestError
from models.sources import Sha256, Source

_IDENTITY_HEX_DIGITS = 16


def _named_template(value: object) -> object:
    if isinstance(value, str):
        if value not in TEMPLATES:
            raise ValueError(f"unknown template {value!r}; known: {', '.join(sorted(TEMPLATES))}, or give a table")
        return TEMPLATES[value]
    return value


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]


class ModelKind(StrEnum):
    """What a model is for."""

    FACE_DETECTOR = "face_detector"
    FACE_EMBEDDER = "face_embedder"
    PERSON_DETECTOR = "person_detector"
    AGE_GENDER = "age_gender"
    EXPRESSION = "expression"


class ModelSpec(ManifestEntry):
    """One model: where it comes from, what it must hash to, what it takes and gives.

    `family` names the code that reads the outputs. `metric` is the publisher's own way to compare vectors; ours is the
    cosine distance of unit vectors, which ranks like Euclidean distance between unit vectors, while what the length
    of a raw vector says is given up. `mirror_helps` is false for an embedder that gains nothing from the average of a
    face and its mirror image.
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
    metric: Literal["cosine", "euclidean_unit", "euclidean_raw"] | None = None
    alignment: Annotated[CropTemplate, BeforeValidator(_named_template)] | None = None
    mirror_helps: bool = True
    threshold: Threshold | None = None
    notes: str = ""

    @property
    def identity(self) -> str:
        """A short hash of everything that changes the model's results; equal specs give equal results."""
        decisive = self.model_dump(
            mode="json",
            include={"kind", "family", "onnx_sha256", "input", "outputs", "embedding_dim", "metric", "alignment"},
        )
        # What came later counts only where it is used: no home computes everything again because we learnt a word.
        for output in decisive["outputs"]:
            if output["index"] is None:
                del output["index"]
        if not self.mirror_helps:
            decisive["mirror_helps"] = False
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


class Manifest(ManifestEntry):
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


def parse_manifest(text: str, *, folder: Path | None = None) -> Manifest:
    """Read a manifest from TOML; `folder` is where a manifest of the user's own lies.

    Raises:
        ManifestError: not TOML, an unknown key, or an entry that contradicts itself.
    """
    try:
        return Manifest.model_validate(tomllib.loads(text), context={"folder": folder})
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"the model manifest is not valid TOML: {error}") from error
    except ValidationError as error:
        raise ManifestError(f"the model manifest is not valid: {_complaints(error)}") from error


def load_manifest(path: Path | None = None, *, extra: Path | None = None) -> Manifest:
    """Read the manifest at `path`, by default the one that ships with this package, and one of the user's own.

    Args:
        path: a manifest in the place of the shipped one.
        extra: a manifest whose models are put behind the others.

    Raises:
        ManifestError: one cannot be read or is not valid, or both have a model of the same name.
    """
    packaged = resources.files("models").joinpath("manifest.toml")
    manifest = _read_manifest(path) if path else parse_manifest(packaged.read_text("utf-8"))
    if extra is None:
        return manifest
    more = _read_manifest(extra)
    taken = {spec.name for spec in manifest.models} & {spec.name for spec in more.models}
    if taken:
        raise ManifestError(f"{extra}: the names {', '.join(sorted(taken))} are taken; rename these models")
    return Manifest(models=manifest.models + more.models)


def _read_manifest(path: Path) -> Manifest:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"cannot read the model manifest {path}: {error}") from error
    try:
        return parse_manifest(text, folder=path.absolute().parent)
    except ManifestError as error:
        raise ManifestError(f"{path}: {error}") from error


def _complaints(error: ValidationError) -> str:
    """Return what is wrong on one line: where, and what was expected."""
    found = (f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors())
    return "; ".join(found)
