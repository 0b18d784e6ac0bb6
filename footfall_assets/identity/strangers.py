"""How often strangers match at this site: local visitors who certainly are different people, and how near they lie.

No labels are needed: two faces in one still are two people, and nobody is at two locations at once. Where such pairs
match more often than the calibration says, the site is harder than what it was calibrated on: worse light, smaller
faces, other people.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import chi2

from footfall_assets.contracts.schemas import STRANGERS
from footfall_assets.domain.presence import stays_apart
from footfall_assets.identity.window import WindowVisitors

MOST_ABOVE_CALIBRATION: Final = 3.0  # times; stills of 20 px match three times too often (DESIGN section 7)
_CONFIDENCE: Final = 0.95  # of the lower bound
_BLOCK_PAIRS: Final = 65_536  # whose vectors are held at a time


@dataclass(frozen=True)
class Strangers:
    """Pairs of local visitors who certainly are two people, and those of them within the window's threshold."""

    pairs: int
    matches: int

    @property
    def rate(self) -> float | None:
        """The site's false match rate, None where there is no such pair."""
        return self.matches / self.pairs if self.pairs else None

    @property
    def least_rate(self) -> float:
        """The lower bound of the rate (Garwood 1936: exact for a Poisson count), 0 where nothing matched."""
        if not self.matches:
            return 0.0
        return float(chi2.ppf(1 - _CONFIDENCE, 2 * self.matches)) / 2 / self.pairs

    def fits(self, calibrated_rate: float) -> bool:
        """Return whether the site is no harder than the calibration says, as far as the pairs can tell."""
        return self.least_rate <= MOST_ABOVE_CALIBRATION * calibrated_rate

    def table(self) -> pa.Table:
        """Return the row of the `strangers` table."""
        return pa.table({"pairs": [self.pairs], "matches": [self.matches]}, schema=STRANGERS)


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
