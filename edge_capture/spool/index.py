"""The spool's index: one SQLite file in WAL mode, synced at every commit.

It is a cache of the item files plus counters: a damaged index is set aside and made again from the files.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import UUID

from edge_capture.clock import ClockRecord
from edge_capture.errors import DamagedItem, SpoolUnwritable
from edge_capture.spool.item import BatchFacts, Label, item_bytes
from footfall_assets.contracts.batch import ClockFault

# WAL with NORMAL may roll back commits in a power cut: 200 of 200 acknowledged rows were lost, with FULL none.
DURABILITY: Final = "PRAGMA synchronous=FULL"
SMALL_LOG: Final = "PRAGMA wal_autocheckpoint=100"  # pages of 4 kB: on a full disk the log must not need much
_MOST_LOSSES: Final = 10_000  # spans kept with camera and times; the totals count on
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS items (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, size_bytes INTEGER NOT NULL, label TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS sequences (camera_id TEXT PRIMARY KEY, last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS losses (
    id INTEGER PRIMARY KEY AUTOINCREMENT, camera_id TEXT NOT NULL, reason TEXT NOT NULL,
    first_sequence INTEGER NOT NULL, last_sequence INTEGER NOT NULL, batches INTEGER NOT NULL, stills INTEGER NOT NULL,
    first_at TEXT NOT NULL, last_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS clock (
    only INTEGER PRIMARY KEY CHECK (only = 1), wall TEXT NOT NULL, monotonic_s REAL NOT NULL, boot_id TEXT NOT NULL,
    epoch TEXT NOT NULL, anchor_fault TEXT, excused_s REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS doubted (epoch TEXT PRIMARY KEY, fault TEXT NOT NULL);
"""


class IndexDamaged(Exception):
    """The SQLite file is not what SQLite wrote."""


class LossReason(StrEnum):
    """Why a batch that was captured will not arrive."""

    DROPPED_OLDEST = "dropped_oldest"  # the cap was reached, the oldest made room
    REJECTED = "rejected"  # the cap was reached, the newest was refused
    UNWRITABLE = "unwritable"  # the disk took nothing for longer than memory could hold it
    DAMAGED = "damaged"  # in quarantine on this device


@dataclass(frozen=True)
class Loss:
    """Batches of one camera, one after the other, that will not arrive."""

    camera_id: str
    reason: LossReason
    first_sequence: int
    last_sequence: int
    batches: int
    stills: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class SpoolItem:
    """A batch in the spool."""

    id: int  # in order of arrival
    facts: BatchFacts
    size_bytes: int  # of its file


