"""Sending: oldest first, again and again, never faster than the link or the limit allows, and never giving up.

One step sends at most one batch. Its outcome says what to wait for:

    sent, set aside        go on at once
    idle                   nothing to do
    limited                the bandwidth limit has to recover
    failed                 the lake, the link or the batch: wait with backoff and jitter
    refused                the lake does not let us (401, 403): somebody has to mend it; asked again slowly
"""

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.clock import Clock, SteadyClock
from edge_capture.errors import DamagedItem, KeyMissing, SpoolUnwritable
from edge_capture.spool import Spool, SpoolItem
from footfall_assets.contracts.batch import ClockFault, pack_batch, unpack_batch
from footfall_assets.contracts.errors import FootfallError, InvalidBatch, PermanentFailure, TransientFailure
from footfall_assets.contracts.settings import IntakeLimits
from footfall_assets.storage.lake import AccessRefused, LakeStore

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 300.0
PROBE_EVERY_S: Final = 5.0  # whether the lake is there again: a link that returns is used within this
REFUSED_PAUSE_S: Final = 300.0
CONFIRM_EVERY_S: Final = 60.0  # comparing clocks with the lake
_SHORTEST_WAIT_S: Final = 0.001  # what rounding leaves of a debt that is paid is none
_MOST_DOUBLINGS: Final = 32  # 2^32 s is far above the longest pause; more would only make large numbers
log = structlog.get_logger("edge_capture.upload")


class Outcome(StrEnum):
    """What a step did."""

    SENT = "sent"
    SET_ASIDE = "set_aside"
    IDLE = "idle"
    LIMITED = "limited"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True)
class Step:
    """One step's outcome, and how long to wait before the next."""

    outcome: Outcome
    wait_s: float = 0.0
    item: SpoolItem | None = None


@dataclass
class Backoff:
    """Exponential pauses with full jitter (uniform from 0 to the bound), so that devices do not come back at once."""

    chance: random.Random
    failures: int = 0

    def next_s(self) -> float:
        """Return the next pause."""
        bound = min(FIRST_PAUSE_S * 2.0 ** min(self.failures, _MOST_DOUBLINGS), LONGEST_PAUSE_S)
        self.failures += 1
        return self.chance.uniform(0.0, bound)


class Bandwidth:
    """A token bucket of one second's bytes that may go into debt: a batch larger than it is paid off afterwards."""

    def __init__(self, clock: Clock, bytes_per_s: int | None) -> None:
        self._clock = clock
        self._rate = bytes_per_s
        self._tokens = float(bytes_per_s or 0)
        self._at_s = clock.monotonic()

    def limit(self, bytes_per_s: int | None) -> None:
        """Use another limit; None for none."""
        if bytes_per_s != self._rate:
            self._rate, self._tokens, self._at_s = bytes_per_s, 0.0, self._clock.monotonic()

    def wait_s(self) -> float:
        """Return how long the next byte has to wait."""
        if self._rate is None:
            return 0.0
        now_s = self._clock.monotonic()
        self._tokens = min(self._tokens + (now_s - self._at_s) * self._rate, float(self._rate))
        self._at_s = now_s
        left_s = max(-self._tokens, 0.0) / self._rate
        return left_s if left_s > _SHORTEST_WAIT_S else 0.0

    def spend(self, size_bytes: int) -> None:
        """Count what was sent, whether it arrived or not."""
        self._tokens -= size_bytes


@dataclass
class UploadCounts:
    """Counted since the agent started."""

    sent: int = 0
    already_there: int = 0  # sent before, the reply was lost
    failures: int = 0
    flagged: int = 0  # sent with a doubt about the clock that came up after they were packed


@dataclass
class _Trouble:
    backoff: Backoff
    retry_at_s: float = 0.0


@dataclass
class UploadState:
    """What the uploader is waiting for; for reports and metrics."""

    connected: bool = True
    refused: str | None = None  # why the lake does not let us
    error: str | None = None  # the last failure
    clock_skew_s: float | None = None
    counts: UploadCounts = field(default_factory=UploadCounts)


