import struct

import numpy as np
import onnxruntime as ort
import pytest

from models.convert.dlib_resnet import ARCHITECTURE, _Network
from models.convert.dlib_stream import Layer, read_network
from models.errors import ConversionFailed

SIDE = 9
# A network in miniature with every kind of layer: a convolution, then a block that halves and widens.
SMALL = (
    Layer("con"),
    Layer("affine"),
    Layer("relu"),
    Layer("max_pool"),
    Layer("tag", 1),
    Layer("con"),
    Layer("affine"),
    Layer("tag", 2),
    Layer("skip", 1),
    Layer("avg_pool"),
    Layer("add_prev", 2),
    Layer("relu"),
    Layer("avg_pool"),
    Layer("fc_no_bias"),
)


def integer(value: int) -> bytes:
    size = (abs(value).bit_length() + 7) // 8 or 1
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def real(value: float) -> bytes:
    mantissa, exponent = np.frexp(value)
    return integer(int(mantissa * 2**24)) + integer(int(exponent) - 24)


def string(value: str) -> bytes:
    return integer(len(value)) + value.encode()


def tensor(values: np.ndarray) -> bytes:
    dims = [values.size, 1, 1, 1] if values.size else [0, 0, 0, 0]
    return integer(2) + b"".join(map(integer, dims)) + values.astype("<f4").tobytes()


ALIAS = integer(1) + integer(1) * 4
RATES = real(1.0) * 4
EMPTY = tensor(np.empty(0, np.float32))
STATE = b"110" + EMPTY * 3


class SmallNetwork:
    """Random parameters, as the file holds them and as a plain reference computes with them."""

    def __init__(self) -> None:
        rng = np.random.default_rng(4)
        draw = lambda *shape: rng.normal(0, 0.5, shape).astype(np.float32)  # noqa: E731
        self.first, self.first_bias, self.gamma, self.beta = draw(4, 3, 2, 2), draw(4), draw(4), draw(4)
        self.second, self.second_bias, self.gamma2, self.beta2 = draw(6, 4, 3, 3), draw(6), draw(6), draw(6)
        self.matrix = draw(6, 5)

    def serialise(self) -> bytes:
        versions = [3 if i == 0 else 1 if layer.is_marker else 2 for i, layer in enumerate(SMALL)]
        head = integer(1) + string("loss_metric_2") + real(0.04) + real(0.6)
        image = string("input_rgb_image_sized") + real(120.0) + real(110.5) + real(100.25)
        return (
            head
            + b"".join(integer(version) for version in reversed(versions))
            + image
            + integer(SIDE)
            + integer(SIDE)
            + self.convolution(self.first, self.first_bias, stride=1)
            + STATE
            + integer(1)  # sample expansion factor
            + self.affine(self.gamma, self.beta)
            + string("relu_")
            + STATE
            + self.pool("max_pool_2", 2, 2)
            + self.convolution(self.second, self.second_bias, stride=2)
            + STATE
            + self.affine(self.gamma2, self.beta2)
            + self.pool("avg_pool_2", 2, 2)
            + string("add_prev_")
            + STATE
            + string("relu_")
            + STATE
            + self.pool("avg_pool_2", 0, 1)
            + string("fc_2")
            + integer(5)
            + integer(6)
            + tensor(self.matrix)
            + ALIAS * 2
            + integer(1)
            + RATES
            + STATE
        )

    @staticmethod
    def convolution(kernel: np.ndarray, bias: np.ndarray, *, stride: int) -> bytes:
        numbers = [len(kernel), *kernel.shape[2:], stride, stride, 0, 0]
        learnt = np.concatenate([kernel.ravel(), bias])
        return string("con_4") + tensor(learnt) + b"".join(map(integer, numbers)) + ALIAS * 2 + RATES

    @staticmethod
    def affine(gamma: np.ndarray, beta: np.ndarray) -> bytes:
        return string("affine_") + tensor(np.concatenate([gamma, beta])) + ALIAS * 2 + integer(0) + STATE

    @staticmethod
    def pool(name: str, window: int, stride: int) -> bytes:
        numbers = [window, window, stride, stride, 0, 0]
        return string(name) + b"".join(map(integer, numbers)) + STATE

    def reference(self, image: np.ndarray) -> np.ndarray:
        """Compute one BGR image's vector with nothing but loops and sums."""
        planes = (image[..., ::-1].astype(np.float64) - [120.0, 110.5, 100.25]).transpose(2, 0, 1) / 256
        value = np.maximum(scaled(correlate(planes, self.first, self.first_bias, 1), self.gamma, self.beta), 0)
        value = pooled(value, np.max)
        wide = scaled(correlate(value, self.second, self.second_bias, 2), self.gamma2, self.beta2)
        short = pooled(value, np.mean)
        total = np.zeros((6, 2, 2))
        total[:, : wide.shape[1], : wide.shape[2]] += wide
        total[: len(short), : short.shape[1], : short.shape[2]] += short
        return np.maximum(total, 0).mean(axis=(1, 2)) @ self.matrix


