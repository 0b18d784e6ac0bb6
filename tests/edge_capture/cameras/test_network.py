"""Logging in, giving up, and never saying a password."""

import socket
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import islice

import cv2
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from edge_capture.addresses import Credential
from edge_capture.cameras.capture import UsbDevice
from edge_capture.cameras.http import jpeg_size
from edge_capture.cameras.opening import open_camera
from edge_capture.clock import SystemClock
from edge_capture.errors import UnreadableSource
from footfall_assets.contracts.fleet import DesiredCamera, SourceKind

BASIC = 'Basic realm="cam"'
DIGEST = 'Digest realm="cam", nonce="n0nce"'
DIGEST_QOP = 'Digest realm="cam", nonce="n0nce", qop="auth,auth-int", algorithm=MD5'
DIGEST_SHA = 'Digest realm="cam", nonce="n0nce", qop="auth", algorithm=SHA-256'


def camera(address: str, interval_s: float = 0.04) -> DesiredCamera:
    return DesiredCamera(camera_id="door", kind=SourceKind.NETWORK, address=address, interval_s=interval_s)


@pytest.fixture
def with_login(local_access, login):
    user, password = login
    return replace(local_access, credentials={"door": Credential(user, SecretStr(password))})


def first_frame(source):
    with source:
        return next(tick.frame for tick in islice(source.ticks(), 1000) if tick.frame)


@pytest.mark.parametrize(
    ("kind", "challenge"),
    [
        ("http", BASIC),
        ("http", DIGEST),
        ("http", DIGEST_QOP),
        ("http", DIGEST_SHA),
        ("rtsp", BASIC),
        ("rtsp", DIGEST),
    ],
)
def test_a_camera_lets_in_who_knows_the_password(request, with_login, kind, challenge) -> None:
    server = request.getfixturevalue(f"{kind}_camera")
    server.login = challenge
    assert first_frame(open_camera(camera(server.address()), clock=SystemClock(), access=with_login)).image.any()


@pytest.mark.parametrize("kind", ["http", "rtsp"])
@pytest.mark.parametrize("challenge", [BASIC, DIGEST, "Negotiate"])
@pytest.mark.parametrize("known", ["wrong", "none"])
def test_no_password_is_ever_said(request, until, capfd, caplog, local_access, kind, challenge, known) -> None:
    server = request.getfixturevalue(f"{kind}_camera")
    server.login = challenge
    secret = "hunter2-$ecret/:@"  # noqa: S105
    access = local_access
    if known == "wrong":
        access = replace(access, credentials={"door": Credential("viewer", SecretStr(secret))})
    source = open_camera(camera(server.address()), clock=SystemClock(), access=access)
    with source:
        said = [
            until(lambda: source.status.error),
            repr(access),
            repr(source),
            repr(vars(source)),
            repr(vars(source._device)),
        ]
    said += [*capfd.readouterr(), caplog.text]
    assert "credentials" in said[0] or "login" in said[0]
    for text in said:
        assert "hunter2" not in text
        assert "ecret%2F" not in text


@pytest.mark.parametrize("kind", ["http", "rtsp"])
def test_nobody_there_is_said_and_tried_again(until, local_access, kind) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    source = open_camera(camera(f"{kind}://127.0.0.1:{port}/a"), clock=SystemClock(), access=local_access)
    with source:
        error = until(lambda: source.status.error)
        assert "refused" in error
        assert [tick.frame for tick in islice(source.ticks(), 3)] == [None] * 3


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (404, {}, b"", "HTTP 404"),
        (500, {}, b"", "HTTP 500"),
        (200, {"Content-Type": "text/html"}, b"<html>", "text/html"),
        (200, {"Content-Type": "multipart/x-mixed-replace"}, b"", "expected JPEGs"),
        (
            200,
            {"Content-Type": "multipart/x-mixed-replace; boundary=b"},
            b"--b\r\nContent-Length: 999999999\r\n\r\n",
            "at most",
        ),
        (200, {"Content-Type": "multipart/x-mixed-replace; boundary=b"}, b"--b\r\n" + b"x" * 20_000, "ended"),
        (
            200,
            {"Content-Type": "multipart/x-mixed-replace; boundary=b"},
            b"--b\r\nContent-Length: 9\r\n\r\nshort",
            "ended",
        ),
        (200, {"Content-Type": "multipart/x-mixed-replace; boundary=b"}, b"nothing of the kind", "ended"),
    ],
)
def test_an_answer_without_pictures_is_named(until, http_camera, local_access, status, headers, body, said) -> None:
    http_camera.answers["/video"] = (status, headers, body)
    with open_camera(camera(http_camera.address()), clock=SystemClock(), access=local_access) as source:
        error = until(lambda: source.status.error)
        assert said in error


