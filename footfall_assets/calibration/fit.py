"""From labelled stills to a calibration: threshold, probe, count model and its evaluation, each on its own people."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count, cycle, islice
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from footfall_assets.calibration.count_fit import CUTS, CountSample, fit_count, model_of, samples_of
from footfall_assets.calibration.labelled_people import LabelledStills, StillKind
from footfall_assets.calibration.stores import StorePlan, StoreVisits, VisitMix, draw_store
from footfall_assets.calibration.trial import SolvedStore, founders, founding_rules, solve_store
from footfall_assets.contracts.calibration import (
    DEFAULT_LEVEL,
    LEVELS,
    Calibration,
    CountWeights,
    Evaluation,
    ProbeWeights,
)
from footfall_assets.contracts.settings import LinkageSettings, QualitySettings
from footfall_assets.domain.cells import CELL_IDENTITIES
from footfall_assets.domain.estimate import estimate
from footfall_assets.domain.founding import Probe
from footfall_assets.domain.linkage import Floats, Labels, unit
from footfall_assets.domain.strangers import Strangers
from footfall_assets.evaluation.bcubed import bcubed

_PROBE_STRENGTH: Final = 100.0  # inverse of its regularisation; see docs/accuracy.md
_PROBE_LOSS: Final = (
    0.02  # share of good faces that may found nothing; nearly all of them join their tracklet's visitor
)
_GRID: Final = tuple(round(0.04 + 0.0025 * step, 4) for step in range(21))  # cosine distances tried as thresholds
_FIT_VISITORS: Final = 150  # of the stores that choose the threshold
_FEWEST_VISITORS, _MOST_VISITORS = 20, CELL_IDENTITIES  # of the stores that teach the count
_FOLDS: Final = 5  # for residuals on people who did not train the model

Progress = Callable[[str], None]


@dataclass(frozen=True)
class FitPlan:
    """How much work to put into a calibration."""

    seed: int = 0
    threshold_stores: int = 9
    count_stores: int = 180
    fold_stores: int = 30  # on each side of a fold
    evaluation_stores: int = 24


def fit_probe(stills: LabelledStills, people: Labels) -> ProbeWeights | None:
    """Return the probe that tells good faces (clean, mirrored) of these people from blurred and masked ones.

    It turns away `_PROBE_LOSS` of the good ones. Tiny faces are left to the gate on size: with them in its training the
    probe learns what small looks like, and misses twice as many masks. None where nobody was blurred or masked.
    """
    ours = np.isin(stills.person, people)
    good = (stills.kind == StillKind.CLEAN) | (stills.kind == StillKind.MIRRORED)
    spoilt = (stills.kind == StillKind.BLURRED) | (stills.kind == StillKind.MASKED)
    if not (ours & spoilt).any():
        return None
    model = LogisticRegression(C=_PROBE_STRENGTH, max_iter=5000, class_weight="balanced")
    model.fit(stills.vector[ours & (good | spoilt)], good[ours & (good | spoilt)])
    weights = model.coef_[0]
    score = stills.vector[ours & good] @ weights
    return ProbeWeights(weights=tuple(weights.tolist()), bias=-float(np.quantile(score, _PROBE_LOSS)))


def probe_of(weights: ProbeWeights | None) -> Probe | None:
    """Return the probe that a calibration describes, None where it has none."""
    return Probe(np.asarray(weights.weights, dtype=np.float32), weights.bias) if weights else None


def drawn(
    stills: LabelledStills, people: Labels, sizes: Sequence[int], *, seed: int, hard_share: float = 0.0
) -> Iterator[tuple[VisitMix, StoreVisits]]:
    """Yield a store of each size, the visit mixes in turn."""
    for number, (size, mix) in enumerate(zip(sizes, cycle(VisitMix), strict=False)):
        plan = StorePlan(min(size, len(people)), mix, seed * 10_000 + number, hard_share)
        yield mix, draw_store(stills, people, plan)


def fit_threshold(
    stills: LabelledStills, people: Labels, founding: NDArray[np.bool_], linkage: LinkageSettings, plan: FitPlan
) -> float:
    """Return the window's threshold with the best mean BCubed F1 over stores of these people."""
    scores = []
    for _, visits in drawn(stills, people, [_FIT_VISITORS] * plan.threshold_stores, seed=plan.seed):
        solved = solve_store(stills, visits, founding, linkage, _GRID)
        scores.append([f1_of(visits, solved, cut) for cut in range(len(_GRID))])
    return _GRID[int(np.mean(scores, axis=0).argmax())]


def f1_of(visits: StoreVisits, solved: SolvedStore, cut: int) -> float:
    """Return the BCubed F1 of the faces of a store that belong to a visitor, at one of its cuts."""
    member = solved.local >= 0
    found = bcubed(visits.person[visits.visit[member]], solved.labels[solved.local[member], cut])
    return found.f1 or 0.0


def count_samples(
    stills: LabelledStills,
    people: Labels,
    founding: NDArray[np.bool_],
    linkage: LinkageSettings,
    sizes: Sequence[int],
    *,
    seed: int,
) -> list[tuple[VisitMix, CountSample]]:
    """Return the samples of stores of these people, and the mix of each."""
    cuts = [linkage.window_max_distance * each for each in CUTS]
    rng = np.random.default_rng([seed, 1])
    found = []
    for mix, visits in drawn(stills, people, sizes, seed=seed):
        solved = solve_store(stills, visits, founding, linkage, cuts)
        found += [(mix, sample) for sample in samples_of(visits, solved, rng)]
    return found


