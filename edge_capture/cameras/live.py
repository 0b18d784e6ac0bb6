"""A camera that runs by itself: a thread drains it, and each tick gets the newest picture."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Final, Protocol, Self

from edge_capture.clock import Clock
from edge_capture.errors import EdgeError, UnreadableSource
from edge_capture.pacing import Backoff, TickSchedule
from edge_capture.source import Frame, Image, Prepare, SourceStatus, Tick, as_it_is, frames_of

_CLOSE_WITHIN_S: Final = 1.0  # real time; a driver that hangs for longer is left to its daemon thread
_MOST_ERROR_CHARACTERS: Final = 400  # as CameraState
_LONGEST_SIDE_PX: Final = 8192  # as the platform's intake; a picture beyond it was not asked for


class Device(Protocol):
    """A camera as its driver shows it. All but `interrupt` are called from one thread."""

    on_demand: bool  # pictures come when asked for, and not by themselves

    def open(self) -> None:
        """Connect. Raises EdgeError or OSError, without credentials in its text."""

    def grab(self) -> bool:
        """Wait for the next picture and take it off the wire; False when there will be none."""

    def retrieve(self) -> Image | None:
        """Return the picture grabbed last, decoded; None when it is damaged."""

    def close(self) -> None:
        """Free everything; may be called again, and opened again."""

    def interrupt(self) -> None:
        """Make a waiting `open` or `grab` return soon, from any thread and for ever."""


class LiveSource:
    """Stills of a device that is opened again, with growing delays, whenever it goes away.

    The device is drained all the time, so that no picture waits in a buffer and grows old, but only the picture
    for a tick is decoded to pixels where the driver can leave that out. A tick takes the first picture that arrives
    after it is due; one that brings none before the next is due counts as dropped.
    """

    def __init__(
        self,
        device: Device,
        *,
        name: str,
        interval_s: float,
        clock: Clock,
        prepare: Prepare = as_it_is,
        backoff: Backoff | None = None,
    ) -> None:
        self._device = device
        self._name = name
        self._prepare = prepare
        self._interval_s = interval_s
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._lock = threading.Lock()
        self._status = SourceStatus()
        self._last_frame_s: float | None = None
        self._newest: Frame | None = None
        self._wanted = threading.Event()  # a tick is due and has no picture yet
        self._answered = threading.Event()  # it has one, or the source was closed
        self._closed = threading.Event()
        self._reader = threading.Thread(target=self._read, name=f"camera-{name}", daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """Return the stills."""
        return frames_of(self.ticks())

    @property
    def status(self) -> SourceStatus:
        """Return how it is doing."""
        with self._lock:
            status, last_s = self._status, self._last_frame_s
        return status if last_s is None else replace(status, last_frame_age_s=self._clock.monotonic() - last_s)

    def close(self) -> None:
        """End it; returns after about a second even where a driver hangs."""
        self._closed.set()
        self._answered.set()
        self._wanted.set()
        self._device.interrupt()
        if self._reader.is_alive() and threading.current_thread() is not self._reader:
            self._reader.join(_CLOSE_WITHIN_S)

    def ticks(self) -> Iterator[Tick]:
        """Return every tick from now on."""
        schedule = TickSchedule(start_s=self._clock.monotonic(), interval_s=self._interval_s)
        while not self._clock.wait(schedule.next_due_s - self._clock.monotonic(), self._closed):
            sequence, skipped = schedule.take(self._clock.monotonic())
            frame = self._frame_for(sequence, until_s=schedule.due_s(sequence + 1))
            if self._closed.is_set():
                return
            self._count(skipped, frame)
            yield Tick(sequence, frame)

    def _frame_for(self, sequence: int, *, until_s: float) -> Frame | None:
        """Ask the reader for a picture and wait for it."""
        self._answered.clear()
        with self._lock:
            self._newest = None
        self._wanted.set()
        if not self._closed.is_set():  # `close` may have come before clear()
            self._clock.wait(until_s - self._clock.monotonic(), self._answered)
        self._wanted.clear()
        if self._closed.is_set():
            self._wanted.set()
        with self._lock:
            newest, self._newest = self._newest, None
        return replace(newest, sequence=sequence) if newest else None

    def _count(self, skipped: int, frame: Frame | None) -> None:
        with self._lock:
            status = self._status
            self._status = replace(
                status,
                frames_expected=status.frames_expected + skipped + 1,
                frames_captured=status.frames_captured + (frame is not None),
                frames_dropped=status.frames_dropped + skipped + (frame is None),
            )

    # From here on: the reader's thread.

    def _read(self) -> None:
        """Keep the device open and drained until the source is closed."""
        connections = 0
        while not self._closed.is_set():
            error = "the camera ended the connection or sent nothing for too long"
            try:
                self._device.open()
                self._update(connected=True, error=None, reconnects=connections)
                connections += 1
                self._drain()
            except (EdgeError, OSError) as problem:
                error = str(problem)
            except Exception as problem:  # noqa: BLE001 - whatever a driver throws, the camera is tried again
                error = f"unexpected {type(problem).__name__} from the driver"  # its text may hold an address
            finally:
                with suppress(Exception):
                    self._device.close()
            self._update(connected=False, error=f"{self._name}: {error}"[:_MOST_ERROR_CHARACTERS])
            self._clock.wait(self._backoff.next_s(), self._closed)

    def _drain(self) -> None:
        """Take picture after picture off the device; decode the one that a tick waits for."""
        while not self._closed.is_set():
            if self._device.on_demand:
                self._wanted.wait()
            if self._closed.is_set() or not self._device.grab():
                return
            self._backoff.reset()
            now_s, now = self._clock.monotonic(), self._clock.now()
            self._last_frame_s = now_s
            self._update(last_frame_at=now)
            if not self._wanted.is_set():
                continue
            image = self._device.retrieve()
            if image is None:
                continue
            if max(image.shape[:2]) > _LONGEST_SIDE_PX:
                raise UnreadableSource(f"expected pictures up to {_LONGEST_SIDE_PX} px a side, got {image.shape[:2]}")
            self._wanted.clear()
            with self._lock:
                self._newest = Frame(self._prepare(image), now, sequence=0)
            self._answered.set()

    def _update(self, **changes: object) -> None:
        with self._lock:
            self._status = replace(self._status, **changes)  # type: ignore[arg-type]
