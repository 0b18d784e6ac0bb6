"""Reader for dlib's serialised networks, as `dlib::serialize` of version 19 writes them.

Primitives (dlib/serialize.h, dlib/float_details.h):

* integer: one control byte, low four bits = number of bytes, high bit = negative; then the bytes, little-endian.
* float: two integers, mantissa and exponent; value = mantissa * 2^exponent.
* boolean: the character `0` or `1`. String: length as integer, then the bytes.
* tensor: integer version (2), four integers (samples, k, rows, columns), then raw little-endian float32.
* alias tensor (a view's shape): integer version (1), then four integers.

Layers (dlib/dnn/core.h): a layer writes its version, then the *whole* network below it, then its own details and
state. So the file opens with the versions of all layers from the output down to the input, and goes on with the
input layer's details and those of each layer on the way up. Nothing announces a layer's type: as in dlib, whoever
reads has to know the architecture. Every version, type string and count is checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import ConversionFailed

Floats = NDArray[np.float32]

_LOSS_VERSION = 1
_LAYER_VERSION = 2
_LAYER_ABOVE_INPUT_VERSION = 3
_MARKER_VERSION = 1  # tags and skips, which hold nothing but the network below
_TENSOR_VERSION = 2
_ALIAS_VERSION = 1
_MAX_INTEGER_BYTES = 8
_SIZE_BITS, _NEGATIVE_BIT = 0x0F, 0x80
_POOL_INTEGERS = 6
_CONVOLUTION_INTEGERS = 7
_RATE_FLOATS = 4  # learning rate and weight decay multipliers of weights and bias
_STATE_FLAGS = 3
_STATE_TENSORS = 3  # gradient input, cached output, parameter gradient

_TYPE_STRINGS = {
    "con": "con_4",
    "affine": "affine_",
    "relu": "relu_",
    "max_pool": "max_pool_2",
    "avg_pool": "avg_pool_2",
    "add_prev": "add_prev_",
    "fc_no_bias": "fc_2",
}


@dataclass(frozen=True)
class Layer:
    """One layer of the architecture: its kind, and for tag, skip and add_prev which tag is meant."""

    kind: str
    tag: int = 0

    @property
    def is_marker(self) -> bool:
        """Whether the layer only names or recalls an output."""
        return self.kind in ("tag", "skip")


@dataclass(frozen=True)
class LayerDetails:
    """What the file says about a layer: whole numbers in dlib's order, and the learnt values, flat."""

    layer: Layer
    numbers: tuple[int, ...] = ()
    params: Floats | None = None

    def learnt(self) -> Floats:
        """Return the learnt values.

        Raises:
            ConversionFailed: the layer has none.
        """
        if self.params is None:
            raise ConversionFailed(f"the dlib layer {self.layer.kind!r} has no parameters")
        return self.params


@dataclass(frozen=True)
class ImageInput:
    """dlib's sized RGB input: channel means (red, green, blue) on 0..255 and the image's sides."""

    mean_rgb: tuple[float, float, float]
    height: int
    width: int


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0

    @property
    def remaining(self) -> int:
        return len(self._content) - self._position

    def take(self, count: int) -> bytes:
        if not 0 <= count <= self.remaining:
            raise self.failure(f"wanted {count} bytes, {self.remaining} are left")
        self._position += count
        return self._content[self._position - count : self._position]

    def failure(self, what: str) -> ConversionFailed:
        return ConversionFailed(f"dlib file, byte {self._position}: {what}")

    def integer(self) -> int:
        control = self.take(1)[0]
        size = control & _SIZE_BITS
        if size > _MAX_INTEGER_BYTES:
            raise self.failure(f"an integer of {size} bytes")
        value = int.from_bytes(self.take(size), "little")
        return -value if control & _NEGATIVE_BIT else value

    def integers(self, count: int) -> tuple[int, ...]:
        return tuple(self.integer() for _ in range(count))

    def real(self) -> float:
        mantissa, exponent = self.integers(2)
        return float(np.ldexp(float(mantissa), exponent))

    def expect_version(self, expected: int, what: str) -> None:
        found = self.integer()
        if found != expected:
            raise self.failure(f"{what}: expected version {expected}, got {found}")

    def expect_string(self, expected: str) -> None:
        found = self.take(self.integer())
        if found != expected.encode():
            raise self.failure(f"expected the type {expected!r}, got {found!r}")

    def skip_flags(self, count: int) -> None:
        flags = self.take(count)
        if set(flags) - set(b"01"):
            raise self.failure(f"expected {count} booleans, got {flags!r}")

    def tensor(self) -> Floats:
        self.expect_version(_TENSOR_VERSION, "tensor")
        size = int(np.prod(self.integers(4), dtype=object))
        return np.frombuffer(self.take(size * 4), dtype="<f4").astype(np.float32)

    def skip_alias(self) -> None:
        self.expect_version(_ALIAS_VERSION, "alias tensor")
        self.integers(4)

    def skip_state(self) -> None:
        self.skip_flags(_STATE_FLAGS)
        for _ in range(_STATE_TENSORS):
            self.tensor()


