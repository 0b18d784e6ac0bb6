"""Footage that plays as a camera would: in real time, each still at its tick."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from threading import Event
from types import TracebackType
from typing import Self

from edge_capture.clock import Clock
from edge_capture.errors import UnreadableSource
from edge_capture.pacing import TickSchedule
from edge_capture.source import Frame, Image, Prepare, SourceStatus, Tick, as_it_is, frames_of

Pictures = Iterator[tuple[int, Image]]  # number of the tick since the footage began, rising, and its picture
Footage = Callable[[], AbstractContextManager[Pictures]]


class PacedSource:
    """Stills of footage that starts again at its end where `loop` says so.

    Ticks that pass while the caller is busy skip the pictures that were due then, as with a camera.
    """

    def __init__(
        self, footage: Footage, *, interval_s: float, clock: Clock, loop: bool = False, prepare: Prepare = as_it_is
    ) -> None:
        self._footage = footage
        self._prepare = prepare
        self._interval_s = interval_s
        self._clock = clock
        self._loop = loop
        self._closed = Event()
        self._stack = ExitStack()
        self._pictures: Pictures | None = None
        self._status = SourceStatus()
        self._last_frame_s: float | None = None

    def __enter__(self) -> Self:
        self._pictures = self._stack.enter_context(self._footage())
        self._status = SourceStatus(connected=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._stack.close()

    def __iter__(self) -> Iterator[Frame]:
        """Return the stills."""
        return frames_of(self.ticks())

    @property
    def status(self) -> SourceStatus:
        """Return how it is doing."""
        status, last_s = self._status, self._last_frame_s
        return status if last_s is None else replace(status, last_frame_age_s=self._clock.monotonic() - last_s)

    def close(self) -> None:
        """End it."""
        self._closed.set()
        self._status = replace(self._status, connected=False)

    def ticks(self) -> Iterator[Tick]:
        """Return every tick from now on, to the end of the footage."""
        schedule = TickSchedule(start_s=self._clock.monotonic(), interval_s=self._interval_s)
        footage = self._numbered()
        at: tuple[int, Image | None] = (-1, None)
        while not self._clock.wait(schedule.next_due_s - self._clock.monotonic(), self._closed):
            sequence, skipped = schedule.take(self._clock.monotonic())
            while at[0] < sequence:
                following = next(footage, None)
                if following is None:
                    self._status = replace(self._status, connected=False)
                    return
                at = following
            yield self._tick(sequence, skipped, at[1] if at[0] == sequence else None)

    def _numbered(self) -> Iterator[tuple[int, Image]]:
        """Yield the pictures with the number of their tick, counted on where the footage starts again."""
        pictures, first = self._pictures, 0
        if pictures is None:
            raise UnreadableSource("the footage is not open; use it in a with statement")
        while True:
            last = -1
            for number, image in pictures:
                last = number
                yield first + number, image
            if not self._loop or last < 0 or self._closed.is_set():
                return
            first += last + 1
            self._stack.close()
            pictures = self._stack.enter_context(self._footage())

    def _tick(self, sequence: int, skipped: int, image: Image | None) -> Tick:
        frame = Frame(self._prepare(image), self._clock.now(), sequence) if image is not None else None
        status = self._status
        self._status = replace(
            status,
            frames_expected=status.frames_expected + skipped + 1,
            frames_captured=status.frames_captured + (frame is not None),
            frames_dropped=status.frames_dropped + skipped + (frame is None),
            last_frame_at=frame.captured_at if frame else status.last_frame_at,
        )
        if frame:
            self._last_frame_s = self._clock.monotonic()
        return Tick(sequence, frame)
