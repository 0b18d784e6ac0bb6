"""Power cuts without a switch: an ext4 in a file, copied while a program writes to it.

What the program wrote and nobody synced is in the page cache of the inner file system and not in the file, so the copy
is what a disk would hold after a cut.
"""

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

IMAGE_BYTES = 96 * 1024**2
ACKS_BETWEEN_CUTS = 3  # a cut with nothing new at stake would prove nothing


def why_not() -> str | None:
    """Return why there can be no power cuts here, or None."""
    if os.geteuid() != 0:
        return "mounting a loop device needs root"
    missing = [name for name in ("losetup", "mkfs.ext4", "mount") if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if subprocess.run(["losetup", "-f"], capture_output=True, check=False).returncode:
        return "there is no free loop device"
    return None


def make_disk(image: Path) -> None:
    """Make an empty ext4."""
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)


@contextmanager
def mounted(image: Path, where: Path) -> Iterator[Path]:
    """Mount a disk; its journal is replayed as after a cut."""
    where.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", image, where], check=True, capture_output=True)
    try:
        yield where
    finally:
        subprocess.run(["umount", where], check=True)


class Program:
    """The crashing program on a disk of its own; what it says is read from a pipe, off that disk."""

    def __init__(self, program: Path, folder: Path, hear, **order) -> None:
        self._hear = hear
        argument = json.dumps(order | {"folder": str(folder)})
        self._process = subprocess.Popen(
            [sys.executable, program, "work", argument], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout
        self._pipe = self._process.stdout.fileno()
        os.set_blocking(self._pipe, False)
        self._rest = b""

    def listen(self, seconds: float) -> None:
        """Take in what it says for so long."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self._pipe], [], [], left)[0]:
                self._take()

    def _take(self) -> None:
        try:
            while chunk := os.read(self._pipe, 65536):
                lines, end, self._rest = (self._rest + chunk).rpartition(b"\n")
                self._hear((lines + end).decode())
        except BlockingIOError:
            pass
        if self._process.poll() is not None:
            raise RuntimeError(f"the program ended with {self._process.returncode}")

    def pause(self) -> None:
        """Stop it where it is, and hear what it had said by then."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)
        self._take()

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)


def power_cuts(crashes, folder: Path, *, cuts: int, seed: int, mutant: str = "") -> tuple[int, list[str]]:
    """Cut the power so often; return the batches acknowledged and which promises were found broken."""
    chance = random.Random(seed)  # noqa: S311
    image, copy = folder / "disk.img", folder / "cut.img"
    make_disk(image)
    told, broken = crashes.told(folder / "none"), []
    order = {"batches": 0, "send_every": 1, "pause_s": 0.004, "seed": seed, "mutant": mutant, "keep": 6}
    with mounted(image, folder / "disk") as disk:
        program = Program(crashes.program_path, disk / "spool", told.hear, **order)
        try:
            program.listen(2.0)  # until its imports are done and the first batches are in
            for cut in range(cuts):
                before = len(told.acked)
                program.listen(chance.uniform(0.005, 0.06))
                while len(told.acked) < before + ACKS_BETWEEN_CUTS:
                    program.listen(0.005)
                program.pause()
                subprocess.run(["cp", "--sparse=always", image, copy], check=True)
                with mounted(copy, folder / "cut") as after:
                    found = crashes.reopen(after / "spool")
                broken += [f"cut {cut}: {each}" for each in crashes.broken_promises(told, found)]
                if mutant and broken:
                    break
                program.go_on()
        finally:
            program.kill()
    return len(told.acked), broken
