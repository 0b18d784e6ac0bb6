"""How many people came, from how often each was seen, where a visit shows the face by chance only.

A visit shows a face that can be recognised with chance p. Who comes k times is seen j ~ Binomial(k, p) times, and not
at all with chance (1 - p)^k. How often people come is not known, how often they were seen is. So a distribution of
visits is fitted to the people seen once, twice, ...: k - 1 is one of two negative binomials, which thinning leaves in
the family (with mean p m in place of m), so that every chance is in closed form. With D people seen, D / (1 - P(j = 0))
came.

At low p many distributions of visits fit what was seen. A fit would pick one, and a bootstrap around it would repeat
its choice. So the answer is a posterior over all of them, drawn by sequential Monte Carlo from a wide prior to the data
in tempered steps (Del Moral, Doucet and Jasra, "Sequential Monte Carlo samplers", 2006), each as long as leaves half of
the particles in effect, then Metropolis moves.

People whose faces show less often than others' cannot be told from people who come less often. What such differences
could hide is in the interval, by a prior of their own, and not in the estimate.
"""

from dataclasses import dataclass, replace
from math import log, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

PARTICLES: Final = 1500
SPREAD: Final = 0.3  # of visibility between people, as a share of the nearer of p and 1 - p: a half-normal's deviation
NEVER_SHOWING: Final = 0.02  # of people who always hide the face, a share: a half-normal's deviation
_MOVES: Final = 4  # of each particle after a step ...
_LAST_MOVES: Final = 16  # ... and after the last, when all of the data is believed
_STEPS_AT_MOST: Final = 80
_STRIDE: Final = 2.1  # of a move, in standard deviations over the root of the dimensions (2.38 is best for a normal)
_HEAT_TOLERANCE: Final = 1e-3
_LEAST_CHANCE: Final = 1e-300  # whose logarithm is still a number
# Prior of log mean and log shape of the visits beyond the first of either kind of visitor, and logit of the first's
# share: means of 0.05 to 5 and of 0.8 to 8 visits, and any mix. The shape reaches from one in two who come in excess
# (2) to Poisson (50 and more).
_CENTRE: Final = np.array([log(0.5), log(8.0), log(2.5), log(20.0), 0.0])
_WIDTH: Final = np.array([1.2, 1.5, 0.6, 1.5, 2.0])
_VISITS: Final = len(_CENTRE)
_CHANCE, _SPREAD, _NEVER = _VISITS, _VISITS + 1, _VISITS + 2  # further dimensions, standard normal


@dataclass(frozen=True)
class SeenPeople:
    """People whose visits show the face with one chance, by how often they were seen.

    Attributes:
        chance: 0 < chance <= 1.
        times: people seen once, twice, ...; need not be whole where the list of people is corrected.
    """

    chance: float
    times: tuple[float, ...]

    @property
    def seen(self) -> float:
        """People seen at least once."""
        return float(sum(self.times))


@dataclass(frozen=True)
class Thinning:
    """What is known of the people seen and of the chances.

    Attributes:
        groups: everybody who was seen, each in one group.
        chance_error: standard deviation of the log of all chances together.
        people_error: of the log of how many were seen: not everybody on the list is one person.
    """

    groups: tuple[SeenPeople, ...]
    chance_error: float = 0.0
    people_error: float = 0.0


@dataclass(frozen=True)
class PeopleEstimate:
    """People who came, seen or not, and the bounds that hold them at 90 %."""

    people: float
    low: float
    high: float


def people_behind(given: Thinning, *, seed: int = 0) -> PeopleEstimate:
    """Return how many people came; the same for the same input and seed.

    The estimate is the median as if everybody's face showed alike; the interval holds what differences between people
    could hide as well.
    """
    alike = _draws(_Posterior(given, is_alike=True), np.random.default_rng([seed, 0]))
    apart = _draws(_Posterior(given, is_alike=False), np.random.default_rng([seed, 1]))
    people = float(np.median(alike))
    low = min(float(np.quantile(alike, 0.05)), float(np.quantile(apart, 0.05)), people)
    return PeopleEstimate(people, low, max(float(np.quantile(apart, 0.95)), float(np.quantile(alike, 0.95)), people))