class SpoolIndex:
    """Rows of items, sequences, losses and counters. Not safe for threads: the spool holds the lock."""

    def __init__(self, path: Path) -> None:
        """Open or make the index.

        Raises:
            IndexDamaged: the file is no sound SQLite database.
            SpoolUnwritable: the disk refuses.
        """
        self._path = path
        self._open: sqlite3.Connection | None = None
        with self.transaction(writes=False) as rows:
            [answer] = rows.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            self.close()
            raise IndexDamaged(f"{path}: {answer}")

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            connection = sqlite3.connect(self._path, timeout=5.0, isolation_level=None, check_same_thread=False)
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute(DURABILITY)
                connection.execute(SMALL_LOG)
                connection.executescript(_SCHEMA)
            except BaseException:
                connection.close()
                raise
            self._open = connection
        return self._open

    @contextmanager
    def transaction(self, *, writes: bool = True) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one transaction; what it `writes` is on disk when the block has ended.

        Raises:
            SpoolUnwritable: the disk refused; nothing of it counts.
            IndexDamaged: the database is not sound.
        """
        try:
            rows = self._connection()
            rows.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            yield rows
            rows.execute("COMMIT")
        except sqlite3.OperationalError as error:
            # After a failed sync nobody knows what SQLite's pages hold: it opens the file anew the next time.
            self.close()
            raise SpoolUnwritable(f"{self._path}: {error}; is the disk full, read-only or broken?") from error
        except sqlite3.DatabaseError as error:
            self.close()
            raise IndexDamaged(f"{self._path}: {error}") from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; a transaction that is open is undone."""
        connection, self._open = self._open, None
        if connection is not None:
            connection.close()

    def next_sequence(self, camera_id: str, floor: int) -> int:
        """Return a number never given before and higher than `floor`, and keep it."""
        with self.transaction() as rows:
            found = rows.execute("SELECT last FROM sequences WHERE camera_id = ?", (camera_id,)).fetchone()
            number = max(found[0] if found else 0, floor) + 1
            rows.execute("INSERT OR REPLACE INTO sequences VALUES (?, ?)", (camera_id, number))
        return number

    def sequences(self) -> dict[str, int]:
        """Return the last number of each camera."""
        with self.transaction(writes=False) as rows:
            return dict(rows.execute("SELECT camera_id, last FROM sequences").fetchall())

    def add(self, labels: Sequence[Label]) -> None:
        """Keep rows for item files that are on disk already; one of the same name is replaced."""
        with self.transaction() as rows:
            for label in labels:
                facts, text = label.facts, label.to_json()
                rows.execute(
                    "INSERT INTO items (name, size_bytes, label) VALUES (?, ?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET size_bytes = excluded.size_bytes, label = excluded.label",
                    (facts.name, item_bytes(label, text), text),
                )
                rows.execute(
                    "INSERT INTO sequences VALUES (?, ?) ON CONFLICT (camera_id) DO UPDATE SET "
                    "last = max(last, excluded.last)",
                    (facts.camera_id, facts.sequence),
                )

    def files(self) -> dict[str, int]:
        """Return the expected size of each item file by name."""
        with self.transaction(writes=False) as rows:
            return dict(rows.execute("SELECT name, size_bytes FROM items").fetchall())

    def named(self, name: str) -> SpoolItem | None:
        """Return the item of that name, or None."""
        with self.transaction(writes=False) as rows:
            row = rows.execute("SELECT id, size_bytes, label FROM items WHERE name = ?", (name,)).fetchone()
        return _item(row) if row else None

    def oldest(self, skip: set[int]) -> SpoolItem | None:
        """Return the item that came first, those in `skip` left out; raises DamagedItem where its row is garbled."""
        with self.transaction(writes=False) as rows:
            for row in rows.execute("SELECT id, size_bytes, label FROM items ORDER BY id"):
                if row[0] not in skip:
                    return _item(row)
        return None

    def remove(self, name: str, *, loss: Loss | None = None, counts: dict[str, int] | None = None) -> None:
        """Forget an item; what became of it is counted in the same transaction."""
        with self.transaction() as rows:
            rows.execute("DELETE FROM items WHERE name = ?", (name,))
            _count(rows, counts or {})
            if loss:
                _note(rows, loss)

    def give_up(self, names: Iterable[str]) -> None:
        """Forget damaged items; each is counted, and a loss where there was a row for it."""
        with self.transaction() as rows:
            for name in names:
                row = rows.execute("SELECT id, size_bytes, label FROM items WHERE name = ?", (name,)).fetchone()
                rows.execute("DELETE FROM items WHERE name = ?", (name,))
                _count(rows, {"quarantined_items": 1})
                if row:
                    _note(rows, loss_of(_item(row).facts, LossReason.DAMAGED))

    def note(self, loss: Loss, counts: dict[str, int]) -> None:
        """Count batches that never became items."""
        with self.transaction() as rows:
            _count(rows, counts)
            _note(rows, loss)

    def counters(self) -> dict[str, int]:
        """Return all counters."""
        with self.transaction(writes=False) as rows:
            return dict(rows.execute("SELECT name, value FROM counters").fetchall())

    def losses(self) -> list[Loss]:
        """Return the losses, oldest first."""
        with self.transaction(writes=False) as rows:
            found = rows.execute(
                "SELECT camera_id, reason, first_sequence, last_sequence, batches, stills, first_at, last_at "
                "FROM losses ORDER BY id"
            ).fetchall()
        return [
            Loss(
                camera,
                LossReason(reason),
                first,
                last,
                batches,
                stills,
                datetime.fromisoformat(a),
                datetime.fromisoformat(z),
            )
            for camera, reason, first, last, batches, stills, a, z in found
        ]

    def keep_clock(self, record: ClockRecord) -> None:
        """Keep the last believed moment."""
        with self.transaction() as rows:
            rows.execute(
                "INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?, ?, ?, ?)",
                (
                    record.wall.isoformat(),
                    record.monotonic_s,
                    str(record.boot_id),
                    str(record.epoch),
                    record.anchor_fault,
                    record.excused_s,
                ),
            )

    def known_clock(self) -> ClockRecord | None:
        """Return the last believed moment, or None on a first start."""
        with self.transaction(writes=False) as rows:
            row = rows.execute(
                "SELECT wall, monotonic_s, boot_id, epoch, anchor_fault, excused_s FROM clock"
            ).fetchone()
        if row is None:
            return None
        fault = ClockFault(row[4]) if row[4] else None
        return ClockRecord(datetime.fromisoformat(row[0]), row[1], UUID(row[2]), UUID(row[3]), fault, row[5])

    def doubt(self, epoch: UUID, fault: ClockFault) -> None:
        """Remember that what was dated on this timeline may be dated wrongly."""
        with self.transaction() as rows:
            rows.execute("INSERT OR IGNORE INTO doubted VALUES (?, ?)", (str(epoch), fault))

    def doubts(self) -> dict[UUID, ClockFault]:
        """Return the timelines in doubt."""
        with self.transaction(writes=False) as rows:
            found = rows.execute("SELECT epoch, fault FROM doubted").fetchall()
        return {UUID(epoch): ClockFault(fault) for epoch, fault in found}


