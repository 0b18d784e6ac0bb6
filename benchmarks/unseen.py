"""People whose face never showed, and visits from several sources at once: bias, error, and how often intervals hold.

Months are drawn: people, how often each comes (uniform, mostly single, loyal; the mix's own numbers per seed), up to
three stores with a visibility of their own, hours, and a door counter with an error. The estimator sees hourly counts,
the visits with a face, and a total of the people seen that is off by 2 % (one standard deviation, in its interval).

    python benchmarks/unseen.py
    python benchmarks/unseen.py --seeds 10 --people 1000 --only unseen
    python benchmarks/unseen.py --seeds 20 --only fusion

`alike`: a visit shows the face by chance only. `spread`: each person's own visibility is beta distributed with standard
deviation 0.1 or 0.2. `masked`: 5 % of the people never show the face.
"""

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.count_range import Total
from footfall_assets.domain.fusion import FACES, FusedVisits, HourlyCounts, fuse
from footfall_assets.domain.unseen import PlaceHours, counted_places, grouped, people_including_unseen, visibility

_MIXES: Final = ("uniform", "mostly single", "loyal")
_VISIBILITIES: Final = (0.2, 0.4, 0.6, 0.8, 1.0)
_DAYS: Final = 31
_HOURS: Final = 12  # a day
_TOTAL_ERROR: Final = 0.02
_Z: Final = 1.6449
_STEP: Final = 0.05  # of the log of visibility, by which people are grouped; as the report groups them
_OVERALL: Final = "all mixes"

Numbers = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One month: `apart` says how people differ in visibility."""

    people: int
    mix: str
    chance: float
    apart: str
    counter_error: float
    seed: int


def visit_counts(case: Case, rng: np.random.Generator) -> Numbers:
    """Return how often each person comes, at least once."""
    if case.mix == "uniform":
        return rng.integers(1, int(rng.integers(3, 9)) + 1, case.people)
    if case.mix == "mostly single":
        again = rng.uniform(size=case.people) < rng.uniform(0.1, 0.3)
        return np.where(again, 2 + rng.poisson(rng.uniform(0, 1.5), case.people), 1)
    shape = rng.uniform(2, 20)
    return 1 + rng.poisson(rng.uniform(1.5, 5) * rng.gamma(shape, 1 / shape, case.people))


def own_visibility(case: Case, chance: Reals, rng: np.random.Generator) -> Reals:
    """Return each person's visibility, `chance` in the mean."""
    if case.apart == "masked":
        return np.where(rng.uniform(size=case.people) < 0.05, 0.0, chance)
    if case.apart == "alike":
        return chance
    deviation = np.minimum(float(case.apart.removeprefix("spread ")), 0.9 * np.sqrt(chance * (1 - chance)))
    sure = np.where(deviation > 0, chance * (1 - chance) / np.maximum(deviation, 1e-9) ** 2 - 1, 1e9)
    return np.asarray(rng.beta(np.maximum(chance * sure, 1e-9), np.maximum((1 - chance) * sure, 1e-9)))


def estimated(case: Case) -> tuple[float, float, float] | None:
    """Return the estimate and its interval over the truth; None where it was refused."""
    rng = np.random.default_rng([case.seed, case.people, int(case.chance * 100), _MIXES.index(case.mix)])
    stores = int(rng.integers(1, 4))
    own = np.clip(case.chance * rng.uniform(0.85, 1.15, stores), 0, 1) if case.chance < 1 else np.ones(stores)
    own *= min(case.chance / own.mean(), 1.0)
    visits = visit_counts(case, rng)
    who = np.repeat(np.arange(case.people), visits)
    home = rng.integers(0, stores, case.people)
    where = np.where(rng.uniform(size=len(who)) < 0.1, rng.integers(0, stores, len(who)), home[who])
    when = rng.integers(0, _DAYS * _HOURS, len(who))
    factor = own_visibility(case, np.full(case.people, case.chance), rng) / case.chance
    shown = rng.uniform(size=len(who)) < np.minimum(own[where] * factor[who], 1.0)
    error = max(case.counter_error, 0.01)
    places = {}
    for store in range(stores):
        took_place = np.bincount(when[where == store], minlength=_DAYS * _HOURS).astype(np.float64)
        counted = rng.normal(1, case.counter_error) * rng.poisson(took_place) if case.counter_error else took_place
        faces = np.bincount(when[(where == store) & shown], minlength=_DAYS * _HOURS).astype(np.float64)
        hours = HourlyCounts(
            np.repeat(np.arange(_DAYS), _HOURS), {"infrared": np.round(counted), FACES: faces}, {"infrared": error}
        )
        places[str(store)] = PlaceHours(str(store), int(faces.sum()), hours)
    found = visibility(counted_places(places))
    if isinstance(found, str):
        return None
    seen = np.bincount(who[shown], minlength=case.people)
    inverse = np.bincount(who[shown], 1 / np.array([found.chances[str(each)] for each in where[shown]]), case.people)
    rows = [
        (min(1.0, float(np.exp(np.round(np.log(times / weight) / _STEP) * _STEP))), int(times), 1)
        for times, weight in zip(seen, inverse, strict=True)
        if times
    ]
    off = float(np.exp(rng.normal(0, _TOTAL_ERROR)))
    total = round(len(rows) * off)
    wide = np.exp(_Z * _TOTAL_ERROR)
    bounds = (min(total, int(total / wide)), max(total, int(np.ceil(total * wide))))
    result = people_including_unseen(Total(total, bounds, 0.9, None), grouped(rows), found, seed=case.seed)
    if result.people is None or result.interval is None:
        return None
    return result.people / case.people, result.interval[0] / case.people, result.interval[1] / case.people


