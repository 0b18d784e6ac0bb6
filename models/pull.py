"""Fetching models once, so that everything afterwards works offline."""

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from filelock import FileLock

from models.cache import cached_path, require_sha256, verify
from models.convert import convert
from models.errors import HashMismatch, ModelError, ModelMissing
from models.fetch import from_mirror, from_source
from models.manifest import ModelSpec

__all__ = ["Progress", "PullResult", "Stage", "cached_path", "pull", "pull_all", "verify"]


# A temporary file is private; a service under another account may share the cache.
_READABLE_BY_ALL = 0o644


class Stage(StrEnum):
    """What `pull` is doing."""

    CACHED = "cached"
    MIRROR = "mirror"
    DOWNLOAD = "download"
    CONVERT = "convert"
    DONE = "done"


Progress = Callable[[ModelSpec, Stage], None]


@dataclass(frozen=True, slots=True)
class PullResult:
    """What became of one model: its path, or the error of an optional model that could not be had."""

    spec: ModelSpec
    path: Path | None = None
    error: ModelError | None = None


def pull(spec: ModelSpec, *, cache: Path, mirror: str | None = None, progress: Progress | None = None) -> Path:
    """Return the path of the converted model, fetching it first where the cache lacks it or holds it damaged.

    Looks in the cache, then the mirror, then the model's own source. Processes that pull the same model wait for
    each other.

    Args:
        spec: what to fetch.
        cache: folder of converted models; made if needed.
        mirror: folder or http(s) address that serves source files by base name.
        progress: called as each stage begins.

    Raises:
        FetchFailed: no source delivers.
        HashMismatch: what came, or what conversion made of it, is not what the manifest pins.
        ConversionFailed: the file cannot be converted.
    """
    report = progress or _ignore
    target = cached_path(spec, cache)
    if _is_cached(spec, cache):
        report(spec, Stage.CACHED)
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if _is_cached(spec, cache):
            report(spec, Stage.CACHED)
            return target
        model = _obtain(spec, mirror=mirror, report=report)
        _write_atomically(target, model)
    report(spec, Stage.DONE)
    return target


def pull_all(
    specs: Sequence[ModelSpec], *, cache: Path, mirror: str | None = None, progress: Progress | None = None
) -> list[PullResult]:
    """Pull several models; an optional one that cannot be had is reported and does not stop the others.

    Raises:
        ModelError: a model that is not optional cannot be had (see `pull`).
    """
    results = []
    for spec in specs:
        try:
            results.append(PullResult(spec, path=pull(spec, cache=cache, mirror=mirror, progress=progress)))
        except ModelError as error:
            if not spec.optional:
                raise
            results.append(PullResult(spec, error=error))
    return results


def _ignore(_spec: ModelSpec, _stage: Stage) -> None:
    pass


def _is_cached(spec: ModelSpec, cache: Path) -> bool:
    try:
        verify(spec, cache)
    except (ModelMissing, HashMismatch):
        return False
    return True


def _obtain(spec: ModelSpec, *, mirror: str | None, report: Progress) -> bytes:
    files = _source_files(spec, mirror=mirror, report=report)
    for file in spec.source.files:
        remedy = "the source or mirror serves another file; nothing was kept"
        require_sha256(files[file.base_name], file.sha256, what=file.base_name, remedy=remedy)
    if not spec.converter:
        return files[spec.source.files[0].base_name]
    report(spec, Stage.CONVERT)
    model = convert(spec.converter, files)
    remedy = f"the installed onnx package converts differently than the one behind the manifest ({spec.converter})"
    require_sha256(model, spec.onnx_sha256, what=f"converted {spec.name}", remedy=remedy)
    return model


def _source_files(spec: ModelSpec, *, mirror: str | None, report: Progress) -> dict[str, bytes]:
    """Return the source files by base name: all from the mirror, or all from the model's own source."""
    if mirror:
        report(spec, Stage.MIRROR)
        found = {file.base_name: from_mirror(mirror, file) for file in spec.source.files}
        served = {name: content for name, content in found.items() if content is not None}
        if len(served) == len(found):
            return served
    report(spec, Stage.DOWNLOAD)
    return from_source(spec.source)


def _write_atomically(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.chmod(_READABLE_BY_ALL)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
