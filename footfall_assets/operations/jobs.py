"""The jobs: each brings one stage up to date. Runs are parallel to each other, steps inside a run are not."""

from typing import Any, Final, TypeAlias

import dagster as dg

AssetJob: TypeAlias = Any  # what define_asset_job returns has no public name in Dagster

INTAKE_JOB: Final = "intake"
PLACES_JOB: Final = "places"
DAYS_JOB: Final = "days"
WAREHOUSE_JOB: Final = "warehouse"
FLEET_JOB: Final = "fleet_health"
REPORTS_JOB: Final = "report_files"

_PLACE_ASSETS: Final = ("images", "faces", "face_embeddings", "face_attributes", "local_visitors")
_DAY_ASSETS: Final = ("identities", "sightings", "crop_reserve")


def build_jobs(warehouse: dg.AssetsDefinition) -> list[AssetJob]:
    """Return the jobs; `warehouse` is the dbt asset."""
    marts = dg.AssetSelection.assets(warehouse) | dg.AssetSelection.assets("visitor_numbers", "publication")
    return [
        dg.define_asset_job(
            INTAKE_JOB, dg.AssetSelection.assets("batches"), description="Verify what landed and take it in."
        ),
        dg.define_asset_job(
            PLACES_JOB,
            dg.AssetSelection.assets(*_PLACE_ASSETS),
            description="From accepted batches to the local visitors of a location group and day.",
        ),
        dg.define_asset_job(
            DAYS_JOB,
            dg.AssetSelection.assets(*_DAY_ASSETS),
            description="Who is who over all locations, from the start of the linkage window to a day.",
        ),
        dg.define_asset_job(WAREHOUSE_JOB, marts, description="Build and test the marts, then publish them."),
        dg.define_asset_job(
            FLEET_JOB,
            dg.AssetSelection.assets("fleet"),
            description="Answer and configure devices, check their health.",
        ),
        dg.define_asset_job(
            REPORTS_JOB,
            dg.AssetSelection.assets("visitor_reports"),
            description="Write the visitor report of a day as files, one folder a location group.",
        ),
    ]
