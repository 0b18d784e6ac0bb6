"""CenterFace as exported in 2019, made to run at any image size and as fast as it can.

The export lists its weights among the graph's inputs, so a runtime may not fold them, and it fixes the shape to
10 x 3 x 32 x 32. Here the weights become constants and the sides symbolic. The input becomes uint8 BGR
`(n, height, width, 3)`, as images lie in memory; the network was trained on RGB, so the first convolution's
input channels are turned round instead of the pixels.
"""

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.convert import only_file
from models.convert.graph import serialise
from models.errors import ConversionFailed

_IMAGE_INPUT = "input.1"
# Names in the export -> readable ones, with the number of channels.
_OUTPUTS = {
    "537": ("heatmap", 1),
    "538": ("scale", 2),
    "539": ("offset", 2),
    "540": ("landmarks", 10),
}


def convert(files: Mapping[str, bytes]) -> bytes:
    """Return the repaired model.

    Raises:
        ConversionFailed: the file is not the export this converter knows.
    """
    model = _parse(only_file(files))
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    images = [value.name for value in graph.input if value.name not in weights]
    outputs = [value.name for value in graph.output]
    if images != [_IMAGE_INPUT] or outputs != list(_OUTPUTS):
        raise ConversionFailed(f"not the CenterFace export: inputs {images}, outputs {outputs}")
    _drop_unused_weights(graph)
    _reverse_first_convolution(graph)
    _take_uint8_images(graph)
    _name_outputs(graph)
    return serialise(model)


def _parse(content: bytes) -> onnx.ModelProto:
    try:
        return onnx.load_model_from_string(content)
    except Exception as error:
        raise ConversionFailed(f"the CenterFace file is not ONNX: {error}") from error


def _drop_unused_weights(graph: onnx.GraphProto) -> None:
    # Training left a counter beside each normalisation; ONNX Runtime would warn about every one.
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _reverse_first_convolution(graph: onnx.GraphProto) -> None:
    readers = [node for node in graph.node if _IMAGE_INPUT in node.input]
    if [node.op_type for node in readers] != ["Conv"]:
        raise ConversionFailed("not the CenterFace export: the image does not go into one convolution")
    tensor = next(found for found in graph.initializer if found.name == readers[0].input[1])
    kernel = numpy_helper.to_array(tensor)
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(kernel[:, ::-1]), tensor.name))


def _take_uint8_images(graph: onnx.GraphProto) -> None:
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "h", "w", 3]))
    cast = helper.make_node("Cast", ["images"], ["images_float"], name="cast", to=TensorProto.FLOAT)
    planes = helper.make_node("Transpose", ["images_float"], [_IMAGE_INPUT], name="planes", perm=[0, 3, 1, 2])
    graph.node.insert(0, cast)
    graph.node.insert(1, planes)


def _name_outputs(graph: onnx.GraphProto) -> None:
    del graph.output[:]
    for exported, (name, channels) in _OUTPUTS.items():
        shape = ["n", channels, "cells_y", "cells_x"]
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        for node in graph.node:
            node.output[:] = [name if output == exported else output for output in node.output]
            node.input[:] = [name if used == exported else used for used in node.input]
