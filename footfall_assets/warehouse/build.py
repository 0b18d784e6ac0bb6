"""One warehouse build: load the inputs into the private build database, then let dbt build and test everything."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

import duckdb

from footfall_assets.contracts.errors import PermanentFailure
from footfall_assets.warehouse.project import build_arguments, run_dbt, warehouse_lock
from footfall_assets.warehouse.sources import WarehouseInputs, load_sources, mark_finished

BUILD_FILE: Final = "build.duckdb"
DEFAULT_MEMORY: Final = "3GB"  # what does not fit spills to disk beside the file


class BuildIncomplete(PermanentFailure):
    """The build database lacks what is asked of it."""


@dataclass(frozen=True)
class WarehouseBuild:
    """A finished build.

    Attributes:
        path: the build database, closed.
        source_rows: rows of each table of the schema `raw`.
        results: how many nodes ended how, such as `{"success": 28, "pass": 170}`; models and seeds end with success,
            tests with pass.
        seconds: from the first file read to the last test.
    """

    path: Path
    source_rows: Mapping[str, int]
    results: Mapping[str, int]
    seconds: float


def build_warehouse(
    warehouse_dir: Path, inputs: WarehouseInputs, *, project_dir: Path, target_path: Path
) -> WarehouseBuild:
    """Build every model from `inputs`, with all data tests and unit tests, and return what was built.

    Waits for the warehouse's lock. A failed build leaves the last publication as it is.

    Args:
        warehouse_dir: of the home; holds the build database, which nobody but the build opens.
        inputs: files whose hashes the caller has checked.
        project_dir: the dbt project.
        target_path: receives dbt's artifacts, in its folder `build`.

    Raises:
        CorruptObject: an input has not the columns and types of its contract.
        DbtFailed: a model does not build, or a test does not hold.
        TransientFailure: another process has held the warehouse for too long.
    """
    started = monotonic()
    with warehouse_lock(warehouse_dir):
        path = warehouse_dir / BUILD_FILE
        rows = load_build_sources(path, inputs)
        target = target_path / "build"
        run_dbt(build_arguments(inputs.rules), project_dir=project_dir, target_path=target, build_path=path)
        finish_build(path)
    return WarehouseBuild(path, rows, _statuses(target / "run_results.json"), monotonic() - started)


def load_build_sources(path: Path, inputs: WarehouseInputs, *, memory: str = DEFAULT_MEMORY) -> dict[str, int]:
    """Load `inputs` into the build database at `path`, leave it closed, and return the rows of each table.

    The caller holds the warehouse's lock. Raises as `load_sources`.
    """
    with duckdb.connect(path, config={"memory_limit": memory, "threads": 2}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return load_sources(connection, inputs)


def loaded_rules(path: Path) -> dict[str, int]:
    """Return the `WarehouseInputs.rules` of the sources in the build database at `path`.

    Raises:
        BuildIncomplete: nothing has been loaded yet.
    """
    if not path.is_file():
        raise BuildIncomplete(f"expected a build database at {path}, found none; build all models first: footfall run")
    with duckdb.connect(path, read_only=True) as connection:
        try:
            found = connection.execute("select rules from raw.provenance").fetchone()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise BuildIncomplete(f"expected loaded sources in {path}; build all models first: footfall run") from error
    return dict(json.loads(found[0])) if found else {}


def finish_build(path: Path) -> None:
    """Mark the build at `path` as complete: only such a build can be published. The caller holds the lock."""
    with duckdb.connect(path) as connection:
        mark_finished(connection)


def _statuses(run_results: Path) -> dict[str, int]:
    results = json.loads(run_results.read_text())["results"]
    return dict(Counter(result["status"] for result in results))
