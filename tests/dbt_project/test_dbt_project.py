"""What the dbt project promises about itself: layers, contracts, descriptions, one style."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from footfall_assets.warehouse.project import default_project_dir, ensure_manifest
from footfall_assets.warehouse.publication import AGGREGATE_TABLES, PROTECTED_TABLES, VISITOR_TABLES

PROJECT = default_project_dir()
SQL_FILES = sorted((PROJECT / "models").rglob("*.sql"))
READS = {
    "staging": {"source"},
    "intermediate": {"seed", "staging", "intermediate"},
    "marts": {"staging", "intermediate", "marts"},
}


@pytest.fixture(scope="session")
def manifest(tmp_path_factory):
    path = ensure_manifest(PROJECT, tmp_path_factory.getbasetemp() / "dbt_target")  # parsed once for all tests
    return json.loads(path.read_text())


@pytest.fixture(scope="session")
def models(manifest):
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: path.stem)
def test_every_model_has_its_twin(path):
    assert path.with_suffix(".yml").is_file()


def test_layers_read_only_what_lies_below(models, manifest):
    layers = {node["unique_id"]: node["fqn"][1] for node in models.values()}
    layers |= dict.fromkeys(manifest["sources"], "source")
    layers |= {name: "seed" for name, node in manifest["nodes"].items() if node["resource_type"] == "seed"}
    wrong = [
        (node["name"], parent)
        for node in models.values()
        for parent in node["depends_on"]["nodes"]
        if layers[parent] not in READS[node["fqn"][1]]
    ]
    assert wrong == []


def test_everything_is_described(models, manifest):
    silent = [name for name, node in models.items() if not node["description"].strip()]
    silent += [
        f"{name}.{column['name']}"
        for name, node in models.items()
        for column in node["columns"].values()
        if not column["description"].strip()
    ]
    silent += [source["name"] for source in manifest["sources"].values() if not source["description"]]
    assert silent == []


def test_marts_open_with_their_grain_and_say_what_adds_up(models):
    for name, node in models.items():
        if node["fqn"][1] == "marts":
            description = node["description"]
            assert description.startswith("One row"), name
            if name not in {"publication_header", "count_calibration"}:  # one row: nothing to add up
                assert "add" in description, name


def test_marts_have_enforced_contracts(models):
    for name, node in models.items():
        if node["fqn"][1] == "marts":
            assert node["contract"]["enforced"], name
            assert all(column["data_type"] for column in node["columns"].values()), name


def test_every_mart_is_published_and_says_where(models):
    places = {
        "visitors": set(VISITOR_TABLES) - set(AGGREGATE_TABLES),
        "aggregates": set(AGGREGATE_TABLES) - set(VISITOR_TABLES),
        "both": set(AGGREGATE_TABLES) & set(VISITOR_TABLES),
        "protected": set(PROTECTED_TABLES) - set(AGGREGATE_TABLES),
    }
    for name, node in models.items():
        if node["fqn"][1] == "marts":
            assert name in places[node["config"]["meta"]["published_in"]], name


def test_what_a_viewer_opens_holds_protected_counts_and_names_only():
    dimensions = {"dim_camera_groups", "dim_cameras", "dim_locations", "publication_header"}
    assert set(PROTECTED_TABLES) == {*dimensions, "protected_footfall", "protection_rules"}


def is_personal_mart(node):
    return node["fqn"][1] == "marts" and "personal" in node["config"]["meta"].get("contains", "")


def test_personal_data_is_never_among_the_aggregates(models):
    personal = {name for name, node in models.items() if is_personal_mart(node)}
    assert personal == set(VISITOR_TABLES) - set(AGGREGATE_TABLES)
    assert "fct_sightings" in personal
    assert not personal & set(AGGREGATE_TABLES)


def test_it_needs_nothing_from_a_package_hub():
    assert not list(PROJECT.glob("packages.yml")) + list(PROJECT.glob("dependencies.yml"))


def test_sql_has_one_style():
    sqlfmt = Path(sys.executable).with_name("sqlfmt")
    finished = subprocess.run(
        [str(sqlfmt), "--check", "--no-progressbar", str(PROJECT)], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr


def test_models_begin_with_what_they_import():
    for path in SQL_FILES:
        body = path.read_text().removeprefix('{{ config(materialized="view") }}').lstrip()
        assert body.startswith("with"), path.name


def test_every_test_exposure_and_macro_is_described(manifest):
    """A generic test says what it is by its kind: dbt's own four, or one whose macro is described."""
    ours = {
        name.removeprefix("macro.footfall."): macro for name, macro in manifest["macros"].items() if "footfall." in name
    }
    silent = [name for name, macro in ours.items() if not macro["description"].strip()]
    known = {"unique", "not_null", "accepted_values", "relationships"} | {name.removeprefix("test_") for name in ours}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and not node["description"].strip():
            kind = (node.get("test_metadata") or {}).get("name")
            silent += [] if kind in known else [node["name"]]
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") == "holds":
            silent += [] if not node["name"].startswith("holds_") else [node["name"]]  # its name says the rule
    for kind in ("exposures", "unit_tests"):
        silent += [node["name"] for node in manifest[kind].values() if not (node["description"] or "").strip()]
    assert silent == []


def test_every_published_mart_has_a_reader(manifest, models):
    """Who reads what is published is in the lineage: the explorer's pages, the report, or the comparison."""
    read = {node for each in manifest["exposures"].values() for node in each["depends_on"]["nodes"]}
    unread = [name for name, node in models.items() if node["fqn"][1] == "marts" and node["unique_id"] not in read]
    assert unread == []
