"""The contract of everything stills come from; what stands behind it is in `edge_capture.cameras`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # BGR (height, width, 3)
Prepare = Callable[[Image], Image]  # what is done to a picture before anybody gets it; may change it in place


@dataclass(frozen=True)
class Frame:
    """One picture: `image` is BGR uint8 of shape (height, width, 3)."""

    image: Image
    captured_at: datetime  # UTC
    sequence: int  # number of the tick it was due at, from 0; a gap is a still that never came


@dataclass(frozen=True)
class Tick:
    """A moment at which a still was due. Without a frame none came: the camera is away, or gave nothing in time."""

    sequence: int  # from 0, `interval_s` apart on the monotonic clock; never used twice
    frame: Frame | None


@dataclass(frozen=True)
class SourceStatus:
    """How a source is doing, counted since it was opened: expected = captured + dropped at every moment."""

    connected: bool = False
    frames_expected: int = 0  # ticks that came
    frames_captured: int = 0
    frames_dropped: int = 0  # ticks without a picture: the camera was away or slow, or the caller was busy
    reconnects: int = 0  # connections after the first
    last_frame_at: datetime | None = None  # UTC
    last_frame_age_s: float | None = None  # on the monotonic clock
    error: str | None = None  # why it is not connected, or what was last wrong; holds no credentials


class FrameSource(Protocol):
    """Stills in time order, one per interval; a context manager that frees its device.

    A source is opened once and iterated once, by `iter(source)` or by `source.ticks()`. It ends by itself only where
    a recording ends; a camera that is away is waited for.
    """

    def __enter__(self) -> Self:
        """Open the device. A camera need not be there yet."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the device."""

    def __iter__(self) -> Iterator[Frame]:
        """Return the stills; raises UnreadableSource where a recording cannot be read."""

    def ticks(self) -> Iterator[Tick]:
        """Return every tick, with its frame or without; numbers left out passed while the caller was busy."""

    @property
    def status(self) -> SourceStatus:
        """Return how it is doing; from any thread."""

    def close(self) -> None:
        """End it from any thread: a waiting iteration stops within about a second."""


def frames_of(ticks: Iterator[Tick]) -> Iterator[Frame]:
    """Yield the frames of those ticks that have one."""
    return (tick.frame for tick in ticks if tick.frame is not None)


def as_it_is(image: Image) -> Image:
    """Return the picture, unprepared."""
    return image
