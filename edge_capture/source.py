"""Where stills come from: one contract, whether a camera, a video file or a folder stands behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_capture.errors import UnreadableSource

_STILL_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_HALF_MILLISECOND_S: Final = 0.0005  # container time stamps are rounded to milliseconds


@dataclass(frozen=True)
class Frame:
    """One picture: `image` is BGR uint8 of shape (height, width, 3)."""

    image: NDArray[np.uint8]
    captured_at: datetime  # UTC
    sequence: int  # number of the tick it was due at, from 0; a gap is a still that never came


class FrameSource(Protocol):
    """Stills in time order, one per interval; a context manager that frees its device."""

    def __enter__(self) -> Self:
        """Open the device."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the device."""

    def __iter__(self) -> Iterator[Frame]:
        """Return the stills; raises UnreadableSource."""


class VideoFileSource:
    """A still every `every_s` seconds of a video file or GIF whose first frame was taken at `start`."""

    def __init__(self, path: Path, *, start: datetime, every_s: float) -> None:
        self._path = path
        self._start = start.astimezone(UTC)
        self._every_s = every_s
        self._capture: cv2.VideoCapture | None = None

    def __enter__(self) -> Self:
        self._capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise UnreadableSource(f"expected a video that FFmpeg can read, got {self._path}; is the file complete?")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._capture is not None:
            self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        capture = self._capture
        if capture is None:
            raise UnreadableSource(f"{self._path} is not open; use it in a with statement")
        tick = 0
        while capture.grab():
            at_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if at_s + _HALF_MILLISECOND_S < tick * self._every_s:
                continue
            ok, image = capture.retrieve()
            if ok:
                due = int((at_s + _HALF_MILLISECOND_S) // self._every_s)
                yield Frame(image, self._start + timedelta(seconds=due * self._every_s), due)
                tick = due + 1
        if tick == 0:
            raise UnreadableSource(f"no frame could be decoded from {self._path}; is it a video?")


class FolderSource:
    """The pictures of a folder in the order of their names, `every_s` seconds apart from `start` on.

    Attributes:
        unreadable: names of the pictures that could not be decoded, in order.
    """

    def __init__(self, path: Path, *, start: datetime, every_s: float) -> None:
        self._path = path
        self._start = start.astimezone(UTC)
        self._every_s = every_s
        self.unreadable: list[str] = []

    def __enter__(self) -> Self:
        self._stills = sorted(each for each in self._path.iterdir() if each.suffix.lower() in _STILL_SUFFIXES)
        if not self._stills:
            raise UnreadableSource(
                f"expected pictures ({', '.join(sorted(_STILL_SUFFIXES))}) in {self._path}, found none"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stills = []

    def __iter__(self) -> Iterator[Frame]:
        for sequence, still in enumerate(self._stills):
            image = _picture(still)
            if image is None:
                self.unreadable.append(still.name)
                continue
            yield Frame(image, self._start + timedelta(seconds=sequence * self._every_s), sequence)
        if len(self.unreadable) == len(self._stills):
            raise UnreadableSource(f"no picture in {self._path} could be decoded, not even {self._stills[0].name}")


def _picture(path: Path) -> NDArray[np.uint8] | None:
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
