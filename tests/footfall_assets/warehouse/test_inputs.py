import shutil
from datetime import date

from footfall_assets.platform import Platform
from footfall_assets.warehouse import inputs
from footfall_assets.warehouse.inputs import warehouse_inputs_hash
from footfall_assets.warehouse.project import default_project_dir


def test_a_build_follows_other_marts_of_the_same_data(settings_of, tmp_path, monkeypatch) -> None:
    """After an upgrade `footfall run` publishes what the new models say, with no new still."""
    platform = Platform(settings_of(tmp_path / "home"))
    platform.partitions.commit(platform.day_of("sightings", date(2024, 1, 5)), "0" * 64, [])
    project = tmp_path / "dbt_project"
    shutil.copytree(default_project_dir(), project, ignore=shutil.ignore_patterns("target", "logs"))
    monkeypatch.setattr(inputs, "default_project_dir", lambda: project)
    before = warehouse_inputs_hash(platform)
    assert warehouse_inputs_hash(platform) == before
    model = project / "models" / "marts" / "footfall_daily.sql"
    model.write_text(model.read_text() + "\n-- another way to count\n")
    assert warehouse_inputs_hash(platform) not in {None, before}
