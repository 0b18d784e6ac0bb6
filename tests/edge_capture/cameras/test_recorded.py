from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from struct import pack
from zlib import compress, crc32

import cv2
import numpy as np
import pytest
from PIL import Image

from edge_capture.cameras.recorded import FolderSource, VideoFileSource, open_source
from edge_capture.errors import UnreadableSource

START = datetime(2024, 1, 5, 10, tzinfo=UTC)
GREY_STEP = 12  # between one frame of the video and the next


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Two seconds at 10 frames a second; frame n has grey level 12 n."""
    path = tmp_path_factory.mktemp("video") / "door.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10.0, (64, 48))
    for number in range(20):
        writer.write(np.full((48, 64, 3), number * GREY_STEP, np.uint8))
    writer.release()
    return path


def read(path: Path, every_s: float, start: datetime = START):
    with open_source(path, start=start, every_s=every_s) as source:
        return list(source)


def seconds(frames):
    return [round((frame.captured_at - START).total_seconds(), 6) for frame in frames]


def numbers(frames):
    """The number of the video frame each still shows, told by its grey level."""
    return [round(float(frame.image.mean()) / GREY_STEP) for frame in frames]


@pytest.mark.parametrize(
    ("every_s", "ticks", "shown"),
    [
        (0.2, list(range(10)), list(range(0, 20, 2))),
        (1.0, [0, 1], [0, 10]),
        (0.7, [0, 1, 2], [0, 7, 14]),
        (0.25, list(range(8)), [0, 3, 5, 8, 10, 13, 15, 18]),  # the first frame that is not before its time
        (5.0, [0], [0]),
    ],
)
def test_a_still_every_so_many_seconds(video, every_s, ticks, shown) -> None:
    frames = read(video, every_s)
    assert [frame.sequence for frame in frames] == ticks
    assert seconds(frames) == [round(tick * every_s, 6) for tick in ticks]
    assert numbers(frames) == shown


def test_stills_wanted_faster_than_the_video_has_them_leave_gaps(video) -> None:
    """A frame answers one tick, and the others between two frames are stills that never came."""
    frames = read(video, 0.04)
    ticks = [frame.sequence for frame in frames]
    assert len(frames) == 20
    assert ticks == sorted(set(ticks))
    assert ticks[-1] == 47  # the last frame is at 1.9 s
    assert numbers(frames) == list(range(20))


def test_times_are_utc_whatever_zone_the_start_is_in(video) -> None:
    local = START.astimezone(timezone(timedelta(hours=9)))
    frames = read(video, 1.0, start=local)
    assert [frame.captured_at for frame in frames] == [START, START + timedelta(seconds=1)]
    assert all(frame.captured_at.tzinfo is UTC for frame in frames)


def test_a_gif_is_a_video(tmp_path) -> None:
    pictures = [Image.fromarray(np.full((48, 64, 3), number * 20, np.uint8)) for number in range(10)]
    pictures[0].save(tmp_path / "hall.gif", save_all=True, append_images=pictures[1:], duration=100)
    frames = read(tmp_path / "hall.gif", 0.2)
    assert [frame.sequence for frame in frames] == [0, 1, 2, 3, 4]
    assert [round(float(frame.image.mean())) for frame in frames] == [0, 40, 80, 120, 160]


@pytest.mark.parametrize("content", [b"", b"hello", bytes(4096)], ids=["empty", "text", "zeros"])
def test_what_is_no_video_is_refused(tmp_path, content) -> None:
    path = tmp_path / "door.mp4"
    path.write_bytes(content)
    with pytest.raises(UnreadableSource, match=r"door\.mp4"):
        read(path, 1.0)


def test_a_video_cut_short_is_refused(video, tmp_path) -> None:
    path = tmp_path / "door.mp4"
    path.write_bytes(video.read_bytes()[:1500])
    with pytest.raises(UnreadableSource, match=r"door\.mp4"):
        read(path, 1.0)


def test_nothing_there_is_refused(tmp_path) -> None:
    with pytest.raises(UnreadableSource, match="nothing"):
        open_source(tmp_path / "missing.mp4", start=START, every_s=1.0)


def test_a_source_is_read_inside_a_with_statement(video) -> None:
    with pytest.raises(UnreadableSource, match="with statement"):
        list(VideoFileSource(video, start=START, every_s=1.0))


def header_bomb() -> bytes:
    """A PNG of 200 bytes whose header claims 65,500 x 65,500 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))

    header = chunk(b"IHDR", pack(">IIBBBBB", 65500, 65500, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", compress(bytes(100))) + chunk(b"IEND", b"")


def stills_in(folder: Path, names: dict[str, bytes | int]) -> Path:
    """Write pictures of a grey level, or bytes as they are."""
    for name, content in names.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            cv2.imwrite(str(folder / name), np.full((48, 64, 3), content, np.uint8))
    return folder


def test_a_folder_is_read_in_the_order_of_names(tmp_path) -> None:
    folder = stills_in(tmp_path, {"c.bmp": 200, "a.png": 40, "b.JPG": 120, "notes.txt": b"not a picture"})
    frames = read(folder, 2.5)
    assert [round(float(frame.image.mean())) for frame in frames] == [40, 120, 200]
    assert seconds(frames) == [0.0, 2.5, 5.0]


@pytest.mark.parametrize("content", [b"nope", b"", header_bomb()], ids=["text", "empty", "header bomb"])
def test_an_unreadable_still_is_named_and_leaves_a_gap(tmp_path, content) -> None:
    folder = stills_in(tmp_path, {"a.jpg": 40, "b.png": content, "c.jpg": 200})
    with FolderSource(folder, start=START, every_s=1.0) as source:
        frames = list(source)
    assert [frame.sequence for frame in frames] == [0, 2]
    assert seconds(frames) == [0.0, 2.0]
    assert source.unreadable == ["b.png"]


def test_a_folder_without_pictures_is_refused(tmp_path) -> None:
    with pytest.raises(UnreadableSource, match="found none"):
        read(stills_in(tmp_path, {"notes.txt": b"x"}), 1.0)


def test_a_folder_of_unreadable_pictures_is_refused(tmp_path) -> None:
    """It would look like a camera that was never switched on."""
    with pytest.raises(UnreadableSource, match=r"a\.jpg"):
        read(stills_in(tmp_path, {"a.jpg": b"nope", "b.jpg": b"nope"}), 1.0)
