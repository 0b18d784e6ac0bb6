"""Visits of a location by hour from several sources at once: door counters, Wi-Fi, and the cameras' faces.

Each source s tells z = a (1 + d) x + e of the visits x of an hour. Its factor `a` is what it counts of a visit: near 1
for a door counter, the visibility for faces, anything for Wi-Fi. Factors of door counters are known to their configured
error and anchor the scale; those of the others are measured against them, within a week on either side, since they
drift. d is the error of a day (spread `day_spread`), e that of an hour (variance `dispersion` times x).

How large d and e are is measured where sources overlap: the difference of two has the sum of their variances, and three
sources or more have enough differences to tell whose variance is whose (Grubbs, "On estimating precision of measuring
instruments", 1948). Two sources have one difference: it is split by what is supposed of each, and of faces chance says
how much they err at least.

Then the best linear unbiased estimate is taken day by day, with the errors of a day correlated over its hours. A source
that says nothing in an hour takes no part in it: a gap is not a zero. An hour that no source saw is unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import exp, log, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Reals = NDArray[np.float64]
Numbers = NDArray[np.int64]

FACES: Final = "faces"
LEAST_HOURS: Final = 24  # that two sources share, before one is measured by the other
LEAST_PEOPLE: Final = 50  # in these hours, by each of the two
DRIFT_DAYS: Final = 7  # on either side of a day, from which the factor of a source without an anchor is measured
CONTRADICTION: Final = 2.6  # errors of the difference of two anchored sources; by chance 1 in 100 is beyond
_Z: Final = 1.6449  # of a normal distribution, two-sided 90 %
_LEAST_VISITS: Final = 0.5  # in an hour, where its variance is in question
_LEAST_DISPERSION: Final = 1e-3
_ROUNDS: Final = 4
# What is supposed of a source where pairs leave it open, and by how much it may be wrong (one standard deviation).
_DISPERSION: Final = 0.1  # of a counter: one visit in ten of an hour missed or doubled
_DISPERSION_OPEN: Final = 0.2
_UNANCHORED: Final = 1.0  # of a source whose factor nobody knows, such as Wi-Fi: a device is there or not
_UNANCHORED_OPEN: Final = 5.0
_CHANCE_OPEN: Final = 0.2  # of faces: a share of the dispersion that chance alone gives, (1 - p) / p ...
_LEAST_CHANCE_OPEN: Final = 0.05  # ... and at least so much
_DAY_VARIANCE: Final = 0.02**2
_DAY_VARIANCE_OPEN: Final = 0.03**2


@dataclass(frozen=True, eq=False)
class HourlyCounts:
    """What several sources said of one location.

    Attributes:
        day: (h,) number of each hour's business day.
        counts: (h,) of each source; NaN where it said nothing.
        errors: standard deviation of the log of the factor of each source that anchors the scale.
    """

    day: Numbers
    counts: Mapping[str, Reals]
    errors: Mapping[str, float]


@dataclass(frozen=True)
class SourceFit:
    """How one source was measured: what it counts of a visit on average, and its errors of an hour and of a day.

    Attributes:
        hours: in which it said anything.
        factor: counted by it for each visit.
        dispersion: variance of an hour's visits by it alone, for each visit.
        day_spread: standard deviation of a day's error, as a share.
    """

    hours: int
    factor: float
    dispersion: float
    day_spread: float


@dataclass(frozen=True, eq=False)
class FusedVisits:
    """Visits by hour (h,), or why there are none.

    Attributes:
        visits: NaN where no source saw the hour.
        error: standard deviation of each, without that of the scale.
        scale_error: of all together, as a share: what the anchors do not know of themselves.
        alone: (h,) visits by each source alone, at its factor.
        sources: how each was measured.
        day: (h,) as given.
        day_error: standard deviation of the sum of each day by its number, without that of the scale.
        reason: why there is no estimate; None where there is.
    """

    visits: Reals
    error: Reals
    scale_error: float
    alone: Mapping[str, Reals]
    sources: Mapping[str, SourceFit]
    day: Numbers
    day_error: Mapping[int, float]
    reason: str | None = None

    def interval(self, visits: float, error: float) -> tuple[float, float]:
        """Return the 90 % interval of a number of visits with an error of its own."""
        half = _Z * sqrt(error**2 + (self.scale_error * visits) ** 2)
        return max(0.0, visits - half), visits + half


def fuse(given: HourlyCounts) -> FusedVisits:
    """Return the visits of every hour from all sources that can be compared, each beside them."""
    anchors = [name for name in given.errors if np.nansum(given.counts[name]) >= LEAST_PEOPLE]
    if not anchors:
        return _refused(given, _no_anchor(given))
    level = _anchored_factors(given, anchors)
    contradiction = _contradiction(given, level)
    if contradiction:
        return _refused(given, contradiction)
    factors = {name: np.full(len(given.day), factor) for name, factor in level.items()}
    visits = _mean({name: given.counts[name] / factors[name] for name in anchors})
    factors |= {
        name: found
        for name in given.counts
        if name not in anchors and (found := _drifting_factor(given, name, visits)) is not None
    }
    alone = {name: given.counts[name] / factor for name, factor in factors.items()}
    rough = np.maximum(_mean(alone), _LEAST_VISITS)
    supposed = [_supposed(name, factor, is_anchored=name in anchors) for name, factor in factors.items()]
    dispersion, day_spread = _errors(alone, given.day, rough, supposed)
    scale_error = sum(1 / given.errors[name] ** 2 for name in anchors) ** -0.5
    visits, error, day_error = _by_day(alone, given.day, rough, dispersion, day_spread)
    return FusedVisits(
        visits=visits,
        error=error,
        scale_error=scale_error,
        alone=alone,
        sources={
            name: SourceFit(
                hours=int(np.isfinite(alone[name]).sum()),
                factor=float(np.nansum(given.counts[name]) / max(np.nansum(alone[name]), 1e-9)),
                dispersion=dispersion[name],
                day_spread=day_spread[name],
            )
            for name in alone
        },
        day=given.day,
        day_error=day_error,
    )


def _no_anchor(given: HourlyCounts) -> str:
    if given.errors:
        return f"door counters saw fewer than {LEAST_PEOPLE} people; choose more days, or import more counts"
    return "no door counter anchors the scale: faces and Wi-Fi count a share that nobody knows"


def _refused(given: HourlyCounts, reason: str) -> FusedVisits:
    unknown = np.full(len(given.day), np.nan)
    return FusedVisits(unknown, unknown, 0.0, {}, {}, given.day, {}, reason)


def _mean(alone: Mapping[str, Reals]) -> Reals:
    """Return the mean of what the sources say of each hour, NaN where none says anything."""
    stacked = np.stack(list(alone.values()))
    said = np.isfinite(stacked)
    sums = np.where(said, stacked, 0.0).sum(axis=0)
    return np.where(said.any(axis=0), sums / np.maximum(said.sum(axis=0), 1), np.nan)


def _anchored_factors(given: HourlyCounts, anchors: list[str]) -> dict[str, float]:
    """Return the factor of each anchored source: the ratios between them, their logs 0 in the weighted mean."""
    first = max(anchors, key=lambda name: 1 / given.errors[name])
    ratios = {}
    for name in anchors:
        both = np.isfinite(given.counts[name]) & np.isfinite(given.counts[first])
        theirs, its = given.counts[first][both].sum(), given.counts[name][both].sum()
        is_known = both.sum() >= LEAST_HOURS and min(theirs, its) >= LEAST_PEOPLE
        ratios[name] = log(its / theirs) if is_known else 0.0
    weights = {name: 1 / given.errors[name] ** 2 for name in anchors}
    middle = sum(weights[name] * ratios[name] for name in anchors) / sum(weights.values())
    return {name: exp(ratios[name] - middle) for name in anchors}


def _contradiction(given: HourlyCounts, level: Mapping[str, float]) -> str | None:
    for one in level:
        for other in level:
            apart = log(level[one] / level[other])
            allowed = CONTRADICTION * sqrt(given.errors[one] ** 2 + given.errors[other] ** 2)
            if apart > allowed:
                return (
                    f"{one} counted {exp(apart):.2f} times what {other} did in the same hours, more than their errors "
                    "explain; check both counters, or take one back"
                )
    return None


def _drifting_factor(given: HourlyCounts, name: str, visits: Reals) -> Reals | None:
    """Return the factor of a source without an anchor on the day of each hour; None where it cannot be measured."""
    both = np.isfinite(given.counts[name]) & np.isfinite(visits)
    if both.sum() < LEAST_HOURS or min(given.counts[name][both].sum(), visits[both].sum()) < LEAST_PEOPLE:
        return None
    days, place = np.unique(given.day, return_inverse=True)
    its = np.bincount(place[both], given.counts[name][both], len(days))
    theirs = np.bincount(place[both], visits[both], len(days))
    near = np.maximum(0.0, 1 - np.abs(days[:, None] - days) / (DRIFT_DAYS + 1))
    overall = its.sum() / theirs.sum()
    known = 2 * LEAST_PEOPLE  # a day far from every comparison falls back to the whole
    return np.asarray(((near @ its + known * overall) / (near @ theirs + known))[place], dtype=np.float64)


@dataclass(frozen=True)
class _Measured:
    """A variance that two sources share, and the standard deviation of its measurement."""

    pair: tuple[int, int]
    variance: float
    error: float


@dataclass(frozen=True)
class _Supposed:
    """The variance of one source before it is measured, and the standard deviation of what is supposed."""

    variance: float
    error: float


def _errors(
    alone: Mapping[str, Reals], day: Numbers, rough: Reals, supposed: list["_Supposed"]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the dispersion and the day spread of each source, from the differences of every two."""
    names = list(alone)
    hourly: list[_Measured] = []
    daily: list[_Measured] = []
    for one, other in combinations(range(len(names)), 2):
        both = np.isfinite(alone[names[one]]) & np.isfinite(alone[names[other]])
        if both.sum() >= LEAST_HOURS:
            apart = (alone[names[one]] - alone[names[other]])[both]
            in_hour, in_day = _difference((one, other), apart, day[both], rough[both])
            hourly.append(in_hour)
            daily.append(in_day)
    dispersion = _split(hourly, supposed)
    day_variance = _split(daily, [_Supposed(_DAY_VARIANCE, _DAY_VARIANCE_OPEN)] * len(names))
    return (
        {name: max(_LEAST_DISPERSION, found) for name, found in zip(names, dispersion, strict=True)},
        {name: sqrt(found) for name, found in zip(names, day_variance, strict=True)},
    )


