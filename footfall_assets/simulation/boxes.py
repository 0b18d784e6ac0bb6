"""Overlap of boxes."""

from footfall_assets.simulation.figure import Box


def box_iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes x1, y1, x2, y2; 0 where they do not meet."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(first) + _area(second) - shared)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
