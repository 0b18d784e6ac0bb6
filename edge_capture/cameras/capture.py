"""Devices that OpenCV reads: RTSP cameras, through the relay, and USB cameras."""

from typing import Final
from urllib.parse import quote

import cv2
import numpy as np

from edge_capture.addresses import Credential
from edge_capture.cameras.ffmpeg import open_capture
from edge_capture.cameras.pinning import PinnedCamera
from edge_capture.cameras.relay import RtspRelay
from edge_capture.errors import UnreadableSource
from edge_capture.source import Image

_OPEN_TIMEOUT_MS: Final = 10_000
_READ_TIMEOUT_MS: Final = 10_000


class _CaptureDevice:
    """What both have in common: an OpenCV capture that only its reader's thread touches."""

    on_demand = False
    _capture: cv2.VideoCapture | None = None

    def grab(self) -> bool:
        """Wait for the next picture."""
        return self._capture is not None and bool(self._capture.grab())

    def retrieve(self) -> Image | None:
        """Return the picture as BGR."""
        ok, image = self._capture.retrieve() if self._capture is not None else (False, None)
        return np.asarray(image, np.uint8) if ok and image is not None else None

    def close(self) -> None:
        """Free the capture."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None


class RtspDevice(_CaptureDevice):
    """An RTSP camera. FFmpeg sees the relay; the password goes to FFmpeg alone, and to the camera through it."""

    def __init__(self, camera: PinnedCamera, credential: Credential | None) -> None:
        self._camera = camera
        self._credential = credential
        self._relay: RtspRelay | None = None

    def open(self) -> None:
        """Connect to the pinned address, then let FFmpeg talk through that connection."""
        connection = self._camera.connect()
        self._relay = RtspRelay(connection)
        if self._camera.closed.is_set():
            self._relay.close()
        timeouts = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_TIMEOUT_MS)
        self._capture = open_capture(self._local_address(self._relay.port), timeouts)
        if not self._capture.isOpened():
            why = self._relay.refusal or "it gave no video; check its path and this device's credentials for it"
            raise UnreadableSource(f"{self._camera.address}: {why}")

    def _local_address(self, port: int) -> str:
        user = ""
        if self._credential:
            password = self._credential.password.get_secret_value()
            user = f"{quote(self._credential.username, safe='')}:{quote(password, safe='')}@"
        return f"rtsp://{user}127.0.0.1:{port}{self._camera.address.resource}"

    def close(self) -> None:
        """Free the capture and the relay."""
        super().close()
        if self._relay is not None:
            self._relay.close()

    def interrupt(self) -> None:
        """End the connection, and with it FFmpeg's waiting."""
        self._camera.interrupt()
        if self._relay is not None:
            self._relay.close()


class UsbDevice(_CaptureDevice):
    """A USB camera by its number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def open(self) -> None:
        """Open it through Video4Linux, or what the system has in its place."""
        self._capture = cv2.VideoCapture(self._number, cv2.CAP_ANY)
        if not self._capture.isOpened():
            raise UnreadableSource(f"expected a camera at USB device {self._number}, found none; is it plugged in?")

    def interrupt(self) -> None:
        """Do nothing: a driver cannot be woken, and gives its next picture or its own timeout soon enough."""
