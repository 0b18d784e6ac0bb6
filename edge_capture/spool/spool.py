"""The spool: what it has taken is on disk, and stays there until the lake has it or the cap says otherwise.

index.sqlite       rows, counters, clock: see index.py
items/             one file per batch: see item.py
sequences/         the last number of each camera once more, should the index be lost
quarantine/        what is not what was put there, by reason
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import Final, Literal, TypeVar
from uuid import UUID

import structlog

from edge_capture.clock import ClockRecord
from edge_capture.errors import DamagedItem, SpoolFull, SpoolUnwritable
from edge_capture.spool.ballast import Ballast
from edge_capture.spool.index import IndexDamaged, Loss, LossReason, SpoolIndex, SpoolItem, loss_of
from edge_capture.spool.item import BatchFacts, Label, PlainText, Seal, pack_item, read_batch
from edge_capture.spool.quarantine import Quarantine
from edge_capture.spool.recovery import find_changes, read_numbers, write_number
from footfall_assets.contracts.batch import ClockFault
from footfall_assets.storage.lake import make_folder, sync_folder, written_whole

__all__ = ["Loss", "LossReason", "Spool", "SpoolCaps", "SpoolItem", "SpoolStatus"]

_QUARANTINE_SHARE: Final = 0.1  # of the caps; what is damaged must not crowd out what is not
_SPARE_BYTES: Final = 256 * 1024  # what the index needs to grow
_SPARE_FILES: Final = 4
_Answer = TypeVar("_Answer")
log = structlog.get_logger("edge_capture.spool")


@dataclass(frozen=True)
class SpoolCaps:
    """How much may lie on disk, and what gives way."""

    size_bytes: int
    items: int  # each is one file: a cap on inodes
    when_full: Literal["drop_oldest", "reject_new"] = "drop_oldest"


@dataclass(frozen=True)
class SpoolStatus:
    """How full it is, and what has become of everything since the spool was made."""

    items: int
    size_bytes: int
    oldest_at: datetime | None
    counters: Counter[str]
    quarantined_files: int


class Spool:
    """Batches between camera and lake. All methods may be called from any thread."""

    def __init__(self, folder: Path, caps: SpoolCaps, seal: Seal | None = None) -> None:
        """Open the spool in `folder`, mending what a crash or a bad disk left.

        Raises:
            SpoolUnwritable: the disk refuses.
        """
        self._items_folder = folder / "items"
        self._numbers = folder / "sequences"
        self._index_path = folder / "index.sqlite"
        self._caps = caps
        self._seal = seal or PlainText()
        self._lock = RLock()
        self._sending: set[int] = set()
        try:
            for each in (self._items_folder, self._numbers, folder / "quarantine"):
                make_folder(each)
            self._quarantine = Quarantine(folder / "quarantine")
            self._ballast = Ballast(folder / "ballast")
            self._recover()
        except OSError as error:
            raise SpoolUnwritable(f"{folder}: {error}; mend the disk, or choose another state folder") from error

    def _recover(self) -> None:
        try:
            self._index = SpoolIndex(self._index_path)
            self._match_files()
        except IndexDamaged as error:
            self._rebuild(error)

    def _ask(self, question: Callable[[SpoolIndex], _Answer]) -> _Answer:
        """Return what the index answers; where it is found damaged, that of the index made anew."""
        try:
            return question(self._index)
        except SpoolUnwritable:
            if not self._ballast.drop():
                raise
            return question(self._index)  # only what frees space is worth the ballast, and everything else waits
        except IndexDamaged as error:
            self._index.close()
            self._rebuild(error)
            return question(self._index)

    def _rebuild(self, error: IndexDamaged) -> None:
        """Set a damaged index aside and make it again from the item files."""
        log.error("spool index damaged, rebuilt from the item files", error=str(error))
        for suffix in ("", "-wal", "-shm"):
            part = self._index_path.with_name(self._index_path.name + suffix)
            if part.exists():
                self._quarantine.take(part, "index")
        sync_folder(self._index_path.parent)
        self._index = SpoolIndex(self._index_path)
        self._match_files()

    def _match_files(self) -> None:
        """Bring rows and files together: whatever one has without the other is adopted or set aside."""
        found = find_changes(self._items_folder, self._index.files())
        for path in found.unfinished:
            path.unlink(missing_ok=True)
        self._index.add(found.adopted)
        self._set_aside(found.damaged)
        self._floors = read_numbers(self._numbers)
        files = self._index.files()
        self._count, self._bytes = len(files), sum(files.values())
        if found.adopted or found.damaged or found.unfinished:
            log.warning(
                "spool mended",
                adopted=len(found.adopted),
                damaged=len(found.damaged),
                unfinished=len(found.unfinished),
            )

    def reserve(self, camera_id: str) -> int:
        """Return the next number of a camera, from 1, durable before it is returned: it is never given again.

        Raises:
            SpoolUnwritable: the disk refuses; no number was given.
        """
        with self._lock:
            return self._with_room(0, lambda: self._next_number(camera_id))

    def _next_number(self, camera_id: str) -> int:
        number = self._ask(lambda index: index.next_sequence(camera_id, self._floors.get(camera_id, 0)))
        self._floors[camera_id] = number
        try:
            write_number(self._numbers, camera_id, number)
        except OSError as error:
            raise SpoolUnwritable(f"sequence {number} of {camera_id}: {error}") from error
        return number

    def put(self, facts: BatchFacts, data: bytes) -> None:
        """Take a batch; once this has returned it survives a crash and a power cut.

        Raises:
            SpoolFull: the cap is reached and what is new is to be refused; the refusal is counted.
            SpoolUnwritable: the disk refuses; nothing was taken, and the same call may be made again.
        """
        label, content = pack_item(facts, data, self._seal)
        with self._lock:
            self._make_room(facts, len(content))
            self._with_room(len(content), lambda: self._store(label, content))

    def _with_room(self, size: int, write: Callable[[], _Answer]) -> _Answer:
        """Return what `write` gives, on a full disk after the oldest have given way for `size` bytes."""
        try:
            return write()
        except SpoolUnwritable:
            if not self._give_way(size):
                raise
            return write()

    def _store(self, label: Label, content: bytes) -> None:
        name = label.facts.name
        before = self._ask(lambda index: index.named(name))
        try:
            # A file that could not be synced is thrown away: after EIO its pages count as clean although they are not.
            with written_whole(self._items_folder / name) as partial:
                partial.write(content)
        except OSError as error:
            raise SpoolUnwritable(f"{name}: {error}") from error
        self._ask(lambda index: index.add([label]))
        self._bytes += len(content) - (before.size_bytes if before else 0)
        self._count += 0 if before else 1

    def _make_room(self, facts: BatchFacts, size: int) -> None:
        room = self._caps.size_bytes - self._quarantine.size_bytes
        while self._count + 1 > self._caps.items or self._bytes + size > room:
            victim = self._oldest_idle() if self._caps.when_full == "drop_oldest" and size <= room else None
            if victim is None:
                self.lose(facts, LossReason.REJECTED)
                raise SpoolFull(
                    f"{facts.name}: {size} bytes do not fit beside {self._count} batches of {self._bytes} bytes "
                    f"(cap {self._caps.items}, {self._caps.size_bytes}, {self._caps.when_full})"
                )
            self._drop(victim)

    def _give_way(self, size: int) -> bool:
        """Drop as many of the oldest as the disk may need for `size` bytes; return whether there was anything.

        The cap may be higher than what the disk has left: its policy holds then as well.
        """
        if self._caps.when_full != "drop_oldest" or not _is_full(self._items_folder, size):
            return False
        freed = 0
        while freed < max(size, 1) and (victim := self._oldest_idle()):
            # The file goes first: on a full disk the row may find no room before it has.
            (self._items_folder / victim.facts.name).unlink(missing_ok=True)
            self._drop(victim)
            freed += victim.size_bytes
        return freed > 0

    def _oldest_idle(self) -> SpoolItem | None:
        return self._ask(lambda index: index.oldest(self._sending))

    def _drop(self, item: SpoolItem) -> None:
        loss = loss_of(item.facts, LossReason.DROPPED_OLDEST)
        counts = {"dropped_items": 1, "dropped_stills": item.facts.stills}
        self._ask(lambda index: index.remove(item.facts.name, loss=loss, counts=counts))
        self._forget(item)
        log.warning("batch dropped", camera=item.facts.camera_id, sequence=item.facts.sequence, stills=loss.stills)

    def lose(self, facts: BatchFacts, reason: LossReason) -> None:
        """Count a batch that was captured and never became an item.

        Raises:
            SpoolUnwritable: the disk refuses even that.
        """
        counts = {"dropped_items": 1, "dropped_stills": facts.stills}
        with self._lock:
            self._ask(lambda index: index.note(loss_of(facts, reason), counts))

    def oldest(self, skip: Iterable[int] = ()) -> SpoolItem | None:
        """Return the batch that came first, those in `skip` left out, or None; it is not dropped until `release`."""
        with self._lock:
            item = self._ask(lambda index: index.oldest(set(skip)))
            self._sending = {item.id} if item else set()
            return item

    def release(self) -> None:
        """Nothing is being sent any more."""
        with self._lock:
            self._sending = set()

    def read(self, item: SpoolItem) -> bytes:
        """Return the plain bytes of a batch.

        Raises:
            DamagedItem: they are not what was put there; see `set_aside`.
            KeyMissing: encrypted with a key that is gone.
            SpoolUnwritable: the disk refuses to be read.
        """
        try:
            return read_batch(self._items_folder / item.facts.name, item.facts, self._seal)
        except OSError as error:
            raise SpoolUnwritable(f"{item.facts.name}: {error}") from error

    def done(self, item: SpoolItem) -> None:
        """Forget a batch that the lake has."""
        with self._lock:
            # Row first: a file without a row is sent once more, which does no harm.
            counts = {"uploaded_items": 1, "uploaded_bytes": item.size_bytes, "uploaded_stills": item.facts.stills}
            self._ask(lambda index: index.remove(item.facts.name, counts=counts))
            self._forget(item)
            self._sending.discard(item.id)

    def set_aside(self, item: SpoolItem, error: DamagedItem) -> None:
        """Move a damaged batch to quarantine and count it."""
        with self._lock:
            self._set_aside({item.facts.name: error})
            self._count -= 1
            self._bytes -= item.size_bytes
            self._sending.discard(item.id)

    def _set_aside(self, damaged: Mapping[str, DamagedItem]) -> None:
        for name, error in damaged.items():
            log.error("damaged item set aside", item=name, reason=error.reason, error=str(error))
            if (self._items_folder / name).exists():
                self._quarantine.take(self._items_folder / name, error.reason)
        self._quarantine.trim(
            most_files=int(self._caps.items * _QUARANTINE_SHARE),
            most_bytes=int(self._caps.size_bytes * _QUARANTINE_SHARE),
        )
        self._ask(lambda index: index.give_up(damaged.keys()))

    def _forget(self, item: SpoolItem) -> None:
        self._count -= 1
        self._bytes -= item.size_bytes
        # A file that will not go is found without a row at the next start, and sent once more.
        with suppress(OSError):
            (self._items_folder / item.facts.name).unlink(missing_ok=True)
        self._ballast.restore()

    def limit(self, caps: SpoolCaps) -> None:
        """Use other caps from the next batch on."""
        with self._lock:
            self._caps = caps

    def status(self) -> SpoolStatus:
        """Return how full it is and what was counted."""
        with self._lock:
            oldest = self._ask(lambda index: index.oldest(set()))
            counters = Counter(self._ask(lambda index: index.counters()))
            return SpoolStatus(
                self._count, self._bytes, oldest.facts.first_at if oldest else None, counters, self._quarantine.files
            )

    def losses(self) -> list[Loss]:
        """Return what will not arrive: camera, numbers, stills and time span of each loss, oldest first."""
        with self._lock:
            return self._ask(lambda index: index.losses())

    def sequences(self) -> dict[str, int]:
        """Return the last number that each camera was given."""
        with self._lock:
            return self._ask(lambda index: index.sequences())

    def keep_clock(self, record: ClockRecord) -> None:
        """Keep the last believed moment for the next start."""
        with self._lock:
            self._ask(lambda index: index.keep_clock(record))

    def known_clock(self) -> ClockRecord | None:
        """Return the last believed moment, or None on a first start."""
        with self._lock:
            return self._ask(lambda index: index.known_clock())

    def doubt(self, epoch: UUID, fault: ClockFault) -> None:
        """Remember that batches dated on this timeline are dated wrongly; they are flagged when they are sent."""
        with self._lock:
            self._ask(lambda index: index.doubt(epoch, fault))

    def doubts(self) -> dict[UUID, ClockFault]:
        """Return the timelines in doubt."""
        with self._lock:
            return self._ask(lambda index: index.doubts())

    def close(self) -> None:
        """Close the index."""
        with self._lock:
            self._index.close()


def _is_full(folder: Path, size: int) -> bool:
    """Return whether the disk has no room for `size` bytes, or none for another file."""
    disk = os.statvfs(folder)
    no_files_left = disk.f_files > 0 and disk.f_favail < _SPARE_FILES
    return disk.f_bavail * disk.f_frsize < size + _SPARE_BYTES or no_files_left
