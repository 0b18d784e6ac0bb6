from contextlib import contextmanager
from itertools import islice

import numpy as np
import pytest

from edge_capture.cameras.paced import PacedSource
from edge_capture.cameras.synthetic import SyntheticScenes
from edge_capture.errors import UnreadableSource


def footage(numbers, opened=None):
    @contextmanager
    def pictures():
        if opened is not None:
            opened.append("open")
        yield ((number, np.full((2, 2, 3), number, np.uint8)) for number in numbers)
        if opened is not None:
            opened.append("closed")

    return pictures


def played(source):
    return [(tick.sequence, tick.frame and int(tick.frame.image[0, 0, 0])) for tick in source.ticks()]


def test_each_still_comes_at_its_tick(stepped_clock) -> None:
    start = stepped_clock.now()
    with PacedSource(footage(range(4)), interval_s=2.5, clock=stepped_clock) as source:
        frames = list(source)
    assert [(frame.captured_at - start).total_seconds() for frame in frames] == [0.0, 2.5, 5.0, 7.5]
    assert [frame.sequence for frame in frames] == [0, 1, 2, 3]
    assert not source.status.connected


def test_what_the_footage_lacks_is_a_tick_without_a_frame(stepped_clock) -> None:
    with PacedSource(footage([0, 3]), interval_s=1.0, clock=stepped_clock) as source:
        assert played(source) == [(0, 0), (1, None), (2, None), (3, 3)]
    status = source.status
    assert (status.frames_expected, status.frames_captured, status.frames_dropped) == (4, 2, 2)


def test_a_busy_caller_misses_what_was_due_meanwhile(stepped_clock) -> None:
    with PacedSource(footage(range(20)), interval_s=1.0, clock=stepped_clock) as source:
        ticks = source.ticks()
        assert next(ticks).sequence == 0
        stepped_clock.seconds += 4.3
        tick = next(ticks)
        assert (tick.sequence, int(tick.frame.image[0, 0, 0])) == (4, 4)
        assert stepped_clock.waits[-1] < 0  # late by 0.3 s: taken at once
        assert next(ticks).sequence == 5
        assert stepped_clock.waits[-1] == pytest.approx(0.7)  # and back on time
    status = source.status
    assert (status.frames_expected, status.frames_captured, status.frames_dropped) == (6, 3, 3)


def test_a_loop_counts_on_and_frees_what_it_opened(stepped_clock) -> None:
    opened: list[str] = []
    with PacedSource(footage([0, 1, 3], opened), interval_s=1.0, clock=stepped_clock, loop=True) as source:
        ticks = [(tick.sequence, tick.frame and int(tick.frame.image[0, 0, 0])) for tick in islice(source.ticks(), 9)]
    assert ticks == [(0, 0), (1, 1), (2, None), (3, 3), (4, 0), (5, 1), (6, None), (7, 3), (8, 0)]
    assert opened == ["open", "closed"] * 3


def test_an_empty_loop_ends(stepped_clock) -> None:
    with PacedSource(footage([]), interval_s=1.0, clock=stepped_clock, loop=True) as source:
        assert played(source) == []


def test_it_is_read_inside_a_with_statement(stepped_clock) -> None:
    with pytest.raises(UnreadableSource, match="with statement"):
        played(PacedSource(footage([0]), interval_s=1.0, clock=stepped_clock))


def test_scenes_depend_on_seed_and_tick_alone() -> None:
    scenes, same, other = SyntheticScenes(7, 160, 90), SyntheticScenes(7, 160, 90), SyntheticScenes(8, 160, 90)
    drawn = [scenes.draw(tick) for tick in range(12)]
    assert drawn[0].shape == (90, 160, 3)
    assert drawn[0].dtype == np.uint8
    assert all(np.array_equal(same.draw(tick), drawn[tick]) for tick in (0, 5, 11))
    assert not np.array_equal(other.draw(5), drawn[5])
    assert not np.array_equal(drawn[4], drawn[5])


def test_people_come_and_go() -> None:
    """Noise alone changes a pixel by less than 5 levels."""
    scenes = SyntheticScenes(7, 160, 90)
    empty = scenes.draw(39).astype(int)  # the last figures have left by then
    busy = [tick for tick in range(40) if np.abs(scenes.draw(tick).astype(int) - empty).max() > 20]
    assert busy
    assert len(busy) < 35
