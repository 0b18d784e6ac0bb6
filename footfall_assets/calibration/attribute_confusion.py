"""How the models of age, gender and expression confuse labelled people, and how well shares come back through that."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.contracts.attributes import CLASSES, Trait, TraitConfusion, TraitEvaluation
from footfall_assets.domain.shares import classes_behind, share_estimate

Numbers = NDArray[np.int64]

_MIXES: Final = 40
_VISITORS_A_MIX: Final = 200
_DRAWS: Final = 250
_LEAST_OF_A_CLASS: Final = 8  # people, below which a score says nothing


def confusions_of(people: Mapping[Trait, tuple[Numbers, Numbers]], *, seed: int) -> dict[Trait, TraitConfusion | str]:
    """Return the confusion of each trait, or in words which class nobody is labelled for.

    Args:
        people: of each trait the true classes and the classes they got, (n,) each.
        seed: of the simulated stores of the evaluation.
    """
    return {trait: _confusion(trait, true, got, seed) for trait, (true, got) in people.items()}


def _confusion(trait: Trait, true: Numbers, got: Numbers, seed: int) -> TraitConfusion | str:
    names = CLASSES[trait]
    missing = [name for number, name in enumerate(names) if not (true == number).any()]
    if missing:
        return f"nobody labelled {', '.join(missing)}"
    counts = counted(true, got, len(names))
    return TraitConfusion(
        trait=trait, counts=tuple(map(tuple, counts.tolist())), evaluation=evaluate(true, got, len(names), seed=seed)
    )


def counted(true: Numbers, got: Numbers, classes: int) -> Numbers:
    """Return the people (k, k) by true class and the class they got."""
    return np.bincount(true * classes + got, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


def evaluate(true: Numbers, got: Numbers, classes: int, *, seed: int) -> TraitEvaluation | None:
    """Score the correction in simulated stores; None where a class has too few people to draw from.

    The people measured stand for everybody: in each store visitors of a mix nobody knows are drawn of them, and as many
    labelled people again as there were, who give the matrix. So the score holds as far as the people measured are like
    the site's: it says what their number is good for, not whether they were well chosen.
    """
    rng = np.random.default_rng(seed)
    counts = counted(true, got, classes)
    people = counts.sum(axis=1)
    if people.min() < _LEAST_OF_A_CLASS:
        return None
    rates = counts / people[:, None]
    held, errors, raw = [], [], []
    for mix in range(_MIXES):
        matrix = np.stack([rng.multinomial(count, row) for count, row in zip(people.tolist(), rates, strict=True)])
        truth = rng.multinomial(_VISITORS_A_MIX, rng.dirichlet(np.ones(classes)))
        labels = np.sum([rng.multinomial(count, row) for count, row in zip(truth, rates, strict=True)], axis=0)
        found = share_estimate(classes_behind(labels, matrix, seed=mix, draws=_DRAWS))
        shares = truth / _VISITORS_A_MIX
        held.append((found.low <= shares) & (shares <= found.high))
        errors.append(np.abs(found.share - shares))
        raw.append(np.abs(labels / _VISITORS_A_MIX - shares))
    return TraitEvaluation(
        people=len(true),
        accuracy=float((true == got).mean()),
        mixes=_MIXES,
        coverage=float(np.mean(held)),
        median_error=float(np.median(errors)),
        median_raw_error=float(np.median(raw)),
    )
