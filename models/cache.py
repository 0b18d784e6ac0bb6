"""Where converted models lie on this machine: `cache/<sha256>/<name>.onnx`."""

import hashlib
from pathlib import Path

from models.errors import HashMismatch, ModelMissing
from models.manifest import ModelSpec

_HOW_TO_GET_MODELS = "run `footfall models pull`"


def cached_path(spec: ModelSpec, cache: Path) -> Path:
    """Return where the converted model lies, or will lie, below `cache`."""
    return cache / spec.onnx_sha256 / f"{spec.name}.onnx"


def read_model(spec: ModelSpec, cache: Path) -> bytes:
    """Return the converted model's bytes, checked against the manifest.

    Raises:
        ModelMissing: the cache lacks it.
        HashMismatch: the file was changed since it was pulled.
    """
    path = cached_path(spec, cache)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelMissing(f"model {spec.name!r} is not in {cache}: {_HOW_TO_GET_MODELS}") from error
    require_sha256(content, spec.onnx_sha256, what=str(path), remedy=f"delete it and {_HOW_TO_GET_MODELS}")
    return content


def verify(spec: ModelSpec, cache: Path) -> None:
    """Check that the cache holds the model, unchanged.

    Raises:
        ModelMissing: the cache lacks it.
        HashMismatch: the file was changed since it was pulled.
    """
    read_model(spec, cache)


def require_sha256(content: bytes, expected: str, *, what: str, remedy: str) -> None:
    """Raise `HashMismatch` unless `content` has the sha256 `expected`."""
    actual = hashlib.sha256(content).hexdigest()
    if actual != expected:
        raise HashMismatch(f"{what}: expected sha256 {expected}, got {actual}; {remedy}")
