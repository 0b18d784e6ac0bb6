"""Storing once: what a device does to a lake that answers, does not answer, or has something there already."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from footfall_assets.contracts.errors import TransientFailure
from footfall_assets.storage import open_lake_at
from footfall_assets.storage.lake import AccessRefused, FolderLake, KeyTaken, UnsafeKey
from footfall_assets.storage.s3 import S3Lake


@pytest.fixture(params=["folder", "bucket"])
def lake(request, tmp_path, credentials):
    if request.param == "folder":
        yield FolderLake(tmp_path / "lake")
        return
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="a-lake")
        yield S3Lake.from_address("s3://a-lake/tenant", cache=tmp_path / "cache")


def refused(status, code="Refused", operation="PutObject"):
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {}}}
    return ClientError(answer, operation)


def test_the_first_is_stored_the_same_again_is_fine_others_are_not(lake):
    assert lake.write_once("landing/a.tar", b"one") is True
    assert lake.write_once("landing/a.tar", b"one") is False
    for other in (b"two", b"three", b""):
        with pytest.raises(KeyTaken):
            lake.write_once("landing/a.tar", other)
    assert lake.read("landing/a.tar") == b"one"


def test_what_others_stored_is_compared_byte_by_byte(lake):
    lake.write("landing/a.tar", b"one")
    assert lake.write_once("landing/a.tar", b"one") is False
    with pytest.raises(KeyTaken):
        lake.write_once("landing/a.tar", b"two")


def test_of_many_writers_one_stores(lake):
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda _: lake.write_once("landing/a.tar", b"one"), range(16)))
    # moto checks and stores in two steps, so two may both be told that theirs is the first; the bytes are the same.
    assert stored.count(True) == 1 if isinstance(lake, FolderLake) else any(stored)
    assert lake.read("landing/a.tar") == b"one"
    assert lake.list_keys("landing") == ["landing/a.tar"]


def test_a_key_is_checked(lake):
    with pytest.raises(UnsafeKey):
        lake.write_once("../a.tar", b"one")


def test_a_folder_that_is_not_mounted_is_no_lake(tmp_path):
    lake = FolderLake(tmp_path / "lake")
    with pytest.raises(TransientFailure, match="mounted"):
        lake.server_time()
    (tmp_path / "lake").mkdir()
    assert lake.server_time() is None


@pytest.fixture
def bucket(tmp_path, credentials):
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="a-lake")
        yield S3Lake.from_address("s3://a-lake/tenant", cache=tmp_path / "cache", attempts=1)


def test_a_server_without_conditions_is_asked_first(bucket, monkeypatch):
    real = bucket._client.put_object

    def unconditional(**wanted):
        if "IfNoneMatch" in wanted:
            raise refused(501, "NotImplemented")
        return real(**wanted)

    monkeypatch.setattr(bucket._client, "put_object", unconditional)
    assert bucket.write_once("landing/a.tar", b"one") is True
    assert bucket.write_once("landing/a.tar", b"one") is False
    with pytest.raises(KeyTaken):
        bucket.write_once("landing/a.tar", b"two")


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_told_apart(bucket, monkeypatch, status):
    def refuse(**_):
        raise refused(status)

    monkeypatch.setattr(bucket._client, "put_object", refuse)
    with pytest.raises(AccessRefused):
        bucket.write_once("landing/a.tar", b"one")


def test_a_device_that_may_only_add_waits_where_it_cannot_compare(bucket, monkeypatch):
    bucket.write("landing/a.tar", b"one")

    def refuse(**_):
        raise refused(403, operation="HeadObject")

    monkeypatch.setattr(bucket._client, "head_object", refuse)
    with pytest.raises(KeyTaken, match="may not be read"):
        bucket.write_once("landing/a.tar", b"one")


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_what_may_pass_may_pass(bucket, monkeypatch, status):
    def busy(**_):
        raise refused(status)

    monkeypatch.setattr(bucket._client, "put_object", busy)
    with pytest.raises(TransientFailure):
        bucket.write_once("landing/a.tar", b"one")


@pytest.mark.parametrize("status", [200, 403, 404])
def test_a_server_that_answers_tells_its_time(bucket, monkeypatch, status):
    headers = {"date": "Fri, 05 Jan 2024 10:00:00 GMT"}

    def answer(**_):
        if status == 200:
            return {"ResponseMetadata": {"HTTPHeaders": headers}}
        raise ClientError({"Error": {}, "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers}}, "Head")

    monkeypatch.setattr(bucket._prober, "head_bucket", answer)
    assert bucket.server_time() == datetime(2024, 1, 5, 10, tzinfo=UTC)


def test_a_server_that_is_down_tells_none(bucket, monkeypatch):
    def busy(**_):
        raise refused(503)

    monkeypatch.setattr(bucket._prober, "head_bucket", busy)
    with pytest.raises(TransientFailure):
        bucket.server_time()


def test_an_address_opens_a_folder_or_a_bucket(tmp_path, credentials):
    assert isinstance(open_lake_at(str(tmp_path), cache=tmp_path / "cache"), FolderLake)
    assert isinstance(open_lake_at("s3://a-lake/x", cache=tmp_path / "cache"), S3Lake)
