"""The capture assets: `batches` and `images`."""

from datetime import UTC, date, datetime
from time import monotonic

import dagster as dg

from footfall_assets.capture.enrolment import accept_enrolments
from footfall_assets.capture.intake import CODE_VERSION, take_in
from footfall_assets.capture.refresh import refresh_images
from footfall_assets.contracts.schemas import COVERAGE, IMAGES
from footfall_assets.materialization import check_schema, refresh_all, result, schema_check
from footfall_assets.partitions import place_partitions, places_of
from footfall_assets.platform import Outcome, Platform

GROUP = "capture"
INTAKE = "intake"  # two intakes at once would fight over the same landed object


@dg.asset(group_name=GROUP, kinds={"python"})
def batches(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
    """One object per verified edge batch. Draining the landing area again finds it empty; bad batches are set aside.

    Devices that ask to join are answered first, so that their batches find them known.
    """
    started = monotonic()
    with platform.exclusively(INTAKE):
        now = datetime.now(UTC)
        enrolled = accept_enrolments(platform.lake, platform.settings, now=now)
        report = take_in(platform.lake, platform.registry, platform.settings.intake, now=now)
    context.log.info("%d landed, %d accepted, %s", report.landed, report.accepted, dict(report.quarantined))
    report.quarantined.update(enrolled.refused)
    outcome = Outcome(rows=report.accepted, version=CODE_VERSION, left_out=report.quarantined)
    outcome.left_out["unreadable_name"] += report.unreadable_names
    return result(outcome, monotonic() - started, images=str(report.images), enrolled=", ".join(enrolled.accepted))


def build_capture_assets(first_day: date) -> list[dg.AssetsDefinition]:
    """Return the capture assets for a home that accepts data from `first_day` on."""

    @dg.asset(
        group_name=GROUP,
        kinds={"python", "parquet"},
        partitions_def=place_partitions(first_day),
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=[batches],
        check_specs=[schema_check("images")],
    )
    def images(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
        """One row per still that passed the edge filter. Rows add up over days and locations."""
        places = places_of(context.partition_keys, platform.registry)
        outcome, seconds = refresh_all(context, places, lambda place: refresh_images(platform, place))
        targets = [platform.place_of("images", place) for place in places]
        check = check_schema(platform, "images", targets, {"images": IMAGES, "coverage": COVERAGE})
        return result(outcome, seconds, [check])

    return [batches, images]