def negative_binomial(mean: Reals, shape: Reals, most: int) -> Reals:
    """Return the chances of 0 to `most` for each mean and shape (n,): (n, most + 1)."""
    counts = np.arange(most)
    ratios = (counts + shape[:, None]) / (counts + 1) * (mean / (shape + mean))[:, None]
    none = np.exp(shape * np.log(shape / (shape + mean)))[:, None]
    return np.concatenate([none, none * np.cumprod(ratios, axis=1)], axis=1)


def seen_times(visits: Reals, chance: Reals, most: int) -> Reals:
    """Return the chances of being seen 0 to `most` times: (n, most + 1).

    Args:
        visits: (n, 5 or more) parameters of the distribution of visits, in the order of the prior.
        chance: (n,) that a visit shows the face.
        most: times.
    """
    one_mean, one_shape, other_mean, other_shape, logit = visits.T[:_VISITS]
    share = (1 / (1 + np.exp(-logit)))[:, None]
    one = negative_binomial(chance * np.exp(one_mean), np.exp(one_shape), most)
    beyond = share * one + (1 - share) * negative_binomial(chance * np.exp(other_mean), np.exp(other_shape), most)
    seen = (1 - chance)[:, None] * beyond
    seen[:, 1:] += chance[:, None] * beyond[:, :-1]
    return np.asarray(seen, dtype=np.float64)


@dataclass(frozen=True)
class _Posterior:
    given: Thinning
    is_alike: bool

    @property
    def dimensions(self) -> int:
        return _VISITS + (1 if self.is_alike else 3)

    def start(self, rng: np.random.Generator) -> Reals:
        particles = rng.standard_normal((PARTICLES, self.dimensions))
        particles[:, :_VISITS] = _CENTRE + _WIDTH * particles[:, :_VISITS]
        return particles

    def log_prior(self, particles: Reals) -> Reals:
        visits = (particles[:, :_VISITS] - _CENTRE) / _WIDTH
        return np.asarray(-0.5 * ((visits**2).sum(axis=1) + (particles[:, _VISITS:] ** 2).sum(axis=1)))

    def log_likelihood(self, particles: Reals) -> Reals:
        total = np.zeros(len(particles))
        for group in self.given.groups:
            seen = self.seen(particles, group)
            logs = np.log(np.maximum(seen, _LEAST_CHANCE))
            at_least_once = np.log(np.maximum(1 - seen[:, 0], _LEAST_CHANCE))
            total += logs[:, 1:] @ np.asarray(group.times) - group.seen * at_least_once
        return total

    def seen(self, particles: Reals, group: SeenPeople) -> Reals:
        """Return the chances of the times that somebody who ever shows the face was seen."""
        most = len(group.times)
        chance = np.clip(group.chance * np.exp(self.given.chance_error * particles[:, _CHANCE]), 1e-6, 1.0)
        if self.is_alike:
            return seen_times(particles, chance, most)
        chance = chance / (1 - self.never_showing(particles, chance))
        apart = np.minimum(np.abs(particles[:, _SPREAD]) * SPREAD, 1.0) * np.minimum(chance, 1 - chance)
        return (seen_times(particles, chance + apart, most) + seen_times(particles, chance - apart, most)) / 2

    def never_showing(self, particles: Reals, chance: Reals) -> Reals:
        """Return the share of people who never show the face; the visits of the others then show it more often."""
        return np.minimum(np.abs(particles[:, _NEVER]) * NEVER_SHOWING, 1 - chance)

    def people(self, particles: Reals, rng: np.random.Generator) -> Reals:
        total = np.zeros(len(particles))
        for group in self.given.groups:
            missed = np.clip(self.seen(particles, group)[:, 0], 0.0, 1 - 1e-6)
            by_chance = np.sqrt(group.seen * missed) / (1 - missed) * rng.standard_normal(len(particles))
            came = np.maximum(group.seen, group.seen / (1 - missed) + by_chance)
            if not self.is_alike:
                chance = np.minimum(group.chance * np.exp(self.given.chance_error * particles[:, _CHANCE]), 1.0)
                came = came / (1 - self.never_showing(particles, chance))
            total += came
        return np.asarray(total * np.exp(self.given.people_error * rng.standard_normal(len(particles))))


