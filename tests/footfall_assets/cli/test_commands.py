import subprocess
import sys
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer.main

from footfall_assets.cli.main import app
from footfall_assets.contracts.settings import load_settings
from footfall_assets.storage import open_lake
from footfall_assets.storage.registry_store import read_registry


def commands():
    """Return the words of every command there is."""

    def walk(command, words):
        inner = getattr(command, "commands", {})
        for name, each in inner.items():
            yield from walk(each, [*words, name])
        if not inner:
            yield words

    return list(walk(typer.main.get_command(app), []))


def test_all_commands_are_there() -> None:
    assert {" ".join(words) for words in commands()} >= {
        "models pull",
        "models list",
        "models verify",
        "fleet add-location",
        "fleet add-camera",
        "fleet add-group",
        "fleet list",
        "simulate",
        "ingest",
        "run",
        "report",
        "evaluate",
        "up",
        "docs",
    }


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_shows_an_example_that_would_be_understood(footfall, words) -> None:
    said = footfall(*words, "--help")
    assert said.code == 0
    text = " ".join(said.out.split())
    assert f"Example: footfall {' '.join(words)}" in text


def test_no_command_shows_help(footfall) -> None:
    assert "Usage" in footfall().out + footfall().err


def test_help_loads_no_heavy_library() -> None:
    """`--help` answers at once: the commands import what they need when they run."""
    code = (
        "import sys, footfall_assets.cli.main\n"
        "print([name for name in ('dagster', 'pandas', 'duckdb', 'onnxruntime', 'cv2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def stills(tmp_path):
    folder = tmp_path / "stills"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.jpg"), np.full((48, 64, 3), 60 * number, np.uint8))
    return folder


def ingest(source, *more, start="2024-01-05T10:00"):
    place = ("--location", "store-101", "--camera", "store-101-door")
    return ("ingest", source, *place, "--start", start, *more)


def registry():
    return read_registry(open_lake(load_settings()))


NO_FOOTAGE = Path("missing.mp4")
PERIOD = ("--from", "2024-01-01", "--to", "2024-01-02")
MISTAKES = {
    "no footage": (ingest(NO_FOOTAGE, "--filter", "none"), "missing.mp4"),
    "future start": (ingest(NO_FOOTAGE, start="2999-01-01T10:00"), "future"),
    "start is no time": (ingest(NO_FOOTAGE, start="yesterday"), "ISO 8601"),
    "start before all calendars": (ingest(NO_FOOTAGE, start="0001-01-01T00:00+05:00"), "--start"),
    "first day of the wrong century": (
        ("fleet", "add-location", "store-101", "--name", "S", "--from", "0204-01-05"),
        "partition keys",
    ),
    "interval of nothing": (ingest(NO_FOOTAGE, "--every", "0"), "--every"),
    "location that climbs": (
        ("ingest", NO_FOOTAGE, "--location", "../..", "--camera", "door", "--start", "2024-01-05T10:00"),
        "'../..'",
    ),
    "camera in capitals": (
        ("ingest", NO_FOOTAGE, "--location", "store-101", "--camera", "Door", "--start", "2024-01-05T10:00"),
        "'Door'",
    ),
    "location id": (("fleet", "add-location", "Store 101", "--name", "Store"), "location_id"),
    "zone of no country": (("fleet", "add-location", "store-101", "--name", "S", "--timezone", "Mars/Base"), "IANA"),
    "camera of no location": (("fleet", "add-camera", "door", "--location", "nowhere"), "nowhere"),
    "camera of no interval": (("fleet", "add-camera", "door", "--location", "store-101", "--every", "0"), "interval_s"),
    "group of no camera": (("fleet", "add-group", "all", "--name", "All", "--camera", "door"), "unknown cameras: door"),
    "run of nothing": (("run",), "nothing is registered"),
    "from without to": (("run", "--from", "2024-01-01"), "--to"),
    "to without from": (("run", "--to", "2024-01-01"), "--from"),
    "report of nothing": (("report", *PERIOD), "footfall run"),
    "report turned round": (("report", "--from", "2024-01-02", "--to", "2024-01-01"), "2024-01-0"),
    "report of the future": (("report", "--from", "2999-01-01", "--to", "2999-01-02"), "future"),
    "report of no appearances": (("report", *PERIOD, "--min-appearances", "0"), "appearance"),
    "truth that is not there": (("evaluate", "--truth", "truth.parquet"), "truth.parquet"),
    "model nobody knows": (("models", "pull", "resnet"), "unknown model resnet"),
    "models not fetched": (("models", "verify"), "footfall models pull"),
    "people nobody photographed": (("simulate", "--people", "missing"), "missing"),
    "simulation of the future": (("simulate", "--first-day", "2999-01-01"), "future"),
    "simulation without models": (("simulate",), "footfall models pull"),
    "too many drawn people": (("simulate", "--visitors", "100000"), "--people"),
    "no stores": (("simulate", "--locations", "0"), "locations"),
}


@pytest.mark.parametrize(("arguments", "names"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_gets_one_line_and_exit_code_2(footfall, arguments, names) -> None:
    said = footfall(*arguments)
    assert said.code == 2, said
    assert names in said.complaint
    assert said.out == ""
    assert registry().locations == ()


def test_a_setting_that_is_no_number(footfall, own_environment) -> None:
    own_environment.setenv("FOOTFALL_THREADS", "many")
    said = footfall("models", "list")
    assert (said.code, "FOOTFALL_THREADS" in said.complaint) == (2, True)


def test_a_video_that_cannot_be_read(home, tmp_path) -> None:
    """In a process of its own: OpenCV and FFmpeg have a standard error of their own to write to."""
    path = tmp_path / "door.mp4"
    path.write_bytes(b"\x00\x00\x00\x20ftypisom" + bytes(5000))
    arguments = [str(each) for each in ingest(path, "--filter", "none")]
    code = "from footfall_assets.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("footfall: ")
    assert "door.mp4" in line
    assert registry().locations == ()


def test_the_face_filter_needs_its_model(footfall, stills) -> None:
    said = footfall(*ingest(stills))
    assert (said.code, "footfall models pull" in said.complaint) == (2, True)


def test_a_year_with_a_digit_too_few_does_not_spoil_the_home(footfall, stills) -> None:
    """The first day only ever moves back: once in the year 204, no run would ever start again."""
    said = footfall(*ingest(stills, "--filter", "none", start="0204-01-05T10:00"))
    assert said.code == 2
    assert said.complaint
    assert registry().first_day is None


def test_stills_are_landed_and_counted(footfall, stills) -> None:
    (stills / "3.jpg").write_bytes(b"nope")
    said = footfall(*ingest(stills, "--filter", "none", "--every", "2"))
    assert said.code == 0
    assert "3 stills captured, 3 kept by filter none, 1 batches" in said.out
    assert "1 unreadable: 3.jpg" in said.out
    assert "footfall run" in said.err
    [key] = open_lake(load_settings()).list_keys("landing")
    assert key.startswith("landing/2024-01-05/store-101/store-101-door/")
    assert registry().first_day == date(2024, 1, 5)


def test_a_start_without_a_zone_is_local(footfall, stills) -> None:
    footfall("fleet", "add-location", "store-101", "--name", "S", "--timezone", "Asia/Tokyo", "--from", "2024-01-01")
    assert footfall(*ingest(stills, "--filter", "none", start="2024-01-05T01:00")).code == 0
    [key] = open_lake(load_settings()).list_keys("landing")
    assert key.startswith("landing/2024-01-05/")
    assert footfall(*ingest(stills, "--filter", "none", start="2024-01-05T20:00Z")).code == 0
    assert [key for key in open_lake(load_settings()).list_keys("landing") if key.startswith("landing/2024-01-06/")]


def test_a_run_without_models_says_how_to_get_them(footfall, stills) -> None:
    assert footfall(*ingest(stills, "--filter", "none")).code == 0
    said = footfall("run")
    assert said.code == 2
    assert "footfall models pull" in said.err.splitlines()[-1]


def test_a_run_of_an_unknown_location(footfall) -> None:
    footfall("fleet", "add-location", "store-101", "--name", "Store", "--from", "2024-01-01")
    said = footfall("run", *PERIOD, "--location", "store-999")
    assert said.code == 2
    assert "unknown location store-999; known: store-101" in said.err
    assert footfall("run", "--location", "store-101").code == 2
