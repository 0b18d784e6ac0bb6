"""The lake in a bucket, through plain boto3 (dagster-aws' client comes with Dagster, which storage does without).

S3 stores an object whole or not at all, a multipart upload with its last call. Nothing here locks. Conditional requests
spare work and never decide who wins: servers differ in what they make of those.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
from botocore import exceptions as boto
from botocore.config import Config

from footfall_assets.contracts.errors import FootfallError, PermanentFailure, TransientFailure, UserMistake
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.storage.lake import (
    AccessRefused,
    KeyTaken,
    ObjectMissing,
    UnsafeKey,
    check_key,
    check_range,
    missing,
    written_whole,
)

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CONNECT_TIMEOUT_S: Final = 5
READ_TIMEOUT_S: Final = 60  # between two pieces of a body, not for all of it
MOST_ATTEMPTS: Final = 4  # the first one included; boto3 waits with jitter in between
PROBE_TIMEOUT_S: Final = 3
_DIGEST: Final = "footfall-sha256"  # name of the metadata that holds an object's hash
_CHUNK_BYTES: Final = 1024**2
_ETAG_LENGTH: Final = 120  # characters that a copy's name keeps; S3 gives up to 38
_COPY: Final = "etag-"
# Amazon S3 User Guide, "General purpose bucket naming rules".
_BUCKET: Final = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS: Final = re.compile(r"s3://([^/]*)(?:/(.*?)/?)?", re.DOTALL)
_RETRYABLE_STATUS: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS})
_REFUSED_STATUS: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
# Amazon S3 API Reference, "List of error codes": those that come with other status codes.
_RETRYABLE_CODES: Final = frozenset({"RequestTimeout", "SlowDown", "Throttling", "ThrottlingException"})
# IncompleteReadError: the body has not the length that its header says.
_NETWORK: Final = (boto.ConnectionError, boto.HTTPClientError, boto.IncompleteReadError, boto.FlexibleChecksumError)


class _Taken(PermanentFailure):
    """A conditional write that found an object."""


class _NotImplemented(PermanentFailure):
    """A request that this server does not know."""


class BeyondEnd(PermanentFailure):
    """A range that starts at or behind the object's end."""


# What callers in this module ask for on purpose.
_EXPECTED: Final[dict[int, type[PermanentFailure]]] = {
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: BeyondEnd,
    HTTPStatus.PRECONDITION_FAILED: _Taken,
    HTTPStatus.NOT_IMPLEMENTED: _NotImplemented,
}


def parse_address(address: str) -> tuple[str, str]:
    """Return bucket and prefix of an `s3://bucket/prefix` address; the prefix may be empty.

    Raises:
        UserMistake: no bucket name that S3 allows, or a prefix that is not plain names joined by '/'.
    """
    found = _ADDRESS.fullmatch(address)
    bucket, prefix = (found[1], found[2] or "") if found else ("", "")
    try:
        if not _BUCKET.fullmatch(bucket) or (prefix and not check_key(prefix)):
            shown = address.rpartition("@")[2][:120]  # what stands before it may be a secret
            raise UserMistake(f"expected s3://bucket/prefix with a bucket name S3 allows, got {shown!r}")
    except UnsafeKey as error:
        raise UserMistake(f"FOOTFALL_LAKE: {error}") from error
    return bucket, prefix


