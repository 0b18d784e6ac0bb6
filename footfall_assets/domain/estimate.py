"""How many people there are, from how many were listed: the correction that a calibration has learnt.

A list of identities is too long where one person was not recognised again, and too short where two people look alike.
How far off it is shows in the merge tree itself: in how fast the number of clusters falls as the threshold rises, and
in how often people come. A model of log(true / listed), linear in these features and their products, fitted on stores
full of labelled people, corrects it; residuals on *other* people give the interval (split conformal prediction: Lei,
G'Sell, Rinaldo, Tibshirani and Wasserman, JASA 113, 2018).
"""

from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.linkage import Labels

Reals = NDArray[np.float64]

SIZE_CLASSES: Final = 4  # identities with 1, 2, 3, 4 local visitors; the rest have more


@dataclass(frozen=True)
class TreeSummary:
    """What the estimate looks at: a summary of the merge tree over some local visitors.

    Attributes:
        local_visitors: how many there are.
        clusters: (c,) into how many clusters they fall at each cut, the cuts rising.
        listed: into how many identities they fall.
        sizes: (SIZE_CLASSES,) how many identities have 1, 2, ... of them.
    """

    local_visitors: int
    clusters: tuple[int, ...]
    listed: int
    sizes: tuple[int, ...]


def summarise(labels: Labels, identity: Labels) -> TreeSummary:
    """Return the summary of n local visitors from their labels (n, c) at each cut and their identities (n,)."""
    members = np.unique(identity, return_counts=True)[1]
    return TreeSummary(
        local_visitors=len(identity),
        clusters=tuple(len(np.unique(labels[:, cut])) for cut in range(labels.shape[1])),
        listed=len(members),
        sizes=tuple(int((members == size).sum()) for size in range(1, SIZE_CLASSES + 1)),
    )


def features(tree: TreeSummary) -> Reals:
    """Return the features of a summary with at least one identity, all without a unit.

    log listed; log of local visitors and of each cut's clusters over listed; the share of each size class.
    """
    ratios = [log(tree.local_visitors / tree.listed), *(log(count / tree.listed) for count in tree.clusters)]
    shares = [count / tree.listed for count in tree.sizes]
    return np.array([log(tree.listed), *ratios, *shares], dtype=np.float64)


def expanded(standard: Reals) -> Reals:
    """Return features (..., f) and behind them the products of each two, squares included: (..., f + f(f+1)/2)."""
    left, right = np.triu_indices(standard.shape[-1])
    return np.concatenate([standard, standard[..., left] * standard[..., right]], axis=-1)


@dataclass(frozen=True)
class CountModel:
    """A fitted correction.

    Attributes:
        centre, scale: (f,) by which features are standardised.
        weight: (f + f(f+1)/2,) of the expanded standardised features; `intercept` beside them.
        spread: (a, b, c): log(true / estimated) spreads by exp(a + b log listed + c log(local visitors / listed)).
        low, high: quantiles of the residuals over their spread, by level.
    """

    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    intercept: float
    spread: tuple[float, float, float]
    low: dict[float, float]
    high: dict[float, float]


@dataclass(frozen=True)
class CountEstimate:
    """People, and the interval that holds the truth at `level`."""

    people: float
    low: float
    high: float
    level: float


def log_correction(model: CountModel, tree: TreeSummary) -> float:
    """Return the predicted log(true / listed)."""
    standard = (features(tree) - np.asarray(model.centre)) / np.asarray(model.scale)
    return model.intercept + float(expanded(standard) @ np.asarray(model.weight))


def log_spread(model: CountModel, tree: TreeSummary) -> float:
    """Return the predicted size of a residual of log(true / estimated)."""
    base, by_size, by_visits = model.spread
    return exp(base + by_size * log(tree.listed) + by_visits * log(tree.local_visitors / tree.listed))


def estimate(model: CountModel, tree: TreeSummary, level: float) -> CountEstimate:
    """Return the estimated number of people behind a summary.

    Raises:
        KeyError: the model knows no interval of that level.
    """
    people = tree.listed * exp(log_correction(model, tree))
    spread = log_spread(model, tree)
    low, high = (people * exp(quantile[level] * spread) for quantile in (model.low, model.high))
    return CountEstimate(people, low, high, level)
