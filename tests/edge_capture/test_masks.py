import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_capture.masks import PrivacyMasks, covered_pixels, only_near, preparation, shrunk

FRACTIONS = st.floats(0, 1)
POLYGONS = st.lists(st.tuples(FRACTIONS, FRACTIONS), min_size=3, max_size=6).map(tuple)
SIZES = st.tuples(st.integers(1, 90), st.integers(1, 90))
TRIANGLE = ((0.1, 0.1), (0.9, 0.2), (0.4, 0.8))


@settings(max_examples=200)
@given(POLYGONS, SIZES, st.lists(FRACTIONS, min_size=3, max_size=3))
def test_no_point_of_a_mask_lies_in_an_open_pixel(polygon, size, weights) -> None:
    """Points of the polygon's first triangle, corners and edges included."""
    width, height = size
    shares = np.array(weights) / sum(weights) if sum(weights) else np.array([1.0, 0.0, 0.0])
    x, y = (shares[:, None] * np.array(polygon[:3])).sum(axis=0)
    column, row = min(int(x * width), width - 1), min(int(y * height), height - 1)
    assert covered_pixels([polygon[:3]], width=width, height=height)[row, column]


@given(POLYGONS, SIZES)
def test_edges_are_covered(polygon, size) -> None:
    width, height = size
    covered = covered_pixels([polygon], width=width, height=height)
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        for share in np.linspace(0, 1, 23):
            x, y = x1 + share * (x2 - x1), y1 + share * (y2 - y1)
            assert covered[min(int(y * height), height - 1), min(int(x * width), width - 1)]


@given(POLYGONS, SIZES)
def test_masks_take_little_more_than_they_name(polygon, size) -> None:
    width, height = size
    corners = np.array(polygon) * (width, height)
    rows, columns = np.nonzero(covered_pixels([polygon], width=width, height=height))
    low, high = corners.min(axis=0) - 2.001, corners.max(axis=0) + 2.001
    assert ((columns >= low[0]) & (columns <= high[0])).all()
    assert ((rows >= low[1]) & (rows <= high[1])).all()


def test_a_square_is_grown_by_one_pixel() -> None:
    square = ((0.25, 0.25), (0.5, 0.25), (0.5, 0.5), (0.25, 0.5))
    covered = covered_pixels([square], width=16, height=16)
    assert np.nonzero(covered.any(axis=0))[0].tolist() == list(range(3, 10))
    assert np.nonzero(covered.any(axis=1))[0].tolist() == list(range(3, 10))
    assert covered[3:10, 3:10].all()


def noisy(seed: int, height: int = 72, width: int = 96):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_nothing_of_a_masked_area_reaches_the_jpeg() -> None:
    """Two pictures that differ only under the mask become the same file, byte for byte."""
    covered = covered_pixels([TRIANGLE], width=96, height=72)
    one, other = noisy(1), noisy(1)
    other[covered] = noisy(2)[covered]
    assert not np.array_equal(one, other)
    masks = PrivacyMasks([TRIANGLE])
    files = []
    for image in (one, other):
        outside = image[~covered].copy()
        masks.paint(image)
        assert not image[covered].any()
        assert np.array_equal(image[~covered], outside)
        files.append(cv2.imencode(".jpg", image)[1].tobytes())
    assert files[0] == files[1]


def test_masks_follow_a_change_of_size() -> None:
    masks = PrivacyMasks([TRIANGLE])
    for height, width in ((72, 96), (36, 48), (72, 96)):
        image = noisy(3, height, width)
        masks.paint(image)
        assert not image[covered_pixels([TRIANGLE], width=width, height=height)].any()


def test_no_mask_changes_nothing() -> None:
    image = noisy(4)
    assert np.array_equal(preparation(())(image.copy()), image)


@pytest.mark.parametrize(
    ("size", "most", "expected"),
    [
        ((1080, 1920), 1280, (720, 1280)),
        ((1920, 1080), 1280, (1280, 720)),
        ((720, 1280), 1280, (720, 1280)),
        ((48, 64), None, (48, 64)),
        ((1, 5000), 100, (1, 100)),
    ],
)
def test_the_longer_side_is_cut(size, most, expected) -> None:
    assert shrunk(np.zeros((*size, 3), np.uint8), most).shape == (*expected, 3)


def test_what_is_under_a_mask_does_not_come_back_by_shrinking() -> None:
    prepare = preparation((TRIANGLE,), max_side_px=40)
    one, other = noisy(5), noisy(5)
    covered = covered_pixels([TRIANGLE], width=96, height=72)
    other[covered] = 255
    assert np.array_equal(prepare(one), prepare(other))


BOXES = st.lists(st.tuples(*[st.floats(-50, 150, width=32)] * 4), max_size=4)


@given(BOXES)
def test_only_what_is_near_a_box_is_left(boxes) -> None:
    found = np.array(boxes, np.float32).reshape(-1, 4)
    found[:, 2:] = np.maximum(found[:, :2], found[:, 2:])
    image = noisy(6) // 2  # no pixel is as bright as the grey
    left = (only_near(image, found, margin=0.5) == image).all(axis=2)
    near, far = np.zeros((72, 96), bool), np.ones((72, 96), bool)
    for x1, y1, x2, y2 in found.astype(float).tolist():
        across, down = (x2 - x1) / 2, (y2 - y1) / 2
        rows, columns = np.arange(72)[:, None], np.arange(96)[None]
        near |= (rows >= y1 - down) & (rows < y2 + down) & (columns >= x1 - across) & (columns < x2 + across)
        far &= (
            (rows < y1 - down - 16)
            | (rows > y2 + down + 16)
            | (columns < x1 - across - 16)
            | (columns > x2 + across + 16)
        )
    assert left[near].all()
    assert not left[far].any()


def test_nothing_found_leaves_nothing() -> None:
    assert (only_near(noisy(7), np.empty((0, 4), np.float32)) == 128).all()
