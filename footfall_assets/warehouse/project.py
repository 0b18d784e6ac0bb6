"""The dbt project from Python: its manifest, its documentation, and running a dbt command in a process of its own.

dbt writes what it makes (manifest, logs, compiled SQL) below a target path in the home, never in the source tree.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from footfall_assets.contracts.errors import PermanentFailure, TransientFailure, UserMistake

WAREHOUSE_PATH_VARIABLE: Final = "FOOTFALL_WAREHOUSE_PATH"  # read by dbt_project/profiles.yml
WAREHOUSE_MEMORY_VARIABLE: Final = "FOOTFALL_WAREHOUSE_MEMORY"  # likewise

_FINGERPRINT: Final = "manifest.fingerprint"
_PROJECT_SUFFIXES: Final = frozenset({".sql", ".yml", ".csv", ".md"})
_GENERATED: Final = frozenset({"target", "logs", "dbt_packages", ".user.yml"})
_LOCK_TIMEOUT_S: Final = 900.0  # longer than a build of 20 million sightings
_SHOWN_CHARACTERS: Final = 4000  # of dbt's output in an error message


class DbtFailed(PermanentFailure):
    """dbt ended with an error: a model that does not build, or a data test that does not hold."""


def default_project_dir() -> Path:
    """Return the dbt project beside this package.

    Raises:
        UserMistake: the package was installed without it.
    """
    folder = Path(__file__).resolve().parents[2] / "dbt_project"
    if not (folder / "dbt_project.yml").is_file():
        raise UserMistake(
            f"expected the dbt project at {folder}, found none; install from a checkout: pip install -e ."
        )
    return folder


def dbt_executable() -> Path:
    """Return the dbt that belongs to this Python; the PATH may lead to another or to none."""
    return Path(sys.executable).with_name("dbt")


def ensure_manifest(project_dir: Path, target_path: Path) -> Path:
    """Return the manifest of the project as it is now, parsing the project (a few seconds) where it has changed.

    Safe to call from several processes at once. Dagster itself prepares a manifest only under `dagster dev`.

    Raises:
        DbtFailed: the project does not parse.
        TransientFailure: another process has held the lock for too long.
    """
    target_path.mkdir(parents=True, exist_ok=True)
    manifest = target_path / "manifest.json"
    with _exclusive(target_path / "manifest.lock"):
        fingerprint = project_fingerprint(project_dir)
        recorded = target_path / _FINGERPRINT
        if not (manifest.is_file() and recorded.is_file() and recorded.read_text() == fingerprint):
            run_dbt(["parse"], project_dir=project_dir, target_path=target_path)
            recorded.write_text(fingerprint)
    return manifest


def docs_site(project_dir: Path, target_path: Path, *, build_path: Path) -> Path:
    """Write the project's documentation as one static page and return its path.

    Without a build database the page shows models, tests and lineage, and no column types or row counts.

    Raises:
        DbtFailed: dbt could not write it.
        TransientFailure: a build has held the warehouse for too long.
    """
    folder = target_path / "docs"
    catalogue = [] if build_path.is_file() else ["--empty-catalog"]
    with warehouse_lock(build_path.parent):
        run_dbt(
            ["docs", "generate", "--static", *catalogue],
            project_dir=project_dir,
            target_path=folder,
            build_path=build_path,
        )
    return folder / "static_index.html"


def run_dbt(args: Sequence[str], *, project_dir: Path, target_path: Path, build_path: Path | None = None) -> str:
    """Run one dbt command to its end and return what it printed.

    Args:
        args: the command, such as `["build"]`.
        project_dir: holds `dbt_project.yml` and `profiles.yml`.
        target_path: receives artifacts and logs.
        build_path: the DuckDB file; only commands that open it need it.

    Raises:
        DbtFailed: the command failed; the message ends with the last of its output.
    """
    finished = subprocess.run(  # noqa: S603 - our own dbt, with arguments of ours
        [str(dbt_executable()), "--no-use-colors", *args],
        env={**os.environ, **dbt_environment(project_dir, target_path, build_path)},
        cwd=project_dir,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise DbtFailed(
            f"expected dbt {' '.join(args)} to succeed, it ended with {finished.returncode}; the log is "
            f"{target_path / 'dbt.log'}:\n{_ending(finished.stdout)}"
        )
    return finished.stdout


def build_arguments(rules: Mapping[str, int]) -> list[str]:
    """Return the command that builds and tests everything, with `rules` as dbt variables.

    dbt parses the project anew only when the variables differ from those of the run before.
    """
    return ["build", *(["--vars", json.dumps(dict(rules), sort_keys=True)] if rules else [])]


def _ending(output: str) -> str:
    """Return dbt's own summary of what failed, or the last of its output where it did not come that far."""
    _, _, summary = output.rpartition("Completed with")
    return summary[-_SHOWN_CHARACTERS:]


def dbt_environment(project_dir: Path, target_path: Path, build_path: Path | None) -> dict[str, str]:
    """Return the environment variables that point dbt to our folders and keep it from calling out."""
    return {
        "DBT_PROFILES_DIR": str(project_dir),
        "DBT_TARGET_PATH": str(target_path.resolve()),
        "DBT_LOG_PATH": str(target_path.resolve()),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        WAREHOUSE_PATH_VARIABLE: str((build_path or target_path / "none.duckdb").resolve()),
    }


@contextmanager
def warehouse_lock(warehouse_dir: Path) -> Iterator[None]:
    """Hold the warehouse: while one process writes a DuckDB file no other can open it, not even to read.

    Raises:
        TransientFailure: another process has held it for too long.
    """
    warehouse_dir.mkdir(parents=True, exist_ok=True)
    with _exclusive(warehouse_dir / "warehouse.lock"):
        yield


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    try:
        with FileLock(path, timeout=_LOCK_TIMEOUT_S):
            yield
    except Timeout as error:
        raise TransientFailure(
            f"expected the lock {path} within {_LOCK_TIMEOUT_S:.0f} s, another process still holds it; try again later"
        ) from error


def project_fingerprint(project_dir: Path) -> str:
    """Return a hash of the project's files and of dbt's version: clock times say little after a checkout."""
    digest = hashlib.sha256(f"{version('dbt-core')} {version('dbt-duckdb')}".encode())
    for path in sorted(project_dir.rglob("*")):
        relative = path.relative_to(project_dir)
        if path.suffix in _PROJECT_SUFFIXES and relative.parts[0] not in _GENERATED and path.is_file():
            digest.update(f"{relative.as_posix()}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
