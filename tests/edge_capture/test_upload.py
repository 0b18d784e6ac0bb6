"""Forwarding: what a lake may do to a device, and what must come of it."""

import random
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from uuid import UUID

import boto3
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from moto import mock_aws

from edge_capture.batch import BatchLimits, CameraProfile, capture_batches
from edge_capture.clock import SteadyClock
from edge_capture.filter import KeepAll
from edge_capture.source import Frame
from edge_capture.spool import Spool, SpoolCaps
from edge_capture.upload import LONGEST_PAUSE_S, Outcome, Uploader
from edge_capture.worker import facts_of
from footfall_assets.contracts.batch import ClockFault, public_key_text, unpack_batch
from footfall_assets.contracts.errors import PermanentFailure, TransientFailure
from footfall_assets.contracts.settings import IntakeLimits
from footfall_assets.storage import open_lake_at
from footfall_assets.storage.lake import AccessRefused, FolderLake, KeyTaken

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
START = datetime(2024, 6, 5, 10, tzinfo=UTC)


def frame(number: int) -> Frame:
    image = np.random.default_rng(number).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    return Frame(image, START + timedelta(seconds=5 * number), number)


class FaultyLake:
    """A folder that does what it is told; a fault is used up, one that is for ever is not."""

    def __init__(self, root: Path) -> None:
        self.inner = FolderLake(root)
        root.mkdir()
        self.faults: list = []
        self.always = None
        self.poison: set[str] = set()
        self.attempts: list[str] = []
        self.told: datetime | None = None

    def write_once(self, key, data):
        self.attempts.append(key)
        if key in self.poison:
            raise KeyTaken(key)
        fault = self.faults.pop(0) if self.faults else self.always
        if fault == "lost reply":
            self.inner.write_once(key, data)
            raise TransientFailure("the connection was closed")
        if fault:
            raise fault
        return self.inner.write_once(key, data)

    def server_time(self):
        if isinstance(self.always, TransientFailure):
            raise self.always
        return self.told

    def keys(self):
        return self.inner.list_keys("landing")


class Bench:
    """A spool with batches in it, an uploader and its clock."""

    def __init__(self, folder, hand, lake) -> None:
        self.hand, self.lake = hand, lake
        self.clock = SteadyClock(hand)
        self.spool = Spool(folder / "spool", SpoolCaps(10**9, 10**6))
        self.uploader = Uploader(self.spool, lake, self.clock, KEY, chance=random.Random(1))  # noqa: S311
        self.keys: list[str] = []

    def fill(self, count: int, camera: str = "door") -> None:
        profile = CameraProfile("box-1", "store", camera, "UTC", 5.0, UUID(int=1))
        first = len(self.keys)
        frames = [frame(first + each) for each in range(count)]
        for batch in capture_batches(frames, profile, KeepAll(), KEY, limits=BatchLimits(stills=1)):
            manifest = batch.manifest.model_copy(update={"sequence": self.spool.reserve(camera)})
            facts = facts_of(type(batch)(manifest, batch.data, self.clock.epoch))
            self.spool.put(facts, batch.data)
            self.keys.append(facts.key)

    def run(self, seconds: float) -> list:
        """Step for so long on the moved clock; return the steps that did something."""
        steps, until = [], self.hand.since_boot + seconds
        while self.hand.since_boot < until:
            step = self.uploader.step()
            steps.append(step)
            if self.spool.status().items == 0:
                break
            self.hand.pass_(step.wait_s)
        return [step for step in steps if step.item or step.outcome is Outcome.LIMITED]


@pytest.fixture
def bench(fast_folder, hand):
    made = []

    def build(lake=None):
        made.append(Bench(fast_folder, hand, lake or FaultyLake(fast_folder / "lake")))
        return made[-1]

    yield build
    for each in made:
        each.spool.close()


def test_the_oldest_goes_first_and_everything_goes(bench):
    it = bench()
    it.fill(5)
    assert [step.item.facts.key for step in it.run(60)] == it.keys
    assert it.lake.keys() == sorted(it.keys)
    assert it.spool.status().items == 0


def test_a_lost_reply_is_no_second_object(bench):
    it = bench()
    it.fill(2)
    it.lake.faults = ["lost reply"]
    it.run(600)
    assert it.lake.keys() == sorted(it.keys)
    assert it.lake.attempts == [it.keys[0], *it.keys]
    assert it.uploader.state.counts.already_there == 1


