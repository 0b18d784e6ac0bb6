"""What is done to a picture before anybody sees it: privacy masks, and a cap on its size."""

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_capture.source import Image, Prepare
from footfall_assets.contracts.fleet import Polygon

# A vertex is moved to its pixel (half a pixel at most), a line drawn to the nearest pixels (another half), and what a
# line touches reaches half a pixel beyond: together less than two, so one ring more covers every pixel touched.
_GROWN: Final = np.ones((3, 3), np.uint8)
_GREY: Final = 128  # costs a JPEG least: a block of it is all zeros
_BLOCK_PX: Final = 16  # side of what a JPEG with halved colour codes together (ITU T.81, A.2.3)


class PrivacyMasks:
    """Areas of a camera's picture that nothing and nobody may see; polygons in fractions of width and height."""

    def __init__(self, polygons: Sequence[Polygon]) -> None:
        self._polygons = tuple(polygons)
        self._covered: NDArray[np.bool_] | None = None

    def paint(self, image: Image) -> None:
        """Set every pixel that a mask touches to 0, in the image itself."""
        if not self._polygons:
            return
        height, width = image.shape[:2]
        if self._covered is None or self._covered.shape != (height, width):
            self._covered = covered_pixels(self._polygons, width=width, height=height)
        image[self._covered] = 0


def covered_pixels(polygons: Sequence[Polygon], *, width: int, height: int) -> NDArray[np.bool_]:
    """Return which pixels (height, width) the polygons touch, and one pixel around them."""
    covered = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        corners = np.floor(np.asarray(polygon, np.float64) * (width, height)).astype(np.int32)
        corners = np.minimum(corners, (width - 1, height - 1))
        cv2.fillPoly(covered, [corners], 1, lineType=cv2.LINE_8)
    return np.asarray(cv2.dilate(covered, _GROWN), np.bool_)


def shrunk(image: Image, max_side_px: int | None) -> Image:
    """Return the picture with its longer side cut to `max_side_px`; a smaller one as it is."""
    height, width = image.shape[:2]
    if max_side_px is None or max(height, width) <= max_side_px:
        return image
    share = max_side_px / max(height, width)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def preparation(masks: Sequence[Polygon], *, max_side_px: int | None = None) -> Prepare:
    """Return what paints the masks at full size, then shrinks; it changes the picture it is given."""
    painted = PrivacyMasks(masks)

    def prepare(image: Image) -> Image:
        painted.paint(image)
        return shrunk(image, max_side_px)

    return prepare


def only_near(image: Image, boxes: NDArray[np.float32], *, margin: float = 0.5) -> Image:
    """Return a copy in which all is grey but the boxes (n, 4, xyxy pixels) and `margin` of their sides around them.

    What is kept reaches to whole JPEG blocks, so that the edge of the grey does not bleed into it.
    """
    height, width = image.shape[:2]
    out = np.full_like(image, _GREY)
    for x1, y1, x2, y2 in boxes.astype(np.float64).tolist():
        across, down = (x2 - x1) * margin, (y2 - y1) * margin
        left, right = _whole_blocks(x1 - across, x2 + across, width)
        top, bottom = _whole_blocks(y1 - down, y2 + down, height)
        out[top:bottom, left:right] = image[top:bottom, left:right]
    return out


def _whole_blocks(low: float, high: float, most: int) -> tuple[int, int]:
    low, high = max(low, 0), min(high, most)
    if low >= high:
        return 0, 0
    return math.floor(low / _BLOCK_PX) * _BLOCK_PX, min(math.ceil(high / _BLOCK_PX) * _BLOCK_PX, most)
