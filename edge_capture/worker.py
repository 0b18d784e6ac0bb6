"""One camera's thread: ticks in, batches in the spool out."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread
from typing import Final

import cv2
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.batch import Batcher, BatchLimits, CameraProfile, Dating, PackedBatch, Still, encode_still
from edge_capture.clock import SteadyClock
from edge_capture.errors import EdgeError, EncodeFailed, SpoolFull, SpoolUnwritable
from edge_capture.filter import StillFilter, Verdict
from edge_capture.masks import only_near
from edge_capture.source import Frame, FrameSource, Tick
from edge_capture.spool import BatchFacts, LossReason, Spool
from footfall_assets.contracts.batch import landing_key
from footfall_assets.contracts.fleet import CameraState, DesiredCamera
from footfall_assets.contracts.ids import sha256_hex
from models.errors import ModelError

_RETRY_S: Final = 5.0  # a camera that could not be opened at all; sources have their own backoff for one that went away
_JOIN_S: Final = 10.0
_MOST_ERROR_CHARACTERS: Final = 400  # what a CameraState takes
log = structlog.get_logger("edge_capture.camera")


@dataclass(frozen=True)
class CameraParts:
    """What a worker is given."""

    open_source: Callable[[DesiredCamera], FrameSource]
    load_filter: Callable[[DesiredCamera], StillFilter]
    spool: Spool
    clock: SteadyClock
    key: Ed25519PrivateKey
    wake_uploader: Callable[[], None]


def facts_of(batch: PackedBatch) -> BatchFacts:
    """Return what the spool has to know of a batch."""
    manifest = batch.manifest
    return BatchFacts(
        key=landing_key(manifest),
        camera_id=manifest.camera_id,
        sequence=manifest.sequence,
        stills=manifest.frames_kept,
        first_at=manifest.opened_at,
        last_at=manifest.closed_at,
        epoch=batch.epoch,
        sha256=sha256_hex(batch.data),
    )


class CameraWorker:
    """Captures one camera until it is stopped; a camera that fails is tried again for ever.

    While the disk takes nothing, one closed and one open batch are held in memory; frames beyond that are counted as
    dropped.
    """

    def __init__(self, camera: DesiredCamera, profile: CameraProfile, parts: CameraParts, limits: BatchLimits) -> None:
        self.camera = camera
        self.profile = profile
        self._parts = parts
        self._limits = limits
        self._stopping = Event()
        self._lock = Lock()
        self._source: FrameSource | None = None
        self._batcher: Batcher | None = None
        self._pending: PackedBatch | None = None
        self._kept = self._lost = self._captured_before = self._expected_before = self._dropped_before = 0
        self._reconnects_before = 0
        self._error: str | None = None
        self.has_worked = False  # it gave a picture, and its filter judged it
        self.has_ended = False  # a recording that is over
        self._thread = Thread(target=self._run, name=f"camera-{camera.camera_id}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End it and put what it has into the spool; returns within about ten seconds."""
        self._stopping.set()
        source = self._source
        if source is not None:
            source.close()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        with self._lock:
            self._finish()

    @property
    def is_alive(self) -> bool:
        """Whether its thread does its work, or has come to its end as it should."""
        return self._thread.is_alive() or self.has_ended or self._stopping.is_set()

    def limit(self, limits: BatchLimits) -> None:
        """Use other limits from now on."""
        with self._lock:
            self._limits = limits
            if self._batcher:
                self._batcher.limit(limits)

    def attend(self) -> None:
        """Do what is due although no tick came: close an old batch, try a batch again that the disk refused."""
        if not self._lock.acquire(blocking=False):
            return  # a tick is being worked on, and does the same
        try:
            if self._batcher and self._stored_pending():
                self._store(self._batcher.age(self._parts.clock.now()))
        except SpoolUnwritable as error:
            self._error = _short(error)
        finally:
            self._lock.release()

    def state(self) -> CameraState:
        """Return how the camera is doing."""
        source = self._source
        status = source.status if source else None
        return CameraState(
            camera_id=self.camera.camera_id,
            connected=bool(status and status.connected),
            last_frame_at=status.last_frame_at if status else None,
            frames_expected=self._expected_before + (status.frames_expected if status else 0),
            frames_captured=self._captured_before + (status.frames_captured if status else 0),
            frames_kept=self._kept,
            frames_dropped=self._dropped_before + self._lost + (status.frames_dropped if status else 0),
            reconnects=self._reconnects_before + (status.reconnects if status else 0),
            error=(status.error if status and status.error else self._error),
        )

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                still_filter = self._parts.load_filter(self.camera)
                with self._parts.open_source(self.camera) as source:
                    self._source = source
                    if self._stopping.is_set():  # `stop` may have looked a moment before there was a source
                        return
                    self._capture(source, still_filter)
                if not self._stopping.is_set():
                    self.has_ended = True
                    with self._lock:
                        self._finish()
                    return
            except (EdgeError, ModelError, OSError) as error:
                self._failed(error)
            except Exception as error:
                log.exception("camera thread failed", camera=self.camera.camera_id)
                self._failed(error)
            self._parts.clock.wait(_RETRY_S, self._stopping)

    def _failed(self, error: Exception) -> None:
        self._error = _short(error)
        source, self._source = self._source, None
        if source is not None:
            self._expected_before += source.status.frames_expected
            self._captured_before += source.status.frames_captured
            self._dropped_before += source.status.frames_dropped
            self._reconnects_before += source.status.reconnects
        log.warning("camera failed", camera=self.camera.camera_id, error=self._error, retry_in_s=_RETRY_S)

    def _capture(self, source: FrameSource, still_filter: StillFilter) -> None:
        with self._lock:
            if self._batcher is None:
                self._batcher = self._new_batcher(still_filter)
            else:
                self._batcher.restart(self._parts.clock.now())
            batcher = self._batcher
        for tick in source.ticks():
            with self._lock:
                if self._stopping.is_set():
                    return
                self._take(batcher, still_filter, tick)

    def _new_batcher(self, still_filter: StillFilter) -> Batcher:
        clock, camera_id = self._parts.clock, self.camera.camera_id
        return Batcher(
            self.profile,
            still_filter,
            self._parts.key,
            self._limits,
            next_sequence=lambda: self._parts.spool.reserve(camera_id),
            dating=lambda: Dating(clock.epoch, clock.monotonic(), clock.fault),
        )

    def _take(self, batcher: Batcher, still_filter: StillFilter, tick: Tick) -> None:
        moment = tick.frame.captured_at if tick.frame else self._parts.clock.now()
        if not self._stored_pending() and batcher.closes_at(moment):
            self._lost += tick.frame is not None
            return
        try:
            self._store(self._batch_tick(batcher, still_filter, tick))
        except SpoolUnwritable as error:
            self._error = _short(error)
            self._lost += tick.frame is not None

    def _batch_tick(self, batcher: Batcher, still_filter: StillFilter, tick: Tick) -> PackedBatch | None:
        if tick.frame is None:
            return batcher.miss(tick.sequence, self._parts.clock.now())
        try:
            verdict = still_filter.judge(tick.frame.image)
            still = None
            if verdict.keep:
                looked = still_filter.model is not None
                frame = self._shown(tick.frame, verdict) if looked else tick.frame
                still = self._encoded(frame, verdict.zones if looked else None)
        except (EncodeFailed, ModelError, cv2.error, ValueError, RuntimeError) as error:
            self._error = _short(error)
            return batcher.miss(tick.sequence, tick.frame.captured_at)
        closed = batcher.add(tick.frame, still)
        self._kept += still is not None
        self.has_worked, self._error = True, None
        return closed

    def _shown(self, frame: Frame, verdict: Verdict) -> Frame:
        """Return the frame, without what is far from everybody where that may not leave the store."""
        return replace(frame, image=only_near(frame.image, verdict.boxes)) if self._limits.people_only else frame

    def _encoded(self, frame: Frame, zones: tuple[str, ...] | None) -> Still:
        return encode_still(frame, self.camera.camera_id, jpeg_quality=self._limits.jpeg_quality, zones=zones)

    def _stored_pending(self) -> bool:
        """Try the batch that the disk refused again; return whether there is none any more."""
        batch, self._pending = self._pending, None
        self._store(batch)
        return self._pending is None

    def _store(self, batch: PackedBatch | None) -> None:
        if batch is None:
            return
        try:
            self._parts.spool.put(facts_of(batch), batch.data)
        except SpoolFull as error:  # counted by the spool
            log.warning("batch refused", camera=self.camera.camera_id, error=str(error))
        except SpoolUnwritable as error:
            self._pending, self._error = batch, _short(error)
        else:
            self._parts.wake_uploader()

    def _finish(self) -> None:
        """Close and store what is open; with a disk that takes nothing it is lost, and was never acknowledged."""
        batcher, self._batcher = self._batcher, None
        if not self._stored_pending():
            self._give_up()
        try:
            self._store(batcher.close() if batcher else None)
        except SpoolUnwritable as error:
            log.error("last batch lost", camera=self.camera.camera_id, error=str(error))  # noqa: TRY400 - no trace wanted
        self._give_up()

    def _give_up(self) -> None:
        batch, self._pending = self._pending, None
        if batch is None:
            return
        log.error("batch lost, the disk took nothing", camera=self.camera.camera_id, sequence=batch.manifest.sequence)
        with suppress(SpoolUnwritable):
            self._parts.spool.lose(facts_of(batch), LossReason.UNWRITABLE)


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:_MOST_ERROR_CHARACTERS]
