"""Building ONNX graphs node by node, with the same bytes on every run."""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.errors import ConversionFailed

_OPSET = 18
_IR_VERSION = 9
_PRODUCER = "footfall"


class GraphBuilder:
    """Collects nodes and constants under running numbers."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, values: NDArray[np.generic]) -> str:
        """Store an array and return its name."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: object) -> str:
        """Append a node with one output and return the output's name."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def uint8_images(self, *, rgb: bool) -> str:
        """Take the input `images`, uint8 BGR `(n, side, side, 3)`, to float NCHW; return its name."""
        image = "images"
        if rgb:
            image = self.add("Gather", image, self.constant(np.array([2, 1, 0], dtype=np.int64)), axis=3)
        return self.add("Transpose", self.add("Cast", image, to=TensorProto.FLOAT), perm=[0, 3, 1, 2])

    def finish(self, name: str, *, side_px: int, outputs: Sequence[tuple[str, str, int]]) -> bytes:
        """Return the checked model; `outputs` are (public name, node output, width)."""
        for public, inner, _ in outputs:
            self._nodes.append(helper.make_node("Identity", [inner], [public], name=public))
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", side_px, side_px, 3])],
            [helper.make_tensor_value_info(public, TensorProto.FLOAT, ["n", width]) for public, _, width in outputs],
            self._constants,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name=_PRODUCER
        )
        return serialise(model)


def serialise(model: onnx.ModelProto) -> bytes:
    """Return a model's bytes, always the same for the same model.

    Raises:
        ConversionFailed: the checker rejects the model.
    """
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ConversionFailed(f"the converted graph is not valid ONNX: {error}") from error
    return bytes(model.SerializeToString(deterministic=True))
