"""No address, answer, name or file makes a device connect anywhere but to its camera (promise S5, inputs B20).

Everything here points at a canary: a port that counts who connects to it. The number is 0 each time.
"""

import socket
from dataclasses import replace
from ipaddress import ip_network
from itertools import islice

import cv2
import numpy as np
import pytest

from edge_capture.addresses import AddressRefused, AllowedAddresses
from edge_capture.cameras import ffmpeg
from edge_capture.cameras.opening import CameraAccess, open_camera
from edge_capture.clock import SystemClock
from edge_capture.errors import UnreadableSource
from footfall_assets.contracts.fleet import DesiredCamera, SourceKind


def camera(address: str, kind: SourceKind = SourceKind.NETWORK, interval_s: float = 0.05) -> DesiredCamera:
    return DesiredCamera.model_construct(  # whatever the contract lets through, this device decides for itself
        camera_id="door", kind=kind, address=address, interval_s=interval_s, masks=(), zones=()
    )


@pytest.fixture
def refusal(until):
    """Open a camera and return why it is not connected."""

    def open_it(desired: DesiredCamera, access: CameraAccess) -> str:
        with open_camera(desired, clock=SystemClock(), access=access) as source:
            return until(lambda: source.status.error)

    return open_it


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "concat:http://127.0.0.1:{port}/a|http://127.0.0.1:{port}/b",
        "concatf:http://127.0.0.1:{port}/list",
        "tcp://127.0.0.1:{port}",
        "udp://127.0.0.1:{port}",
        "rtp://127.0.0.1:{port}",
        "rtmp://127.0.0.1:{port}/live",
        "ftp://127.0.0.1:{port}/a.mp4",
        "hls+http://127.0.0.1:{port}/a.m3u8",
        "crypto:http://127.0.0.1:{port}/a",
        "subfile,,start,0,end,9,,:http://127.0.0.1:{port}/a",
        "data:image/jpeg;base64,AAAA",
        "gopher://127.0.0.1:{port}/",
        "/dev/video0",
        "127.0.0.1:{port}",
        "rtsp:127.0.0.1:{port}",
        "rtsp:/127.0.0.1:{port}/a",
        "rtsp://",
        "rtsp:///a",
        "rtsp://:{port}/a",
        "rtsp://camera:99999/a",
        "rtsp://camera:0/a",
        "rtsp://camera:port/a",
        "rtsp://viewer:hunter2@127.0.0.1:{port}/a",
        "rtsp://viewer@127.0.0.1:{port}/a",
        "http://camera@127.0.0.1:{port}/a",
        "http://camera\\@127.0.0.1:{port}/a",
        "http://127.0.0.1:{port}\\@camera/a",
        "http://camera /a",
        "http://camera/a b",
        "http://camera/a\r\nHost: 127.0.0.1:{port}",
        "http://camera/ä",
        "http://ca_mera!/a",
        "http://[::1/a",
        "http://[v1.x]/a",
        "http://1.2.3.4.5.6%00/a",
        " http://127.0.0.1:{port}/a",
    ],
)
def test_an_address_that_is_no_camera_is_refused_before_anything_is_opened(canary, local_access, address) -> None:
    with pytest.raises(AddressRefused) as refused:
        open_camera(camera(address.format(port=canary.port)), clock=SystemClock(), access=local_access)
    assert "hunter2" not in str(refused.value)
    assert canary.hits == 0


