import json

import numpy as np
import onnxruntime as ort
import pytest

from models.convert.face_api import _Network, _read_weights, convert_age_gender
from models.errors import ConversionFailed

QUANTISED = {"dtype": "uint8", "scale": 0.5, "min": -1.0}


def weights(*tensors: dict, binary: bytes) -> dict[str, bytes]:
    listing = [{"weights": list(tensors), "paths": ["w.bin"]}]
    return {"w.json": json.dumps(listing).encode(), "w.bin": binary}


def tensor(name: str, shape: list[int], **more) -> dict:
    return {"name": name, "shape": shape, "dtype": "float32"} | more


def test_plain_and_quantised_tensors_are_read_in_order() -> None:
    plain = np.array([1.5, -2.0], dtype="<f4").tobytes()
    files = weights(
        tensor("kernel", [2, 2], quantization=QUANTISED), tensor("bias", [2]), binary=bytes([0, 2, 4, 255]) + plain
    )
    values = _read_weights(files)
    np.testing.assert_allclose(values["kernel"], [[-1, 0], [1, 126.5]])
    np.testing.assert_allclose(values["bias"], [1.5, -2.0])


@pytest.mark.parametrize("binary", [b"\0" * 7, b"\0" * 9])
def test_too_short_or_too_long_is_refused(binary) -> None:
    with pytest.raises(ConversionFailed, match=r"end inside|bytes follow"):
        _read_weights(weights(tensor("bias", [2]), binary=binary))


@pytest.mark.parametrize(
    "files",
    [
        {"w.bin": b""},
        {"w.json": b"[]", "w.bin": b""},
        {"w.json": b"{", "w.bin": b""},
        weights(tensor("bias", [-1]), binary=b""),
        weights(tensor("bias", [1], surprise=1), binary=b"\0" * 4),
    ],
)
def test_malformed_listings_are_refused(files) -> None:
    with pytest.raises(ConversionFailed):
        _read_weights(files)


def test_missing_layer_is_named() -> None:
    with pytest.raises(ConversionFailed, match="lacks 'entry_flow/conv_in/filters'"):
        convert_age_gender(weights(tensor("fc/bias", [1]), binary=b"\0" * 4))


@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 2), (2, 1)])
def test_convolutions_pad_as_tensorflow_does(row, column) -> None:
    # On an even side with stride 2, `same` pads below and right only, so tap (r, c) reads pixel (2y + r, 2x + c).
    kernel = np.zeros((3, 3, 3, 1), np.float32)
    kernel[row, column, 0, 0] = 1  # the red channel
    network = _Network({"c/filters": kernel, "c/bias": np.zeros(1, np.float32)})
    network.convolve("c", stride=2)
    network._value = network._graph.add("Flatten", network._value)
    session = ort.InferenceSession(network.finish("probe", [("planes", network._value, 56 * 56)]))
    image = np.random.default_rng(2).integers(0, 256, (1, 112, 112, 3), dtype=np.uint8)
    found = session.run(None, {"images": image})[0].reshape(56, 56)
    red = (image[0, :, :, 2].astype(np.float32) - np.float32(122.782)) / 255
    np.testing.assert_allclose(found[:-1, :-1], red[row::2, column::2][:55, :55], atol=1e-6)


def test_dense_block_sums_everything_before() -> None:
    # Kernels that pass the image through, doubled by each further convolution that sees the sum.
    identity = {"d/conv0/filters": np.zeros((3, 3, 3, 1), np.float32), "d/conv0/bias": np.ones(1, np.float32)}
    for index in (1, 2, 3):
        depthwise = np.zeros((3, 3, 1, 1), np.float32)
        depthwise[1, 1] = 1
        identity |= {
            f"d/conv{index}/depthwise_filter": depthwise,
            f"d/conv{index}/pointwise_filter": np.ones((1, 1, 1, 1), np.float32),
            f"d/conv{index}/bias": np.zeros(1, np.float32),
        }
    network = _Network(identity)
    network.dense("d", separable_first=False)
    network.pool_everything()
    session = ort.InferenceSession(network.finish("probe", [("mean", network._value, 1)]))
    (mean,) = session.run(None, {"images": np.zeros((1, 112, 112, 3), np.uint8)})
    assert mean[0, 0] == pytest.approx(1 + 1 + 2 + 4)
