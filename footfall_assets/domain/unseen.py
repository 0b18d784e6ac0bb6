"""How many people came, those included whose face never showed: from a count of entries beside the visits with a face.

Of V visits that took place, S show a face that can be recognised: a visit shows it with chance p = S / V. Who comes k
times is then seen j ~ Binomial(k, p) times, and not at all with chance (1 - p)^k. How often people come is not known,
but how often they were seen is. So a distribution of visits is fitted to the people seen once, twice, ...: k - 1 is one
of two negative binomials, which thinning leaves in the family (with mean p m in place of m), so that every chance below
is in closed form. With D people seen, D / (1 - P(j = 0)) came.

At low p the visits seen say little about the visits made: many distributions fit. A point fit would pick one of them
and a bootstrap around it would repeat its choice. So the answer is a posterior over all of them, drawn by sequential
Monte Carlo from a wide prior to the data in tempered steps (Del Moral, Doucet and Jasra, "Sequential Monte Carlo
samplers", 2006; each step as long as leaves half of the particles in effect, then random-walk Metropolis moves).

People whose faces show less often than others' cannot be told from people who come less often; what spread of
visibility between people could hide is in the interval, by a prior (`SPREAD`), and never in the estimate.
"""

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

PARTICLES: Final = 1500
_MOVES: Final = 4  # Metropolis moves of each particle after a tempering step
_STEPS_AT_MOST: Final = 60
_SCALE: Final = 0.9  # of the random walk, in standard deviations over the root of the dimension
_STEP_TOLERANCE: Final = 1e-3
_LEAST_CHANCE: Final = 1e-300
# Prior: log of the mean and of the shape of each component (visits beyond the first), logit of the first's share.
_CENTRE: Final = np.array([log(0.5), log(8.0), log(2.5), log(20.0), 0.0])
_WIDTH: Final = np.array([1.2, 1.5, 0.6, 1.5, 2.0])


@dataclass(frozen=True)
class SeenVisits:
    """People of one visibility, by how often they were seen.

    Attributes:
        chance: that a visit of theirs shows the face, 0 < chance <= 1.
        people: (j,) seen once, twice, ...
    """

    chance: float
    people: tuple[float, ...]

    @property
    def seen(self) -> float:
        return float(sum(self.people))


def negative_binomial(mean: Reals, shape: Reals, most: int) -> Reals:
    """Return the chances of 0 to `most` for each mean and shape (n,): (n, most + 1)."""
    odds = (mean / (shape + mean))[:, None]
    counts = np.arange(most)
    ratios = (counts + shape[:, None]) / (counts + 1) * odds
    first = np.exp(shape * np.log(shape / (shape + mean)))[:, None]
    return np.concatenate([first, first * np.cumprod(ratios, axis=1)], axis=1)


def thinned(parameters: Reals, chance: Reals, most: int) -> Reals:
    """Return the chances of being seen 0 to `most` times (n, most + 1), at a chance (n,) of each visit to show."""
    low_mean, low_shape, high_mean, high_shape, logit = parameters.T[:5]
    share = 1 / (1 + np.exp(-logit))
    beyond = (
        share[:, None] * negative_binomial(chance * np.exp(low_mean), np.exp(low_shape), most)
        + (1 - share)[:, None] * negative_binomial(chance * np.exp(high_mean), np.exp(high_shape), most)
    )
    seen = (1 - chance)[:, None] * beyond
    seen[:, 1:] += chance[:, None] * beyond[:, :-1]
    return seen


def spread_thinned(parameters: Reals, chance: Reals, spread: Reals, most: int) -> Reals:
    step = spread * np.minimum(chance, 1 - chance)
    return (thinned(parameters, chance + step, most) + thinned(parameters, chance - step, most)) / 2


