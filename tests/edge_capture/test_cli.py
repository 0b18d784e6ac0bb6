"""`edge-capture` as it is started: a process of its own, and its exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from filelock import FileLock
from typer.testing import CliRunner

from edge_capture import log
from edge_capture.cli import app
from edge_capture.config import load_edge_settings
from edge_capture.enrolment import DeviceIdentity, save_identity
from edge_capture.errors import AgentRunning, EdgeMistake
from footfall_assets.contracts.batch import public_key_text, unpack_batch
from footfall_assets.contracts.fleet import DesiredCamera, DesiredConfiguration, Limits, SourceKind, desired_key
from footfall_assets.contracts.registry import FilterMode
from footfall_assets.contracts.settings import IntakeLimits
from footfall_assets.storage.fleet_store import write_signed
from footfall_assets.storage.lake import FolderLake

FLEET = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture(autouse=True)
def own_logs():
    """Undo what a command has set: it logs to a stream of its own test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def machine(fast_folder, monkeypatch):
    """A device with pictures in a folder and a configuration that plays them."""
    pictures = fast_folder / "media" / "clip"
    pictures.mkdir(parents=True)
    for number in range(20):
        image = np.random.default_rng(number).integers(0, 255, (24, 32, 3), dtype=np.uint8)
        cv2.imwrite(str(pictures / f"{number:02d}.png"), image)
    state = fast_folder / "state"
    save_identity(state, DeviceIdentity(device_id="box-1", fleet_public_key=public_key_text(FLEET)))
    camera = DesiredCamera(
        camera_id="door", kind=SourceKind.FOLDER, address="clip#loop", interval_s=0.05, filter=FilterMode.NONE
    )
    wanted = DesiredConfiguration(
        device_id="box-1",
        revision=1,
        issued_at=datetime.now(UTC),
        location_id="store",
        timezone="UTC",
        cameras=(camera,),
        limits=Limits(batch_stills=5),
        report_every_s=0.5,
    )
    write_signed(FolderLake(fast_folder / "lake"), desired_key("box-1"), wanted, FLEET)
    for name, value in {
        "STATE": state,
        "LAKE": fast_folder / "lake",
        "MEDIA_ROOT": fast_folder / "media",
        "SPOOL_KEY": fast_folder / "spool.key",
        "METRICS_PORT": 0,
        "POLL_S": 0.2,
    }.items():
        monkeypatch.setenv(f"EDGE_CAPTURE_{name}", str(value))
    return fast_folder


def invoke(*arguments):
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_until_it_is_told_to_stop_and_exits_with_zero(machine, number):
    command = [sys.executable, "-c", "from edge_capture.cli import main; main()", "run"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ, text=True)
    try:
        lake, until = FolderLake(machine / "lake"), time.monotonic() + 120
        while len(lake.list_keys("landing")) < 3:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [each["event"] for each in lines if each["event"].startswith("agent")] == [
        "agent started",
        "agent stopping",
        "agent stopped",
    ]
    for key in lake.list_keys("landing"):
        assert unpack_batch(lake.read(key), IntakeLimits()).is_intact
    shown = invoke("status")
    assert "door" in shown.output
    assert json.loads(invoke("status", "--json").stdout)["report"]["device_id"] == "box-1"
    assert invoke("check").exit_code == 0, invoke("check").output


def test_one_agent_has_a_state_folder(machine):
    with FileLock(machine / "state" / "agent.lock"):
        assert isinstance(invoke("run").exception, AgentRunning)


def test_a_status_that_is_not_there_says_what_to_do(machine):
    assert "edge-capture run" in str(invoke("status").exception)


def test_a_check_names_what_is_wrong(machine, monkeypatch):
    monkeypatch.setenv("EDGE_CAPTURE_LAKE", str(machine / "nowhere"))
    (machine / "spool.key").write_bytes(bytes(32))
    (machine / "spool.key").chmod(0o644)
    (machine / "state" / "identity.json").unlink()
    shown = invoke("check")
    assert shown.exit_code == 1
    failed = [line for line in shown.output.splitlines() if line.startswith("FAILED")]
    assert [line.split(":")[0] for line in failed] == [
        "FAILED key files",
        "FAILED identity",
        "FAILED lake",
        "FAILED configuration",
    ]


def test_a_lake_has_to_be_named(machine, monkeypatch):
    monkeypatch.delenv("EDGE_CAPTURE_LAKE")
    assert "EDGE_CAPTURE_LAKE" in str(invoke("run").exception)


@pytest.mark.parametrize(("name", "value"), [("METRICS_PORT", "99999"), ("LOG_LEVEL", "loud"), ("LAKE", "ftp://x")])
def test_a_wrong_setting_is_named(monkeypatch, name, value):
    monkeypatch.setenv(f"EDGE_CAPTURE_{name}", value)
    with pytest.raises(EdgeMistake, match=f"EDGE_CAPTURE_{name}"):
        load_edge_settings()


def test_logs_hold_no_secrets():
    event = {
        "event": "camera failed",
        "error": "could not open rtsp://admin:hunter2@10.0.0.7/stream",
        "password": "hunter2",
        "enrolment_token": "abc",
        "jpeg": b"\xff\xd8" * 1000,
    }
    shown = json.dumps(dict(log.without_secrets(None, "", event)))
    assert "hunter2" not in shown
    assert "abc" not in shown
    assert "2000 bytes" in shown
