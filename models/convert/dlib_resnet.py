"""dlib's face recognition ResNet (`dlib_face_recognition_resnet_model_v1.dat`) as ONNX.

The architecture is the one of dlib's example `dnn_face_recognition_ex.cpp` in its inference form: each convolution
is followed by a fixed scale and shift, which is folded into it here. Where a block reduces its input, the shortcut
is average-pooled; dlib's `add_prev` then pads whichever side is smaller with zeros, below, right and in channels.
"""

from collections.abc import Mapping

import numpy as np

from models.convert import only_file
from models.convert.dlib_stream import ImageInput, Layer, LayerDetails, read_network
from models.convert.graph import GraphBuilder
from models.errors import ConversionFailed

_PIXEL_SCALE = 256.0  # dlib's input_rgb_image_sized divides by 256, not 255
_CON, _AFFINE, _RELU, _AVG_POOL = Layer("con"), Layer("affine"), Layer("relu"), Layer("avg_pool")
_BODY = (_CON, _AFFINE, _RELU, _CON, _AFFINE)
_RESIDUAL = (Layer("tag", 1), *_BODY, Layer("add_prev", 1), _RELU)
_RESIDUAL_DOWN = (
    Layer("tag", 1),
    *_BODY,
    Layer("tag", 2),
    Layer("skip", 1),
    _AVG_POOL,
    Layer("add_prev", 2),
    _RELU,
)
ARCHITECTURE = (
    _CON,
    _AFFINE,
    _RELU,
    Layer("max_pool"),
    *_RESIDUAL * 3,
    *_RESIDUAL_DOWN,
    *_RESIDUAL * 3,
    *_RESIDUAL_DOWN,
    *_RESIDUAL * 2,
    *_RESIDUAL_DOWN,
    *_RESIDUAL * 2,
    *_RESIDUAL_DOWN,
    _AVG_POOL,
    Layer("fc_no_bias"),
)


def convert(files: Mapping[str, bytes]) -> bytes:
    """Return the network with input `images`, uint8 BGR `(n, 150, 150, 3)`, and output `embedding` `(n, 128)`.

    Raises:
        ConversionFailed: the file is not this network.
    """
    image, details = read_network(only_file(files), ARCHITECTURE)
    if image.height != image.width:
        raise ConversionFailed(f"expected a square input, got {image.height} x {image.width}")
    return _Network(image).build(details)


class _Network:
    """Walks the layers from the input to the output, keeping each output's name and shape."""

    def __init__(self, image: ImageInput) -> None:
        self._image = image
        self._graph = GraphBuilder()
        self._value, self._channels, self._side = self._normalised_input(), 3, image.height
        self._tags: dict[int, tuple[str, int, int]] = {}

    def build(self, details: tuple[LayerDetails, ...]) -> bytes:
        """Return the finished model."""
        for index, entry in enumerate(details):
            self._add_layer(entry, details[index + 1] if index + 1 < len(details) else None)
        outputs = [("embedding", self._value, self._channels)]
        return self._graph.finish("dlib_resnet_v1", side_px=self._image.height, outputs=outputs)

    def _normalised_input(self) -> str:
        mean = np.asarray(self._image.mean_rgb, dtype=np.float32).reshape(1, 3, 1, 1)
        planes = self._graph.uint8_images(rgb=True)
        centred = self._graph.add("Sub", planes, self._graph.constant(mean))
        return self._graph.add("Mul", centred, self._graph.constant(np.asarray(1 / _PIXEL_SCALE, dtype=np.float32)))

    def _add_layer(self, entry: LayerDetails, following: LayerDetails | None) -> None:
        kind, tag = entry.layer.kind, entry.layer.tag
        if kind == "con":
            self._convolve(entry, following)
        elif kind == "relu":
            self._value = self._graph.add("Relu", self._value)
        elif kind in ("max_pool", "avg_pool"):
            self._pool(entry)
        elif kind == "tag":
            self._tags[tag] = (self._value, self._channels, self._side)
        elif kind == "skip":
            self._value, self._channels, self._side = self._tags[tag]
        elif kind == "add_prev":
            self._add_tagged(tag)
        elif kind == "fc_no_bias":
            self._multiply(entry)

    def _convolve(self, entry: LayerDetails, following: LayerDetails | None) -> None:
        filters, rows, columns, stride, stride_x, pad, pad_x = entry.numbers
        if following is None or following.layer.kind != "affine" or (rows, stride, pad) != (columns, stride_x, pad_x):
            raise ConversionFailed(f"expected a square convolution and an affine layer, got {entry.numbers}")
        learnt, affine = entry.learnt(), following.learnt()
        if len(learnt) != filters * (self._channels * rows * columns + 1) or len(affine) != 2 * filters:
            raise ConversionFailed(f"{len(learnt)} and {len(affine)} parameters do not fit {entry.numbers}")
        kernel = learnt[:-filters].reshape(filters, self._channels, rows, columns)
        gamma, beta = affine[:filters], affine[filters:]
        weights = self._graph.constant(kernel * gamma[:, None, None, None])
        bias = self._graph.constant(learnt[-filters:] * gamma + beta)
        self._value = self._graph.add("Conv", self._value, weights, bias, strides=[stride] * 2, pads=[pad] * 4)
        self._channels, self._side = filters, (self._side + 2 * pad - rows) // stride + 1

    def _pool(self, entry: LayerDetails) -> None:
        window, _, stride, _, pad, _ = entry.numbers
        if window == 0:  # dlib's avg_pool_everything
            flat = self._graph.add("GlobalAveragePool", self._value)
            self._value, self._side = self._graph.add("Flatten", flat), 1
            return
        operator = "MaxPool" if entry.layer.kind == "max_pool" else "AveragePool"
        self._value = self._graph.add(
            operator, self._value, kernel_shape=[window] * 2, strides=[stride] * 2, pads=[pad] * 4
        )
        self._side = (self._side + 2 * pad - window) // stride + 1

    def _add_tagged(self, tag: int) -> None:
        other, other_channels, other_side = self._tags[tag]
        channels, side = max(self._channels, other_channels), max(self._side, other_side)
        mine = self._padded(self._value, channels - self._channels, side - self._side)
        theirs = self._padded(other, channels - other_channels, side - other_side)
        self._value, self._channels, self._side = self._graph.add("Add", mine, theirs), channels, side

    def _padded(self, value: str, channels: int, side: int) -> str:
        if not channels and not side:
            return value
        ends = np.array([0, 0, 0, 0, 0, channels, side, side], dtype=np.int64)
        return self._graph.add("Pad", value, self._graph.constant(ends))

    def _multiply(self, entry: LayerDetails) -> None:
        outputs, inputs = entry.numbers
        if inputs != self._channels or len(entry.learnt()) != inputs * outputs:
            raise ConversionFailed(f"the last matrix is {entry.numbers}, the features have {self._channels}")
        matrix = self._graph.constant(entry.learnt().reshape(inputs, outputs))
        self._value, self._channels = self._graph.add("MatMul", self._value, matrix), outputs
