"""Each promise of the edge as a small check, and a deliberate break of it that the check has to see.

E1 has its own in `spool/`: killing and power cuts need processes and disks.
"""

import errno
import os
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from edge_capture import upload
from edge_capture.clock import SteadyClock
from edge_capture.errors import DamagedItem
from edge_capture.spool import BatchFacts, Spool, SpoolCaps
from edge_capture.upload import Outcome, Uploader
from footfall_assets.contracts.errors import TransientFailure
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.storage import lake as lake_module
from footfall_assets.storage.lake import FolderLake

START = datetime(2024, 6, 5, 10, tzinfo=UTC)
WIDE = SpoolCaps(10**9, 10**6)
EPOCH = UUID(int=1)


def put(spool: Spool, number: int, epoch: UUID = EPOCH) -> bytes:
    data = b"batch" * 100 + str(number).encode()
    moment = START + timedelta(seconds=number)
    key = f"landing/2024-06-05/store/door/{number}.tar"
    spool.put(BatchFacts(key, "door", number, 2, moment, moment, epoch, sha256_hex(data)), data)
    return data


def once_in_effect(folder, hand) -> bool:
    """E2: what lies under a key already is success only where it is the same."""
    lake, spool = FolderLake(folder / "lake"), Spool(folder / "spool", WIDE)
    put(spool, 1)
    lake.write("landing/2024-06-05/store/door/1.tar", b"somebody else's")
    Uploader(spool, lake, SteadyClock(hand), None, chance=random.Random(0)).step()  # noqa: S311
    kept = spool.status().items == 1
    spool.close()
    return kept


def break_once_in_effect(patch):
    real = FolderLake.write_once

    def careless(self, key, data):
        return False if self.exists(key) else real(self, key, data)

    patch.setattr(FolderLake, "write_once", careless)


def numbers_once(folder, hand) -> bool:
    """E3: a number is never given twice, over restarts and after everything was sent."""
    given = []
    for _ in range(3):
        spool = Spool(folder / "spool", WIDE)
        given += [spool.reserve("door"), spool.reserve("door")]
        spool.close()
    return given == [1, 2, 3, 4, 5, 6]


def break_numbers_once(patch):
    real = Spool.__init__

    def forgetful(self, *arguments, **more):
        real(self, *arguments, **more)
        self.last = 0

    def reserve(self, camera_id):
        self.last += 1
        return self.last

    patch.setattr(Spool, "__init__", forgetful)
    patch.setattr(Spool, "reserve", reserve)


def cap_holds_and_is_counted(folder, hand) -> bool:
    """E4: never more than the cap, and every drop counted with its numbers."""
    spool = Spool(folder / "spool", SpoolCaps(10**9, items=3))
    most = 0
    for number in range(1, 9):
        put(spool, number)
        most = max(most, len(list((folder / "spool" / "items").iterdir())))
    dropped = [each for loss in spool.losses() for each in range(loss.first_sequence, loss.last_sequence + 1)]
    counted = spool.status().counters["dropped_stills"]
    spool.close()
    return (most, dropped, counted) == (3, [1, 2, 3, 4, 5], 10)


def break_cap(patch):
    patch.setattr(Spool, "_make_room", lambda *_: None)


def break_count_of_drops(patch):
    real = Spool._drop

    def silent(self, item):
        remove = self._index.remove
        self._index.remove = lambda name, **_: remove(name)
        real(self, item)
        self._index.remove = remove

    patch.setattr(Spool, "_drop", silent)


def damage_stops_nothing(folder, hand) -> bool:
    """E5: a damaged item is set aside and the rest drains."""
    lake, spool = FolderLake(folder / "lake"), Spool(folder / "spool", WIDE)
    (folder / "lake").mkdir()
    for number in (1, 2, 3):
        put(spool, number)
    victim = min((folder / "spool" / "items").iterdir())
    victim.write_bytes(victim.read_bytes()[:-3])
    uploader = Uploader(spool, lake, SteadyClock(hand), None, chance=random.Random(0))  # noqa: S311
    for _ in range(20):
        try:
            hand.pass_(uploader.step().wait_s)
        except DamagedItem:
            break
    done = len(lake.list_keys("landing")) == 2 and spool.status().items == 0
    spool.close()
    return done


def break_quarantine(patch):
    patch.setattr(Spool, "set_aside", lambda *_: None)


