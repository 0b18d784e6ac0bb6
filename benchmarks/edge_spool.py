"""How long the edge's spool takes: restart with many items, with and without its index, and draining them.

python benchmarks/edge_spool.py [--items 10000] [--folder /some/disk]
"""

import argparse
import hashlib
import logging
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from uuid import UUID

import structlog

from edge_capture.encryption import BatchSeal
from edge_capture.spool import BatchFacts, Spool, SpoolCaps

CAPS = SpoolCaps(size_bytes=10**12, items=10**7)
START = datetime(2024, 1, 5, 10, tzinfo=UTC)


def put(spool: Spool, number: int, data: bytes) -> None:
    """Put one batch."""
    moment = START + timedelta(seconds=number)
    key, digest = f"landing/2024-01-05/store/door/{number}.tar", hashlib.sha256(data).hexdigest()
    spool.put(BatchFacts(key, "door", number, 10, moment, moment, UUID(int=1), digest), data)


def timed(what: str, items: int, started: float) -> None:
    """Print how long `items` took since `started`."""
    seconds = monotonic() - started
    print(f"{what:<42} {seconds:8.2f} s {items / seconds:10.0f} items/s")


def measure(folder: Path, items: int, size: int) -> None:
    """Print the times for `items` batches of `size` bytes."""
    for name, seal in (("plain", None), ("encrypted", BatchSeal(bytes(32)))):
        where = folder / name
        spool = Spool(where, CAPS, seal)
        data, started = bytes(size), monotonic()
        for number in range(1, items + 1):
            put(spool, number, data)
        timed(f"{name}: put, each synced", items, started)
        spool.close()
        started = monotonic()
        spool = Spool(where, CAPS, seal)
        timed(f"{name}: restart", items, started)
        spool.close()
        (where / "index.sqlite").unlink()
        started = monotonic()
        spool = Spool(where, CAPS, seal)
        timed(f"{name}: restart without the index", items, started)
        started = monotonic()
        while item := spool.oldest():
            spool.read(item)
            spool.done(item)
        timed(f"{name}: drained", items, started)
        spool.close()


def main() -> None:
    """Measure in a temporary folder, or in one given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--bytes", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        measure(Path(folder), arguments.items, arguments.bytes)


if __name__ == "__main__":
    main()
