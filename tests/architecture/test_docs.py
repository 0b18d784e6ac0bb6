"""What the documents name exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from footfall_assets.contracts.settings import PlatformSettings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "benchmarks" / "README.md"]
COMMANDS = (
    "models",
    "fleet",
    "simulate",
    "ingest",
    "import",
    "run",
    "report",
    "compare",
    "evaluate",
    "calibrate",
    "attributes",
    "audit",
    "identities",
    "users",
    "access-log",
    "up",
    "docs",
)


def text_of(path):
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_make_targets_exist(path):
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`|\$ make ([a-z]+)", text_of(path))) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_exist(path):
    assert set(re.findall(r"footfall ([a-z-]+)\b(?= |`|$)", text_of(path), re.MULTILINE)) <= set(COMMANDS)


def test_the_command_line_has_these_commands():
    shown = subprocess.run(
        [sys.executable, "-m", "typer", "footfall_assets.cli.main", "run", "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    missing = [command for command in COMMANDS if not re.search(rf"\b{command}\b", shown.stdout)]
    assert not missing, shown.stdout + shown.stderr


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_lead_somewhere(path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text_of(path))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_settings_named_in_documents_exist():
    names = {name for path in DOCUMENTS for name in re.findall(r"FOOTFALL_([A-Z_]+)", text_of(path))}
    top = {name.upper() for name in PlatformSettings.model_fields}
    assert {name.split("__")[0] for name in names} <= top
