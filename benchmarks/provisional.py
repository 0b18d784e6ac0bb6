"""A provisional day against a sealed one: time, memory, the index, and who is who.

The visits are those of the embedded month (`simulation/embedded_month.py`); each visit is one local visitor, whose
vector is drawn by `simulation/vectors.py`. The window is sealed on the 21st. The 27th is then solved both ways: as a
provisional day with the visitors of six days, which is as many as there are between two seals, and as a sealed day.

    python benchmarks/provisional.py --people 20000 200000
    python benchmarks/provisional.py --people 20000 --spread dlib --max-distance 0.03

Each step runs in a process of its own, so that its peak of memory is its own. Other work on the machine stretches wall
time; CPU time is what to compare.
"""

import argparse
import os
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from footfall_assets.contracts.schemas import local_visitor_templates
from footfall_assets.contracts.settings import LinkageSettings, ProvisionalSettings
from footfall_assets.domain.id_words import numbered
from footfall_assets.domain.strangers import Strangers
from footfall_assets.identity.gallery_index import GalleryIndex, SealedGallery, opened_gallery
from footfall_assets.identity.provisional import SealedMap, solve_provisional
from footfall_assets.identity.resolve import NO_NAMES, solve
from footfall_assets.identity.strangers import certain_strangers
from footfall_assets.identity.window import WindowVisitors
from footfall_assets.simulation.embedded_month import MonthPlan, location_name, planned_visits
from footfall_assets.simulation.vectors import blocks_of_people, known_spread, templates_of_visits
from footfall_assets.storage.arrow import list_column, uuid_words, words_column, words_lists

FIRST_DAY, DAYS, STILLS = date(2024, 1, 1), 31, 4
SEALED, ASKED = date(2024, 1, 21), date(2024, 1, 27)
MAX_DISTANCE = {"good": 0.47, "dlib": 0.06}
ASKING = 2000  # local visitors whose nearest identity is looked for among all


@dataclass(frozen=True)
class Task:
    """One month, in a folder."""

    folder: Path
    people: int
    stores: int
    spread: str
    max_distance: float
    seed: int

    @property
    def linkage(self) -> LinkageSettings:
        """The thresholds."""
        return LinkageSettings(window_max_distance=self.max_distance)

    def templates(self, first: date, last: date) -> Iterator[pa.Table]:
        """Yield the stored templates of some days."""
        yield local_visitor_templates(known_spread(self.spread).dim).empty_table()
        for number in range((last - first).days + 1):
            yield pq.read_table(self.folder / f"{first + timedelta(days=number)}.parquet")


@contextmanager
def clocked(into: dict[str, float], stage: str) -> Iterator[None]:
    """Note wall and CPU seconds of the block."""
    wall, cpu = perf_counter(), process_time()
    yield
    into[f"{stage} wall"], into[f"{stage} cpu"] = perf_counter() - wall, process_time() - cpu


def generate(task: Task) -> dict[str, float]:
    """Write the templates of each day; the last eight bytes of an id are the person."""
    spread = known_spread(task.spread)
    plan = MonthPlan(task.people, task.stores, DAYS, spread, FIRST_DAY, STILLS, task.seed)
    visits = planned_visits(plan)
    person = blocks_of_people(spread, 0, task.people, task.seed).astype(np.float16)
    names = pa.array([location_name(number) for number in range(task.stores)])
    schema = local_visitor_templates(spread.dim)
    for number in range((ASKED - FIRST_DAY).days + 1):
        of_day, day = visits.of_day(number), FIRST_DAY + timedelta(days=number)
        count = len(of_day.person)
        vectors = templates_of_visits(spread, person[of_day.person].astype(np.float32), STILLS, (task.seed, number))
        draw = np.random.default_rng((task.seed, 3, number)).integers(0, 2**63, count, dtype=np.uint64)
        midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
        start = (midnight + of_day.start_s) * 1_000_000
        ends = start + STILLS * 5_000_000
        one_each = pa.array(np.arange(count + 1, dtype=np.int32))
        stays = [
            pa.ListArray.from_arrays(one_each, pa.array(each).cast(pa.timestamp("us", tz="UTC")))
            for each in (start, ends)
        ]
        columns = {
            "local_visitor_id": words_column(np.stack([draw, of_day.person.astype(np.uint64)], axis=1)),
            "location_id": names.take(pa.array(of_day.location)),
            "day": pa.repeat(pa.scalar(day), count),
            "vector": list_column(vectors, spread.dim),
            "faces": pa.repeat(pa.scalar(STILLS, pa.int32()), count),
            "quality": pa.repeat(pa.scalar(0.9, pa.float32()), count),
            "stay_starts": stays[0],
            "stay_ends": stays[1],
            "conflicts": words_lists(np.empty((0, 2), np.uint64), np.zeros(count, np.int64)),
        }
        table = pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)
        pq.write_table(table, task.folder / f"{day}.parquet")
    return {}


