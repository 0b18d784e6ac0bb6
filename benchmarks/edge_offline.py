"""Days without a link, on a clock moved by hand: everything is kept, goes out in order, and soon.

python benchmarks/edge_offline.py [--hours 72] [--cameras 8] [--every 1.0]
"""

import argparse
import logging
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from uuid import UUID

import numpy as np
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.batch import Batcher, BatchLimits, CameraProfile, Dating, Still, encode_still
from edge_capture.clock import SteadyClock
from edge_capture.filter import KeepAll
from edge_capture.source import Frame
from edge_capture.spool import Spool, SpoolCaps
from edge_capture.upload import Outcome, Uploader
from edge_capture.worker import facts_of
from footfall_assets.contracts.errors import TransientFailure
from footfall_assets.contracts.ids import image_id

START = datetime(2024, 6, 5, 6, tzinfo=UTC)
BATCH_AGE_S = 300.0  # the fleet's default
KEPT_SHARE = 0.1  # of the frames, after the filter


class CompressedTime:
    """A clock that waits by moving on."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self.boot_id = UUID(int=1)

    def now(self) -> datetime:
        """Return the wall time."""
        return START + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        """Return the seconds since boot."""
        return 1000.0 + self.passed_s

    def wait(self, seconds: float, wake: Event | None = None) -> bool:
        """Move on."""
        del wake
        self.passed_s += seconds
        return False


@dataclass
class LinkedLake:
    """A lake behind a link that can be down; only what the uploader needs."""

    up: Callable[[], bool]
    keys: list[str] = field(default_factory=list)
    attempts: int = 0
    probes: int = 0

    def write_once(self, key: str, data: bytes) -> bool:
        """Take an object, in order."""
        del data
        self.attempts += 1
        if not self.up():
            raise TransientFailure("no route to host")
        self.keys.append(key)
        return True

    def server_time(self) -> None:
        """Answer, where the link is up."""
        self.probes += 1
        if not self.up():
            raise TransientFailure("no route to host")


@dataclass
class Offline:
    """What came of it."""

    captures: int = 0
    kept: int = 0
    batches: int = 0
    arrived: int = 0
    in_order: bool = False
    resumed_s: float = 0.0  # on the moved clock, from the link's return to the first batch that arrived
    attempts_while_down: int = 0
    probes_while_down: int = 0
    drained_s: float = 0.0  # real time
    put_s: float = 0.0  # real time


def stills(clock: CompressedTime, camera: str) -> Iterator[tuple[Frame, Still | None]]:
    """Yield frames for ever; every tenth is kept. The picture is one and the same, its moment is not."""
    image = np.zeros((24, 32, 3), np.uint8)
    first = encode_still(Frame(image, START, 0), camera, jpeg_quality=90)
    tick = 0
    while True:
        moment = clock.now()
        still = None
        if tick % round(1 / KEPT_SHARE) == 0:
            name = image_id(camera, moment, first.entry.sha256)
            still = Still(first.entry.model_copy(update={"image_id": name, "captured_at": moment}), first.jpeg)
        yield Frame(image, moment, tick), still
        tick += 1


def run_offline(folder: Path, *, hours: float, cameras: int, every_s: float, seed: int = 0) -> Offline:
    """Capture through an outage of `hours`, then let the link return, and drain."""
    clock = CompressedTime()
    steady, link_up = SteadyClock(clock), [False]
    lake = LinkedLake(lambda: link_up[0])
    spool = Spool(folder, SpoolCaps(20 * 1024**3, 100_000))
    key, result = Ed25519PrivateKey.generate(), Offline()
    uploader = Uploader(spool, lake, steady, key, chance=random.Random(seed))  # type: ignore[arg-type]  # noqa: S311
    names = [f"camera-{number}" for number in range(cameras)]
    batchers = [
        Batcher(
            CameraProfile("box-1", "store", name, "UTC", every_s, clock.boot_id),
            KeepAll(),
            key,
            BatchLimits(age_s=BATCH_AGE_S),
            next_sequence=lambda name=name: spool.reserve(name),  # type: ignore[misc]
            dating=lambda: Dating(steady.epoch, steady.monotonic()),
        )
        for name in names
    ]
    frames = [stills(clock, name) for name in names]
    expected, send_at_s, started = [], 0.0, time.monotonic()
    while clock.passed_s < hours * 3600:
        for batcher, source in zip(batchers, frames, strict=True):
            frame, still = next(source)
            closed = batcher.add(frame, still)
            result.captures += 1
            result.kept += still is not None
            if closed:
                spool.put(facts_of(closed), closed.data)
                expected.append(facts_of(closed).key)
        if clock.passed_s >= send_at_s:
            send_at_s = clock.passed_s + max(uploader.step().wait_s, every_s)
        clock.passed_s += every_s
    result.put_s, result.batches = time.monotonic() - started, len(expected)
    result.attempts_while_down, result.probes_while_down = lake.attempts, lake.probes
    _resume(uploader, clock, result, link_up)
    result.in_order, result.arrived = lake.keys == expected, len(lake.keys)
    spool.close()
    return result


def _resume(uploader: Uploader, clock: CompressedTime, result: Offline, link_up: list[bool]) -> None:
    """Let the link return in the middle of a pause, and send until nothing is left."""
    link_up[0] = True
    returned_s, started = clock.passed_s, time.monotonic()
    while True:
        step = uploader.step()
        if step.outcome is Outcome.IDLE:
            break
        if step.outcome is Outcome.SENT and not result.resumed_s:
            result.resumed_s = clock.passed_s - returned_s
        clock.passed_s += step.wait_s
    result.drained_s = time.monotonic() - started


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=72.0)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--every", type=float, default=1.0)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder:
        found = run_offline(Path(folder), hours=arguments.hours, cameras=arguments.cameras, every_s=arguments.every)
    print(f"{found.captures} captures in {found.batches} batches, put in {found.put_s:.1f} s")
    print(f"{found.attempts_while_down} attempts and {found.probes_while_down} probes while the link was down")
    print(f"{found.arrived} arrived, in order: {found.in_order}, first after {found.resumed_s:.1f} s of its return")
    print(f"drained in {found.drained_s:.1f} s, {found.arrived / found.drained_s:.0f} batches/s")


if __name__ == "__main__":
    main()
