"""Do known shares come back through a biased classifier, inside their intervals (requirement N12)?

    python benchmarks/demographics.py
    python benchmarks/demographics.py --people DIR      also the real gender model, on DIR/<Given_Family>/*.jpg

First simulated people with known classes: a classifier of each trait is drawn, biased and blunt; its confusion is
measured on so many labelled people, and the shares of so many visitors of a mix it never saw are estimated. A class's
interval is right where it holds the true share of these visitors.

Then photographs of real people, labelled by given name, which is a proxy: only names that nearly always say one gender
are taken. There the evaluation of `footfall attributes calibrate` runs.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from footfall_assets.calibration.attribute_confusion import confusions_of, counted
from footfall_assets.calibration.labelled_faces import LabelledPhoto, guess_labelled
from footfall_assets.contracts.attributes import CLASSES, Trait, TraitConfusion
from footfall_assets.contracts.settings import load_settings
from footfall_assets.domain.shares import classes_behind, most_likely_shares, share_estimate
from footfall_assets.platform import Platform

Shares = NDArray[np.float64]

_LABELLED, _VISITORS = (300, 1200), (50, 500)
_MEN = frozenset(
    """
Aaron Ahmed Alan Alejandro Andrew Andy Anthony Ben Bill Billy Bob Brad Brandon Brian Bryan Carlos Christopher Claudio
Colin Craig Dan Daniel David Derek Donald Doug Earl Eddie Edward Eric Fernando Francisco Frank Franz Garry Gary George
Gerard Glenn Graeme Guillermo Gustavo Hal Henry Ivan Jack Jacques James Jason Javier Jerry Jim Jimmy Joaquim Joe John
Jose Joseph Josh Juan Julio Keith Ken Kenneth Kevin Kurt Larry Luis Luiz Marc Marcelo Marco Marcos Mario Mark Martin
Matt Matthew Michael Miguel Mike Mikhail Milton Mitchell Nicholas Nick Norm Patrick Paul Pete Peter Phil Phillip Pierre
Rainer Raul Ray Raymond Richard Rick Robert Roberto Rod Roger Roman Ronald Rudolf Russell Ryan Sean Stanley Stephen
Steve Thomas Tim Todd Tom Tommy Tony Troy William Wolfgang
""".split()  # noqa: SIM905 - a list of words reads better
)
_WOMEN = frozenset(
    """
