"""The edge under everything at once: kills, power cuts, a full disk, a dead network, lost replies, steps of the clock.

    python benchmarks/edge_soak.py [--minutes 30 | --captures 2000] [--seed 1] [--folder /some/disk]

A device (spool, batches, uploader, clock; pictures of noise) runs as a process of its own on a disk of its own and
sends to an S3 server in this process. Chance, from a seed, breaks things. Then everything is mended, the device drains,
and the oracle compares what it acknowledged with what arrived. The oracle and its log are never broken.
"""

import argparse
import json
import logging
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from threading import Event, Thread

from s3_stub import S3Stub

STILLS = 5  # in a batch
CAPS_ITEMS = 40
DISK_BYTES = 24 * 1024**2
DRAIN_WITHIN_S = 60.0
START_WITHIN_S = 60.0  # imports on a busy machine
CALM_CAPTURES, CALM_MOST_S = 60, 5.0  # between two faults
WRONG_AFTER = timedelta(minutes=10)  # a still dated further off than this has to be doubted
KEY = bytes(range(32))
EXIT_STOPPED = 3
ADDRESS = "s3://a-lake/tenant"


# The device


def device(state: Path, *, seed: int, mutant: str) -> None:  # noqa: C901, PLR0915 - a program of its own, in one piece
    """Capture, spool and send until SIGTERM; acknowledgements go to standard output."""
    import cv2  # noqa: PLC0415 - the oracle does without
    import numpy as np  # noqa: PLC0415
    import structlog  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    from edge_capture.batch import Batcher, BatchLimits, CameraProfile, Dating, encode_still  # noqa: PLC0415
    from edge_capture.clock import SteadyClock, SystemClock  # noqa: PLC0415
    from edge_capture.encryption import BatchSeal  # noqa: PLC0415
    from edge_capture.errors import SpoolFull, SpoolUnwritable  # noqa: PLC0415
    from edge_capture.filter import KeepAll  # noqa: PLC0415
    from edge_capture.source import Frame  # noqa: PLC0415
    from edge_capture.spool import Spool, SpoolCaps  # noqa: PLC0415
    from edge_capture.upload import Uploader  # noqa: PLC0415
    from edge_capture.worker import facts_of  # noqa: PLC0415
    from footfall_assets.storage import open_lake_at  # noqa: PLC0415

    class SteppingClock(SystemClock):
        """A wall clock that a file moves."""

        def now(self) -> datetime:
            with suppress(OSError, ValueError):
                return super().now() + timedelta(seconds=float((state.parent / "clock-step").read_text()))
            return super().now()

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    cv2.setNumThreads(1)
    stop, wake = Event(), Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    key = Ed25519PrivateKey.from_private_bytes(KEY)
    while True:
        try:
            spool = Spool(state / "spool", SpoolCaps(10**9, CAPS_ITEMS), BatchSeal(KEY))
            break
        except SpoolUnwritable:
            if stop.wait(0.2):
                return
    clock = SteadyClock(SteppingClock(), spool.known_clock())
    uploader = Uploader(spool, open_lake_at(ADDRESS, cache=state / "cache", attempts=1), clock, key)

    def send() -> None:
        while not stop.is_set():
            try:
                wait_s = uploader.step().wait_s
            except SpoolUnwritable:
                wait_s = 0.2
            if wait_s:
                wake.wait(min(wait_s, 0.5))
                wake.clear()

    sender = Thread(target=send, daemon=True)
    sender.start()
    profile = CameraProfile("box-1", "store", "door", "UTC", 0.02, clock.boot_id)
    batcher = Batcher(
        profile,
        KeepAll(),
        key,
        BatchLimits(stills=STILLS, age_s=5.0),
        next_sequence=lambda: spool.reserve("door"),
        dating=lambda: Dating(clock.epoch, clock.monotonic(), clock.fault),
    )
    chance, tick, pending = np.random.default_rng((seed, os.getpid())), 0, None

    def tell(word: str, batch: object) -> None:
        manifest = batch.manifest  # type: ignore[attr-defined]
        stills = [(str(entry.image_id), truth[str(entry.image_id)]) for entry in manifest.images]
        os.write(1, (json.dumps([word, manifest.sequence, stills]) + "\n").encode())

    def keep(batch: object) -> object | None:
        """Put a batch; return it where the disk refused."""
        if mutant == "ack early":
            tell("ack", batch)
        try:
            spool.put(facts_of(batch), batch.data)  # type: ignore[arg-type, attr-defined]
        except SpoolFull:
            return None
        except SpoolUnwritable:
            return batch
        tell("ack", batch)
        wake.set()
        return None

    truth: dict[str, float] = {}
    while not stop.wait(0.008):
        clock.check()
        if tick % 20 == 0:
            with suppress(SpoolUnwritable):
                spool.keep_clock(clock.record())
        image = chance.integers(0, 255, (24, 32, 3), dtype=np.uint8)
        frame = Frame(image, clock.now(), tick)
        tick += 1
        still = encode_still(frame, "door", jpeg_quality=90)
        truth[str(still.entry.image_id)] = time.time()
        with suppress(SpoolUnwritable):
            if pending:
                pending = keep(pending)
            if pending and batcher.closes_at(frame.captured_at):
                continue
            closed = batcher.add(frame, still)
            pending = keep(closed) if closed else pending
    with suppress(SpoolUnwritable):
        last = batcher.close()
        if last:
            keep(last)
    sender.join(5)
    spool.close()