@dataclass(frozen=True)
class Month:
    """Hours of one location: the truth and what each source said."""

    visits: Reals
    given: HourlyCounts


def drawn_month(chance: float, counter_error: float, seed: int, *, with_wifi: bool) -> Month:
    """Return a month with a busy and a quiet time, days that differ, and gaps in every source."""
    rng = np.random.default_rng([seed, int(chance * 100), int(counter_error * 100), with_wifi])
    size = (_DAYS, _HOURS)
    busy = rng.uniform(8, 60) * np.exp(rng.normal(0, 0.25, _DAYS))[:, None]
    visits = rng.poisson(busy * (1 + 0.6 * np.sin(np.linspace(0, 3, _HOURS))))
    missed = rng.uniform(0.02, 0.12)
    counted = rng.binomial(visits, 1 - missed) + rng.poisson(missed * visits)  # as many counted twice as missed
    of_day = np.exp(rng.normal(0, 0.02, _DAYS))[:, None]
    counts: dict[str, Reals] = {
        "infrared": np.round(counted * of_day * np.exp(rng.normal(0, counter_error))),
        FACES: rng.binomial(visits, np.minimum(chance * np.exp(rng.normal(0, 0.03, _DAYS)), 1)[:, None]).astype(float),
    }
    if with_wifi:  # phones: any factor, which drifts by 3 % a day
        drift = rng.uniform(0.3, 2.5) * np.exp(np.cumsum(rng.normal(0, 0.03, _DAYS)))[:, None]
        counts["wifi"] = rng.poisson(drift * visits * np.exp(rng.normal(0, 0.05, size))).astype(float)
    for name, said in counts.items():
        gaps = (rng.uniform(size=_DAYS) < 0.08)[:, None] | (rng.uniform(size=size) < 0.03)
        counts[name] = np.where(gaps, np.nan, said).ravel()
    day = np.repeat(np.arange(_DAYS), _HOURS)
    return Month(visits.ravel().astype(float), HourlyCounts(day, counts, {"infrared": max(counter_error, 0.01)}))


def fusion_errors(chance: float, counter_error: float, seed: int, *, with_wifi: bool) -> dict[str, float]:
    """Return errors of each source alone and of all together, in hours that all of them saw, and intervals held."""
    month = drawn_month(chance, counter_error, seed, with_wifi=with_wifi)
    found = fuse(month.given)
    each = {**found.alone, "fused": found.visits}
    both = np.all([np.isfinite(said) for said in each.values()], axis=0)
    known = np.isfinite(found.visits)
    errors = {}
    for name, said in each.items():
        errors[f"{name} hour"] = float(np.sqrt(np.mean((said - month.visits)[both] ** 2)) / month.visits[both].mean())
        days = [_day_error(month, said, both, day) for day in range(_DAYS)]
        errors[f"{name} day"] = float(np.sqrt(np.nanmean(np.square(days))))
    half = _Z * np.sqrt(found.error**2 + (found.scale_error * found.visits) ** 2)
    errors["hours held"] = float(np.mean((np.abs(found.visits - month.visits) <= half)[known]))
    errors["days held"] = float(np.mean([_day_held(month, found, known, day) for day in found.day_error]))
    errors["hours known by counter"] = float(np.isfinite(found.alone["infrared"]).mean())
    errors["hours known fused"] = float(known.mean())
    return errors


