import numpy as np
import pytest

from models.contract import InputContract
from models.embedder import OnnxEmbedder, model_input
from models.errors import ContractMismatch
from models.session import ModelSession


@pytest.fixture
def embedder(mean_colour, spec_of) -> OnnxEmbedder:
    return OnnxEmbedder(ModelSession(spec_of(mean_colour), mean_colour), faces_per_run=4)


@pytest.fixture
def crops() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (11, 16, 16, 3), dtype=np.uint8)


def test_vectors_are_unit_and_rgb(embedder, crops) -> None:
    vectors = embedder.embed(crops, mirror=False)
    means = crops.mean(axis=(1, 2))[:, ::-1]
    np.testing.assert_allclose(vectors, means / np.linalg.norm(means, axis=1, keepdims=True), rtol=1e-5)
    assert vectors.dtype == np.float32
    assert embedder.dim == 3


def test_split_into_runs_does_not_matter(embedder, crops) -> None:
    whole = embedder.embed(crops)
    apart = np.concatenate([embedder.embed(crops[i : i + 1]) for i in range(len(crops))])
    np.testing.assert_allclose(whole, apart, atol=1e-6)


def test_mirrored_crops_get_the_same_vectors(left_colour, spec_of, crops) -> None:
    one_sided = OnnxEmbedder(ModelSession(spec_of(left_colour), left_colour))
    mirrored = crops[:, :, ::-1]
    np.testing.assert_allclose(one_sided.embed(crops), one_sided.embed(mirrored), atol=1e-6)
    apart = one_sided.embed(crops, mirror=False) - one_sided.embed(mirrored, mirror=False)
    assert np.abs(apart).max() > 0.01


def test_no_crops(embedder) -> None:
    assert embedder.embed(np.empty((0, 16, 16, 3), np.uint8)).shape == (0, 3)


@pytest.mark.parametrize("wrong", [np.zeros((1, 15, 16, 3), np.uint8), np.zeros((1, 16, 16, 3), np.float32)])
def test_wrong_crops_are_refused(embedder, wrong) -> None:
    with pytest.raises(ContractMismatch, match="takes uint8 crops"):
        embedder.embed(wrong)


def test_time_in_the_model_is_counted(embedder, crops) -> None:
    embedder.embed(crops)
    assert embedder.seconds_in_model > 0


def test_no_embedder_without_a_dimension(mean_colour, spec_of) -> None:
    spec = spec_of(mean_colour, kind="expression", embedding_dim=None)
    with pytest.raises(ContractMismatch, match="not a face_embedder"):
        OnnxEmbedder(ModelSession(spec, mean_colour))


def test_model_input_normalises_and_reorders() -> None:
    image = np.zeros((1, 2, 2, 3), np.uint8)
    image[0, 0, 1] = [10, 20, 30]  # BGR
    contract = InputContract(dtype="float32", layout="nchw", colour="rgb", mean=(1, 2, 3), scale=0.5)
    planes = model_input(image, contract)
    assert planes.shape == (1, 3, 2, 2)
    np.testing.assert_allclose(planes[0, :, 0, 1], [(30 - 1) / 2, (20 - 2) / 2, (10 - 3) / 2])


def test_model_input_leaves_matching_bytes_alone() -> None:
    image = np.random.default_rng(1).integers(0, 255, (1, 4, 4, 3), dtype=np.uint8)
    contract = InputContract(dtype="uint8", layout="nhwc", colour="bgr")
    np.testing.assert_array_equal(model_input(image, contract), image)
