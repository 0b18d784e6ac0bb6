"""In which named areas of a picture something was found."""

from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from footfall_assets.contracts.fleet import Polygon, Zone

Point = tuple[float, float]  # fractions of width and height, (0, 0) top left
Boxes = NDArray[np.float32]  # (n, 4) xyxy in pixels


class Anchor(Enum):
    """Which point of a box says where its object is."""

    CENTRE = "centre"  # of a face: its feet are not in the box
    FOOT = "foot"  # of a person: the middle of the lower edge, where they stand


def contains(polygon: Polygon, point: Point) -> bool:
    """Return whether a point lies in a polygon; its edges and corners belong to it.

    Even-odd rule (J. O'Rourke, Computational Geometry in C, section 7.4), so any order of corners will do, and where
    a polygon crosses itself what lies inside twice is outside. Two zones that share an edge both hold it.
    """
    x, y = point
    inside = False
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        side = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        if side == 0 and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return True
        # An upward edge holds its lower end, a downward one its upper: a ray through a corner counts it once.
        if (y1 > y) != (y2 > y) and (side > 0) == (y2 > y1):
            inside = not inside
    return inside


def anchor_points(boxes: Boxes, *, width: int, height: int, anchor: Anchor) -> list[Point]:
    """Return the point of each box as fractions of the image, moved to its edge where the box reaches beyond it."""
    points = []
    for x1, y1, x2, y2 in boxes.astype(np.float64).tolist():
        y = y2 if anchor is Anchor.FOOT else (y1 + y2) / 2
        points.append((min(max((x1 + x2) / 2 / width, 0.0), 1.0), min(max(y / height, 0.0), 1.0)))
    return points


def zones_of(boxes: Boxes, zones: Sequence[Zone], *, width: int, height: int, anchor: Anchor) -> tuple[str, ...]:
    """Return the names of the zones that hold the point of at least one box, in the order of `zones`, each once."""
    points = anchor_points(boxes, width=width, height=height, anchor=anchor)
    held = [each.name for each in zones if any(contains(each.polygon, point) for point in points)]
    return tuple(dict.fromkeys(held))
