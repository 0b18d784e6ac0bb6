"""Any embedder by its manifest entry alone: small real models in the forms that publishers ship, run to the vector.

Each file computes the same from the same picture, so that a wrong layout, colour order or scaling shows.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.alignment import ARCFACE_112
from models.cache import cached_path
from models.catalog import load_face_embedder
from models.embedder import OnnxEmbedder
from models.errors import ContractMismatch, HashMismatch, ManifestError
from models.manifest import Manifest, ModelSpec, load_manifest
from models.probe import Conventions, describe_embedder
from models.pull import pull
from models.session import ModelSession

SIDE, DIM, POOL = 112, 24, 28
CELLS = SIDE // POOL
ORDINARY = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8}
WEIGHTS = np.random.default_rng(5).normal(size=(3 * CELLS * CELLS, DIM)).astype(np.float32)


def arcface_like(
    *,
    layout: str = "nchw",
    batch: int | str = "n",
    side: int | str = SIDE,
    dtype: str = "float32",
    opset: int = 18,
    reshape_to: tuple[int, ...] = (-1, 3 * CELLS * CELLS),
    more_outputs: bool = False,
    answer: tuple[str, ...] = (),
) -> bytes:
    """Planes are averaged in blocks and mixed: colour, place and mirror image all change the vector."""
    shape = [batch, 3, side, side] if layout == "nchw" else [batch, side, side, 3]
    fixed = {
        "weights": WEIGHTS.astype(np.float16) if dtype == "float16" else WEIGHTS,
        "rows": np.array(reshape_to, np.int64),
        "zero": np.array(0, WEIGHTS.dtype),
    }
    nodes = [helper.make_node("Identity", ["face"], ["given"])]
    if dtype == "uint8":
        nodes = [helper.make_node("Cast", ["face"], ["given"], to=TensorProto.FLOAT)]
    if layout == "nhwc":
        nodes.append(helper.make_node("Transpose", ["given"], ["planes"], perm=[0, 3, 1, 2]))
    else:
        nodes.append(helper.make_node("Identity", ["given"], ["planes"]))
    nodes += [
        helper.make_node("AveragePool", ["planes"], ["cells"], kernel_shape=[POOL] * 2, strides=[POOL] * 2),
        helper.make_node("Reshape", ["cells", "rows"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["mixed"]),
        *(helper.make_node(operator, ["mixed", "zero"], ["mixed2"]) for operator in answer),
        helper.make_node("Identity", ["mixed2" if answer else "mixed"], ["embedding"]),
    ]
    kind = TensorProto.FLOAT16 if dtype == "float16" else TensorProto.FLOAT
    outputs = [helper.make_tensor_value_info("embedding", kind, [batch, DIM])]
    if more_outputs:
        outputs.insert(0, helper.make_tensor_value_info("cells", kind, [batch, 3, CELLS, CELLS]))
    graph = helper.make_graph(
        nodes,
        "arcface_like",
        [helper.make_tensor_value_info("face", ORDINARY[dtype], shape)],
        outputs,
        [numpy_helper.from_array(values, name) for name, values in fixed.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    return bytes(model.SerializeToString(deterministic=True))


@pytest.fixture
def entry_of(entry: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Build the entry of an ArcFace-style model; `said` changes its input."""

    def build(content: bytes, *, outputs: Any = None, dim: int = DIM, **said: Any) -> dict[str, Any]:
        images = {"dtype": "float32", "layout": "nchw", "colour": "bgr", "height": SIDE, "width": SIDE}
        images |= {"mean": 127.5, "std": 127.5, "batch": "any"} | said
        return entry(
            content,
            name="small_arcface",
            input={key: value for key, value in images.items() if value is not None},
            outputs=outputs or [{"shape": ["any", dim]}],
            embedding_dim=dim,
            alignment="arcface_112",
        )

    return build


