"""Homes with a hand-made publication, and the app on top of one."""

import importlib.util
import math
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
import streamlit as st
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from streamlit.testing.v1 import AppTest

from footfall_assets.contracts.batch import public_key_text
from footfall_assets.contracts.camera_settings import SourceKind
from footfall_assets.contracts.fleet import CameraState, DeviceReport, IntakeRecord, intake_record_key, reported_key
from footfall_assets.contracts.registry import Camera, Device, Location, Registry
from footfall_assets.storage.fleet_store import write_signed
from footfall_assets.storage.lake import FolderLake
from footfall_assets.storage.registry_store import change_registry

START_S = 60  # a cold start of Streamlit on a busy machine
ROOT = Path(__file__).parents[2]
APP = ROOT / "streamlit_app" / "app.py"
CHROMIUM = Path("/usr/bin/chromium")


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


def three_stores():
    """Return three stores, one busy day each of two months, with an hour's gap."""
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
def stores():
    """Three stores, see `three_stores`."""
    return three_stores()


@pytest.fixture
def calibration():
    """People are 1.15 times those listed, within a factor of 1.2; from 2 listed on."""
    return HAND_MADE.hand_made_calibration(intercept=math.log(1.15))


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_file(str(APP), default_timeout=30)


@dataclass
class Fleet:
    """Devices of a home, each with one camera, and what they say of themselves."""

    home: Path
    keys: dict[str, Ed25519PrivateKey] = field(default_factory=dict)

    @property
    def lake(self) -> FolderLake:
        return FolderLake(self.home / "lake")

    def device(self, name: str, location: str = "store-101", **changes) -> "Fleet":
        key = self.keys.setdefault(name, Ed25519PrivateKey.generate())

        def added(registry: Registry) -> Registry:
            first = date(2024, 1, 1)
            store = Location(location_id=location, name=location, partition_group=location, valid_from=first)
            source = {"device_id": name, "kind": SourceKind.SYNTHETIC, "address": "1"}
            camera = Camera(camera_id=f"{name}-door", location_id=location, name="Door", valid_from=first, **source)
            fields = {"device_id": name, "public_key": public_key_text(key), "location_id": location, "revision": 2}
            return registry.with_location(store).with_camera(camera).with_device(Device(**fields | changes))

        change_registry(self.lake, self.home, added)
        return self

    def report(self, name: str, *, age_s: float = 20, frame_age_s: float = 5, **changes) -> "Fleet":
        at = datetime.now(UTC) - timedelta(seconds=age_s)
        camera = CameraState(
            camera_id=f"{name}-door",
            connected=True,
            last_frame_at=at - timedelta(seconds=frame_age_s),
            frames_expected=1000,
            frames_captured=990,
            frames_kept=120,
            frames_dropped=10,
            reconnects=1,
        )
        counts = ("spool_items", "spool_bytes", "dropped_items", "dropped_stills", "quarantined_items")
        plain = {
            "device_id": name,
            "reported_at": at,
            "agent_version": "1",
            "boot_id": "b",
            "revision": 2,
            "cameras": (camera,),
            "clock_skew_s": 0.4,
            **dict.fromkeys((*counts, "uploaded_items", "uploaded_bytes", "upload_failures"), 0),
        }
        report = DeviceReport.model_validate(plain | changes)
        write_signed(self.lake, reported_key(name), report, self.keys[name])
        return self

    def intake(self, name: str, **quarantined: int) -> "Fleet":
        record = IntakeRecord(device_id=name, accepted=40, quarantined=quarantined, last_received_at=datetime.now(UTC))
        self.lake.write(intake_record_key(name), record.model_dump_json().encode())
        for reason, count in quarantined.items():
            for number in range(count):
                self.lake.write(f"quarantine/{reason}/{number}.tar.json", b"{}")
        return self


@pytest.fixture
def fleet(home) -> Fleet:
    return Fleet(home)


@pytest.fixture
def troubled(fleet) -> Fleet:
    """Devices in every state, see `with_troubles`."""
    return with_troubles(fleet)


def with_troubles(fleet: Fleet) -> Fleet:
    """Add one device that is well, one with every trouble, one silent, one that never reported, one revoked."""
    hours_ago = datetime.now(UTC) - timedelta(hours=3)
    trouble = {
        "frame_age_s": 600,
        "revision": 1,
        "refused_revision": 2,
        "refused_reason": "model [x](http://evil.example) is not in the manifest",
        "spool_items": 99_000,
        "spool_bytes": 3_500_000_000,
        "oldest_item_at": hours_ago,
        "dropped_items": 3,
        "dropped_stills": 250,
        "clock_skew_s": 95.0,
    }
    fleet.device("box-well").report("box-well").intake("box-well", duplicate=2)
    fleet.device("box-ill", "store-203").report("box-ill", **trouble).intake("box-ill", clock=3, bad_signature=1)
    fleet.device("box-silent", "store-305").report("box-silent", age_s=7200)
    fleet.device("box-new", "store-305")
    return fleet.device("box-gone", "store-305", revoked=True)


@contextmanager
def served(home: Path, folder: Path, **environment: str) -> Iterator[str]:
    """Give the address of the app that serves `home`, for as long as the block runs; its log lies in `folder`."""
    port = _free_port()
    options = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit_app", *options],
            cwd=ROOT,
            env=os.environ | {"FOOTFALL_HOME": str(home)} | environment,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_healthy(server, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_healthy(server: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"no answer from the server within {START_S} s")


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()
