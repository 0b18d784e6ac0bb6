"""`footfall compare` on a published home."""

import json

import pytest

from footfall_assets.contracts.publication import CURRENT_KEY
from footfall_assets.contracts.settings import load_settings
from footfall_assets.storage import open_lake


@pytest.fixture
def published(drawn_home, first_run, own_environment):
    """The drawn home after a run, as the command line's own home; the id of its publication."""
    own_environment.setenv("FOOTFALL_HOME", str(drawn_home.settings.home))
    return open_lake(load_settings()).read(CURRENT_KEY).decode()


@pytest.mark.weights
def test_publications_are_listed_and_compared(footfall, published, tmp_path, own_environment, drawn_home) -> None:
    own_environment.setenv("FOOTFALL_HOME", str(drawn_home.settings.home))
    listed = footfall("compare")
    assert listed.code == 0
    assert f"* {published[:12]}, published " in listed.out
    same = footfall("compare", published[:8])
    assert (same.code, "Nothing differs" in same.out) == (0, True)
    path = tmp_path / "difference.json"
    said = footfall("compare", published[:8], "current", "--format", "json", "--out", path)
    assert (said.code, said.out) == (0, "")
    assert json.loads(path.read_text("utf-8"))["is_same"]
    period = ("--from", "2024-01-01", "--to", "2024-01-31")
    csv = ("--format", "csv")
    assert (
        footfall("report", *period, *csv, "--publication", published[:8]).out == footfall("report", *period, *csv).out
    )
    assert footfall("report", *period, "--publication", "ffffffff").complaint.startswith("expected one publication")
    assert footfall("compare", "ffffffff").complaint.startswith("expected one publication that begins with 'ffffffff'")


MISTAKES = {
    "nothing published": (("compare",), "footfall run"),
    "nothing to compare": (("compare", "abcdef"), "footfall run"),
}


@pytest.mark.parametrize(("arguments", "names"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_gets_one_line(footfall, arguments, names) -> None:
    said = footfall(*arguments)
    assert (said.code, said.out) == (2, "")
    assert names in said.complaint