class AwayLake:
    def __init__(self):
        self.up, self.told, self.taken = False, None, {}

    def write_once(self, key, data):
        self.server_time()
        self.taken[key] = data
        return True

    def server_time(self):
        if not self.up:
            raise TransientFailure("no route to host")
        return self.told


def resumes_soon(folder, hand) -> bool:
    """E6: days offline, and within ten seconds of the link's return the first batch is there."""
    lake, spool = AwayLake(), Spool(folder / "spool", WIDE)
    put(spool, 1)
    uploader = Uploader(spool, lake, SteadyClock(hand), None, chance=random.Random(0))  # noqa: S311
    until = hand.since_boot + 6 * 3600
    while hand.since_boot < until:
        hand.pass_(min(max(uploader.step().wait_s, 0.1), 1.0))
    lake.up, returned = True, hand.since_boot
    while (step := uploader.step()).outcome is not Outcome.SENT:
        hand.pass_(min(max(step.wait_s, 0.1), 1.0))
    spool.close()
    return hand.since_boot - returned <= 10


def break_probing(patch):
    patch.setattr(upload.Uploader, "_is_reachable", lambda _: False)


def break_backoff_cap(patch):
    patch.setattr(upload, "LONGEST_PAUSE_S", 10.0**9)
    patch.setattr(upload, "PROBE_EVERY_S", 10.0**9)


def wrong_times_are_doubted(folder, hand) -> bool:
    """E7: after a step no time is wrong and undoubted, and what was wrong all along is known before it is sent."""
    spool, lake = Spool(folder / "spool", WIDE), AwayLake()
    clock = SteadyClock(hand)
    uploader = Uploader(spool, lake, clock, None, chance=random.Random(0))  # noqa: S311
    put(spool, 1, clock.epoch)
    hand.wall += timedelta(days=3)
    fault = clock.check()
    steady = abs(clock.now() - START) < timedelta(seconds=1) and fault is not None
    lake.up, lake.told = True, hand.wall
    sent = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upload, "flagged", lambda data, fault, _: sent.append(fault) or data)
        uploader.step()
    spool.close()
    return steady and len(sent) == 1


def break_steady_time(patch):
    patch.setattr(SteadyClock, "now", lambda self: self._source.now())


def break_check(patch):
    patch.setattr(SteadyClock, "check", lambda _: None)


def break_comparing(patch):
    patch.setattr(Uploader, "_confirm_clock", lambda _: None)


def half_is_invisible(folder, hand) -> bool:
    """E8: a write that breaks off leaves nothing that a reader could take for an object."""
    lake, real = FolderLake(folder / "lake"), os.fsync
    lake.write("landing/whole.tar", b"whole")

    def broken(descriptor):
        raise OSError(errno.EIO, "I/O error")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        for write in (lake.write, lake.write_once):
            with pytest.raises(OSError, match="I/O error"):
                write("landing/a.tar", b"half of it")
    assert os.fsync is real
    return lake.list_keys("landing") == ["landing/whole.tar"]


def break_temporary_names(patch):
    def straight(self, key, data):
        path = self._prepare(key)
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    patch.setattr(lake_module.FolderLake, "write", straight)


BREAKS = [
    (once_in_effect, break_once_in_effect),
    (numbers_once, break_numbers_once),
    (cap_holds_and_is_counted, break_cap),
    (cap_holds_and_is_counted, break_count_of_drops),
    (damage_stops_nothing, break_quarantine),
    (resumes_soon, break_probing),
    (resumes_soon, break_backoff_cap),
    (wrong_times_are_doubted, break_steady_time),
    (wrong_times_are_doubted, break_check),
    (wrong_times_are_doubted, break_comparing),
    (half_is_invisible, break_temporary_names),
]


@pytest.fixture
def hand_at(hand_clock):
    return lambda: hand_clock(START)


@pytest.mark.parametrize("promise", dict.fromkeys(promise for promise, _ in BREAKS), ids=lambda each: each.__name__)
def test_the_promise_is_kept(promise, fast_folder, hand_at):
    assert promise(fast_folder, hand_at())


@pytest.mark.parametrize(("promise", "damage"), BREAKS, ids=lambda each: each.__name__)
def test_a_break_is_seen(promise, damage, fast_folder, hand_at, monkeypatch):
    damage(monkeypatch)
    assert not promise(fast_folder, hand_at())
