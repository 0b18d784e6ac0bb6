"""Choose the procedural cast by experiment: who is found by the detector and told apart by the embedder.

    python -m footfall_assets.simulation.choose_cast --candidates 10000 --people 320 --rounds 100

Draws many people and looks at each once, shortlists those far from one another and looks at these several times
in other poses and lights, drops whoever is missed or varies too much, and takes the rest farthest first. Then,
round by round, the first hundred are tried with one or two parts of somebody else, and keep them when that takes
them farther from their nearest neighbour. Run it again whenever the painter changes: it makes other people of the
same seeds.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from footfall_assets.simulation.backgrounds import paint_background
from footfall_assets.simulation.cast import CAST_FILE
from footfall_assets.simulation.cast_eye import CastEye, Vector
from footfall_assets.simulation.face_sampling import Genes
from footfall_assets.simulation.stores import build_stores
from models.alignment import TEMPLATES
from models.catalog import load_face_detector, load_face_embedder

Vectors = NDArray[np.float32]

LEAD = 100  # most simulations have fewer visitors, so these get the most care
LOOKS = 6
SHORTLIST_FACTOR = 3
SPREAD_MAX = 0.2  # mean unit-vector distance of a person's looks from their centre
GAIN_MIN = 0.01  # a change of parts has to take somebody this much farther from their nearest neighbour
# Squared distance by which one look lies off its centre; taken off before a single look is compared with centres.
LOOK_VARIANCE = 0.12**2
FIRST_VERIFYING_ROUND = 1_000


@dataclass
class Member:
    """Somebody in the cast: parts, mean vector and mean distance of the looks from it."""

    genes: Genes
    centre: Vector
    spread: float


def farthest_first(vectors: Vectors, count: int, *, given: int = 0) -> tuple[list[int], list[float]]:
    """Indices so that each is as far as can be from those before it, and that distance (Gonzalez 1985).

    The first `given` vectors are taken already; without any, the one farthest from the mean comes first.
    """
    start = list(range(given)) or [int(np.argmax(np.linalg.norm(vectors - vectors.mean(axis=0), axis=1)))]
    order: list[int] = []
    gaps: list[float] = []
    nearest = np.full(len(vectors), np.inf)
    while len(order) < min(count, len(vectors)):
        index = start[len(order)] if len(order) < len(start) else int(np.argmax(nearest))
        order.append(index)
        gaps.append(float(nearest[index]))
        nearest = np.minimum(nearest, np.linalg.norm(vectors - vectors[index], axis=1))
        nearest[index] = min(nearest[index], 0.0)
    return order, gaps


def choose(eye: CastEye, *, candidates: int, people: int) -> list[Member]:
    """Those of the first seeds who are found, steady and farthest apart."""
    drawn = [_all_from(seed) for seed in range(candidates)]
    seen = [
        (genes, vector) for genes, vector in zip(drawn, eye.look(drawn, round_=0), strict=True) if vector is not None
    ]
    order, _ = farthest_first(np.stack([vector for _, vector in seen]), SHORTLIST_FACTOR * people)
    _say(f"found {len(seen)} of {candidates} at the first look")
    steady = _steady(eye, [seen[index][0] for index in order], first_round=1)
    _say(f"found and steady at {LOOKS} looks: {len(steady)} of {len(order)}")
    order, _ = farthest_first(np.stack([member.centre for member in steady]), people)
    return [steady[index] for index in order]


def improve(eye: CastEye, cast: list[Member], *, candidates: int, rounds: int) -> None:
    """Exchange parts wherever that takes somebody farther from everybody else."""
    for round_ in range(rounds):
        rng = np.random.default_rng(candidates + round_)
        tried = [_with_other_parts(member.genes, candidates, rng) for member in cast]
        vectors = list(eye.look(tried, round_=FIRST_VERIFYING_ROUND + round_))
        hopeful = [i for i, vector in enumerate(vectors) if vector is not None and _is_hopeful(cast, i, vector)]
        verified = {member.genes: member for member in _steady(eye, [tried[i] for i in hopeful], first_round=1)}
        kept = 0
        for index in hopeful:
            better = verified.get(tried[index])
            if better and _gap(cast, index, better.centre) > _gap(cast, index, cast[index].centre) + GAIN_MIN:
                cast[index] = better
                kept += 1
        nearest = min(_gap(cast, index, member.centre) for index, member in enumerate(cast))
        _say(f"round {round_ + 1}: {len(hopeful)} hopeful, {kept} kept, closest pair {nearest:.3f}")


def report(cast: list[Member], *, command: str, embedder: str) -> dict[str, object]:
    """The cast as it is written to the data file: the leading people, then the others, farthest first in each."""
    lead, _ = farthest_first(np.stack([member.centre for member in cast[:LEAD]]), LEAD)
    cast = [cast[index] for index in lead] + cast[LEAD:]
    order, gaps = farthest_first(np.stack([member.centre for member in cast]), len(cast), given=len(lead))
    return {
        "command": command,
        "made_on": datetime.now(UTC).date().isoformat(),
        "embedder": embedder,
        "closest_pair_of_centres_unit_distance": {str(n): round(min(gaps[1:n]), 3) for n in _sizes(len(cast))},
        "spread_p95_unit_distance": round(float(np.quantile([member.spread for member in cast], 0.95)), 3),
        "people": [list(cast[index].genes) for index in order],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Choose and write the cast."""
    options = _parser().parse_args(arguments)
    camera = build_stores(1, interval_s=5.0, timezones=("UTC",))[0].cameras[0]
    embedder = load_face_embedder(cache=options.models)
    eye = CastEye(
        load_face_detector(cache=options.models),
        embedder,
        embedder.spec.alignment or TEMPLATES["dlib_150"],
        paint_background(camera, width=640, height=480),
    )
    cast = choose(eye, candidates=options.candidates, people=options.people)
    lead = cast[:LEAD]
    improve(eye, lead, candidates=options.candidates, rounds=options.rounds)
    cast[:LEAD] = lead
    command = (
        f"python -m footfall_assets.simulation.choose_cast --candidates {options.candidates}"
        f" --people {options.people} --rounds {options.rounds}"
    )
    found = report(cast, command=command, embedder=embedder.spec.name)
    options.out.write_text(_compact(found), encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="choose_cast", description=__doc__, formatter_class=formatter)
    parser.add_argument("--candidates", type=int, default=10000, help="people to draw (default 10000)")
    parser.add_argument("--people", type=int, default=320, help="people to keep (default 320)")
    parser.add_argument("--rounds", type=int, default=100, help="rounds of exchanging parts (default 100)")
    parser.add_argument("--models", type=Path, default=Path.home() / ".cache/footfall/models", help="model cache")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name(CAST_FILE), help="file to write")
    return parser


