"""Which threshold the answers speak for: the one with the best F1 over links that are needed and links that are made.

At a threshold t the solve would make the links and close the gaps whose mean distance is at most t. Weighted by how
many questions each answer stands for,

    F1(t) = 2 sum(w [same] [height <= t]) / (sum(w [height <= t]) + sum(w [same]))
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.agglomeration import Labels

Numbers = NDArray[np.float64]

_FEWEST: Final = 30  # answers in the range looked at
_FEWEST_EACH: Final = 5  # of either kind
_RANGE: Final = (0.5, 3.0)  # times the threshold in use: beyond it few questions were asked
_RESAMPLES: Final = 400


@dataclass(frozen=True)
class Suggestion:
    """The threshold to use, with the interval over resampled answers."""

    threshold: float
    interval: tuple[float, float]
    level: float
    f1: float
    f1_in_use: float
    answers: int


@dataclass(frozen=True)
class AnsweredPairs:
    """Answered questions.

    Attributes:
        height: (a,) mean distance between the two sides.
        same: (a,) the answer.
        weight: (a,) how many questions each stands for.
        stratum: (a,) where it was drawn from.
    """

    height: Numbers
    same: NDArray[np.bool_]
    weight: Numbers
    stratum: Labels

    def take(self, rows: Labels | NDArray[np.bool_]) -> "AnsweredPairs":
        """Return some of them."""
        return AnsweredPairs(self.height[rows], self.same[rows], self.weight[rows], self.stratum[rows])


def shortfall(pairs: AnsweredPairs, threshold: float) -> str | None:
    """Return why these answers do not suffice to suggest a threshold, or None where they do."""
    inside = _in_range(pairs, threshold)
    same, different = int(inside.same.sum()), int((~inside.same).sum())
    if same + different >= _FEWEST and min(same, different) >= _FEWEST_EACH:
        return None
    return (
        f"expected at least {_FEWEST} answers between {_RANGE[0]:g} and {_RANGE[1]:g} times the threshold in use, "
        f"{_FEWEST_EACH} of either kind, got {same} same and {different} different; label more pairs"
    )


def suggest_threshold(pairs: AnsweredPairs, threshold: float, *, level: float, seed: int) -> Suggestion:
    """Return the threshold with the best F1, between half and three times the one in use.

    Where several do equally well it is the middle of those, and of several such stretches the one nearest to the
    threshold in use. The interval comes from resampling the answers inside their strata.

    Args:
        pairs: answers for which `shortfall` returns None.
        threshold: the one in use.
        level: of the interval, such as 0.9.
        seed: of the resampling.
    """
    cuts = _cuts(pairs, threshold)
    best = _best(pairs, cuts, threshold)
    chance = np.random.default_rng(seed)
    strata = [np.flatnonzero(pairs.stratum == each) for each in np.unique(pairs.stratum)]
    again = [
        _best(pairs.take(np.concatenate([chance.choice(rows, len(rows)) for rows in strata])), cuts, threshold)
        for _ in range(_RESAMPLES)
    ]
    low, high = np.quantile(again, [0.5 - level / 2, 0.5 + level / 2])
    return Suggestion(
        threshold=best,
        interval=(float(min(low, best)), float(max(high, best))),
        level=level,
        f1=float(_f1(pairs, np.array([best]))[0]),
        f1_in_use=float(_f1(pairs, np.array([threshold]))[0]),
        answers=len(_in_range(pairs, threshold).same),
    )


def _in_range(pairs: AnsweredPairs, threshold: float) -> AnsweredPairs:
    low, high = _RANGE
    return pairs.take((pairs.height >= low * threshold) & (pairs.height <= high * threshold))


def _cuts(pairs: AnsweredPairs, threshold: float) -> Numbers:
    """Return one threshold for each way to cut the answers in the range."""
    ends = np.array(_RANGE) * threshold
    inside = np.unique(_in_range(pairs, threshold).height)
    edges = np.concatenate([ends[:1], inside, ends[1:]])
    return np.asarray((edges[1:] + edges[:-1]) / 2, dtype=np.float64)


def _best(pairs: AnsweredPairs, cuts: Numbers, threshold: float) -> float:
    found = _f1(pairs, cuts)
    good = np.isclose(found, found.max(), rtol=0, atol=1e-12)
    starts = np.flatnonzero(good & ~np.roll(good, 1) | good & (np.arange(len(good)) == 0))
    ends = np.flatnonzero(good & ~np.roll(good, -1) | good & (np.arange(len(good)) == len(good) - 1))
    middles = (cuts[starts] + cuts[ends]) / 2
    return float(middles[np.abs(middles - threshold).argmin()])


def _f1(pairs: AnsweredPairs, cuts: Numbers) -> Numbers:
    made = pairs.height[None, :] <= cuts[:, None]
    right = made @ (pairs.weight * pairs.same)
    whole = made @ pairs.weight + float((pairs.weight * pairs.same).sum())
    return np.asarray(np.divide(2 * right, whole, out=np.zeros(len(cuts)), where=whole > 0), dtype=np.float64)