def _day_error(month: Month, said: Reals, both: NDArray[np.bool_], day: int) -> float:
    rows = both & (month.given.day == day)
    truth = month.visits[rows].sum()
    return float(said[rows].sum() / truth - 1) if rows.sum() > _HOURS / 2 else float("nan")


def _day_held(month: Month, found: FusedVisits, known: NDArray[np.bool_], day: int) -> bool:
    rows = known & (month.given.day == day)
    low, high = found.interval(float(found.visits[rows].sum()), found.day_error[day])
    return bool(low <= month.visits[rows].sum() <= high)


def unseen_table(seeds: int, people: list[int], visibilities: list[float], workers: int) -> Iterator[str]:
    """Yield the rows on people who were never seen."""
    yield "| people | visibility | faces | counter off by | mix | months | bias | off by (median) | held | width |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    kinds = [("alike", 0.0), ("alike", 0.05), ("spread 0.1", 0.05), ("spread 0.2", 0.05), ("masked", 0.05)]
    with ProcessPoolExecutor(workers) as pool:
        for size in people:
            for apart, error in kinds:
                for chance in visibilities:
                    if apart.startswith("spread") and chance == 1:
                        continue
                    cases = {
                        mix: [Case(size, mix, chance, apart, error, seed) for seed in range(seeds)] for mix in _MIXES
                    }
                    found = {mix: list(pool.map(estimated, each, chunksize=4)) for mix, each in cases.items()}
                    everything = [each for of_mix in found.values() for each in of_mix]
                    for mix, each in {**found, _OVERALL: everything}.items():
                        yield f"| {size:,} | {chance:.0%} | {apart} | {error:.0%} | {mix} | {_summary(each)} |"


def _summary(found: list[tuple[float, float, float] | None]) -> str:
    given = np.array([each for each in found if each])
    refused = len(found) - len(given)
    months = f"{len(given)}" + (f", {refused} refused" if refused else "")
    if not len(given):
        return f"{months} | | | | "
    off = given[:, 0] - 1
    held = np.mean((given[:, 1] <= 1) & (given[:, 2] >= 1))
    width = np.median(given[:, 2] - given[:, 1])
    return f"{months} | {off.mean():+.1%} | {np.median(np.abs(off)):.1%} | {held:.0%} | {width:.0%}"


def fusion_table(seeds: int, workers: int) -> Iterator[str]:
    """Yield the rows on visits from several sources."""
    names = ("infrared", FACES, "wifi", "fused")
    yield (
        "| visibility | counter off by | "
        + " | ".join(f"{name}, {grain}" for grain in ("hour", "day") for name in names)
        + " | hours held | days held | hours known: counter, fused |"
    )
    yield "| --- " * (2 + 2 * len(names) + 3) + "|"
    with ProcessPoolExecutor(workers) as pool:
        for with_wifi in (False, True):
            for error in (0.0, 0.05):
                for chance in _VISIBILITIES:
                    month = partial(fusion_errors, chance, error, with_wifi=with_wifi)
                    found = list(pool.map(month, range(seeds), chunksize=4))
                    mean = {name: float(np.mean([each[name] for each in found])) for name in found[0]}
                    cells = [
                        f"{mean[f'{name} {grain}']:.1%}" if f"{name} {grain}" in mean else ""
                        for grain in ("hour", "day")
                        for name in names
                    ]
                    known = f"{mean['hours known by counter']:.0%}, {mean['hours known fused']:.0%}"
                    yield (
                        f"| {chance:.0%} | {error:.0%} | {' | '.join(cells)} | {mean['hours held']:.0%} "
                        f"| {mean['days held']:.0%} | {known} |"
                    )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--people", type=int, nargs="+", default=[300, 1_500])
    parser.add_argument("--visibilities", type=float, nargs="+", default=list(_VISIBILITIES))
    parser.add_argument("--only", choices=["unseen", "fusion"])
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    if given.only != "unseen":
        for line in fusion_table(given.seeds, given.workers):
            print(line, flush=True)
    if given.only != "fusion":
        for line in unseen_table(given.seeds, given.people, given.visibilities, given.workers):
            print(line, flush=True)


if __name__ == "__main__":
    main()
