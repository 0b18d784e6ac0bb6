from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_capture.zones import Anchor, anchor_points, contains, zones_of
from footfall_assets.contracts.fleet import Zone

SQUARE = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
U_SHAPE = ((0.0, 0.0), (0.2, 0.0), (0.2, 0.8), (0.8, 0.8), (0.8, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
BOW_TIE = ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0))
# Multiples of 1/256 are exact, and so is every product of two of them: no rounding blurs what "on the edge" means.
FRACTIONS = st.integers(0, 256).map(lambda number: number / 256)
POINTS = st.tuples(FRACTIONS, FRACTIONS)
POLYGONS = st.lists(POINTS, min_size=3, max_size=8).map(tuple)


@pytest.mark.parametrize(
    ("polygon", "point", "inside"),
    [
        (SQUARE, (0.5, 0.5), True),
        (SQUARE, (0.1, 0.5), False),
        (SQUARE, (0.9, 0.5), False),
        (SQUARE, (0.5, 0.1), False),
        (SQUARE, (0.5, 0.9), False),
        (SQUARE, (0.25, 0.5), True),  # an edge belongs to it,
        (SQUARE, (0.5, 0.75), True),
        (SQUARE, (0.25, 0.25), True),  # and so does a corner
        (SQUARE, (0.75, 0.75), True),
        (SQUARE, (0.1, 0.25), False),  # in line with an edge, not on it
        (SQUARE, (0.9, 0.75), False),
        (U_SHAPE, (0.5, 0.5), False),
        (U_SHAPE, (0.1, 0.5), True),
        (U_SHAPE, (0.5, 0.9), True),
        (BOW_TIE, (0.5, 0.25), False),
        (BOW_TIE, (0.25, 0.5), True),
        (BOW_TIE, (0.5, 0.5), True),
    ],
)
def test_a_point_is_inside_or_not(polygon, point, inside) -> None:
    assert contains(polygon, point) == inside


@given(POLYGONS, POINTS, st.integers(0, 7))
def test_order_and_first_corner_do_not_matter(polygon, point, shift) -> None:
    turned = polygon[shift % len(polygon) :] + polygon[: shift % len(polygon)]
    assert contains(turned, point) == contains(polygon, point) == contains(polygon[::-1], point)


@given(POLYGONS, POINTS)
def test_a_corner_on_an_edge_changes_nothing(polygon, point) -> None:
    (x1, y1), (x2, y2) = polygon[0], polygon[1]
    assert contains((polygon[0], ((x1 + x2) / 2, (y1 + y2) / 2), *polygon[1:]), point) == contains(polygon, point)


@given(POLYGONS, st.integers(0, 7))
def test_corners_and_edges_belong_to_it(polygon, number) -> None:
    (x1, y1), (x2, y2) = polygon[number % len(polygon)], polygon[(number + 1) % len(polygon)]
    assert contains(polygon, (x1, y1))
    assert contains(polygon, ((x1 + x2) / 2, (y1 + y2) / 2))


@given(POLYGONS, POINTS)
def test_mirroring_both_changes_nothing(polygon, point) -> None:
    mirrored = tuple((1 - x, y) for x, y in polygon)
    assert contains(mirrored, (1 - point[0], point[1])) == contains(polygon, point)


@given(st.lists(POINTS, min_size=3, max_size=3, unique=True).map(tuple), POINTS)
def test_in_a_triangle_it_agrees_with_the_three_half_planes(triangle, point) -> None:
    (ax, ay), (bx, by), (cx, cy) = triangle
    sides = [
        (qx - px) * (point[1] - py) - (qy - py) * (point[0] - px)
        for (px, py), (qx, qy) in (((ax, ay), (bx, by)), ((bx, by), (cx, cy)), ((cx, cy), (ax, ay)))
    ]
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if area:
        assert contains(triangle, point) == (min(sides) >= 0 or max(sides) <= 0)


@given(POINTS, st.lists(FRACTIONS, min_size=1, max_size=5, unique=True))
def test_zones_side_by_side_leave_no_gap(point, cuts) -> None:
    """Between two zones that share an edge nobody is lost."""
    borders = sorted({0.0, *cuts, 1.0})
    zones = [((left, 0.0), (right, 0.0), (right, 1.0), (left, 1.0)) for left, right in pairwise(borders)]
    assert 1 <= sum(contains(zone, point) for zone in zones) <= 2


def boxes(*each: tuple[float, float, float, float]):
    return np.array(each, np.float32).reshape(-1, 4)


DOOR = Zone(name="door", polygon=((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
TILL = Zone(name="till", polygon=((0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0)))


@pytest.mark.parametrize(
    ("found", "anchor", "named"),
    [
        (boxes(), Anchor.CENTRE, ()),
        (boxes((10, 10, 30, 30)), Anchor.CENTRE, ("door",)),
        (boxes((60, 10, 80, 60)), Anchor.CENTRE, ()),  # its middle is above the till,
        (boxes((60, 10, 80, 60)), Anchor.FOOT, ("till",)),  # its feet are at it
        (boxes((60, 60, 80, 80), (0, 0, 9, 9), (1, 1, 9, 9)), Anchor.CENTRE, ("door", "till")),
        (boxes((40, 60, 60, 80)), Anchor.CENTRE, ("door", "till")),  # on the edge they share
        (boxes((60, 50, 80, 130)), Anchor.FOOT, ("till",)),  # feet below the picture
        (boxes((-30, 10, 10, 30)), Anchor.CENTRE, ("door",)),
    ],
)
def test_a_still_names_the_zones_that_somebody_is_in(found, anchor, named) -> None:
    assert zones_of(found, (DOOR, TILL), width=100, height=100, anchor=anchor) == named


@given(st.lists(st.tuples(*[st.floats(-200, 400, width=32)] * 4), max_size=6), st.integers(1, 300), st.integers(1, 300))
def test_points_lie_in_the_picture(found, width, height) -> None:
    for anchor in Anchor:
        points = anchor_points(boxes(*found), width=width, height=height, anchor=anchor)
        assert len(points) == len(found)
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in points)


@given(st.permutations(range(4)))
def test_the_order_of_boxes_does_not_matter(order) -> None:
    found = boxes((60, 60, 80, 80), (0, 0, 9, 9), (60, 10, 80, 20), (1, 1, 9, 9))[order]
    assert zones_of(found, (DOOR, TILL), width=100, height=100, anchor=Anchor.CENTRE) == ("door", "till")
