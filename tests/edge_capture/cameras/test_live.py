"""What a live source does with a device that misbehaves."""

import threading
from datetime import UTC
from itertools import islice
from random import Random

import cv2
import numpy as np
import pytest

from edge_capture.cameras.live import LiveSource
from edge_capture.errors import UnreadableSource
from edge_capture.pacing import Backoff

PICTURE = np.full((4, 6, 3), 9, np.uint8)


class ScriptedDevice:
    """Connects `connections` times with what each gives in turn; then it waits to be interrupted."""

    on_demand = False

    def __init__(self, connections) -> None:
        self._connections = iter(connections)
        self._pictures = iter(())
        self._picture = None
        self.opened = self.closed = self.grabbed = self.retrieved = 0
        self.interrupted = threading.Event()

    def open(self) -> None:
        self.opened += 1
        script = next(self._connections, None)
        if script is None:
            self.interrupted.wait(5)
            raise ConnectionError("interrupted")
        if isinstance(script, Exception):
            raise script
        self._pictures = iter(script)

    def grab(self) -> bool:
        self._picture = next(self._pictures, None)
        self.grabbed += 1
        if callable(self._picture):
            self._picture = self._picture()
        if isinstance(self._picture, Exception):
            raise self._picture
        return self._picture is not None

    def retrieve(self):
        self.retrieved += 1
        return None if isinstance(self._picture, str) else self._picture

    def close(self) -> None:
        self.closed += 1

    def interrupt(self) -> None:
        self.interrupted.set()


@pytest.fixture
def live(fast_clock):
    """A live source whose clock runs 50 times as fast: an interval of 5 s lasts 0.1 s."""
    made = []

    def make(device, **options) -> LiveSource:
        source = LiveSource(device, name="door", **{"interval_s": 5.0, "clock": fast_clock(50)} | options)
        made.append(source)
        return source.__enter__()

    yield make
    for each in made:
        each.close()


def pictures(*, pause_s: float = 0.002, event: threading.Event | None = None):
    """Pictures without end, `pause_s` apart, each a little brighter."""
    event = event or threading.Event()
    level = 0
    while not event.wait(pause_s):
        level += 1
        yield np.full((4, 6, 3), level % 256, np.uint8)


def test_a_camera_that_goes_away_is_opened_again(live) -> None:
    device = ScriptedDevice([islice(pictures(), 3), [], islice(pictures(), 10_000)])
    source = live(device)
    ticks = islice(source.ticks(), 5)
    assert [tick for tick in ticks if tick.frame]
    assert device.opened == 3
    assert device.closed == 2
    assert source.status.reconnects == 2
    assert source.status.connected
    assert source.status.error is None


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (UnreadableSource("its path is wrong"), "door: its path is wrong"),
        (ConnectionRefusedError("refused"), "door: refused"),
        (cv2.error("rtsp://viewer:secret@door"), "door: unexpected error from the driver"),
        (ValueError("rtsp://viewer:secret@door"), "door: unexpected ValueError from the driver"),
    ],
)
@pytest.mark.parametrize("when", ["open", "grab"])
def test_no_fault_of_a_driver_ends_the_reader(live, until, problem, said, when) -> None:
    device = ScriptedDevice([problem if when == "open" else [problem]])
    source = live(device)
    until(lambda: device.opened == 2)
    assert source.status.error == said
    assert not source.status.connected
    device.interrupted.set()
    until(lambda: device.opened > 2)


def test_a_long_error_is_cut(live, until) -> None:
    source = live(ScriptedDevice([UnreadableSource("x" * 1000)]))
    assert len(until(lambda: source.status.error)) == 400


def test_delays_grow_until_a_picture_comes(live, until) -> None:
    class Recorded(Backoff):
        delays: list[float]

        def next_s(self) -> float:
            self.delays.append(super().next_s())
            return 0.0

    backoff = Recorded(first_s=1, longest_s=8, random=Random(1))  # noqa: S311
    backoff.delays = []
    no = ConnectionError("no")
    device = ScriptedDevice([no, no, no, no, no, [PICTURE], no])
    live(device, backoff=backoff)
    until(lambda: device.opened == 8)
    bounds = [1, 2, 4, 8, 8, 1, 2]
    assert len(backoff.delays) == 7
    assert all(bound / 2 <= delay <= bound for delay, bound in zip(backoff.delays, bounds, strict=True))


def test_a_tick_gets_a_picture_that_came_after_it_was_due(live, until) -> None:
    """Old pictures wait in drivers: the device is drained, and only what a tick waits for is decoded."""
    device = ScriptedDevice([pictures(pause_s=0.002)])
    source = live(device, interval_s=0.5)
    ticks = source.ticks()
    for number in range(4):
        drained = device.grabbed
        until(lambda drained=drained: device.grabbed > drained + 5)
        before = device.grabbed
        frame = until(lambda: next(ticks).frame)
        assert int(frame.image[0, 0, 0]) >= before
        assert device.retrieved <= number + 1


def test_damaged_pictures_are_passed_over(live) -> None:
    good = pictures(pause_s=0.0)

    def damaged_and_good():
        while True:
            yield "damaged"
            yield next(good)

    source = live(ScriptedDevice([damaged_and_good()]))
    frames = list(islice(source, 3))
    assert [frame.sequence for frame in frames] == sorted({frame.sequence for frame in frames})
    assert source.status.frames_captured == 3


def test_a_picture_of_absurd_size_is_refused(live, until) -> None:
    source = live(ScriptedDevice([[np.zeros((1, 9000, 3), np.uint8)] * 10_000]), interval_s=0.1)
    threading.Thread(target=lambda: list(islice(source.ticks(), 3)), daemon=True).start()
    assert "9000" in until(lambda: source.status.error)


def test_a_silent_camera_drops_every_tick(live) -> None:
    released = threading.Event()

    def silence():
        released.wait(5)
        return PICTURE

    source = live(ScriptedDevice([[silence]]), interval_s=1.0)
    ticks = list(islice(source.ticks(), 4))
    released.set()
    assert [tick.frame for tick in ticks] == [None] * 4
    due = ticks[-1].sequence + 1  # 4, or more on a busy machine
    assert (source.status.frames_expected, source.status.frames_dropped) == (due, due)
    assert source.status.last_frame_age_s is None


def test_the_age_of_the_last_frame_grows(live, until) -> None:
    source = live(ScriptedDevice([[PICTURE]]))
    until(lambda: source.status.last_frame_age_s)
    first = source.status.last_frame_age_s
    until(lambda: source.status.last_frame_age_s > first + 1)
    assert source.status.last_frame_at.tzinfo is UTC


def test_pictures_on_demand_are_asked_for_at_ticks_only(live) -> None:
    device = ScriptedDevice([pictures(pause_s=0.0)])
    device.on_demand = True
    source = live(device)
    frames = list(islice(source, 3))
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 2, 3]


@pytest.mark.parametrize("on_demand", [True, False])
def test_closing_wakes_a_reader_and_a_caller(live, on_demand) -> None:
    device = ScriptedDevice([])
    device.on_demand = on_demand
    source = live(device, interval_s=1000.0)
    closer = threading.Timer(0.05, source.close)
    closer.start()
    assert list(source.ticks()) == []
    closer.join()
    assert device.interrupted.is_set()
    assert not source._reader.is_alive()


def test_a_driver_that_hangs_does_not_hold_up_closing(live) -> None:
    hung = threading.Event()
    source = live(ScriptedDevice([[lambda: hung.wait(10)]]))
    source.close()
    assert source._reader.is_alive()  # left behind as a daemon
    hung.set()
