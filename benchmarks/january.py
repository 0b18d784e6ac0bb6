"""The January report: from embeddings in the lake to the published report, at a share of the full size.

The full size is 10,000 locations, 31 days, 3.5 million visitors, 12 million local visitors and 49 million sightings of
128 dimensions. Faces and vectors are written by `simulation/embedded_month.py` (not timed); all after that is the
pipeline's own code: local visitors, identities of the last day, sightings of every day, visitor numbers, dbt with all
its tests, publication, report.

    python benchmarks/january.py --scale 0.01 --spread good
    python benchmarks/january.py --scale 0.1 --spread dlib --home DIR --keep

Who a face belongs to is in the last bytes of its id: only the scoring at the end reads them there.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import numpy as np
import pyarrow as pa

from footfall_assets.calibration.fit import FitPlan, calibrate
from footfall_assets.calibration.labelled_people import CLEAN_STILLS, LabelledStills, StillKind
from footfall_assets.contracts.calibration import DEFAULT_LEVEL
from footfall_assets.contracts.errors import FootfallError
from footfall_assets.contracts.schemas import IDENTITIES, SIGHTINGS
from footfall_assets.contracts.settings import LinkageSettings, load_settings
from footfall_assets.domain.id_words import rows_of
from footfall_assets.identity.places import refresh_places
from footfall_assets.identity.refresh import refresh_identities, refresh_sightings
from footfall_assets.identity.visitor_numbers import refresh_visitor_numbers
from footfall_assets.platform import Place, Platform
from footfall_assets.reporting.publication import current_publication, open_visitors
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.visitor_report import visitor_report
from footfall_assets.simulation.embedded_month import MonthPlan, planned_visits, register, write_month
from footfall_assets.simulation.vectors import EmbeddingSpread, blocks_of_people, faces_of_visits, known_spread
from footfall_assets.storage.arrow import uuid_words
from footfall_assets.storage.calibration_store import store_calibration
from footfall_assets.warehouse.build import BUILD_FILE, build_warehouse
from footfall_assets.warehouse.inputs import collect_inputs
from footfall_assets.warehouse.project import default_project_dir
from footfall_assets.warehouse.publication import publish
from models.manifest import ModelKind, load_manifest

FULL_LOCATIONS, FULL_VISITORS, DAYS = 10_000, 3_500_000, 31
FIRST_DAY = date(2024, 1, 1)
CALIBRATED_PEOPLE, LOOKS = 1200, 8  # labelled people, and visits of each that were photographed
# Of the good embedder: strangers are closer than the window's distance once in a thousand million pairs.
GOOD = LinkageSettings(
    local_max_distance=0.47, window_max_distance=0.47, join_max_distance=0.4, tracklet_max_distance=0.5
)


@dataclass
class Stages:
    """Wall and CPU seconds of each stage, workers and dbt included, and the largest resident memory meanwhile."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    peak_gb: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measured(self, name: str) -> Iterator[None]:
        """Time the block as a stage and print it."""
        started, cpu = perf_counter(), _cpu_s()
        with _watched_memory() as peak:
            yield
        self.seconds[name], self.cpu[name], self.peak_gb[name] = perf_counter() - started, _cpu_s() - cpu, peak[0]
        print(
            f"| {name} | {self.seconds[name]:.1f} | {self.cpu[name]:.1f} | {self.peak_gb[name]:.2f} |",
            flush=True,
        )


def _cpu_s() -> float:
    """Return CPU seconds of this process and of its finished children."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


@contextmanager
def _watched_memory() -> Iterator[list[float]]:
    """Give the largest sum of resident memory, in GB, of this process and its children, looked at twice a second."""
    peak, done = [0.0], Event()

    def watch() -> None:
        while not done.wait(0.5):
            peak[0] = max(peak[0], _resident_gb(os.getpid()))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    yield peak
    peak[0] = max(peak[0], _resident_gb(os.getpid()))
    done.set()
    watcher.join()


def _resident_gb(pid: int) -> float:
    """Return the proportional resident memory of a process and all below it; 0 where it has ended."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1e6
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except (OSError, StopIteration):
        return 0.0
    return own + sum(_resident_gb(int(child)) for child in children)


