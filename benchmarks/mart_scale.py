"""The January example at the level of the marts: dbt build, publication, and the explorer's queries, at a share.

The full size is 10,000 locations with two cameras each, 31 days, 3.5 million visitors, 12 million local visitors and
49 million sightings. What the warehouse reads is drawn (`mart_inputs.py`); loading, dbt with all its tests,
publication and reports (`mart_requests.py`) are the product's own code.

    python benchmarks/mart_scale.py --share 0.01
    python benchmarks/mart_scale.py --share 0.1 --home DIR --keep
    python benchmarks/mart_scale.py --share 0.1 --home DIR --keep --only queries
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from january import Stages
from mart_inputs import generate, inputs, month_plan
from mart_requests import ask_all, export

from footfall_assets.contracts.publication import Publication
from footfall_assets.simulation.embedded_month import MonthPlan
from footfall_assets.storage.lake import FolderLake
from footfall_assets.warehouse.build import BUILD_FILE, build_warehouse
from footfall_assets.warehouse.project import WAREHOUSE_MEMORY_VARIABLE, default_project_dir
from footfall_assets.warehouse.publication import publish


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
        published = publish(
            home / "warehouse" / BUILD_FILE,
            FolderLake(home / "lake"),
            published_at=datetime.now(UTC),
            memory=memory,
        )
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


def main() -> None:
    """Generate, build, ask, and clean up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch-minutes", type=int, default=60, help="of what a camera sends at once")
    parser.add_argument("--memory", default="3GB", help="of DuckDB in the build")
    parser.add_argument("--requests", type=int, default=20, help="random requests of each kind")
    parser.add_argument("--named", default="", help="only the requests with this in their name, and no export")
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
            if not given.named:
                export(plan, lake, home / "list.csv", stages)
            ask_all(plan, lake, each=given.requests, seed=given.seed, named=given.named)
    finally:
        if not given.keep:
            shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
