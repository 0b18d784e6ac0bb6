"""What tests of crashes share: the program that is killed, what it said, and what has to be there afterwards."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest

from edge_capture.spool import Spool

_SERVERS = 4
PROGRAM = Path(__file__).with_name("crashing.py")


@dataclass
class Told:
    """What a program said before it ended."""

    issued: set[int] = field(default_factory=set)
    acked: set[int] = field(default_factory=set)
    sent: set[int] = field(default_factory=set)

    def hear(self, text: str) -> "Told":
        """Add what these lines say; a last one that was cut off says nothing."""
        for line in text.splitlines(keepends=True):
            word, _, number = line.partition(" ")
            if number.endswith("\n"):
                {"put": self.issued, "ack": self.acked, "sent": self.sent}[word].add(int(number))
        return self


@dataclass
class Found:
    """What a spool held when it was opened again."""

    waiting: dict[int, bytes] = field(default_factory=dict)
    next_sequence: int = 0
    quarantined: int = 0


@dataclass(frozen=True)
class Crashes:
    """The crashing program, and the oracle over what it leaves."""

    program: ModuleType
    program_path: Path = PROGRAM

    def told(self, log: Path) -> Told:
        """Return what a program said in its log."""
        return Told().hear(log.read_text() if log.exists() else "")

    def reopen(self, folder: Path) -> Found:
        """Open the spool as a restarted agent would, and take everything out."""
        spool = Spool(folder, self.program.CAPS)
        found = Found(quarantined=spool.status().counters["quarantined_items"])
        while item := spool.oldest():
            found.waiting[item.facts.sequence] = spool.read(item)
            spool.done(item)
        found.next_sequence = spool.reserve(self.program.CAMERA)
        spool.close()
        return found

    def broken_promises(self, told: Told, found: Found) -> list[str]:
        """Compare; nothing is what a spool that keeps its promises gives."""
        lost = told.acked - told.sent - found.waiting.keys()
        garbled = [number for number, data in found.waiting.items() if data != self.program.content(number)]
        unissued = found.waiting.keys() - told.issued
        broken = [f"acknowledged and lost: {sorted(lost)}"] if lost else []
        broken += [f"not the bytes that were put: {garbled}"] if garbled else []
        broken += [f"never put: {sorted(unissued)}"] if unissued else []
        broken += [f"{found.quarantined} set aside"] if found.quarantined else []
        if found.next_sequence <= max(told.issued, default=0):
            broken.append(f"number {found.next_sequence} given twice")
        return broken


def loaded(path: Path) -> ModuleType:
    """Return the module in a file beside the tests, which are no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def crashes() -> Crashes:
    return Crashes(loaded(PROGRAM))


@pytest.fixture(scope="session")
def power_cuts() -> ModuleType:
    return loaded(PROGRAM.with_name("powercuts.py"))


class CrashServer:
    """Starts crashing programs quickly; each is stopped before its first step, until `go`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, PROGRAM, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, folder: Path, log: Path, **order: object) -> int:
        assert self._process.stdin
        assert self._process.stdout
        order |= {"folder": str(folder), "log": str(log)}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def go(self, child: int) -> int:
        """Let it run to its end; return its exit code, negative for a signal."""
        assert self._process.stdout
        os.kill(child, signal.SIGCONT)
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)


@pytest.fixture(scope="module")
def crash_servers():
    """Several, for one waits for the disk most of the time."""
    servers = [CrashServer() for _ in range(_SERVERS)]
    yield servers
    for each in servers:
        each.close()
