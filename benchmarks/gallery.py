"""Identity resolution alone, from ten thousand to a million people: time, memory, recall, pair F1, and their growth.

Five sightings a person, each a local visitor of its own, linked by the pipeline's own code (`WindowVisitors`, `solve`).
Vectors come from `simulation/vectors.py`; the first lines show how their hit rates compare with those of dlib's vectors
of 1,200 people.

    python benchmarks/gallery.py
    python benchmarks/gallery.py --people 10000 100000 1000000 --spread good
    python benchmarks/gallery.py --usearch 100000     # a usearch graph on the same vectors

Other work on the machine stretches wall time; CPU time is what to compare.
"""

import argparse
import os
import platform as machine
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from time import perf_counter, process_time

import numpy as np
import pyarrow as pa
from usearch.index import Index

from footfall_assets.contracts.schemas import local_visitor_templates
from footfall_assets.contracts.settings import LinkageSettings
from footfall_assets.domain.agglomeration import GRID_STEPS
from footfall_assets.identity.gallery import Search, gallery_pairs
from footfall_assets.identity.resolve import NO_NAMES, solve
from footfall_assets.identity.window import WindowVisitors
from footfall_assets.simulation.fit_vectors import simulated_hit_rates
from footfall_assets.simulation.vectors import blocks_of_people, known_spread, templates_of_visits
from footfall_assets.storage.arrow import list_column, words_column, words_lists

FIRST_DAY = date(2024, 1, 1)
VISITS = 5
STILLS = 4
SAMPLE = 2000  # rows whose nearest neighbour is looked for among all others
REAL_DLIB = {1e-3: 0.756, 1e-4: 0.541, 1e-5: 0.321, 1e-6: 0.199}  # 2,031 photos of 1,200 people, three stills each
# `good`: strangers within this distance are one pair in a thousand million. dlib: what docs/accuracy.md recommends.
MAX_DISTANCE = {"good": 0.47, "dlib": 0.03}


@dataclass
class Clock:
    """Seconds by stage: wall, and CPU of all threads."""

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measured(self, stage: str) -> Iterator[None]:
        """Time the block as a stage."""
        wall, cpu = perf_counter(), process_time()
        yield
        self.wall[stage], self.cpu[stage] = perf_counter() - wall, process_time() - cpu


def templates(people: int, spread_name: str, seed: int) -> Iterator[pa.Table]:
    """Yield the templates of one visit a day of everybody; the last eight bytes of an id are the person."""
    spread = known_spread(spread_name)
    person = blocks_of_people(spread, 0, people, seed).astype(np.float16)
    schema = local_visitor_templates(spread.dim)
    draw = np.random.default_rng(seed)
    for day in range(VISITS):
        vectors = templates_of_visits(spread, person.astype(np.float32), STILLS, (seed, day))
        noon = datetime(2024, 1, 1 + day, 12, tzinfo=UTC)
        stay = pa.ListArray.from_arrays(
            pa.array(np.arange(people + 1, dtype=np.int32)), pa.array([noon] * people, pa.timestamp("us", tz="UTC"))
        )
        ids = np.stack([draw.integers(0, 2**63, people, dtype=np.uint64), np.arange(people, dtype=np.uint64)], axis=1)
        columns = {
            "local_visitor_id": words_column(ids),
            "location_id": pa.repeat(f"store-{day}", people),
            "day": pa.repeat(pa.scalar(FIRST_DAY + timedelta(days=day)), people),
            "vector": list_column(vectors, spread.dim),
            "faces": pa.repeat(pa.scalar(STILLS, pa.int32()), people),
            "quality": pa.repeat(pa.scalar(0.9, pa.float32()), people),
            "stay_starts": stay,
            "stay_ends": stay,
            "conflicts": words_lists(np.empty((0, 2), np.uint64), np.zeros(people, np.int64)),
        }
        yield pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def recall_at_1(visitors: WindowVisitors, max_distance: float) -> float:
    """Return the share of sampled rows whose nearest other row, where that is near enough, was found with it."""
    rows = np.sort(np.random.default_rng(5).choice(len(visitors.grid), min(SAMPLE, len(visitors.grid)), replace=False))
    asking = visitors.grid[rows].astype(np.float32) / GRID_STEPS
    best, nearest = np.full(len(rows), -1.0, np.float32), np.zeros(len(rows), np.int64)
    for start in range(0, len(visitors.grid), 100_000):
        cosine = asking @ (visitors.grid[start : start + 100_000].astype(np.float32) / GRID_STEPS).T
        inside = (rows >= start) & (rows < start + cosine.shape[1])
        cosine[inside, rows[inside] - start] = -1
        here = cosine.argmax(axis=1)
        value = cosine[np.arange(len(rows)), here]
        nearest[value > best] = here[value > best] + start
        best = np.maximum(best, value)
    near = 1 - best <= max_distance
    wanted = np.minimum(rows, nearest) * len(visitors.grid) + np.maximum(rows, nearest)
    found = np.isin(wanted, visitors.near[:, 0] * len(visitors.grid) + visitors.near[:, 1])
    return float(found[near].mean())


