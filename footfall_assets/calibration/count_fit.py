"""Learning how a list of identities becomes a count: stores full of labelled people, their merge trees, a ridge."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.calibration.stores import StoreVisits
from footfall_assets.calibration.trial import SolvedStore
from footfall_assets.contracts.calibration import LEVELS, CountWeights
from footfall_assets.domain.estimate import (
    CountModel,
    Reals,
    TreeSummary,
    expanded,
    features,
    log_correction,
    summarise,
)

# Multiples of the threshold at which the merge tree is cut.
CUTS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.08, 1.16, 1.24, 1.32, 1.4)
MAIN_CUT: Final = 5  # the threshold itself
_RIDGE: Final = 1.0  # of the penalty, per sample: best of 0.001 to 1.2 on people who did not train it
_FEWEST_LOCAL_VISITORS: Final = 12  # in a sample; fewer say nothing
_LEAST_SPREAD: Final = 1e-3


@dataclass(frozen=True)
class CountSample:
    """A part of a store as a report might ask for it, and how many people were in it.

    Attributes:
        tree: its merge tree.
        truth: people with at least one face that may found an identity.
        part: what was asked for: the whole, a day, a camera, a location or a group of locations.
    """

    tree: TreeSummary
    truth: int
    part: str


def samples_of(visits: StoreVisits, solved: SolvedStore, rng: np.random.Generator) -> Iterator[CountSample]:
    """Yield the whole store and some of its parts: a day, a camera, a location, two locations."""
    everything = np.ones(len(solved.template), dtype=np.bool_)
    locations = np.unique(solved.location)
    parts = [
        ("whole", everything),
        ("day", solved.day == rng.choice(np.unique(solved.day))),
        ("camera", solved.camera == rng.choice(np.unique(solved.camera))),
        ("location", solved.location == rng.choice(locations)),
        ("group", np.isin(solved.location, rng.choice(locations, 2, replace=False))),
    ]
    for name, chosen in parts:
        if chosen.sum() >= _FEWEST_LOCAL_VISITORS:
            yield CountSample(_tree(solved, chosen), _truth(visits, solved, name, chosen), name)


def _tree(solved: SolvedStore, chosen: NDArray[np.bool_]) -> TreeSummary:
    labels = solved.labels[chosen]
    return summarise(labels, labels[:, MAIN_CUT])


def _truth(visits: StoreVisits, solved: SolvedStore, part: str, chosen: NDArray[np.bool_]) -> int:
    inside = _in_part(visits, solved, part, chosen)
    return len(np.unique(visits.person[visits.visit[solved.founded & inside]]))


def _in_part(visits: StoreVisits, solved: SolvedStore, part: str, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which faces of the store a part covers, from where and when they were taken and nothing else."""
    if part == "day":
        return np.asarray(visits.day[visits.visit] == solved.day[chosen][0])
    if part == "camera":
        return np.asarray(visits.camera == solved.camera[chosen][0])
    if part == "whole":
        return np.ones(len(visits.still), dtype=np.bool_)
    return np.isin(visits.location[visits.visit], solved.location[chosen])


def fit_count(
    samples: Sequence[CountSample], folds: Sequence[tuple[Sequence[CountSample], Sequence[CountSample]]]
) -> CountWeights:
    """Return the count model of `samples`, its interval from residuals on people who did not train the model.

    The correction is a ridge regression of log(true / listed). In each fold a model of its first samples predicts its
    second, which show other people; the spread of these residuals falls with the size of the list, and quantiles of
    residuals over spread make the interval (see `domain.estimate`). Several folds, because all stores of one fold share
    its people and so a part of their error.

    Args:
        samples: of stores of everybody who may fit.
        folds: samples of most of these people, and of the rest of them.
    """
    residuals = [_residuals(_ridge(train), others) for train, others in folds]
    residual = np.concatenate([each for each, _ in residuals])
    causes = np.concatenate([each for _, each in residuals])
    spread = _spread(residual, causes)
    relative = residual / np.exp(causes @ np.asarray(spread))
    model = _ridge(samples)
    known = np.stack([features(sample.tree) for sample in samples])
    return CountWeights(
        centre=model.centre,
        scale=model.scale,
        weight=model.weight,
        intercept=model.intercept,
        spread=spread,
        low={level: float(np.quantile(relative, (1 - level) / 2)) for level in LEVELS},
        high={level: float(np.quantile(relative, (1 + level) / 2)) for level in LEVELS},
        listed=(min(s.tree.listed for s in samples), max(s.tree.listed for s in samples)),
        feature_ranges=tuple(zip(known.min(axis=0).tolist(), known.max(axis=0).tolist(), strict=True)),
    )


def _ridge(samples: Sequence[CountSample]) -> CountModel:
    known = np.stack([features(sample.tree) for sample in samples])
    target = np.array([log(sample.truth / sample.tree.listed) for sample in samples])
    centre, scale = _standard(known)
    wide = expanded((known - centre) / scale)
    middle, unit = _standard(wide)
    standard = (wide - middle) / unit
    gram = standard.T @ standard + _RIDGE * len(samples) * np.eye(standard.shape[1])
    weight = np.linalg.solve(gram, standard.T @ (target - target.mean())) / unit
    intercept = float(target.mean() - middle @ weight)
    return CountModel(
        tuple(centre.tolist()), tuple(scale.tolist()), tuple(weight.tolist()), intercept, (0.0, 0.0, 0.0), {}, {}
    )


def _standard(columns: Reals) -> tuple[Reals, Reals]:
    """Return mean and standard deviation of each column; 1 for a column without any."""
    scale = columns.std(axis=0)
    return columns.mean(axis=0), np.where(scale > 0, scale, 1.0)


def _residuals(model: CountModel, samples: Sequence[CountSample]) -> tuple[Reals, Reals]:
    """Return log(true / estimated) of each sample, and what its spread may depend on."""
    residual = [log(s.truth / s.tree.listed) - log_correction(model, s.tree) for s in samples]
    causes = [(1.0, log(s.tree.listed), log(s.tree.local_visitors / s.tree.listed)) for s in samples]
    return np.array(residual), np.array(causes)


def _spread(residual: Reals, causes: Reals) -> tuple[float, float, float]:
    """Return the plane through log |residual| over the causes."""
    plane, *_ = np.linalg.lstsq(causes, np.log(np.maximum(np.abs(residual), _LEAST_SPREAD)), rcond=None)
    base, by_size, by_visits = plane.tolist()
    return base, by_size, by_visits


def model_of(weights: CountWeights) -> CountModel:
    """Return the model that the weights of a calibration describe."""
    return CountModel(
        weights.centre, weights.scale, weights.weight, weights.intercept, weights.spread, weights.low, weights.high
    )
