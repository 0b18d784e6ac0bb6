"""How well an audit's estimate of the number of people holds: simulated populations, exact answers.

    python benchmarks/audit.py [--people 150 500] [--pairs 200] [--populations 6] [--audits 10]

People are points of an anisotropic Gaussian, each visit a noisy look at one; spread and noise are set so that the
hit rate between two looks at a false match rate of 1e-3 and 1e-4 is about 0.92 and 0.86 (the default embedder on single
photographs: 0.97 and 0.85). The solve is the platform's own; two thresholds, one that parts people and one that also
joins some. Prints bias, error and the share of 90 % intervals that hold the truth.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from footfall_assets.contracts.settings import LinkageSettings
from footfall_assets.domain.agglomeration import Labels
from footfall_assets.domain.audit_estimate import Answered, estimate_people
from footfall_assets.domain.audit_questions import Identities, Questions, concatenated, gaps, links
from footfall_assets.domain.audit_sampling import draw, stratify
from footfall_assets.domain.linkage import apart_by_pairs, link, unit
from footfall_assets.identity.neighbours import near_pairs

MIXES = ("uniform", "single", "loyal")
THRESHOLDS = (0.045, 0.055)
DIMENSIONS, SPECTRUM, NOISE = 64, -1.2, 0.36


@dataclass(frozen=True)
class Population:
    """Simulated looks at known people, and what the solve made of them."""

    people: int
    person: Labels
    identities: Identities
    questions: Questions
    wrong: NDArray[np.bool_]
    threshold: float


def looks(people: int, mix: str, chance: np.random.Generator) -> tuple[NDArray[np.float32], Labels]:
    """Return unit vectors and the person of each."""
    visits = {
        "uniform": lambda: chance.integers(1, 5, people),
        "single": lambda: np.where(chance.random(people) < 0.8, 1, chance.integers(2, 5, people)),
        "loyal": lambda: np.where(
            chance.random(people) < 0.2, chance.integers(5, 12, people), chance.integers(1, 3, people)
        ),
    }[mix]()
    spread = np.arange(1, DIMENSIONS + 1) ** SPECTRUM
    spread = np.sqrt(spread / spread.sum())
    person = np.repeat(np.arange(people), visits)
    clarity = chance.gamma(4, 1 / 4, (len(person), 1))  # some looks are much worse than others
    place = (chance.normal(size=(people, DIMENSIONS)) * spread)[person]
    place = place + chance.normal(size=place.shape) * spread * NOISE * clarity
    return unit(np.concatenate([np.full((len(place), 1), 2.2), place], axis=1).astype(np.float32)), person


def populate(people: int, mix: str, threshold: float, seed: int) -> Population:
    """Return a population, solved, with the truth about every question."""
    vectors, person = looks(people, mix, np.random.default_rng(seed))
    near = near_pairs(vectors, threshold, LinkageSettings())
    nobody = apart_by_pairs(len(vectors), np.empty((0, 2), np.int64))
    label = link(vectors, np.ones(len(vectors), np.float32), near, nobody, threshold)
    members = [np.flatnonzero(label == number) for number in range(int(label.max()) + 1)]
    identities = Identities(vectors, members)
    between = gaps(identities, lambda *_: False)
    inside = links(vectors, members)
    questions = concatenated([inside, between])
    same = person[questions.pair[:, 0]] == person[questions.pair[:, 1]]
    wrong = np.where(questions.linked, ~same, same)
    for row in np.flatnonzero(wrong & ~questions.linked):
        one, other = label[questions.pair[row]]
        for third in identities.between(int(one), int(other)):
            left, right = identities.closest_pair(int(one), third)
            if person[left] == person[right]:
                wrong[row] = False
    return Population(people, person, identities, questions, wrong.astype(np.bool_), threshold)


def audits(population: Population, pairs: int, count: int) -> Iterator[tuple[float, float, bool, float]]:
    """Yield error, standard error, whether the interval holds the truth, and its width, as shares of the truth."""
    questions = population.questions
    chance = np.random.default_rng(5)
    places = chance.random(len(questions)) < 0.7
    everything = np.ones(len(questions), dtype=np.bool_)
    strata = stratify(questions, places, everything, threshold=population.threshold, count=pairs)
    beyond = strata.beyond[strata.of]
    for seed in range(count):
        rows = draw(strata, np.random.default_rng(seed)).asked
        found = estimate_people(
            questions,
            Answered(rows, population.wrong[rows], beyond),
            identities=len(population.identities),
            threshold=population.threshold,
            level=0.9,
            seed=seed,
        )
        low, high = found.interval
        truth = population.people
        yield found.people / truth - 1, found.standard_error / truth, low <= truth <= high, (high - low) / truth


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[150, 500])
    parser.add_argument("--pairs", type=int, nargs="+", default=[200])
    parser.add_argument("--populations", type=int, default=6)
    parser.add_argument("--audits", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=1000)
    chosen = parser.parse_args()
    print("people mix     threshold pairs  listed off  bias    error   s.e.    holds  width")
    held: dict[int, list[float]] = {}
    for people, mix, threshold in product(chosen.people, MIXES, THRESHOLDS):
        made = [populate(people, mix, threshold, chosen.first_seed + number) for number in range(chosen.populations)]
        listed = np.mean([len(each.identities) / people - 1 for each in made])
        for pairs in chosen.pairs:
            rows = np.array([row for each in made for row in audits(each, pairs, chosen.audits)], dtype=float)
            error = np.sqrt((rows[:, 0] ** 2).mean())
            print(
                f"{people:<6} {mix:<7} {threshold:<9} {pairs:<5} {listed:+10.3f} {rows[:, 0].mean():+7.3f} "
                f"{error:7.3f} {rows[:, 1].mean():7.3f} {rows[:, 2].mean():7.2f} {rows[:, 3].mean():6.3f}",
                flush=True,
            )
            held.setdefault(pairs, []).append(rows[:, 2].mean())
    for pairs, shares in held.items():
        print(f"{pairs} pairs: {np.mean(shares):.3f} of the 90 % intervals hold the truth, worst mix {min(shares):.2f}")


if __name__ == "__main__":
    main()
