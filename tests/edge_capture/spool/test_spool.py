"""The spool without crashes: order, caps, damage, restarts, keys, disks that refuse."""

import errno
import os
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_capture.clock import ClockRecord
from edge_capture.encryption import BatchSeal
from edge_capture.errors import DamagedItem, KeyMissing, SpoolFull, SpoolUnwritable
from edge_capture.spool import LossReason, Spool, SpoolCaps, index
from edge_capture.spool.item import pack_item
from edge_capture.spool.spool import BatchFacts
from footfall_assets.contracts.batch import ClockFault
from footfall_assets.contracts.ids import sha256_hex

START = datetime(2024, 1, 5, 10, tzinfo=UTC)
WIDE = SpoolCaps(size_bytes=10**9, items=10**6)
MARK = b"plain bytes of a picture"


def data_of(number: int, size: int = 400) -> bytes:
    return MARK + number.to_bytes(4, "big") * (size // 4)


def facts(number: int, data: bytes, camera: str = "door", stills: int = 3) -> BatchFacts:
    moment = START + timedelta(seconds=number)
    return BatchFacts(
        f"landing/2024-01-05/store/{camera}/{number}.tar",
        camera,
        number,
        stills,
        moment,
        moment + timedelta(seconds=1),
        UUID(int=7),
        sha256_hex(data),
    )


def fill(spool: Spool, count: int, camera: str = "door") -> list[int]:
    numbers = []
    for _ in range(count):
        number = spool.reserve(camera)
        data = data_of(number)
        spool.put(facts(number, data, camera), data)
        numbers.append(number)
    return numbers


def drain(spool: Spool) -> list[tuple[str, int]]:
    sent = []
    while item := spool.oldest():
        assert spool.read(item) == data_of(item.facts.sequence)
        sent.append((item.facts.camera_id, item.facts.sequence))
        spool.done(item)
    return sent


@pytest.fixture
def opened(tmp_path):
    """Open spools in one folder, closing the last one first."""
    last: list[Spool] = []

    def open_again(caps=WIDE, seal=None) -> Spool:
        for each in last:
            each.close()
        last[:] = [Spool(tmp_path / "spool", caps, seal)]
        return last[0]

    yield open_again
    for each in last:
        each.close()


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "spool"


def test_what_came_first_goes_first(opened):
    spool = opened()
    for camera in ("door", "aisle", "door"):
        fill(spool, 1, camera)
    assert drain(spool) == [("door", 1), ("aisle", 1), ("door", 2)]
    assert spool.oldest() is None
    assert spool.status().counters["uploaded_items"] == 3


def test_order_and_counts_outlive_a_restart(opened):
    fill(opened(), 3)
    spool = opened()
    fill(spool, 2)
    assert spool.status().items == 5
    assert [number for _, number in drain(spool)] == [1, 2, 3, 4, 5]
    assert opened().status().counters["uploaded_stills"] == 15


@given(
    st.lists(st.tuples(st.sampled_from(["door", "aisle"]), st.sampled_from(["put", "send", "restart"])), max_size=30)
)
@settings(max_examples=20, deadline=None)
def test_a_number_is_never_given_twice_and_starts_at_one(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("spool")
    spool, given_numbers = Spool(folder, WIDE), {"door": [], "aisle": []}
    for camera, step in steps:
        if step == "put":
            given_numbers[camera] += fill(spool, 1, camera)
        elif step == "send" and (item := spool.oldest()):
            spool.done(item)
        elif step == "restart":
            spool.close()
            spool = Spool(folder, WIDE)
    spool.close()
    for numbers in given_numbers.values():
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("lost", ["index", "numbers", "number garbled"])
def test_a_number_is_not_given_again_where_one_of_its_two_places_is_lost(opened, folder, lost):
    """With the index gone only the waiting items know their numbers, and the newest ones have been sent."""
    spool = opened()
    fill(spool, 4)
    drain(spool)
    spool.close()
    if lost == "index":
        (folder / "index.sqlite").write_bytes(b"not a database, and long enough to look at" * 100)
        for suffix in ("-wal", "-shm"):
            folder.joinpath(f"index.sqlite{suffix}").unlink(missing_ok=True)
    elif lost == "numbers":
        shutil.rmtree(folder / "sequences")
    else:
        (folder / "sequences" / "door").write_bytes(b"\x00\xff12")
    assert opened().reserve("door") == 5


def test_the_oldest_makes_room_and_is_counted(opened):
    spool = opened(SpoolCaps(10**9, items=3))
    fill(spool, 5)
    assert spool.status().items == 3
    [loss] = spool.losses()
    assert (loss.camera_id, loss.reason) == ("door", LossReason.DROPPED_OLDEST)
    assert (loss.first_sequence, loss.last_sequence, loss.batches, loss.stills) == (1, 2, 2, 6)
    assert (loss.first_at, loss.last_at) == (START + timedelta(seconds=1), START + timedelta(seconds=3))
    assert [number for _, number in drain(spool)] == [3, 4, 5]
    counters = opened().status().counters
    assert (counters["dropped_items"], counters["dropped_stills"]) == (2, 6)


def test_losses_of_several_cameras_are_told_apart(opened):
    spool = opened(SpoolCaps(10**9, items=2))
    for camera in ("door", "aisle", "door", "aisle", "door"):
        fill(spool, 1, camera)
    assert [(each.camera_id, each.first_sequence, each.last_sequence) for each in spool.losses()] == [
        ("door", 1, 2),
        ("aisle", 1, 1),
    ]


def test_what_is_new_is_refused_where_that_is_the_policy(opened):
    spool = opened(SpoolCaps(10**9, items=2, when_full="reject_new"))
    fill(spool, 2)
    with pytest.raises(SpoolFull, match="reject_new"):
        fill(spool, 1)
    [loss] = spool.losses()
    assert (loss.reason, loss.first_sequence, loss.stills) == (LossReason.REJECTED, 3, 3)
    assert [number for _, number in drain(spool)] == [1, 2]
    assert fill(spool, 1) == [4]


@given(st.lists(st.integers(0, 6000), min_size=1, max_size=16), st.sampled_from(["drop_oldest", "reject_new"]))
@settings(max_examples=12, deadline=None)
def test_the_cap_holds_and_everything_is_counted(tmp_path_factory, sizes, when_full):
    cap, folder = 12_000, tmp_path_factory.mktemp("spool")
    spool = Spool(folder, SpoolCaps(cap, items=8, when_full=when_full))
    refused = 0
    for size in sizes:
        number = spool.reserve("door")
        try:
            spool.put(facts(number, data_of(number, size)), data_of(number, size))
        except SpoolFull:
            refused += 1
        files = list((folder / "items").iterdir())
        assert sum(path.stat().st_size for path in files) <= cap
        assert len(files) <= 8
    status = spool.status()
    spool.close()
    assert status.items + status.counters["dropped_items"] == len(sizes)
    assert status.counters["dropped_stills"] == 3 * status.counters["dropped_items"]
    if when_full == "reject_new":
        assert status.counters["dropped_items"] == refused


def test_what_is_being_sent_is_not_dropped(opened):
    spool = opened(SpoolCaps(10**9, items=2))
    fill(spool, 2)
    sending = spool.oldest()
    fill(spool, 1)
    spool.done(sending)
    assert [number for _, number in drain(spool)] == [3]
    assert [each.first_sequence for each in spool.losses()] == [2]


def test_a_lower_cap_holds_from_the_next_batch_on(opened):
    spool = opened()
    fill(spool, 6)
    spool.limit(SpoolCaps(10**9, items=2))
    fill(spool, 1)
    assert [number for _, number in drain(spool)] == [6, 7]


DAMAGES = {
    "deleted": lambda path: path.unlink(),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "emptied": lambda path: path.write_bytes(b""),
    "first byte": lambda path: flip(path, 0),
    "length": lambda path: flip(path, 8),
    "label": lambda path: flip(path, 40),
    "first byte of the payload": lambda path: flip(path, -424),
    "last byte": lambda path: flip(path, -1),
}


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x41
    path.write_bytes(content)


@pytest.mark.parametrize("when", ["running", "at the start", "without an index"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_item_is_set_aside_and_the_others_drain(opened, folder, damage, when):
    spool = opened()
    fill(spool, 5)
    [victim] = [path for path in (folder / "items").iterdir() if "0003" in path.name]
    DAMAGES[damage](victim)
    if when == "without an index":
        spool.close()
        (folder / "index.sqlite").unlink()
    if when != "running":
        spool = opened()
    arrived = []
    while item := spool.oldest():
        try:
            assert spool.read(item) == data_of(item.facts.sequence)
        except DamagedItem as error:
            spool.set_aside(item, error)
        else:
            arrived.append(item.facts.sequence)
            spool.done(item)
    assert arrived == [1, 2, 4, 5]
    assert spool.status().items == spool.status().size_bytes == 0
    if (damage, when) == ("deleted", "without an index"):
        return  # nobody knows that it was ever there, but for the gap in the numbers
    assert spool.status().counters["quarantined_items"] == 1
    if when != "without an index":
        assert [(each.reason, each.first_sequence) for each in spool.losses()] == [(LossReason.DAMAGED, 3)]
    kept = [path for path in (folder / "quarantine").rglob("*") if path.is_file() and "index" not in path.name]
    assert len(kept) == (damage != "deleted")


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_a_garbled_index_stops_nothing(tmp_path_factory, data):
    """Whatever bytes of the database are hit, it opens, every batch arrives, and none is made up."""
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder, WIDE)
    fill(spool, 4)
    spool.close()
    path = folder / "index.sqlite"
    content = bytearray(path.read_bytes())
    start = data.draw(st.integers(0, len(content) - 1))
    length = data.draw(st.sampled_from([1, 16, 600, 5000, len(content)]))
    for at in range(start, min(start + length, len(content))):
        content[at] ^= 0x5A
    path.write_bytes(content)
    spool = Spool(folder, WIDE)
    arrived = []
    while item := spool.oldest():
        try:
            assert spool.read(item) == data_of(item.facts.sequence)
            arrived.append(item.facts.sequence)
        except DamagedItem as error:
            spool.set_aside(item, error)
            arrived.append(-item.facts.sequence)
        else:
            spool.done(item)
    number = spool.reserve("door")
    spool.close()
    assert sorted(abs(each) for each in arrived) == list(range(1, 5))
    assert number == 5


def test_an_index_damaged_while_it_is_open_is_made_again(opened, folder):
    spool = opened()
    fill(spool, 3)
    spool.close()  # so that the next question reads from the file
    (folder / "index.sqlite").write_bytes(os.urandom(40_960))
    assert [number for _, number in drain(spool)] == [1, 2, 3]
    assert fill(spool, 1) == [4]
    assert list((folder / "quarantine" / "index").iterdir())


def test_quarantine_does_not_crowd_out_what_is_whole(opened, folder):
    spool = opened(SpoolCaps(size_bytes=60_000, items=1000))
    for _ in range(20):
        fill(spool, 1)
        item = spool.oldest()
        spool.set_aside(item, DamagedItem("hash_mismatch", "as if"))
    kept = sum(path.stat().st_size for path in (folder / "quarantine").rglob("*") if path.is_file())
    assert 0 < kept <= 6_000 + 1000
    assert spool.status().counters["quarantined_items"] == 20


def test_a_file_that_was_never_finished_is_removed(opened, folder):
    fill(opened(), 1)
    (folder / "items" / ".partial-abc").write_bytes(b"half")
    spool = opened()
    assert not (folder / "items" / ".partial-abc").exists()
    assert drain(spool) == [("door", 1)]


def test_a_file_under_another_name_is_no_batch(opened, folder):
    fill(opened(), 2)
    source = folder / "items" / "door.000000000001.batch"
    shutil.copy(source, folder / "items" / "aisle.000000000009.batch")
    spool = opened()
    assert len(drain(spool)) == 2
    assert spool.status().counters["quarantined_items"] == 1


@pytest.mark.parametrize("index_is_there", [True, False])
def test_thousands_of_items_are_there_again_after_a_restart(opened, folder, index_is_there):
    """How long ten thousand take is measured in benchmarks/edge_spool.py."""
    spool = opened()
    labels = []
    for number in range(1, 2_001):
        data = data_of(number, 40)
        label, content = pack_item(facts(number, data), data, spool._seal)
        (folder / "items" / label.facts.name).write_bytes(content)
        labels.append(label)
    spool._index.add(labels)
    spool.close()
    if not index_is_there:
        (folder / "index.sqlite").unlink()
    spool = opened()
    assert spool.status().items == 2_000
    assert spool.oldest().facts.sequence == 1
    assert spool.reserve("door") == 2_001


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_disk_that_refuses_acknowledges_nothing_and_recovers(opened, monkeypatch, error):
    spool = opened()
    fill(spool, 1)
    number, real = spool.reserve("door"), os.fsync
    data = data_of(number)

    def refuse(descriptor):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(SpoolUnwritable):
        spool.put(facts(number, data), data)
    assert spool.status().items == 1
    monkeypatch.setattr(os, "fsync", real)
    spool.put(facts(number, data), data)
    assert [each for _, each in drain(spool)] == [1, 2]


def test_a_file_whose_sync_failed_is_written_anew(opened, folder, monkeypatch):
    """After EIO the kernel calls the pages clean: syncing the same file again would succeed, and mean nothing."""
    spool, real, synced = opened(), os.fsync, []

    def once_broken(descriptor):
        synced.append(os.fstat(descriptor).st_ino)
        if len(synced) == 1:
            raise OSError(errno.EIO, "I/O error")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", once_broken)
    data = data_of(1)
    with pytest.raises(SpoolUnwritable):
        spool.put(facts(1, data), data)
    assert list((folder / "items").iterdir()) == []
    spool.put(facts(1, data), data)
    monkeypatch.undo()
    assert drain(spool) == [("door", 1)]


def test_a_row_that_cannot_be_written_acknowledges_nothing(opened, monkeypatch):
    spool = opened()
    fill(spool, 1)
    number = spool.reserve("door")
    data = data_of(number)
    real = spool._index.add

    def refuse(labels):
        raise SpoolUnwritable("disk I/O error")

    monkeypatch.setattr(spool._index, "add", refuse)
    with pytest.raises(SpoolUnwritable):
        spool.put(facts(number, data), data)
    monkeypatch.setattr(spool._index, "add", real)
    spool.put(facts(number, data), data)
    assert [each for _, each in drain(spool)] == [1, 2]


@pytest.fixture
def small_disk(tmp_path):
    """Mount a tmpfs with the options given."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    where = tmp_path / "small"
    where.mkdir()

    def mount(options: str) -> Path:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", where], capture_output=True, check=False)
        if made.returncode:
            pytest.skip(f"no tmpfs can be mounted here: {made.stderr.decode().strip()}")
        return where

    yield mount
    subprocess.run(["umount", "-l", where], capture_output=True, check=False)


@pytest.mark.parametrize("options", ["size=4m", "nr_inodes=24,size=64m"], ids=["bytes", "inodes"])
@pytest.mark.parametrize("when_full", ["drop_oldest", "reject_new"])
def test_a_full_disk_keeps_the_policy_and_recovers(small_disk, options, when_full):
    """The cap is higher than the disk: it is the disk itself that says no, in the middle of a write."""
    where = small_disk(options)
    spool = Spool(where / "spool", SpoolCaps(10**9, 10**6, when_full))
    acked, refused = [], 0
    for _ in range(130):
        try:
            number = spool.reserve("door")
            data = data_of(number, 40_000)
            spool.put(facts(number, data), data)
            acked.append(number)
        except SpoolUnwritable:
            refused += 1
    lost = sum(each.batches for each in spool.losses())
    assert refused if when_full == "reject_new" else lost
    spool.close()
    spool = Spool(where / "spool", SpoolCaps(10**9, 10**6, when_full))
    held = []
    while item := spool.oldest():
        assert spool.read(item) == data_of(item.facts.sequence, 40_000)
        held.append(item.facts.sequence)
        spool.done(item)
    dropped = {each for loss in spool.losses() for each in range(loss.first_sequence, loss.last_sequence + 1)}
    assert set(acked) == set(held) | dropped
    assert set(acked) - dropped <= set(held)
    assert fill(spool, 1)  # there is room again
    spool.close()


def test_a_read_only_disk_is_waited_for(small_disk):
    where = small_disk("size=4m")
    spool = Spool(where / "spool", WIDE)
    fill(spool, 2)
    spool.close()  # a tmpfs is not remounted under a file that is open for writing; a broken ext4 is
    subprocess.run(["mount", "-o", "remount,ro", where], check=True)
    with pytest.raises(SpoolUnwritable):
        spool.reserve("door")
    data = data_of(9)
    with pytest.raises(SpoolUnwritable):
        spool.put(facts(9, data), data)
    subprocess.run(["mount", "-o", "remount,rw", where], check=True)
    fill(spool, 1)
    assert [number for _, number in drain(spool)][:2] == [1, 2]
    spool.close()


def test_a_spool_that_cannot_be_opened_says_so(tmp_path):
    (tmp_path / "spool").write_bytes(b"a file where the folder should be")
    with pytest.raises(SpoolUnwritable, match="another state folder"):
        Spool(tmp_path / "spool", WIDE)


def test_with_a_key_no_plain_byte_touches_the_disk(opened, folder):
    seal = BatchSeal(bytes(range(32)))
    spool = opened(seal=seal)
    fill(spool, 4)
    on_disk = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert MARK not in on_disk
    assert len(drain(spool)) == 4


def test_without_the_key_nothing_is_sent_and_nothing_is_thrown_away(opened):
    fill(opened(seal=BatchSeal(bytes(32))), 1)
    for other in (None, BatchSeal(b"1" * 32)):
        spool = opened(seal=other)
        with pytest.raises(KeyMissing, match="restore the key file"):
            spool.read(spool.oldest())
    assert drain(opened(seal=BatchSeal(bytes(32)))) == [("door", 1)]


def test_a_batch_from_before_the_key_is_still_sent(opened):
    fill(opened(), 1)
    assert drain(opened(seal=BatchSeal(bytes(32)))) == [("door", 1)]


def test_the_last_believed_moment_and_the_doubts_are_kept(opened):
    record = ClockRecord(START, 12.5, UUID(int=1), UUID(int=2), ClockFault.BEHIND, -3.0)
    spool = opened()
    assert spool.known_clock() is None
    spool.keep_clock(record)
    spool.doubt(UUID(int=2), ClockFault.AHEAD)
    spool = opened()
    assert spool.known_clock() == record
    assert spool.doubts() == {UUID(int=2): ClockFault.AHEAD}


def test_every_commit_is_synced(opened):
    assert index.DURABILITY == "PRAGMA synchronous=FULL"
    spool = opened()
    connection: sqlite3.Connection = spool._index._connection()
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