class S3Lake:
    """A lake in a bucket; `cache` keeps local copies for readers that need a file."""

    def __init__(
        self, client: "S3Client", bucket: str, prefix: str, *, cache: Path, prober: "S3Client | None" = None
    ) -> None:
        self._client = client
        self._prober = prober or client  # asks whether the server is there, and does not wait long
        self._bucket = bucket
        self._root = f"{prefix}/" if prefix else ""
        self._cache = cache / bucket

    @classmethod
    def from_address(cls, address: str, *, cache: Path, attempts: int = MOST_ATTEMPTS) -> "S3Lake":
        """Return the lake at `s3://bucket/prefix`; credentials, region and endpoint are boto3's (`AWS_...`).

        `attempts` are those of one request, the first one included; a caller with a backoff of its own passes 1.

        Raises:
            UserMistake: the address has another form.
        """
        bucket, prefix = parse_address(address)
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": attempts},
        )
        quick = Config(connect_timeout=PROBE_TIMEOUT_S, read_timeout=PROBE_TIMEOUT_S, retries={"total_max_attempts": 1})
        prober = boto3.client("s3", config=quick)
        return cls(boto3.client("s3", config=config), bucket, prefix, cache=cache, prober=prober)

    def __repr__(self) -> str:
        return f"S3Lake('s3://{self._bucket}/{self._root}')"

    def read(self, key: str) -> bytes:
        """Return the object's bytes."""
        with self._request("read", key) as name:
            return self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read()

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`."""
        check_range(offset, length)
        most = max(length, 1)  # HTTP cannot ask for an empty range
        try:
            with self._request("read", key) as name:
                wanted = f"bytes={offset}-{offset + most - 1}"
                answer = self._client.get_object(Bucket=self._bucket, Key=name, Range=wanted)
                data = answer["Body"].read()
        except BeyondEnd:
            return b""
        if len(data) > most:
            raise PermanentFailure(f"{self._address(key)}: expected {most} bytes, got {len(data)}; S3 ignores ranges")
        return data[:length]

    def write(self, key: str, data: bytes) -> None:
        """Store `data` under `key`."""
        with self._request("write", key) as name:
            self._client.put_object(Bucket=self._bucket, Key=name, Body=data)

    def write_once(self, key: str, data: bytes) -> bool:
        """Store `data` under `key` where nothing lies.

        The request is conditional, which some servers do not know and others do not do atomically: two writers at once
        may both store, and as a key names its content that is the same bytes twice.
        """
        digest = sha256_hex(data)
        try:
            with self._request("write", key) as name:
                self._client.put_object(
                    Bucket=self._bucket, Key=name, Body=data, IfNoneMatch="*", Metadata={_DIGEST: digest}
                )
        except _Taken:
            self._check_same(key, data, digest)
            return False
        except _NotImplemented:
            return self._write_unless_there(key, data, digest)
        return True

    def _write_unless_there(self, key: str, data: bytes, digest: str) -> bool:
        if self.exists(key):
            self._check_same(key, data, digest)
            return False
        with self._request("write", key) as name:
            self._client.put_object(Bucket=self._bucket, Key=name, Body=data, Metadata={_DIGEST: digest})
        return True

    def _check_same(self, key: str, data: bytes, digest: str) -> None:
        """Raise KeyTaken where what lies under `key` is not `data`."""
        try:
            with self._request("look up", key) as name:
                head = self._client.head_object(Bucket=self._bucket, Key=name)
            same = head["ContentLength"] == len(data) and (
                head["Metadata"].get(_DIGEST) == digest or self.read(key) == data
            )
        except AccessRefused as error:  # a device that may only add: the queue is drained, then it can add again
            raise KeyTaken(f"{self._address(key)}: something lies there that may not be read") from error
        except ObjectMissing as error:
            raise TransientFailure(f"{self._address(key)}: lay there a moment ago; try again") from error
        if not same:
            raise KeyTaken(f"expected nothing or the same bytes at {self._address(key)}")

    def server_time(self) -> datetime | None:
        """Return the time in the server's answer to a question about the bucket."""
        try:
            headers = self._prober.head_bucket(Bucket=self._bucket)["ResponseMetadata"]["HTTPHeaders"]
        except boto.ClientError as error:  # it answered, whatever it said
            headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise TransientFailure(f"{self!r}: S3 answered {status}; try again") from error
        except boto.BotoCoreError as error:
            raise TransientFailure(f"{self!r}: {error}; try again") from error
        try:
            return parsedate_to_datetime(headers["date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return None

    def upload(self, source: Path, key: str) -> None:
        """Store a copy of the file `source` under `key`, in parts where it is large."""
        with source.open("rb") as reader, self._request("write", key) as name:
            self._client.upload_fileobj(reader, self._bucket, name)

    def local_path(self, key: str) -> Path:
        """Return a local copy; one with the object's current ETag and size is used again."""
        try:
            with self._request("read", key) as name:
                head = self._client.head_object(Bucket=self._bucket, Key=name)
        except ObjectMissing:
            self._forget(key)
            raise
        copy = self._copy_path(key, head["ETag"])
        if copy.is_file() and copy.stat().st_size == head["ContentLength"]:
            return copy
        return self._download(key)

    def exists(self, key: str) -> bool:
        """Return whether an object lies under `key`."""
        try:
            with self._request("look up", key) as name:
                self._client.head_object(Bucket=self._bucket, Key=name)
        except ObjectMissing:
            return False
        return True

    def list_keys(self, prefix: str) -> list[str]:
        """Return the sorted keys below the folder `prefix`, whatever their names: callers count what they cannot open.

        Unfinished uploads are not listed.
        """
        with self._request("list", prefix) as name:
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=f"{name}/")
            found = [each["Key"] for page in pages for each in page.get("Contents", ())]
        return sorted(each.removeprefix(self._root) for each in found)

    def move(self, source: str, target: str) -> None:
        """Copy an object inside the bucket, then delete it under its old key."""
        if source == target:
            if not self.exists(source):
                raise missing(source)
            return
        with self._request("move", source) as name:
            self._client.copy_object(
                Bucket=self._bucket, Key=self._name(target), CopySource={"Bucket": self._bucket, "Key": name}
            )
        self.delete(source)

    def delete(self, key: str) -> None:
        """Remove an object, and this machine's copies of it."""
        with self._request("delete", key) as name:
            self._client.delete_object(Bucket=self._bucket, Key=name)
        self._forget(key)

    def _download(self, key: str) -> Path:
        with self._request("read", key) as name:
            # The copy bears the ETag of this answer: the object may have been replaced since it was looked up.
            answer = self._client.get_object(Bucket=self._bucket, Key=name)
            target = self._copy_path(key, answer["ETag"])
            target.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(target) as partial:
                for chunk in answer["Body"].iter_chunks(_CHUNK_BYTES):
                    partial.write(chunk)
        return target

    def _copies(self, key: str) -> Path:
        return self._cache / self._name(key)

    def _copy_path(self, key: str, etag: str) -> Path:
        # The ETag is text from outside that becomes the name of a file.
        plain = re.sub(r"[^A-Za-z0-9-]", "", etag)[:_ETAG_LENGTH]
        return self._copies(key) / f"{_COPY}{plain}{Path(key).suffix}"

    def _forget(self, key: str) -> None:
        for copy in self._copies(key).glob(f"{_COPY}*"):
            if copy.is_file():
                copy.unlink(missing_ok=True)

    def _name(self, key: str) -> str:
        return check_key(self._root + check_key(key))

    def _address(self, key: str) -> str:
        return f"s3://{self._bucket}/{self._root}{key}"

    @contextmanager
    def _request(self, action: str, key: str) -> Iterator[str]:
        """Give the object's full name in the bucket, and translate what boto3 raises meanwhile."""
        name = self._name(key)
        try:
            yield name
        except boto.ClientError as error:
            raise _failure(error, f"could not {action} {self._address(key)}", key) from error
        except _NETWORK as error:
            raise TransientFailure(f"could not {action} {self._address(key)}: {error}; try again") from error
        except boto.BotoCoreError as error:
            raise PermanentFailure(
                f"could not {action} {self._address(key)}: {error}; check boto3's settings"
            ) from error


def _failure(error: boto.ClientError, what: str, key: str) -> FootfallError:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "NoSuchBucket":
        return PermanentFailure(f"{what}: the bucket does not exist; create it, or correct FOOTFALL_LAKE")
    if status == HTTPStatus.NOT_FOUND:
        return missing(key)
    if status in _EXPECTED:
        return _EXPECTED[status](f"{what}: S3 answered {status} {code}")
    if status in _REFUSED_STATUS:
        return AccessRefused(
            f"{what}: S3 refused it ({code}); check the credentials, and that they may get, put, delete and list there"
        )
    if status in _RETRYABLE_STATUS or status >= HTTPStatus.INTERNAL_SERVER_ERROR or code in _RETRYABLE_CODES:
        return TransientFailure(f"{what}: S3 answered {status} {code}; try again")
    return PermanentFailure(f"{what}: S3 answered {status} {code}: {error}")
