"""How well each embedder in the cache tells people apart, and how fast it is.

Photos lie in one folder a person. Of each photo the face nearest its centre is taken, with the platform's own detector,
alignment and mirror averaging. All pairs of one person and all pairs of two people are compared:

    python benchmarks/embedders.py --people ../shared/data/people_dev
    python benchmarks/embedders.py --people ../shared/data/people_dev --embedder dlib_resnet_v1 --json embedders.json

The hit rate at a false match rate f is the share of pairs of one person that are closer than the distance which a share
f of the pairs of two people are closer than. Its interval is a percentile bootstrap over people (Efron 1979), who are
drawn with replacement; pairs of one and the same person drawn twice are no pairs of two people. A rate is left out
where fewer than 20 pairs of two people decide it.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from footfall_assets.contracts.settings import load_settings
from footfall_assets.platform import Platform
from models.alignment import align
from models.cache import cached_path
from models.catalog import load_face_embedder
from models.detector import FaceDetector
from models.embedder import FaceEmbedder
from models.errors import ManifestError
from models.manifest import ModelKind, ModelSpec

Floats = NDArray[np.float32]
RATES = (1e-3, 1e-4, 1e-5)
DECIDING_PAIRS = 20  # of two people, below the distance; with fewer, one odd photo moves the figure
BOOTSTRAPS = 1000
LEVEL = 0.95
PHOTOS_AT_A_TIME = 16
ROWS_AT_A_TIME = 256
TIMED_FACES = 256
TIMED_ROUNDS = 5


@dataclass(frozen=True)
class Faces:
    """The central face of each photo: BGR picture, landmarks (5, 2), and whose it is."""

    pictures: list[NDArray[np.uint8]]
    landmarks: Floats
    person: NDArray[np.int64]
    without: int  # photos in which no face was found


@dataclass(frozen=True)
class AtRate:
    """Cosine distance and hit rate at one false match rate."""

    false_match_rate: float
    cosine_distance: float
    hit_rate: float
    interval: tuple[float, float]
    deciding_pairs: int


@dataclass(frozen=True)
class Result:
    """What one embedder did."""

    embedder: str
    mirror: bool
    photos: int
    people: int
    photos_without_a_face: int
    pairs_of_one: int
    pairs_of_two: int
    rates: list[AtRate]


@dataclass(frozen=True)
class Speed:
    """Faces a second with the mirror image, medians of rounds that take turns."""

    embedder: str
    one_thread: float
    two_threads: float
    ratio: float


def central_faces(folder: Path, detector: FaceDetector) -> Faces:
    """Return the face nearest the centre of each photo."""
    photos = [(path, number) for number, each in enumerate(_people(folder)) for path in sorted(each.glob("*.jpg"))]
    pictures, landmarks, person, without = [], [], [], 0
    for start in range(0, len(photos), PHOTOS_AT_A_TIME):
        several = photos[start : start + PHOTOS_AT_A_TIME]
        read = [np.asarray(cv2.imread(str(path)), dtype=np.uint8) for path, _ in several]
        for picture, (_, number), found in zip(read, several, detector.detect(read), strict=True):
            if not len(found):
                without += 1
                continue
            middle = np.array(picture.shape[1::-1]) / 2
            centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
            landmarks.append(found.landmarks[np.argmin(((centres - middle) ** 2).sum(axis=1))])
            pictures.append(picture)
            person.append(number)
    return Faces(pictures, np.stack(landmarks), np.array(person), without)


def _people(folder: Path) -> list[Path]:
    people = sorted(each for each in folder.iterdir() if each.is_dir())
    if not people:
        raise ManifestError(f"expected a folder a person in {folder}, found none")
    return people


def crops_of(faces: Faces, spec: ModelSpec) -> NDArray[np.uint8]:
    """Return one crop a face in the embedder's own pose."""
    if spec.alignment is None:
        raise ManifestError(f"embedder {spec.name!r} names no alignment")
    cut = [
        align(picture, marks[None], spec.alignment)
        for picture, marks in zip(faces.pictures, faces.landmarks, strict=True)
    ]
    return np.concatenate(cut)