def _supposed(name: str, factor: Reals, *, is_anchored: bool) -> _Supposed:
    """Return what an hour's dispersion probably is; of faces what chance alone makes it: a visit shows one or not."""
    if name != FACES:
        return _Supposed(_DISPERSION, _DISPERSION_OPEN) if is_anchored else _Supposed(_UNANCHORED, _UNANCHORED_OPEN)
    by_chance = max(0.0, 1 / float(np.mean(factor)) - 1)
    return _Supposed(by_chance, max(_LEAST_CHANCE_OPEN, _CHANCE_OPEN * by_chance))


def _difference(pair: tuple[int, int], apart: Reals, day: Numbers, size: Reals) -> tuple[_Measured, _Measured]:
    """Return the variance of the difference of two sources: of an hour for each visit, and of a day as a share.

    An hour's is measured around its day's own ratio, so that a day's error is not in it.
    """
    days, place = np.unique(day, return_inverse=True)
    sums, sizes = np.bincount(place, apart, len(days)), np.bincount(place, size, len(days))
    around = apart - (sums / sizes)[place] * size
    free = max(1, len(apart) - len(days))
    in_hour = float((around**2 / size).sum() / free)
    beyond = (sums / sizes - sums.sum() / sizes.sum()) ** 2 * len(days) / max(1, len(days) - 1) - in_hour / sizes
    in_day = max(0.0, float(np.average(beyond, weights=sizes)))
    by_chance = in_day + in_hour / float(sizes.mean())
    return (
        _Measured(pair, in_hour, max(in_hour, _LEAST_DISPERSION) * sqrt(2 / free)),
        _Measured(pair, in_day, max(by_chance, _DAY_VARIANCE) * sqrt(2 / len(days))),
    )


