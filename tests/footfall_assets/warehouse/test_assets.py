"""The warehouse as Dagster sees it: real runs in one process."""

import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from footfall_assets.contracts.publication import CURRENT_KEY
from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.storage.lake import FolderLake
from footfall_assets.warehouse.assets import build_warehouse_assets
from footfall_assets.warehouse.build import BUILD_FILE, BuildIncomplete
from footfall_assets.warehouse.project import WAREHOUSE_PATH_VARIABLE
from footfall_assets.warehouse.publication import TABLES, inputs_hash_of, publish
from footfall_assets.warehouse.sources import WarehouseInputs


@dataclass
class SmallPlatform:
    lake: FolderLake
    warehouse_dir: Path
    inputs: WarehouseInputs
    settings: PlatformSettings = field(default_factory=PlatformSettings)


@pytest.fixture(scope="module")
def assets(target_path):
    return build_warehouse_assets(target_path)


def run(assets, platform, **options):
    """Run both assets on inputs of ours: where they come from in the lake is tested with `inputs`."""
    definitions = dg.Definitions(
        assets=assets,
        resources={"platform": platform},
        jobs=[dg.define_asset_job("warehouse", executor_def=dg.in_process_executor)],
    )
    with (
        pytest.MonkeyPatch.context() as patch,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        patch.setattr("footfall_assets.warehouse.assets.collect_inputs", lambda platform: platform.inputs)
        patch.setattr("footfall_assets.warehouse.assets.record_version_causes", lambda _: None)
        return definitions.resolve_job_def("warehouse").execute_in_process(instance=instance, **options)


def specs_of(assets):
    return {spec.key.to_user_string(): spec for asset in assets for spec in asset.specs}


def test_keys_groups_and_what_lies_upstream(assets):
    specs = specs_of(assets)
    upstream = {name: {dep.asset_key.to_user_string() for dep in spec.deps} for name, spec in specs.items()}
    assert upstream["stg_sightings"] == {"sightings"}
    assert upstream["stg_identities"] == {"identities"}
    assert upstream["stg_visitor_numbers"] == {"visitor_numbers"}
    assert upstream["stg_coverage"] == {"images"}
    assert upstream["stg_locations"] == upstream["stg_home"] == {"registry"}
    assert upstream["publication"] == {table for tables in TABLES.values() for table in tables}
    groups = {name: spec.group_name for name, spec in specs.items()}
    assert groups["stg_sightings"] == "staging"
    assert groups["int_visits"] == "intermediate"
    assert groups["fct_visits"] == "marts"
    assert groups["unidentified_reasons"] == "reference"


def test_no_pool_that_a_killed_run_could_hold(assets):
    """The warehouse's file lock keeps writers apart; a killed run's slot in a pool made the next run wait for ever."""
    assert {asset.node_def.pool for asset in assets} == {None}


def test_every_data_test_is_an_asset_check(assets):
    checks = {key.name for asset in assets for key in asset.check_keys}
    assert "assert_day_uniques_fit_the_hours" in checks
    assert "dwell_is_never_negative" in checks


@pytest.fixture(scope="module")
def platform(built, tmp_path_factory):
    """The rows of the shared build in another order and in other files."""
    folder = tmp_path_factory.mktemp("dagster")
    return SmallPlatform(FolderLake(folder / "lake"), folder / "warehouse", built.home.write(folder / "inputs", seed=2))


@pytest.fixture(scope="module")
def good_run(assets, platform):
    return run(assets, platform)


def test_a_run_publishes(good_run, platform):
    assert good_run.success
    [materialised] = good_run.asset_materializations_for_node("publication")
    assert materialised.metadata["is_new"].value is True
    assert platform.lake.read(CURRENT_KEY).decode() == materialised.metadata["publication_id"].value
    assert all(check.passed for check in good_run.get_asset_check_evaluations())
    assert len(good_run.get_asset_check_evaluations()) > 60


def test_shuffled_inputs_publish_the_same_content(good_run, platform, built, tmp_path):
    published = publish(built.build.path, FolderLake(tmp_path), published_at=datetime.now(UTC))
    assert platform.lake.read(CURRENT_KEY).decode() == published.publication_id


def test_the_environment_is_as_before(good_run):
    assert WAREHOUSE_PATH_VARIABLE not in os.environ


def test_a_few_models_alone_are_built_from_what_the_others_were(good_run, assets, platform, tmp_path, new_home):
    """New inputs under one mart and old ones under the others must not be published together."""
    build_path = platform.warehouse_dir / BUILD_FILE
    newer = replace(platform, inputs=new_home().write(tmp_path / "inputs", inputs_hash="b" * 64))
    assert run(assets, newer, asset_selection=[dg.AssetKey("dim_camera_groups")]).success
    assert inputs_hash_of(build_path) == "a" * 64
    assert publish(build_path, FolderLake(tmp_path), published_at=datetime.now(UTC)).inputs_hash == "a" * 64


def test_a_few_models_need_a_whole_build_first(assets, tmp_path, built):
    empty = SmallPlatform(FolderLake(tmp_path / "lake"), tmp_path / "warehouse", built.inputs)
    with pytest.raises(BuildIncomplete, match="footfall run"):
        run(assets, empty, asset_selection=[dg.AssetKey("dim_camera_groups")])


def test_a_test_that_fails_keeps_the_old_publication(good_run, assets, platform, tmp_path, new_home):
    """A visitor without a number would be a line without a Visitor ID in the report."""
    before = platform.lake.read(CURRENT_KEY)
    home = new_home()
    home.numbers.popitem()
    broken = SmallPlatform(platform.lake, tmp_path / "warehouse", home.write(tmp_path / "inputs"))
    result = run(assets, broken, raise_on_error=False)
    assert not result.success
    failed = {check.check_name for check in result.get_asset_check_evaluations() if not check.passed}
    assert "identified_sightings_have_a_visitor_id" in failed
    assert platform.lake.read(CURRENT_KEY) == before
    with pytest.raises(BuildIncomplete):  # nor may somebody publish by hand what failed
        publish(broken.warehouse_dir / BUILD_FILE, platform.lake, published_at=datetime.now(UTC))
