"""Shares of classes among people whom a classifier confuses: the mix behind the labels, with an interval.

A classifier that takes some women for men reports too few women. How it confuses people is measured on labelled ones,
`c[i, j]` of true class i that it called j, and undone. Inverting the matrix (Forman, "Quantifying counts and costs via
classification", 2008: the adjusted count) leaves the simplex: shares under 0 and over 1. `most_likely_shares` inverts
it on the simplex, by the EM steps of Saerens, Latinne and Decaestecker ("Adjusting the outputs of a classifier to new
a priori probabilities", 2002) on hard labels.

From there a chain draws how many of the very people who were labelled belong to each class, by data augmentation (Evans
et al., "Bayesian analysis of binary data subject to misclassification", 1996, here for k classes): true classes given
labels, shares given true classes, rows of the confusion given both. The mean of the draws is the estimate, and their
quantiles the interval: it covers what the labels leave open, and how few labelled people stand behind the matrix. It
holds where the people of a class are confused as the labelled ones of that class were, whatever the mix.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Shares = NDArray[np.float64]

LEVEL: Final = 0.9  # of intervals, and the chance from which on a class is said to prevail
_KEPT_DRAWS: Final = 1000
_STEPS_A_DRAW: Final = 8  # a step remembers the one before; every one kept, 90 % intervals held the truth in 83 %
_WARM_UP_STEPS: Final = 1000  # that still remember where the chain began
_PRIOR_PEOPLE: Final = 0.5  # in each cell of the confusion and in each class of the mix (Jeffreys's prior)
_EM_STEPS_AT_MOST: Final = 5000
_EM_TOLERANCE: Final = 1e-9  # largest change of a share in one step


@dataclass(frozen=True, eq=False)
class ClassDraws:
    """How many people belong to each class: `draws` (d, k), each row one possible answer; `people` were labelled."""

    people: int
    draws: Counts

    def __add__(self, other: "ClassDraws") -> "ClassDraws":
        """Return the two groups of people as one; their confusions were measured apart."""
        return ClassDraws(self.people + other.people, self.draws + other.draws)


@dataclass(frozen=True, eq=False)
class ShareEstimate:
    """Shares (k,), the bounds (k,) of their intervals, and the chance (k,) that a class is the largest."""

    people: int
    share: Shares
    low: Shares
    high: Shares
    largest: Shares

    @property
    def prevailing(self) -> int | None:
        """The class that is the largest with a chance of at least `LEVEL`; None where none is."""
        best = int(self.largest.argmax())
        return best if self.largest[best] >= LEVEL else None


def label_rates(confusion: Counts) -> Shares:
    """Return how likely each label is given each true class, (k, k); none is impossible.

    Args:
        confusion: (k, k) labelled people by true class and label.

    Raises:
        ValueError: it is not square, holds a number below 0, or nobody of a class.
    """
    if confusion.shape != (len(confusion), len(confusion)):
        raise ValueError(f"expected a confusion of k x k classes, got {confusion.shape}")
    if confusion.min() < 0 or (confusion.sum(axis=1) < 1).any():
        raise ValueError("expected labelled people of every true class; measure the confusion on more people")
    counts = confusion + _PRIOR_PEOPLE
    return np.asarray(counts / counts.sum(axis=1, keepdims=True), dtype=np.float64)


def most_likely_shares(labels: Counts, confusion: Counts) -> Shares:
    """Return the shares (k,), on the simplex, under which the labels are most likely.

    Args:
        labels: (k,) people by the label they got; at least one person.
        confusion: as `label_rates`.

    Raises:
        ValueError: the shapes do not fit, nobody was labelled, or as `label_rates`.
    """
    rates = label_rates(confusion)
    if labels.shape != rates.shape[:1] or labels.min() < 0 or labels.sum() < 1:
        raise ValueError(f"expected labels of {len(rates)} classes and at least one person, got {labels.tolist()}")
    shares = np.full(len(labels), 1 / len(labels))
    seen = labels / labels.sum()
    for _ in range(_EM_STEPS_AT_MOST):
        following = shares * (rates @ (seen / (shares @ rates)))
        change = float(np.abs(following - shares).max())
        shares = following / following.sum()
        if change < _EM_TOLERANCE:
            break
    return np.asarray(shares, dtype=np.float64)


def classes_behind(labels: Counts, confusion: Counts, *, seed: int, draws: int = _KEPT_DRAWS) -> ClassDraws:
    """Return how many of the labelled people belong to each class; the same arguments give the same numbers.

    Args:
        labels: (k,) people by the label they got.
        confusion: (k, k) labelled people of the site by true class and label.
        seed: of the draws.
        draws: how many are kept.

    Raises:
        ValueError: as `most_likely_shares`.
    """
    k = len(labels)
    shares, rates = (most_likely_shares(labels, confusion) + 1 / k) / 2, label_rates(confusion)
    rng = np.random.default_rng(seed)
    kept = np.empty((draws, k), dtype=np.int64)
    for step in range(-_WARM_UP_STEPS, draws * _STEPS_A_DRAW):
        belongs = shares[:, None] * rates  # (true, label)
        true_of_label = rng.multinomial(labels, (belongs / belongs.sum(axis=0)).T)  # (label, true)
        people = true_of_label.sum(axis=0)
        shares = _dirichlet(rng, people + _PRIOR_PEOPLE)
        rates = _dirichlet(rng, _PRIOR_PEOPLE + confusion + true_of_label.T)
        if step >= 0:
            kept[step // _STEPS_A_DRAW] = people
    return ClassDraws(int(labels.sum()), kept)


def share_estimate(found: ClassDraws, *, level: float = LEVEL) -> ShareEstimate:
    """Return the shares, with intervals that hold each true share at `level`."""
    shares = found.draws / found.people
    tail = (1 - level) / 2
    low, high = np.quantile(shares, (tail, 1 - tail), axis=0)
    ties = found.draws == found.draws.max(axis=1, keepdims=True)
    largest = (ties / ties.sum(axis=1, keepdims=True)).mean(axis=0)
    return ShareEstimate(found.people, shares.mean(axis=0), low, high, largest)


def _dirichlet(rng: np.random.Generator, weights: NDArray[np.floating]) -> Shares:
    """Return one draw of a Dirichlet distribution for each row of `weights`; none of its shares is 0."""
    gammas = np.maximum(rng.standard_gamma(weights), np.finfo(np.float64).tiny)
    return np.asarray(gammas / gammas.sum(axis=-1, keepdims=True), dtype=np.float64)
