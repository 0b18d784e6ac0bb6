"""The warehouse in Dagster: every dbt node as an asset, and the publication behind them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, dbt_assets
from packaging.version import Version

from footfall_assets.contracts.publication import Publication
from footfall_assets.platform import Platform
from footfall_assets.warehouse.build import BUILD_FILE, finish_build, load_build_sources, loaded_rules
from footfall_assets.warehouse.inputs import collect_inputs, record_built_from
from footfall_assets.warehouse.project import (
    WAREHOUSE_MEMORY_VARIABLE,
    build_arguments,
    dbt_environment,
    dbt_executable,
    default_project_dir,
    ensure_manifest,
    warehouse_lock,
)
from footfall_assets.warehouse.publication import TABLES, inputs_hash_of, publish
from footfall_assets.warehouse.publication_retention import remove_passed_publications
from footfall_assets.warehouse.version_causes import record_version_causes

PUBLICATION: Final = dg.AssetKey("publication")

# What each source table is made from. The registry and the calibration are no assets of ours: they show as external.
_SOURCE_ASSETS: Final[Mapping[str, str]] = {
    "sightings": "sightings",
    "identities": "identities",
    "cuts": "identities",
    "strangers": "identities",
    "provisional": "identities",
    "calibration": "calibration",
    "visitor_numbers": "visitor_numbers",
    "coverage": "images",
    "counts": "imports",
    "sales": "imports",
    "planned_staff": "imports",
    "opening_hours": "imports",
    "face_attributes": "face_attributes",
    "attribute_confusion": "attribute_calibration",
    "location_attributes": "registry",
    "locations": "registry",
    "cameras": "registry",
    "camera_zones": "registry",
    "camera_groups": "registry",
    "home": "registry",
}
_LAYERS: Final = frozenset({"staging", "intermediate", "marts"})


class WarehouseTranslator(DagsterDbtTranslator):
    """Names dbt nodes in Dagster: the model's name as key, its layer as group, sources as the assets behind them."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return the upstream asset of a source, and the plain name of everything else."""
        name = str(dbt_resource_props["name"])
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey(_SOURCE_ASSETS[name])
        return dg.AssetKey(name)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the layer a model lies in; seeds are reference lists, sources come from the pipeline."""
        layer = str(dbt_resource_props["fqn"][1])
        return layer if layer in _LAYERS else "reference"


class _InstalledDbt(DbtCliResource):
    """dbt without `dbt --version`, which takes 3 seconds and asks the package index for newer ones."""

    @cached_property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))


def build_warehouse_assets(
    target_path: Path, *, project_dir: Path | None = None
) -> tuple[dg.AssetsDefinition, dg.AssetsDefinition]:
    """Return the dbt assets and the asset `publication`; both need the resource `platform`.

    Parses the dbt project where it has changed since the manifest below `target_path` was written.

    Args:
        target_path: absolute folder of the home that receives what dbt writes.
        project_dir: the dbt project; by default the one beside this package.

    Raises:
        DbtFailed: the project does not parse.
    """
    project = project_dir or default_project_dir()
    manifest = ensure_manifest(project, target_path)

    @dbt_assets(manifest=manifest, dagster_dbt_translator=WarehouseTranslator(), name="dbt")
    def warehouse(context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]) -> Iterator[Any]:
        build_path = platform.warehouse_dir / BUILD_FILE
        target = target_path / "build"
        memory = platform.settings.warehouse_memory
        variables = {**dbt_environment(project, target, build_path), WAREHOUSE_MEMORY_VARIABLE: memory}
        with warehouse_lock(platform.warehouse_dir), _environment(variables):
            is_whole = context.selected_asset_keys >= warehouse.keys
            if is_whole:  # a few models alone are built from what the others were, so that all marts fit together
                inputs = collect_inputs(platform)
                context.log.info("loaded %s", load_build_sources(build_path, inputs, memory=memory))
            dbt = _InstalledDbt(project_dir=str(project), dbt_executable=str(dbt_executable()))
            command = build_arguments(loaded_rules(build_path))
            yield from dbt.cli(command, context=context, target_path=target.resolve()).stream()
            if is_whole:
                finish_build(build_path)

    @dg.asset(
        key=PUBLICATION,
        group_name="publication",
        deps=[dg.AssetKey(name) for name in sorted({table for tables in TABLES.values() for table in tables})],
        kinds={"duckdb"},
        description="One row per publication: three database files, and the pointer that readers follow.",
    )
    def publication(
        context: dg.AssetExecutionContext, platform: dg.ResourceParam[Platform]
    ) -> dg.MaterializeResult[None]:
        with warehouse_lock(platform.warehouse_dir):
            moment = datetime.now(UTC)
            build_path = platform.warehouse_dir / BUILD_FILE
            record_version_causes(platform)
            published = publish(
                build_path, platform.lake, published_at=moment, memory=platform.settings.warehouse_memory
            )
            record_built_from(platform.lake, inputs_hash_of(build_path), published.publication_id)
            removed = remove_passed_publications(platform.lake, now=moment)
            context.log.info("removed %d publications that had passed", len(removed))
        return _result(published, is_new=published.published_at == moment)

    return warehouse, publication


def _result(published: Publication, *, is_new: bool) -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(
        data_version=dg.DataVersion(published.publication_id),
        metadata={
            "publication_id": published.publication_id,
            "is_new": is_new,
            "first_day": str(published.first_day),
            "last_day": str(published.last_day),
            **{f"{kind}_bytes": file.size_bytes for kind, file in published.files.items()},
            "inputs_hash": published.inputs_hash,
        },
    )


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the time of the context: dagster-dbt hands dbt those of this process, no others."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