class Uploader:
    """Sends what is in the spool to the lake. For one thread; `state` may be read from any."""

    def __init__(
        self,
        spool: Spool,
        lake: LakeStore,
        clock: SteadyClock,
        key: Ed25519PrivateKey,
        *,
        bytes_per_s: int | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._spool = spool
        self._lake = lake
        self._clock = clock
        self._key = key
        self._chance = chance or random.Random()  # noqa: S311 - spreads load, keeps no secret
        self._bandwidth = Bandwidth(clock, bytes_per_s)
        self._link = Backoff(self._chance)
        self._troubled: dict[int, _Trouble] = {}
        self._failed_in_a_row = 0  # batches, with none sent in between
        self._paused_until_s = 0.0
        self._probe_at_s = 0.0
        self._confirm_at_s = float("-inf")
        self.state = UploadState()

    def limit(self, bytes_per_s: int | None) -> None:
        """Use another bandwidth limit from the next batch on."""
        self._bandwidth.limit(bytes_per_s)

    def step(self) -> Step:
        """Send the oldest batch that may be tried now."""
        pause_s = self._pause_s()
        if pause_s > 0:
            outcome = Outcome.REFUSED if self.state.refused else Outcome.FAILED
            return Step(outcome, pause_s)
        wait_s = self._bandwidth.wait_s()
        if wait_s > 0:
            return Step(Outcome.LIMITED, wait_s)
        try:
            item = self._next_item()
            return self._send(item) if item else Step(Outcome.IDLE, self._until_retry_s())
        except SpoolUnwritable as error:
            return self._failed(error)
        finally:
            self._spool.release()

    def _pause_s(self) -> float:
        """Return how long nothing may be sent; a lake that has come back ends it."""
        now_s = self._clock.monotonic()
        left_s = self._paused_until_s - now_s
        if left_s <= 0 or self.state.connected:
            return max(left_s, 0.0)
        if now_s < self._probe_at_s:
            return min(left_s, self._probe_at_s - now_s)
        self._probe_at_s = now_s + PROBE_EVERY_S
        if not self._is_reachable():
            return min(left_s, PROBE_EVERY_S)
        self._paused_until_s, self.state.connected = now_s, True
        return 0.0

    def _is_reachable(self) -> bool:
        try:
            self._lake.server_time()
        except FootfallError:
            return False
        return True

    def _next_item(self) -> SpoolItem | None:
        now_s = self._clock.monotonic()
        return self._spool.oldest(skip=[each for each, trouble in self._troubled.items() if trouble.retry_at_s > now_s])

    def _until_retry_s(self) -> float:
        """Return when the next batch in trouble is due; a minute where none is, new ones wake the thread."""
        now_s = self._clock.monotonic()
        return max(min((each.retry_at_s for each in self._troubled.values()), default=now_s + 60.0) - now_s, 0.0)

    def _send(self, item: SpoolItem) -> Step:
        try:
            self._confirm_clock()
            data = self._bytes_of(item)
            self._bandwidth.spend(len(data))
            stored = self._lake.write_once(item.facts.key, data)
        except DamagedItem as error:
            self._spool.set_aside(item, error)
            return Step(Outcome.SET_ASIDE, item=item)
        except AccessRefused as error:
            return self._refused(error)
        except TransientFailure as error:
            return self._failed(error)
        except (PermanentFailure, KeyMissing) as error:
            return self._troubles(item, error)
        except OSError as error:  # of a lake in a folder: full, unmounted, read-only
            return self._failed(error)
        self._spool.done(item)
        self._succeeded(item, stored=stored)
        return Step(Outcome.SENT, item=item)

    def _bytes_of(self, item: SpoolItem) -> bytes:
        data = self._spool.read(item)
        fault = self._spool.doubts().get(item.facts.epoch)
        if fault is None:
            return data
        self.state.counts.flagged += 1
        return flagged(data, fault, self._key)

    def _confirm_clock(self) -> None:
        """Compare with the lake's time before sending: a batch dated wrongly is never sent without saying so."""
        now_s = self._clock.monotonic()
        if now_s < self._confirm_at_s:
            return
        lake_time = self._lake.server_time()
        self._confirm_at_s = now_s + CONFIRM_EVERY_S
        if lake_time is None:
            return
        verdict = self._clock.compare(lake_time)
        self.state.clock_skew_s = verdict.skew_s
        if verdict.wrong_epoch:
            fault = verdict.fault or (ClockFault.AHEAD if verdict.skew_s > 0 else ClockFault.BEHIND)
            self._spool.doubt(verdict.wrong_epoch, fault)
            log.error("clock was wrong", skew_s=verdict.skew_s, fault=fault)

    def _succeeded(self, item: SpoolItem, *, stored: bool) -> None:
        self._troubled.pop(item.id, None)
        self._link.failures = self._failed_in_a_row = 0
        self._paused_until_s = 0.0
        self.state.connected, self.state.refused, self.state.error = True, None, None
        self.state.counts.sent += 1
        self.state.counts.already_there += not stored

    def _failed(self, error: Exception) -> Step:
        """Pause everything: the lake or the link is at fault, not the batch."""
        self.state.connected, self.state.refused = False, None
        return self._pause(self._link.next_s(), Outcome.FAILED, error)

    def _refused(self, error: AccessRefused) -> Step:
        """Stop and say so: only a person can mend it, and each try may count against the device."""
        self.state.refused = str(error)
        return self._pause(REFUSED_PAUSE_S * self._chance.uniform(0.8, 1.0), Outcome.REFUSED, error)

    def _troubles(self, item: SpoolItem, error: Exception) -> Step:
        """Let the others pass: this batch alone is at fault, until others fail as well."""
        trouble = self._troubled.setdefault(item.id, _Trouble(Backoff(self._chance)))
        trouble.retry_at_s = self._clock.monotonic() + max(trouble.backoff.next_s(), FIRST_PAUSE_S)
        self._failed_in_a_row += 1
        pause_s = self._link.next_s() if self._failed_in_a_row > 1 else 0.0
        return self._pause(pause_s, Outcome.FAILED, error, item)

    def _pause(self, seconds: float, outcome: Outcome, error: Exception, item: SpoolItem | None = None) -> Step:
        now_s = self._clock.monotonic()
        self._paused_until_s, self._probe_at_s = now_s + seconds, now_s + PROBE_EVERY_S
        self.state.error = str(error)
        self.state.counts.failures += 1
        log.warning("upload failed", outcome=outcome, retry_in_s=round(seconds, 1), error=str(error))
        return Step(outcome, min(seconds, PROBE_EVERY_S), item)


def flagged(data: bytes, fault: ClockFault, key: Ed25519PrivateKey) -> bytes:
    """Return the batch with a doubt about its times in its manifest, signed anew.

    Raises:
        DamagedItem: it is no batch.
    """
    try:
        batch = unpack_batch(data, IntakeLimits())
    except InvalidBatch as error:
        raise DamagedItem("no_batch", str(error)) from error
    manifest = batch.manifest.model_copy(update={"clock_fault": fault})
    return pack_batch(manifest, [member.data for member in batch.members], key)
