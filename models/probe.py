"""From an ONNX file to the manifest entry of a face embedder: what the file tells, and what its publisher must tell."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from models.alignment import TEMPLATES, CropTemplate
from models.embedder import OnnxEmbedder
from models.errors import ContractMismatch, ManifestError
from models.manifest import parse_manifest
from models.session import TENSOR_TYPES, ModelSession, open_session

_MAX_BYTES = 2**30  # as in `SourceFile`
_CHANNELS = 3


@dataclass(frozen=True)
class Conventions:
    """What an ONNX file does not say about itself; the defaults are those of ArcFace's own exports.

    `mean` and `std` are in pixel values of 0 to 255. `side_px` is needed where the file leaves its sides free, `output`
    where it has several results.
    """

    name: str
    alignment: str = "arcface_112"
    colour: Literal["bgr", "rgb"] = "rgb"
    mean: float = 127.5
    std: float = 127.5
    licence: str = "unknown"
    side_px: int | None = None
    output: str = ""


def describe_embedder(path: Path, conventions: Conventions) -> str:
    """Return the TOML entry of the embedder at `path`, having run the model as that entry describes it.

    Raises:
        ManifestError: the file cannot be read, or the conventions contradict it.
        ContractMismatch: it is no ONNX model, or not one image in and one vector out.
    """
    content = _read(path)
    entry = _entry(path, content, conventions)
    [spec] = parse_manifest(entry, folder=path.parent).models
    OnnxEmbedder(ModelSession(spec, content))
    return entry


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ManifestError(f"{path}: expected at most {_MAX_BYTES} bytes, got {path.stat().st_size}")
        return path.read_bytes()
    except OSError as error:
        raise ManifestError(f"cannot read {path}: {error.strerror}") from error


def _entry(path: Path, content: bytes, conventions: Conventions) -> str:
    session = open_session(path.name, content, threads=1)
    image = _Image.of(path, session.get_inputs(), conventions.side_px)
    number, shape, batch = _vector_output(path, session, image, conventions.output)
    sha256 = hashlib.sha256(content).hexdigest()
    scaling = "" if image.dtype == "uint8" else f"mean = {conventions.mean}\nstd = {conventions.std}\n"
    dim = int(np.prod(shape[1:]))
    return f"""\
[[models]]
name = {json.dumps(conventions.name)}
kind = "face_embedder"
family = "image_to_vector"
version = "1"
licence = {json.dumps(conventions.licence)}
onnx_sha256 = "{sha256}"
embedding_dim = {dim}
metric = "cosine"
# The file does not tell alignment, colour, mean and std: compare them with its publisher's code.
alignment = {_template(conventions.alignment, image.side_px)}
notes = "no threshold measured yet: benchmarks/embedders.py does that"

[models.source]
kind = "folder"
folder = {json.dumps(str(path.absolute().parent))}
files = [{{ path = {json.dumps(path.name)}, sha256 = "{sha256}", size_bytes = {len(content)} }}]

[models.input]
dtype = "{image.dtype}"
layout = "{image.layout}"
colour = "{conventions.colour}"
batch = "{batch}"
height = {image.side_px}
width = {image.side_px}
{scaling}
[[models.outputs]]
index = {number}
shape = {json.dumps(["any", *shape[1:]])}
"""


def _template(name: str, side_px: int) -> str:
    """Return a template by its name, or its points scaled to another side."""
    if name not in TEMPLATES:
        raise ManifestError(f"unknown template {name!r}; known: {', '.join(sorted(TEMPLATES))}")
    template: CropTemplate = TEMPLATES[name]
    if template.side_px == side_px:
        return json.dumps(name)
    points = [[round(axis * side_px / template.side_px, 4) for axis in point] for point in template.points]
    called = f"{name.removesuffix(f'_{template.side_px}')}_{side_px}"
    return f'{{ name = "{called}", side_px = {side_px}, points = {points} }}'


@dataclass(frozen=True)
class _Image:
    """The one input of an embedder, as far as the file tells."""

    name: str
    dtype: str
    layout: Literal["nchw", "nhwc"]
    side_px: int
    takes_batches: bool

    @classmethod
    def of(cls, path: Path, inputs: Any, side_px: int | None) -> "_Image":  # noqa: ANN401 - onnxruntime has no types
        seen = ", ".join(f"{found.name!r} {found.type} {found.shape}" for found in inputs)
        dtypes = {tensor: name for name, tensor in TENSOR_TYPES.items()}
        found = inputs[0] if inputs else None
        if found is None or len(inputs) > 1 or found.type not in dtypes or _CHANNELS not in found.shape[1::2]:
            raise ContractMismatch(
                f"{path.name}: expected one input, an image (n, 3, height, width) or (n, height, width, 3) of"
                f" {', '.join(TENSOR_TYPES)}; got {seen or 'none'}"
            )
        layout: Literal["nchw", "nhwc"] = "nchw" if found.shape[1] == _CHANNELS else "nhwc"
        sides = {side for side in (found.shape[2:] if layout == "nchw" else found.shape[1:3]) if isinstance(side, int)}
        sides |= {side_px} if side_px else set()
        if len(sides) != 1:
            raise ManifestError(
                f"{path.name}: expected a square image of one size, got the sides {sorted(sides) or 'free'} of"
                f" {found.shape}; give its side in pixels where the file leaves it free"
            )
        batch = found.shape[0]
        return cls(found.name, dtypes[found.type], layout, sides.pop(), takes_batches=not isinstance(batch, int))

    def black(self, count: int) -> Any:  # noqa: ANN401
        """Return `count` black images as the model takes them."""
        sides = (self.side_px, self.side_px)
        shape = (count, _CHANNELS, *sides) if self.layout == "nchw" else (count, *sides, _CHANNELS)
        return np.zeros(shape, dtype=self.dtype)


def _vector_output(path: Path, session: Any, image: _Image, output: str) -> tuple[int, tuple[int, ...], str]:  # noqa: ANN401
    """Return which output is the vector, its shape for one image, and how the model takes several."""
    names = [found.name for found in session.get_outputs()]
    if output not in ("", *names):
        raise ManifestError(f"{path.name}: expected one of the outputs {', '.join(names)}, got {output!r}")
    one = _run(path, session, image, 1)
    vectors = [number for number, shape in enumerate(one) if _is_vector(shape) and output in ("", names[number])]
    if len(vectors) != 1:
        seen = ", ".join(f"{name!r} {shape}" for name, shape in zip(names, one, strict=True))
        raise ContractMismatch(f"{path.name}: expected one output that is a vector per image, got {seen}; name it")
    [number] = vectors
    try:
        several = image.takes_batches and _run(path, session, image, 2)[number] == (2, *one[number][1:])
    except ContractMismatch:
        several = False
    return number, one[number], "any" if several else "fixed_one"


def _run(path: Path, session: Any, image: _Image, count: int) -> list[tuple[int, ...]]:  # noqa: ANN401
    try:
        outputs = session.run(None, {image.name: image.black(count)})
    except Exception as error:
        raise ContractMismatch(f"{path.name} fails on {count} black images: {' '.join(str(error).split())}") from error
    return [tuple(each.shape) for each in outputs]


def _is_vector(shape: tuple[int, ...]) -> bool:
    """Tell whether an output for one image is one vector: `(1, d)`, or `(1, d, 1, 1)`."""
    return len(shape) > 1 and shape[0] == 1 and shape[1] > 1 and set(shape[2:]) <= {1}
