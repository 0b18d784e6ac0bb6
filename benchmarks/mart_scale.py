"""The January example at the level of the marts: dbt build, publication, and the explorer's queries, at a share.

The full size is 10,000 locations with two cameras each, 31 days, 3.5 million visitors, 12 million local visitors and
49 million sightings. What the warehouse reads (sightings, identities, cuts, visitor numbers, coverage, registry) is
drawn here; loading, dbt with all its tests, publication and reports are the product's own code.

    python benchmarks/mart_scale.py --share 0.01
    python benchmarks/mart_scale.py --share 0.1 --home DIR --keep
    python benchmarks/mart_scale.py --share 0.1 --home DIR --keep --only queries
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter, process_time
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from january import DAYS, FIRST_DAY, FULL_LOCATIONS, FULL_VISITORS, Stages

from footfall_assets.contracts.errors import FootfallError
from footfall_assets.contracts.ids import digest_of
from footfall_assets.contracts.publication import FileKind, Publication
from footfall_assets.contracts.schemas import COVERAGE, CUT_COLUMNS, CUTS, IDENTITIES, SIGHTINGS, VISITOR_NUMBERS
from footfall_assets.reporting.coverage import coverage_by_day
from footfall_assets.reporting.dwell import dwell_by_day, dwell_by_zone
from footfall_assets.reporting.export import write_csv
from footfall_assets.reporting.footfall_over_time import footfall_by_day, footfall_by_hour
from footfall_assets.reporting.journeys import flows, journeys
from footfall_assets.reporting.loyalty import loyalty_by_day
from footfall_assets.reporting.publication import current_publication, open_aggregates, open_visitors
from footfall_assets.reporting.request import Period, ReportRequest
from footfall_assets.reporting.visitor_list import all_visitors, visitor_page
from footfall_assets.reporting.visitor_report import VISIT_GAP_S, visitor_head
from footfall_assets.simulation.embedded_month import MonthPlan, Visits, location_name, planned_visits
from footfall_assets.simulation.vectors import known_spread
from footfall_assets.storage.arrow import words_column
from footfall_assets.storage.calibration_store import SHIPPED, parse_calibration
from footfall_assets.storage.lake import FolderLake
from footfall_assets.warehouse.build import BUILD_FILE, build_warehouse
from footfall_assets.warehouse.project import WAREHOUSE_MEMORY_VARIABLE, default_project_dir
from footfall_assets.warehouse.publication import publish
from footfall_assets.warehouse.sources import (
    CAMERA_GROUPS,
    CAMERAS,
    LOCATIONS,
    IdentitiesFile,
    SightingsFile,
    WarehouseInputs,
)

WINDOW = f"{FIRST_DAY:%Y-%m}"
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
STILLS = 4  # of each visit
OPENS_S, CLOSES_S = 9 * 3600, 21 * 3600  # local; the last visit begins at 20:00
UNIDENTIFIED_SHARE = 0.02
BOUGHT_SHARE, BACK_SHARE = 0.6, 0.15  # of the visits: seen at the till too; at the door again when they leave
GROUP_STORES = 200  # of the camera group "region-0"
NAMES = ("door", "till")
PAGE_ROWS = 50
OPENERS = {FileKind.AGGREGATES: open_aggregates, FileKind.VISITORS: open_visitors}


def local_midnight_us(day: date) -> np.ndarray:
    """Return the local midnight of a day in each of `ZONES`, in microseconds since 1970."""
    moments = (datetime.combine(day, time(), ZoneInfo(zone)) for zone in ZONES)
    return np.array([int(moment.timestamp()) * 1_000_000 for moment in moments])


def month_plan(share: float, seed: int) -> MonthPlan:
    """Return how much there is at a share of the full size."""
    return MonthPlan(
        visitors=round(FULL_VISITORS * share),
        locations=max(4, round(FULL_LOCATIONS * share)),
        days=DAYS,
        first_day=FIRST_DAY,
        spread=known_spread("good"),
        seed=seed,
    )


def mixed(numbers: np.ndarray) -> np.ndarray:
    """Return 64-bit numbers that look random (the finaliser of SplitMix64; Steele et al. 2014)."""
    value = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def ids(kind: int, numbers: np.ndarray) -> pa.Array:
    """Return a UUID for each number; those of another kind are others."""
    return words_column(np.stack([mixed(numbers + (kind << 48)), mixed(numbers + (kind << 40))], axis=1))


def names(count: int) -> tuple[pa.Array, pa.Array]:
    """Return the ids of all locations, and of their cameras, two by two."""
    locations = [location_name(number) for number in range(count)]
    return pa.array(locations), pa.array([f"{place}-{name}" for place in locations for name in NAMES])


def sightings_of(plan: MonthPlan, visits: Visits, day: int, first_visit: int) -> pa.Table:
    """Return the faces of a day's visits, by location and time."""
    draw = np.random.default_rng((plan.seed, 3, day))
    count = len(visits.person)
    how = draw.random(count)
    walk_s = draw.integers(60, 1500, count)  # from the door to the till, and to the door again
    still = np.tile(np.arange(STILLS), count)
    visit = np.repeat(np.arange(count), STILLS)
    bought, back = (how < BOUGHT_SHARE)[visit], (how >= 1 - BACK_SHARE)[visit]
    at_till = bought & (still >= STILLS // 2)
    later = (bought | back) & (still >= STILLS // 2)
    second = visits.start_s[visit] + 5 * still + np.where(later, walk_s[visit], 0)
    midnight = local_midnight_us(plan.first_day + timedelta(days=day))[visits.location[visit] % len(ZONES)]
    moment = midnight + second * 1_000_000
    face = (np.arange(count * STILLS) + first_visit * STILLS).astype(np.int64)
    camera = visits.location[visit] * len(NAMES) + at_till
    unknown = draw.random(len(visit)) < UNIDENTIFIED_SHARE
    order = np.lexsort((moment, visits.location[visit]))
    location_names, camera_names = names(plan.locations)
    local = pa.array(np.arange(count * STILLS), mask=unknown)
    columns = {
        "face_image_id": ids(1, face),
        "image_id": ids(2, face),  # one face a still
        "camera_id": camera_names.take(pa.array(camera)),
        "location_id": location_names.take(pa.array(visits.location[visit])),
        "captured_at": pa.array(moment).cast(SIGHTINGS.field("captured_at").type),
        "local_visitor_id": ids(3, first_visit + visit).take(local),
        "match_score": pa.array(draw.random(len(visit), dtype=np.float32), mask=unknown),
        "unidentified_reason": pa.array(["too_small", None]).take(pa.array(np.where(unknown, 0, 1))),
        **{name: pa.repeat(name, len(visit)) for name in ("detector", "embedder", "version")},
        "zone": pa.array(["entrance", "tills", None]).take(pa.array(np.where(at_till, 1, np.where(still == 0, 0, 2)))),
    }
    rows = pa.Table.from_arrays([columns[name] for name in SIGHTINGS.names], schema=SIGHTINGS)
    return rows.take(pa.array(order))


def identities_of(plan: MonthPlan, visits: Visits) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return identities, cuts of the merge tree and visitor numbers of the month."""
    count = len(visits.person)
    number = np.arange(count)
    day = pa.array(visits.day.astype(np.int32) + (plan.first_day - date(1970, 1, 1)).days).cast(pa.date32())
    local, face = ids(3, number), ids(4, visits.person)
    values = {
        "local_visitor_id": local,
        "face_id": face,
        "location_id": names(plan.locations)[0].take(pa.array(visits.location)),
        "day": day,
        "match_score": pa.array(np.full(count, 0.8, np.float32)),
        "minted_on": day,
        "merged_from": pa.array([[]], IDENTITIES.field("merged_from").type).take(pa.array(np.zeros(count, np.int64))),
        "split_from": pa.nulls(count, pa.uuid()),
        "excluded_reason": pa.nulls(count, pa.string()),
    }
    identities = pa.Table.from_arrays([values[name] for name in IDENTITIES.names], schema=IDENTITIES)
    # Below the identities' cut visitors fall apart, above it they run together: each cut a little more than the last.
    apart, together = (np.random.default_rng((plan.seed, each)).random for each in (5, 6))
    loose, near = apart(count), together(plan.visitors)
    clusters = []
    for place in range(len(CUT_COLUMNS)):
        middle = len(CUT_COLUMNS) // 2
        whole = visits.person - (near < 0.004 * max(0, place - middle))[visits.person]
        split = loose < 0.03 * max(0, middle - place)
        clusters.append(pa.array(np.where(split, plan.visitors + number, np.maximum(whole, 0)).astype(np.int32)))
    cuts = pa.Table.from_arrays([local, *clusters], schema=CUTS)
    people = np.unique(visits.person)
    label = pc.binary_join_element_wise(
        pc.utf8_lpad(pa.array(people * 7_919 % 10_000_019).cast(pa.string()), 7, "0"), "A", ""
    )
    numbers = pa.Table.from_arrays(
        [pa.repeat(WINDOW, len(people)), ids(4, people), pa.array(np.arange(len(people))), label],
        schema=VISITOR_NUMBERS,
    )
    return identities, cuts, numbers


def coverage_of(plan: MonthPlan, day: int, batch_s: int) -> pa.Table:
    """Return the batches of all cameras on a day; one camera in a thousand lost one of them."""
    location_names, camera_names = names(plan.locations)
    batches = (CLOSES_S - OPENS_S) // batch_s
    camera = np.repeat(np.arange(plan.locations * len(NAMES)), batches)
    batch = np.tile(np.arange(batches), plan.locations * len(NAMES))
    kept = (mixed(camera + (day << 32)) % np.uint64(1000) != 0) | (batch != batches // 2)
    camera, batch = camera[kept], batch[kept]
    midnight = local_midnight_us(plan.first_day + timedelta(days=day))[camera // len(NAMES) % len(ZONES)]
    opened = midnight + (OPENS_S + batch * batch_s) * 1_000_000
    count, frames = len(camera), pa.array(np.full(len(camera), batch_s // 5))
    moment = COVERAGE.field("opened_at").type
    columns = {
        "batch_id": ids(5, (camera * DAYS + day) * batches + batch),
        "camera_id": camera_names.take(pa.array(camera)),
        "location_id": location_names.take(pa.array(camera // len(NAMES))),
        "device_id": camera_names.take(pa.array(camera)),
        "sequence": pa.array(day * batches + batch + 1),
        "day": pa.repeat(pa.scalar(plan.first_day + timedelta(days=day), pa.date32()), count),
        "opened_at": pa.array(opened).cast(moment),
        "closed_at": pa.array(opened + batch_s * 1_000_000).cast(moment),
        "interval_s": pa.array(np.full(count, 5.0)),
        "frames_expected": frames,
        "frames_captured": frames,
        "frames_kept": pa.array(np.full(count, batch_s // 10)),
        "images_quarantined": pa.array(np.zeros(count, np.int64)),
    }
    return pa.Table.from_arrays([columns[name] for name in COVERAGE.names], schema=COVERAGE)


def generate(plan: MonthPlan, folder: Path, batch_s: int) -> int:
    """Write what a build reads, one day after the other, and return the number of sightings."""
    visits = planned_visits(plan)
    folder.mkdir(parents=True, exist_ok=True)
    written = first_visit = 0
    for day in range(plan.days):
        of_day = visits.of_day(day)
        rows = sightings_of(plan, of_day, day, first_visit)
        pq.write_table(rows, folder / f"sightings-{day:02d}.parquet")
        pq.write_table(coverage_of(plan, day, batch_s), folder / f"coverage-{day:02d}.parquet")
        first_visit += len(of_day.person)
        written += rows.num_rows
    for name, table in zip(("identities", "cuts", "numbers"), identities_of(plan, visits), strict=True):
        pq.write_table(table, folder / f"{name}.parquet")
    return written


def registry_rows(plan: MonthPlan) -> dict[str, pa.Table]:
    """Return locations, cameras and two camera groups: all doors, and all cameras of some stores."""
    since = plan.first_day - timedelta(days=365)
    places = [location_name(number) for number in range(plan.locations)]
    locations = [
        {
            "location_id": place,
            "name": f"Store #{number + 1}",
            "timezone": ZONES[number % len(ZONES)],
            "mode": "unique",
            "legal_basis": "development",
            "partition_group": f"group-{number % 100:02d}",
            "valid_from": since,
        }
        for number, place in enumerate(places)
    ]
    cameras = [
        {
            "camera_id": f"{place}-{name}",
            "location_id": place,
            "name": name.capitalize(),
            "interval_s": 5.0,
            "filter": "face",
            "staff_only": False,
            "valid_from": since,
        }
        for place in places
        for name in NAMES
    ]
    groups = [{"group_id": "doors", "name": "Doors", "camera_id": f"{place}-door"} for place in places]
    groups += [
        {"group_id": "region-0", "name": "Region 0", "camera_id": f"{place}-{name}"}
        for place in places[:GROUP_STORES]
        for name in NAMES
    ]
    return {
        "locations": _table(locations, LOCATIONS),
        "cameras": _table(cameras, CAMERAS),
        "camera_groups": _table(groups, CAMERA_GROUPS),
    }


def _table(rows: list[dict[str, object]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)


def inputs(plan: MonthPlan, folder: Path) -> WarehouseInputs:
    """Return the drawn files as a build reads them."""
    shipped = min(SHIPPED.glob("*.json"))
    calibration = parse_calibration(shipped.read_bytes(), shipped.stem.rsplit("-", 1)[-1], source=shipped.name)
    days = [plan.first_day + timedelta(days=day) for day in range(plan.days)]
    given: dict[str, object] = {
        "environment": "development",
        "inputs_hash": digest_of("mart_scale", str(plan.visitors), str(plan.seed)),
        "sightings": tuple(
            SightingsFile(folder / f"sightings-{number:02d}.parquet", day) for number, day in enumerate(days)
        ),
        "identities": (IdentitiesFile(folder / "identities.parquet", WINDOW),),
        "cuts": (IdentitiesFile(folder / "cuts.parquet", WINDOW),),
        "calibration": calibration,
        "coverage": tuple(sorted(folder.glob("coverage-*.parquet"))),
        "visitor_numbers": (folder / "numbers.parquet",),
        "asset_versions": {"sightings": "0" * 12, "identities": "0" * 12},
        **registry_rows(plan),
    }
    known = {each.name for each in fields(WarehouseInputs)}
    return WarehouseInputs(**{name: value for name, value in given.items() if name in known})  # type: ignore[arg-type]


def build(plan: MonthPlan, home: Path, stages: Stages, memory: str) -> Publication:
    """Load, build and test the marts, publish them, and print what each took."""
    os.environ[WAREHOUSE_MEMORY_VARIABLE] = memory
    with stages.measured("load, dbt build and tests"):
        found = build_warehouse(
            home / "warehouse",
            inputs(plan, home / "inputs"),
            project_dir=default_project_dir(),
            target_path=home / "dbt_target",
        )
    print(f"rows: {dict(found.source_rows)}; results: {dict(found.results)}")
    slowest(home / "dbt_target" / "build" / "run_results.json")
    with stages.measured("publication"):
        published = publish(home / "warehouse" / BUILD_FILE, FolderLake(home / "lake"), published_at=datetime.now(UTC))
    for kind, file in published.files.items():
        print(f"{kind}: {file.size_bytes / 1e6:,.1f} MB")
    print(f"build database: {(home / 'warehouse' / BUILD_FILE).stat().st_size / 1e6:,.1f} MB")
    return published


def slowest(run_results: Path, most: int = 25) -> None:
    """Print the models and tests of a build that took longest, and what each kind took together."""
    results = json.loads(run_results.read_text())["results"]
    kinds: dict[str, float] = {}
    for each in results:
        kind = each["unique_id"].split(".")[0]
        kinds[kind] = kinds.get(kind, 0.0) + each["execution_time"]
    print("seconds by kind: " + ", ".join(f"{kind} {seconds:.1f}" for kind, seconds in kinds.items()))
    for each in sorted(results, key=lambda each: -each["execution_time"])[:most]:
        print(f"  {each['execution_time']:8.2f} s  {each['unique_id']}")


@dataclass(frozen=True)
class Asked:
    """One request of the explorer: a published file, and questions to an open connection of it."""

    kind: FileKind
    ask: Callable[[duckdb.DuckDBPyConnection], object]


Question = Callable[[list[date], str, random.Random], Asked]


def first_page(request: ReportRequest) -> Asked:
    """Return the head and the first page of the visitor report."""

    def ask(connection: duckdb.DuckDBPyConnection) -> object:
        head = visitor_head(connection, request)
        return head, visitor_page(connection, request, first=0, most=PAGE_ROWS, visit_gap_s=VISIT_GAP_S)

    return Asked(FileKind.VISITORS, ask)


def some_minutes(days: list[date], place: str, chance: random.Random) -> Asked:
    """Return the report of one store from a minute to another, up to a week later."""
    first = chance.randrange(len(days))
    last = min(first + chance.randrange(1, 7), len(days) - 1)
    at = [time(chance.randrange(9, 20), chance.randrange(60)) for _ in range(2)]
    last = max(last, first)
    starts, ends = sorted(at) if last == first else at
    return first_page(
        ReportRequest(days[first], days[last], location_ids=(place,), starts_at=starts, ends_at=ends)
        if (first, starts) != (last, ends)
        else ReportRequest(days[first], days[last], location_ids=(place,))
    )


def of_one_store(ask: Callable[..., object], **named: object) -> Question:
    """Return a question about a month of one store's aggregates."""

    def question(days: list[date], place: str, _chance: random.Random) -> Asked:
        period = Period(days[0], days[-1])
        return Asked(FileKind.AGGREGATES, lambda connection: ask(connection, period, location_ids=(place,), **named))

    return question


def page_number(days: list[date], _place: str, chance: random.Random) -> Asked:
    """Return some page of the whole month's list."""
    request, first = ReportRequest(days[0], days[-1]), PAGE_ROWS * chance.randrange(200)

    def ask(connection: duckdb.DuckDBPyConnection) -> object:
        return visitor_page(connection, request, first=first, most=PAGE_ROWS, visit_gap_s=VISIT_GAP_S)

    return Asked(FileKind.VISITORS, ask)


def coverage_of_a_day(days: list[date], _place: str, chance: random.Random) -> Asked:
    """Return what the cameras of all stores delivered on a day."""
    day = chance.choice(days)
    return Asked(FileKind.AGGREGATES, lambda connection: coverage_by_day(connection, day, day))


QUESTIONS: dict[str, Question] = {
    "visitors: all stores, month": lambda days, _place, _chance: first_page(ReportRequest(days[0], days[-1])),
    "visitors: all stores, month, a later page": page_number,
    "visitors: all stores, a day": lambda days, _place, chance: first_page(ReportRequest(*[chance.choice(days)] * 2)),
    "visitors: one store, month": lambda days, place, _chance: first_page(
        ReportRequest(days[0], days[-1], location_ids=(place,))
    ),
    "visitors: camera group of 200 stores, month": lambda days, _place, _chance: first_page(
        ReportRequest(days[0], days[-1], camera_group="region-0")
    ),
    "visitors: one store, to the minute": some_minutes,
    "footfall by day, one store": of_one_store(footfall_by_day),
    "footfall by hour, one store": of_one_store(footfall_by_hour),
    "dwell by zone, one store": of_one_store(dwell_by_zone),
    "dwell by day, one store": of_one_store(dwell_by_day),
    "flows, one store": of_one_store(flows),
    "journeys, one store": of_one_store(journeys),
    "loyalty by day, one store": of_one_store(loyalty_by_day),
    "coverage of a day, all stores": coverage_of_a_day,
}


def ask_all(plan: MonthPlan, lake: FolderLake, *, each: int, seed: int) -> None:
    """Print p50 and p95 of random requests, each as the explorer asks it: the file opened anew every time.

    `cold`: the first of its kind, after the system has forgotten the file's pages.
    """
    published = current_publication(lake)
    days = [plan.first_day + timedelta(days=number) for number in range(plan.days)]
    print("| question | cold s | p50 s | p95 s | p95 CPU s |\n| --- | --- | --- | --- | --- |")
    for name, question in QUESTIONS.items():
        chance = random.Random(f"{seed} {name}")  # noqa: S311 - the same requests every time
        took = []
        for number in range(each + 1):
            asked = question(days, location_name(chance.randrange(plan.locations)), chance)
            if number == 0:
                forget(lake.local_path(published.files[asked.kind].key))
            wall, cpu = perf_counter(), process_time()
            try:
                with OPENERS[asked.kind](lake, published) as connection:
                    asked.ask(connection)
            except (FootfallError, duckdb.Error) as error:
                print(f"{name}: {str(error)[:160]}")
                break
            took.append((perf_counter() - wall, process_time() - cpu))
        if len(took) > 1:
            walls, cpus = zip(*took[1:], strict=True)
            p50, p95 = np.percentile(walls, [50, 95])
            print(f"| {name} | {took[0][0]:.2f} | {p50:.2f} | {p95:.2f} | {np.percentile(cpus, 95):.2f} |", flush=True)


def forget(path: Path) -> None:
    """Let the system drop a file's pages from memory."""
    with path.open("rb") as source:
        os.posix_fadvise(source.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def export(plan: MonthPlan, lake: FolderLake, path: Path, stages: Stages) -> None:
    """Write the month's whole list as CSV."""
    request = ReportRequest(plan.first_day, plan.first_day + timedelta(days=plan.days - 1))
    with (
        stages.measured("export of the whole list as CSV"),
        open_visitors(lake, current_publication(lake), for_s=3600) as connection,
        path.open("wb") as out,
    ):
        head = visitor_head(connection, request)
        rows = write_csv(out, head, all_visitors(connection, request, visit_gap_s=VISIT_GAP_S))
    print(f"{rows:,} rows, {path.stat().st_size / 1e6:,.1f} MB")


def main() -> None:
    """Generate, build, ask, and clean up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch-minutes", type=int, default=60, help="of what a camera sends at once")
    parser.add_argument("--memory", default="3GB", help="of DuckDB in the build")
    parser.add_argument("--requests", type=int, default=20, help="random requests of each kind")
    parser.add_argument("--home", type=Path, help="where everything is made; by default a temporary folder")
    parser.add_argument("--keep", action="store_true", help="leave it there")
    parser.add_argument("--only", choices=("generate", "build", "queries"), help="one step, with what lies in --home")
    given = parser.parse_args()
    home = (given.home or Path(tempfile.mkdtemp(prefix="marts-"))).resolve()
    plan, stages = month_plan(given.share, given.seed), Stages()
    print(
        f"share {given.share:g}: {plan.locations:,} locations, {plan.visitors:,} visitors; {os.cpu_count()} cores, "
        f"Python {sys.version.split()[0]}, DuckDB {duckdb.__version__}, load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    print("| stage | wall s | CPU s | peak GB |\n| --- | --- | --- | --- |", flush=True)
    try:
        if given.only in {None, "generate"}:
            with stages.measured("drawing the inputs"):
                written = generate(plan, home / "inputs", given.batch_minutes * 60)
            print(f"{written:,} sightings")
        if given.only in {None, "build"}:
            build(plan, home, stages, given.memory)
        if given.only in {None, "queries"}:
            lake = FolderLake(home / "lake")
            export(plan, lake, home / "list.csv", stages)
            ask_all(plan, lake, each=given.requests, seed=given.seed)
    finally:
        if not given.keep:
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
