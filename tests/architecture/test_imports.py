"""Who may import whom, read from the source without running it. A rule in the way is changed here, in the open."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("footfall_assets", "edge_capture", "models", "streamlit_app")

# Of footfall_assets, from the ground up: a part imports its own layer and those above it in this list, none below.
LAYERS = (
    ("contracts", "domain"),
    ("storage",),
    ("reporting",),
    ("platform", "partitions", "materialization"),
    ("capture",),
    ("imports",),
    ("vision",),
    ("identity",),
    ("warehouse",),
    ("simulation",),
    ("evaluation",),
    ("calibration",),
    ("audit",),
    ("operations",),
    ("definitions",),
    ("cli",),
)

# What else a part may import: besides the standard library and itself, nothing that is not named here.
MAY_IMPORT = {
    "footfall_assets.domain": {"numpy", "pandas", "scipy"},  # scipy for components of sparse graphs
    "footfall_assets.contracts": {"pydantic", "pydantic_settings", "pyarrow", "cryptography"},
    "footfall_assets.storage": {
        "footfall_assets.contracts",
        "boto3",
        "botocore",
        "cryptography",
        "filelock",
        "numpy",
        "pyarrow",
        "pydantic",
        "types_boto3_s3",
    },
}

OPEN_PARTS = {f"footfall_assets.{part}" for part in ("contracts", "storage", "reporting", "domain")}
MAY_IMPORT_OF_OURS = {
    "models": {"models"},
    "edge_capture": {"edge_capture", "models", *OPEN_PARTS},
    "streamlit_app": {"streamlit_app", *OPEN_PARTS},
}

NEVER = {
    "edge_capture": {"dagster", "duckdb", "pandas", "pyarrow", "streamlit"},
    "streamlit_app": {"dagster", "duckdb"},
    "models": {"dagster", "duckdb", "pandas", "streamlit"},
    **{part: {"dagster", "dagster_aws", "dagster_dbt", "streamlit"} for part in OPEN_PARTS},
}

# Each runs what a file says.
CODE_FROM_DATA = {"pickle", "cPickle", "_pickle", "joblib", "dill", "cloudpickle", "shelve", "marshal"}
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "misc", "manager", "managers", "common"}

# Calls that hand text with values in it to a database, by file: this list only shrinks.
SQL_MADE_OF_TEXT: dict[str, int] = {}

DISTRIBUTION_OF = {"cv2": "opencv-python-headless"}  # where it is not called as what it installs


@dataclass(frozen=True)
class Import:
    name: str  # dotted, with the imported name as its last part
    line: int
    at_start: bool  # runs when the module is imported, and not only for the type checker


def sources(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(tree: ast.AST, *, at_start: bool = True) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(each.name, node.lineno, at_start) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from (Import(f"{base}.{each.name}", node.lineno, at_start) for each in node.names)
        else:
            later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or (
                isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            )
            yield from imports_of(node, at_start=at_start and not later)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def found_imports(*packages: str) -> list[tuple[str, Import]]:
    return [(module_of(path), each) for path in sources(*packages) for each in imports_of(parsed(path))]


def within(name: str, parts: set[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def is_standard(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def said(wrong: list[tuple[str, Import]]) -> list[str]:
    return [f"{module}:{each.line} imports {each.name}" for module, each in wrong]


def layer_of(part: str) -> int:
    return next(number for number, parts in enumerate(LAYERS) if part in parts)


def against_the_layers(imports: list[tuple[str, Import]]) -> list[tuple[str, Import]]:
    inside = [(module, each) for module, each in imports if each.name.startswith("footfall_assets.")]
    return [
        (module, each) for module, each in inside if layer_of(each.name.split(".")[1]) > layer_of(module.split(".")[1])
    ]


def beyond(part: str, allowed: set[str], imports: list[tuple[str, Import]]) -> list[tuple[str, Import]]:
    return [
        (module, each)
        for module, each in imports
        if within(module, {part}) and not is_standard(each.name) and not within(each.name, {part, *allowed})
    ]


def sql_made_of_text(tree: ast.AST) -> list[int]:
    """Lines of calls that execute text made of values: an f-string, `+`, `%` or `format`."""

    def is_made(text: ast.expr) -> bool:
        if isinstance(text, ast.JoinedStr):
            return any(isinstance(value, ast.FormattedValue) for value in text.values)
        if isinstance(text, ast.BinOp):
            return True
        return isinstance(text, ast.Call) and isinstance(text.func, ast.Attribute) and text.func.attr == "format"

    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return [
        call.lineno
        for call in calls
        if call.func.attr in {"execute", "executemany", "sql", "query"} and call.args and is_made(call.args[0])
    ]


def test_there_is_something_to_read():
    assert {package for package in PACKAGES if len(sources(package)) > 3} == set(PACKAGES)
    assert len(found_imports(*PACKAGES)) > 500


def test_every_part_of_footfall_assets_has_its_layer():
    parts = {path.relative_to(ROOT / "footfall_assets").parts[0] for path in sources("footfall_assets")}
    assert {part.removesuffix(".py") for part in parts} - {"__init__"} == {part for layer in LAYERS for part in layer}


def test_no_part_imports_what_is_built_on_it():
    assert said(against_the_layers(found_imports("footfall_assets"))) == []


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_the_ground_floor_imports_what_it_may_and_nothing_else(part):
    assert said(beyond(part, MAY_IMPORT[part], found_imports("footfall_assets"))) == []


@pytest.mark.parametrize("package", MAY_IMPORT_OF_OURS)
def test_each_package_imports_of_ours_what_it_may(package):
    ours = [(module, each) for module, each in found_imports(package) if each.name.split(".")[0] in PACKAGES]
    assert said([(module, each) for module, each in ours if not within(each.name, MAY_IMPORT_OF_OURS[package])]) == []


@pytest.mark.parametrize("part", NEVER)
def test_some_things_are_never_imported(part):
    imports = [(module, each) for module, each in found_imports(*PACKAGES) if within(module, {part})]
    assert imports
    assert said([(module, each) for module, each in imports if within(each.name, NEVER[part])]) == []


def loaded_by(start: list[Path]) -> set[str]:
    """Top-level names of everything that importing these files loads, through our own modules."""
    waiting, seen, foreign = list(start), set(start), set()
    while waiting:
        path = waiting.pop()
        for each in imports_of(parsed(path)):
            if not each.at_start:
                continue
            parts = each.name.split(".")
            if parts[0] not in PACKAGES:
                foreign.add(parts[0])
                continue
            for length in range(1, len(parts) + 1):
                place = ROOT.joinpath(*parts[:length])
                for candidate in (place / "__init__.py", place.with_suffix(".py")):
                    if candidate.is_file() and candidate not in seen:
                        seen.add(candidate)
                        waiting.append(candidate)
    return {name for name in foreign if not is_standard(name)}


def test_what_runs_in_a_store_needs_the_base_install_only():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    base = {re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0].lower() for each in project["dependencies"]}
    needed = {DISTRIBUTION_OF.get(name, name).replace("_", "-") for name in loaded_by(sources("edge_capture"))}
    assert needed
    assert sorted(needed - base) == []


def test_imports_are_absolute():
    assert said([(module, each) for module, each in found_imports(*PACKAGES) if each.name.startswith(".")]) == []


def test_only_public_names_of_dagster_are_used():
    imports = found_imports(*PACKAGES, "tests")
    assert said([(module, each) for module, each in imports if re.match(r"dagster\w*\.(.*\.)?_", each.name)]) == []


def test_no_file_is_read_that_can_run_code():
    imports = found_imports(*PACKAGES, "benchmarks", "tests")
    assert said([(module, each) for module, each in imports if within(each.name, CODE_FROM_DATA)]) == []
    named = [
        f"{module_of(path)}:{node.value.lineno} {node.arg}"
        for path in sources(*PACKAGES, "benchmarks", "tests")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle"
    ]
    assert named == []


def test_no_text_is_run_as_code():
    calls = [
        f"{module_of(path)}:{node.lineno} {node.func.id}"
        for path in sources(*PACKAGES)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec"}
    ]
    assert calls == []


def test_every_module_is_named_after_what_it_does():
    names = {module_of(path): set(module_of(path).split(".")) for path in sources(*PACKAGES)}
    assert [module for module, parts in names.items() if parts & SAYS_NOTHING] == []


def test_sql_is_made_of_text_in_the_warehouse_only():
    found = {
        path.relative_to(ROOT).as_posix(): len(sql_made_of_text(parsed(path)))
        for path in sources(*PACKAGES)
        if not path.is_relative_to(ROOT / "footfall_assets/warehouse")
    }
    assert {path: count for path, count in found.items() if count} == SQL_MADE_OF_TEXT


BAD = """
import dagster as d
from typing import TYPE_CHECKING
from footfall_assets import cli
from footfall_assets.platform import Platform
if TYPE_CHECKING:
    import pandas
def work(connection, name):
    from duckdb import connect
    connection.execute(f"select * from {name}")
    connection.execute("select " + name)
    connection.execute("select {}".format(name))
    connection.execute("select * from t where n = ?", [name])
    connection.execute(f"select 1")
"""


def test_the_reader_sees_what_these_rules_forbid():
    """Were it blind, every test above would pass."""
    found = list(imports_of(ast.parse(BAD)))
    assert [each.name for each in found if not each.at_start] == ["pandas", "duckdb.connect"]
    inside = [("footfall_assets.storage.bad", each) for each in found]
    assert said(against_the_layers(inside)) == [
        "footfall_assets.storage.bad:4 imports footfall_assets.cli",
        "footfall_assets.storage.bad:5 imports footfall_assets.platform.Platform",
    ]
    names = [each.name for _, each in beyond("footfall_assets.storage", {"footfall_assets.contracts"}, inside)]
    assert names == ["dagster", "footfall_assets.cli", "footfall_assets.platform.Platform", "pandas", "duckdb.connect"]
    assert sql_made_of_text(ast.parse(BAD)) == [10, 11, 12]
