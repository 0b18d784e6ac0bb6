import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.convert import convert
from models.errors import ConversionFailed


def export(*, image: str = "input.1") -> bytes:
    """A network with the faults of the real export: weights among the inputs, fixed shapes, unused leftovers."""
    rng = np.random.default_rng(6)
    channels = {"537": 1, "538": 2, "539": 2, "540": 10}
    weights = [numpy_helper.from_array(rng.normal(0, 1, (4, 3, 3, 3)).astype(np.float32), "stem")]
    weights += [
        numpy_helper.from_array(rng.normal(0, 1, (count, 4, 1, 1)).astype(np.float32), f"head{name}")
        for name, count in channels.items()
    ]
    weights.append(numpy_helper.from_array(np.array(7, dtype=np.int64), "num_batches_tracked"))
    nodes = [helper.make_node("Conv", [image, "stem"], ["x"], strides=[4, 4], pads=[1, 1, 1, 1])]
    nodes += [helper.make_node("Conv", ["x", f"head{name}"], [name]) for name in channels]
    inputs = [helper.make_tensor_value_info(image, TensorProto.FLOAT, [10, 3, 32, 32])]
    inputs += [helper.make_tensor_value_info(w.name, w.data_type, w.dims) for w in weights]
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [10, c, 8, 8]) for n, c in channels.items()]
    graph = helper.make_graph(nodes, "export", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=4)
    return bytes(model.SerializeToString())


def test_repaired_model_takes_bgr_bytes_of_any_size() -> None:
    repaired = ort.InferenceSession(convert("centerface", {"a.onnx": export()}))
    original = ort.InferenceSession(export())
    image = np.random.default_rng(9).integers(0, 256, (10, 32, 32, 3), dtype=np.uint8)
    planes = image[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)
    expected = original.run(None, {"input.1": planes})
    for found, wanted in zip(repaired.run(None, {"images": image}), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-3)
    other_size = repaired.run(None, {"images": np.zeros((1, 64, 96, 3), np.uint8)})
    assert [output.shape for output in other_size] == [(1, c, 16, 24) for c in (1, 2, 2, 10)]


def test_weights_become_constants_and_leftovers_go() -> None:
    model = onnx.load_model_from_string(convert("centerface", {"a.onnx": export()}))
    assert [value.name for value in model.graph.input] == ["images"]
    assert [value.name for value in model.graph.output] == ["heatmap", "scale", "offset", "landmarks"]
    assert "num_batches_tracked" not in {tensor.name for tensor in model.graph.initializer}


def test_conversion_is_the_same_every_time() -> None:
    assert convert("centerface", {"a.onnx": export()}) == convert("centerface", {"a.onnx": export()})


@pytest.mark.parametrize("content", [export(image="data"), b"not onnx"])
def test_other_files_are_refused(content) -> None:
    with pytest.raises(ConversionFailed, match=r"not the CenterFace export|is not ONNX"):
        convert("centerface", {"a.onnx": content})


def test_unknown_converter() -> None:
    with pytest.raises(ConversionFailed, match="unknown converter 'retinaface'"):
        convert("retinaface", {})


def test_one_file_is_expected() -> None:
    with pytest.raises(ConversionFailed, match="expected one source file"):
        convert("dlib_resnet", {"a": b"", "b": b""})
