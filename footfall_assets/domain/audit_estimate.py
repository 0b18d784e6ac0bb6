"""How many people there are, from an audit's answers.

Let C be the number of identities, A the number of links that join two people (each splits its identity once more) and B
the number of gaps that part one person, less those that a third identity between the two already closes. Then

    people = C + A - B

because cutting the wrong links leaves C + A groups of one person each, and closing the B gaps joins them to people. It
assumes that each person's local visitors hang together in the merge tree of their identity and that a person is no
farther than some tens of identities from herself. A and B are sums over all questions; a sample of them is answered.
The others are predicted by a logistic model of the chance that the solve was wrong,

    links: a + b ln(height / threshold)
    gaps:  c + e ln(height / threshold) + f ln(1 + nearer) + g ln(1 + farther)

fitted to the answers with weak priors on a, b, c, e and strong ones on f and g: how fast the chance falls with the rank
was the same over all simulated visit mixes, and an audit of a few hundred answers cannot learn it. The interval comes
from draws of the coefficients (Laplace's approximation) and of the answers.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.agglomeration import Labels
from footfall_assets.domain.audit_questions import Questions

Numbers = NDArray[np.float64]

_DRAWS: Final = 2000
_STEPS: Final = 100  # of Newton's method; it takes about ten
_CONVERGED: Final = 1e-8  # a step so small changes no digit that is shown
_SMALLEST_SHARE: Final = 0.2  # a link far below the threshold is no better than one at a fifth of it


@dataclass(frozen=True)
class Prior:
    """Normal prior of the coefficients, and of what the law of ranks leaves out (benchmarks/audit.py)."""

    mean: Numbers
    sd: Numbers
    beyond_mean: float  # of the logarithm of the true number over the predicted one, for gaps nobody is asked about
    beyond_sd: float
    closing_sd: float  # of the logarithm of the gaps to close over those that part somebody: people in three identities


PRIOR: Final = Prior(
    mean=np.array([-1.0, 12.0, -1.0, -3.0, -0.9, -1.0]),
    sd=np.array([2.0, 4.0, 1.5, 3.0, 0.2, 0.2]),
    beyond_mean=0.4,
    beyond_sd=0.4,
    closing_sd=0.06,
)


def logistic(value: Numbers) -> Numbers:
    """Return 1 / (1 + exp(-value)) without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * value)), dtype=np.float64)


def features(questions: Questions, threshold: float) -> Numbers:
    """Return (q, 6) features of the chance that the solve was wrong about each question."""
    link = questions.linked.astype(np.float64)
    gap = 1.0 - link
    share = np.log(np.maximum(questions.height / threshold, _SMALLEST_SHARE))
    ranks = np.log1p(questions.nearer), np.log1p(questions.farther)
    return np.stack([link, link * share, gap, gap * share, gap * ranks[0], gap * ranks[1]], axis=1)


@dataclass(frozen=True)
class Answered:
    """The answers to some of the questions.

    Attributes:
        row: (a,) which question.
        wrong: (a,) whether the solve was wrong: a link of two people, a gap that parts one.
        beyond: (q,) whether each question, answered or not, lies beyond what the audit asks about.
    """

    row: Labels
    wrong: NDArray[np.bool_]
    beyond: NDArray[np.bool_]


@dataclass(frozen=True)
class CountEstimate:
    """The estimated number of people, with its standard error and interval; the parts add up to it."""

    identities: int
    people: float
    standard_error: float
    interval: tuple[float, float]
    level: float
    wrong_links: float
    missed_links: float