@pytest.fixture
def embed(entry_of) -> Callable[..., np.ndarray]:
    def run(content: bytes, crops: np.ndarray, *, mirror: bool = False, **said: Any) -> np.ndarray:
        spec = ModelSpec.model_validate(entry_of(content, **said))
        return OnnxEmbedder(ModelSession(spec, content), faces_per_run=4).embed(crops, mirror=mirror)

    return run


@pytest.fixture
def crops() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)


def expected(crops: np.ndarray, *, colour: str = "bgr", mean: Any = 127.5, scale: Any = 1 / 127.5) -> np.ndarray:
    """What such a model should say, computed without any of our code."""
    ordered = crops[..., ::-1] if colour == "rgb" else crops
    scaled = (ordered.astype(np.float64) - np.asarray(mean)) * np.asarray(scale)
    cells = scaled.reshape(len(crops), CELLS, POOL, CELLS, POOL, 3).mean(axis=(2, 4)).transpose(0, 3, 1, 2)
    vectors = cells.reshape(len(crops), -1) @ WEIGHTS
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


IMAGENET_MEAN, IMAGENET_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
FORMS = {
    "ArcFace: 112 px, BGR, (x - 127.5) / 127.5": ({}, {}, {}),
    "RGB": ({}, {"colour": "rgb"}, {"colour": "rgb"}),
    "NHWC": ({"layout": "nhwc"}, {"layout": "nhwc"}, {}),
    "one image at a time": ({"batch": 1}, {}, {}),
    "one image at a time, said so": ({"batch": 1}, {"batch": "fixed_one"}, {}),
    "free batch, one at a time wanted": ({}, {"batch": "fixed_one"}, {}),
    "free sides": ({"side": "side"}, {}, {}),
    "mean and std a channel": (
        {},
        {"colour": "rgb", "mean": IMAGENET_MEAN, "std": IMAGENET_STD},
        {"colour": "rgb", "mean": IMAGENET_MEAN, "scale": 1 / np.array(IMAGENET_STD)},
    ),
    "scale and offset": (
        {},
        {"mean": None, "std": None, "scale": 1 / 255, "offset": (-0.5, -0.4, -0.3)},
        {"mean": (127.5, 102, 76.5), "scale": 1 / 255},
    ),
    "uint8 pixels": (
        {"dtype": "uint8"},
        {"dtype": "uint8", "mean": None, "std": None},
        {"mean": 0, "scale": 1},
    ),
    "several outputs, by name": (
        {"more_outputs": True},
        {"outputs": [{"name": "embedding", "shape": ["any", DIM]}]},
        {},
    ),
    "several outputs, by index": ({"more_outputs": True}, {"outputs": [{"index": 1, "shape": ["any", DIM]}]}, {}),
}


@pytest.mark.parametrize(("form", "said", "meant"), FORMS.values(), ids=FORMS.keys())
def test_an_entry_is_all_a_form_needs(embed, crops, form, said, meant) -> None:
    np.testing.assert_allclose(embed(arcface_like(**form), crops, **said), expected(crops, **meant), atol=2e-5)


def test_half_precision(embed, crops) -> None:
    vectors = embed(arcface_like(dtype="float16"), crops, dtype="float16")
    assert vectors.dtype == np.float32
    np.testing.assert_allclose((vectors * expected(crops)).sum(axis=1), 1, atol=1e-3)


def test_the_mirror_image_is_averaged_in(embed, crops) -> None:
    both = expected(crops) + expected(crops[:, :, ::-1])
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    np.testing.assert_allclose(embed(arcface_like(), crops, mirror=True), both, atol=2e-5)


