"""From a camera's desired configuration to its source."""

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from edge_capture.addresses import AddressRefused, AllowedAddresses, Credential, Resolve, parse_address, system_resolve
from edge_capture.cameras.capture import RtspDevice, UsbDevice
from edge_capture.cameras.http import HttpDevice
from edge_capture.cameras.live import Device, LiveSource
from edge_capture.cameras.paced import Footage, PacedSource, Pictures
from edge_capture.cameras.pinning import PinnedCamera
from edge_capture.cameras.recorded import open_source
from edge_capture.cameras.synthetic import SyntheticScenes
from edge_capture.clock import Clock
from edge_capture.masks import preparation
from edge_capture.source import FrameSource, Prepare
from footfall_assets.contracts.fleet import DesiredCamera, SourceKind

_LOOP: Final = "#loop"
_USB_NUMBER: Final = re.compile(r"[0-9]{1,2}")
_SCENES: Final = re.compile(r"([0-9]{1,9})(?:#([0-9]{2,4})x([0-9]{2,4}))?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)  # times of a recording are replaced by those of its playing


@dataclass(frozen=True)
class CameraAccess:
    """What this device itself, and no configuration from outside, lets cameras be.

    Attributes:
        credentials: by camera id, from the device's secrets file.
        allowed: the networks that cameras may be in.
        media_root: the folder that videos and folders of stills must lie in; None refuses both kinds.
        ca_file: certificates (PEM) that rtsps and https cameras are checked with; None takes the system's.
        resolve: asked once per camera for the addresses behind its name.
    """

    credentials: Mapping[str, Credential] = field(default_factory=dict)
    allowed: AllowedAddresses = field(default_factory=AllowedAddresses)
    media_root: Path | None = None
    ca_file: Path | None = None
    resolve: Resolve = system_resolve


def open_camera(
    camera: DesiredCamera, *, clock: Clock, access: CameraAccess | None = None, max_side_px: int | None = None
) -> FrameSource:
    """Return the source for a camera, not yet opened: nothing is resolved, connected or read before `__enter__`.

    Typical use, in a thread of the camera's own:

        with open_camera(desired, clock=clock, access=access) as source:
            for tick in source.ticks():    # one per interval_s, on time; tick.frame is None while the camera is away
                ...
        # from another thread: source.close() ends the loop; source.status for CameraState

    Addresses by kind: `network` rtsp(s):// or http(s)://; `usb` a device number; `video` a file and `folder` a folder,
    both below `media_root` and played in real time, once, or for ever with `#loop` behind the path; `synthetic` a seed,
    with `#WIDTHxHEIGHT` behind it where wanted, such as `7#1280x720`.

    Its frames have the camera's privacy masks painted already, and no side longer than `max_side_px`: nobody behind
    this function sees another picture.

    Raises:
        AddressRefused: the address is not one this device lets a camera of its kind have (an EdgeError; its text is
            fit for logs and reports).
    """
    access = access or CameraAccess()
    prepare = preparation(camera.masks, max_side_px=max_side_px)
    match camera.kind:
        case SourceKind.NETWORK:
            return _live(_network_device(camera, access), camera, clock, prepare)
        case SourceKind.USB:
            if not _USB_NUMBER.fullmatch(camera.address):
                raise AddressRefused("expected the number of a USB camera, such as 0")
            return _live(UsbDevice(int(camera.address)), camera, clock, prepare)
        case SourceKind.VIDEO | SourceKind.FOLDER:
            footage, loop = _recording(camera, access.media_root), camera.address.endswith(_LOOP)
            return PacedSource(footage, interval_s=camera.interval_s, clock=clock, loop=loop, prepare=prepare)
        case SourceKind.SYNTHETIC:
            footage = _scenes(camera.address).pictures
            return PacedSource(footage, interval_s=camera.interval_s, clock=clock, prepare=prepare)


def _live(device: Device, camera: DesiredCamera, clock: Clock, prepare: Prepare) -> LiveSource:
    return LiveSource(device, name=camera.camera_id, interval_s=camera.interval_s, clock=clock, prepare=prepare)


def _network_device(camera: DesiredCamera, access: CameraAccess) -> RtspDevice | HttpDevice:
    address = parse_address(camera.address)
    pinned = PinnedCamera(address, access.allowed, ca_file=access.ca_file, resolve=access.resolve)
    credential = access.credentials.get(camera.camera_id)
    if address.scheme in {"rtsp", "rtsps"}:
        return RtspDevice(pinned, credential)
    return HttpDevice(pinned, credential)


def _recording(camera: DesiredCamera, root: Path | None) -> Footage:
    path = _path_below(root, camera.address.removesuffix(_LOOP))

    def footage() -> AbstractContextManager[Pictures]:
        return _pictures_of(path, camera.interval_s)

    return footage


def _path_below(root: Path | None, text: str) -> Path:
    """Return the path; links count by what they lead to."""
    if root is None:
        raise AddressRefused("recorded footage is refused: this device names no media folder")
    folder = root.resolve()
    try:
        path = (folder / text).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a null character, a circle of links
        raise AddressRefused("expected the path of a video or a folder of stills") from error
    if not path.is_relative_to(folder):
        raise AddressRefused("expected a path below this device's media folder")
    return path


@contextmanager
def _pictures_of(path: Path, every_s: float) -> Iterator[Pictures]:
    with open_source(path, start=_EPOCH, every_s=every_s) as recording:
        yield ((frame.sequence, frame.image) for frame in recording)


def _scenes(address: str) -> SyntheticScenes:
    match = _SCENES.fullmatch(address)
    if not match:
        raise AddressRefused("expected a seed, or a seed and a size such as 7#1280x720")
    seed, width, height = match.groups()
    return SyntheticScenes(int(seed), int(width), int(height)) if width else SyntheticScenes(int(seed))