def run(platform: Platform, plan: MonthPlan) -> Stages:
    """Run every stage from embeddings to the report and return what each took."""
    stages, last = Stages(), plan.first_day + timedelta(days=plan.days - 1)
    version = platform.versions.faces
    places = [
        Place(each.day, each.location_id) for each in platform.partitions.places("faces", version) if each.location_id
    ]
    print("| stage | wall s | CPU s | peak GB |\n| --- | --- | --- | --- |")
    with stages.measured(f"local visitors, {len(places):,} places"):
        for _ in refresh_places(platform, places):
            pass
    with stages.measured("identities of the last day"):
        refresh_identities(platform, last)
    with stages.measured("sightings of every day"):
        for day in range(plan.days):
            refresh_sightings(platform, plan.first_day + timedelta(days=day))
    with stages.measured("visitor numbers"):
        refresh_visitor_numbers(platform)
    with stages.measured("warehouse (dbt and its tests)"):
        build_warehouse(
            platform.warehouse_dir,
            collect_inputs(platform),
            project_dir=default_project_dir(),
            target_path=platform.settings.dbt_target,
        )
    with stages.measured("publication"):
        publish(platform.warehouse_dir / BUILD_FILE, platform.lake, published_at=datetime.now(UTC))
    with stages.measured("report of the month"):
        report(platform, plan)
    total, cpu = sum(stages.seconds.values()), sum(stages.cpu.values())
    print(f"| all | {total:.1f} | {cpu:.1f} | {max(stages.peak_gb.values()):.2f} |")
    return stages


def report(platform: Platform, plan: MonthPlan) -> None:
    """Print the header of the month's report, or why it refuses."""
    request = ReportRequest(plan.first_day, plan.first_day + timedelta(days=plan.days - 1))
    try:
        with open_visitors(platform.lake, current_publication(platform.lake)) as visitors:
            found = visitor_report(visitors, request)
    except FootfallError as error:
        print(f"report: {error}")
        return
    for window in found.windows:
        print(f"report: {window.linkage_window}: listed {window.listed_visitors:,}, total {window.total}")
    for note in found.notes:
        print(f"note: {note}")


def score(platform: Platform, plan: MonthPlan, people: int) -> None:
    """Print how many identities there are for how many people, and precision and recall over pairs of sightings."""
    last = plan.first_day + timedelta(days=plan.days - 1)
    identities = _rows(platform, "identities", last, IDENTITIES)
    local, face = uuid_words(identities["local_visitor_id"]), uuid_words(identities["face_id"])
    _, number = np.unique(face[:, 0] ^ face[:, 1], return_inverse=True)
    identity, person, unidentified = [], [], 0
    for day in range(plan.days):
        sightings = _rows(platform, "sightings", plan.first_day + timedelta(days=day), SIGHTINGS)
        known = sightings.filter(sightings["local_visitor_id"].is_valid())
        unidentified += sightings.num_rows - known.num_rows
        row = rows_of(uuid_words(known["local_visitor_id"]), local)
        identity.append(number[row])
        person.append(uuid_words(known["face_image_id"])[:, 1].astype(np.int64))
    found, true = np.concatenate(identity), np.concatenate(person)
    both, said, real = _pairs(found * (true.max() + 1) + true), _pairs(found), _pairs(true)
    precision, recall = both / said, both / real
    count = len(np.unique(found))
    print(
        f"people {people:,}, identities {count:,} ({100 * (count / people - 1):+.2f} %), "
        f"local visitors {len(local):,}, "
        f"unidentified sightings {unidentified:,}; pairs of sightings: precision {precision:.4f}, recall {recall:.4f}, "
        f"F1 {2 * precision * recall / (precision + recall):.4f}"
    )


def _rows(platform: Platform, asset: str, day: date, schema: pa.Schema) -> pa.Table:
    manifest = platform.partitions.manifest(platform.day_of(asset, day))
    return platform.partitions.read_table(manifest, asset, schema)


def _pairs(labels: np.ndarray) -> float:
    _, size = np.unique(labels, return_counts=True)
    return float((size * (size - 1) / 2).sum())