# The disk that the device is on


class Disk:
    """An ext4 in a file, of which a copy is what a power cut leaves; a plain folder where that cannot be had."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "disk"
        self.path.mkdir()
        self._image = folder / "disk.img"
        self.can_cut = os.geteuid() == 0 and all(shutil.which(each) for each in ("losetup", "mkfs.ext4", "mount"))
        if self.can_cut:
            with self._image.open("wb") as file:
                file.truncate(DISK_BYTES)
            subprocess.run(["mkfs.ext4", "-q", "-F", self._image], check=True)
            self.can_cut = self._mount()

    def _mount(self) -> bool:
        done = subprocess.run(["mount", "-o", "loop", self._image, self.path], capture_output=True, check=False)
        return done.returncode == 0

    def cut(self, kill: "callable") -> None:
        """Cut the power of a stopped device."""
        copy = self.folder / "cut.img"
        subprocess.run(["cp", "--sparse=always", self._image, copy], check=True)
        kill()
        subprocess.run(["umount", self.path], check=True)
        copy.replace(self._image)
        if not self._mount():
            raise RuntimeError("the disk could not be mounted after the cut")

    def fill(self) -> None:
        """Take all space but a little."""
        free = shutil.disk_usage(self.path).free
        with suppress(OSError), (self.path / "filler").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(free - 20_000, 1))

    def empty(self) -> None:
        """Give it back."""
        (self.path / "filler").unlink(missing_ok=True)

    def close(self) -> None:
        """Take it away."""
        if self.can_cut:
            subprocess.run(["umount", "-l", self.path], check=False)


# The oracle


@dataclass
class Soak:
    """What happened, and what has to come of it."""

    acked: dict[str, tuple[int, float]] = field(default_factory=dict)  # image -> batch, true time
    faults: Counter[str] = field(default_factory=Counter)
    damaged: set[int] = field(default_factory=set)  # batches that this program itself spoilt
    broken: list[str] = field(default_factory=list)
    lost_openly: int = 0
    arrived: int = 0
    twice: int = 0
    doubted: int = 0
    resumed_s: float = 0.0
    seconds: float = 0.0

    def hear(self, line: bytes) -> None:
        """Take in an acknowledgement."""
        word, sequence, stills = json.loads(line)
        if word == "ack":
            self.acked |= {image: (sequence, taken) for image, taken in stills}

    def judge(self, stub: S3Stub, losses: list[tuple[int, int]]) -> None:
        """Compare what was acknowledged with what arrived."""
        from footfall_assets.contracts.batch import (  # noqa: PLC0415
            Ed25519PrivateKey,
            public_key_text,
            unpack_batch,
        )
        from footfall_assets.contracts.settings import IntakeLimits  # noqa: PLC0415

        public = public_key_text(Ed25519PrivateKey.from_private_bytes(KEY))
        places: dict[str, str] = {}
        sequences: dict[int, str] = {}
        for key, data in stub.bucket.objects.items():
            batch = unpack_batch(data, IntakeLimits())
            batch.verify_signature(public)
            if not batch.is_intact:
                self.broken.append(f"{key}: not what was signed")
            if sequences.setdefault(batch.manifest.sequence, key) != key:
                self.broken.append(f"number {batch.manifest.sequence} was given twice")
            self.doubted += batch.manifest.clock_fault is not None
            for entry in batch.manifest.images:
                image = str(entry.image_id)
                if image in places:
                    self.broken.append(f"{image} arrived in {places[image]} and {key}")
                places[image] = key
                taken = self.acked.get(image)
                off = abs(entry.captured_at - datetime.fromtimestamp(taken[1], UTC)) if taken else timedelta()
                if off > WRONG_AFTER and batch.manifest.clock_fault is None:
                    self.broken.append(f"{image} is dated {off} off, and nobody doubts it")
        openly = {each for first, last in losses for each in range(first, last + 1)}
        lost = {batch for image, (batch, _) in self.acked.items() if image not in places} - openly - self.damaged
        if lost:
            self.broken.append(f"acknowledged and lost: batches {sorted(lost)}")
        if stub.bucket.replaced:
            self.broken.append(f"replaced in the lake: {stub.bucket.replaced[:3]}")
        self.arrived = len(places)
        self.twice = sum(count - 1 for count in stub.bucket.puts.values())
        self.lost_openly = len(openly)

    def insufficient(self, *, captures: int, cuts: bool) -> list[str]:
        """Return what did not happen often enough for the run to prove anything."""
        needed = {"kill": 1, "full disk": 1, "network down": 1, "lost reply": 1, "clock step": 1, "damage": 1}
        needed |= {"power cut": 1} if cuts else {}
        short = [f"{fault}: {self.faults[fault]}" for fault, least in needed.items() if self.faults[fault] < least]
        short += [f"{len(self.acked)} of {captures} captures"] if len(self.acked) < captures else []
        short += ["nothing arrived twice"] if not self.twice else []
        short += ["nothing was dropped"] if not self.lost_openly else []
        return short


class Run:
    """One soak: the device, what breaks it, the acknowledgements."""

    def __init__(self, folder: Path, *, seed: int, mutant: str = "") -> None:
        self._disk = Disk(folder)
        self._stub = S3Stub()
        self._seed, self._mutant = seed, mutant
        self._chance = random.Random(seed)  # noqa: S311
        self._device: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self.soak = Soak()

    def start(self) -> None:
        """Start the device."""
        argument = json.dumps({"state": str(self._disk.path / "state"), "seed": self._seed, "mutant": self._mutant})
        (self._disk.path / "state").mkdir(exist_ok=True)
        self._rest = b""
        self._device = subprocess.Popen(
            [sys.executable, __file__, "--device", argument],
            stdout=subprocess.PIPE,
            stderr=(self._disk.folder / "device.log").open("ab"),
            env=os.environ | self._stub.environment,
        )
        assert self._device.stdout  # noqa: S101
        os.set_blocking(self._device.stdout.fileno(), False)

    def restart(self) -> None:
        """Start the device and wait until it acknowledges something."""
        self.start()
        before, until = len(self.soak.acked), time.monotonic() + START_WITHIN_S
        while len(self.soak.acked) == before:
            self.listen(0.1)
            if time.monotonic() > until:
                self.soak.broken.append(f"nothing acknowledged within {START_WITHIN_S} s of a start")
                return

    def listen(self, seconds: float) -> None:
        """Take in what the device acknowledges."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self._device.stdout], [], [], left)[0] and not self._take():
                time.sleep(max(min(left, 0.05), 0))

    def _take(self) -> bool:
        with suppress(BlockingIOError):
            chunk = os.read(self._device.stdout.fileno(), 1 << 20)
            lines = (self._rest + chunk).split(b"\n")
            self._rest = lines.pop()
            for line in lines:
                self.soak.hear(line)
            return bool(chunk)
        return False

    def _kill(self) -> None:
        self._device.send_signal(signal.SIGKILL)
        self._device.wait(10)
        self._take()

    def run(self, *, captures: int, minutes: float | None) -> Soak:
        """Break things until enough was captured, or the time is over; then mend everything and judge."""
        started = time.monotonic()
        with self._stub:
            try:
                self.restart()
                self._break_things(captures, started + 60 * minutes if minutes else None)
                self._mend_and_judge()
            finally:
                if self._device:
                    self._kill()
                self._disk.close()
        self.soak.seconds = time.monotonic() - started
        return self.soak

    def _break_things(self, captures: int, until: float | None) -> None:
        menu = [self.kill, self.fill_disk, self.network_down, self.lost_reply, self.bad_answers, self.clock_step]
        menu += [self.damage, self.overflow] + ([self.power_cut] if self._disk.can_cut else [])
        order: list[object] = []
        while (until and time.monotonic() < until) or len(self.soak.acked) < captures or not self._all_met(menu):
            if not order:  # everything once in each round, in an order that chance decides
                order = self._chance.sample(menu, len(menu))
            fault = order.pop()
            fault()  # type: ignore[operator]
            self._listen_for(self._chance.randint(5, CALM_CAPTURES))
            if self._device.poll() is not None:
                self.soak.broken.append(f"the device died by itself: {self._device.returncode}")
                self.restart()

    def _listen_for(self, captures: int) -> None:
        """Let it work in peace until so many more are acknowledged."""
        goal, until = len(self.soak.acked) + captures, time.monotonic() + CALM_MOST_S
        while len(self.soak.acked) < goal and time.monotonic() < until:
            self.listen(0.05)

    def _all_met(self, menu: list) -> bool:
        return len(self.soak.faults) >= len(menu)

    def kill(self) -> None:
        """X1: SIGKILL at any moment."""
        self.soak.faults["kill"] += 1
        self._kill()
        self.restart()

    def power_cut(self) -> None:
        """X2: what was not synced is gone."""
        self.soak.faults["power cut"] += 1
        self._device.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._device.pid, os.WSTOPPED | os.WNOWAIT)
        while self._take():
            pass
        self._disk.cut(self._kill)
        self.restart()

    def fill_disk(self) -> None:
        """X4: no space for a while."""
        if not self._disk.can_cut:  # a folder on somebody else's disk is not ours to fill
            self.soak.faults["full disk"] += 1
            return
        self.soak.faults["full disk"] += 1
        self._disk.fill()
        self.listen(self._chance.uniform(0.3, 1.0))
        self._disk.empty()

    def network_down(self) -> None:
        """X11: nobody answers."""
        self.soak.faults["network down"] += 1
        self._stub.bucket.faults.down = True
        self.listen(self._chance.uniform(0.2, 1.5))
        self._stub.bucket.faults.down = False

    def overflow(self) -> None:
        """E4: offline until the cap is reached."""
        self.soak.faults["overflow"] += 1
        self._stub.bucket.faults.down = True
        folder, until = self._disk.path / "state" / "spool" / "items", time.monotonic() + 15
        while time.monotonic() < until:
            self.listen(0.3)
            if folder.is_dir() and len(list(folder.iterdir())) >= CAPS_ITEMS:
                self.listen(0.5)
                break
        self._stub.bucket.faults.down = False

    def lost_reply(self) -> None:
        """X13: stored, and nobody says so."""
        self.soak.faults["lost reply"] += 1
        self._stub.bucket.faults.lost_replies = self._chance.randint(1, 3)
        self.listen(0.3)

    def bad_answers(self) -> None:
        """X14, X15: 503, 429, 409, half a body."""
        self.soak.faults["bad answer"] += 1
        faults = self._stub.bucket.faults
        faults.once = self._chance.choice(
            [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.CONFLICT]
        )
        faults.answer_status, faults.cut_bodies = self._chance.randint(1, 3), self._chance.randint(0, 2)
        self.listen(0.3)

    def clock_step(self) -> None:
        """X20: the wall clock jumps, and comes back."""
        self.soak.faults["clock step"] += 1
        step = self._chance.choice([3600, -3600, 3 * 86400, -50 * 365 * 86400, 14 * 365 * 86400])
        path = self._disk.path / "clock-step"
        with suppress(OSError):
            path.write_text(str(step))
        self.listen(self._chance.uniform(0.3, 1.0))
        if self._chance.random() < 0.5:
            self._kill()
            self.restart()
        path.unlink(missing_ok=True)

    def damage(self) -> None:
        """X22: a bit of a waiting batch flips; that one may be lost, openly."""
        self.soak.faults["damage"] += 1
        self._stub.bucket.faults.down = True
        self.listen(0.5)
        items = list((self._disk.path / "state" / "spool" / "items").glob("*.batch"))
        if items:
            victim = self._chance.choice(sorted(items))
            with suppress(OSError), victim.open("r+b") as file:
                size = victim.stat().st_size
                file.seek(self._chance.randrange(size))
                byte = file.read(1)
                file.seek(-1, os.SEEK_CUR)
                file.write(bytes([byte[0] ^ 0x20]))
                self.soak.damaged.add(int(victim.name.split(".")[1]))
        self._stub.bucket.faults.down = False

    def _mend_and_judge(self) -> None:
        """E6: everything drains, a fresh capture gets through, and the device stops when it is told to."""
        folder = self._disk.path / "state" / "spool" / "items"
        mended = time.monotonic()
        before = set(self._stub.bucket.objects)
        waiting = {path.name for path in folder.glob("*.batch")}
        while time.monotonic() - mended < DRAIN_WITHIN_S:
            self.listen(0.1)
            fresh = set(self._stub.bucket.objects) - before
            if fresh and not self.soak.resumed_s:
                self.soak.resumed_s = time.monotonic() - mended
            if fresh and not waiting & {path.name for path in folder.glob("*.batch")}:
                break
        else:
            self.soak.broken.append(f"not drained within {DRAIN_WITHIN_S} s")
        self._device.send_signal(signal.SIGTERM)
        if code := self._device.wait(20):
            self.soak.broken.append(f"stopped with {code}")
        while self._take():
            pass
        self.soak.judge(self._stub, self._take_the_rest())

    def _take_the_rest(self) -> list[tuple[int, int]]:
        """Send what a stopped device still holds; return what it says it has lost."""
        from edge_capture.encryption import BatchSeal  # noqa: PLC0415
        from edge_capture.spool import Spool, SpoolCaps  # noqa: PLC0415

        spool = Spool(self._disk.path / "state" / "spool", SpoolCaps(10**9, CAPS_ITEMS), BatchSeal(KEY))
        while item := spool.oldest():
            self._stub.bucket.objects.setdefault(f"tenant/{item.facts.key}", spool.read(item))
            spool.done(item)
        losses = [(each.first_sequence, each.last_sequence) for each in spool.losses()]
        spool.close()
        return losses


