"""What a batch says of ticks that brought nothing, of the clock, and of its number."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from edge_capture.batch import Batcher, BatchLimits, CameraProfile, Dating
from edge_capture.errors import SpoolUnwritable
from edge_capture.filter import KeepAll
from edge_capture.source import Frame
from footfall_assets.contracts.batch import ClockFault

START = datetime(2024, 6, 5, 10, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
IMAGE = np.zeros((24, 32, 3), np.uint8)


def at(tick: int) -> datetime:
    return START + timedelta(seconds=5 * tick)


def frame(tick: int, moment: datetime | None = None) -> Frame:
    return Frame(IMAGE, moment or at(tick), tick)


@pytest.fixture
def batcher():
    def build(age_s=1000.0, timezone="UTC", **more):
        profile = CameraProfile("box-1", "store", "door", timezone, 5.0, UUID(int=1))
        return Batcher(profile, KeepAll(), KEY, BatchLimits(age_s=age_s), **more)

    return build


def test_a_silent_camera_is_due_all_the_same(batcher):
    it = batcher()
    it.add(frame(0), None)
    for tick in range(1, 10):
        it.miss(tick, at(tick))
    manifest = it.close().manifest
    assert (manifest.frames_expected, manifest.frames_captured, manifest.frames_kept) == (10, 1, 0)
    assert (manifest.opened_at, manifest.closed_at) == (at(0), at(9))


def test_age_closes_a_batch_though_no_frame_comes(batcher):
    it = batcher(age_s=30)
    closed = [it.miss(tick, at(tick)) for tick in range(20)]
    batches = [each for each in closed if each]
    assert [each.manifest.frames_expected for each in batches] == [6, 6, 6]
    assert [each.manifest.sequence for each in batches] == [1, 2, 3]
    assert it.age(at(19)) is None
    assert it.age(at(30)).manifest.frames_expected == 2
    assert it.age(at(99)) is None  # nothing is open


def test_numbers_left_out_were_due(batcher):
    """The caller was busy for seven ticks, over the end of a batch."""
    it = batcher(age_s=30)
    it.add(frame(0), None)
    it.add(frame(2), None)
    first = it.add(frame(9), None)
    assert first.manifest.frames_expected == 3
    assert it.close().manifest.frames_expected == 7


def test_a_source_that_was_opened_again_counts_on(batcher):
    it = batcher()
    it.add(frame(0), None)
    it.restart(at(5))
    it.add(frame(0, at(5)), None)
    it.add(frame(1, at(6)), None)
    assert it.close().manifest.frames_expected == 7


@given(st.lists(st.sampled_from(["frame", "miss", "skip"]), min_size=1, max_size=60), st.sampled_from([20.0, 1000.0]))
def test_over_all_batches_every_tick_is_due_once(steps, age_s):
    profile = CameraProfile("box-1", "store", "door", "UTC", 5.0, UUID(int=1))
    it = Batcher(profile, KeepAll(), KEY, BatchLimits(age_s=age_s))
    batches, taken = [], []
    for tick, step in enumerate(steps):
        if step != "skip":
            batches.append(it.add(frame(tick), None) if step == "frame" else it.miss(tick, at(tick)))
            taken.append(tick)
    batches.append(it.close())
    manifests = [each.manifest for each in batches if each]
    assert sum(each.frames_expected for each in manifests) == (taken[-1] - taken[0] + 1 if taken else 0)
    assert sum(each.frames_captured for each in manifests) == steps.count("frame")
    assert [each.sequence for each in manifests] == list(range(1, len(manifests) + 1))


def test_a_new_business_day_closes_a_batch_without_frames(batcher):
    it = batcher(timezone="Asia/Tokyo", age_s=10**6)
    midnight = datetime(2024, 6, 5, 15, tzinfo=UTC)
    closed = [it.miss(tick, midnight + timedelta(seconds=5 * (tick - 2))) for tick in range(5)]
    [batch] = [each for each in closed if each]
    assert str(batch.manifest.day) == "2024-06-05"
    assert str(it.close().manifest.day) == "2024-06-06"


def test_a_frame_a_little_older_than_its_tick_lies_inside_its_batch(batcher):
    """Intake sets aside batches whose stills lie outside their times."""
    it = batcher()
    it.miss(0, at(0))
    it.add(frame(1, at(0) - timedelta(milliseconds=300)), None)
    manifest = it.close().manifest
    assert (manifest.opened_at, manifest.closed_at) == (at(0) - timedelta(milliseconds=300), at(0))


def test_a_batch_has_one_state_of_the_clock_and_says_which(batcher):
    state = [Dating(UUID(int=1), 10.0)]
    it = batcher(dating=lambda: state[0])
    it.add(frame(0), None)
    state[0] = Dating(UUID(int=1), 15.0, ClockFault.STEPPED)
    good = it.add(frame(1), None)
    state[0] = Dating(UUID(int=2), 20.0)
    doubted = it.add(frame(2), None)
    assert [(each.manifest.clock_fault, each.epoch) for each in (good, doubted, it.close())] == [
        (None, UUID(int=1)),
        (ClockFault.STEPPED, UUID(int=1)),
        (None, UUID(int=2)),
    ]
    assert good.manifest.monotonic_s == 10.0


def test_a_batch_without_a_number_stays_open_until_there_is_one(batcher):
    """On a full disk there is no number: frames that fit are kept, the one that would close the batch is not."""
    numbers = []

    def next_sequence():
        if not numbers:
            raise SpoolUnwritable("no space left")
        return numbers.pop(0)

    it = batcher(age_s=30, next_sequence=next_sequence)
    for tick in range(6):
        assert it.add(frame(tick), None) is None
    assert it.closes_at(at(6))
    with pytest.raises(SpoolUnwritable):
        it.add(frame(6), None)
    numbers += [7, 8]
    closed = it.add(frame(7), None)
    assert (closed.manifest.sequence, closed.manifest.frames_captured) == (7, 6)
    last = it.close().manifest
    assert (last.sequence, last.frames_expected, last.frames_captured) == (8, 2, 1)