def _draws(posterior: _Posterior, rng: np.random.Generator) -> Reals:
    """Return draws of the people who came."""
    particles = posterior.start(rng)
    logs = posterior.log_likelihood(particles)
    heat = 0.0
    for _ in range(_STEPS_AT_MOST):
        step = _next_step(logs, 1 - heat)
        heat += step
        chosen = _resampled(step * logs, rng)
        particles, logs = particles[chosen], logs[chosen]
        particles, logs = _moved(posterior, particles, logs, heat, rng)
        if heat >= 1:
            break
    return posterior.people(particles, rng)


def _next_step(logs: Reals, most: float) -> float:
    """Return how much more of the data may be believed so that half of the particles stay in effect."""
    if _in_effect(most * logs) >= len(logs) / 2:
        return most
    low, high = 0.0, 1.0  # of the fourth root: first steps are a ten-thousandth of the way
    while high - low > _HEAT_TOLERANCE:
        middle = (low + high) / 2
        is_short = _in_effect(most * middle**4 * logs) >= len(logs) / 2
        low, high = (middle, high) if is_short else (low, middle)
    return most * float(max(low, _HEAT_TOLERANCE)) ** 4


def _in_effect(logs: Reals) -> float:
    weights = np.exp(logs - logs.max())
    return float(weights.sum() ** 2 / (weights**2).sum())


def _resampled(logs: Reals, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the rows of particles in proportion to their weights, by systematic resampling."""
    weights = np.exp(logs - logs.max())
    places = (np.arange(len(logs)) + rng.uniform()) / len(logs)
    return np.minimum(np.searchsorted(np.cumsum(weights / weights.sum()), places), len(logs) - 1)


def _moved(
    posterior: _Posterior, particles: Reals, logs: Reals, heat: float, rng: np.random.Generator
) -> tuple[Reals, Reals]:
    """Return the particles after random-walk moves as wide as they lie, and their likelihoods."""
    count, dimensions = particles.shape
    walk = np.linalg.cholesky(np.cov(particles.T) + 1e-9 * np.eye(dimensions)) * _STRIDE / sqrt(dimensions)
    prior = posterior.log_prior(particles)
    for _ in range(_MOVES if heat < 1 else _LAST_MOVES):
        moved = particles + rng.standard_normal(particles.shape) @ walk.T
        moved_logs, moved_prior = posterior.log_likelihood(moved), posterior.log_prior(moved)
        kept = np.log(rng.uniform(size=count)) < heat * (moved_logs - logs) + moved_prior - prior
        particles = np.where(kept[:, None], moved, particles)
        logs, prior = np.where(kept, moved_logs, logs), np.where(kept, moved_prior, prior)
    return particles, logs


def with_people(group: SeenPeople, factor: float) -> SeenPeople:
    """Return a list's people after its known mistakes: `factor` times as many, with the same visits among them.

    Fewer people than rows: rows are joined two by two at random. More: rows of several visits are cut at random.
    """
    times = np.asarray(group.times, dtype=np.float64)
    people = times.sum()
    if not people or factor == 1:
        return group
    if factor < 1:
        joined = np.convolve(times, times)[: len(times)] / people**2  # place 0 is two rows of one visit each
        changed = times - 2 * (1 - factor) * times
        changed[1:] += (1 - factor) * people * joined[:-1]
        changed[-1] += (1 - factor) * people * (1 - joined[:-1].sum())
    else:
        changed = times + (factor - 1) * people * _cut(times)
    changed = np.maximum(changed, 0.0)
    return replace(group, times=tuple((changed * factor * people / changed.sum()).tolist()))


def _cut(times: Reals) -> Reals:
    """Return the expected change of the people seen once, twice, ... by one cut of one row between two visits."""
    number = np.arange(1, len(times) + 1)
    cuts = times * (number - 1)
    change = np.zeros(len(times))
    if not cuts.sum():
        change[0] = 1.0
        return change
    for several in number[1:]:
        share = cuts[several - 1] / cuts.sum()
        change[several - 1] -= share
        change[: several - 1] += 2 * share / (several - 1)
    return change
