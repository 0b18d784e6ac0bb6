from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.settings import (
    PARTITION_KEY_LIMIT,
    QualitySettings,
    check_partition_budget,
    load_settings,
)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch, tmp_path):
    import os  # noqa: PLC0415 - only to clear what the caller's shell has set

    for name in [name for name in os.environ if name.startswith("FOOTFALL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_the_defaults_work_and_every_path_is_absolute(tmp_path):
    settings = load_settings()
    assert settings.environment == "development"
    assert settings.home == tmp_path.resolve() / ".footfall"
    assert settings.lake_root == str(tmp_path.resolve() / ".footfall/lake")
    folders = (settings.dagster_home, settings.warehouse_dir, settings.dbt_target, settings.keys_dir)
    assert all(folder.is_relative_to(settings.home) and folder.is_absolute() for folder in folders)
    assert len(set(folders)) == len(folders)
    assert settings.model_cache.is_absolute()


def test_the_environment_overrides(monkeypatch):
    monkeypatch.setenv("FOOTFALL_QUALITY__MIN_SIZE_PX", "30")
    monkeypatch.setenv("FOOTFALL_THREADS", "4")
    monkeypatch.setenv("FOOTFALL_ENVIRONMENT", "production")
    settings = load_settings()
    assert (settings.quality.min_size_px, settings.threads, settings.environment) == (30.0, 4, "production")
    assert settings.quality.min_score == QualitySettings().min_score


@pytest.mark.parametrize(
    ("lake", "expected"),
    [
        ("s3://bucket/prefix", "s3://bucket/prefix"),
        ("data/lake", "{cwd}/data/lake"),
        ("/data/lake", "/data/lake"),
        ("~/lake", "{home}/lake"),
        ("", "{cwd}/.footfall/lake"),
    ],
)
def test_a_lake_is_a_bucket_or_an_absolute_folder(monkeypatch, tmp_path, lake, expected):
    monkeypatch.setenv("FOOTFALL_LAKE", lake)
    wanted = expected.format(cwd=tmp_path.resolve(), home=Path.home())
    settings = load_settings()
    monkeypatch.chdir("/")
    assert settings.lake_root == wanted


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FOOTFALL_THREADS", "0", "FOOTFALL_THREADS: Input should be greater"),
        ("FOOTFALL_THREADS", "two", "FOOTFALL_THREADS: Input should be a valid integer"),
        ("FOOTFALL_ENVIRONMENT", "staging", "FOOTFALL_ENVIRONMENT: Input should be 'development' or 'production'"),
        ("FOOTFALL_QUALITY__MIN_SIZE_PX", "small", "FOOTFALL_QUALITY__MIN_SIZE_PX: "),
        ("FOOTFALL_QUALITY__MIN_SIZE", "30", "FOOTFALL_QUALITY__MIN_SIZE: Extra inputs are not permitted"),
        ("FOOTFALL_LINKAGE__LOCAL_MAX_DISTANCE", "nan", "FOOTFALL_LINKAGE__LOCAL_MAX_DISTANCE: "),
        ("FOOTFALL_QUALITY__MIN_SHARPNESS", "inf", "FOOTFALL_QUALITY__MIN_SHARPNESS: "),
        ("FOOTFALL_LINKAGE__TRACKLET_MIN_IOU", "0", "FOOTFALL_LINKAGE__TRACKLET_MIN_IOU: "),
        ("FOOTFALL_LAKE", "gs://bucket", "FOOTFALL_LAKE: Value error, expected a folder or s3://"),
        ("FOOTFALL_WAREHOUSE_MEMORY", "2GB'; drop", "FOOTFALL_WAREHOUSE_MEMORY: "),
        ("FOOTFALL_DETECTION", "{bad", "a group of settings is a JSON object"),
        ("FOOTFALL_DETECTION", "5", "FOOTFALL_DETECTION: "),
        ("FOOTFALL_APP_PORT", "70000", "FOOTFALL_APP_PORT: "),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_variable(monkeypatch, name, value, says):
    monkeypatch.setenv(name, value)
    with pytest.raises(UserMistake) as caught:
        load_settings()
    assert says in str(caught.value)
    assert "correct or unset it" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_are_frozen():
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.threads = 3
    with pytest.raises(ValidationError):
        settings.quality.min_score = 0.1


@pytest.mark.parametrize(
    ("groups", "days", "keys"), [(1, 1, 1), (250, 400, PARTITION_KEY_LIMIT), (100_000, 1, PARTITION_KEY_LIMIT)]
)
def test_partitions_within_the_budget_are_counted(groups, days, keys):
    first = date(2024, 1, 1)
    assert check_partition_budget(groups, first, first + timedelta(days - 1)) == keys


@pytest.mark.parametrize(("groups", "days"), [(251, 400), (100_001, 1), (1000, 366)])
def test_more_partitions_than_dagster_carries_are_refused_with_the_way_out(groups, days):
    first = date(2024, 1, 1)
    with pytest.raises(UserMistake, match=rf"{groups} location groups x {days} days.*--group"):
        check_partition_budget(groups, first, first + timedelta(days - 1))