@pytest.mark.parametrize("scheme", ["http", "rtsp", "https", "rtsps"])
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "127.1",
        "2130706433",  # decimal
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",  # noqa: S104
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",  # mapped
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",  # compatible
        "[64:ff9b::7f00:1]",  # NAT64
        "[2002:7f00:1::]",  # 6to4
        "169.254.169.254",  # where clouds keep a machine's secrets
        "[fe80::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
    ],
)
def test_a_camera_is_not_on_this_machine_nor_on_its_link(canary, refusal, scheme, host) -> None:
    said = refusal(camera(f"{scheme}://{host}:{canary.port}/a"), CameraAccess())
    assert "networks" in said
    assert canary.hits == 0


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["10.0.0.7", "127.0.0.1"],  # one right address does not make up for a wrong one
        ["::ffff:127.0.0.1"],
        ["fe80::1%eth0"],
        [],
    ],
)
def test_a_name_is_judged_by_where_it_leads(canary, refusal, answers) -> None:
    access = CameraAccess(resolve=lambda *_: answers)
    assert "networks" in refusal(camera(f"http://camera.example:{canary.port}/a"), access)
    assert canary.hits == 0


def test_listed_networks_are_the_only_ones(canary, refusal) -> None:
    access = CameraAccess(allowed=AllowedAddresses((ip_network("10.1.0.0/16"), ip_network("0.0.0.0/0"))))
    assert "networks" in refusal(camera(f"http://127.0.0.1:{canary.port}/a"), access)  # all of IPv4 does not name it
    access = CameraAccess(allowed=AllowedAddresses((ip_network("10.1.0.0/16"),)))
    assert "networks" in refusal(camera(f"http://10.2.0.1:{canary.port}/a"), access)
    assert canary.hits == 0


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
def test_a_redirect_over_http_is_not_followed(canary, http_camera, local_access, refusal, status) -> None:
    http_camera.answers["/video"] = (status, {"Location": f"http://127.0.0.1:{canary.port}/a"}, b"")
    assert "redirects are refused" in refusal(camera(http_camera.address()), local_access)
    assert canary.hits == 0


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            "application/vnd.apple.mpegurl",
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n",
        ),
        ("image/jpeg", "#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n"),
        ("video/mp4", "ffconcat version 1.0\nfile http://127.0.0.1:{port}/a\n"),
        ("application/sdp", "v=0\nc=IN IP4 127.0.0.1\nm=video {port} RTP/AVP 26\n"),
        ("application/dash+xml", "<MPD><BaseURL>http://127.0.0.1:{port}/</BaseURL></MPD>"),
    ],
)
def test_an_answer_that_names_other_addresses_is_no_picture(
    canary, http_camera, local_access, until, kind, body
) -> None:
    http_camera.answers["/video"] = (200, {"Content-Type": kind}, body.format(port=canary.port).encode())
    with open_camera(camera(http_camera.address()), clock=SystemClock(), access=local_access) as source:
        ticks = islice(source.ticks(), 4)
        assert [tick.frame for tick in ticks] == [None] * 4
    assert len(http_camera.requests) >= 1
    assert canary.hits == 0


REDIRECTS = {
    "plain": b"RTSP/1.0 302 Moved\r\nCSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n",
    "permanent": b"RTSP/1.0 301 Moved\r\nCSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n",
    "proxy": b"RTSP/1.0 305 Use proxy\r\nCSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n",
    "odd": b"RTSP/1.0 399 Odd\r\nCSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n",
    "line feeds": b"RTSP/1.0 302 Moved\nCSeq: CSEQ\nLocation: rtsp://127.0.0.1:PORT/a\n\n",
    "leading zero": b"RTSP/1.0 0302 Moved\r\nCSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n",
    "signed": b"RTSP/1.0 +302 Moved\r\nCSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n",
    "other version": b"RTSP/9 302 Moved\r\nCSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n",
    "split word": b"RT\rSP/1.0 302 Moved\r\nCSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n",
    "tabs": b"RTSP/1.0\t302\tMoved\r\nCSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n",
    "blank first": b"\r\n\r\nRTSP/1.0 302 Moved\r\nCSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n",
    "behind a packet": b"$\x00\x00\x04RTSPRTSP/1.0 302 M\r\nCSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n",
    "behind a body": b"RTSP/1.0 100 C\r\nCSeq: CSEQ\r\nContent-Length: 2\r\n\r\n..RTSP/1.0 302 M\r\nCSeq: CSEQ\r\n"
    b"Location: rtsp://127.0.0.1:PORT/a\r\n\r\n",
    "two lengths": b"RTSP/1.0 100 C\r\nCSeq: CSEQ\r\nContent-Length: 99\r\nContent-Length: 0\r\n\r\nRTSP/1.0 302 M\r\n"
    b"CSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n" + bytes(99),
    "a packet among the fields": b"RTSP/1.0 200 OK\r\nCSeq: CSEQ\r\n$aab: RTSP/1.0 302 M\r\n\r\nRTSP/1.0 302 M\r\n"
    b"CSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n",
    "asked of us": b"REDIRECT rtsp://127.0.0.1/ RTSP/1.0\r\nCSeq: 9\r\nLocation: rtsp://127.0.0.1:PORT/a\r\n\r\n",
}


