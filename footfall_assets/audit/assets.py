"""The audit asset: `crop_reserve`, off by default."""

from datetime import UTC, date, datetime

import dagster as dg

from footfall_assets.audit.reserve import refresh_crop_reserve
from footfall_assets.materialization import refresh_all, result
from footfall_assets.partitions import day_partitions
from footfall_assets.platform import Platform

GROUP = "audit"
RESERVE = "crop_reserve"  # purging and writing one day at once would leave crops without a key


def build_crop_reserve(first_day: date) -> dg.AssetsDefinition:
    """Return `crop_reserve` for a home that accepts data from `first_day` on."""
    of_the_day = dg.AssetDep("local_visitors", partition_mapping=dg.MultiToSingleDimensionPartitionMapping("day"))

    @dg.asset(
        group_name=GROUP,
        kinds={"python"},
        partitions_def=day_partitions(first_day),
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=[of_the_day],
    )
    def crop_reserve(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
        """One encrypted object per local visitor kept for audits of past days; none unless switched on."""
        now = datetime.now(UTC)
        days = sorted(date.fromisoformat(key) for key in context.partition_keys)
        with platform.exclusively(RESERVE):
            outcome, seconds = refresh_all(context, days, lambda day: refresh_crop_reserve(platform, day, now=now))
        return result(outcome, seconds)

    return crop_reserve