def loss_of(facts: BatchFacts, reason: LossReason) -> Loss:
    """Return the loss of one batch."""
    return Loss(facts.camera_id, reason, facts.sequence, facts.sequence, 1, facts.stills, facts.first_at, facts.last_at)


def _item(row: tuple[int, int, str]) -> SpoolItem:
    try:
        return SpoolItem(row[0], Label.from_json(row[2]).facts, row[1])
    except DamagedItem as error:
        raise IndexDamaged(f"row {row[0]}: {error}") from error


def _count(rows: sqlite3.Connection, counts: dict[str, int]) -> None:
    for name, number in counts.items():
        rows.execute(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            (name, number),
        )


def _note(rows: sqlite3.Connection, loss: Loss) -> None:
    """Keep a loss, as part of the last one where it goes on from there."""
    last = rows.execute(
        "SELECT id FROM losses WHERE camera_id = ? AND reason = ? AND last_sequence = ? ORDER BY id DESC LIMIT 1",
        (loss.camera_id, loss.reason, loss.first_sequence - 1),
    ).fetchone()
    if last:
        rows.execute(
            "UPDATE losses SET last_sequence = ?, batches = batches + ?, stills = stills + ?, last_at = ? WHERE id = ?",
            (loss.last_sequence, loss.batches, loss.stills, loss.last_at.isoformat(), last[0]),
        )
        return
    rows.execute(
        "INSERT INTO losses (camera_id, reason, first_sequence, last_sequence, batches, stills, first_at, last_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            loss.camera_id,
            loss.reason,
            loss.first_sequence,
            loss.last_sequence,
            loss.batches,
            loss.stills,
            loss.first_at.isoformat(),
            loss.last_at.isoformat(),
        ),
    )
    rows.execute("DELETE FROM losses WHERE id <= (SELECT max(id) FROM losses) - ?", (_MOST_LOSSES,))
