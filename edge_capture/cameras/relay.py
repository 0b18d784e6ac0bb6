"""What stands between FFmpeg and an RTSP camera, because FFmpeg follows redirects to wherever a camera points.

FFmpeg only ever connects to the relay, on this machine's loopback; the relay only ever connects to the pinned address.
Answers are read, checked and written anew in one plain form (RFC 2326), so that FFmpeg cannot read them in another way
than they were read here; a redirect (3xx) or anything that is no answer ends the connection. What FFmpeg says to the
camera, bodies (SDP) and interleaved packets pass as they are.
"""

import re
import select
import socket
import ssl
import threading
from typing import Final

from edge_capture.cameras.connection import READ_TIMEOUT_S, end
from edge_capture.errors import EdgeError

_MOST_HEADER_BYTES: Final = 16 * 1024
_MOST_BODY_BYTES: Final = 256 * 1024  # a session description
_SHORTEST_PACKET_BYTES: Final = 8  # FFmpeg does not skip a shorter one, and would read its inside as an answer
_CHUNK_BYTES: Final = 64 * 1024
_PACKET_HEADER_BYTES: Final = 4
_PACKET: Final = ord("$")  # RFC 2326, section 10.12: $, channel, length in two bytes, packet

_HEADER_END: Final = re.compile(rb"\r?\n\r?\n")
_STATUS: Final = re.compile(rb"RTSP/1\.[0-9] ([1-5][0-9]{2})(?: [ -~]*)?")
_REQUEST: Final = re.compile(rb"(?:OPTIONS|GET_PARAMETER|SET_PARAMETER) [!-~]+ RTSP/1\.[0-9]")
_FIELD: Final = re.compile(rb"([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*([ -~\t]*)")
_LENGTH: Final = re.compile(rb"[0-9]{1,9}")


class AnswerRefused(EdgeError):
    """A camera's answer that does not pass the relay."""


class AnswerScreen:
    """Takes a camera's bytes as they come and gives out what FFmpeg may read."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._passing = 0  # bytes of the current body or packet that are still to come
        self._dropping = 0  # of a packet that FFmpeg would stumble over

    def feed(self, data: bytes) -> bytes:
        """Return what may pass on.

        Raises:
            AnswerRefused: a redirect, or something that is no RTSP answer.
        """
        self._waiting += data
        out = bytearray()
        while self._waiting:
            if self._dropping or self._passing:
                out += self._inside()
            elif self._waiting[0] == _PACKET:
                if len(self._waiting) < _PACKET_HEADER_BYTES:
                    break
                out += self._packet()
            else:
                match = _HEADER_END.search(self._waiting, 0, _MOST_HEADER_BYTES)
                if match is None:
                    if len(self._waiting) >= _MOST_HEADER_BYTES:
                        raise AnswerRefused("the camera sent something that is no RTSP answer")
                    break
                header = bytes(self._waiting[: match.start()])
                del self._waiting[: match.end()]
                out += self._answer(header)
        return bytes(out)

    def _inside(self) -> bytes:
        if self._dropping:
            count = min(self._dropping, len(self._waiting))
            del self._waiting[:count]
            self._dropping -= count
            return b""
        count = min(self._passing, len(self._waiting))
        out = bytes(self._waiting[:count])
        del self._waiting[:count]
        self._passing -= count
        return out

    def _packet(self) -> bytes:
        length = int.from_bytes(self._waiting[2:_PACKET_HEADER_BYTES], "big")
        header = bytes(self._waiting[:_PACKET_HEADER_BYTES])
        del self._waiting[:_PACKET_HEADER_BYTES]
        if length < _SHORTEST_PACKET_BYTES:
            self._dropping = length
            return b""
        self._passing = length
        return header

    def _answer(self, header: bytes) -> bytes:
        """Return an answer's header in the one form that leaves nothing to interpret."""
        first, *rest = (line.removesuffix(b"\r") for line in header.split(b"\n"))
        status = _STATUS.fullmatch(first)
        if status and status[1].startswith(b"3"):
            raise AnswerRefused(f"the camera redirects elsewhere (RTSP {status[1].decode()}); redirects are refused")
        if not status and not _REQUEST.fullmatch(first):
            raise AnswerRefused("the camera sent something that is no RTSP answer")
        fields = [match for match in map(_FIELD.fullmatch, rest) if match]
        lengths = {match[2].strip() for match in fields if match[1].lower() == b"content-length"}
        self._passing = _body_bytes(lengths)
        kept = [
            match[1] + b": " + match[2].strip()
            for match in fields
            if match[1].lower() not in {b"location", b"content-length"}
        ]
        if lengths:
            kept.append(b"Content-Length: %d" % self._passing)
        return b"\r\n".join((first, *kept, b"", b""))


def _body_bytes(lengths: set[bytes]) -> int:
    if not lengths:
        return 0
    (first, *others) = lengths
    if others or not _LENGTH.fullmatch(first) or int(first) > _MOST_BODY_BYTES:
        raise AnswerRefused("the camera sent an answer of no clear length")
    return int(first)


class RtspRelay:
    """One relay for one connection to one camera; `port` is where FFmpeg finds it on 127.0.0.1.

    Attributes:
        refusal: why it ended the connection, where it did.
    """

    def __init__(self, camera: socket.socket) -> None:
        self._camera = camera
        self._ffmpeg: socket.socket | None = None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._listener.settimeout(READ_TIMEOUT_S)
        self.port: int = self._listener.getsockname()[1]
        self.refusal: str | None = None
        self._thread = threading.Thread(target=self._run, name="rtsp-relay", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End both connections, from any thread."""
        for each in (self._listener, self._camera, self._ffmpeg):
            end(each)

    def _run(self) -> None:
        try:
            with self._camera:
                with self._listener:
                    self._ffmpeg, _ = self._listener.accept()  # one only: nobody else on this machine gets in later
                with self._ffmpeg:
                    self._ffmpeg.settimeout(READ_TIMEOUT_S)
                    try:
                        self._pump(self._ffmpeg)
                    except AnswerRefused as error:  # noted before FFmpeg sees the end
                        self.refusal = str(error)
        except OSError:
            return  # an end that FFmpeg sees as well

    def _pump(self, ffmpeg: socket.socket) -> None:
        screen = AnswerScreen()
        while True:
            pending = isinstance(self._camera, ssl.SSLSocket) and self._camera.pending() > 0
            ready = [self._camera] if pending else select.select([ffmpeg, self._camera], [], [], READ_TIMEOUT_S)[0]
            if not ready:
                return  # FFmpeg itself keeps a session alive more often than that
            if ffmpeg in ready:
                request = ffmpeg.recv(_CHUNK_BYTES)
                if not request:
                    return
                self._camera.sendall(request)
            if self._camera in ready:
                data = self._camera.recv(_CHUNK_BYTES)
                if not data:
                    return
                ffmpeg.sendall(screen.feed(data))
