"""The only place that starts OpenCV's FFmpeg, with options that hold for every camera and file alike.

They go through the environment, which belongs to the whole process: so they are the same for all, and set before each
opening. FFmpeg may speak plain TCP (to the relay on this machine, see `relay`) and read files. It may not read
playlists, session descriptions and other formats that name further addresses.
"""

import os
from collections.abc import Sequence
from typing import Final

import cv2

_FORMATS: Final = "rtsp,mov,matroska,avi,gif,mpegts,mpeg,mjpeg,h264,hevc,m4v"
OPTIONS: Final = "|".join(
    (
        "rtsp_transport;tcp",  # interleaved: one connection, which the relay can watch
        "protocol_whitelist;file,tcp",  # no rtsp: that is what a redirect would need
        f"format_whitelist;{_FORMATS}",
        "allowed_media_types;video",
        "threads;1",  # the cameras share the cores among themselves
    )
)


def open_capture(address: str, parameters: Sequence[int] = ()) -> cv2.VideoCapture:
    """Return OpenCV's capture of a file or of a relay's address; whether it is open, it says itself.

    `parameters` are pairs of CAP_PROP_* and value. From then on OpenCV and FFmpeg write nothing to standard error:
    their messages hold addresses, addresses may hold passwords, and a camera that is away would fill the log.
    """
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = OPTIONS
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, list(parameters))
