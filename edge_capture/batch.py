"""From frames to signed batches: a still is encoded once, a batch closes on size, age, a new day or a new clock."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, partial
from typing import Final
from uuid import UUID

import cv2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.errors import EncodeFailed, SpoolUnwritable
from edge_capture.filter import StillFilter
from edge_capture.source import Frame
from footfall_assets.contracts.batch import BatchManifest, ClockFault, ImageEntry, pack_batch
from footfall_assets.contracts.ids import batch_id, image_id, sha256_hex
from footfall_assets.domain.calendar import business_day

NO_EPOCH: Final = UUID(int=0)  # of recorded footage, dated by whoever recorded it


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
    people_only: bool = False  # grey out all but what the filter found


@dataclass(frozen=True)
class Still:
    """An encoded frame."""

    entry: ImageEntry
    jpeg: bytes


# A frame, what gives its still (encoded when it is asked for), and whether the filter kept it.
Observe = Callable[[Frame, Callable[[], Still], bool], None]


@dataclass(frozen=True)
class PackedBatch:
    """A closed batch, ready to be handed over."""

    manifest: BatchManifest
    data: bytes
    epoch: UUID = NO_EPOCH  # timeline of the clock that dated it


def encode_still(frame: Frame, camera_id: str, *, jpeg_quality: int, zones: tuple[str, ...] | None = None) -> Still:
    """Return the frame as a JPEG without metadata, with its id; `zones` are those in which the filter saw somebody.

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
        zones=zones,
    )
    return Still(entry, jpeg)


@dataclass(frozen=True)
class Dating:
    """How sure the times of a batch are; a batch has one."""

    epoch: UUID  # timeline of the clock
    monotonic_s: float | None = None  # since boot
    fault: ClockFault | None = None


UNDOUBTED: Final = Dating(NO_EPOCH)


@dataclass
class _OpenBatch:
    day: date
    opened_at: datetime
    last_at: datetime
    dating: Dating
    sequence: int | None = None
    expected: int = 0
    captured: int = 0
    stills: list[Still] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return sum(len(still.jpeg) for still in self.stills)