@dataclass(frozen=True)
class _Model:
    groups: tuple[SeenVisits, ...]
    chance_error: float
    spread: float

    def prior(self, particles: Reals) -> Reals:
        base = ((particles[:, :5] - _CENTRE) / _WIDTH) ** 2
        return -0.5 * (base.sum(axis=1) + (particles[:, 5:] ** 2).sum(axis=1))

    def seen(self, particles: Reals, group: SeenVisits) -> Reals:
        most = len(group.people)
        chance = np.clip(group.chance * np.exp(self.chance_error * particles[:, 5]), 1e-6, 1.0)
        if not self.spread:
            return thinned(particles, chance, most)
        return spread_thinned(particles, chance, np.minimum(np.abs(particles[:, 6]) * self.spread, 1.0), most)

    def likelihood(self, particles: Reals) -> Reals:
        total = np.zeros(len(particles))
        for group in self.groups:
            chances = self.seen(particles, group)
            logs = np.log(np.maximum(chances[:, 1:], _LEAST_CHANCE))
            total += logs @ np.asarray(group.people) - group.seen * np.log(np.maximum(1 - chances[:, 0], _LEAST_CHANCE))
        return total

    def start(self, rng, count):
        dims = 7 if self.spread else 6
        base = rng.standard_normal((count, dims))
        base[:, :5] = _CENTRE + _WIDTH * base[:, :5]
        return base


def posterior(model, rng, count=PARTICLES):
    particles = model.start(rng, count)
    logs = model.likelihood(particles)
    heat = 0.0
    steps = 0
    for _ in range(_STEPS_AT_MOST):
        step = _next_step(logs, 1 - heat)
        heat = min(1.0, heat + step)
        weights = np.exp(step * (logs - logs.max()))
        weights /= weights.sum()
        chosen = np.searchsorted(np.cumsum(weights), (np.arange(count) + rng.uniform()) / count)
        particles, logs = particles[np.minimum(chosen, count - 1)], logs[np.minimum(chosen, count - 1)]
        walk = np.linalg.cholesky(np.cov(particles.T) + 1e-9 * np.eye(particles.shape[1]))
        scale = 2.38 / sqrt(particles.shape[1]) * _SCALE
        for _ in range(_MOVES if heat < 1 else 4 * _MOVES):
            moved = particles + scale * rng.standard_normal(particles.shape) @ walk.T
            found = model.likelihood(moved)
            gain = heat * (found - logs) + model.prior(moved) - model.prior(particles)
            kept = np.log(rng.uniform(size=count)) < gain
            particles, logs = np.where(kept[:, None], moved, particles), np.where(kept, found, logs)
        steps += 1
        if heat >= 1:
            break
    return particles, steps, kept.mean()


def _next_step(logs: Reals, most: float) -> float:
    """Return how much further the data may be believed, so that half of the particles stay in effect."""
    low, high = 0.0, 1.0
    if _in_effect(most * logs) >= len(logs) / 2:
        return most
    while high - low > _STEP_TOLERANCE:
        middle = (low + high) / 2
        enough = _in_effect(most * middle**4 * logs) >= len(logs) / 2
        low, high = (middle, high) if enough else (low, middle)
    return most * max(low, _STEP_TOLERANCE) ** 4


def _in_effect(logs: Reals) -> float:
    weights = np.exp(logs - logs.max())
    return float(weights.sum() ** 2 / (weights**2).sum())


def draws(groups, chance_error, people_error, spread, seed, count=PARTICLES):
    rng = np.random.default_rng(seed)
    model = _Model(groups, chance_error, spread)
    particles, steps, kept = posterior(model, rng, count)
    total = np.zeros(count)
    for group in groups:
        missed = np.clip(model.seen(particles, group)[:, 0], 0, 1 - 1e-6)
        came = group.seen / (1 - missed)
        total += came + np.sqrt(group.seen * missed) / (1 - missed) * rng.standard_normal(count)
    return total * np.exp(people_error * rng.standard_normal(count)), steps, kept
