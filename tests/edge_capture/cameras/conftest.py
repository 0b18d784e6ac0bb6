"""Real servers on this machine: cameras that speak HTTP and RTSP, and a canary that counts who knocks."""

import base64
import hashlib
import re
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from uuid import UUID

import cv2
import numpy as np
import pytest

from edge_capture.addresses import AllowedAddresses
from edge_capture.cameras.opening import CameraAccess
from edge_capture.clock import SystemClock

WIDTH, HEIGHT = 64, 48
USER, PASSWORD = "viewer", "pa:ss/w@rd-canary"
FRAMES_PER_S = 50


class FastClock(SystemClock):
    """A clock that runs `speed` times as fast, for code whose threads really run."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def monotonic(self) -> float:
        return time.monotonic() * self._speed

    def wait(self, seconds: float, wake: threading.Event | None = None) -> bool:
        return (wake or threading.Event()).wait(max(seconds, 0.0) / self._speed)


class SteppedClock:
    """A clock that stands still but for waiting, which is over at once."""

    boot_id = UUID(int=1)

    def __init__(self) -> None:
        self.seconds = 100.0
        self.waits: list[float] = []

    def now(self) -> datetime:
        return datetime(2024, 1, 5, 10, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, seconds: float, wake: threading.Event | None = None) -> bool:
        self.waits.append(seconds)
        self.seconds += max(seconds, 0.0)
        return wake is not None and wake.is_set()


def jpeg(level: int) -> bytes:
    ok, data = cv2.imencode(".jpg", np.full((HEIGHT, WIDTH, 3), level % 256, np.uint8))
    assert ok
    return data.tobytes()


@dataclass
class Canary:
    """A port that nothing may ever connect to."""

    host: str = "127.0.0.1"
    port: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server((self.host, self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.hits += 1
            connection.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def canary():
    made = Canary()
    yield made
    made.close()


@pytest.fixture
def canary_at():
    """A canary at an address and port of one's choice."""
    made = []

    def put(host: str, port: int) -> Canary:
        made.append(Canary(host, port))
        return made[-1]

    yield put
    for each in made:
        each.close()