def test_what_is_no_http_is_named(until, local_access) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].sendall(b"SSH-2.0-x\r\n" * 3), daemon=True).start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with open_camera(camera(address), clock=SystemClock(), access=local_access) as source:
            error = until(lambda: source.status.error)
            assert "not HTTP" in error


@pytest.mark.parametrize("kind", ["http", "rtsp"])
def test_a_camera_that_hangs_up_comes_back(request, until, local_access, kind) -> None:
    server = request.getfixturevalue(f"{kind}_camera")
    with open_camera(camera(server.address()), clock=SystemClock(), access=local_access) as source:
        ticks = source.ticks()
        until(lambda: next(ticks).frame)
        server.hang_up()
        until(lambda: next(ticks) and source.status.reconnects)
        until(lambda: next(ticks).frame)
        status = source.status
    assert status.frames_expected == status.frames_captured + status.frames_dropped
    assert status.frames_dropped > 0


@pytest.mark.parametrize("kind", ["http", "rtsp", "silent"])
def test_closing_ends_a_connection_that_waits(request, until, local_access, kind) -> None:
    if kind == "silent":
        server = request.getfixturevalue("http_camera")
        server.silent_after = 1
    else:
        server = request.getfixturevalue(f"{kind}_camera")
    source = open_camera(camera(server.address(), 0.02), clock=SystemClock(), access=local_access).__enter__()
    until(lambda: source.status.last_frame_at)
    source.close()
    assert not source._reader.is_alive()


def test_a_camera_that_accepts_and_says_nothing_does_not_hold_up_closing(until, local_access) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for kind in ("rtsp", "http"):
            address = f"{kind}://127.0.0.1:{server.getsockname()[1]}/a"
            source = open_camera(camera(address), clock=SystemClock(), access=local_access).__enter__()
            connection, _ = server.accept()
            connection.recv(1)
            source.close()
            assert not source._reader.is_alive()
            connection.close()


@pytest.fixture
def certified(tmp_path):
    """A certificate for 127.0.0.1 by its own authority: (server context, file of the authority)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "camera")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "camera.pem").write_bytes(pem)
    (tmp_path / "camera.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "camera.pem", tmp_path / "camera.key")
    return context, tmp_path / "camera.pem"


@pytest.mark.parametrize("kind", ["http", "rtsp"])
def test_a_secured_camera_is_one_with_the_right_certificate(request, certified, until, local_access, kind) -> None:
    context, authority = certified
    server = request.getfixturevalue(f"{kind}_camera")
    server.tls = context
    address = server.address().replace("://", "s://")
    trusting = replace(local_access, ca_file=authority)
    assert first_frame(open_camera(camera(address), clock=SystemClock(), access=trusting)).image.any()
    with open_camera(camera(address), clock=SystemClock(), access=local_access) as source:
        error = until(lambda: source.status.error)
        assert "certificate" in error


def test_a_usb_camera_that_is_not_there_is_named() -> None:
    with pytest.raises(UnreadableSource, match="USB device 63"):
        UsbDevice(63).open()


def encoded(width: int, height: int, *flags: int) -> bytes:
    return cv2.imencode(".jpg", np.zeros((height, width, 3), np.uint8), list(flags))[1].tobytes()


def test_the_size_of_a_jpeg_is_read_from_its_header() -> None:
    assert jpeg_size(encoded(64, 48)) == (64, 48)
    assert jpeg_size(encoded(640, 8, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)) == (640, 8)
    assert jpeg_size(encoded(64, 48) + bytes(20)) == (64, 48)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", encoded(64, 48)[:-10], b"\x89PNG" + encoded(64, 48), b"\xff\xd8\xff\xe0\x00\x00\xff\xd9"]
)
def test_what_is_no_whole_jpeg_has_no_size(data) -> None:
    assert jpeg_size(data) is None


def test_a_jpeg_of_too_many_pixels_is_not_decoded(until, http_camera, local_access) -> None:
    """A small file may ask for gigabytes."""
    bomb = encoded(6000, 6000)  # 36 million pixels, nearly all of them free
    http_camera.answers["/video"] = (200, {"Content-Type": "image/jpeg"}, bomb)
    with open_camera(camera(http_camera.address()), clock=SystemClock(), access=local_access) as source:
        ticks = source.ticks()
        until(lambda: next(ticks) and len(http_camera.requests) > 4)  # it took four of them
        assert source.status.frames_captured == 0
    assert jpeg_size(bomb) == (6000, 6000)
