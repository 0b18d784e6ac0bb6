from random import Random

from hypothesis import given
from hypothesis import strategies as st

from edge_capture.pacing import Backoff, TickSchedule


@given(
    start=st.floats(0, 1e7),
    interval=st.floats(0.01, 3600),
    busy=st.lists(st.floats(0, 20), max_size=50),
)
def test_no_tick_is_taken_twice_and_none_vanishes(start, interval, busy) -> None:
    """`busy` is how many intervals the caller takes for each still."""
    schedule = TickSchedule(start_s=start, interval_s=interval)
    now, taken, skipped = start, [], 0
    for each in busy:
        now = max(now, schedule.next_due_s)
        sequence, passed = schedule.take(now)
        taken.append(sequence)
        skipped += passed
        now += each * interval
    assert taken == sorted(set(taken))
    assert skipped + len(taken) == (taken[-1] + 1 if taken else 0)


def test_lateness_does_not_add_up() -> None:
    schedule = TickSchedule(start_s=100.0, interval_s=0.1)
    for number in range(100_000):
        due = schedule.next_due_s
        assert schedule.take(due + 0.09) == (number, 0)
    assert abs(schedule.next_due_s - 10_100.0) < 1e-6


def test_a_caller_that_was_away_gets_the_newest_tick() -> None:
    schedule = TickSchedule(start_s=10.0, interval_s=2.0)
    assert schedule.take(10.0) == (0, 0)
    assert schedule.take(19.9) == (4, 3)
    assert schedule.next_due_s == 20.0
    assert schedule.take(19.999) == (5, 0)  # a sleep that ended early


@given(st.integers(0, 10_000), st.integers())
def test_delays_lie_between_half_a_bound_and_the_bound(attempts, seed) -> None:
    backoff = Backoff(first_s=0.5, longest_s=60.0, random=Random(seed), attempts=attempts)  # noqa: S311
    bound = min(0.5 * 2.0 ** min(attempts, 30), 60.0)
    assert bound / 2 <= backoff.next_s() <= bound


def test_cameras_do_not_come_back_all_at_once() -> None:
    delays = {Backoff(random=Random(seed), attempts=9).next_s() for seed in range(20)}  # noqa: S311
    assert len(delays) == 20
    assert max(delays) - min(delays) > 15


def test_a_picture_resets_the_delay() -> None:
    backoff = Backoff(first_s=1.0)
    for _ in range(9):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 1.0
