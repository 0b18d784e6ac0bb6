"""What Dagster loads: every asset, job, sensor and schedule of one home."""

import warnings
from datetime import UTC, datetime

import dagster as dg

from footfall_assets.audit.assets import build_crop_reserve
from footfall_assets.capture.assets import build_capture_assets
from footfall_assets.contracts.settings import PlatformSettings, check_partition_budget, load_settings
from footfall_assets.identity.assets import build_identity_assets
from footfall_assets.operations.assets import build_fleet_schedule, fleet
from footfall_assets.operations.automation import build_automation
from footfall_assets.operations.jobs import build_jobs
from footfall_assets.operations.run_status import build_run_status_sensor
from footfall_assets.operations.scheduled_reports import build_report_schedule, build_visitor_reports
from footfall_assets.platform import Platform
from footfall_assets.vision.assets import build_vision_assets
from footfall_assets.warehouse.assets import build_warehouse_assets

# Chosen with open eyes: without backfill policies and dimension mappings a day of many locations is a run per key.
warnings.filterwarnings("ignore", category=dg.BetaWarning)


def build_definitions(settings: PlatformSettings) -> dg.Definitions:
    """Return the definitions of the home that `settings` name.

    Raises:
        UserMistake: more location groups x days than Dagster carries well.
    """
    platform = Platform(settings)
    registry = platform.registry
    today = datetime.now(UTC).date()
    first_day = registry.first_day or today
    check_partition_budget(len(registry.partition_groups()), first_day, today)
    warehouse, publication = build_warehouse_assets(settings.dbt_target)
    jobs = build_jobs(warehouse)
    sensor, schedule = build_automation(jobs, first_day)
    return dg.Definitions(
        assets=[
            *build_capture_assets(first_day),
            *build_vision_assets(first_day),
            *build_identity_assets(first_day),
            build_crop_reserve(first_day),
            warehouse,
            publication,
            fleet,
            build_visitor_reports(first_day),
        ],
        jobs=jobs,
        sensors=[sensor, build_run_status_sensor()],
        schedules=[schedule, build_fleet_schedule(), build_report_schedule(settings.reports)],
        resources={"platform": platform},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions of the home that the environment names."""
    return build_definitions(load_settings())