REFUSED = {
    "eight at a time": ({"batch": 8}, {}, "export it for one image at a time or with a free first axis"),
    "one at a time where many are said": ({"batch": 1}, {"batch": "free"}, "set input.batch = 'fixed_one'"),
    "another layout": ({"layout": "nhwc"}, {}, "correct input.layout"),
    "half precision not said": ({"dtype": "float16"}, {}, "set input.dtype = 'float16'"),
    "other dimensions": ({}, {"dim": 128}, r"expected the output '' \('any', 128\).*correct outputs.shape"),
    "which of two outputs": ({"more_outputs": True}, {}, "0: 'cells'.*1: 'embedding'.*set outputs.name"),
    "an opset of the future": ({"opset": 99}, {}, "does not load.*export it again for an older opset"),
    "a batch that only pretends": (
        {"reshape_to": (1, 3 * CELLS * CELLS)},
        {},
        "one crop at a time works: set input.batch = 'fixed_one'",
    ),
}


@pytest.mark.parametrize(("form", "said", "complaint"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_work_is_refused_before_the_first_face(embed, crops, form, said, complaint) -> None:
    with pytest.raises(ContractMismatch, match=complaint):
        embed(arcface_like(**form), crops, **said)


def test_a_batch_that_only_pretends_works_one_at_a_time(embed, crops) -> None:
    content = arcface_like(reshape_to=(1, 3 * CELLS * CELLS))
    np.testing.assert_allclose(embed(content, crops, batch="fixed_one"), expected(crops), atol=2e-5)


def test_free_dimensions_are_tried(embed, crops, repinned) -> None:
    """A file need not say how long its vectors are: 24 numbers never pass for 12 or 128."""
    model = onnx.load_model_from_string(arcface_like())
    last = model.graph.node.pop()
    model.graph.initializer.append(numpy_helper.from_array(np.array([-1, DIM], np.int64), "shape"))
    model.graph.node.extend(
        [
            helper.make_node("ReduceSum", ["face"], ["sum"], keepdims=0),
            helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
            helper.make_node("Cast", ["nothing"], ["no"], to=TensorProto.INT64),
            helper.make_node("Add", ["shape", "no"], ["told_late"]),
            helper.make_node("Reshape", [last.input[0], "told_late"], [last.output[0]]),
        ]
    )
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_param = "d"
    content = repinned(model)
    np.testing.assert_allclose(embed(content, crops), expected(crops), atol=2e-5)
    with pytest.raises(ContractMismatch, match=r"expected an output \('any', 12\), got \(1, 24\)"):
        embed(content, crops, dim=12)
    with pytest.raises(ContractMismatch, match=r"expected 1 vectors of 12 numbers for as many crops, got \(1, 24\)"):
        embed(content, crops, dim=12, outputs=[{"shape": ["any", "any"]}])


@pytest.mark.parametrize("operator", ["Mul", "Div"])
def test_a_vector_of_nothing_stays_recognisable(embed, crops, operator) -> None:
    """Zero and infinite answers: no vector of length one comes of them (what is done then: tests of vision)."""
    vectors = embed(arcface_like(answer=(operator,)), crops, mirror=True)
    lengths = np.linalg.norm(vectors, axis=1)
    assert not np.any(np.isfinite(lengths) & (np.abs(lengths - 1) < 0.01))


WRONG_SCALINGS = {
    "std and scale": ({"scale": 1.0}, "std stands for 1 / scale"),
    "std of nothing": ({"std": 0}, "std: expected numbers greater than 0"),
    "std of two channels": ({"std": [1, 2]}, "std: expected a number or three"),
    "std in words": ({"std": "one"}, "std: expected a number or three"),
    "mean and offset": ({"std": None, "scale": 1.0, "offset": 1}, "not both"),
    "not a number": ({"mean": float("nan")}, "finite"),
}


@pytest.mark.parametrize(("said", "complaint"), WRONG_SCALINGS.values(), ids=WRONG_SCALINGS.keys())
def test_scalings_that_contradict_themselves(entry_of, said, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        ModelSpec.model_validate(entry_of(b"model", **said))


def test_spellings_of_one_scaling_are_one_model(entry_of) -> None:
    spelled = [
        {},
        {"mean": (127.5,) * 3, "std": [127.5] * 3},
        {"std": None, "scale": 1 / 127.5},
        {"mean": None, "std": None, "scale": 1 / 127.5, "offset": -1},
    ]
    specs = [ModelSpec.model_validate(entry_of(b"model", **said)) for said in spelled]
    assert len({spec.identity for spec in specs[:3]}) == 1
    np.testing.assert_allclose(specs[3].input.mean, specs[0].input.mean)


def test_what_changes_vectors_changes_the_identity(entry_of) -> None:
    plain = ModelSpec.model_validate(entry_of(b"model"))
    changes = [
        {"mirror_helps": False},
        {"metric": "euclidean_raw"},
        {"alignment": ARCFACE_112.model_copy(update={"name": "other"})},
        {"outputs": [{"index": 0, "shape": ["any", DIM]}]},
    ]
    others = [ModelSpec.model_validate(entry_of(b"model") | change).identity for change in changes]
    assert len({plain.identity, *others}) == 5


def test_identities_of_what_ships_stay() -> None:
    """Vectors in the lake lie under them: a new field in the manifest must not compute every home again."""
    known = {"centerface": "b07aae9c98ff7a6b", "dlib_resnet_v1": "f10a2c92fe49b365", "sface": "604a59d02e8fde16"}
    assert {name: load_manifest().get(name).identity for name in known} == known


def test_thresholds_in_euclidean_distances(entry_of) -> None:
    """dlib's 0.6 between raw vectors of length 1.4 is a cosine distance of 0.36 / 3.92."""
    said = {
        "euclidean_distance_at_fmr_1e_3": 0.6,
        "euclidean_distance_at_fmr_1e_4": 0.5,
        "vector_length": 1.4,
        "evaluation": "as its publisher says, on 13,233 photos",
    }
    spec = ModelSpec.model_validate(entry_of(b"model") | {"metric": "euclidean_raw", "threshold": said})
    assert spec.threshold is not None
    assert spec.threshold.cosine_distance_at_fmr_1e_3 == pytest.approx(0.36 / 3.92)
    with pytest.raises(ValueError, match="euclidean_distance_at_fmr_1e_3: expected numbers greater than 0"):
        ModelSpec.model_validate(entry_of(b"model") | {"threshold": said | {"euclidean_distance_at_fmr_1e_3": -1}})


CONVENTIONS = Conventions("small_arcface", colour="bgr", licence="MIT")


@pytest.fixture
def own(tmp_path) -> Callable[..., Manifest]:
    """Describe a file in a manifest of the user's own and return all models."""

    def build(content: bytes, conventions: Conventions = CONVENTIONS) -> Manifest:
        path = tmp_path / "downloads" / "small.onnx"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        (tmp_path / "own.toml").write_text(describe_embedder(path, conventions), "utf-8")
        return load_manifest(extra=tmp_path / "own.toml")

    return build


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"layout": "nhwc"},
        {"batch": 1},
        {"more_outputs": True},
        {"dtype": "float16"},
        {"reshape_to": (1, 3 * CELLS * CELLS)},
    ],
    ids=str,
)
def test_a_described_file_is_pulled_and_runs(own, tmp_path, crops, form) -> None:
    """The whole way of a user: describe, pull, load by name."""
    manifest = own(arcface_like(**form))
    pull(manifest.get("small_arcface"), cache=tmp_path / "cache")
    embedder = load_face_embedder("small_arcface", cache=tmp_path / "cache", manifest=manifest)
    vectors = embedder.embed(crops, mirror=False)
    np.testing.assert_allclose((vectors * expected(crops)).sum(axis=1), 1, atol=1e-3)
    assert embedder.spec.alignment == ARCFACE_112
    assert manifest.get("dlib_resnet_v1")


