"""The vision assets: `faces`, `face_embeddings` and, where switched on, `face_attributes`."""

from datetime import date

import dagster as dg

from footfall_assets.contracts.schemas import FACE_ATTRIBUTES, FACES
from footfall_assets.contracts.schemas import face_embeddings as face_embeddings_schema
from footfall_assets.materialization import check_schema, refresh_all, result, schema_check
from footfall_assets.partitions import place_partitions, places_of
from footfall_assets.platform import Platform
from footfall_assets.vision.refresh import refresh_face_attributes, refresh_face_embeddings, refresh_faces

GROUP = "vision"


def build_vision_assets(first_day: date) -> list[dg.AssetsDefinition]:
    """Return the vision assets for a home that accepts data from `first_day` on."""
    partitions = place_partitions(first_day)

    @dg.asset(
        group_name=GROUP,
        kinds={"python", "onnx"},
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=["images"],
        check_specs=[schema_check("faces")],
    )
    def faces(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> dg.MaterializeResult:
        """One row per face in one image. Rows add up over days and locations; they are not visitors."""
        places = places_of(context.partition_keys, platform.registry)
        outcome, seconds = refresh_all(context, places, lambda place: refresh_faces(platform, place))
        targets = [platform.place_of("faces", place) for place in places]
        check = check_schema(platform, "faces", targets, {"faces": FACES})
        return result(outcome, seconds, [check], detector=platform.settings.detection.detector)

    @dg.asset(
        group_name=GROUP,
        kinds={"python", "onnx"},
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=["faces"],
        check_specs=[schema_check("face_embeddings")],
    )
    def face_embeddings(
        context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
    ) -> dg.MaterializeResult:
        """One row per vector. Empty for locations that only count."""
        places = places_of(context.partition_keys, platform.registry)
        outcome, seconds = refresh_all(context, places, lambda place: refresh_face_embeddings(platform, place))
        targets = [platform.place_of("face_embeddings", place) for place in places]
        schema = face_embeddings_schema(platform.embedding_dim)
        check = check_schema(platform, "face_embeddings", targets, {"face_embeddings": schema})
        return result(outcome, seconds, [check], embedder=platform.settings.embedding.embedder)

    @dg.asset(
        group_name=GROUP,
        kinds={"python", "onnx"},
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=["face_embeddings"],
        check_specs=[schema_check("face_attributes")],
    )
    def face_attributes(
        context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
    ) -> dg.MaterializeResult:
        """One row per face good enough to guess age, gender or expression of; none where they are switched off."""
        places = places_of(context.partition_keys, platform.registry)
        outcome, seconds = refresh_all(context, places, lambda place: refresh_face_attributes(platform, place))
        targets = [platform.place_of("face_attributes", place) for place in places]
        check = check_schema(platform, "face_attributes", targets, {"face_attributes": FACE_ATTRIBUTES})
        return result(outcome, seconds, [check])

    return [faces, face_embeddings, face_attributes]