def test_other_bytes_under_the_key_are_no_success(bench):
    """A 412 means that something lies there, not that ours does: the mutant that takes it for done loses the batch."""
    it = bench()
    it.fill(2)
    it.lake.inner.write(it.keys[0], b"somebody else's")
    it.run(60)
    assert it.lake.inner.read(it.keys[0]) == b"somebody else's"
    assert it.spool.oldest().facts.key == it.keys[0]
    it.lake.inner.delete(it.keys[0])  # intake has taken it away
    it.run(2 * LONGEST_PAUSE_S)
    assert it.spool.status().items == 0
    assert len(it.lake.inner.read(it.keys[0])) > 1000


def test_one_batch_that_always_fails_does_not_hold_up_the_others_and_is_not_asked_for_all_the_time(bench):
    it = bench()
    it.fill(20)
    it.lake.poison = {it.keys[0]}
    it.run(5)
    assert it.lake.keys() == sorted(it.keys[1:])
    it.run(24 * 3600)
    tried = it.lake.attempts.count(it.keys[0])
    assert 24 * 3600 / LONGEST_PAUSE_S / 2 < tried < 24 * 3600 / 60 + 20
    it.lake.poison = set()
    it.hand.pass_(LONGEST_PAUSE_S)
    it.run(60)
    assert it.spool.status().items == 0


def test_where_every_batch_fails_all_of_them_together_are_slow(bench):
    it = bench()
    it.fill(50)
    it.lake.always = PermanentFailure("the bucket does not exist")
    it.run(24 * 3600)
    assert len(it.lake.attempts) < 24 * 3600 / 60
    it.lake.always = None
    it.run(50 * LONGEST_PAUSE_S)
    assert it.spool.status().items == 0


def test_a_refusal_stops_it_says_so_and_is_slow(bench):
    it = bench()
    it.fill(3)
    it.lake.always = AccessRefused("403")
    it.run(3600)
    assert it.uploader.state.refused == "403"
    assert 10 <= len(it.lake.attempts) <= 20
    it.lake.always = None
    it.run(LONGEST_PAUSE_S + 10)
    assert it.uploader.state.refused is None
    assert it.spool.status().items == 0


def test_an_outage_of_days_is_waited_out_and_ends_within_seconds(bench):
    it = bench()
    it.fill(3)
    it.lake.always = TransientFailure("no route to host")
    it.run(72 * 3600)
    attempts = len(it.lake.attempts)
    assert attempts <= 40  # after the link is known to be down it is probed, not loaded with batches
    it.lake.always = None
    returned = it.hand.since_boot
    it.run(60)
    assert it.spool.status().items == 0
    assert it.hand.since_boot - returned <= 10


def test_pauses_grow_are_capped_and_differ(bench):
    it = bench()
    pauses = [it.uploader._link.next_s() for _ in range(500)]
    assert max(pauses) <= LONGEST_PAUSE_S
    assert max(pauses[:3]) <= 4
    assert len(set(pauses)) == 500
    assert 0.4 * LONGEST_PAUSE_S < sum(pauses[20:]) / 480 < 0.6 * LONGEST_PAUSE_S  # full jitter: uniform from 0


def test_the_bandwidth_limit_holds(bench):
    it = bench()
    it.fill(12)
    waiting = it.spool.status().size_bytes
    it.uploader.limit(2_000)
    started = it.hand.since_boot
    steps = it.run(24 * 3600)
    took_s = it.hand.since_boot - started
    assert any(step.outcome is Outcome.LIMITED for step in steps)
    assert 0.7 * waiting / 2_000 < took_s < 1.3 * waiting / 2_000
    it.fill(12)
    it.uploader.limit(None)
    started = it.hand.since_boot
    it.run(600)
    assert (it.spool.status().items, it.hand.since_boot) == (0, started)


def test_a_damaged_batch_is_set_aside_on_the_way(bench, fast_folder):
    it = bench()
    it.fill(3)
    victim = sorted((fast_folder / "spool" / "items").iterdir())[1]
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    outcomes = [step.outcome for step in it.run(60)]
    assert outcomes == [Outcome.SENT, Outcome.SET_ASIDE, Outcome.SENT]
    assert it.spool.status().counters["quarantined_items"] == 1


@pytest.mark.parametrize("away", [timedelta(days=3), timedelta(days=-3)])
def test_what_was_dated_wrongly_says_so_before_it_is_sent(bench, away):
    """The device was wrong all along; it learns so from the lake when the link returns, and not a batch too late."""
    it = bench()
    it.fill(2)
    it.lake.told = it.hand.wall - away
    it.run(60)
    for key in it.keys:
        batch = unpack_batch(it.lake.inner.read(key), IntakeLimits())
        batch.verify_signature(public_key_text(KEY))
        assert batch.manifest.clock_fault is (ClockFault.AHEAD if away > timedelta() else ClockFault.BEHIND)
        assert batch.is_intact
    assert it.uploader.state.clock_skew_s == away.total_seconds()
    assert it.uploader.state.counts.flagged == 2