class HttpCamera(ThreadingHTTPServer):
    """/video is a stream of JPEGs, /bare one without lengths, /still one JPEG a request; others as `answers` says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _HttpHandler)
        self.requests: list[str] = []
        self.connections: set[socket.socket] = set()
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.login: str | None = None
        self.tls: ssl.SSLContext | None = None
        self.pictures = 10**9  # in a stream, before the camera hangs up
        self.silent_after = 10**9  # pictures, before it says nothing more
        self.level = 0

    @property
    def port(self) -> int:
        return self.server_address[1]

    def address(self, path: str = "/video") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def hang_up(self) -> None:
        for each in list(self.connections):
            with suppress(OSError):  # gone already
                each.shutdown(socket.SHUT_RDWR)

    def get_request(self):
        connection, address = self.socket.accept()
        return (self.tls.wrap_socket(connection, server_side=True) if self.tls else connection), address

    def handle_error(self, request, client_address) -> None:
        """A client that goes away is what these tests are about."""


class _HttpHandler(BaseHTTPRequestHandler):
    server: HttpCamera
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.request)

    def finish(self) -> None:
        self.server.connections.discard(self.request)
        super().finish()

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.close_connection = True
        if self.server.login and not self._is_logged_in():
            self.send_response(401)
            self.send_header("WWW-Authenticate", self.server.login)
            self.end_headers()
        elif self.path in self.server.answers:
            status, headers, body = self.server.answers[self.path]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
        elif self.path == "/still":
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.end_headers()
            self.server.level += 1
            self.wfile.write(jpeg(self.server.level))
        else:
            self._stream()

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in range(self.server.pictures):
            while number >= self.server.silent_after:
                time.sleep(0.02)
            self.server.level += 1
            data = jpeg(self.server.level)
            length = "" if self.path == "/bare" else f"Content-Length: {len(data)}\r\n"
            self.wfile.write(f"--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n".encode() + data + b"\r\n")
            time.sleep(1 / FRAMES_PER_S)

    def _is_logged_in(self) -> bool:
        given = self.headers.get("Authorization", "")
        return _is_right(self.server.login or "", given, "GET", self.path)


def _is_right(challenge: str, given: str, method: str, resource: str) -> bool:
    if challenge.startswith("Basic"):
        return given == "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    said = dict(re.findall(r'(\w+)="?([^",]+)"?', given))
    digest = hashlib.sha256 if "SHA-256" in challenge else hashlib.md5

    def hashed(*parts: str) -> str:
        return digest(":".join(parts).encode()).hexdigest()

    middle = [said["nc"], said["cnonce"], said["qop"]] if "qop" in said else []
    expected = hashed(hashed(USER, "cam", PASSWORD), "n0nce", *middle, hashed(method, said.get("uri", "")))
    return given.startswith("Digest") and said.get("response") == expected and said.get("uri", "").endswith(resource)


@pytest.fixture
def http_camera():
    server = HttpCamera()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.hang_up()
    server.server_close()


def rtp_jpeg(data: bytes, *, sequence: int, timestamp: int) -> bytes:
    """Return a small JPEG as one RTP packet (RFC 2435, section 3.1), with its tables in it (Q 255)."""
    tables, at = b"", 2
    while data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + length]
        if data[at + 1] == 0xDB:
            tables += b"".join(segment[start + 1 : start + 65] for start in range(0, len(segment), 65))
        at += 2 + length
    scan = data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") : -2]
    kind = struct.pack(">IBBBB", 0, 1, 255, WIDTH // 8, HEIGHT // 8)  # offset 0, 4:2:0
    header = struct.pack(">BBHII", 0x80, 0x80 | 26, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 7)
    return header + kind + struct.pack(">BBH", 0, 0, len(tables)) + tables + scan


class RtspCamera:
    """A camera of a few lines that sends JPEGs in RTP over its RTSP connection (RFC 2326, section 10.12)."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests: list[str] = []
        self.connections: list[socket.socket] = []
        self.answers: dict[str, bytes] = {}  # by method, in place of the right one
        self.control = ""  # put before the track's name in the session description
        self.login: str | None = None
        self.tls: ssl.SSLContext | None = None
        self.level = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def address(self, path: str = "/door") -> str:
        return f"rtsp://127.0.0.1:{self.port}{path}"

    def hang_up(self) -> None:
        for each in self.connections:
            with suppress(OSError):  # gone already
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
                if self.tls:
                    connection = self.tls.wrap_socket(connection, server_side=True)
            except ssl.SSLError:
                continue
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        reader = connection.makefile("rb")
        try:
            while line := reader.readline():
                method, resource, _ = line.decode().split()
                self.requests.append(f"{method} {resource}")
                fields = {}
                while (text := reader.readline().decode().strip()) != "":
                    name, _, value = text.partition(":")
                    fields[name.lower()] = value.strip()
                self._answer(connection, method, resource, fields)
        except (OSError, ValueError):
            return

    def _answer(self, connection: socket.socket, method: str, resource: str, fields: dict[str, str]) -> None:
        sequence = fields["cseq"]
        if method in self.answers:
            connection.sendall(self.answers[method].replace(b"CSEQ", sequence.encode()))
            return
        given = fields.get("authorization", "")
        if self.login and not (given and _is_right(self.login, given, method, resource)):
            connection.sendall(
                f"RTSP/1.0 401 No\r\nCSeq: {sequence}\r\nWWW-Authenticate: {self.login}\r\n\r\n".encode()
            )
            return
        extra, body = "", ""
        if method == "OPTIONS":
            extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        elif method == "DESCRIBE":
            body = "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\n"
            body += f"a=control:{self.control}track1\r\n"
            extra = f"Content-Type: application/sdp\r\nContent-Base: {resource}/\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP":
            extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
        connection.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n{extra}\r\n{body}".encode())
        if method == "PLAY":
            threading.Thread(target=self._play, args=(connection,), daemon=True).start()

    def _play(self, connection: socket.socket) -> None:
        number = 0
        try:
            while True:
                number += 1
                self.level += 1
                packet = rtp_jpeg(jpeg(self.level), sequence=number, timestamp=number * 90_000 // FRAMES_PER_S)
                connection.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                time.sleep(1 / FRAMES_PER_S)
        except OSError:
            return


@pytest.fixture
def rtsp_camera():
    made = RtspCamera()
    yield made
    made.close()


@pytest.fixture
def local_access(tmp_path):
    """Access that lets cameras be on this machine, as only tests need it."""
    return CameraAccess(allowed=AllowedAddresses((ip_network("127.0.0.0/8"),)), media_root=tmp_path)


@pytest.fixture
def fast_clock():
    return FastClock


@pytest.fixture
def stepped_clock():
    return SteppedClock()


@pytest.fixture
def login():
    """User and password of the cameras above."""
    return USER, PASSWORD


@pytest.fixture
def until():
    """Wait for something that another thread does, and return it."""

    def wait(holds, *, seconds: float = 20.0):
        end = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.005)
        return found

    return wait
