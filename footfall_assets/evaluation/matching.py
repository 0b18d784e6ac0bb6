"""Which detected face shows which true face: by image and overlap of boxes."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

MIN_IOU: Final = 0.5
BOX: Final = ("box_x1", "box_y1", "box_x2", "box_y2")

_Boxes = npt.NDArray[np.float64]


def iou(first: _Boxes, second: _Boxes) -> npt.NDArray[np.float64]:
    """Return the intersection over union of boxes row by row.

    Both are of shape (boxes, 4), xyxy in pixels; the result is of shape (boxes,), 0 to 1, and 0 for boxes without area.
    """
    low = np.maximum(first[:, :2], second[:, :2])
    high = np.minimum(first[:, 2:], second[:, 2:])
    shared = _product(high - low)
    union = _area(first) + _area(second) - shared
    overlap: npt.NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return overlap


def match_faces(truth: pd.DataFrame, output: pd.DataFrame, *, min_iou: float = MIN_IOU) -> pd.DataFrame:
    """Return the pairs of true and detected faces: columns `truth`, `output` (index labels) and `iou`.

    Both frames have `image_id` and `BOX` and a unique index. Within an image, pairs that overlap by `min_iou` or more
    are taken greedily, largest overlap first, ties in the order of the rows; no face is in two pairs.
    """
    pairs = _overlapping(truth, output, min_iou=min_iou)
    rounds = [pairs.iloc[:0]]
    while not pairs.empty:
        # Pairs are sorted: one that comes first for both its faces is what the greedy choice takes, in any image.
        taken = pairs[~pairs["truth"].duplicated() & ~pairs["output"].duplicated()]
        rounds.append(taken)
        pairs = pairs[~pairs["truth"].isin(taken["truth"]) & ~pairs["output"].isin(taken["output"])]
    return pd.concat(rounds, ignore_index=True)


def _overlapping(truth: pd.DataFrame, output: pd.DataFrame, *, min_iou: float) -> pd.DataFrame:
    left, right = _labelled(truth, "truth"), _labelled(output, "output")
    pairs = left.merge(right, on="image_id", suffixes=("", "_found"))
    found = [f"{side}_found" for side in BOX]
    overlap = iou(pairs[list(BOX)].to_numpy(np.float64), pairs[found].to_numpy(np.float64))
    pairs = pairs[["truth", "output"]].assign(iou=overlap)
    pairs = pairs[pairs["iou"] >= min_iou]
    return pairs.sort_values(["iou", "truth", "output"], ascending=[False, True, True])


def _labelled(faces: pd.DataFrame, label: str) -> pd.DataFrame:
    return faces[["image_id", *BOX]].assign(**{label: faces.index})


def _area(boxes: _Boxes) -> npt.NDArray[np.float64]:
    return _product(boxes[:, 2:] - boxes[:, :2])


def _product(sides: _Boxes) -> npt.NDArray[np.float64]:
    """Return width times height of each row; a negative side is none."""
    positive = np.clip(sides, 0, None)
    area: npt.NDArray[np.float64] = positive[:, 0] * positive[:, 1]
    return area