class Pairs:
    """Distances of all pairs of one person, and of the closest pairs of two: they decide any rate up to `RATES[0]`."""

    def __init__(self, vectors: Floats, person: NDArray[np.int64]) -> None:
        self.person = person
        self.of_one, one = self._same(vectors)
        self.one_of = person[one]
        photos = np.bincount(person)
        self.of_two_count = (len(person) ** 2 - int((photos**2).sum())) // 2
        keep = int(self.of_two_count * RATES[0] * 3)  # a bootstrap may put that distance further out
        self.of_two, self.two_of = self._closest(vectors, keep)

    def _same(self, vectors: Floats) -> tuple[Floats, NDArray[np.int64]]:
        first, second = [], []
        for each in np.unique(self.person):
            rows = np.flatnonzero(self.person == each)
            left, right = np.triu_indices(len(rows), 1)
            first.append(rows[left])
            second.append(rows[right])
        one, other = np.concatenate(first), np.concatenate(second)
        return 1 - np.einsum("nd,nd->n", vectors[one], vectors[other]), one

    def _closest(self, vectors: Floats, keep: int) -> tuple[Floats, NDArray[np.int64]]:
        distances, people = np.empty(0, np.float32), np.empty((0, 2), np.int64)
        for start in range(0, len(vectors), ROWS_AT_A_TIME):
            rows = np.arange(start, min(start + ROWS_AT_A_TIME, len(vectors)))
            block = 1 - vectors[rows] @ vectors.T
            left, right = np.nonzero(
                (self.person[rows][:, None] != self.person) & (rows[:, None] < np.arange(len(vectors)))
            )
            distances = np.concatenate([distances, block[left, right]])
            people = np.concatenate([people, np.stack([self.person[rows[left]], self.person[right]], axis=1)])
            if len(distances) > keep:
                chosen = np.argpartition(distances, keep - 1)[:keep]
                distances, people = distances[chosen], people[chosen]
        order = np.argsort(distances, kind="stable")
        return distances[order], people[order]

    def at(self, rate: float, weight: NDArray[np.float64]) -> tuple[float, float, int]:
        """Return the distance at a false match rate, the hit rate and how many pairs decide it.

        `weight` is how often each person was drawn.
        """
        photos = np.bincount(self.person) * weight
        all_pairs = (photos.sum() ** 2 - (photos**2).sum()) / 2
        seen = np.cumsum(weight[self.two_of[:, 0]] * weight[self.two_of[:, 1]])
        deciding = int(np.searchsorted(seen, rate * all_pairs, side="right"))
        distance = float(self.of_two[min(deciding, len(self.of_two) - 1)])
        drawn = weight[self.one_of]
        return distance, float(drawn[self.of_one < distance].sum() / drawn.sum()), deciding