def read_network(content: bytes, architecture: Sequence[Layer]) -> tuple[ImageInput, tuple[LayerDetails, ...]]:
    """Return a metric-learning network's input and its layers, from the input to the output.

    Args:
        content: a file that `dlib::serialize` wrote.
        architecture: the layers from the input to the output, without input and loss.

    Raises:
        ConversionFailed: the file is not a network of that architecture, or goes on after its end.
    """
    reader = _Reader(content)
    reader.expect_version(_LOSS_VERSION, "loss layer")
    reader.expect_string("loss_metric_2")
    reader.real()  # margin
    reader.real()  # distance threshold
    _read_versions(reader, architecture)
    image = _read_input(reader)
    details = []
    for depth, layer in enumerate(architecture):
        details.append(_read_layer(reader, layer))
        if depth == 0:
            reader.integer()  # sample expansion factor, written by the layer above the input only
    if reader.remaining:
        raise reader.failure(f"{reader.remaining} bytes follow the last layer")
    return image, tuple(details)


def _read_versions(reader: _Reader, architecture: Sequence[Layer]) -> None:
    for depth, layer in reversed(tuple(enumerate(architecture))):
        regular = _LAYER_ABOVE_INPUT_VERSION if depth == 0 else _LAYER_VERSION
        reader.expect_version(_MARKER_VERSION if layer.is_marker else regular, f"layer {depth} ({layer.kind})")


def _read_input(reader: _Reader) -> ImageInput:
    reader.expect_string("input_rgb_image_sized")
    red, green, blue = reader.real(), reader.real(), reader.real()
    height, width = reader.integers(2)
    return ImageInput(mean_rgb=(red, green, blue), height=height, width=width)


def _read_layer(reader: _Reader, layer: Layer) -> LayerDetails:
    if layer.is_marker:
        return LayerDetails(layer)
    reader.expect_string(_TYPE_STRINGS[layer.kind])
    details = _read_details(reader, layer)
    reader.skip_state()
    return details


def _read_details(reader: _Reader, layer: Layer) -> LayerDetails:
    if layer.kind == "con":
        return _read_convolution(reader, layer)
    if layer.kind == "affine":
        params = reader.tensor()
        reader.skip_alias()  # gamma
        reader.skip_alias()  # beta
        return LayerDetails(layer, reader.integers(1), params)
    if layer.kind in ("max_pool", "avg_pool"):
        return LayerDetails(layer, reader.integers(_POOL_INTEGERS))
    if layer.kind == "fc_no_bias":
        return _read_matrix(reader, layer)
    return LayerDetails(layer)


def _read_convolution(reader: _Reader, layer: Layer) -> LayerDetails:
    params = reader.tensor()
    numbers = reader.integers(_CONVOLUTION_INTEGERS)
    reader.skip_alias()  # filters
    reader.skip_alias()  # biases
    for _ in range(_RATE_FLOATS):
        reader.real()
    return LayerDetails(layer, numbers, params)


def _read_matrix(reader: _Reader, layer: Layer) -> LayerDetails:
    numbers = reader.integers(2)
    params = reader.tensor()
    reader.skip_alias()  # weights
    reader.skip_alias()  # bias
    reader.integer()  # bias mode
    for _ in range(_RATE_FLOATS):
        reader.real()
    return LayerDetails(layer, numbers, params)
