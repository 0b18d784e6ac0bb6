"""Sensor and schedule: both ask `pending()` and request runs for the first stage that is due."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from footfall_assets.operations.jobs import DAYS_JOB, INTAKE_JOB, PLACES_JOB, WAREHOUSE_JOB, AssetJob
from footfall_assets.operations.pending import Pending, pending
from footfall_assets.operations.state import read_state
from footfall_assets.partitions import LOCATION_GROUPS, place_key
from footfall_assets.platform import Platform

_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
_BACK_OFF = timedelta(minutes=10)  # after a failed run, before the same one is requested again
_JOBS = (INTAKE_JOB, PLACES_JOB, DAYS_JOB, WAREHOUSE_JOB)


def next_requests(due: Pending, platform: Platform) -> Iterator[dg.RunRequest]:
    """Yield the runs of the first stage that is due; the stages after it show once it is done.

    No run key: Dagster would remember it for ever, and a rerun of an up-to-date partition costs nothing.
    """
    if due.intake:
        yield dg.RunRequest(job_name=INTAKE_JOB)
    elif due.places:
        registry = platform.registry
        keys = {place_key(place.day, registry.group_of(place.location_id)) for place in due.places}
        for key in sorted(keys):
            yield dg.RunRequest(job_name=PLACES_JOB, partition_key=key)
    elif due.days:
        yield dg.RunRequest(
            job_name=DAYS_JOB,
            tags={
                "dagster/asset_partition_range_start": due.days[0].isoformat(),
                "dagster/asset_partition_range_end": due.days[-1].isoformat(),
            },
        )
    elif due.warehouse:
        yield dg.RunRequest(job_name=WAREHOUSE_JOB)


def _evaluate(
    instance: dg.DagsterInstance, platform: Platform, first_day: date = date.min
) -> dg.SensorResult | dg.SkipReason:
    unfinished = instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED), limit=50)
    busy = sorted({run.job_name for run in unfinished if run.job_name in _JOBS})
    if busy:
        return dg.SkipReason(f"still running: {', '.join(busy)}")
    groups = platform.registry.partition_groups()
    missing = [group for group in groups if not instance.has_dynamic_partition(LOCATION_GROUPS, group)]
    due = pending(read_state(platform))
    earliest = min((*(place.day for place in due.places), *due.days), default=date.max)
    if earliest < first_day:
        return dg.SkipReason(
            f"{earliest} lies before {first_day}, the first partition these definitions were loaded with; "
            "reload the code location"
        )
    if due.nothing and not missing:
        return dg.SkipReason("everything is up to date")
    new_groups = dg.DynamicPartitionsDefinition(name=LOCATION_GROUPS).build_add_request(missing)
    requests = [each for each in next_requests(due, platform) if not _failed_lately(instance, each)]
    return dg.SensorResult(run_requests=requests, dynamic_partitions_requests=[new_groups] if missing else [])


def _failed_lately(instance: dg.DagsterInstance, request: dg.RunRequest) -> bool:
    """Return whether the newest run of the same job and partition failed a short while ago."""
    tags = {name: value for name, value in request.tags.items() if name.startswith("dagster/asset_partition")}
    if request.partition_key:
        tags["dagster/partition"] = request.partition_key
    newest = instance.get_run_records(dg.RunsFilter(job_name=request.job_name, tags=tags), limit=1)
    return any(
        record.dagster_run.status is dg.DagsterRunStatus.FAILURE
        and record.update_timestamp > datetime.now(UTC) - _BACK_OFF
        for record in newest
    )


def build_automation(jobs: Sequence[AssetJob], first_day: date) -> tuple[dg.SensorDefinition, dg.ScheduleDefinition]:
    """Return the sensor that keeps today fresh and the nightly schedule that catches what it may have missed."""

    @dg.sensor(
        name="pending_work",
        jobs=[job for job in jobs if job.name in _JOBS],
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Requests the next stage of whatever is not up to date.",
    )
    def pending_work(
        context: dg.SensorEvaluationContext, platform: dg.ResourceParam[Platform]
    ) -> dg.SensorResult | dg.SkipReason:
        return _evaluate(context.instance, platform, first_day)

    @dg.schedule(
        name="nightly_warehouse",
        job_name=WAREHOUSE_JOB,
        cron_schedule="30 3 * * *",
        execution_timezone="UTC",
        description="Rebuilds and publishes the marts where the sensor was off or has failed.",
    )
    def nightly_warehouse(
        context: dg.ScheduleEvaluationContext, platform: dg.ResourceParam[Platform]
    ) -> dg.RunRequest | dg.SkipReason:
        del context
        if pending(read_state(platform)).nothing:
            return dg.SkipReason("everything is up to date")
        return dg.RunRequest()

    return pending_work, nightly_warehouse
