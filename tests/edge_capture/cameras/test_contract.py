"""The contract of every source, whatever stands behind it."""

import threading
import time
from datetime import UTC
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_capture.cameras.opening import open_camera
from edge_capture.clock import SystemClock
from footfall_assets.contracts.fleet import DesiredCamera, SourceKind

INTERVAL_S = 0.04
SIZE = (48, 64)
FOOTAGE_PICTURES = 100


def made_video(folder: Path) -> str:
    writer = cv2.VideoWriter(str(folder / "door.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 1 / INTERVAL_S, SIZE[::-1])
    for number in range(FOOTAGE_PICTURES):
        writer.write(np.full((*SIZE, 3), 40 + number, np.uint8))
    writer.release()
    return "door.avi"


def made_folder(folder: Path) -> str:
    (folder / "stills").mkdir()
    for number in range(FOOTAGE_PICTURES):
        cv2.imwrite(str(folder / "stills" / f"{number:03}.png"), np.full((*SIZE, 3), 40 + number, np.uint8))
    return "stills"


@pytest.fixture(
    params=["rtsp", "http stream", "http without lengths", "http stills", "usb", "video", "folder", "drawn"]
)
def desired(request, tmp_path):
    """A camera of each kind, ready to be opened."""
    match request.param:
        case "rtsp":
            kind, address = SourceKind.NETWORK, request.getfixturevalue("rtsp_camera").address()
        case "http stream":
            kind, address = SourceKind.NETWORK, request.getfixturevalue("http_camera").address("/video")
        case "http without lengths":
            kind, address = SourceKind.NETWORK, request.getfixturevalue("http_camera").address("/bare")
        case "http stills":
            kind, address = SourceKind.NETWORK, request.getfixturevalue("http_camera").address("/still")
        case "usb":
            if not Path("/dev/video0").exists():
                pytest.skip("no /dev/video0")
            kind, address = SourceKind.USB, "0"
        case "video":
            kind, address = SourceKind.VIDEO, made_video(tmp_path)
        case "folder":
            kind, address = SourceKind.FOLDER, made_folder(tmp_path)
        case _:
            kind, address = SourceKind.SYNTHETIC, "7#64x48"
    return DesiredCamera(camera_id="door", kind=kind, address=address, interval_s=INTERVAL_S)


@pytest.fixture
def opened(desired, local_access, until):
    """Open the camera and wait for its device."""

    def open_it(**changes):
        camera = desired.model_copy(update={key: value for key, value in changes.items() if key != "max_side_px"})
        source = open_camera(
            camera, clock=SystemClock(), access=local_access, max_side_px=changes.get("max_side_px")
        ).__enter__()
        until(lambda: source.status.connected)
        return source

    made = []

    def remembered(**changes):
        made.append(open_it(**changes))
        return made[-1]

    yield remembered
    for each in made:
        each.__exit__(None, None, None)


def test_frames_are_pictures_in_time_order(opened) -> None:
    frames = list(islice(opened(), 5))
    assert all(
        frame.image.dtype == np.uint8 and frame.image.ndim == 3 and frame.image.shape[2] == 3 for frame in frames
    )
    assert all(frame.captured_at.tzinfo is UTC for frame in frames)
    moments, numbers = [frame.captured_at for frame in frames], [frame.sequence for frame in frames]
    assert moments == sorted(set(moments))
    assert numbers == sorted(set(numbers))
    assert numbers[0] >= 0


def test_pictures_are_not_repeated(opened) -> None:
    """A still that shows the same moment twice would count a visitor's stay twice."""
    levels = [float(frame.image.mean()) for frame in islice(opened(), 6)]
    assert len(set(levels)) == 6


def test_counts_add_up_at_every_tick(opened) -> None:
    source = opened()
    captured = 0
    for tick in islice(source.ticks(), 6):
        captured += tick.frame is not None
        status = source.status
        assert status.frames_expected == tick.sequence + 1 == status.frames_captured + status.frames_dropped
        assert status.frames_captured == captured
    assert source.status.connected
    assert source.status.last_frame_age_s < 1
    assert source.status.last_frame_at.tzinfo is UTC


def test_ticks_that_pass_while_the_caller_is_busy_are_counted(opened) -> None:
    source = opened()
    ticks = source.ticks()
    next(ticks)
    before = next(ticks).sequence
    dropped = source.status.frames_dropped
    time.sleep(4.5 * INTERVAL_S)
    after = next(ticks).sequence
    assert after >= before + 4
    assert source.status.frames_dropped >= dropped + after - before - 1
    assert source.status.frames_expected == after + 1


def test_another_thread_ends_it(opened) -> None:
    source = opened(interval_s=30.0)
    ticks = source.ticks()
    next(ticks)
    closer = threading.Timer(0.1, source.close)
    closer.start()
    started = time.monotonic()
    assert list(ticks) == []
    closer.join()
    assert time.monotonic() - started < 2  # not the 30 s to the next tick
    assert not source.status.connected


def test_masks_are_painted_before_anybody_sees_the_picture(opened) -> None:
    frame = next(iter(opened(masks=(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),))))
    half = frame.image.shape[1] // 2
    assert not frame.image[:, : half + 1].any()
    assert frame.image[:, half + 2 :].any()


def test_pictures_are_cut_to_a_size(opened) -> None:
    assert next(iter(opened(max_side_px=32))).image.shape == (24, 32, 3)
