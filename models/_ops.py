"""The arithmetic around the networks: pure functions of arrays, no I/O, no settings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# A landmark set tighter than this (sum of squares, px^2) has no direction; its crop is cut upright, unscaled.
_MIN_SPREAD_PX2 = 1e-6
# Sides are decoded from logarithms; e^8 cells are beyond any input, and no number can become infinite.
_MAX_LOG_CELLS = 8.0
# Embedders give lengths of about 1 to 30; what is shorter than this is float noise around zero.
_LEAST_LENGTH = 1e-6


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How an image is fitted into a model's input: scaled alike in both directions, then padded right and below."""

    scaled_width: int
    scaled_height: int
    padded_width: int
    padded_height: int
    to_image_x: float  # image pixels per model pixel
    to_image_y: float


def letterbox_within(height: int, width: int, *, max_side_px: int, multiple: int) -> Letterbox:
    """Return the fit that never enlarges, keeps the longer side within `max_side_px`, and pads to `multiple`."""
    scale = min(1.0, max_side_px / max(height, width))
    scaled_width, scaled_height = max(1, round(width * scale)), max(1, round(height * scale))
    return Letterbox(
        scaled_width=scaled_width,
        scaled_height=scaled_height,
        padded_width=-(-scaled_width // multiple) * multiple,
        padded_height=-(-scaled_height // multiple) * multiple,
        to_image_x=width / scaled_width,
        to_image_y=height / scaled_height,
    )


def letterbox_into(height: int, width: int, *, target_height: int, target_width: int) -> Letterbox:
    """Return the fit that fills a fixed input as far as the image's proportions allow."""
    scale = min(target_height / height, target_width / width)
    scaled_width = min(target_width, max(1, round(width * scale)))
    scaled_height = min(target_height, max(1, round(height * scale)))
    return Letterbox(
        scaled_width=scaled_width,
        scaled_height=scaled_height,
        padded_width=target_width,
        padded_height=target_height,
        to_image_x=width / scaled_width,
        to_image_y=height / scaled_height,
    )


def to_image_points(points: Floats, fit: Letterbox) -> Floats:
    """Map model pixels `(..., 2)` back to pixels of the image.

    Coordinates count from the corner of the first pixel, so scaling needs no half-pixel shift.
    """
    return points * np.array([fit.to_image_x, fit.to_image_y], dtype=np.float32)


def box_areas(boxes: Floats) -> Floats:
    """Return the areas `(n,)` of xyxy boxes `(n, 4)`; an inverted box has none."""
    sides = np.clip(boxes[:, 2:] - boxes[:, :2], 0.0, None)
    return np.asarray(sides[:, 0] * sides[:, 1], dtype=np.float32)


def iou_with(box: Floats, boxes: Floats) -> Floats:
    """Return the intersection over union `(n,)` of one xyxy box `(4,)` with boxes `(n, 4)`."""
    overlap = np.concatenate([np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])], axis=1)
    shared = box_areas(overlap)
    union = box_areas(box[None]) + box_areas(boxes) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0), dtype=np.float32)


def suppress_overlaps(boxes: Floats, scores: Floats, *, iou: float) -> NDArray[np.intp]:
    """Return the indices that greedy non-maximum suppression keeps, best score first.

    A box goes when it overlaps a better one by more than `iou`. Equal scores are settled by position, so the result
    does not depend on the order of the input.
    """
    order = np.lexsort((*boxes.T, -scores))
    kept: list[np.intp] = []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[iou_with(boxes[best], boxes[order]) <= iou]
    return np.asarray(kept, dtype=np.intp)


def decode_centerface(
    heatmap: Floats, scale: Floats, offset: Floats, landmarks: Floats, *, threshold: float, stride_px: int = 4
) -> tuple[Floats, Floats, Floats]:
    """Turn CenterFace's maps of one image into boxes.

    Args:
        heatmap: `(h, w)` probability that a face is centred in the cell.
        scale: `(2, h, w)` logarithm of the box's height and width, in cells.
        offset: `(2, h, w)` y and x of the centre within its cell.
        landmarks: `(10, h, w)` five y, x pairs as fractions of the box.
        threshold: cells at or below it are skipped.
        stride_px: model pixels per cell.

    Returns:
        xyxy boxes `(n, 4)`, landmarks `(n, 5, 2)`, both in model pixels, and scores `(n,)`. Overlaps remain.

    Source: Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019.
    """
    rows, columns = np.nonzero(heatmap > threshold)
    sides = np.exp(np.minimum(scale[::-1, rows, columns].T, _MAX_LOG_CELLS)) * stride_px
    cells = np.stack([columns, rows], axis=1).astype(np.float32)
    centres = (cells + offset[::-1, rows, columns].T + 0.5) * stride_px
    corners = centres - sides / 2
    fractions = landmarks[:, rows, columns].T.reshape(-1, 5, 2)[:, :, ::-1]
    points = fractions * sides[:, None] + corners[:, None]
    boxes = np.concatenate([corners, corners + sides], axis=1)
    return boxes.astype(np.float32), points.astype(np.float32), heatmap[rows, columns].astype(np.float32)