def test_a_file_of_another_side_gets_the_template_scaled(own) -> None:
    """Sides of 112 to 139 pixels give the file as many blocks."""
    manifest = own(arcface_like(side="s"), Conventions("small_arcface", side_px=126))
    found = manifest.get("small_arcface").alignment
    assert (found.name, found.side_px) == ("arcface_126", 126)
    np.testing.assert_allclose(found.array(), ARCFACE_112.array() * 126 / 112, atol=1e-3)


NOT_DESCRIBED = {
    "free sides": (arcface_like(side="s"), CONVENTIONS, ManifestError, "the sides free.*give its side"),
    "no such output": (arcface_like(), Conventions("x", output="y"), ManifestError, "one of the outputs embedding"),
    "no such template": (arcface_like(), Conventions("x", alignment="y"), ManifestError, "unknown template 'y'; known"),
    "a bad name": (arcface_like(), Conventions("No Name"), ManifestError, "models.0.name"),
    "no model": (b"no model", CONVENTIONS, ContractMismatch, "not an ONNX file"),
    "a bad opset": (arcface_like(opset=99), CONVENTIONS, ContractMismatch, "older opset"),
    "eight at a time": (arcface_like(batch=8), CONVENTIONS, ContractMismatch, "fails on 1 black images"),
}