def estimate_people(
    questions: Questions, answered: Answered, *, identities: int, threshold: float, level: float, seed: int
) -> CountEstimate:
    """Return how many people the identities of a period are.

    Args:
        questions: all that could have been asked.
        answered: what was answered.
        identities: how many the solve lists.
        threshold: `window_max_distance` of the solve.
        level: of the interval, such as 0.9.
        seed: of the draws behind the interval.
    """
    x = features(questions, threshold)
    coefficients, covariance = _fit(x[answered.row], answered.wrong.astype(np.float64))
    chance = np.random.default_rng(seed)
    draws = chance.multivariate_normal(coefficients, covariance, _DRAWS)
    unknown = np.ones(len(questions), dtype=np.bool_)
    unknown[answered.row] = False
    link, beyond = questions.linked, answered.beyond & ~questions.linked
    known = np.zeros(len(questions), dtype=np.bool_)
    known[answered.row] = answered.wrong
    factor = np.exp(chance.normal(PRIOR.beyond_mean, PRIOR.beyond_sd, _DRAWS))
    wrong = known[link].sum() + _predicted(x[unknown & link], draws, chance)
    missed = known[~link].sum() + _predicted(x[unknown & ~link & ~beyond], draws, chance)
    missed = missed + factor * _predicted(x[unknown & beyond], draws, chance)
    missed = missed * np.exp(chance.normal(0.0, PRIOR.closing_sd, _DRAWS))
    people = np.maximum(identities + wrong - missed, 1.0)
    low, high = np.quantile(people, [0.5 - level / 2, 0.5 + level / 2])
    return CountEstimate(
        identities=identities,
        people=float(people.mean()),
        standard_error=float(people.std()),
        interval=(float(low), float(high)),
        level=level,
        wrong_links=float(wrong.mean()),
        missed_links=float(missed.mean()),
    )


def _fit(x: Numbers, wrong: Numbers) -> tuple[Numbers, Numbers]:
    """Return the mode and the covariance of the coefficients, given the answers."""
    coefficients, precision = PRIOR.mean.copy(), 1.0 / PRIOR.sd**2
    hessian = np.diag(precision)
    for _ in range(_STEPS):
        chance = logistic(x @ coefficients)
        gradient = x.T @ (wrong - chance) - precision * (coefficients - PRIOR.mean)
        hessian = (x * (chance * (1 - chance))[:, None]).T @ x + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        coefficients = coefficients + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < _CONVERGED:
            break
    return coefficients, np.asarray(np.linalg.inv(hessian), dtype=np.float64)


def _predicted(x: Numbers, draws: Numbers, chance: np.random.Generator) -> Numbers:
    """Return for each draw of the coefficients a draw of how many of the questions the solve was wrong about."""
    if len(x) == 0:
        return np.zeros(len(draws))
    # A twentieth of a logit changes little: questions that agree so far are computed once.
    cells, times = np.unique(np.round(x * 20) / 20, axis=0, return_counts=True)
    mean, variance = np.zeros(len(draws)), np.zeros(len(draws))
    for start in range(0, len(cells), 256):
        p = logistic(cells[start : start + 256] @ draws.T)
        mean += times[start : start + 256] @ p
        variance += times[start : start + 256] @ (p * (1 - p))
    return np.maximum(mean + chance.standard_normal(len(draws)) * np.sqrt(variance), 0.0)


@dataclass(frozen=True)
class Share:
    """An estimated share with its standard error and interval."""

    share: float
    standard_error: float
    interval: tuple[float, float]


def ratio(
    counted: NDArray[np.bool_], of: NDArray[np.bool_], stratum: Labels, size: Labels, *, normal_quantile: float
) -> Share | None:
    """Return the Horvitz-Thompson ratio estimate of sum(counted) / sum(of) over a stratified population.

    Its variance is that of the linearised residuals (Cochran 1977, "Sampling Techniques", sections 5A and 6.13), with
    the correction for finite strata. None where nothing of `of` was answered.

    Args:
        counted: (a,) for each answered question, whether it is counted; implies `of`.
        of: (a,) whether it belongs to the whole.
        stratum: (a,) its stratum.
        size: (s,) questions in each stratum.
        normal_quantile: such as 1.645 for a level of 0.9.
    """
    answers = np.bincount(stratum, minlength=len(size))
    weight = (size / np.maximum(answers, 1))[stratum]
    whole = float((weight * of).sum())
    if whole == 0:
        return None
    share = float((weight * counted).sum()) / whole
    # One more answer of each kind: a stratum whose answers all agree is not known for certain.
    residual = counted - share * of
    variance = 0.0
    for number in np.flatnonzero(answers):
        inside = stratum == number
        padded = np.append(residual[inside], [0.5 - share, -0.5 * share] if of[inside].any() else [0.0])
        left_out = 1 - answers[number] / size[number]
        variance += size[number] ** 2 * left_out * float(padded.var()) / answers[number]
    error = float(np.sqrt(variance)) / whole
    reach = normal_quantile * error
    return Share(share, error, (max(0.0, share - reach), min(1.0, share + reach)))
