"""E1 under SIGKILL: the spool is killed at every call that changes the disk, and nothing acknowledged is missing."""

import os
import shutil
import signal
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from time import monotonic, sleep

import pytest

CALLS = ("fsync", "fdatasync", "rename", "pwrite64", "write", "unlink", "ftruncate")
STILLS = 24  # captures in each batch
ORDER = {"batches": 10, "send_every": 3, "pause_s": 0.0, "seed": 0}
ENOUGH = 10_000  # captures acknowledged over all kill points

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: apt install strace")


def traced(server, folder, log, *options, mutant=""):
    """Run the program under strace; return its exit code."""
    child = server.start(folder, log, **ORDER, mutant=mutant)
    tracer = subprocess.Popen(["strace", "-qq", "-p", str(child), *options], stderr=subprocess.DEVNULL)
    try:
        until = monotonic() + 10
        while "TracerPid:\t0\n" in (status := open(f"/proc/{child}/status").read()):  # noqa: PTH123, SIM115
            if tracer.poll() is not None or monotonic() > until:
                os.kill(child, signal.SIGKILL)
                server.go(child)
                pytest.skip(f"strace cannot attach here: {status.splitlines()[0]}")
            sleep(0.001)
        return server.go(child)
    finally:
        tracer.wait(10)


@pytest.fixture(scope="module")
def calls_made(crash_servers, tmp_path_factory) -> Counter[str]:
    """How often a run that nobody kills makes each call."""
    folder = tmp_path_factory.mktemp("whole")
    trace = folder / "trace"
    code = traced(
        crash_servers[0], folder / "spool", folder / "log", "-e", f"trace={','.join(CALLS)}", "-o", str(trace)
    )
    assert code == 0
    return Counter(line.partition("(")[0] for line in trace.read_text().splitlines())


def killed_at(crashes, server, folder, call, number, mutant=""):
    from_here = folder / f"{call}-{number}"
    log = folder / f"{call}-{number}.log"
    inject = f"inject={call}:signal=KILL:when={number}"
    code = traced(server, from_here, log, "-e", f"trace={call}", "-e", inject, "-o", "/dev/null", mutant=mutant)
    told = crashes.told(log)
    broken = crashes.broken_promises(told, crashes.reopen(from_here))
    shutil.rmtree(from_here)
    return code, told, broken


def killed_at_all(crashes, servers, folder, points, mutant=""):
    """Kill at every point, as many at a time as there are servers; return exit code, what was said, what was broken."""
    idle = SimpleQueue()
    for server in servers:
        idle.put(server)

    def kill(point):
        server = idle.get()
        try:
            return killed_at(crashes, server, folder, *point, mutant=mutant)
        finally:
            idle.put(server)

    with ThreadPoolExecutor(len(servers)) as pool:
        return dict(zip(points, pool.map(kill, points), strict=True))


def test_nothing_acknowledged_is_lost_wherever_it_is_killed(crashes, crash_servers, calls_made, tmp_path):
    points = [(call, number) for call in CALLS for number in range(1, calls_made[call] + 1)]
    assert len(points) >= 120
    found = killed_at_all(crashes, crash_servers, tmp_path, points)
    wrong = {point: broken for point, (_, _, broken) in found.items() if broken}
    killed = sum(code == -signal.SIGKILL for code, _, _ in found.values())
    acked = STILLS * sum(len(told.acked) for _, told, _ in found.values())
    print(f"{len(points)} kill points, {killed} killed, {acked} captures acknowledged, {len(wrong)} broken")  # noqa: T201
    assert wrong == {}
    assert killed >= 0.95 * len(points)
    assert acked >= ENOUGH


@pytest.mark.parametrize("mutant", ["ack early", "row before file"])
def test_the_oracle_sees_a_spool_that_does_not_keep_its_promise(crashes, crash_servers, calls_made, tmp_path, mutant):
    points = [(call, number) for call in ("fsync", "rename") for number in range(4, calls_made[call] + 1, 5)]
    found = killed_at_all(crashes, crash_servers, tmp_path, points, mutant)
    assert any(broken for _, _, broken in found.values())