Alicia Amy Ana Angela Ann Anna Anne Barbara Betty Cassandra Catherine Christina Clare Coleen Darla Dawn Elena Elizabeth
Erika Erin Heather Helen Jane Janet Jeane Jennifer Jessica Julia Karen Karin Kate Katie Kristen Laura Linda Lisa Maria
Marion Martha Mary Melissa Michelle Miranda Nancy Nicole Patricia Princess Rachel Ruth Sally Sandra Sarah Sharon Stacey
Sue Susan Suzanne Svetlana Zelma
""".split()  # noqa: SIM905 - a list of words reads better
)


def blunt(classes: int, rng: np.random.Generator) -> Shares:
    """Return a classifier (k, k) that is right for 55 to 90 % of a class and errs towards others of its own liking."""
    right = rng.uniform(0.55, 0.9, classes)
    towards = rng.dirichlet(np.ones(classes))
    rates = np.repeat(towards[None, :], classes, axis=0) * (1 - right[:, None])
    rates[np.diag_indices(classes)] += right
    return np.asarray(rates / rates.sum(axis=1, keepdims=True), dtype=np.float64)


def of_ages(classes: int, rng: np.random.Generator) -> Shares:
    """Return a classifier (k, k) of ordered bands that takes people for younger or older, by up to half a band."""
    shift, spread = rng.uniform(-0.5, 0.5), rng.uniform(0.5, 0.9)  # bands
    bands = np.arange(classes)
    rates = np.exp(-((bands[None, :] - bands[:, None] - shift) ** 2) / (2 * spread**2))
    return np.asarray(rates / rates.sum(axis=1, keepdims=True), dtype=np.float64)


def of_ages_and_genders(classes: int, rng: np.random.Generator) -> Shares:
    """Return a classifier (k, k) of two genders times bands; the two err apart from each other."""
    return np.asarray(np.kron(blunt(2, rng), of_ages(classes // 2, rng)), dtype=np.float64)


CLASSIFIERS: dict[Trait, Callable[[int, np.random.Generator], Shares]] = {
    Trait.GENDER: blunt,
    Trait.AGE: of_ages,
    Trait.AGE_GENDER: of_ages_and_genders,
    Trait.EXPRESSION: blunt,
}


def simulated(trait: Trait, labelled: int, visitors: int, *, runs: int, seed: int) -> dict[str, Any]:
    """Return how often the intervals held, how far off the shares were, and how often the class that prevails did."""
    classes = len(CLASSES[trait])
    held, width, error, raw, adjusted = [], [], [], [], []
    said = right = 0
    started = perf_counter()
    for run in range(runs):
        rng = np.random.default_rng((seed, run))
        rates = CLASSIFIERS[trait](classes, rng)
        people = np.maximum(rng.multinomial(labelled, np.full(classes, 1 / classes)), 1)
        matrix = np.stack([rng.multinomial(count, row) for count, row in zip(people, rates, strict=True)])
        truth = rng.multinomial(visitors, rng.dirichlet(np.ones(classes)))
        labels = np.sum([rng.multinomial(count, row) for count, row in zip(truth, rates, strict=True)], axis=0)
        found, shares = share_estimate(classes_behind(labels, matrix, seed=run)), truth / visitors
        held.append((found.low <= shares) & (shares <= found.high))
        width.append(found.high - found.low)
        error.append(np.abs(found.share - shares))
        raw.append(np.abs(labels / visitors - shares))
        adjusted.append(np.abs(most_likely_shares(labels, matrix) - shares))
        if found.prevailing is not None:
            said += 1
            right += bool(truth[found.prevailing] == truth.max())
    return {
        "trait": str(trait),
        "labelled": labelled,
        "visitors": visitors,
        "runs": runs,
        "intervals_held": round(float(np.mean(held)), 3),
        "mean_width": round(float(np.mean(width)), 3),
        "mean_error": round(float(np.mean(error)), 4),
        "mean_error_of_labels": round(float(np.mean(raw)), 4),
        "mean_error_of_inversion": round(float(np.mean(adjusted)), 4),
        "prevailing_said": said,
        "prevailing_right": right,
        "seconds_a_run": round((perf_counter() - started) / runs, 2),
    }


def labelled_by_name(people: Path) -> tuple[LabelledPhoto, ...]:
    """Return the photographs of those whose given name says their gender."""
    gender = dict.fromkeys(_MEN, "male") | dict.fromkeys(_WOMEN, "female")
    folders = [(each, gender.get(each.name.split("_")[0])) for each in sorted(people.iterdir()) if each.is_dir()]
    return tuple(
        LabelledPhoto(path, folder.name, None, said, None)
        for folder, said in folders
        if said
        for path in sorted(folder.glob("*.jpg"))
    )


def real(people: Path) -> dict[str, Any]:
    """Return how the real gender model errs on photographs of real people."""
    photos = labelled_by_name(people)
    with tempfile.TemporaryDirectory() as home:
        platform = Platform(load_settings(home=home))
        started = perf_counter()
        faces = guess_labelled(photos, platform)
        seconds = perf_counter() - started
    true, got = faces.classes(Trait.GENDER)
    confusion = confusions_of({Trait.GENDER: (true, got)}, seed=0)[Trait.GENDER]
    evaluation = confusion.evaluation if isinstance(confusion, TraitConfusion) else None
    return {
        "photographs": len(photos),
        "good_faces": len(faces.photos),
        "left_out": dict(faces.left_out),
        "classes": CLASSES[Trait.GENDER],
        "confusion": counted(true, got, 2).tolist(),
        "evaluation": evaluation.model_dump() if evaluation else None,
        "guessed_age_percentiles_5_50_95": np.percentile(faces.age_years, (5, 50, 95)).round(1).tolist(),
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Print one JSON line a setting, and one of the real model where photographs are given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, help="folder of photographs, DIR/<Given_Family>/*.jpg")
    parser.add_argument("--runs", type=int, default=200, help="simulated stores for each setting")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if asked.people:
        print(json.dumps(real(asked.people)))
    for trait in Trait:
        for labelled in _LABELLED:
            for visitors in _VISITORS:
                print(json.dumps(simulated(trait, labelled, visitors, runs=asked.runs, seed=asked.seed)), flush=True)


if __name__ == "__main__":
    main()