@pytest.mark.parametrize(("content", "conventions", "kind", "complaint"), NOT_DESCRIBED.values(), ids=NOT_DESCRIBED)
def test_what_cannot_be_described(own, content, conventions, kind, complaint) -> None:
    with pytest.raises(kind, match=complaint):
        own(content, conventions)


def test_an_image_detector_is_no_embedder(own, repinned) -> None:
    model = onnx.load_model_from_string(arcface_like(more_outputs=True))
    del model.graph.output[1]
    with pytest.raises(ContractMismatch, match="expected one output that is a vector per image"):
        own(repinned(model))
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))
    with pytest.raises(ContractMismatch, match="expected one input, an image"):
        own(repinned(model))


def test_a_missing_file(tmp_path) -> None:
    with pytest.raises(ManifestError, match=r"cannot read .*none\.onnx"):
        describe_embedder(tmp_path / "none.onnx", CONVENTIONS)


def test_a_changed_file_is_not_taken(own, tmp_path) -> None:
    spec = own(arcface_like()).get("small_arcface")
    path = tmp_path / "downloads" / "small.onnx"
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    path.write_bytes(changed)
    with pytest.raises(HashMismatch, match=r"small\.onnx: expected sha256"):
        pull(spec, cache=tmp_path / "cache")
    path.unlink()
    with pytest.raises(Exception, match=r"small\.onnx cannot be read"):
        pull(spec, cache=tmp_path / "cache")


def test_names_that_are_taken(own, tmp_path) -> None:
    with pytest.raises(ManifestError, match=r"own\.toml: the names sface are taken; rename"):
        own(arcface_like(), Conventions("sface"))


@pytest.mark.parametrize("text", [b"\xff", b"models = ", b"[[models]]\nname = 'x'"])
def test_a_broken_manifest_is_named(tmp_path, text) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(text)
    with pytest.raises(ManifestError, match=r"own\.toml") as refused:
        load_manifest(extra=path)
    assert "\n" not in str(refused.value)


def test_folders_are_seen_from_the_manifest(entry_of, tmp_path) -> None:
    content = arcface_like()
    files = entry_of(content)["source"]["files"]
    said = entry_of(content) | {"source": {"kind": "folder", "folder": "downloads", "files": files}}
    manifest = Manifest.model_validate({"models": [said]}, context={"folder": tmp_path})
    assert manifest.models[0].source.folder == tmp_path / "downloads"
    with pytest.raises(ValueError, match="only a manifest of your own"):
        Manifest.model_validate({"models": [said]})


def test_the_cache_is_by_content(own, tmp_path) -> None:
    spec = own(arcface_like()).get("small_arcface")
    assert cached_path(spec, tmp_path).parent.name == spec.onnx_sha256
