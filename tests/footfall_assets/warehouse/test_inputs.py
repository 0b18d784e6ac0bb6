import shutil
from datetime import UTC, date, datetime

import pytest

from footfall_assets.contracts.imports import ImportKind
from footfall_assets.contracts.registry import Location, Registry
from footfall_assets.imports.import_file import import_csv, parse_csv
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


@pytest.mark.parametrize(
    ("kind", "text", "is_something"),
    [
        (ImportKind.COUNTS, "timestamp,location,source,in,out\n2024-01-05T09:00,corner,mat,12,4", True),
        (ImportKind.COUNTS, "timestamp,location,source,in,out\n2024-01-05T09:00,unheard_of,mat,12,4", False),
        (ImportKind.OPENING_HOURS, "location,weekday,opens,closes\ncorner,mon,09:00,20:00", False),
    ],
)
def test_what_a_counter_says_is_enough_to_publish(settings_of, tmp_path, kind, text, is_something) -> None:
    """Without any camera; opening hours alone say of nobody that they came."""
    platform = Platform(settings_of(tmp_path / "home"))
    assert warehouse_inputs_hash(platform) is None
    corner = Location(location_id="corner", name="Corner", partition_group="corner", valid_from=date(2024, 1, 1))
    now = datetime(2024, 6, 1, tzinfo=UTC)
    parsed = parse_csv(kind, "file.csv", text.encode(), registry=Registry(locations=(corner,)), now=now)
    import_csv(platform.lake, kind, parsed, now=now, lock_folder=tmp_path / "locks")
    assert (warehouse_inputs_hash(platform) is not None) is is_something
