import hashlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.errors import ContractMismatch, HashMismatch
from models.manifest import ModelSpec
from models.session import ModelSession


@pytest.fixture
def planes() -> np.ndarray:
    return np.random.default_rng(2).random((2, 3, 16, 16), dtype=np.float32)


def test_runs_and_counts_its_time(mean_colour, spec_of, planes) -> None:
    session = ModelSession(spec_of(mean_colour), mean_colour)
    assert session.seconds_in_model == 0
    (means,) = session.run(planes)
    np.testing.assert_allclose(means, planes.mean(axis=(2, 3)), rtol=1e-5)
    first = session.seconds_in_model
    assert first > 0
    session.run(planes)
    assert session.seconds_in_model > first
    assert session.takes_batches


def test_changed_bytes_are_refused(mean_colour, spec_of) -> None:
    with pytest.raises(HashMismatch, match="expected sha256"):
        ModelSession(spec_of(mean_colour), mean_colour + b"\0")


def test_external_data_is_refused(mean_colour_outside, spec_of) -> None:
    with pytest.raises(ContractMismatch, match="other files"):
        ModelSession(spec_of(mean_colour_outside), mean_colour_outside)


def test_external_data_inside_a_subgraph_is_refused(mean_colour, spec_of, repinned) -> None:
    hidden = onnx.TensorProto(name="hidden", data_type=TensorProto.FLOAT, dims=[1], data_location=1)
    hidden.external_data.add(key="location", value="/etc/hostname")
    branch = helper.make_graph(
        [helper.make_node("Constant", [], ["out"], value=hidden)],
        "branch",
        [],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1])],
    )
    model = onnx.load_model_from_string(mean_colour)
    model.graph.node.append(helper.make_node("If", ["c"], ["o"], then_branch=branch, else_branch=branch))
    content = repinned(model)
    with pytest.raises(ContractMismatch, match="other files"):
        ModelSession(spec_of(content), content)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08"])
def test_what_is_no_model_is_refused(content, spec_of) -> None:
    spec = spec_of(b"model").model_copy(update={"onnx_sha256": hashlib.sha256(content).hexdigest()})
    with pytest.raises(ContractMismatch):
        ModelSession(spec, content)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"input": {"name": "pixels"}}, "expected the input 'pixels'.*set input.name = 'planes'"),
        ({"input": {"layout": "nhwc"}}, "expected the input.*correct input.layout"),
        ({"input": {"dtype": "uint8"}}, "expected the input.*set input.dtype = 'float32'"),
        ({"outputs": [{"name": "vector", "shape": ["n", 3]}]}, "expected the output 'vector'"),
        ({"outputs": [{"name": "embedding", "shape": ["n", 128]}]}, r"\('n', 128\)"),
        ({"outputs": [{"name": "embedding", "shape": ["n", "m"]}]}, "expected the output"),
        ({"outputs": [{"name": "embedding", "shape": ["n"]}]}, "expected the output"),
        ({"outputs": [{"index": 1, "shape": ["n", 3]}]}, "number 1.*the file has 0: 'embedding'.*outputs.index"),
    ],
)
def test_declared_contract_must_be_the_files(mean_colour, entry, change, complaint) -> None:
    given = entry(mean_colour)
    if "input" in change:
        given["input"] |= change["input"]
    else:
        given |= change
    with pytest.raises(ContractMismatch, match=complaint):
        ModelSession(ModelSpec.model_validate(given), mean_colour)


def test_empty_names_mean_the_only_one(mean_colour, entry, planes) -> None:
    given = entry(mean_colour, outputs=[{"shape": ["any", 3]}])
    given["input"] |= {"name": "", "batch": "any"}
    assert len(ModelSession(ModelSpec.model_validate(given), mean_colour).run(planes)[0]) == 2


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((1, 3, 16, 15), np.float32), np.zeros((1, 3, 16, 16), np.float64), np.zeros((3, 16, 16), np.float32)],
)
def test_wrong_batch_is_refused(mean_colour, spec_of, wrong) -> None:
    session = ModelSession(spec_of(mean_colour), mean_colour)
    with pytest.raises(ContractMismatch, match="takes float32"):
        session.run(wrong)
    assert session.seconds_in_model == 0


def test_threads_must_be_positive(mean_colour, spec_of) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        ModelSession(spec_of(mean_colour), mean_colour, threads=0)
