"""The newest runs as a document in the lake: a sensor keeps it fresh, `footfall run` writes it at its end."""

from datetime import UTC, datetime

import dagster as dg

from footfall_assets.contracts.run_status import RUN_STATUS_KEY, RUNS_AT_MOST, RecentRuns, RunStatus
from footfall_assets.platform import Platform
from footfall_assets.storage.lake import LakeStore


def newest_runs(instance: dg.DagsterInstance, *, now: datetime) -> RecentRuns:
    """Return the newest runs of `instance`, newest first; `now` is timezone-aware."""
    return RecentRuns(at=now, runs=tuple(_status(record) for record in instance.get_run_records(limit=RUNS_AT_MOST)))


def write_run_status(instance: dg.DagsterInstance, lake: LakeStore, *, now: datetime) -> RecentRuns:
    """Write the newest runs into the lake and return them."""
    found = newest_runs(instance, now=now)
    lake.write(RUN_STATUS_KEY, found.model_dump_json().encode())
    return found


def _status(record: dg.RunRecord) -> RunStatus:
    run = record.dagster_run
    tags = run.tags
    first, last = (tags.get(f"dagster/asset_partition_range_{end}") for end in ("start", "end"))
    return RunStatus(
        run_id=run.run_id,
        job=run.job_name,
        partition=tags.get("dagster/partition") or (f"{first} to {last}" if first else None),
        status=run.status.value.lower(),
        started_at=_moment(record.start_time),
        ended_at=_moment(record.end_time),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def build_run_status_sensor() -> dg.SensorDefinition:
    """Return the sensor that writes the newest runs for the explorer; it never starts one."""

    @dg.sensor(
        name="run_status",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Writes the newest runs into the lake, where the explorer's Operations page reads them.",
    )
    def run_status(context: dg.SensorEvaluationContext, platform: dg.ResourceParam[Platform]) -> dg.SkipReason:
        found = write_run_status(context.instance, platform.lake, now=datetime.now(UTC))
        return dg.SkipReason(f"wrote {len(found.runs)} runs")

    return run_status
