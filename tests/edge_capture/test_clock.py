"""E7: whatever the wall clock does, no time is wrong without being doubted."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_capture.clock import ClockRecord, SteadyClock, SystemClock
from footfall_assets.contracts.batch import ClockFault

START = datetime(2024, 6, 5, 10, tzinfo=UTC)


def test_time_goes_on_as_it_does(hand):
    clock = SteadyClock(hand)
    hand.pass_(3600)
    assert clock.check() is None
    assert clock.now() == START + timedelta(hours=1)


STEPS = {
    "an hour on": timedelta(hours=1),
    "an hour back": timedelta(hours=-1),
    "three days on": timedelta(days=3),
    "to 1970": datetime(1970, 1, 1, tzinfo=UTC) - START,
    "to 2038": datetime(2038, 1, 20, tzinfo=UTC) - START,
    "to 9999": datetime(9999, 1, 1, tzinfo=UTC) - START,
    "six seconds": timedelta(seconds=6),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_step_moves_no_picture_and_is_doubted(hand, step):
    clock = SteadyClock(hand)
    hand.pass_(60)
    hand.wall += step
    assert clock.check() is ClockFault.STEPPED
    hand.pass_(60)
    assert clock.now() == START + timedelta(seconds=120)
    hand.wall -= step
    assert clock.check() is None


@pytest.mark.parametrize("drift", [0.5, 2.0])
def test_drift_is_doubted_before_it_matters(hand, drift):
    clock = SteadyClock(hand)
    for _ in range(20):
        hand.pass_(1, drift=drift)
        clock.check()
    assert clock.fault is ClockFault.STEPPED
    assert clock.now() == START + timedelta(seconds=20)


def test_slewing_by_the_time_service_is_no_fault(hand):
    clock = SteadyClock(hand)
    for _ in range(10):
        hand.pass_(1, drift=1.1)
    assert clock.check() is None


@pytest.mark.parametrize(
    ("wall", "fault"),
    [
        (datetime(1970, 1, 1, 0, 3, tzinfo=UTC), ClockFault.BEHIND),
        (START - timedelta(days=1), ClockFault.BEHIND),
        (START + timedelta(seconds=1), None),
        (START + timedelta(days=399), None),
        (START + timedelta(days=401), ClockFault.AHEAD),
    ],
)
def test_after_a_reboot_the_last_known_moment_bounds_what_is_believed(wall, fault, hand_clock):
    known = ClockRecord(START, 500.0, UUID(int=1), UUID(int=9))
    clock = SteadyClock(hand_clock(wall, since_boot=20.0, boot=2), known)
    assert clock.fault is fault
    assert clock.epoch != UUID(int=9)


@pytest.mark.parametrize(("year", "fault"), [(2023, ClockFault.BEHIND), (2024, None), (2038, ClockFault.AHEAD)])
def test_a_first_start_has_bounds_as_well(year, fault, hand_clock):
    assert SteadyClock(hand_clock(datetime(year, 6, 1, tzinfo=UTC))).fault is fault


def test_a_restart_within_one_boot_goes_on_where_it_was(hand_clock):
    hand = hand_clock()
    before = SteadyClock(hand)
    hand.pass_(50)
    known = before.record()
    hand.pass_(50)
    hand.wall += timedelta(days=3)  # while nothing was running
    after = SteadyClock(hand, known)
    assert (after.epoch, after.fault) == (before.epoch, ClockFault.STEPPED)
    assert after.now() == START + timedelta(seconds=100)


def test_a_clock_that_was_never_set_is_believed_as_soon_as_it_is(hand_clock):
    hand = hand_clock(datetime(1970, 1, 1, tzinfo=UTC))
    clock = SteadyClock(hand)
    first = clock.epoch
    hand.pass_(30)
    assert clock.check() is ClockFault.BEHIND
    hand.wall = START
    assert clock.check() is None
    assert clock.now() == START
    assert clock.epoch != first


def test_the_lake_shows_that_the_step_was_wrong(hand):
    clock = SteadyClock(hand)
    hand.wall += timedelta(days=3)
    clock.check()
    verdict = clock.compare(START + timedelta(seconds=20))
    assert (verdict.wrong_epoch, verdict.skew_s) == (None, -20)
    assert clock.check() is None  # the wall clock is still three days ahead, and known to be
    hand.pass_(10)
    hand.wall += timedelta(hours=1)
    assert clock.check() is ClockFault.STEPPED  # a step beyond the known one is a new doubt


def test_the_lake_shows_that_the_step_was_right(hand):
    clock = SteadyClock(hand)
    wrong = clock.epoch
    hand.wall += timedelta(days=3)
    clock.check()
    verdict = clock.compare(hand.wall)
    assert (verdict.wrong_epoch, verdict.fault) == (wrong, None)
    assert (clock.now(), clock.fault) == (hand.wall, None)
    assert clock.epoch != wrong


@pytest.mark.parametrize(
    ("away", "fault"), [(timedelta(days=-1), ClockFault.AHEAD), (timedelta(days=1), ClockFault.BEHIND)]
)
def test_a_machine_that_was_wrong_all_along_learns_it_from_the_lake(hand, away, fault):
    clock = SteadyClock(hand)
    wrong = clock.epoch
    verdict = clock.compare(START + away)
    assert (verdict.wrong_epoch, verdict.fault, clock.fault) == (wrong, fault, fault)
    clock.check()
    assert clock.fault is fault
    hand.wall += away  # somebody sets it
    assert clock.compare(START + away).wrong_epoch == wrong
    assert clock.check() is None


def test_somebody_may_say_that_the_clock_is_right(hand_clock):
    known = ClockRecord(START, 500.0, UUID(int=1), UUID(int=9))
    assert SteadyClock(hand_clock(START - timedelta(days=9), boot=2), known, believe=True).fault is None


@given(moves=st.lists(st.tuples(st.floats(0, 86_400), st.floats(-(10**7), 10**7)), max_size=20))
def test_the_timeline_never_steps_by_itself(moves, hand_clock):
    hand = hand_clock()
    clock = SteadyClock(hand)
    passed = 0.0
    for seconds, step in moves:
        hand.pass_(seconds)
        passed += seconds
        hand.wall += timedelta(seconds=step)
        clock.check()
        assert abs((clock.now() - START).total_seconds() - passed) < 0.001


def test_the_machine_tells_the_time():
    clock = SystemClock()
    before = clock.monotonic()
    assert clock.now().tzinfo is UTC
    assert not clock.wait(0.001)
    assert clock.monotonic() > before
    assert clock.boot_id == SystemClock().boot_id
