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
    run_dbt,
)
from footfall_assets.warehouse.publication import TABLES


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


REFUSED = {
    "vector_of_floats": ("shape", "float[128]"),
    "list_of_doubles": ("shape", "double[]"),
    "small_vector": ("shape", "tinyint[]"),
    "bytes": ("shape", "blob"),
    "named_so": ("crop", "varchar"),
}


@pytest.fixture
def new_marts(tmp_path):
    """A project of new marts, one a column, under the configuration and with the macros of ours."""
    project = tmp_path / "project"
    folder = project / "models" / "marts"
    folder.mkdir(parents=True)
    for name in ("profiles.yml", "dbt_project.yml"):
        shutil.copy(default_project_dir() / name, project)
    shutil.copytree(default_project_dir() / "macros", project / "macros")
    models = []
    for name, (column, data_type) in {**REFUSED, "counts": ("sizes", "bigint[]")}.items():
        (folder / f"{name}.sql").write_text(f"select cast(null as {data_type}) as {column}")
        models.append({"name": name, "columns": [{"name": column, "data_type": data_type}]})
    (folder / "marts.yml").write_text(json.dumps({"version": 2, "models": models}))
    return project


def test_a_new_mart_with_a_vector_or_a_picture_does_not_build(new_marts, tmp_path):
    with pytest.raises(DbtFailed) as failure:
        run_dbt(["build"], project_dir=new_marts, target_path=tmp_path / "target", build_path=tmp_path / "build.duckdb")
    said = str(failure.value)
    for name, (column, _) in REFUSED.items():
        assert f"{name}: expected no column of vectors or image bytes, got {column} " in said
    assert "counts:" not in said


def test_every_published_table_is_watched(manifest):
    """A mart or a seed, whose configuration refuses vectors and pictures."""
    nodes = json.loads(manifest.read_text())["nodes"].values()
    hooks = {node["name"]: node["config"].get("post-hook", []) for node in nodes}
    watched = {name for name, found in hooks.items() if any("refuse_vectors" in hook["sql"] for hook in found)}
    published = {table for tables in TABLES.values() for table in tables}
    marts = {node["name"] for node in nodes if node["fqn"][1] == "marts" and node["resource_type"] == "model"}
    assert published | marts <= watched