class Batcher:
    """Collects the ticks of one camera into batches of one business day and one state of the clock each.

    A batch without stills is sent as well: that the camera was awake and saw nobody, or was silent, is information.
    Not safe for threads.
    """

    def __init__(
        self,
        profile: CameraProfile,
        still_filter: StillFilter,
        key: Ed25519PrivateKey,
        limits: BatchLimits,
        *,
        next_sequence: Callable[[], int] | None = None,
        dating: Callable[[], Dating] = lambda: UNDOUBTED,
    ) -> None:
        """Make one without an open batch; `next_sequence` must never give a number twice and may refuse for now."""
        self._profile = profile
        self._filter = still_filter
        self._key = key
        self._limits = limits
        self._next_sequence = next_sequence or itertools.count(1).__next__
        self._dating = dating
        self._open: _OpenBatch | None = None
        self._due: int | None = None  # last tick that is accounted for
        self._first = 0  # what the present source's tick 0 counts as
        self._due_at: datetime | None = None

    def limit(self, limits: BatchLimits) -> None:
        """Use other limits from now on."""
        self._limits = limits

    def restart(self, moment: datetime) -> None:
        """Take what comes as another source's ticks, from 0 again; those that passed in between were due all the same.

        `moment` is the time of its tick 0.
        """
        if self._due is None or self._due_at is None:
            return
        passed = round((moment - self._due_at).total_seconds() / self._profile.interval_s)
        self._first = self._due + max(passed, 1)

    def add(self, frame: Frame, still: Still | None) -> PackedBatch | None:
        """Take one frame and its still (None when the filter rejected it); return a batch where that closed one.

        Raises:
            SpoolUnwritable: a batch has to be closed and gets no number now; the frame was not taken.
        """
        batch, closed = self._tick(frame.sequence, frame.captured_at)
        batch.captured += 1
        batch.expected = max(batch.expected, batch.captured)
        if still is not None:
            batch.stills.append(still)
        return closed

    def miss(self, sequence: int, moment: datetime) -> PackedBatch | None:
        """Take a tick that was due at `moment` and brought no frame (same errors)."""
        last = self._open.last_at if self._open else moment
        return self._tick(sequence, max(moment, last))[1]

    def age(self, moment: datetime) -> PackedBatch | None:
        """Close the open batch where it is old enough, though nothing came (same errors)."""
        batch = self._open
        if batch is None or (moment - batch.opened_at).total_seconds() < self._limits.age_s:
            return None
        return self.close()

    def closes_at(self, moment: datetime) -> bool:
        """Return whether a tick at `moment` would close the open batch."""
        return self._must_close(moment, business_day(moment, self._profile.timezone), self._dating())

    def _tick(self, sequence: int, moment: datetime) -> tuple[_OpenBatch, PackedBatch | None]:
        day, dating = business_day(moment, self._profile.timezone), self._dating()
        closed = self.close() if self._must_close(moment, day, dating) else None
        batch = self._open
        if batch is None:
            batch = self._open = _OpenBatch(day, moment, moment, dating)
            with suppress(SpoolUnwritable):  # it gets its number when it closes
                batch.sequence = self._next_sequence()
        tick = self._first + sequence
        batch.expected += 1 if self._due is None else max(tick - self._due, 0)
        self._due = tick if self._due is None else max(tick, self._due)
        self._due_at = batch.last_at = max(batch.last_at, moment)
        batch.opened_at = min(batch.opened_at, moment)  # a camera's frame is a little older than its tick
        return batch, closed

    def _must_close(self, moment: datetime, day: date, dating: Dating) -> bool:
        batch = self._open
        return batch is not None and (
            day != batch.day
            or (dating.epoch, dating.fault) != (batch.dating.epoch, batch.dating.fault)
            or len(batch.stills) >= self._limits.stills
            or batch.size_bytes >= self._limits.size_bytes
            or (moment - batch.opened_at).total_seconds() >= self._limits.age_s
        )

    def close(self) -> PackedBatch | None:
        """Return the open batch, signed, or None where nothing came since the last.

        Raises:
            SpoolUnwritable: it gets no number now; it stays open.
        """
        batch = self._open
        if batch is None:
            return None
        if batch.sequence is None:
            batch.sequence = self._next_sequence()
        self._open = None
        return self._pack(batch, batch.sequence)

    def _pack(self, batch: _OpenBatch, sequence: int) -> PackedBatch:
        entries = tuple(still.entry for still in batch.stills)
        manifest = BatchManifest(
            batch_id=batch_id(self._profile.camera_id, batch.opened_at, tuple(entry.image_id for entry in entries)),
            device_id=self._profile.device_id,
            location_id=self._profile.location_id,
            camera_id=self._profile.camera_id,
            day=batch.day,
            sequence=sequence,
            boot_id=self._profile.boot_id,
            monotonic_s=batch.dating.monotonic_s,
            clock_fault=batch.dating.fault,
            filter=self._filter.mode,
            filter_model=self._filter.model,
            interval_s=self._profile.interval_s,
            zones=self._profile.zones,
            opened_at=batch.opened_at,
            closed_at=batch.last_at,
            frames_expected=batch.expected,
            frames_captured=batch.captured,
            frames_kept=len(entries),
            images=entries,
        )
        data = pack_batch(manifest, [still.jpeg for still in batch.stills], self._key)
        return PackedBatch(manifest, data, batch.dating.epoch)


def capture_batches(
    frames: Iterable[Frame],
    profile: CameraProfile,
    still_filter: StillFilter,
    key: Ed25519PrivateKey,
    *,
    limits: BatchLimits | None = None,
    observe: Observe | None = None,
) -> Iterator[PackedBatch]:
    """Yield the batches of a stream of frames in time order; `observe` sees every frame and whether it was kept."""
    limits = limits or BatchLimits()
    batcher = Batcher(profile, still_filter, key, limits)
    for frame in frames:
        kept = still_filter.keep(frame.image)
        encoded = cache(partial(encode_still, frame, profile.camera_id, jpeg_quality=limits.jpeg_quality))
        if observe:
            observe(frame, encoded, kept)
        closed = batcher.add(frame, encoded() if kept else None)
        if closed:
            yield closed
    last = batcher.close()
    if last:
        yield last
