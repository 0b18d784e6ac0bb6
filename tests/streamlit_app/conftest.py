"""Homes with a hand-made publication, and the app on top of one."""

import importlib.util
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from footfall_assets.storage.lake import FolderLake

ROOT = Path(__file__).parents[2]
APP = ROOT / "streamlit_app" / "app.py"


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("hand_made_publication", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


HAND_MADE = _load(ROOT / "tests" / "footfall_assets" / "reporting" / "conftest.py")


@pytest.fixture(autouse=True)
def _cold_caches():
    st.cache_data.clear()
    yield
    st.cache_data.clear()


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty development home that the settings point at."""
    monkeypatch.setenv("FOOTFALL_HOME", str(tmp_path / "home"))
    for name in ("FOOTFALL_LAKE", "FOOTFALL_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def publish(home, tmp_path):
    def published(made, **changes):
        changes = {"last_captured_at": datetime.now(UTC) - timedelta(hours=1)} | changes
        return made.publish(FolderLake(home / "lake"), tmp_path / "build", **changes)

    return published


@pytest.fixture
def stores():
    """Three stores, one busy day each of two months, with an hour's gap."""
    made = (
        HAND_MADE.HandMade()
        .place("store-101", "Store #101", cameras=("door", "till"), timezone="Europe/Berlin")
        .place("store-203", "Store #203", cameras=("door",))
        .place("store-305", "Store *#305* [x](http://evil.example)", cameras=("door",))
        .group("entrances", "Entrances", "store-101-door", "store-203-door")
    )
    for number in range(12):
        visitor = f"{100 + number:05}A"
        for hour in range(number % 3 + 1):
            made.appear(visitor, "store-101-door", f"2024-02-0{1 + number % 3}T{9 + hour:02}:15")
        made.appear(visitor, "store-203-door", f"2024-02-0{1 + number % 3}T15:15")
    made.appear("00500B", "store-305-door", "2024-02-02T12:00")
    made.appear("00123A", "store-101-till", "2024-01-30T12:00")
    made.stranger("store-101-door", "2024-02-02T12:00")
    for day in ("2024-01-30", "2024-02-01", "2024-02-03"):
        for place in ("store-101", "store-203"):
            made.whole_day(place, day, 8)
            for hour in (9, 10, 12, 13, 14, 15):
                made.hour(place, f"{day}T{hour:02}:00", 1 + hour % 4)
    return made


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(APP), default_timeout=30)
