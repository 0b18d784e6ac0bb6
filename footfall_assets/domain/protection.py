"""What can be concluded about hidden counts from all counts that are shown.

Units (hours, days, weeks, months of one place) form trees: a day's people are those of its hours together. So a unit
has at least as many people as each of its parts and at most as many as all of them together, and whatever numbers
satisfy that can be true: sets of people with these sizes exist. Hundepohl et al., Statistical Disclosure Control
(2012), chapter 4, calls the bounds computed here the feasibility interval of a cell.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Units:
    """Units of any number of places. Arrays of one length; a unit comes after none of its parts' levels.

    Attributes:
        parent: index of the unit that this one is a part of; -1 for none.
        level: 0 for units without parts, one more for each step up; a parent's is higher than its parts'.
        low: the fewest people that the unit can have by what is shown of it alone.
        high: the most.
    """

    parent: Counts
    level: Counts
    low: Counts
    high: Counts

    def __post_init__(self) -> None:
        if not self.parent.shape == self.level.shape == self.low.shape == self.high.shape:
            raise ValueError(
                f"expected four arrays of one length, got {self.parent.shape}, {self.level.shape}, {self.low.shape}, "
                f"{self.high.shape}"
            )
        inner = self.parent >= 0
        if np.any(self.level[self.parent[inner]] <= self.level[inner]):
            raise ValueError("expected every parent on a higher level than its parts")


def shown_ranges(shown: Counts, is_hidden: NDArray[np.bool_], *, least: int, rounding: int) -> tuple[Counts, Counts]:
    """Return the fewest and the most people behind each published count, (n,) int64 each.

    A hidden count is 0 to `least` - 1. A shown one, a multiple of `rounding`, is what rounds to it (half up), and never
    below `least`.
    """
    half = rounding // 2
    low = np.where(is_hidden, 0, np.maximum(least, shown - half))
    high = np.where(is_hidden, least - 1, shown + rounding - 1 - half)
    return low.astype(np.int64), high.astype(np.int64)


def feasible_ranges(units: Units) -> tuple[Counts, Counts]:
    """Return the fewest and the most people that each unit can have by everything that is shown, (n,) int64 each.

    Exact: each whole number in between belongs to numbers for all units that satisfy every constraint, and none
    outside does. Bounds on a tree are exact after one pass up and one down. Where what is shown contradicts itself, a
    lowest value may lie above the highest.
    """
    low, high = units.low.copy(), units.high.copy()
    together = np.zeros_like(high)
    has_parts = np.zeros(high.shape, dtype=np.bool_)
    for parts in _by_level(units):
        parents = units.parent[parts]
        np.add.at(together, parents, high[parts])
        np.maximum.at(low, parents, low[parts])
        has_parts[parents] = True
        above = np.unique(parents)
        high[above] = np.minimum(high[above], together[above])
    for parts in reversed(_by_level(units)):
        parents = units.parent[parts]
        others = together[parents] - high[parts]
        low[parts] = np.maximum(low[parts], low[parents] - others)
        high[parts] = np.minimum(high[parts], high[parents])
    return low, high


def narrowest(units: Units, is_hidden: NDArray[np.bool_]) -> int | None:
    """Return how many values the hidden count with the fewest can still have; None where nothing is hidden."""
    low, high = feasible_ranges(units)
    return int((high - low + 1)[is_hidden].min()) if is_hidden.any() else None


def _by_level(units: Units) -> list[Counts]:
    """Return the indices of the units that are parts of another, level by level from below."""
    return [
        np.flatnonzero((units.level == level) & (units.parent >= 0))
        for level in range(int(units.level.max(initial=0)) + 1)
    ]
