"""How often strangers match at this site: local visitors who certainly are different people, and how near they lie.

No labels are needed: two faces in one still are two people, and nobody is at two locations at once. Where such pairs
match more often than the calibration says, the site is harder than what it was calibrated on: worse light, smaller
faces, other people.
"""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from footfall_assets.contracts.schemas import STRANGERS
from footfall_assets.domain.presence import stays_apart
from footfall_assets.domain.strangers import Strangers
from footfall_assets.identity.window import WindowVisitors

_BLOCK_PAIRS: Final = 65_536  # whose vectors are held at a time


def strangers_table(strangers: Strangers) -> pa.Table:
    """Return the row of the `strangers` table."""
    return pa.table({"pairs": [strangers.pairs], "matches": [strangers.matches]}, schema=STRANGERS)


def certain_strangers(visitors: WindowVisitors, max_distance: float) -> Strangers:
    """Return the certain strangers of a window, and how many of them lie within a cosine distance."""
    left, right = visitors.near.T
    matches = 0
    for start in range(0, len(left), _BLOCK_PAIRS):
        one, other = left[start : start + _BLOCK_PAIRS], right[start : start + _BLOCK_PAIRS]
        apart = visitors.apart.between(one, other)
        first, second = (visitors.grid[rows[apart]].astype(np.float64) for rows in (one, other))
        matches += _within(first, second, max_distance)
    return Strangers(len(visitors.apart.in_one_still.pairs) + stays_apart(visitors.apart.presence), matches)


def _within(one: NDArray[np.float64], other: NDArray[np.float64], max_distance: float) -> int:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    cosine = np.einsum("ij,ij->i", one, other) / np.where(lengths > 0, lengths, 1)
    return int((1.0 - cosine <= max_distance).sum())
