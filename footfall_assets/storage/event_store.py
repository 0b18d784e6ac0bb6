"""Correction events in the lake: one immutable object each, a chain of hashes, and a pointer to the newest.

    corrections/events/<sequence>-<sha256>.json
    corrections/HEAD                                swapped last; holds the newest event's key

What the pointer reaches counts. A changed or missing event breaks the chain at its hash. Whoever may write the lake can
still set the pointer back: `unreachable` shows what that leaves behind.
"""

from pathlib import Path
from typing import Final

from filelock import FileLock
from pydantic import ValidationError

from footfall_assets.contracts.errors import CorruptObject, UserMistake
from footfall_assets.contracts.events import (
    EVENT_BYTES,
    CorrectionEvent,
    EventDraft,
    EventKind,
    active,
    undone,
)
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.storage.lake import LakeStore, ObjectMissing, UnsafeKey

_HEAD: Final = "corrections/HEAD"
_EVENTS: Final = "corrections/events"


class EventStore:
    """Reads and appends the correction events of a lake."""

    def __init__(self, lake: LakeStore) -> None:
        self._lake = lake
        self._known: tuple[str | None, tuple[CorrectionEvent, ...]] = (None, ())

    def events(self) -> tuple[CorrectionEvent, ...]:
        """Return all events, oldest first; the chain is verified whenever the pointer has moved.

        Raises:
            CorruptObject: an event is missing, was changed, or is none.
        """
        head = self._head()
        if self._known[0] != head:
            self._known = (head, self._follow(head))
        return self._known[1]

    def active(self) -> tuple[CorrectionEvent, ...]:
        """Return the merges, splits and exclusions that count now, oldest first; raises as `events`."""
        return active(self.events())

    def verify(self) -> tuple[CorrectionEvent, ...]:
        """Return all events after reading every one of them again; raises as `events`, and where the pointer is gone.

        Raises:
            CorruptObject: as `events`; or there are events and no pointer to them.
        """
        if self._head() is None and self._lake.list_keys(_EVENTS):
            raise CorruptObject(
                f"{_HEAD}: expected a pointer to the newest of the correction events, found none; restore it"
            )
        self._known = (None, ())
        return self.events()

    def unreachable(self) -> tuple[str, ...]:
        """Return the keys of events that the pointer does not reach: a crash while appending, or a pointer set back."""
        reached = {_key(each.sequence, each.digest) for each in self.events()}
        return tuple(key for key in self._lake.list_keys(_EVENTS) if key not in reached)

    def append(self, draft: EventDraft, lock_folder: Path) -> CorrectionEvent:
        """Store a new event and return it. One at a time: a file lock in `lock_folder` orders them.

        Raises:
            UserMistake: it undoes an event that there is not or that is undone already, or it is too large.
            CorruptObject: as `verify`.
        """
        lock_folder.mkdir(parents=True, exist_ok=True)
        with FileLock(lock_folder / "corrections.lock"):
            before = self.verify()
            _check_undo(draft, before)
            event = CorrectionEvent(
                **draft.model_dump(),
                sequence=len(before) + 1,
                previous=before[-1].digest if before else None,
            )
            document = event.document()
            if len(document) > EVENT_BYTES:
                raise UserMistake(f"expected an event of at most {EVENT_BYTES} bytes, got {len(document)}; merge fewer")
            key = _key(event.sequence, event.digest)
            self._lake.write(key, document)
            self._lake.write(_HEAD, key.encode())
        return event

    def _head(self) -> str | None:
        if not self._lake.exists(_HEAD):
            return None
        return self._lake.read_range(_HEAD, 0, 256).decode(errors="replace")

    def _follow(self, head: str | None) -> tuple[CorrectionEvent, ...]:
        found: list[CorrectionEvent] = []
        key = head
        while key is not None:
            event = self._read(key)
            if found and event.sequence != found[-1].sequence - 1:
                raise CorruptObject(f"{key}: expected event {found[-1].sequence - 1}, got {event.sequence}; restore it")
            found.append(event)
            key = _key(event.sequence - 1, event.previous) if event.previous else None
        return tuple(reversed(found))

    def _read(self, key: str) -> CorrectionEvent:
        try:
            document = self._lake.read_range(key, 0, EVENT_BYTES + 1)
        except (ObjectMissing, UnsafeKey) as error:
            raise CorruptObject(f"expected a correction event at {key[:160]!r}, found none; restore it") from error
        if len(document) > EVENT_BYTES:
            raise CorruptObject(f"{key}: expected an event of at most {EVENT_BYTES} bytes; restore it")
        try:
            event = CorrectionEvent.model_validate_json(document)
        except ValidationError as error:
            raise CorruptObject(f"{key}: expected a correction event, got {error.errors()[0]['msg']}") from error
        if key != _key(event.sequence, sha256_hex(document)):
            raise CorruptObject(f"{key}: content does not match the hash in its name; restore it from a backup")
        return event


def _check_undo(draft: EventDraft, before: tuple[CorrectionEvent, ...]) -> None:
    if draft.kind is not EventKind.UNDO or draft.undoes is None:
        return
    if draft.undoes > len(before):
        raise UserMistake(f"no event {draft.undoes}; there are {len(before)}: footfall identities events")
    by = undone(before).get(draft.undoes)
    if by is not None:
        raise UserMistake(f"event {draft.undoes} was undone by event {by} already; to bring it back, undo event {by}")


def _key(sequence: int, digest: str) -> str:
    return f"{_EVENTS}/{sequence:08d}-{digest}.json"