def fit_count_model(
    stills: LabelledStills, people: Labels, founding: NDArray[np.bool_], linkage: LinkageSettings, plan: FitPlan
) -> CountWeights:
    """Return the count model of these people; its residuals come from thirds of them that did not train it."""
    rng = np.random.default_rng([plan.seed, 2])
    numbers = count(plan.seed * 100)

    def samples(some: Labels, stores: int) -> list[CountSample]:
        drawn_sizes = _sizes(stores, rng)
        found = count_samples(stills, some, founding, linkage, drawn_sizes, seed=next(numbers))
        return [sample for _, sample in found]

    folds = []
    for _ in range(_FOLDS):
        shuffled = rng.permutation(people)
        others, train = shuffled[: len(people) // 3], shuffled[len(people) // 3 :]
        folds.append((samples(train, plan.fold_stores), samples(others, plan.fold_stores)))
    return fit_count(samples(people, plan.count_stores), folds)


def _sizes(stores: int, rng: np.random.Generator) -> list[int]:
    sizes = np.exp(rng.uniform(log(_FEWEST_VISITORS), log(_MOST_VISITORS), stores))
    return [int(size) for size in sizes]


def strangers_of(stills: LabelledStills, people: Labels, founding: NDArray[np.bool_], max_distance: float) -> Strangers:
    """Return the pairs of different people by their templates (one a photograph), and those within a distance."""
    rows = np.flatnonzero(np.isin(stills.person, people) & founding & (stills.kind == StillKind.CLEAN))
    photos, at = np.unique(stills.photo[rows], return_inverse=True)
    total = np.zeros((len(photos), stills.vector.shape[1]), np.float64)
    np.add.at(total, at, stills.vector[rows])
    template: Floats = unit(total.astype(np.float32))
    person = np.zeros(len(photos), np.int64)
    person[at] = stills.person[rows]
    left, right = np.triu_indices(len(photos), 1)
    strangers = person[left] != person[right]
    distance = 1.0 - np.einsum("ij,ij->i", template[left[strangers]], template[right[strangers]])
    return Strangers(len(distance), int((distance <= max_distance).sum()))


def calibrate(
    stills: LabelledStills,
    *,
    embedder: str,
    origin: str,
    today: date,
    quality: QualitySettings,
    linkage: LinkageSettings,
    plan: FitPlan,
    window_max_distance: float | None = None,
    say: Progress = lambda _: None,
) -> Calibration:
    """Return the calibration of an embedder from labelled stills; a third of the people only score it.

    Args:
        stills: of at least some hundred people, many with several photographs.
        embedder: its identity.
        origin: where the labels come from.
        today: the day of the calibration.
        quality: the gate.
        linkage: how local visitors are linked; the window's threshold is replaced.
        plan: how much work.
        window_max_distance: the threshold to calibrate, by default the one that scores best.
        say: hears what goes on.
    """
    shuffled = np.random.default_rng(plan.seed).permutation(len(stills.names))
    scored, fitted = shuffled[: len(shuffled) // 3], shuffled[len(shuffled) // 3 :]
    probe = fit_probe(stills, fitted)
    founding = founders(stills, founding_rules(quality, probe_of(probe)))
    threshold = window_max_distance or fit_threshold(stills, fitted, founding, linkage, plan)
    say(f"threshold {threshold}: cosine distance between local visitors")
    held = linkage.model_copy(update={"window_max_distance": threshold})
    weights = fit_count_model(stills, fitted, founding, held, plan)
    say("count model fitted; scoring it on other people")
    return Calibration(
        embedder=embedder,
        origin=origin,
        made_on=today,
        window_max_distance=threshold,
        cuts=tuple(threshold * each for each in CUTS),
        probe=probe,
        count=weights,
        evaluation=_evaluate(stills, scored, founding, held, weights, plan),
    )


def _evaluate(
    stills: LabelledStills,
    people: Labels,
    founding: NDArray[np.bool_],
    linkage: LinkageSettings,
    weights: CountWeights,
    plan: FitPlan,
) -> Evaluation:
    sizes = list(islice(cycle((50, 100, 150, 200)), plan.evaluation_stores))
    samples = count_samples(stills, people, founding, linkage, sizes, seed=plan.seed * 100 + 99)
    model = model_of(weights)
    truths = np.array([sample.truth for _, sample in samples])
    found = {level: [estimate(model, sample.tree, level) for _, sample in samples] for level in LEVELS}
    people_found = np.array([each.people for each in found[DEFAULT_LEVEL]])
    width = [(each.high - each.low) / each.people for each in found[DEFAULT_LEVEL]]
    held = {
        level: float(np.mean([each.low <= truth <= each.high for each, truth in zip(some, truths, strict=True)]))
        for level, some in found.items()
    }
    return Evaluation(
        people=len(people),
        stores=len(sizes),
        median_error=float(np.median(np.abs(people_found / truths - 1))),
        coverage=held,
        median_width=float(np.median(width)),
        false_match_rate=strangers_of(stills, people, founding, linkage.window_max_distance).most_rate,
    )