def pair_f1(identity: np.ndarray, person: np.ndarray) -> tuple[float, float, float]:
    """Return precision, recall and F1 over pairs of local visitors: same identity against same person."""

    def pairs(*labels: np.ndarray) -> float:
        _, size = np.unique(np.stack(labels, axis=1), axis=0, return_counts=True)
        return float((size * (size - 1) / 2).sum())

    both, said, true = pairs(identity, person), pairs(identity), pairs(person)
    precision, recall = both / max(said, 1), both / max(true, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


def measure(people: int, spread: str, seed: int) -> None:
    """Solve one gallery in this process and print a line."""
    clock, cut = Clock(), MAX_DISTANCE[spread]
    linkage = LinkageSettings(window_max_distance=cut)
    tables = list(templates(people, spread, seed))
    with clock.measured("gallery"):
        visitors = WindowVisitors.of(tables, linkage)
    del tables
    last = FIRST_DAY + timedelta(days=VISITS - 1)
    with clock.measured("solve"):
        solution = solve(visitors, NO_NAMES, last, linkage)
    with clock.measured("table"):
        solution.table(visitors)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    count = len(visitors.grid)
    fresh = min(10_000, count // VISITS)
    with clock.measured("search"):
        search = Search(cut, linkage.exact_neighbours_below, linkage.neighbours)
        gallery_pairs(visitors.grid, search, first=count - fresh)
    person = visitors.local[:, 1].astype(np.int64)
    precision, recall, f1 = pair_f1(solution.identity, person)
    total = sum(clock.wall[stage] for stage in ("gallery", "solve", "table"))
    cpu = sum(clock.cpu[stage] for stage in ("gallery", "solve", "table"))
    print(
        f"| {people:,} | {count:,} | {total:.1f} | {cpu:.1f} | {clock.cpu['gallery']:.1f} / {clock.cpu['solve']:.1f} / "
        f"{clock.cpu['table']:.1f} | {count / cpu:,.0f} | {fresh / clock.cpu['search']:,.0f} | {peak_gb:.2f} | "
        f"{recall_at_1(visitors, cut):.4f} | {precision:.4f} / {recall:.4f} / {f1:.4f} | "
        f"{int(solution.identity.max()) + 1:,} |",
        flush=True,
    )


def measure_usearch(people: int, spread: str, seed: int) -> None:
    """Print what a usearch graph does on the same vectors, added on one thread."""
    clock = Clock()
    visitors = WindowVisitors.of(templates(people, spread, seed), LinkageSettings(window_max_distance=1e-6))
    vectors = visitors.grid.astype(np.float32) / GRID_STEPS
    index = Index(ndim=vectors.shape[1], metric="cos", dtype="f16")
    with clock.measured("add"):
        index.add(np.arange(len(vectors)), vectors, threads=1)
    rows = np.random.default_rng(5).choice(len(vectors), min(20_000, len(vectors)), replace=False)
    with clock.measured("search"):
        matches = index.search(vectors[rows], 16, threads=2)
    found = np.asarray(matches.keys)[:, 1]
    nearest = np.array([np.argsort(-(vectors @ vectors[row]))[1] for row in rows[:500]])
    at_1 = float((np.asarray(matches.keys)[:500, 1:] == nearest[:, None]).any(axis=1).mean())
    same = float((visitors.local[found.astype(np.int64), 1] == visitors.local[rows, 1]).mean())
    print(
        f"usearch, {len(vectors):,} vectors: {len(vectors) / clock.cpu['add']:,.0f} adds and "
        f"{len(rows) / clock.cpu['search']:,.0f} searches a CPU second; nearest among 15: {at_1:.4f}; "
        f"nearest is the same person: {same:.4f}"
    )


def show_hit_rates() -> None:
    """Print real and simulated hit rates at four rates of false matches."""
    print("| false match rate | dlib, real | dlib, simulated | good, simulated |\n| --- | --- | --- | --- |")
    runs = [simulated_hit_rates(known_spread("dlib"), seed=seed) for seed in range(5)]
    good = simulated_hit_rates(known_spread("good"), 2000)
    for rate, real in REAL_DLIB.items():
        print(f"| {rate:g} | {real:.3f} | {np.mean([run[rate] for run in runs]):.3f} | {good[rate]:.3f} |")


def main() -> None:
    """Measure each size in a process of its own, so that its peak of memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--spread", choices=sorted(MAX_DISTANCE), default="good")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--usearch", type=int, metavar="PEOPLE", help="measure a usearch graph on so many people")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, {machine.machine()}, Python {sys.version.split()[0]}, load {load:.1f}")
    show_hit_rates()
    if given.usearch:
        measure_usearch(given.usearch, given.spread, given.seed)
        return
    print(
        "\n| people | local visitors | wall s | CPU s | of which gallery / link and name / table | rows a CPU second | "
        "searches a CPU second | peak GB | recall@1 | pair precision / recall / F1 | identities |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    for people in given.people:
        worker = get_context("spawn").Process(target=measure, args=(people, given.spread, given.seed))
        worker.start()
        worker.join()


if __name__ == "__main__":
    main()
