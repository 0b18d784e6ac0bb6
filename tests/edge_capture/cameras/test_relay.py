import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_capture.cameras.relay import AnswerRefused, AnswerScreen

ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nSession: 9\r\n\r\n"
DESCRIBED = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\nv=0\r\n"
PACKET = b"$\x00\x00\x0a" + b"RTSP/1.0 3"
SESSION = ANSWER + DESCRIBED + PACKET + PACKET + ANSWER


def passed(data: bytes, pieces: list[int] | None = None) -> bytes:
    """Send the data through a screen, cut at `pieces`."""
    screen, out, at = AnswerScreen(), b"", 0
    for piece in sorted({*(pieces or []), len(data)}):
        out += screen.feed(data[at:piece])
        at = max(at, piece)
    return out


def test_plain_answers_bodies_and_packets_pass_as_they_are() -> None:
    assert passed(SESSION) == SESSION


@given(st.lists(st.integers(0, len(SESSION))))
def test_it_does_not_matter_in_which_pieces_they_come(pieces) -> None:
    assert passed(SESSION, pieces) == SESSION


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (b"RTSP/1.0 200 OK\nCSeq: 2\n\n", b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n"),
        (b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nLocation: rtsp://x/\r\n\r\n", b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n"),
        (b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nLoc\ration: rtsp://x/\r\n\r\n", b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n"),
        (b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n$ab: cd\r\n folded\r\nodd\r\n\r\n", b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n"),
        (b"RTSP/1.0 200\r\nCSeq :2 \r\n\r\n", b"RTSP/1.0 200\r\nCSeq: 2\r\n\r\n"),
        (
            b"RTSP/1.0 200 OK\r\ncontent-length: 02\r\nContent-Length:02\r\n\r\nab" + ANSWER,
            b"RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab" + ANSWER,
        ),
        (b"$\x00\x00\x07RTSP/ 3" + ANSWER, ANSWER),  # FFmpeg would read the inside of so short a packet
        (b"$\x00\x00\x00" + ANSWER, ANSWER),
        (b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n", b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
    ],
)
def test_answers_are_written_anew_in_one_form(said, heard) -> None:
    assert passed(said) == heard


@pytest.mark.parametrize(
    "said",
    [
        b"RTSP/1.0 302 Found\r\n\r\n",
        b"RTSP/1.0 399 Found\n\n",
        b"RTSP/1.0  302 Found\r\n\r\n",
        b"RTSP/1.0 0302 Found\r\n\r\n",
        b"RTSP/1.0 999 Found\r\n\r\n",
        b"HTTP/1.1 302 Found\r\n\r\n",
        b"REDIRECT rtsp://x RTSP/1.0\r\n\r\n",
        b"\r\n\r\n",
        b"x" * 20_000,
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n",
    ],
)
@pytest.mark.parametrize("before", [b"", ANSWER, DESCRIBED, PACKET])
def test_redirects_and_what_is_no_answer_are_refused(before, said) -> None:
    with pytest.raises(AnswerRefused):
        passed(before + said)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_no_bytes_break_it(data, pieces) -> None:
    """Whatever passes is made of answers that are no redirects, and of whole packets."""
    try:
        out = passed(data, pieces)
    except AnswerRefused:
        return
    assert not out or out.startswith((b"RTSP/1.", b"$", b"OPTIONS", b"GET_", b"SET_"))
