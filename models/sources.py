"""Where a model's files come from: a package registry, a public address, a mirror, or a folder of the user's own."""

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from models.contract import ManifestEntry


def _plain_relative_path(value: str) -> str:
    path = PurePosixPath(value)
    if not value or path.is_absolute() or ".." in path.parts or "\\" in value:
        raise ValueError(f"expected a relative path without '..', got {value!r}")
    return value


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RelativePath = Annotated[str, AfterValidator(_plain_relative_path)]


class SourceFile(ManifestEntry):
    """One file as its publisher ships it: the path inside the archive (or its name) and its pin."""

    path: RelativePath
    sha256: Sha256
    size_bytes: Annotated[int, Field(gt=0, le=2**30)]

    @property
    def base_name(self) -> str:
        """The name under which a mirror serves the file."""
        return PurePosixPath(self.path).name


class RegistrySource(ManifestEntry):
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


class HttpsSource(ManifestEntry):
    """A single file at a public address."""

    kind: Literal["https"]
    url: Annotated[str, Field(pattern=r"^https://[^\s]+$")]
    files: Annotated[tuple[SourceFile, ...], Field(min_length=1, max_length=1)]


class MirrorSource(ManifestEntry):
    """Files that only the user's own mirror can serve."""

    kind: Literal["mirror"]
    files: Annotated[tuple[SourceFile, ...], Field(min_length=1)]


class FolderSource(ManifestEntry):
    """Files in a folder of this machine, for a manifest of the user's own: absolute, or as seen from that manifest."""

    kind: Literal["folder"]
    folder: Annotated[Path, Field(validate_default=True)] = Path()
    files: Annotated[tuple[SourceFile, ...], Field(min_length=1)]

    @field_validator("folder", mode="after")
    @classmethod
    def _beside_the_manifest(cls, folder: Path, info: ValidationInfo) -> Path:
        beside = (info.context or {}).get("folder")
        if beside is None:
            raise ValueError("only a manifest of your own (FOOTFALL_MODEL_MANIFEST) can name a folder")
        return Path(beside, folder.expanduser())


Source = Annotated[RegistrySource | HttpsSource | MirrorSource | FolderSource, Field(discriminator="kind")]
