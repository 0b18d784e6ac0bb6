"""Runs what is due through Dagster, in this process: the runs show in its UI like any other."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import dagster as dg

from footfall_assets.contracts.errors import PermanentFailure
from footfall_assets.contracts.registry import LocationMode
from footfall_assets.materialization import LEFT_OUT
from footfall_assets.operations.jobs import DAYS_JOB, INTAKE_JOB, PLACES_JOB, WAREHOUSE_JOB
from footfall_assets.operations.pending import pending
from footfall_assets.operations.state import read_state
from footfall_assets.partitions import LOCATION_GROUPS, place_key
from footfall_assets.platform import Place, Platform
from models.cache import verify

_QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # events go to the instance
Progress = Callable[[str, int, int], None]  # stage, number of the run, runs in the stage


class RunFailed(PermanentFailure):
    """A Dagster run ended with a failure."""


@dataclass
class RunSummary:
    """How many runs each stage took, and what they left out by reason."""

    runs: dict[str, int] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


class Runner:
    """Materialises the stages of a home one after the other."""

    def __init__(
        self, definitions: dg.Definitions, instance: dg.DagsterInstance, platform: Platform, progress: Progress
    ) -> None:
        self._definitions = definitions
        self._instance = instance
        self._platform = platform
        self._progress = progress
        self._summary = RunSummary()
        self._log_path = platform.settings.home / "run.log"

    def run_due(self) -> RunSummary:
        """Run everything that is due, stage by stage, and return what that took.

        Raises:
            RunFailed: a run failed; what was materialised before stays.
            models.errors.ModelError: a model that is needed is missing or was changed.
        """
        if pending(read_state(self._platform)).intake:
            self._execute(INTAKE_JOB, [None])
        self._run_places(pending(read_state(self._platform)).places)
        self._run_days(pending(read_state(self._platform)).days)
        if pending(read_state(self._platform)).warehouse:
            self._execute(WAREHOUSE_JOB, [None])
        return self._summary

    def run_places(self, places: Sequence[Place]) -> RunSummary:
        """Run these locations and days, due or not, and then whatever is due because of them."""
        self._run_places(places)
        return self.run_due()

    def _run_places(self, places: Iterable[Place]) -> None:
        places = tuple(places)
        self._require_models(places)
        registry = self._platform.registry
        keys = sorted({place_key(place.day, registry.group_of(place.location_id)) for place in places})
        groups = sorted({key.keys_by_dimension["location"] for key in keys})
        self._instance.add_dynamic_partitions(LOCATION_GROUPS, groups)
        self._execute(PLACES_JOB, keys)

    def _require_models(self, places: Sequence[Place]) -> None:
        """Raise ModelError before the first still is looked at, not from inside a run."""
        settings = self._platform.settings
        modes = {self._platform.location_mode(place) for place in places if self._platform.accepted_batches(place)}
        if modes - {LocationMode.OFF}:
            verify(self._platform.model_manifest.get(settings.detection.detector), settings.model_cache)
        if LocationMode.UNIQUE in modes:
            verify(self._platform.model_manifest.get(settings.embedding.embedder), settings.model_cache)

    def _run_days(self, days: Sequence[date]) -> None:
        self._execute(DAYS_JOB, [day.isoformat() for day in days])

    def _execute(self, job: str, partition_keys: Sequence[str | None]) -> None:
        definition = self._definitions.resolve_job_def(job)
        for number, key in enumerate(partition_keys, start=1):
            self._progress(job, number, len(partition_keys))
            with self._log_path.open("a") as log, redirect_stdout(log):  # dbt prints a line per model and test
                result = definition.execute_in_process(
                    instance=self._instance, partition_key=key, raise_on_error=False, run_config=_QUIET
                )
            if not result.success:
                raise RunFailed(_failure_message(job, key, result))
            self._summary.left_out.update(_left_out(result))
        if partition_keys:
            self._summary.runs[job] = self._summary.runs.get(job, 0) + len(partition_keys)


def _left_out(result: dg.ExecuteInProcessResult) -> Counter[str]:
    counts: Counter[str] = Counter()
    for event in result.get_asset_materialization_events():
        for name, value in event.materialization.metadata.items():
            if name.startswith(LEFT_OUT) and isinstance(value, dg.IntMetadataValue):
                counts[name.removeprefix(LEFT_OUT)] += value.value or 0
    return counts


def _failure_message(job: str, key: str | None, result: dg.ExecuteInProcessResult) -> str:
    failures = [event for event in result.all_events if event.is_step_failure]
    step = failures[0].step_key if failures else "start"
    error = failures[0].step_failure_data.error if failures else None
    while error is not None and error.cause is not None:
        error = error.cause
    cause = error.message.strip() if error else "no cause recorded"
    partition = f" of partition {key}" if key else ""
    return f"job {job}{partition} failed in {step}: {cause} (run {result.run_id} in the Dagster UI)"
