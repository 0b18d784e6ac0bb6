"""What reaches further than one address is in cameras/test_reach.py."""

from ipaddress import ip_address, ip_network

import pytest
from pydantic import SecretStr

from edge_capture.addresses import (
    AllowedAddresses,
    CameraAddress,
    Credential,
    UnusableCredentials,
    load_credentials,
    parse_address,
    pin,
    plain_address,
    redacted,
)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("rtsp://10.0.0.7/door", ("rtsp", "10.0.0.7", 554, "/door")),
        ("RTSPS://Camera.example:8322/door?ch=1&sub=0", ("rtsps", "camera.example", 8322, "/door?ch=1&sub=0")),
        ("http://camera", ("http", "camera", 80, "/")),
        ("https://camera_1.lan./a#part", ("https", "camera_1.lan", 443, "/a")),
        ("http://[2001:db8::7]:81/a", ("http", "2001:db8::7", 81, "/a")),
        ("http://[::ffff:10.0.0.7]/", ("http", "10.0.0.7", 80, "/")),
        ("http://167772167/", ("http", "10.0.0.7", 80, "/")),
        ("http://0x0a.7/", ("http", "10.0.0.7", 80, "/")),
    ],
)
def test_an_address_has_parts(text, parts) -> None:
    assert parse_address(text) == CameraAddress(*parts)


def test_what_is_said_of_an_address_leaves_path_and_query_out() -> None:
    assert str(parse_address("http://camera/a?token=hunter2")) == "http://camera:80"
    assert str(parse_address("http://[2001:db8::7]/a")) == "http://[2001:db8::7]:80"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("::10.0.0.7", "10.0.0.7"),
        ("2002:a00:7::1", "10.0.0.7"),
        ("64:ff9b::a00:7", "10.0.0.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::1", "::1"),
    ],
)
def test_an_ipv6_address_that_stands_for_an_ipv4_one_is_that_one(written, meant) -> None:
    assert str(plain_address(ip_address(written))) == meant


@pytest.mark.parametrize(
    ("networks", "address", "permitted"),
    [
        ((), "10.0.0.7", True),
        ((), "203.0.113.5", True),
        ((), "fd12::7", True),
        ((), "127.0.0.1", False),
        (("10.1.0.0/16",), "10.1.2.3", True),
        (("10.1.0.0/16",), "10.2.2.3", False),
        (("10.1.0.0/16",), "::ffff:10.1.2.3", True),
        (("10.1.0.0/16",), "fd12::7", False),
        (("fd12::/16",), "fd12::7", True),
        (("127.0.0.0/8",), "127.0.0.1", True),
        (("127.0.0.2/32",), "127.0.0.1", False),
        (("169.254.10.0/24",), "169.254.10.5", True),
        (("0.0.0.0/0", "::/0"), "169.254.169.254", False),
        (("0.0.0.0/0", "::/0"), "::1", False),
        (("0.0.0.0/0", "::/0"), "10.0.0.7", True),
    ],
)
def test_networks_permit_what_they_name(networks, address, permitted) -> None:
    allowed = AllowedAddresses(tuple(ip_network(each) for each in networks))
    assert allowed.permits(ip_address(address)) == permitted


def test_a_pinned_address_is_numeric() -> None:
    address = parse_address("http://camera.example/a")
    answers = ["10.0.0.7", "::ffff:10.0.0.8", "fd12::9%3"]
    assert pin(address, AllowedAddresses(), resolve=lambda *_: answers) == ("10.0.0.7", "10.0.0.8", "fd12::9")


def test_secrets_are_cut_out() -> None:
    credential = Credential("viewer", SecretStr("hunter2"))
    assert (
        redacted("at rtsp://viewer:hunter2@10.0.0.7/a with hunter2", credential) == "at rtsp://***@10.0.0.7/a with ***"
    )
    assert redacted("plain", None) == "plain"
    assert "hunter2" not in f"{credential}{credential!r}"


def test_credentials_come_from_a_file_of_ones_own(tmp_path) -> None:
    path = tmp_path / "cameras.json"
    path.write_text('{"door": {"username": "viewer", "password": "hunter2"}}')
    path.chmod(0o600)
    assert load_credentials(path) == {"door": Credential("viewer", SecretStr("hunter2"))}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_a_file_that_others_can_read_is_refused(tmp_path, mode) -> None:
    path = tmp_path / "cameras.json"
    path.write_text("{}")
    path.chmod(mode)
    with pytest.raises(UnusableCredentials, match="chmod 600"):
        load_credentials(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"door": "hunter2"}',
        '{"door": {"username": "viewer"}}',
        '{"Door!": {"username": "viewer", "password": "hunter2"}}',
        '{"door": {"username": "viewer", "password": "hunter2", "hunter2": 1}}',
        '{"door": {"username": "viewer", "password": {"hunter2": 1}}}',
    ],
)
def test_a_file_of_something_else_is_refused_and_not_quoted(tmp_path, content) -> None:
    path = tmp_path / "cameras.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(UnusableCredentials) as refused:
        load_credentials(path)
    assert "hunter2" not in repr(refused.value)
    assert refused.value.__cause__ is None


def test_no_file_is_refused(tmp_path) -> None:
    with pytest.raises(UnusableCredentials, match="No such file"):
        load_credentials(tmp_path / "missing.json")
