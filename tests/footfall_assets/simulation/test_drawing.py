"""Brush, boxes, traits and the order of the cast."""

import numpy as np
import pytest

from footfall_assets.simulation.boxes import box_iou
from footfall_assets.simulation.brush import Canvas, ellipse, fill, rasterise, smooth
from footfall_assets.simulation.choose_cast import farthest_first
from footfall_assets.simulation.face_model import FaceState
from footfall_assets.simulation.face_painter import paint_back, paint_face
from footfall_assets.simulation.face_sampling import blend_traits, draw_traits


def test_a_filled_polygon_has_its_colour_inside_and_leaves_the_outside() -> None:
    canvas = Canvas.blank(width=40, height=30)
    fill(canvas, ellipse(20, 15, radius_x=8, radius_y=8), (10, 20, 30), solid=True)
    assert canvas.pixels[15, 20] == pytest.approx([10, 20, 30], abs=0.2)
    assert canvas.coverage[15, 20] == pytest.approx(1, abs=0.01)
    assert canvas.coverage[2, 2] == 0
    assert canvas.coverage.sum() == pytest.approx(np.pi * 64, rel=0.2)


def test_a_polygon_outside_the_canvas_is_skipped_and_one_across_the_edge_is_cut() -> None:
    assert rasterise((30, 40), ellipse(100, 100, radius_x=5, radius_y=5), softness=1.0) is None
    patch = rasterise((30, 40), ellipse(0, 0, radius_x=5, radius_y=5), softness=0.0)
    assert patch is not None
    assert (patch.rows.start, patch.columns.start) == (0, 0)


def test_smoothing_stays_inside_the_corners() -> None:
    points = smooth([(0, 0), (10, 0), (10, 10), (0, 10)])
    assert len(points) == 4 * 2**3
    assert points.min() >= 0
    assert points.max() <= 10
    assert np.hypot(*(points - 0).T).min() > 0.5


@pytest.mark.parametrize(
    ("other", "expected"),
    [((0, 0, 10, 10), 1.0), ((5, 0, 15, 10), 1 / 3), ((10, 0, 20, 10), 0.0), ((20, 20, 30, 30), 0.0)],
)
def test_overlap_of_boxes(other: tuple[float, float, float, float], expected: float) -> None:
    assert box_iou((0, 0, 10, 10), other) == pytest.approx(expected)


def test_a_seed_is_a_person() -> None:
    assert draw_traits(5) == draw_traits(5)
    assert draw_traits(5) != draw_traits(6)


def test_seven_equal_seeds_are_the_person_of_that_seed_and_others_lend_their_parts() -> None:
    assert blend_traits((5,) * 7) == draw_traits(5)
    mixed = blend_traits((1, 2, 3, 4, 5, 6, 7))
    assert mixed.skin == draw_traits(1).skin
    assert mixed.eyes == draw_traits(3).eyes
    assert mixed.nose == draw_traits(5).nose
    assert mixed.mouth == draw_traits(6).mouth


@pytest.mark.parametrize("seed", range(40))
def test_a_mixed_face_keeps_its_mouth_above_its_chin(seed: int) -> None:
    mixed = blend_traits((seed, seed + 1, seed + 2, seed + 3, seed + 4, seed + 5, seed + 6))
    assert mixed.head.chin_y >= mixed.nose.length + mixed.mouth.gap + 20


@pytest.mark.parametrize("paint", [paint_face, paint_back])
@pytest.mark.parametrize("yaw", [-16.0, 0.0, 16.0])
def test_the_face_is_as_high_as_asked_and_inside_the_tile(paint: object, yaw: float) -> None:
    figure = paint(draw_traits(3), FaceState(yaw=yaw), face_height=100.0)
    height, width = figure.coverage.shape
    x1, y1, x2, y2 = figure.box
    assert y2 - y1 == pytest.approx(100)
    assert 0 <= x1 < x2 <= width
    assert 0 <= y1 < y2 <= height
    assert x1 < figure.anchor[0] < x2
    assert y1 < figure.anchor[1] < y2
    assert figure.pixels.max() <= 255


def test_every_style_can_be_painted() -> None:
    people = [draw_traits(seed) for seed in range(60)]
    assert len({each.hair_style for each in people}) == 12
    assert len({each.beard_style for each in people}) == 6
    assert len({each.glasses_style for each in people}) == 4
    for each in people:
        assert np.isfinite(paint_face(each, FaceState(smile=1, mouth_open=1, squint=1), face_height=90.0).pixels).all()


def test_farthest_first_takes_the_ends_of_a_line_before_its_middle() -> None:
    line = np.array([[0.0], [1.0], [2.0], [5.0], [9.0]], np.float32)
    order, gaps = farthest_first(line, 3)
    assert order == [4, 0, 3]
    assert gaps[1:] == [9.0, 4.0]
