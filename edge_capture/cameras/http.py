"""Cameras that send JPEGs over HTTP: a stream of them (multipart, "MJPEG"), or one per request.

Python speaks HTTP here and OpenCV only decodes: FFmpeg would follow redirects, and open whatever a playlist names.
"""

import http.client
import re
import socket
from typing import Final

import cv2
import numpy as np

from edge_capture.addresses import Credential
from edge_capture.cameras.connection import end
from edge_capture.cameras.login import authorization
from edge_capture.cameras.pinning import PinnedCamera
from edge_capture.errors import UnreadableSource
from edge_capture.source import Image

_MOST_STILL_BYTES: Final = 16 * 1024**2
_MOST_PIXELS: Final = 25_000_000  # as the platform's intake
_MOST_HEADER_BYTES: Final = 16 * 1024
_CHUNK_BYTES: Final = 64 * 1024
_JPEG_START: Final = b"\xff\xd8\xff"
_FIRST_SEGMENT: Final = 2  # bytes of the start marker before it
_BOUNDARY: Final = re.compile(r'boundary="?([^";,\s]{1,100})"?', re.IGNORECASE)
_LENGTH: Final = re.compile(rb"content-length[ \t]*:[ \t]*([0-9]{1,9})[ \t]*\r?\n", re.IGNORECASE)
_PART_HEADER_END: Final = re.compile(rb"\r?\n\r?\n")


class HttpDevice:
    """An HTTP camera; which of the two kinds it is, its first answer tells.

    A stream is split into pictures as it comes, and only the one that is wanted is decoded.
    """

    def __init__(self, camera: PinnedCamera, credential: Credential | None) -> None:
        self.on_demand = False
        self._camera = camera
        self._credential = credential
        self._connection: socket.socket | None = None
        self._answer: http.client.HTTPResponse | None = None
        self._waiting = bytearray()
        self._boundary: bytes | None = None
        self._jpeg = b""

    def open(self) -> None:
        """Ask for the stream, logging in where the camera wants that."""
        answer = self._ask(None)
        challenges = answer.headers.get_all("WWW-Authenticate", [])
        if answer.status == http.client.UNAUTHORIZED and self._credential and challenges:
            resource = self._camera.address.resource
            header = authorization(challenges, self._credential, method="GET", resource=resource)
            self.close()
            answer = self._ask(header)
        self._require_pictures(answer)
        self._answer = answer

    def _ask(self, login: str | None) -> http.client.HTTPResponse:
        address = self._camera.address
        self._connection = self._camera.connect()
        talk = http.client.HTTPConnection(address.host, address.port)
        talk.auto_open = 0  # it connects nowhere by itself
        talk.sock = self._connection
        headers = {"Accept": "multipart/x-mixed-replace, image/jpeg", "User-Agent": "edge-capture"}
        try:
            talk.request("GET", address.resource, headers=headers | ({"Authorization": login} if login else {}))
            return talk.getresponse()
        except http.client.HTTPException as error:
            raise UnreadableSource(f"{address}: the camera's answer is not HTTP ({type(error).__name__})") from None

    def _require_pictures(self, answer: http.client.HTTPResponse) -> None:
        address, kind = self._camera.address, answer.headers.get_content_type()
        if http.client.MULTIPLE_CHOICES <= answer.status < http.client.BAD_REQUEST:
            raise UnreadableSource(f"{address}: it redirects elsewhere (HTTP {answer.status}); redirects are refused")
        if answer.status != http.client.OK:
            raise UnreadableSource(
                f"{address}: it answers HTTP {answer.status}; check its path and this device's credentials for it"
            )
        self._waiting.clear()
        self.on_demand = kind == "image/jpeg"
        if self.on_demand:
            return
        boundary = _BOUNDARY.search(answer.headers.get("Content-Type", ""))
        if not kind.startswith("multipart/") or not boundary:
            raise UnreadableSource(f"{address}: expected JPEGs (multipart or image/jpeg), got {kind[:60]}")
        self._boundary = b"--" + boundary[1].encode("latin-1").removeprefix(b"--")

    def grab(self) -> bool:
        """Wait for the next JPEG; raises UnreadableSource where what comes is none."""
        try:
            self._jpeg = self._whole() if self.on_demand else self._part()
        except http.client.HTTPException:
            self._jpeg = b""
        return bool(self._jpeg)

    def _whole(self) -> bytes:
        """Return one picture: the answer at hand, else that to another request."""
        if self._answer is None:
            self.open()
        answer, self._answer = self._answer, None
        data = answer.read(_MOST_STILL_BYTES) if answer else b""
        self.close()
        return data

    def _part(self) -> bytes:
        """Return the next part's body: by its length where it tells one, else up to the next boundary."""
        if self._boundary is None or not self._more_until(self._boundary, _MOST_STILL_BYTES):
            return b""
        del self._waiting[: self._waiting.index(self._boundary) + len(self._boundary)]
        while (end_of_header := _PART_HEADER_END.search(self._waiting)) is None:
            if len(self._waiting) > _MOST_HEADER_BYTES or not self._more():
                return b""
        header = bytes(self._waiting[: end_of_header.end()])
        del self._waiting[: end_of_header.end()]
        length = _LENGTH.search(header)
        if length is None:
            if not self._more_until(self._boundary, _MOST_STILL_BYTES):
                return b""
            return bytes(self._waiting[: self._waiting.index(self._boundary)])
        wanted = int(length[1])
        if wanted > _MOST_STILL_BYTES:
            raise UnreadableSource(f"{self._camera.address}: a still of {wanted} bytes; at most {_MOST_STILL_BYTES}")
        while len(self._waiting) < wanted:
            if not self._more():
                return b""
        body = bytes(self._waiting[:wanted])
        del self._waiting[:wanted]
        return body

    def _more_until(self, mark: bytes, limit: int) -> bool:
        searched = 0
        while self._waiting.find(mark, searched) < 0:
            searched = max(0, len(self._waiting) - len(mark))
            if len(self._waiting) > limit or not self._more():
                return False
        return True

    def _more(self) -> bool:
        data = self._answer.read1(_CHUNK_BYTES) if self._answer else b""
        self._waiting += data
        return bool(data)

    def retrieve(self) -> Image | None:
        """Return the JPEG as BGR; None when it is none, or claims more pixels than anyone asked for."""
        size = jpeg_size(self._jpeg)
        if size is None or size[0] * size[1] > _MOST_PIXELS:
            return None
        image = cv2.imdecode(np.frombuffer(self._jpeg, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        return None if image is None else np.asarray(image, np.uint8)

    def close(self) -> None:
        """End the connection."""
        if self._answer is not None:
            self._answer.close()
            self._answer = None
        if self._connection is not None:
            end(self._connection)
            self._connection.close()
            self._connection = None

    def interrupt(self) -> None:
        """End the connection, and with it the waiting."""
        self._camera.interrupt()


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height by a JPEG's header (ITU T.81, B.2), without decoding; None where it is no whole JPEG."""
    if not data.startswith(_JPEG_START) or b"\xff\xd9" not in data[-64:]:  # some cameras pad behind the end
        return None
    at = _FIRST_SEGMENT
    while at + 9 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004 - a marker's first byte
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:  # noqa: PLR2004 - start of frame
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + length
    return None
