"""The `fleet` asset: devices that ask to join are answered, configurations are issued, and what is wrong is said."""

from datetime import UTC, datetime
from typing import Final

import dagster as dg

from footfall_assets.capture.desired import publish_desired
from footfall_assets.capture.enrolment import accept_enrolments, waiting_enrolments
from footfall_assets.operations.jobs import FLEET_JOB
from footfall_assets.platform import Platform
from footfall_assets.reporting.fleet_status import CameraHealth, DeviceState, FleetStatus, fleet_status

HEALTH_CHECK: Final = "health"
_MOST_PROBLEMS: Final = 50  # in one check's text


@dg.asset(
    group_name="operations",
    kinds={"python"},
    check_specs=[
        dg.AssetCheckSpec(
            HEALTH_CHECK,
            asset="fleet",
            description="Silent devices and cameras, spool depth, drops, clock skew, refused configurations",
        )
    ],
)
def fleet(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """One row per device. Answers who asks to join, and issues what a change, a date or a crash has left due."""
    now = datetime.now(UTC)
    enrolled = accept_enrolments(platform.lake, platform.settings, now=now)
    published = publish_desired(platform.lake, platform.settings, now=now, check_all=True)
    status = fleet_status(platform.lake, platform.registry, platform.settings.fleet, now=now)
    for problem in status.problems:
        context.log.warning("%s", problem)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(status.devices),
            "enrolled": ", ".join(enrolled.accepted),
            "refused_enrolments": enrolled.refused.total(),
            "configurations_issued": len(published),
            **_counts(status),
        },
        check_results=[health_result(status)],
    )


def _counts(status: FleetStatus) -> dict[str, int]:
    states = {f"devices_{state}": sum(device.state is state for device in status.devices) for state in DeviceState}
    silent = sum(device.cameras_that_are(CameraHealth.SILENT) for device in status.devices)
    reports = [device.report for device in status.devices if device.report]
    return {
        **states,
        "cameras_silent": silent,
        "spool_items": sum(report.spool_items for report in reports),
        "dropped_stills": sum(report.dropped_stills for report in reports),
        **{f"quarantined_{reason}": count for reason, count in status.quarantined.items()},
    }


def health_result(status: FleetStatus) -> dg.AssetCheckResult:
    """Return the check: a warning with one line per problem, or that there is none."""
    problems = status.problems
    shown = "\n".join(problems[:_MOST_PROBLEMS])
    return dg.AssetCheckResult(
        check_name=HEALTH_CHECK,
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(problems)} problems" if problems else f"{len(status.devices)} devices, nothing wrong",
        metadata={"problems": dg.MetadataValue.text(shown), "count": len(problems)},
    )


def build_fleet_schedule() -> dg.ScheduleDefinition:
    """Return the schedule that looks after the fleet: a device that is silent lands nothing that would start a run."""

    @dg.schedule(
        name="fleet_every_five_minutes",
        job_name=FLEET_JOB,
        cron_schedule="*/5 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Answers devices that ask to join, issues configurations, checks the fleet's health.",
    )
    def fleet_every_five_minutes(
        context: dg.ScheduleEvaluationContext, platform: dg.ResourceParam[Platform]
    ) -> dg.RunRequest | dg.SkipReason:
        del context
        devices = any(device.location_id is not None for device in platform.registry.devices)
        if not devices and not waiting_enrolments(platform.lake):
            return dg.SkipReason("there is no device")
        return dg.RunRequest()

    return fleet_every_five_minutes
