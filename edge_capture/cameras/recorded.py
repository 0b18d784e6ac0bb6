"""Recorded footage, as fast as it can be read: what `footfall ingest` takes, and what the other sources play."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Final, Self

import cv2
import numpy as np

from edge_capture.cameras.ffmpeg import open_capture
from edge_capture.errors import UnreadableSource
from edge_capture.source import Frame, Image, SourceStatus, Tick

_STILL_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_HALF_MILLISECOND_S: Final = 0.0005  # container time stamps are rounded to milliseconds


class _Recording(ABC):
    """What videos and folders have in common: times told by the recording itself, and counts."""

    def __init__(self, path: Path, *, start: datetime, every_s: float) -> None:
        self._path = path
        self._start = start.astimezone(UTC)
        self._every_s = every_s
        self._closed = Event()
        self._status = SourceStatus()

    @property
    def status(self) -> SourceStatus:
        """Return how far it was read."""
        return self._status

    def close(self) -> None:
        """End the iteration."""
        self._closed.set()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ticks(self) -> Iterator[Tick]:
        """Yield the ticks that have a still."""
        return (Tick(frame.sequence, frame) for frame in self)

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Yield the stills."""

    def _frame(self, image: Image, sequence: int) -> Frame:
        """Count a still and return it."""
        captured_at = self._start + timedelta(seconds=sequence * self._every_s)
        captured = self._status.frames_captured + 1
        self._status = SourceStatus(
            connected=True,
            frames_expected=sequence + 1,
            frames_captured=captured,
            frames_dropped=sequence + 1 - captured,
            last_frame_at=captured_at,
        )
        return Frame(image, captured_at, sequence)


class VideoFileSource(_Recording):
    """A still every `every_s` seconds of a video file or GIF whose first frame was taken at `start`."""

    _capture: cv2.VideoCapture | None = None

    def __enter__(self) -> Self:
        self._capture = open_capture(str(self._path))
        if not self._capture.isOpened():
            raise UnreadableSource(f"expected a video that FFmpeg can read, got {self._path}; is the file complete?")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._capture is not None:
            self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        """Yield the stills; raises UnreadableSource."""
        capture = self._capture
        if capture is None:
            raise UnreadableSource(f"{self._path} is not open; use it in a with statement")
        tick = 0
        while not self._closed.is_set() and capture.grab():
            at_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if at_s + _HALF_MILLISECOND_S < tick * self._every_s:
                continue
            ok, image = capture.retrieve()
            if ok:
                due = int((at_s + _HALF_MILLISECOND_S) // self._every_s)
                yield self._frame(image, due)
                tick = due + 1
        if tick == 0 and not self._closed.is_set():
            raise UnreadableSource(f"no frame could be decoded from {self._path}; is it a video?")


class FolderSource(_Recording):
    """The pictures of a folder in the order of their names, `every_s` seconds apart from `start` on.

    Attributes:
        unreadable: names of the pictures that could not be decoded, in order.
    """

    def __init__(self, path: Path, *, start: datetime, every_s: float) -> None:
        super().__init__(path, start=start, every_s=every_s)
        self.unreadable: list[str] = []
        self._stills: list[Path] = []

    def __enter__(self) -> Self:
        self._stills = sorted(each for each in self._path.iterdir() if each.suffix.lower() in _STILL_SUFFIXES)
        if not self._stills:
            raise UnreadableSource(
                f"expected pictures ({', '.join(sorted(_STILL_SUFFIXES))}) in {self._path}, found none"
            )
        return self

    def __iter__(self) -> Iterator[Frame]:
        """Yield the stills; raises UnreadableSource."""
        for sequence, still in enumerate(self._stills):
            if self._closed.is_set():
                return
            image = _picture(still)
            if image is None:
                self.unreadable.append(still.name)
                continue
            yield self._frame(image, sequence)
        if len(self.unreadable) == len(self._stills):
            raise UnreadableSource(f"no picture in {self._path} could be decoded, not even {self._stills[0].name}")


def _picture(path: Path) -> Image | None:
    try:
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    except cv2.error:  # a header that claims more pixels than OpenCV will hold
        return None
    return None if image is None else np.asarray(image, dtype=np.uint8)


def open_source(path: Path, *, start: datetime, every_s: float) -> VideoFileSource | FolderSource:
    """Return the source for a path: a folder of stills, else a video file.

    Raises:
        UnreadableSource: nothing is there.
    """
    if path.is_dir():
        return FolderSource(path, start=start, every_s=every_s)
    if path.is_file():
        return VideoFileSource(path, start=start, every_s=every_s)
    raise UnreadableSource(f"expected a video, a GIF or a folder of stills at {path}, found nothing")