def _steady(eye: CastEye, people: Sequence[Genes], *, first_round: int) -> list[Member]:
    """Everybody who was found at every look and looked much the same each time."""
    looks: list[list[Vector | None]] = [[] for _ in people]
    for round_ in range(first_round, first_round + LOOKS):
        for own, vector in zip(looks, eye.look(people, round_=round_), strict=True):
            own.append(vector)
    members = []
    for genes, own in zip(people, looks, strict=True):
        found = [vector for vector in own if vector is not None]
        if len(found) == LOOKS:
            centre = np.mean(found, axis=0)
            members.append(Member(genes, centre, float(np.linalg.norm(np.stack(found) - centre, axis=1).mean())))
    return [member for member in members if member.spread <= SPREAD_MAX]


def _is_hopeful(cast: list[Member], index: int, vector: Vector) -> bool:
    alone = np.sqrt(max(0.0, _gap(cast, index, vector) ** 2 - LOOK_VARIANCE))
    return bool(alone > _gap(cast, index, cast[index].centre) + GAIN_MIN)


def _gap(cast: list[Member], index: int, vector: Vector) -> float:
    """Distance from a vector to the nearest centre of anybody but this member."""
    others = np.stack([member.centre for member in cast])
    distance = np.linalg.norm(others - vector, axis=1)
    distance[index] = np.inf
    return float(distance.min())


def _with_other_parts(genes: Genes, candidates: int, rng: np.random.Generator) -> Genes:
    changed = list(genes)
    for part in rng.choice(len(genes), size=int(rng.integers(1, 3)), replace=False).tolist():
        changed[part] = int(rng.integers(candidates))
    base, head, eyes, brows, nose, mouth, glasses = changed
    return base, head, eyes, brows, nose, mouth, glasses


def _all_from(seed: int) -> Genes:
    return seed, seed, seed, seed, seed, seed, seed


def _sizes(people: int) -> list[int]:
    return [n for n in (30, 60, 100, 150, 200, 300, 400) if n < people] + [people]


def _compact(found: dict[str, object]) -> str:
    """JSON with one person a line."""
    people = found["people"]
    lines = ",\n  ".join(json.dumps(genes) for genes in people) if isinstance(people, list) else ""
    head = json.dumps({key: value for key, value in found.items() if key != "people"}, indent=1)
    return head.removesuffix("\n}") + f',\n "people": [\n  {lines}\n ]\n}}\n'


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
