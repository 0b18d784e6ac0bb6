"""What tests of the edge share: a clock moved by hand, a fast folder, what lies in benchmarks/."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

_MEMORY = Path("/dev/shm")  # noqa: S108 - a sync costs nothing there; whether it is made is tested elsewhere
_BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


class HandClock:
    """A clock moved by hand: `wall` and time since boot apart."""

    def __init__(self, wall=datetime(2024, 6, 5, 10, tzinfo=UTC), since_boot=100.0, boot=1):
        self.wall, self.since_boot, self.boot_id = wall, since_boot, UUID(int=boot)

    def now(self):
        return self.wall

    def monotonic(self):
        return self.since_boot

    def wait(self, seconds, wake=None):  # noqa: ARG002 - the contract of all clocks
        self.pass_(seconds)
        return False

    def pass_(self, seconds, *, drift=1.0):
        self.since_boot += seconds
        self.wall += timedelta(seconds=seconds * drift)


@pytest.fixture(scope="session")
def hand_clock():
    """The class of a clock moved by hand."""
    return HandClock


@pytest.fixture
def hand():
    return HandClock()


@pytest.fixture
def fast_folder():
    """A folder in memory where there is one."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
def benchmarks(monkeypatch):
    """Make the programs in benchmarks/ importable: some tests are short versions of them."""
    monkeypatch.syspath_prepend(str(_BENCHMARKS))
    return _BENCHMARKS