WILLING = "rtsp_transport;tcp|protocol_whitelist;file,tcp,udp,rtp,rtsp"  # FFmpeg that may follow


@pytest.mark.parametrize("form", REDIRECTS)
@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_a_redirect_over_rtsp_is_not_followed(
    canary, rtsp_camera, local_access, refusal, monkeypatch, method, form
) -> None:
    """The relay holds alone, also where FFmpeg's own options did not."""
    monkeypatch.setattr(ffmpeg, "OPTIONS", WILLING)
    rtsp_camera.answers[method] = REDIRECTS[form].replace(b"PORT", str(canary.port).encode())
    said = refusal(camera(rtsp_camera.address()), local_access)
    assert any(each in said for each in ("redirects are refused", "no RTSP answer", "no clear length"))
    assert rtsp_camera.requests[-1].startswith(method)
    assert canary.hits == 0


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE"])
def test_the_canary_would_sing(canary, rtsp_camera, monkeypatch, method) -> None:
    """FFmpeg by itself does follow: were it not so, the test above would prove nothing."""
    monkeypatch.setattr(ffmpeg, "OPTIONS", WILLING)
    rtsp_camera.answers[method] = REDIRECTS["plain"].replace(b"PORT", str(canary.port).encode())
    assert not ffmpeg.open_capture(rtsp_camera.address()).isOpened()
    assert canary.hits > 0


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE"])
def test_without_the_relay_the_options_of_ffmpeg_would_hold(canary, rtsp_camera, method) -> None:
    """A second lock: this FFmpeg checks a redirect's scheme against its list, which does not hold rtsp."""
    rtsp_camera.answers[method] = REDIRECTS["plain"].replace(b"PORT", str(canary.port).encode())
    assert not ffmpeg.open_capture(rtsp_camera.address()).isOpened()
    assert canary.hits == 0


def test_names_inside_a_session_description_are_not_visited(canary, rtsp_camera, local_access) -> None:
    rtsp_camera.control = f"rtsp://127.0.0.1:{canary.port}/"
    with open_camera(camera(rtsp_camera.address()), clock=SystemClock(), access=local_access) as source:
        assert next(iter(source)).image.shape == (48, 64, 3)
    assert any(f"SETUP rtsp://127.0.0.1:{canary.port}/track1" in each for each in rtsp_camera.requests)  # only said
    assert canary.hits == 0


@pytest.mark.parametrize("kind", ["http", "rtsp"])
def test_a_name_that_changes_its_mind_is_not_followed(
    canary_at, http_camera, rtsp_camera, local_access, until, kind
) -> None:
    """DNS rebinding: the first answer is the camera, every later one the canary at the same port."""
    server = {"http": http_camera, "rtsp": rtsp_camera}[kind]
    canary = canary_at("127.0.0.2", server.port)
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    desired = camera(f"{kind}://camera.example:{server.port}/video", interval_s=0.02)
    with open_camera(desired, clock=SystemClock(), access=replace(local_access, resolve=resolve)) as source:
        ticks = source.ticks()
        until(lambda: next(ticks).frame)
        server.hang_up()
        until(lambda: next(ticks) and source.status.reconnects)
        until(lambda: next(ticks).frame)
    assert asked == ["camera.example"]
    assert canary.hits == 0