def labelled_people(spread: EmbeddingSpread, first: int, seed: int) -> LabelledStills:
    """Return stills of `CALIBRATED_PEOPLE` people from number `first` on: others than those who come in the month."""
    part = np.repeat(blocks_of_people(spread, first, CALIBRATED_PEOPLE, seed), LOOKS, axis=0)
    stills = np.full(len(part), CLEAN_STILLS)
    faces = faces_of_visits(spread, part, stills, (seed, 99))
    count = len(faces.visit)

    def all_the_same(value: float) -> np.ndarray:
        return np.full(count, value, np.float32)

    return LabelledStills(
        person=faces.visit // LOOKS,
        photo=faces.visit,
        kind=np.full(count, int(StillKind.CLEAN)),
        vector=faces.vector,
        size_px=all_the_same(60),
        score=all_the_same(0.95),
        sharpness=all_the_same(0.8),
        yaw=all_the_same(0.1),
        quality=all_the_same(0.9),
        missed=dict.fromkeys(StillKind, 0),
        names=tuple(f"person-{number}" for number in range(CALIBRATED_PEOPLE)),
    )


def calibrate_site(platform: Platform, spread: EmbeddingSpread, first: int, seed: int) -> None:
    """Calibrate the home on labelled people of the same spread, as somebody with an embedder of their own has to."""
    settings = platform.settings
    calibration = calibrate(
        labelled_people(spread, first, seed),
        embedder=load_manifest().get(settings.embedding.embedder, ModelKind.FACE_EMBEDDER).identity,
        origin=f"{CALIBRATED_PEOPLE:,} generated people who do not come",
        today=datetime.now(UTC).date(),
        quality=settings.quality,
        linkage=settings.linkage,
        plan=FitPlan(seed=seed),
        window_max_distance=settings.linkage.window_max_distance,
    )
    store_calibration(platform.lake, calibration)
    platform.reread_calibration()
    found = calibration.evaluation
    print(
        f"calibrated on {CALIBRATED_PEOPLE:,} others: median error {found.median_error:.2%}, 90 % interval held "
        f"{found.coverage[DEFAULT_LEVEL]:.0%}, strangers match at {found.false_match_rate:.1e} at most",
        flush=True,
    )


def days_there(platform: Platform, plan: MonthPlan) -> int:
    """Return how many days are there whole: they are written one after the other, so the newest may not be."""
    places = platform.partitions.places("face_embeddings", platform.versions.face_embeddings)
    return max(((each.day - plan.first_day).days for each in places), default=0)


def main() -> None:
    """Generate, measure, score, and clean up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.01)
    parser.add_argument("--spread", choices=("good", "dlib"), default="good")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, help="where the home is made; by default a temporary folder")
    parser.add_argument("--keep", action="store_true", help="leave the home there")
    parser.add_argument("--reuse", action="store_true", help="the home holds this month's faces and vectors already")
    parser.add_argument("--go-on", action="store_true", help="the home holds the first days, the newest in part")
    given = parser.parse_args()
    home = given.home or Path(tempfile.mkdtemp(prefix="january-"))
    linkage = {"linkage": GOOD} if given.spread == "good" else {}
    platform = Platform(load_settings(home=home, **linkage))
    plan = MonthPlan(
        visitors=round(FULL_VISITORS * given.scale),
        locations=max(1, round(FULL_LOCATIONS * given.scale)),
        days=DAYS,
        first_day=FIRST_DAY,
        spread=known_spread(given.spread),
        seed=given.seed,
    )
    try:
        visits = planned_visits(plan)
        print(
            f"scale {given.scale:g}, spread {given.spread}: {plan.locations:,} locations, {plan.visitors:,} visitors, "
            f"{len(visits.person):,} visits; {os.cpu_count()} cores, Python {sys.version.split()[0]}, "
            f"load {os.getloadavg()[0]:.1f}",
            flush=True,
        )
        if not given.reuse:
            register(platform, plan)
            days = range(days_there(platform, plan) if given.go_on else 0, plan.days)
            started = perf_counter()
            written = write_month(platform, plan, visits, days=days)
            print(
                f"{written:,} sightings of {len(days)} days generated in {perf_counter() - started:.0f} s", flush=True
            )
            if given.spread == "good":  # dlib's calibration comes with the product
                calibrate_site(platform, plan.spread, plan.visitors, given.seed)
        run(platform, plan)
        score(platform, plan, len(np.unique(visits.person)))
    finally:
        if not given.keep:
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
