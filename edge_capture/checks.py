"""What `edge-capture check` looks at before a machine is left alone; each look is short and changes nothing."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Timer
from typing import Final

from edge_capture.cameras.opening import CameraAccess, open_camera
from edge_capture.clock import SteadyClock, SystemClock
from edge_capture.config import EdgeSettings
from edge_capture.configuration import pinned_models, stored_configuration
from edge_capture.enrolment import load_identity
from edge_capture.errors import EdgeError, EdgeMistake
from edge_capture.filter import load_filter
from footfall_assets.contracts.errors import FootfallError
from footfall_assets.contracts.fleet import DesiredCamera, DesiredConfiguration
from footfall_assets.storage import open_lake_at
from models.cache import verify
from models.errors import ModelError

_PICTURE_WITHIN_S: Final = 15.0
_ALLOWED_SKEW_S: Final = 120.0
_OTHERS: Final = 0o077  # permission bits of group and others


@dataclass(frozen=True)
class CheckResult:
    """One check: what was looked at, whether it is as it should be, and what was seen."""

    name: str
    passed: bool
    text: str


def check_machine(settings: EdgeSettings, *, cameras: bool) -> Iterator[CheckResult]:
    """Yield one result after the other; what one of them needs and is missing fails in its own name."""
    yield _result("state folder", lambda: _writable(settings.state))
    yield _result("key files", lambda: _private(settings))
    yield _result("identity", lambda: load_identity(settings.state).device_id)
    yield _result("lake", lambda: _lake(settings))
    desired = stored_configuration(settings.state)
    yield CheckResult("configuration", desired is not None, f"revision {desired.revision}" if desired else "none yet")
    if desired is None:
        return
    yield _result("models", lambda: _models(settings, desired))
    if not cameras:
        return
    clock = SteadyClock(SystemClock())
    for camera in desired.cameras:
        yield _result(f"camera {camera.camera_id}", partial(_picture, settings, camera, clock))


def _result(name: str, look: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(name, passed=True, text=look())
    except (EdgeError, FootfallError, ModelError, OSError) as error:
        return CheckResult(name, passed=False, text=str(error))


def _writable(state: Path) -> str:
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile(dir=state) as probe:
        probe.write(b"footfall")
        probe.flush()
    return str(state)


def _private(settings: EdgeSettings) -> str:
    paths = [path for path in (settings.device_key_path, settings.spool_key, settings.credentials) if path]
    found = [path for path in paths if path.exists()]
    for path in found:
        mode = path.stat().st_mode & 0o777
        if mode & _OTHERS:
            raise EdgeMistake(f"expected {path} to be its owner's alone, got mode {mode:o}; chmod 600 it")
    return f"{len(found)} of {len(paths)} there, their owner's alone"


def _lake(settings: EdgeSettings) -> str:
    lake = open_lake_at(settings.require_lake(), cache=settings.state / "lake_cache", attempts=1)
    told = lake.server_time()
    if told is None:
        return f"{lake!r}, keeps no time"
    skew_s = (SystemClock().now() - told).total_seconds()
    if abs(skew_s) > _ALLOWED_SKEW_S:
        raise EdgeMistake(f"{lake!r}: this machine's clock is {skew_s:.0f} s ahead of the lake's; set it")
    return f"{lake!r}, clock {skew_s:+.0f} s"


def _models(settings: EdgeSettings, desired: DesiredConfiguration) -> str:
    specs = pinned_models(desired)
    for spec in specs:
        verify(spec, settings.model_cache)
    for camera in desired.cameras:
        load_filter(
            camera.filter,
            cache=settings.model_cache,
            threads=settings.threads,
            face_detector=settings.face_detector,
            person_detector=settings.person_detector,
        )
    return f"{len(specs)} pinned, {len(desired.cameras)} filters"


def _picture(settings: EdgeSettings, camera: DesiredCamera, clock: SteadyClock) -> str:
    access: CameraAccess = settings.camera_access()
    with open_camera(camera, clock=clock, access=access, max_side_px=settings.max_side_px) as source:
        timer = Timer(camera.interval_s + _PICTURE_WITHIN_S, source.close)
        timer.start()
        try:
            frame = next(iter(source), None)
        finally:
            timer.cancel()
        if frame is None:
            raise EdgeMistake(
                f"no picture within {_PICTURE_WITHIN_S:.0f} s: {source.status.error or 'no reason given'}"
            )
    height, width = frame.image.shape[:2]
    return f"{width}x{height}"
