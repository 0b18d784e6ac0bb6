import json
import shutil

import pytest

from footfall_assets.warehouse.project import (
    DbtFailed,
    build_arguments,
    dbt_executable,
    default_project_dir,
    docs_site,
    ensure_manifest,
)


@pytest.fixture(scope="module")
def manifest(target_path):
    return ensure_manifest(default_project_dir(), target_path)


def test_the_manifest_lies_in_the_home(manifest, target_path):
    assert manifest == target_path / "manifest.json"
    assert json.loads(manifest.read_text())["metadata"]["adapter_type"] == "duckdb"
    assert not (default_project_dir() / "target").exists()
    assert not (default_project_dir() / "logs").exists()


def test_an_unchanged_project_is_not_parsed_again(manifest, target_path):
    before = manifest.stat().st_mtime_ns
    assert ensure_manifest(default_project_dir(), target_path).stat().st_mtime_ns == before


@pytest.fixture
def small_project(tmp_path):
    project = tmp_path / "project"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: small\nprofile: footfall\n")
    shutil.copy(default_project_dir() / "profiles.yml", project)
    return project


def test_a_changed_project_is_parsed_again_and_its_mistake_named(small_project, tmp_path):
    """A checkout keeps old clock times, so the content decides."""
    target = tmp_path / "target"
    target.mkdir()
    (target / "manifest.json").write_text("{}")
    (small_project / "models" / "broken.sql").write_text("select * from {{ ref('nowhere') }}")
    with pytest.raises(DbtFailed, match="nowhere") as failure:
        ensure_manifest(small_project, target)
    assert str(target / "dbt.log") in str(failure.value)


def test_dbt_belongs_to_this_python():
    assert dbt_executable().is_file()


def test_rules_become_variables():
    assert build_arguments({}) == ["build"]
    assert build_arguments({"visit_gap_s": 60, "appearance_gap_s": 5}) == [
        "build",
        "--vars",
        '{"appearance_gap_s": 5, "visit_gap_s": 60}',
    ]


def test_documentation_is_one_page(built, target_path):
    page = docs_site(default_project_dir(), target_path, build_path=built.build.path)
    text = page.read_text()
    assert "a run of sightings of one visitor" in text
    assert "TIMESTAMP WITH TIME ZONE" in text  # from the catalogue of the build
