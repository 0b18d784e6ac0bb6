"""Fits the numbers of an `EmbeddingSpread` to real labelled vectors, and measures how well they tell people apart."""

from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from footfall_assets.simulation.vectors import EmbeddingSpread, Floats, Numbers, blocks_of_people, templates_of_visits

FALSE_MATCH_RATES: Final = (1e-3, 1e-4, 1e-5, 1e-6)
_RANKS: Final = (0, 1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 80, 127)
_FLOOR: Final = 1e-6  # of the largest eigenvalue: what lies below it is noise of the sample
_PEOPLE: Final = 1500  # simulated for each trial, two visits each: 4.5 million pairs of strangers


def hit_rates(vectors: Floats, person: Numbers, rates: Sequence[float] = FALSE_MATCH_RATES) -> dict[float, float]:
    """Return for each rate of false matches the share of pairs of one person that is closer than the threshold.

    Args:
        vectors: (n, d) unit vectors.
        person: (n,) who each shows.
        rates: shares of the pairs of strangers that may be closer than the threshold.
    """
    same, strangers = _pair_cosines(vectors, person)
    ranked = np.sort(strangers)[::-1]
    thresholds = {rate: ranked[max(int(rate * len(ranked)) - 1, 0)] for rate in rates}
    return {rate: float((same >= threshold).mean()) for rate, threshold in thresholds.items()}


def _pair_cosines(vectors: Floats, person: Numbers) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    same, strangers = [], []
    cosines = vectors @ vectors.T
    for row in range(len(vectors) - 1):
        alike = person[row + 1 :] == person[row]
        same.append(cosines[row, row + 1 :][alike])
        strangers.append(cosines[row, row + 1 :][~alike])
    return np.concatenate(same), np.concatenate(strangers)


def fit_spread(
    stills: Floats, valid: NDArray[np.bool_], person: Numbers, *, per_template: int = 3, people: int = _PEOPLE
) -> EmbeddingSpread:
    """Return the spread whose templates have the hit rates of real ones.

    Args:
        stills: (photos, stills, d) unit vectors of several stills of each photo.
        valid: (photos, stills) which of them there are.
        person: (photos,) who each shows; some people have several photos.
        per_template: stills that a template averages.
        people: simulated for each trial.
    """
    used = valid & (np.cumsum(valid, axis=1) <= per_template)
    seen = used.any(axis=1)
    templates = _unit_mean(stills[seen], used[seen])
    wanted = hit_rates(templates, person[seen])
    base = _moments(stills[seen], valid[seen], templates, person[seen])
    trials = [
        base.model_copy(
            update={
                "between_power": power,
                "look_power": look_power,
                "look_energy": base.look_energy * share,
                "look_tail": tail,
            }
        )
        for power, look_power, share, tail in product((1.0, 1.2, 1.4), (0.8, 1.0), (0.65, 0.75, 0.85, 0.95), (0.1, 0.2))
    ]
    misfits = [_misfit(trial, wanted, per_template, people) for trial in trials]
    return trials[int(np.argmin(misfits))]


def simulated_hit_rates(
    spread: EmbeddingSpread,
    people: int = _PEOPLE,
    *,
    stills: int = 3,
    seed: int = 1,
    rates: Sequence[float] = FALSE_MATCH_RATES,
) -> dict[float, float]:
    """Return `hit_rates` of simulated templates, two visits a person."""
    person = blocks_of_people(spread, 0, people, seed)
    visits = np.concatenate([templates_of_visits(spread, person, stills, (seed, visit)) for visit in (0, 1)])
    return hit_rates(visits, np.tile(np.arange(people), 2), rates)


def _misfit(spread: EmbeddingSpread, wanted: dict[float, float], per_template: int, people: int) -> float:
    found = simulated_hit_rates(spread, people, stills=per_template)
    return max(abs(found[rate] - wanted[rate]) for rate in wanted)


def _moments(stills: Floats, valid: NDArray[np.bool_], templates: Floats, person: Numbers) -> EmbeddingSpread:
    """Return the spread that moments alone suggest."""
    people, inverse, photos = np.unique(person, return_inverse=True, return_counts=True)
    centre = np.zeros((len(people), templates.shape[1]))
    np.add.at(centre, inverse, templates)
    centre /= photos[:, None]
    several = photos[inverse] > 1
    within = ((templates - centre[inverse])[several] ** 2).sum() / (photos[photos > 1] - 1).sum()
    spectrum = np.linalg.eigvalsh(np.cov(centre.T))[::-1]
    shares = np.maximum(spectrum[list(_RANKS)] / spectrum[0], _FLOOR)
    return EmbeddingSpread(
        dim=templates.shape[1],
        mean_length=float(np.linalg.norm(centre.mean(axis=0))),
        between_ranks=_RANKS,
        between_shares=tuple(float(f"{share:.3g}") for share in shares),
        between_power=1.0,
        between_energy=float(spectrum.sum() - within * (1 / photos).mean()),
        look_energy=float(within),
        look_power=1.0,
        look_tail=0.0,
        still_energy=_still_energy(stills, valid),
    )


def _still_energy(stills: Floats, valid: NDArray[np.bool_]) -> float:
    """Return the energy in which stills of one photo differ, from pairs of neighbours."""
    both = valid[:, :-1] & valid[:, 1:]
    apart = 1.0 - np.einsum("psd,psd->ps", stills[:, :-1], stills[:, 1:])
    return float(np.median(apart[both]))


def _unit_mean(stills: Floats, used: NDArray[np.bool_]) -> Floats:
    total = np.where(used[..., None], stills, 0).sum(axis=1)
    return np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True), dtype=np.float32)
