"""The identity assets: `local_visitors` by place, `identities` and `sightings` by day, `visitor_numbers`."""

from collections.abc import Mapping
from datetime import date
from time import monotonic

import dagster as dg

from footfall_assets.contracts.schemas import (
    CORRECTIONS,
    CUTS,
    IDENTITIES,
    LOCAL_VISITORS,
    PROVISIONAL,
    SIGHTINGS,
    STRANGERS,
    local_visitor_templates,
)
from footfall_assets.domain.strangers import Strangers
from footfall_assets.identity.fates import provisional_note, summary
from footfall_assets.identity.places import refresh_places
from footfall_assets.identity.refresh import refresh_identities, refresh_sightings
from footfall_assets.identity.visitor_numbers import refresh_visitor_numbers
from footfall_assets.materialization import check_schema, refresh_all, result, schema_check
from footfall_assets.partitions import day_partitions, place_partitions, places_of
from footfall_assets.platform import Platform

GROUP = "identity"
LEDGER = "visitor_numbers"  # two appends at once would give a number twice
CORRECTIONS_CHECK = "corrections_match"
STRANGERS_CHECK = "strangers_stay_strangers"


def _corrections_check() -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        CORRECTIONS_CHECK, asset="identities", description="Every correction event finds the sightings it points at"
    )


def _days(context: dg.AssetExecutionContext) -> list[date]:
    return sorted(date.fromisoformat(key) for key in context.partition_keys)


def build_local_visitors(first_day: date) -> dg.AssetsDefinition:
    """Return `local_visitors` for a home that accepts data from `first_day` on."""

    @dg.asset(
        group_name=GROUP,
        kinds={"python", "numpy"},
        partitions_def=place_partitions(first_day),
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=["face_embeddings"],
        check_specs=[schema_check("local_visitors")],
    )
    def local_visitors(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
        """One row per face, assigned to a visitor of its location and day or left out with a reason."""
        places = places_of(context.partition_keys, platform.registry)
        outcomes = refresh_places(platform, places)
        outcome, seconds = refresh_all(context, places, lambda _: next(outcomes))
        targets = [platform.place_of("local_visitors", place) for place in places]
        schemas = {"local_visitors": LOCAL_VISITORS, "templates": local_visitor_templates(platform.embedding_dim)}
        return result(outcome, seconds, [check_schema(platform, "local_visitors", targets, schemas)])

    return local_visitors


def _strangers_check() -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        STRANGERS_CHECK,
        asset="identities",
        description="People who certainly are different match no more often than the calibration says",
    )


def _strangers(platform: Platform, found: Mapping[str, float]) -> dg.AssetCheckResult:
    strangers = Strangers(int(found["stranger_pairs"]), int(found["stranger_matches"]))
    calibrated = platform.calibration.evaluation.false_match_rate if platform.calibration else None
    return dg.AssetCheckResult(
        check_name=STRANGERS_CHECK,
        asset_key="identities",
        passed=calibrated is None or strangers.fits(calibrated),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "pairs": strangers.pairs,
            "matches": strangers.matches,
            "rate": strangers.rate if strangers.rate is not None else "no such pair",
            "calibrated_rate": calibrated if calibrated is not None else "no calibration",
        },
    )


def build_identities(first_day: date) -> dg.AssetsDefinition:
    """Return `identities` for a home that accepts data from `first_day` on."""
    of_the_day = dg.AssetDep("local_visitors", partition_mapping=dg.MultiToSingleDimensionPartitionMapping("day"))
    of_the_day_before = dg.AssetDep(
        "identities",
        partition_mapping=dg.TimeWindowPartitionMapping(
            start_offset=-1, end_offset=-1, allow_nonexistent_upstream_partitions=True
        ),
    )

    @dg.asset(
        group_name=GROUP,
        kinds={"python", "numpy"},
        partitions_def=day_partitions(first_day),
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=[of_the_day, of_the_day_before],
        check_specs=[schema_check("identities"), _corrections_check(), _strangers_check()],
    )
    def identities(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
        """One row per local visitor from the start of the linkage window to this day, with its `face_id`.

        Do not add days up: each holds all days of the window before it. A day of a large window may be provisional.
        """
        days = _days(context)
        outcome, seconds = refresh_all(context, days, lambda day: refresh_identities(platform, day))
        targets = [platform.day_of("identities", day) for day in days]
        schemas = {
            "identities": IDENTITIES,
            "cuts": CUTS,
            "corrections": CORRECTIONS,
            "strangers": STRANGERS,
            "provisional": PROVISIONAL,
        }
        found = summary(platform, platform.partitions.manifest(targets[-1]))
        unmatched = dg.AssetCheckResult(
            check_name=CORRECTIONS_CHECK,
            asset_key="identities",
            passed=found["corrections_unmatched"] == 0,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"unmatched": found["corrections_unmatched"]},
        )
        checks = [check_schema(platform, "identities", targets, schemas), unmatched, _strangers(platform, found)]
        return result(outcome, seconds, checks, **found, **provisional_note(platform, targets[-1]))

    return identities


def build_sightings(first_day: date) -> dg.AssetsDefinition:
    """Return `sightings` for a home that accepts data from `first_day` on."""
    of_the_day = dg.AssetDep("local_visitors", partition_mapping=dg.MultiToSingleDimensionPartitionMapping("day"))

    @dg.asset(
        group_name=GROUP,
        kinds={"python", "parquet"},
        partitions_def=day_partitions(first_day),
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=[of_the_day],
        check_specs=[schema_check("sightings")],
    )
    def sightings(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
        """One row per face of one day, all locations. Rows add up over days; they are not visitors."""
        days = _days(context)
        outcome, seconds = refresh_all(context, days, lambda day: refresh_sightings(platform, day))
        targets = [platform.day_of("sightings", day) for day in days]
        return result(outcome, seconds, [check_schema(platform, "sightings", targets, {"sightings": SIGHTINGS})])

    return sightings


@dg.asset(group_name=GROUP, kinds={"python", "parquet"}, deps=[dg.AssetDep("identities")])
def visitor_numbers(
    context: dg.AssetExecutionContext,  # noqa: ARG001 - Dagster passes it
    platform: dg.ResourceParam[Platform],
) -> dg.MaterializeResult:
    """One row per visitor of a linkage window: its Visitor ID, in an append-only ledger."""
    started = monotonic()
    with platform.exclusively(LEDGER):
        outcome = refresh_visitor_numbers(platform)
    return result(outcome, monotonic() - started)


def build_identity_assets(first_day: date) -> list[dg.AssetsDefinition]:
    """Return the identity assets for a home that accepts data from `first_day` on."""
    return [
        build_local_visitors(first_day),
        build_identities(first_day),
        build_sightings(first_day),
        visitor_numbers,
    ]