def seal(task: Task, day: date) -> dict[str, float]:
    """Solve the window up to a day and store the map."""
    took: dict[str, float] = {}
    with clocked(took, "all"):
        visitors = WindowVisitors.of(task.templates(FIRST_DAY, day), task.linkage)
        solution = solve(visitors, NO_NAMES, day, task.linkage)
        strangers = certain_strangers(visitors, task.max_distance)
        pq.write_table(solution.table(visitors), task.folder / f"sealed-{day}.parquet")
    np.save(task.folder / f"strangers-{day}.npy", [strangers.pairs, strangers.matches])
    return took | {"rows": len(visitors.grid), "peak": peak_gb()}


def provisional(task: Task) -> dict[str, float]:
    """Solve the day from the sealed one, first without a stored gallery and then with it, and store the map."""
    took: dict[str, float] = {}
    settings = ProvisionalSettings()
    root = task.folder / "galleries"
    with clocked(took, "build"):
        held = SealedMap(
            SEALED,
            pq.read_table(task.folder / f"sealed-{SEALED}.parquet"),
            Strangers(*np.load(task.folder / f"strangers-{SEALED}.npy").tolist()),
        )
        dim = known_spread(task.spread).dim
        opened_gallery(
            root,
            "k",
            settings.exact_below,
            lambda: SealedGallery.of(held.identities, task.templates(FIRST_DAY, SEALED), dim),
        )
    with clocked(took, "all"):
        gallery = opened_gallery(root, "k", settings.exact_below, never)
        overlapping = pa.concat_tables(
            each.drop_columns("vector") for each in task.templates(SEALED - timedelta(days=1), ASKED)
        )
        found = solve_provisional(
            held,
            gallery,
            task.templates(SEALED + timedelta(days=1), ASKED),
            ASKED,
            linkage=task.linkage,
            settings=settings,
            overlapping=overlapping,
        )
    pq.write_table(found.identities, task.folder / "provisional.parquet")
    note = found.provisional.to_pylist()[0]
    return took | {"peak": peak_gb(), "since": note["local_visitors"], "attached": note["attached"]}


def never() -> SealedGallery:
    """Fail: the gallery was stored."""
    raise AssertionError("the gallery was not loaded")


def index(task: Task) -> dict[str, float]:
    """Measure the index on the sealed identities, against comparing with all."""
    took: dict[str, float] = {}
    identities = pq.read_table(task.folder / f"sealed-{SEALED}.parquet")
    gallery = SealedGallery.of(identities, task.templates(FIRST_DAY, SEALED), known_spread(task.spread).dim)
    since = WindowVisitors.of(
        task.templates(SEALED + timedelta(days=1), SEALED + timedelta(days=1)),
        LinkageSettings(window_max_distance=1e-6),
    )
    asking = since.grid[:ASKING]
    with clocked(took, "add"):
        graph = GalleryIndex.build(gallery, exact_below=1)
    everything = GalleryIndex.build(gallery, exact_below=len(gallery.face) + 1)
    keep = ProvisionalSettings().candidates
    with clocked(took, "search"):
        proposed = graph.candidates(asking, task.max_distance, keep)
    with clocked(took, "compare"):
        compared = everything.candidates(asking, task.max_distance, keep)
    nearest = compared[np.lexsort((everything.distances(asking, compared), compared[:, 0]))]
    nearest = nearest[np.diff(nearest[:, 0], prepend=-1) != 0]
    key = len(gallery.face)
    hits = np.isin(nearest[:, 0] * key + nearest[:, 1], proposed[:, 0] * key + proposed[:, 1])
    return {
        "identities": len(gallery.face),
        "adds": len(gallery.face) / took["add cpu"],
        "searches": len(asking) / took["search cpu"],
        "compares": len(asking) / took["compare cpu"],
        "recall": float(hits.mean()) if len(hits) else 1.0,
    }


