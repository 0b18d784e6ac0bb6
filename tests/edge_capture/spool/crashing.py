"""A program that fills and empties a spool until somebody kills it, and says on standard output what it was promised.

    put <sequence>     `put` is about to be called        (issued)
    ack <sequence>     `put` has returned                 (obligation)
    sent <sequence>    its bytes are in the other place   (delivered)

`serve` waits for lines of JSON and forks one such program for each, so that imports are paid once.
"""

import hashlib
import json
import os
import random
import signal
import stat
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from edge_capture.spool import BatchFacts, Spool, SpoolCaps, index
from edge_capture.spool import spool as spool_module

CAMERA = "door"
CAPS = SpoolCaps(size_bytes=10**9, items=10**6)
START = datetime(2024, 1, 5, 10, tzinfo=UTC)


def content(sequence: int, size: int = 3000) -> bytes:
    """The bytes of a batch, which its number alone decides."""
    seed = hashlib.sha256(str(sequence).encode()).digest()
    return (seed * (size // len(seed) + 1))[:size]


def facts(sequence: int, data: bytes, stills: int = 10) -> BatchFacts:
    moment = START + timedelta(seconds=sequence)
    return BatchFacts(
        key=f"landing/2024-01-05/store/{CAMERA}/{sequence}.tar",
        camera_id=CAMERA,
        sequence=sequence,
        stills=stills,
        first_at=moment,
        last_at=moment,
        epoch=UUID(int=1),
        sha256=hashlib.sha256(data).hexdigest(),
    )


def break_on_purpose(mutant: str) -> None:
    """Take one thing away that a promise rests on."""
    real = os.fsync
    if mutant in {"no file fsync", "no folder fsync"}:
        spared = stat.S_ISDIR if mutant == "no folder fsync" else stat.S_ISREG
        os.fsync = lambda descriptor: None if spared(os.fstat(descriptor).st_mode) else real(descriptor)
    elif mutant == "WAL NORMAL":
        index.DURABILITY = "PRAGMA synchronous=NORMAL"
    elif mutant == "row before file":
        store = spool_module.Spool._store

        def swapped(self, label, data):
            self._index.add([label])
            store(self, label, data)

        spool_module.Spool._store = swapped
    elif mutant and mutant != "ack early":
        raise ValueError(mutant)


def work(
    folder: Path,
    *,
    batches: int,
    send_every: int,
    pause_s: float,
    seed: int,
    mutant: str,
    keep: int = 0,
    stills: int = 10,
) -> None:
    """Put and send; `batches` 0 is without end, the newest `keep` are not sent."""
    break_on_purpose(mutant)
    chance = random.Random(seed)  # noqa: S311
    spool = Spool(folder, CAPS)
    number = 0
    while not batches or number < batches:
        number += 1
        sequence = spool.reserve(CAMERA)
        data = content(sequence)
        if mutant == "ack early":
            say("ack", sequence)
        say("put", sequence)
        spool.put(facts(sequence, data, stills), data)
        if mutant != "ack early":
            say("ack", sequence)
        if send_every and number % send_every == 0 and number > keep:
            item = spool.oldest()
            assert spool.read(item) == content(item.facts.sequence)
            say("sent", item.facts.sequence)
            spool.done(item)
        if pause_s:
            time.sleep(chance.uniform(0, pause_s))


def say(word: str, sequence: int) -> None:
    os.write(1, f"{word} {sequence}\n".encode())


def serve() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os.dup2(os.open(order.pop("log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
            os.kill(os.getpid(), signal.SIGSTOP)  # until the tracer holds it
            work(Path(order.pop("folder")), **order)
            os._exit(0)
        os.waitpid(child, os.WUNTRACED)
        os.write(1, f"{child}\n".encode())
        _, status = os.waitpid(child, 0)
        os.write(1, f"{os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        order = json.loads(sys.argv[2])
        work(Path(order.pop("folder")), **order)
