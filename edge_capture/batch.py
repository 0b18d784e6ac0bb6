"""From frames to signed batches: a still is encoded once, a batch closes on size, age or the end of the day."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

import cv2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.errors import EncodeFailed
from edge_capture.filter import StillFilter
from edge_capture.source import Frame
from footfall_assets.contracts.batch import BatchManifest, ImageEntry, pack_batch
from footfall_assets.contracts.ids import batch_id, image_id, sha256_hex
from footfall_assets.domain.calendar import business_day


@dataclass(frozen=True)
class CameraProfile:
    """What a batch has to say of its camera; `timezone` (IANA) cuts the business day."""

    device_id: str
    location_id: str
    camera_id: str
    timezone: str
    interval_s: float
    boot_id: UUID
    zones: tuple[str, ...] = ()


@dataclass(frozen=True)
class BatchLimits:
    """When a batch closes."""

    stills: int = 200
    size_bytes: int = 32 * 1024**2
    age_s: float = 900.0
    jpeg_quality: int = 90  # percent; above it the file grows faster than a face gets clearer


@dataclass(frozen=True)
class Still:
    """An encoded frame."""

    entry: ImageEntry
    jpeg: bytes


@dataclass(frozen=True)
class PackedBatch:
    """A closed batch, ready to be handed over."""

    manifest: BatchManifest
    data: bytes


def encode_still(frame: Frame, camera_id: str, *, jpeg_quality: int) -> Still:
    """Return the frame as a JPEG without metadata, with its id.

    Raises:
        EncodeFailed: OpenCV could not encode it.
    """
    ok, buffer = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])
    if not ok:
        raise EncodeFailed(f"camera {camera_id}: still at {frame.captured_at} could not be encoded as JPEG")
    jpeg = buffer.tobytes()
    digest = sha256_hex(jpeg)
    height, width = frame.image.shape[:2]
    entry = ImageEntry(
        image_id=image_id(camera_id, frame.captured_at, digest),
        captured_at=frame.captured_at,
        size_bytes=len(jpeg),
        sha256=digest,
        width=width,
        height=height,
    )
    return Still(entry, jpeg)


@dataclass
class _OpenBatch:
    day: date
    opened_at: datetime
    first_tick: int
    last_tick: int
    last_at: datetime
    captured: int = 0
    stills: list[Still] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return sum(len(still.jpeg) for still in self.stills)


class Batcher:
    """Collects the frames of one camera into batches of one business day each.

    A batch without stills is sent as well: that the camera was awake and saw nobody is information.
    """

    def __init__(
        self, profile: CameraProfile, still_filter: StillFilter, key: Ed25519PrivateKey, limits: BatchLimits
    ) -> None:
        self._profile = profile
        self._filter = still_filter
        self._key = key
        self._limits = limits
        self._open: _OpenBatch | None = None
        self._sequence = 0

    def add(self, frame: Frame, still: Still | None) -> PackedBatch | None:
        """Take one frame and its still (None when the filter rejected it); return a batch where that closed one."""
        day = business_day(frame.captured_at, self._profile.timezone)
        closed = self.close() if self._must_close(frame, day) else None
        batch = self._open or _OpenBatch(day, frame.captured_at, frame.sequence, frame.sequence, frame.captured_at)
        batch.last_tick, batch.last_at = frame.sequence, frame.captured_at
        batch.captured += 1
        if still is not None:
            batch.stills.append(still)
        self._open = batch
        return closed

    def _must_close(self, frame: Frame, day: date) -> bool:
        batch = self._open
        return batch is not None and (
            day != batch.day
            or len(batch.stills) >= self._limits.stills
            or batch.size_bytes >= self._limits.size_bytes
            or (frame.captured_at - batch.opened_at).total_seconds() >= self._limits.age_s
        )

    def close(self) -> PackedBatch | None:
        """Return the open batch, signed, or None where no frame came since the last."""
        batch, self._open = self._open, None
        if batch is None:
            return None
        self._sequence += 1
        entries = tuple(still.entry for still in batch.stills)
        manifest = BatchManifest(
            batch_id=batch_id(self._profile.camera_id, batch.opened_at, tuple(entry.image_id for entry in entries)),
            device_id=self._profile.device_id,
            location_id=self._profile.location_id,
            camera_id=self._profile.camera_id,
            day=batch.day,
            sequence=self._sequence,
            boot_id=self._profile.boot_id,
            filter=self._filter.mode,
            filter_model=self._filter.model,
            interval_s=self._profile.interval_s,
            zones=self._profile.zones,
            opened_at=batch.opened_at,
            closed_at=batch.last_at,
            frames_expected=batch.last_tick - batch.first_tick + 1,
            frames_captured=batch.captured,
            frames_kept=len(entries),
            images=entries,
        )
        return PackedBatch(manifest, pack_batch(manifest, [still.jpeg for still in batch.stills], self._key))


def capture_batches(
    frames: Iterable[Frame],
    profile: CameraProfile,
    still_filter: StillFilter,
    key: Ed25519PrivateKey,
    *,
    limits: BatchLimits | None = None,
    observe: Callable[[Frame, Still, bool], None] | None = None,
) -> Iterator[PackedBatch]:
    """Yield the batches of a stream of frames in time order; `observe` sees every still and whether it was kept."""
    limits = limits or BatchLimits()
    batcher = Batcher(profile, still_filter, key, limits)
    for frame in frames:
        kept = still_filter.keep(frame.image)
        still = None
        if kept or observe:
            still = encode_still(frame, profile.camera_id, jpeg_quality=limits.jpeg_quality)
        if observe and still:
            observe(frame, still, kept)
        closed = batcher.add(frame, still if kept else None)
        if closed:
            yield closed
    last = batcher.close()
    if last:
        yield last
