"""The agent: a thread per camera, one that sends, one that talks to the fleet, and a loop that looks after them all.

camera threads ─► spool ─► uploader ─► lake
                            fleet thread: newer configuration in, report out
main loop: clock, ages of batches, trial of a new configuration, watchdog
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.batch import BatchLimits, CameraProfile
from edge_capture.clock import SteadyClock
from edge_capture.configuration import ConfigurationState
from edge_capture.errors import SpoolError
from edge_capture.filter import StillFilter
from edge_capture.fleet_link import FleetLink
from edge_capture.service import notify
from edge_capture.source import FrameSource
from edge_capture.spool import Spool, SpoolCaps
from edge_capture.status import AgentStatus, spans
from edge_capture.upload import Uploader
from edge_capture.worker import CameraParts, CameraWorker
from footfall_assets.contracts.fleet import DesiredCamera, DesiredConfiguration, DeviceReport, Limits
from footfall_assets.storage.lake import LakeStore

LOOP_S: Final = 1.0
CLOCK_EVERY_S: Final = 60.0
JOIN_S: Final = 15.0
log = structlog.get_logger("edge_capture.agent")


def agent_version() -> str:
    """Return the version of the installed package."""
    try:
        return version("footfall")
    except PackageNotFoundError:
        return "unknown"


def batch_limits(limits: Limits) -> BatchLimits:
    """Return when batches close."""
    return BatchLimits(
        limits.batch_stills, limits.batch_bytes, limits.batch_age_s, limits.jpeg_quality, limits.people_only
    )


def spool_caps(limits: Limits) -> SpoolCaps:
    """Return how much the spool may hold."""
    return SpoolCaps(limits.spool_bytes, limits.spool_items, limits.when_full)


@dataclass(frozen=True)
class AgentParts:
    """What an agent is made of; tests put in other clocks, sources and lakes."""

    configuration: ConfigurationState
    device_id: str
    key: Ed25519PrivateKey
    spool: Spool
    lake: LakeStore
    clock: SteadyClock
    open_source: Callable[[DesiredCamera], FrameSource]
    load_filter: Callable[[DesiredCamera], StillFilter]
    provide_models: Callable[[DesiredConfiguration], object]
    trial_s: float = 60.0
    poll_s: float = 30.0
    on_status: Callable[[AgentStatus], None] = field(default=lambda _: None)


class Agent:
    """Runs what the fleet asks for until it is stopped."""

    def __init__(self, parts: AgentParts) -> None:
        self._parts = parts
        self._workers: dict[str, CameraWorker] = {}
        self._wake = Event()
        self._stopping = Event()
        self._inbox: SimpleQueue[DesiredConfiguration] = SimpleQueue()
        self._trial_ends_s = 0.0
        self._on_probation: frozenset[str] = frozenset()
        self._spool_error: str | None = None
        self._clock_kept_s = float("-inf")
        self.uploader = Uploader(parts.spool, parts.lake, parts.clock, parts.key)
        self._fleet = FleetLink(
            parts.configuration,
            parts.lake,
            parts.key,
            parts.clock,
            provide_models=parts.provide_models,
            deliver=self._inbox.put,
            report=lambda: self.status().report,
            poll_s=parts.poll_s,
            give_up_s=parts.trial_s,
        )

    def run(self, stop: Event) -> None:
        """Work until `stop` is set, then close and spool what is open."""
        threads = [
            Thread(target=self._send, name="uploader", daemon=True),
            Thread(target=self._fleet.run, args=(self._stopping,), name="fleet", daemon=True),
        ]
        in_force = self._parts.configuration.in_force
        if in_force is not None:
            self._apply(in_force)
        for thread in threads:
            thread.start()
        notify("READY=1")
        log.info("agent started", device=self._parts.device_id, revision=in_force.revision if in_force else 0)
        try:
            while not self._parts.clock.wait(LOOP_S, stop):
                self._look_after()
                if all(thread.is_alive() for thread in threads) and all(w.is_alive for w in self._workers.values()):
                    notify("WATCHDOG=1")
        finally:
            self._shut_down(threads)

    def _look_after(self) -> None:
        parts = self._parts
        parts.clock.check()
        for worker in self._workers.values():
            worker.attend()
        self._judge_trial()
        with suppress(Empty):
            self._try(self._inbox.get_nowait())
        try:
            if parts.clock.monotonic() - self._clock_kept_s >= CLOCK_EVERY_S:
                parts.spool.keep_clock(parts.clock.record())
                self._clock_kept_s = parts.clock.monotonic()
            self._spool_error = None
            parts.on_status(self.status())
        except (SpoolError, OSError) as error:
            self._spool_error = str(error)
            log.error("state folder unwritable", error=str(error))  # noqa: TRY400 - the trace says nothing more

    def _shut_down(self, threads: list[Thread]) -> None:
        notify("STOPPING=1")
        log.info("agent stopping")
        self._stopping.set()
        self._wake.set()
        for worker in self._workers.values():
            worker.stop()
        for thread in threads:
            thread.join(JOIN_S)
        with suppress(SpoolError, OSError):
            self._parts.spool.keep_clock(self._parts.clock.record())
            self._parts.on_status(self.status())
        self._parts.spool.close()
        log.info("agent stopped")

    def _send(self) -> None:
        while not self._stopping.is_set():
            try:
                step = self.uploader.step()
                wait_s = step.wait_s
            except Exception:
                log.exception("uploader failed")
                wait_s = 5.0
            if wait_s > 0 and not self._stopping.is_set():
                self._parts.clock.wait(wait_s, self._wake)
                self._wake.clear()

    def _try(self, desired: DesiredConfiguration) -> None:
        """Put a newer configuration in force and watch it."""
        self._parts.configuration.accept(desired)
        log.info("configuration on trial", revision=desired.revision)
        self._apply(desired)

    def _apply(self, desired: DesiredConfiguration) -> None:
        """Bring the cameras to what is desired; those that do not change are not touched."""
        limits = batch_limits(desired.limits)
        wanted = {camera.camera_id: (camera, self._profile(desired, camera)) for camera in desired.cameras}
        for camera_id, worker in list(self._workers.items()):
            if wanted.get(camera_id) != (worker.camera, worker.profile):
                worker.stop()
                del self._workers[camera_id]
        self._parts.spool.limit(spool_caps(desired.limits))
        self.uploader.limit(desired.limits.upload_bytes_per_s)
        for worker in self._workers.values():
            worker.limit(limits)
        new = wanted.keys() - self._workers.keys()
        parts = CameraParts(
            self._parts.open_source,
            self._parts.load_filter,
            self._parts.spool,
            self._parts.clock,
            self._parts.key,
            self._wake.set,
        )
        for camera_id in sorted(new):
            camera, profile = wanted[camera_id]
            self._workers[camera_id] = CameraWorker(camera, profile, parts, limits)
            self._workers[camera_id].start()
        self._on_probation = frozenset(new) if self._parts.configuration.is_on_trial else frozenset()
        self._trial_ends_s = self._parts.clock.monotonic() + self._parts.trial_s

    def _profile(self, desired: DesiredConfiguration, camera: DesiredCamera) -> CameraProfile:
        return CameraProfile(
            device_id=self._parts.device_id,
            location_id=desired.location_id,
            camera_id=camera.camera_id,
            timezone=desired.timezone,
            interval_s=camera.interval_s,
            boot_id=self._parts.clock.boot_id,
            zones=tuple(zone.name for zone in camera.zones),
        )

    def _judge_trial(self) -> None:
        """Keep a configuration whose cameras all work; give it back where some do not in time."""
        if not self._parts.configuration.is_on_trial:
            return
        waiting = [each for each in sorted(self._on_probation) if not self._workers[each].has_worked]
        if not waiting:
            self._parts.configuration.commit()
            log.info("configuration in force", revision=self._revision())
        elif self._parts.clock.monotonic() >= self._trial_ends_s:
            reasons = [f"camera {each}: {self._workers[each].state().error or 'no picture'}" for each in waiting]
            reason = "; ".join(reasons)
            last_good = self._parts.configuration.rollback(reason)
            log.error("configuration rolled back", reason=reason, revision=last_good.revision if last_good else 0)
            if last_good is not None:
                self._apply(last_good)
            else:
                self._drop_cameras()

    def _drop_cameras(self) -> None:
        for worker in self._workers.values():
            worker.stop()
        self._workers = {}

    def _revision(self) -> int:
        in_force = self._parts.configuration.in_force
        return in_force.revision if in_force else 0

    def status(self) -> AgentStatus:
        """Return how everything is; from any thread."""
        parts, upload = self._parts, self.uploader.state
        spool = parts.spool.status()
        counted = spool.counters
        report = DeviceReport(
            device_id=parts.device_id,
            reported_at=parts.clock.now(),
            agent_version=agent_version(),
            boot_id=str(parts.clock.boot_id),
            revision=self._revision(),
            refused_revision=parts.configuration.refused_revision,
            refused_reason=parts.configuration.refused_reason,
            cameras=tuple(worker.state() for _, worker in sorted(self._workers.items())),
            spool_items=spool.items,
            spool_bytes=spool.size_bytes,
            oldest_item_at=spool.oldest_at,
            dropped_items=counted["dropped_items"],
            dropped_stills=counted["dropped_stills"],
            quarantined_items=counted["quarantined_items"],
            uploaded_items=counted["uploaded_items"],
            uploaded_bytes=counted["uploaded_bytes"],
            upload_failures=upload.counts.failures,
            clock_skew_s=upload.clock_skew_s,
        )
        return AgentStatus(
            report=report,
            on_trial=parts.configuration.is_on_trial,
            connected=upload.connected,
            refused=upload.refused,
            upload_error=upload.error,
            spool_error=self._spool_error,
            clock_fault=parts.clock.fault,
            losses=spans(parts.spool.losses()),
        )