def correlate(planes: np.ndarray, kernel: np.ndarray, bias: np.ndarray, stride: int) -> np.ndarray:
    size = (planes.shape[1] - kernel.shape[2]) // stride + 1
    out = np.empty((len(kernel), size, size))
    for y in range(size):
        for x in range(size):
            window = planes[:, y * stride : y * stride + kernel.shape[2], x * stride : x * stride + kernel.shape[3]]
            out[:, y, x] = (kernel * window).sum(axis=(1, 2, 3)) + bias
    return out


def scaled(planes: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    return planes * gamma[:, None, None] + beta[:, None, None]


def pooled(planes: np.ndarray, how) -> np.ndarray:
    half = planes.shape[1] // 2
    blocks = planes[:, : half * 2, : half * 2].reshape(len(planes), half, 2, half, 2)
    return how(blocks, axis=(2, 4))


@pytest.fixture
def network() -> SmallNetwork:
    return SmallNetwork()


def test_reader_returns_what_was_written(network) -> None:
    image, details = read_network(network.serialise(), SMALL)
    assert image.mean_rgb == pytest.approx((120.0, 110.5, 100.25))
    assert (image.height, image.width) == (SIDE, SIDE)
    assert details[0].numbers == (4, 2, 2, 1, 1, 0, 0)
    np.testing.assert_array_equal(details[5].learnt()[-6:], network.second_bias)
    np.testing.assert_array_equal(details[-1].learnt(), network.matrix.ravel())


def test_onnx_computes_what_the_layers_say(network) -> None:
    image, details = read_network(network.serialise(), SMALL)
    session = ort.InferenceSession(_Network(image).build(details), providers=["CPUExecutionProvider"])
    pictures = np.random.default_rng(8).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)
    (vectors,) = session.run(None, {"images": pictures})
    np.testing.assert_allclose(vectors, [network.reference(one) for one in pictures], rtol=1e-4, atol=1e-5)


def test_conversion_is_the_same_every_time(network) -> None:
    image, details = read_network(network.serialise(), SMALL)
    assert _Network(image).build(details) == _Network(image).build(details)


@pytest.mark.parametrize("cut", [0, 1, 5, 40, 300, -1])
def test_cut_file_is_refused(network, cut) -> None:
    with pytest.raises(ConversionFailed, match="dlib file, byte"):
        read_network(network.serialise()[:cut], SMALL)


def test_bytes_after_the_end_are_refused(network) -> None:
    with pytest.raises(ConversionFailed, match="1 bytes follow"):
        read_network(network.serialise() + b"\0", SMALL)


def test_other_architecture_is_refused(network) -> None:
    with pytest.raises(ConversionFailed):
        read_network(network.serialise(), ARCHITECTURE)
    swapped = (*SMALL[:2], Layer("max_pool"), Layer("relu"), *SMALL[4:])
    with pytest.raises(ConversionFailed, match="expected the type 'max_pool_2'"):
        read_network(network.serialise(), swapped)


def test_absurd_tensor_size_is_refused_before_reading(network) -> None:
    honest = integer(2) + integer(network.matrix.size)
    absurd = integer(2) + integer(2**60)
    with pytest.raises(ConversionFailed, match="are left"):
        read_network(network.serialise().replace(honest, absurd), SMALL)


def test_parameters_that_do_not_fit_are_refused(network) -> None:
    network.gamma = network.gamma[:3]
    image, details = read_network(network.serialise(), SMALL)
    with pytest.raises(ConversionFailed, match="do not fit"):
        _Network(image).build(details)


def test_the_real_architecture_has_29_convolutions() -> None:
    assert sum(layer.kind == "con" for layer in ARCHITECTURE) == 29


def test_floats_are_little_endian() -> None:
    assert tensor(np.array([1.5], np.float32))[-4:] == struct.pack("<f", 1.5)
