"""Forwarding to a real S3 server, Swift's: it knows other corners of the protocol than moto and the stub."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.clock import SteadyClock, SystemClock
from edge_capture.spool import BatchFacts, Spool, SpoolCaps
from edge_capture.upload import Outcome, Uploader
from footfall_assets.contracts.errors import TransientFailure
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.storage import open_lake_at
from footfall_assets.storage.lake import AccessRefused, KeyTaken

START = datetime(2024, 1, 5, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def swift(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        from swift_server import SwiftServer, swift_programs  # noqa: PLC0415 - beside the programs that measure

        programs = swift_programs()
        if programs is None:
            pytest.skip("no Swift: set FOOTFALL_SWIFT as benchmarks/swift_server.py says")
        with SwiftServer(programs, tmp_path_factory.mktemp("swift")) as server:
            for name, value in server.environment.items():
                patch.setenv(name, value)
            boto3.client("s3").create_bucket(Bucket="a-lake")
            yield server


@pytest.fixture
def lake(swift, monkeypatch, tmp_path, request):
    for name, value in swift.environment.items():
        monkeypatch.setenv(name, value)
    prefix = request.node.name.replace("_", "-")[:60]
    return open_lake_at(f"s3://a-lake/{prefix}", cache=tmp_path / "cache", attempts=1)


@pytest.fixture
def spool(fast_folder):
    made = Spool(fast_folder / "spool", SpoolCaps(10**9, 10**6))
    yield made
    made.close()


def fill(spool: Spool, count: int) -> list[str]:
    for number in range(1, count + 1):
        data, moment = str(number).encode() * 5000, START + timedelta(seconds=number)
        key = f"landing/2024-01-05/store/door/{number}.tar"
        spool.put(BatchFacts(key, "door", number, 1, moment, moment, UUID(int=1), sha256_hex(data)), data)
    return [f"landing/2024-01-05/store/door/{number}.tar" for number in range(1, count + 1)]


def uploader_of(spool, lake) -> Uploader:
    key = Ed25519PrivateKey.generate()
    return Uploader(spool, lake, SteadyClock(SystemClock()), key, chance=random.Random(0))  # noqa: S311


def test_batches_arrive_and_the_clocks_are_compared(lake, spool):
    keys = fill(spool, 5)
    uploader = uploader_of(spool, lake)
    assert [uploader.step().outcome for _ in keys] == [Outcome.SENT] * 5
    assert lake.list_keys("landing") == keys
    assert lake.read(keys[2]) == b"3" * 5000
    assert abs(uploader.state.clock_skew_s) < 60
    assert uploader.step().outcome is Outcome.IDLE


def test_the_same_bytes_are_taken_once_and_others_are_not(lake):
    assert lake.write_once("landing/a.tar", b"one")
    assert not lake.write_once("landing/a.tar", b"one")
    with pytest.raises(KeyTaken):
        lake.write_once("landing/a.tar", b"two")
    assert lake.read("landing/a.tar") == b"one"


def test_a_wrong_secret_is_a_refusal(lake, spool, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials it found first
    wrong = open_lake_at("s3://a-lake/x", cache=tmp_path / "cache", attempts=1)
    with pytest.raises(AccessRefused):
        wrong.write_once("landing/a.tar", b"one")
    fill(spool, 1)
    uploader = uploader_of(spool, wrong)
    assert uploader.step().outcome is Outcome.REFUSED
    assert uploader.state.refused
    assert spool.status().items == 1


def test_a_server_that_is_not_there_is_waited_for(swift, monkeypatch, spool, tmp_path):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, swift.environment[name])
    away = open_lake_at("s3://a-lake/x", cache=tmp_path / "cache", attempts=1)
    with pytest.raises(TransientFailure):
        away.write_once("landing/a.tar", b"one")
    fill(spool, 1)
    assert uploader_of(spool, away).step().outcome is Outcome.FAILED
