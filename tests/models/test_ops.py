import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import _ops

POINTS = np.array([[10.0, 20.0], [60.0, 22.0], [35.0, 50.0], [18.0, 80.0], [52.0, 78.0]])


def similarity(scale: float, angle: float, x: float, y: float) -> np.ndarray:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, x], [s, c, y]])


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


@given(
    scale=st.floats(0.05, 20),
    angle=st.floats(-3.1, 3.1),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
)
def test_similarity_is_recovered(scale, angle, x, y) -> None:
    truth = similarity(scale, angle, x, y)
    found = _ops.similarity_transforms(POINTS[None], apply(truth, POINTS))
    np.testing.assert_allclose(found[0], truth, rtol=1e-6, atol=1e-6)


@given(noise=st.lists(st.floats(-5, 5), min_size=10, max_size=10))
def test_no_other_similarity_fits_better(noise) -> None:
    target = POINTS * 2 + np.reshape(noise, (5, 2))
    best = _ops.similarity_transforms(POINTS[None], target)[0]
    error = np.square(apply(best, POINTS) - target).sum()
    for change in (similarity(1.01, 0, 0, 0), similarity(1, 0.01, 0, 0), similarity(1, 0, 0.1, 0)):
        assert error <= np.square(apply(_ops.compose(best, change), POINTS) - target).sum() + 1e-9


def test_similarity_never_mirrors() -> None:
    found = _ops.similarity_transforms(POINTS[None], POINTS * [-1, 1])[0]
    assert np.linalg.det(found[:, :2]) > 0


def test_points_without_extent_keep_scale_and_direction() -> None:
    found = _ops.similarity_transforms(np.full((1, 5, 2), 7.0), POINTS)[0]
    np.testing.assert_allclose(found[:, :2], np.eye(2))
    np.testing.assert_allclose(found @ [7, 7, 1], POINTS.mean(axis=0))


def test_compose_applies_first_then_second() -> None:
    first, second = similarity(2, 0.3, 5, -1), similarity(0.5, -1, 0, 9)
    both = _ops.compose(first, second)
    np.testing.assert_allclose(apply(both, POINTS), apply(second, apply(first, POINTS)))


@pytest.mark.parametrize(
    ("height", "width", "padded"),
    [
        (480, 640, (480, 640)),
        (250, 250, (256, 256)),
        (720, 1280, (736, 1280)),
        (1080, 1920, (736, 1280)),
        (1, 1, (32, 32)),
    ],
)
def test_letterbox_pads_to_the_multiple_and_never_enlarges(height, width, padded) -> None:
    fit = _ops.letterbox_within(height, width, max_side_px=1280, multiple=32)
    assert (fit.padded_height, fit.padded_width) == padded
    assert fit.to_image_x >= 1
    corner = np.array([[fit.scaled_width, fit.scaled_height]], np.float32)
    np.testing.assert_allclose(_ops.to_image_points(corner, fit), [[width, height]], rtol=1e-6)


def test_letterbox_into_fixed_input_enlarges_and_keeps_proportions() -> None:
    fit = _ops.letterbox_into(100, 200, target_height=640, target_width=640)
    assert (fit.scaled_height, fit.scaled_width, fit.padded_height) == (320, 640, 640)


def test_iou_of_known_boxes() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [4, 4, 4, 4]], np.float32)
    np.testing.assert_allclose(_ops.iou_with(boxes[0], boxes), [1, 1 / 3, 0, 0], atol=1e-6)


def test_suppression_keeps_the_best_of_each_group() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [0, 1, 10, 11]], np.float32)
    scores = np.array([0.7, 0.9, 0.6, 0.8], np.float32)
    assert _ops.suppress_overlaps(boxes, scores, iou=0.3).tolist() == [1, 2]


def test_suppression_does_not_chain() -> None:
    # 0 removes 1; 2 overlaps 1 only, so it stays.
    boxes = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], np.float32)
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    assert _ops.suppress_overlaps(boxes, scores, iou=0.3).tolist() == [0, 2]