@pytest.mark.parametrize("name", ["door.mp4", "door.m3u8", "door.avi"])
@pytest.mark.parametrize(
    "content",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ntcp://127.0.0.1:{port}\n",
        "ffconcat version 1.0\nfile tcp://127.0.0.1:{port}\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP/TCP 26\n",
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>http://127.0.0.1:{port}/</BaseURL></MPD>',
    ],
    ids=["hls", "hls over tcp", "concat", "sdp", "dash"],
)
def test_a_file_that_names_addresses_is_no_video(canary, tmp_path, local_access, name, content) -> None:
    (tmp_path / name).write_text(content.format(port=canary.port))
    source = open_camera(camera(name, SourceKind.VIDEO), clock=SystemClock(), access=local_access)
    with pytest.raises(UnreadableSource), source:
        next(iter(source))
    assert canary.hits == 0


def test_a_list_of_files_is_no_video(tmp_path, local_access) -> None:
    """A file that names other files would lead out of the media folder."""
    writer = cv2.VideoWriter(str(tmp_path / "real.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25, (64, 48))
    writer.write(np.full((48, 64, 3), 90, np.uint8))
    writer.release()
    (tmp_path / "list.avi").write_text("ffconcat version 1.0\nfile real.avi\n")
    with open_camera(camera("real.avi", SourceKind.VIDEO), clock=SystemClock(), access=local_access) as source:
        assert next(iter(source)).image.any()
    with pytest.raises(UnreadableSource, match=r"list\.avi"):
        open_camera(camera("list.avi", SourceKind.VIDEO), clock=SystemClock(), access=local_access).__enter__()


@pytest.mark.parametrize("kind", [SourceKind.VIDEO, SourceKind.FOLDER])
@pytest.mark.parametrize(
    "path", ["../outside.avi", "/etc/passwd", "inside/../../outside.avi", "link", "http://127.0.0.1/a", "a\0b", "~root"]
)
def test_footage_lies_in_the_media_folder(tmp_path, kind, path) -> None:
    root = tmp_path / "media"
    root.mkdir()
    (tmp_path / "outside.avi").write_bytes(b"x")
    (root / "link").symlink_to(tmp_path / "outside.avi")
    desired = camera(path, kind)
    try:
        source = open_camera(desired, clock=SystemClock(), access=CameraAccess(media_root=root))
    except AddressRefused:
        return
    with pytest.raises(UnreadableSource, match="found nothing"), source:
        pass
    assert path in {"http://127.0.0.1/a", "~root"}  # names below the folder, as odd as they are


@pytest.mark.parametrize("kind", [SourceKind.VIDEO, SourceKind.FOLDER])
def test_without_a_media_folder_there_is_no_footage(kind) -> None:
    with pytest.raises(AddressRefused, match="media folder"):
        open_camera(camera("door.avi", kind), clock=SystemClock())


@pytest.mark.parametrize("address", ["", "x", "-1", "100", "0; rm", "/dev/video0", "http://127.0.0.1"])
def test_a_usb_camera_is_a_number(address) -> None:
    with pytest.raises(AddressRefused, match="number"):
        open_camera(camera(address, SourceKind.USB), clock=SystemClock())


@pytest.mark.parametrize("address", ["", "x", "-1", "7#", "7#1x1", "7#64x48#", "7#99999x48"])
def test_drawn_scenes_have_a_seed(address) -> None:
    with pytest.raises(AddressRefused, match="seed"):
        open_camera(camera(address, SourceKind.SYNTHETIC), clock=SystemClock())


def test_a_relay_serves_ffmpeg_and_nobody_after_it(rtsp_camera, local_access) -> None:
    with open_camera(camera(rtsp_camera.address()), clock=SystemClock(), access=local_access) as source:
        next(iter(source))
        port = source._device._relay.port
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1)
