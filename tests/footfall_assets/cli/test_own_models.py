"""Models of one's own on the command line: described, listed, fetched, checked."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper


@pytest.fixture
def model(tmp_path):
    """An embedder of 112 x 112 planes in a file."""
    weights = numpy_helper.from_array(np.ones((3, 8), np.float32), "weights")
    nodes = [
        helper.make_node("GlobalAveragePool", ["face"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["vector"]),
    ]
    graph = helper.make_graph(
        nodes,
        "own",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, 8])],
        [weights],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path = tmp_path / "own.onnx"
    onnx.save(made, path)
    return path


@pytest.fixture
def described(footfall, model, tmp_path, own_environment):
    """A manifest with that model, which the environment names."""
    said = footfall("models", "describe", model, "--name", "own", "--colour", "bgr", "--licence", "MIT")
    assert said.code == 0, said
    path = tmp_path / "models.toml"
    path.write_text(said.out, "utf-8")
    own_environment.setenv("FOOTFALL_MODEL_MANIFEST", str(path))
    return path


def test_what_describe_prints_is_a_manifest(described) -> None:
    text = described.read_text("utf-8")
    assert 'batch = "fixed_one"' in text
    assert "embedding_dim = 8" in text
    assert 'colour = "bgr"' in text


def test_a_described_model_is_fetched_listed_and_checked(footfall, described) -> None:
    assert "not fetched" in next(
        line for line in footfall("models", "list").out.splitlines() if line.startswith("own ")
    )
    pulled = footfall("models", "pull", "own")
    assert (pulled.code, pulled.out.startswith("own: ")) == (0, True)
    listed = next(line for line in footfall("models", "list").out.splitlines() if line.startswith("own "))
    assert listed.split() == ["own", "face_embedder", "MIT", "needed", "cached"]


def test_a_changed_file_is_not_fetched(footfall, described, model) -> None:
    model.write_bytes(model.read_bytes()[:-1] + b"\0")
    said = footfall("models", "pull", "own")
    assert (said.code, "expected sha256" in said.err) == (2, True)


def test_a_file_that_is_no_model(footfall, tmp_path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("no model", "utf-8")
    said = footfall("models", "describe", path, "--name", "own")
    assert (said.code, said.out) == (2, "")
    assert "text.onnx" in said.complaint or "not an ONNX file" in said.complaint


@pytest.mark.parametrize("text", ["models = ", "[[models]]\nname = 'own'"])
def test_a_broken_manifest_is_one_line(footfall, described, text) -> None:
    described.write_text(text, "utf-8")
    said = footfall("models", "list")
    assert (said.code, "models.toml" in said.complaint) == (2, True)


def test_a_manifest_that_is_not_there(footfall, own_environment, tmp_path) -> None:
    own_environment.setenv("FOOTFALL_MODEL_MANIFEST", str(tmp_path / "none.toml"))
    assert "none.toml" in footfall("models", "list").complaint
