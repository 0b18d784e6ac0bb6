"""Time as the edge needs it: a clock that is passed in, and a timeline that a wrong wall clock cannot bend.

A device's wall clock may start in 1970, jump by hours, or run fast. The time since boot does none of that, so pictures
are dated by a wall time that was once believed (the anchor) plus the time since boot that has passed. Where wall clock
and timeline part, the fault is said, and stays said until the lake's own time shows which of the two is right.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Lock
from typing import Final, Protocol
from uuid import UUID, uuid4

from footfall_assets.contracts.batch import ClockFault

STEP_TOLERANCE_S: Final = 5.0  # wall against time since boot; slewing moves both, so only steps and faults part them
LAKE_TOLERANCE_S: Final = 120.0  # a Date header is whole seconds plus the way; intake itself allows 300 s
MOST_DARK: Final = timedelta(days=400)  # longest time that a device may have been off
EARLIEST: Final = datetime(2024, 1, 1, tzinfo=UTC)  # older than this software: a clock that was never set
LATEST: Final = datetime(2037, 12, 31, tzinfo=UTC)  # for a first start, which has no other bound; 2038 is an overflow
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What tells the time; tests pass one that they move themselves."""

    @property
    def boot_id(self) -> UUID:
        """Which boot of this machine it is."""

    def now(self) -> datetime:
        """Return the time of day in UTC."""

    def monotonic(self) -> float:
        """Return the seconds since boot, sleep included; never runs back within one boot."""

    def wait(self, seconds: float, wake: Event | None = None) -> bool:
        """Sleep, at most until `wake` is set; return whether it is set."""


class SystemClock:
    """This machine's clock."""

    def __init__(self) -> None:
        self._boot_id = _read_boot_id()
        # Time since boot goes on while the machine sleeps; plain CLOCK_MONOTONIC would look like a step of the wall.
        self._since_boot: Callable[[], float] = time.monotonic
        if hasattr(time, "CLOCK_BOOTTIME"):
            self._since_boot = lambda: time.clock_gettime(time.CLOCK_BOOTTIME)

    @property
    def boot_id(self) -> UUID:
        """The kernel's boot id, or one per process where the system has none."""
        return self._boot_id

    def now(self) -> datetime:
        """Return the wall clock's time in UTC; a time that no calendar holds becomes 1970."""
        try:
            return datetime.fromtimestamp(time.time(), UTC)
        except (OverflowError, ValueError, OSError):
            return datetime(1970, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        """Return the seconds since boot."""
        return self._since_boot()

    def wait(self, seconds: float, wake: Event | None = None) -> bool:
        """Sleep, at most until `wake` is set."""
        return (wake or Event()).wait(max(seconds, 0.0))


def _read_boot_id() -> UUID:
    try:
        return UUID(_BOOT_ID.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return uuid4()


@dataclass(frozen=True)
class ClockRecord:
    """A moment that was believed, kept over restarts."""

    wall: datetime
    monotonic_s: float
    boot_id: UUID
    epoch: UUID  # the timeline it lies on
    anchor_fault: ClockFault | None = None
    excused_s: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """What comparing with the lake's time has shown."""

    skew_s: float  # this timeline minus the lake
    wrong_epoch: UUID | None = None  # what was dated on this timeline was dated wrongly
    fault: ClockFault | None = None


class SteadyClock:
    """A timeline anchored in one believed wall time; `now()` never steps by itself.

    Raises nothing: a fault is a state. All methods may be called from any thread.
    """

    def __init__(self, source: Clock, known: ClockRecord | None = None, *, believe: bool = False) -> None:
        """Start from the last known moment; `believe` takes the wall clock as right whatever is known."""
        self._source = source
        self._lock = Lock()
        self._known_wall = known.wall if known else None
        self._excused_s = 0.0  # by how much the wall clock may be off, because the lake has shown it to be wrong
        wall, since_boot = source.now(), source.monotonic()
        self._anchor, self._epoch = (wall, since_boot), uuid4()
        self._fault = self._anchor_fault = None if believe else _implausible(wall, self._known_wall)
        if known and known.boot_id == source.boot_id and since_boot >= known.monotonic_s and not believe:
            self._anchor, self._epoch = (known.wall, known.monotonic_s), known.epoch
            self._anchor_fault, self._excused_s = known.anchor_fault, known.excused_s
            self.check()

    @property
    def boot_id(self) -> UUID:
        """Which boot of this machine it is."""
        return self._source.boot_id

    @property
    def fault(self) -> ClockFault | None:
        """What puts the present time in doubt, if anything."""
        return self._fault

    @property
    def epoch(self) -> UUID:
        """The timeline that `now()` lies on; another one after the time was corrected."""
        return self._epoch

    def now(self) -> datetime:
        """Return the time of day on the anchored timeline, in UTC."""
        wall, since_boot = self._anchor
        return wall + timedelta(seconds=self._source.monotonic() - since_boot)

    def monotonic(self) -> float:
        """Return the seconds since boot."""
        return self._source.monotonic()

    def wait(self, seconds: float, wake: Event | None = None) -> bool:
        """Sleep, at most until `wake` is set."""
        return self._source.wait(seconds, wake)

    def record(self) -> ClockRecord:
        """Return the present moment, to be kept for the next start."""
        return ClockRecord(self.now(), self.monotonic(), self.boot_id, self._epoch, self._anchor_fault, self._excused_s)

    def check(self) -> ClockFault | None:
        """Compare the wall clock with the timeline and return the fault there is now.

        Where the anchor itself was implausible and the wall clock has been set since, a new timeline starts there.
        """
        with self._lock:
            wall = self._source.now()
            away_s = (wall - self.now()).total_seconds()
            if abs(away_s - self._excused_s) <= STEP_TOLERANCE_S:
                self._fault = self._anchor_fault
            elif self._anchor_fault and not _implausible(wall, self._known_wall):
                self._start(wall)
            else:
                self._fault = self._anchor_fault or ClockFault.STEPPED
            return self._fault

    def compare(self, lake_time: datetime) -> Verdict:
        """Settle doubts by the lake's time: keep the timeline it agrees with, or start a new one.

        Where it agrees with neither timeline nor wall clock, the fault stands: times are a matter of more than two
        minutes, and one of three clocks alone cannot say which two are wrong.
        """
        with self._lock:
            wall = self._source.now()
            skew_s = (self.now() - lake_time).total_seconds()
            if abs(skew_s) <= LAKE_TOLERANCE_S:
                self._fault = self._anchor_fault = None
                self._excused_s = (wall - self.now()).total_seconds()
                return Verdict(skew_s)
            if abs((wall - lake_time).total_seconds()) <= LAKE_TOLERANCE_S:
                wrong = self._epoch
                self._start(wall)
                return Verdict(skew_s, wrong_epoch=wrong)
            self._fault = self._anchor_fault = ClockFault.AHEAD if skew_s > 0 else ClockFault.BEHIND
            return Verdict(skew_s, wrong_epoch=self._epoch, fault=self._fault)

    def _start(self, wall: datetime) -> None:
        self._anchor, self._epoch = (wall, self._source.monotonic()), uuid4()
        self._fault = self._anchor_fault = None
        self._excused_s = 0.0


def _implausible(wall: datetime, known: datetime | None) -> ClockFault | None:
    earliest = max(EARLIEST, known - timedelta(seconds=STEP_TOLERANCE_S)) if known else EARLIEST
    latest = known + MOST_DARK if known else LATEST
    if wall < earliest:
        return ClockFault.BEHIND
    return ClockFault.AHEAD if wall > latest else None
