"""A small S3 server that fails as told: what the edge is tested against where a real one cannot be made to misbehave.

It knows PUT (with `If-None-Match: *`), GET, HEAD and HEAD of the bucket, checks lengths and CRC32, and never shows
half an object. Credentials are not checked.
"""

import base64
import threading
import zlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, Self


@dataclass
class Faults:
    """What goes wrong now; numbers count down as they are used up."""

    down: bool = False  # connections are closed without an answer
    status: HTTPStatus | None = None  # answered to everything
    answer_status: int = 0  # so many times `once`
    once: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE
    lost_replies: int = 0  # stored, then closed without an answer
    cut_bodies: int = 0  # closed after half the body
    clock: timedelta = timedelta()  # by how much the server's own time is off


@dataclass
class Bucket:
    """What was stored, and everything that was asked."""

    objects: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    puts: Counter[str] = field(default_factory=Counter)  # attempts that came whole, by key
    replaced: list[str] = field(default_factory=list)  # keys whose bytes were changed: must stay empty
    requests: int = 0
    faults: Faults = field(default_factory=Faults)
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bucket: ClassVar[Bucket]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its parent's name
        """Say nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the server's own time."""
        del timestamp
        return format_datetime(datetime.now().astimezone() + self.bucket.faults.clock, usegmt=False)

    def _key(self) -> str:
        return self.path.partition("?")[0].lstrip("/").partition("/")[2]

    def _fails(self) -> bool:
        faults = self.bucket.faults
        with self.bucket.lock:
            self.bucket.requests += 1
        if faults.down:
            self.close_connection = True
            return True
        status = faults.status
        if status is None and faults.answer_status > 0:
            faults.answer_status -= 1
            status = faults.once
        if status is None:
            return False
        self._answer(status)
        return True

    def _answer(self, status: HTTPStatus, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self) -> None:
        """Store an object."""
        length = int(self.headers["Content-Length"])
        faults, key = self.bucket.faults, self._key()
        if faults.cut_bodies > 0:
            faults.cut_bodies -= 1
            self.rfile.read(length // 2)
            self.close_connection = True
            return
        body = self.rfile.read(length)
        if len(body) != length:
            self.close_connection = True
            return
        if self._fails():
            return
        told = self.headers.get("x-amz-checksum-crc32")
        if told and base64.b64decode(told) != zlib.crc32(body).to_bytes(4, "big"):
            self._answer(HTTPStatus.BAD_REQUEST)
            return
        status = self._store(key, body)
        if faults.lost_replies > 0:
            faults.lost_replies -= 1
            self.close_connection = True
            return
        self._answer(status)

    def _store(self, key: str, body: bytes) -> HTTPStatus:
        with self.bucket.lock:
            self.bucket.puts[key] += 1
            there = self.bucket.objects.get(key)
            if there is not None and self.headers.get("If-None-Match") == "*":
                return HTTPStatus.PRECONDITION_FAILED
            if there is not None and there != body:
                self.bucket.replaced.append(key)
            self.bucket.objects[key] = body
            prefix = "x-amz-meta-"
            self.bucket.metadata[key] = {
                name.lower().removeprefix(prefix): value
                for name, value in self.headers.items()
                if name.lower().startswith(prefix)
            }
        return HTTPStatus.OK

    def do_GET(self) -> None:
        """Return an object."""
        if self._fails():
            return
        body = self.bucket.objects.get(self._key())
        self._answer(HTTPStatus.NOT_FOUND if body is None else HTTPStatus.OK, body or b"")

    def do_HEAD(self) -> None:
        """Return what is known of an object, or of the bucket."""
        if self._fails():
            return
        key = self._key()
        body = self.bucket.objects.get(key, b"" if not key else None)
        if body is None:
            self._answer(HTTPStatus.NOT_FOUND)
            return
        headers = {f"x-amz-meta-{name}": value for name, value in self.bucket.metadata.get(key, {}).items()}
        self._answer(HTTPStatus.OK, headers=headers | {"Content-Length": str(len(body)), "ETag": '"x"'})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that are killed break their connections."""


class S3Stub:
    """The server, in threads of this process; a context manager."""

    def __init__(self) -> None:
        self.bucket = Bucket()
        handler = type("Handler", (_Handler,), {"bucket": self.bucket})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 needs to find it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "stub",
            "AWS_SECRET_ACCESS_KEY": "stub",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
