"""The age, gender and expression networks of face-api as ONNX.

The package stores weights as TensorFlow.js does: a JSON manifest names the tensors of a binary file in order, with
shape and, where quantised to a byte, `scale` and `min` (value = byte * scale + min). Kernels lie as height, width,
in, out. Both networks are described in the package's sources: a small Xception (`src/xception`) with two middle
blocks under `src/ageGenderNet`, and a small dense net (`src/faceFeatureExtractor`) under `src/faceExpressionNet`.
Images are 112 x 112 RGB minus a mean, over 255; all padding is TensorFlow's `same`.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.convert.graph import GraphBuilder
from models.errors import ConversionFailed

Floats = NDArray[np.float32]

_SIDE_PX = 112
_MEAN_RGB = (122.782, 117.001, 104.298)
_PIXEL_SCALE = 255.0
_MIDDLE_BLOCKS = 2
_DENSE_BLOCKS = 4
_CONVOLUTIONS_PER_DENSE_BLOCK = 4


class _Quantisation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dtype: Literal["uint8"]
    scale: float
    min: float


class _Tensor(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    shape: tuple[Annotated[int, Field(ge=1)], ...]
    dtype: Literal["float32"]
    quantization: _Quantisation | None = None


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid")

    weights: list[_Tensor]
    paths: list[str]


def convert_age_gender(files: Mapping[str, bytes]) -> bytes:
    """Return the network with outputs `age` `(n, 1)` in years and `gender` `(n, 2)`: probability of male, female.

    Raises:
        ConversionFailed: the files are not this network.
    """
    network = _Network(_read_weights(files))
    network.convolve("entry_flow/conv_in", stride=2)
    network.relu()
    network.reduce("entry_flow/reduction_block_0", activate=False)
    network.reduce("entry_flow/reduction_block_1")
    for block in range(_MIDDLE_BLOCKS):
        network.middle(f"middle_flow/main_block_{block}")
    network.reduce("exit_flow/reduction_block")
    network.separable("exit_flow/separable_conv")
    network.relu()
    network.pool_everything()
    age, gender = network.matrix("fc/age"), network.matrix("fc/gender")
    return network.finish("age_gender", [("age", age, 1), ("gender", network.softmax(gender), 2)])


def convert_expression(files: Mapping[str, bytes]) -> bytes:
    """Return the network with output `expression` `(n, 7)`: probabilities in the order of `Expressions.LABELS`.

    Raises:
        ConversionFailed: the files are not this network.
    """
    network = _Network(_read_weights(files))
    for block in range(_DENSE_BLOCKS):
        network.dense(f"dense{block}", separable_first=block > 0)
    network.pool_everything()
    return network.finish("expression", [("expression", network.softmax(network.matrix("fc")), 7)])


def _read_weights(files: Mapping[str, bytes]) -> dict[str, Floats]:
    listing = [content for name, content in files.items() if name.endswith(".json")]
    binary = [content for name, content in files.items() if name.endswith(".bin")]
    if len(listing) != 1 or len(binary) != 1:
        raise ConversionFailed(f"expected one .json and one .bin file, got {sorted(files)}")
    try:
        (group,) = TypeAdapter(list[_Group]).validate_python(json.loads(listing[0]))
    except (ValueError, ValidationError) as error:
        raise ConversionFailed(f"the weights manifest is not as expected: {error}") from error
    return _slice_tensors(group.weights, binary[0])


def _slice_tensors(tensors: list[_Tensor], content: bytes) -> dict[str, Floats]:
    values, position = {}, 0
    for tensor in tensors:
        count = int(np.prod(tensor.shape))
        size = count if tensor.quantization else count * 4
        raw = content[position : position + size]
        if len(raw) != size:
            raise ConversionFailed(f"the weights end inside {tensor.name!r}")
        values[tensor.name] = _dequantised(raw, tensor.quantization).reshape(tensor.shape)
        position += size
    if position != len(content):
        raise ConversionFailed(f"{len(content) - position} bytes follow the last tensor")
    return values


def _dequantised(raw: bytes, quantisation: _Quantisation | None) -> Floats:
    if quantisation is None:
        return np.frombuffer(raw, dtype="<f4").astype(np.float32)
    scaled = np.frombuffer(raw, dtype=np.uint8).astype(np.float32) * np.float32(quantisation.scale)
    return np.asarray(scaled + np.float32(quantisation.min), dtype=np.float32)


class _Network:
    """Adds face-api's blocks to a graph; `self._value` is the output so far."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        self._weights = weights
        self._graph = GraphBuilder()
        mean = np.asarray(_MEAN_RGB, dtype=np.float32).reshape(1, 3, 1, 1)
        centred = self._graph.add("Sub", self._graph.uint8_images(rgb=True), self._graph.constant(mean))
        self._value = self._graph.add("Div", centred, self._graph.constant(np.asarray(_PIXEL_SCALE, dtype=np.float32)))

    def relu(self) -> None:
        self._value = self._graph.add("Relu", self._value)

    def convolve(self, name: str, *, stride: int) -> None:
        kernel = self._weight(f"{name}/filters").transpose(3, 2, 0, 1)
        self._value = self._convolution(self._value, kernel, bias=f"{name}/bias", stride=stride)

    def separable(self, name: str, *, stride: int = 1) -> None:
        depthwise = self._weight(f"{name}/depthwise_filter").transpose(2, 3, 0, 1)
        spread = self._convolution(self._value, depthwise, stride=stride, groups=len(depthwise))
        pointwise = self._weight(f"{name}/pointwise_filter").transpose(3, 2, 0, 1)
        self._value = self._convolution(spread, pointwise, bias=f"{name}/bias")

    def reduce(self, name: str, *, activate: bool = True) -> None:
        shortcut = self._value
        if activate:
            self.relu()
        self.separable(f"{name}/separable_conv0")
        self.relu()
        self.separable(f"{name}/separable_conv1")
        pooled = self._graph.add("MaxPool", self._value, kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
        self._value = shortcut
        self.convolve(f"{name}/expansion_conv", stride=2)
        self._value = self._graph.add("Add", pooled, self._value)

    def middle(self, name: str) -> None:
        shortcut = self._value
        for index in range(3):
            self.relu()
            self.separable(f"{name}/separable_conv{index}")
        self._value = self._graph.add("Add", self._value, shortcut)

    def dense(self, name: str, *, separable_first: bool) -> None:
        """Add a block in which each convolution sees the rectified sum of all outputs before it."""
        if separable_first:
            self.separable(f"{name}/conv0", stride=2)
        else:
            self.convolve(f"{name}/conv0", stride=2)
        self.relu()
        total = self._value
        for index in range(1, _CONVOLUTIONS_PER_DENSE_BLOCK):
            self.separable(f"{name}/conv{index}")
            total = self._graph.add("Add", total, self._value)
            self._value = self._graph.add("Relu", total)

    def pool_everything(self) -> None:
        pooled = self._graph.add("GlobalAveragePool", self._value)
        self._value = self._graph.add("Flatten", pooled)

    def matrix(self, name: str) -> str:
        weights = self._graph.constant(self._weight(f"{name}/weights"))
        product = self._graph.add("MatMul", self._value, weights)
        return self._graph.add("Add", product, self._graph.constant(self._weight(f"{name}/bias")))

    def softmax(self, value: str) -> str:
        return self._graph.add("Softmax", value, axis=1)

    def finish(self, name: str, outputs: list[tuple[str, str, int]]) -> bytes:
        return self._graph.finish(name, side_px=_SIDE_PX, outputs=outputs)

    def _convolution(
        self, value: str, kernel: Floats, *, bias: str | None = None, stride: int = 1, groups: int = 1
    ) -> str:
        inputs = [value, self._graph.constant(kernel)]
        if bias:
            inputs.append(self._graph.constant(self._weight(bias)))
        return self._graph.add("Conv", *inputs, strides=[stride] * 2, group=groups, auto_pad="SAME_UPPER")

    def _weight(self, name: str) -> Floats:
        if name not in self._weights:
            raise ConversionFailed(f"the weights manifest lacks {name!r}")
        return self._weights[name]