def test_a_lake_that_agrees_leaves_batches_as_they_are(bench):
    it = bench()
    it.fill(1)
    it.lake.told = it.hand.wall + timedelta(seconds=30)
    it.run(60)
    assert unpack_batch(it.lake.inner.read(it.keys[0]), IntakeLimits()).manifest.clock_fault is None
    assert it.uploader.state.clock_skew_s == -30


# A server on the other side


@pytest.fixture
def stub(benchmarks, monkeypatch):
    from s3_stub import S3Stub  # noqa: PLC0415 - beside the programs that measure

    with S3Stub() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def s3_lake(folder):
    return open_lake_at("s3://a-lake/tenant", cache=folder / "cache", attempts=1)


FAULTS = {
    "503": {"answer_status": 2, "once": HTTPStatus.SERVICE_UNAVAILABLE},
    "500": {"answer_status": 2, "once": HTTPStatus.INTERNAL_SERVER_ERROR},
    "429": {"answer_status": 2, "once": HTTPStatus.TOO_MANY_REQUESTS},
    "409": {"answer_status": 2, "once": HTTPStatus.CONFLICT},
    "half a body": {"cut_bodies": 2},
    "lost reply": {"lost_replies": 2},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_a_server_does_each_batch_is_there_once(bench, stub, fast_folder, fault):
    it = bench(s3_lake(fast_folder))
    it.fill(3)
    it.uploader._confirm_at_s = float("inf")  # the moved clock is years from the server's
    for name, value in FAULTS[fault].items():
        setattr(stub.bucket.faults, name, value)
    it.run(3600)
    assert sorted(stub.bucket.objects) == sorted(f"tenant/{key}" for key in it.keys)
    assert all(unpack_batch(data, IntakeLimits()).is_intact for data in stub.bucket.objects.values())
    assert stub.bucket.replaced == []
    assert it.uploader.state.counts.already_there == (1 if fault == "lost reply" else 0)
    assert it.spool.status().items == 0


@pytest.mark.parametrize("status", [HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED])
def test_a_server_that_refuses_is_not_pressed(bench, stub, fast_folder, status):
    it = bench(s3_lake(fast_folder))
    it.fill(3)
    it.uploader._confirm_at_s = float("inf")
    stub.bucket.faults.status = status
    it.run(900)
    assert it.uploader.state.refused
    assert stub.bucket.requests <= 5
    assert it.spool.status().items == 3


def test_a_server_that_goes_away_is_noticed_when_it_returns(bench, stub, fast_folder):
    it = bench(s3_lake(fast_folder))
    it.fill(2)
    it.uploader._confirm_at_s = float("inf")
    stub.bucket.faults.down = True
    it.run(600)
    assert not it.uploader.state.connected
    stub.bucket.faults.down = False
    returned, real = it.hand.since_boot, monotonic()
    it.run(60)
    assert it.spool.status().items == 0
    assert it.hand.since_boot - returned + monotonic() - real <= 10


def test_nothing_that_is_sent_half_is_ever_seen(bench, stub, fast_folder):
    """E8: of many aborted uploads not one leaves an object that is not whole."""
    it = bench(s3_lake(fast_folder))
    it.fill(1)
    item = it.spool.oldest()
    data = it.spool.read(item)
    stub.bucket.faults.cut_bodies = 200
    for _ in range(200):
        with pytest.raises(TransientFailure):
            it.lake.write_once(item.facts.key, data)
        assert stub.bucket.objects == {}


def test_moto_takes_each_batch_once(bench, fast_folder, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="a-lake")
        it = bench(s3_lake(fast_folder))
        it.fill(3)
        it.lake.write_once(it.keys[0], it.spool.read(it.spool.oldest()))  # its reply was lost
        it.lake.write(it.keys[1], b"something else")
        it.uploader._confirm_at_s = float("inf")
        it.run(60)
        assert it.uploader.state.counts.already_there == 1
        assert it.lake.read(it.keys[1]) == b"something else"
        assert [it.spool.oldest().facts.key] == [it.keys[1]]


def test_three_days_at_eight_cameras_drain_in_order(benchmarks, fast_folder):
    """E6; benchmarks/edge_offline.py does the same at one still a second."""
    from edge_offline import run_offline  # noqa: PLC0415

    found = run_offline(fast_folder / "spool", hours=72, cameras=8, every_s=60.0)
    assert found.captures == 8 * 72 * 60
    assert found.arrived == found.batches == 8 * (72 * 12 - 1)
    assert found.in_order
    assert found.resumed_s <= 10
    assert found.attempts_while_down <= 40