def soak(folder: Path, *, seed: int, captures: int = 2000, minutes: float | None = None, mutant: str = "") -> Run:
    """Run one soak in `folder` and return it, judged."""
    run = Run(folder, seed=seed, mutant=mutant)
    run.run(captures=captures, minutes=minutes)
    return run


def told(run: Run, seed: int) -> str:
    """Return the figures of a soak in one line."""
    found = run.soak
    faults = ", ".join(f"{name} {count}" for name, count in sorted(found.faults.items()))
    return (
        f"seed {seed}: {len(found.acked)} captures acknowledged, {found.arrived} arrived, {found.twice} sent again, "
        f"{found.lost_openly} batches lost openly, {len(found.damaged)} spoilt, {found.doubted} doubted, "
        f"fresh after {found.resumed_s:.1f} s, {found.seconds:.0f} s in all; {faults}"
    )


def main() -> None:
    """Run a soak and print its figures; exit with 1 where a promise was broken or too little happened."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--captures", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--mutant", default="")
    parser.add_argument("--device", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.device:
        order = json.loads(arguments.device)
        device(Path(order["state"]), seed=order["seed"], mutant=order["mutant"])
        return
    print(f"seed {arguments.seed}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_STOPPED))  # so that the disk is unmounted
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        done = soak(
            Path(folder),
            seed=arguments.seed,
            captures=arguments.captures,
            minutes=arguments.minutes,
            mutant=arguments.mutant,
        )
        if done.soak.broken:
            print((Path(folder) / "device.log").read_text()[-3000:])
    print(told(done, arguments.seed))
    short = done.soak.insufficient(captures=arguments.captures, cuts=done._disk.can_cut)  # noqa: SLF001
    print("\n".join(f"BROKEN {each}" for each in done.soak.broken) or "every promise was kept")
    print("\n".join(f"TOO LITTLE {each}" for each in short) or "enough happened")
    sys.exit(bool(done.soak.broken or short))


if __name__ == "__main__":
    main()