def peak_gb() -> float:
    """Return the largest resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def in_own_process(step: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """Return what a step returns when run in a fresh process."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(step, arguments)


def pair_scores(identity: np.ndarray, person: np.ndarray) -> tuple[float, float, float]:
    """Return precision, recall and F1 over pairs of local visitors."""

    def pairs(*labels: np.ndarray) -> float:
        _, size = np.unique(np.stack(labels, axis=1), axis=0, return_counts=True)
        return float((size * (size - 1) / 2).sum())

    both, said, true = pairs(identity, person), pairs(identity), pairs(person)
    precision, recall = both / max(said, 1), both / max(true, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


def compare(task: Task) -> dict[str, float]:
    """Compare the two answers with each other and with the truth."""
    sealed = pq.read_table(task.folder / f"sealed-{ASKED}.parquet")
    found = pq.read_table(task.folder / "provisional.parquet")
    person = uuid_words(sealed["local_visitor_id"])[:, 1].astype(np.int64)
    number = {name: numbered(uuid_words(rows["face_id"]))[1] for name, rows in (("s", sealed), ("p", found))}
    result: dict[str, float] = {"people": len(np.unique(person))}
    for name, labels in number.items():
        result |= dict(zip((f"{name}P", f"{name}R", f"{name}F"), pair_scores(labels, person), strict=True))
        result[f"{name} listed"] = int(labels.max()) + 1
    result["agreement"] = pair_scores(number["p"], number["s"])[2]
    return result


def measure(task: Task) -> None:
    """Run every step of one month and print what it took."""
    in_own_process(generate, task)
    below = in_own_process(seal, task, SEALED)
    whole = in_own_process(seal, task, ASKED)
    day = in_own_process(provisional, task)
    graph = in_own_process(index, task)
    found = in_own_process(compare, task)
    print(
        f"{task.people:,} people, {task.spread}, threshold {task.max_distance:g}, seed {task.seed}: "
        f"{whole['rows']:,.0f} local visitors, {day['since']:,.0f} since the seal, {day['attached']:,.0f} of them "
        f"joined a sealed identity\n"
        f"  sealed day {whole['all wall']:.1f} s wall, {whole['all cpu']:.1f} s CPU, {whole['peak']:.2f} GB "
        f"(the 21st {below['all cpu']:.1f} s CPU)\n"
        f"  provisional day {day['all wall']:.1f} s wall, {day['all cpu']:.1f} s CPU; once a seal, its gallery "
        f"{day['build cpu']:.1f} s CPU; {day['peak']:.2f} GB\n"
        f"  index over {graph['identities']:,.0f} identities: {graph['adds']:,.0f} adds, {graph['searches']:,.0f} "
        f"searches a CPU second, recall@1 {graph['recall']:.4f}; comparing with all: {graph['compares']:,.0f}\n"
        f"  pairs, precision / recall / F1: sealed {found['sP']:.4f} / {found['sR']:.4f} / {found['sF']:.4f}, "
        f"provisional {found['pP']:.4f} / {found['pR']:.4f} / {found['pF']:.4f}; F1 of provisional against sealed "
        f"{found['agreement']:.4f}\n"
        f"  people {found['people']:,.0f}, listed: sealed {found['s listed']:,.0f}, "
        f"provisional {found['p listed']:,.0f}",
        flush=True,
    )


def main() -> None:
    """Measure each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="+", default=[20_000])
    parser.add_argument("--stores", type=int, default=100)
    parser.add_argument("--spread", choices=sorted(MAX_DISTANCE), default="good")
    parser.add_argument("--max-distance", type=float)
    parser.add_argument("--seeds", type=int, default=1, help="months of each size")
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}", flush=True)
    distance = given.max_distance or MAX_DISTANCE[given.spread]
    for people in given.people:
        for seed in range(1, given.seeds + 1):
            with tempfile.TemporaryDirectory(prefix="provisional-") as folder:
                measure(Task(Path(folder), people, given.stores, given.spread, distance, seed))


if __name__ == "__main__":
    main()