def cell_corners(rows: int, columns: int, *, stride_px: int) -> Floats:
    """Return the upper left corners `(rows * columns, 2)` of a grid's cells as x, y in model pixels, row by row."""
    y, x = np.mgrid[0:rows, 0:columns]
    return (np.stack([x.ravel(), y.ravel()], axis=1) * stride_px).astype(np.float32)


def anchor_grid(height: int, width: int, *, strides_px: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return the corners `(n, 2)` and strides `(n, 1)` of all cells of an input of `height` x `width` model pixels."""
    grids = [cell_corners(height // stride, width // stride, stride_px=stride) for stride in strides_px]
    strides = [np.full((len(grid), 1), stride, np.float32) for grid, stride in zip(grids, strides_px, strict=True)]
    return np.concatenate(grids), np.concatenate(strides)


def decode_anchor_free(corners: Floats, regression: Floats, *, strides_px: Floats) -> Floats:
    """Turn centre offsets and log sizes into xyxy boxes, as YOLOX and YuNet encode them.

    Args:
        corners: `(n, 2)` upper left corner of each cell, model pixels.
        regression: `(n, 4)` centre x, y relative to the corner and logarithms of width and height, in cells.
        strides_px: `(n, 1)` model pixels per cell.

    Source: Ge et al., "YOLOX: Exceeding YOLO Series in 2021"; Wu et al., "YuNet: A Tiny Millisecond-level Face
    Detector", 2023.
    """
    centres = corners + regression[:, :2] * strides_px
    halves = np.exp(np.minimum(regression[:, 2:], _MAX_LOG_CELLS)) * strides_px / 2
    return np.concatenate([centres - halves, centres + halves], axis=1).astype(np.float32)


def similarity_transforms(src: NDArray[np.floating], dst: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the rotations, scales and shifts `(n, 2, 3)` that bring `src` closest to `dst`.

    Args:
        src: `(n, k, 2)` point sets.
        dst: `(k, 2)` or `(n, k, 2)` targets.

    The least-squares similarity without reflection (Umeyama, PAMI 1991). In the plane it has a closed form: with
    points as complex numbers about their means, rotation times scale is `sum(conj(a) b) / sum(|a|^2)`.
    """
    source, target = _as_complex(src), _as_complex(dst)
    source_mean, target_mean = source.mean(axis=-1), target.mean(axis=-1)
    a, b = source - source_mean[..., None], target - target_mean[..., None]
    spread = (np.abs(a) ** 2).sum(axis=-1)
    turn = (np.conj(a) * b).sum(axis=-1) / np.maximum(spread, _MIN_SPREAD_PX2)
    turn = np.where((spread < _MIN_SPREAD_PX2) | (turn == 0), 1.0, turn)
    shift = target_mean - turn * source_mean
    rows = [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    return np.moveaxis(np.asarray(rows, dtype=np.float64), (0, 1), (-2, -1))


def _as_complex(points: NDArray[np.floating]) -> NDArray[np.complex128]:
    exact = np.asarray(points, dtype=np.float64)
    return np.asarray(exact[..., 0] + 1j * exact[..., 1], dtype=np.complex128)


def compose(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the `(2, 3)` transform that applies `first`, then `second`."""
    linear = second[:, :2] @ first[:, :2]
    shift = second[:, :2] @ first[:, 2] + second[:, 2]
    return np.concatenate([linear, shift[:, None]], axis=1)


def unit_rows(vectors: Floats) -> Floats:
    """Scale the rows of `(n, d)` to length 1.

    A row shorter than a millionth has no direction worth the name and becomes zero; one that is not finite stays so.
    """
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        scaled = np.divide(vectors, norms, out=np.zeros(vectors.shape, np.float64), where=~(norms < _LEAST_LENGTH))
    return np.asarray(scaled, dtype=np.float32)
