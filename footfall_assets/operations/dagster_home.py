"""Dagster's own state in the home, made once and under a lock: two processes opening a fresh one crash each other."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg
from filelock import FileLock

from footfall_assets.contracts.settings import PlatformSettings

_CONFIGURATION: Final = """\
telemetry:
  enabled: false
nux:
  enabled: false  # no invitation to sign up over the first page
concurrency:
  runs:
    max_concurrent_runs: 2
run_monitoring:
  enabled: true
"""


def prepare_dagster_home(settings: PlatformSettings) -> None:
    """Make Dagster's home where there is none, and name it to this process and its children."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ["FOOTFALL_HOME"] = str(settings.home)
    with FileLock(home / "first-start.lock"):
        configuration = home / "dagster.yaml"
        if not configuration.exists():
            configuration.write_text(_CONFIGURATION)
            with dg.DagsterInstance.get():
                pass


@contextmanager
def open_instance(settings: PlatformSettings) -> Iterator[dg.DagsterInstance]:
    """Yield the Dagster instance of the home; its runs are those that the UI shows."""
    prepare_dagster_home(settings)
    with dg.DagsterInstance.get() as instance:
        yield instance
