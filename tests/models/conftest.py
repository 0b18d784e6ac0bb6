import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.errors import ModelMissing
from models.manifest import ModelSpec

SHARED = Path(__file__).resolve().parents[2].parent / "shared"


@pytest.fixture(scope="session")
def model_cache() -> Path:
    """Where the converted models lie; tests that need one are skipped with the reason where it is missing."""
    configured = os.environ.get("FOOTFALL_MODEL_CACHE")
    return Path(configured) if configured else Path.home() / ".cache" / "footfall" / "models"


@pytest.fixture(scope="session")
def loaded(model_cache: Path) -> Callable[..., Any]:
    """Call a loader of the catalog, or skip where the cache lacks the model."""

    def load(loader: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return loader(*args, cache=model_cache, **kwargs)
        except ModelMissing as error:
            pytest.skip(str(error))

    return load


@pytest.fixture(scope="session")
def photos() -> list[Path]:
    """Twenty photos of twenty people, each with one central face."""
    folder = SHARED / "data" / "people_dev"
    if not folder.is_dir():
        pytest.skip("the development photos are not beside the project (../shared/data/people_dev)")
    return [min(person.glob("*.jpg")) for person in sorted(folder.iterdir())[:20]]


@pytest.fixture(scope="session")
def shared_models() -> Path:
    folder = SHARED / "models"
    if not folder.is_dir():
        pytest.skip("the model mirror is not beside the project (../shared/models)")
    return folder


def mean_colour_model(*, side: int = 16, dim: int = 3, external: bool = False, columns: int | None = None) -> bytes:
    """An embedder in miniature: float RGB planes in, the planes' means (of the first columns) times a matrix out."""
    matrix = numpy_helper.from_array(np.eye(3, dim, dtype=np.float32), "matrix")
    if external:
        matrix.ClearField("raw_data")
        matrix.data_location = TensorProto.EXTERNAL
        matrix.external_data.add(key="location", value="weights.bin")
    numbers = {"zero": 0, "columns": columns or side, "axis": 3}
    slicing = [numpy_helper.from_array(np.array([value]), name) for name, value in numbers.items()]
    nodes = [
        helper.make_node("Slice", ["planes", "zero", "columns", "axis"], ["seen"]),
        helper.make_node("GlobalAveragePool", ["seen"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mean_colour",
        [helper.make_tensor_value_info("planes", TensorProto.FLOAT, ["n", 3, side, side])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", dim])],
        [matrix, *slicing],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString(deterministic=True))


@pytest.fixture
def mean_colour() -> bytes:
    return mean_colour_model()


@pytest.fixture
def left_colour() -> bytes:
    return mean_colour_model(columns=5)


@pytest.fixture
def mean_colour_outside() -> bytes:
    return mean_colour_model(external=True)


@pytest.fixture
def entry() -> Callable[..., dict[str, Any]]:
    """Build a manifest entry for a model that needs no conversion."""

    def build(content: bytes = b"model", *, side: int = 16, **changes: Any) -> dict[str, Any]:
        sha256 = hashlib.sha256(content).hexdigest()
        template = {"name": "small", "side_px": side, "points": [(4, 5), (11, 5), (8, 8), (5, 11), (10, 11)]}
        return {
            "name": "mean_colour",
            "kind": "face_embedder",
            "family": "image_to_vector",
            "version": "1",
            "licence": "MIT",
            "source": {
                "kind": "mirror",
                "files": [{"path": "mean_colour.onnx", "sha256": sha256, "size_bytes": len(content)}],
            },
            "onnx_sha256": sha256,
            "input": {
                "name": "planes",
                "dtype": "float32",
                "layout": "nchw",
                "colour": "rgb",
                "height": side,
                "width": side,
            },
            "outputs": [{"name": "embedding", "shape": ["n", 3]}],
            "embedding_dim": 3,
            "metric": "cosine",
            "alignment": template,
        } | changes

    return build


@pytest.fixture
def spec_of(entry: Callable[..., dict[str, Any]]) -> Callable[..., ModelSpec]:
    def build(content: bytes, **changes: Any) -> ModelSpec:
        return ModelSpec.model_validate(entry(content, **changes))

    return build


@pytest.fixture
def repinned() -> Callable[[onnx.ModelProto], bytes]:
    """Serialise a changed model."""

    def serialise(model: onnx.ModelProto) -> bytes:
        return bytes(model.SerializeToString(deterministic=True))

    return serialise