def rates_of(pairs: Pairs, seed: int) -> list[AtRate]:
    """Return distance, hit rate and interval at each rate that enough pairs decide."""
    chance = np.random.default_rng(seed)
    people = int(pairs.person.max()) + 1
    even = np.ones(people)
    draws = [chance.multinomial(people, even / people).astype(np.float64) for _ in range(BOOTSTRAPS)]
    found = []
    for rate in RATES:
        distance, hits, deciding = pairs.at(rate, even)
        if deciding >= DECIDING_PAIRS:
            spread = np.quantile([pairs.at(rate, draw)[1] for draw in draws], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            found.append(AtRate(rate, distance, hits, (float(spread[0]), float(spread[1])), deciding))
    return found


def speed_of(load: Callable[..., FaceEmbedder], crops: NDArray[np.uint8]) -> Speed:
    """Return faces a second with one and two threads, in rounds that take turns, so that both have the same machine."""
    embedders = {threads: load(threads=threads) for threads in (1, 2)}
    some = crops[:TIMED_FACES]
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for embedder in embedders.values():
        embedder.embed(some[:32])
    for _ in range(TIMED_ROUNDS):
        for threads, embedder in embedders.items():
            started = perf_counter()
            embedder.embed(some)
            seconds[threads].append(perf_counter() - started)
    one, two = (len(some) / float(np.median(seconds[threads])) for threads in (1, 2))
    ratios = [slow / fast for slow, fast in zip(seconds[1], seconds[2], strict=True)]
    return Speed(embedders[1].spec.name, one, two, float(np.median(ratios)))


def lines_of(result: Result) -> Iterator[str]:
    """Yield a result as people read it."""
    how = "averaged with the mirror image" if result.mirror else "one crop"
    yield (
        f"{result.embedder}, {how}: {result.photos} photos of {result.people} people ({result.photos_without_a_face}"
        f" without a face), {result.pairs_of_one:,} pairs of one person, {result.pairs_of_two:,} of two"
    )
    for each in result.rates:
        low, high = each.interval
        yield (
            f"  at {each.false_match_rate:.0e}: hit rate {each.hit_rate:.3f} ({low:.3f} to {high:.3f}),"
            f" cosine distance {each.cosine_distance:.4f}, {each.deciding_pairs:,} pairs decide"
        )


def accuracy_of(embedder: FaceEmbedder, crops: NDArray[np.uint8], faces: Faces, *, mirror: bool, seed: int) -> Result:
    """Return how well an embedder tells these faces apart."""
    pairs = Pairs(embedder.embed(crops, mirror=mirror), faces.person)
    return Result(
        embedder=embedder.spec.name,
        mirror=mirror,
        photos=len(faces.person),
        people=len(np.unique(faces.person)),
        photos_without_a_face=faces.without,
        pairs_of_one=len(pairs.of_one),
        pairs_of_two=pairs.of_two_count,
        rates=rates_of(pairs, seed),
    )


def present_embedders(platform: Platform, names: list[str] | None) -> list[ModelSpec]:
    """Return the embedders that the cache holds, of those named or of all; the others are told."""
    manifest = platform.model_manifest
    known = [spec for spec in manifest.models if spec.kind is ModelKind.FACE_EMBEDDER]
    wanted = [manifest.get(name, ModelKind.FACE_EMBEDDER) for name in names] if names else known
    present = [spec for spec in wanted if cached_path(spec, platform.settings.model_cache).exists()]
    for spec in wanted:
        if spec not in present:
            print(f"{spec.name}: not in the cache, left out; footfall models pull {spec.name}", file=sys.stderr)
    return present


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=Path, required=True, help="a folder of folders, one a person")
    parser.add_argument("--embedder", action="append", help="only these; default all in the cache")
    parser.add_argument("--seed", type=int, default=1, help="of the bootstrap")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    platform = Platform(load_settings())
    present = present_embedders(platform, options.embedder)
    faces = central_faces(options.people, platform.detector)
    results, speeds = [], []
    for spec in present:
        load = partial(
            load_face_embedder, spec.name, cache=platform.settings.model_cache, manifest=platform.model_manifest
        )
        crops = crops_of(faces, spec)
        for mirror in (True, False):
            embedder = load(threads=platform.settings.threads)
            results.append(accuracy_of(embedder, crops, faces, mirror=mirror, seed=options.seed))
            print("\n".join(lines_of(results[-1])), flush=True)
        speed = speed_of(load, crops)
        speeds.append(speed)
        told = f"{speed.one_thread:.0f} faces/s with one thread, {speed.two_threads:.0f} with two"
        print(f"  {told}: {speed.ratio:.2f} times", flush=True)
    if options.json:
        document = {"accuracy": [asdict(each) for each in results], "speed": [asdict(each) for each in speeds]}
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