def _split(measured: list[_Measured], supposed: list[_Supposed]) -> list[float]:
    """Return variances, none negative, that explain what was measured of pairs and what is supposed, by least squares.

    Each is weighted by how sure it is.
    """
    rows, targets = np.zeros((len(measured) + len(supposed), len(supposed))), []
    for number, each in enumerate(measured):
        rows[number, list(each.pair)] = 1 / each.error
        targets.append(each.variance / each.error)
    for number, known in enumerate(supposed):
        rows[len(measured) + number, number] = 1 / known.error
        targets.append(known.variance / known.error)
    return [float(found) for found in nnls(rows, np.array(targets))[0]]


def _by_day(
    alone: Mapping[str, Reals],
    day: Numbers,
    rough: Reals,
    dispersion: Mapping[str, float],
    day_spread: Mapping[str, float],
) -> tuple[Reals, Reals, dict[int, float]]:
    """Return the best linear unbiased estimate of each hour, its standard deviation, and that of each day's sum."""
    visits, error = np.full(len(day), np.nan), np.full(len(day), np.nan)
    of_day: dict[int, float] = {}
    for number in np.unique(day):
        rows = np.flatnonzero(day == number)
        precision, said = np.zeros((len(rows), len(rows))), np.zeros(len(rows))
        for name, values in alone.items():
            own = np.isfinite(values[rows])
            if not own.any():
                continue
            size = rough[rows][own]
            inverse = np.linalg.inv(np.diag(dispersion[name] * size) + day_spread[name] ** 2 * np.outer(size, size))
            precision[np.ix_(own, own)] += inverse
            said[own] += inverse @ values[rows][own]
        seen = np.diag(precision) > 0
        if seen.any():
            covariance = np.linalg.inv(precision[np.ix_(seen, seen)])
            visits[rows[seen]] = np.maximum(0.0, covariance @ said[seen])
            error[rows[seen]] = np.sqrt(np.diag(covariance))
            of_day[int(number)] = sqrt(float(covariance.sum()))
    return visits, error, of_day