def test_suppression_of_nothing() -> None:
    assert len(_ops.suppress_overlaps(np.empty((0, 4), np.float32), np.empty(0, np.float32), iou=0.3)) == 0


@given(order=st.permutations(range(6)))
def test_suppression_does_not_depend_on_order(order) -> None:
    boxes = np.array([[i * 4, 0, i * 4 + 10, 10] for i in range(6)], np.float32)
    scores = np.array([0.5, 0.5, 0.9, 0.5, 0.5, 0.9], np.float32)
    kept = boxes[_ops.suppress_overlaps(boxes, scores, iou=0.3)]
    shuffled = boxes[order][_ops.suppress_overlaps(boxes[order], scores[order], iou=0.3)]
    np.testing.assert_array_equal(kept, shuffled)


def centerface_maps(rows: int = 12, columns: int = 16) -> tuple[np.ndarray, ...]:
    shapes = ((rows, columns), (2, rows, columns), (2, rows, columns), (10, rows, columns))
    return tuple(np.zeros(shape, np.float32) for shape in shapes)


def test_centerface_cell_becomes_a_box_with_landmarks() -> None:
    heatmap, scale, offset, landmarks = centerface_maps()
    heatmap[3, 7] = 0.9
    scale[:, 3, 7] = np.log([10, 5])  # 40 px high, 20 px wide
    offset[:, 3, 7] = [0.25, -0.5]  # y, x
    landmarks[:, 3, 7] = [0.3, 0.2, 0.3, 0.8, 0.5, 0.5, 0.8, 0.3, 0.8, 0.7]  # y, x pairs
    boxes, points, scores = _ops.decode_centerface(heatmap, scale, offset, landmarks, threshold=0.5)
    x, y = (7 - 0.5 + 0.5) * 4, (3 + 0.25 + 0.5) * 4
    np.testing.assert_allclose(boxes, [[x - 10, y - 20, x + 10, y + 20]], atol=1e-4)
    np.testing.assert_allclose(points[0, 1], [x - 10 + 0.8 * 20, y - 20 + 0.3 * 40], atol=1e-4)
    assert scores.tolist() == pytest.approx([0.9])


def test_centerface_threshold_is_exclusive() -> None:
    maps = centerface_maps()
    maps[0][1, 1], maps[0][5, 5] = 0.5, 0.51
    assert len(_ops.decode_centerface(*maps, threshold=0.5)[2]) == 1


def test_centerface_finds_nothing_in_empty_maps() -> None:
    boxes, points, scores = _ops.decode_centerface(*centerface_maps(), threshold=0.5)
    assert (boxes.shape, points.shape, scores.shape) == ((0, 4), (0, 5, 2), (0,))


def test_absurd_scale_stays_finite() -> None:
    maps = centerface_maps()
    maps[0][2, 2], maps[1][:, 2, 2] = 1.0, 1e4
    assert np.isfinite(_ops.decode_centerface(*maps, threshold=0.5)[0]).all()


def test_anchor_free_decoding() -> None:
    corners = _ops.cell_corners(2, 3, stride_px=16)
    np.testing.assert_array_equal(corners[4], [16, 16])
    regression = np.array([[0.5, 0.25, np.log(2), np.log(4)]], np.float32)
    strides = np.full((1, 1), 16, np.float32)
    boxes = _ops.decode_anchor_free(corners[4:5], regression, strides_px=strides)
    np.testing.assert_allclose(boxes, [[24 - 16, 20 - 32, 24 + 16, 20 + 32]], atol=1e-4)


def test_unit_rows() -> None:
    """What is shorter than a millionth is noise around zero: made unit length, it would pass for a face."""
    rows = _ops.unit_rows(np.array([[3, 4], [0, 0], [1e-5, 0], [1e-30, 0], [np.nan, 1], [np.inf, 1]], np.float32))
    np.testing.assert_allclose(rows[:4], [[0.6, 0.8], [0, 0], [1, 0], [0, 0]], atol=1e-6)
    assert np.isnan(rows[4:]).any(axis=1).all()
    assert rows.dtype == np.float32
