"""Corrections that people make to identities: append-only events that are replayed over any version of the models.

An event names people by a few of their sightings (image and box), not by an id of ours: ids change with the detector
and the embedder, a place in a still does not.
"""

import re
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from footfall_assets.contracts.ids import Sha256, Slug, sha256_hex

EVENT_BYTES: Final = 512 * 1024  # of one event; the largest that the limits below allow
ANCHORS_PER_SIDE: Final = 96  # a visitor has some 4 local visitors a month; three anchors each, and room for the loyal
_MOST_SIDES: Final = 16  # visitors in one merge
_SIDES: Final = {"merge": (2, _MOST_SIDES), "split": (2, 2), "exclude": (1, 1), "undo": (0, 0)}  # fewest, most
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class EventKind(StrEnum):
    """What an event asks for."""

    MERGE = "merge"  # all sides are one person
    SPLIT = "split"  # nobody of the first side is somebody of the second
    EXCLUDE = "exclude"  # the visitor leaves all counts
    UNDO = "undo"  # an earlier event no longer counts


def _one_line(value: str) -> str:
    text = value.strip()
    if not text or _CONTROL.search(text):
        raise ValueError("expected one line of text without control characters, not empty")
    return text


Author = Annotated[str, AfterValidator(_one_line), Field(max_length=120)]
Reason = Annotated[str, AfterValidator(_one_line), Field(max_length=500)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Anchor(_Record):
    """One sighting that an event points at."""

    location_id: Slug
    day: date  # business day
    image_id: UUID
    box: tuple[float, float, float, float]  # x1, y1, x2, y2 in pixels of the still

    @model_validator(mode="after")
    def _box_has_an_area(self) -> Self:
        if not (self.box[0] < self.box[2] and self.box[1] < self.box[3]):
            raise ValueError(f"expected a box x1 < x2, y1 < y2, got {self.box}")
        return self


Side = Annotated[tuple[Anchor, ...], Field(min_length=1, max_length=ANCHORS_PER_SIDE)]


class EventDraft(_Record):
    """An event as its author means it, before it has its place in the chain."""

    created_at: AwareDatetime
    author: Author
    reason: Reason
    kind: EventKind
    linkage_window: str = Field(pattern=r"^\d{4}-\d{2}$")
    visitors: tuple[Annotated[str, Field(max_length=20)], ...] = Field(default=(), max_length=_MOST_SIDES)  # to read
    sides: tuple[Side, ...] = ()
    undoes: int | None = Field(default=None, ge=1)  # sequence of the event it takes back

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        fewest, most = _SIDES[self.kind]
        if not fewest <= len(self.sides) <= most:
            raise ValueError(f"expected {fewest} to {most} sides in an event {self.kind}, got {len(self.sides)}")
        if (self.kind is EventKind.UNDO) != (self.undoes is not None):
            raise ValueError(f"expected the event to undo in an undo and nowhere else, got {self.undoes}")
        return self


class CorrectionEvent(EventDraft):
    """An event in the chain; `previous` is the SHA-256 of the document before it, so that no one can slip one in."""

    format: Literal[1] = 1
    sequence: int = Field(ge=1)
    previous: Sha256 | None

    @model_validator(mode="after")
    def _follows(self) -> Self:
        if (self.sequence == 1) != (self.previous is None):
            raise ValueError("expected the hash of the event before in every event but the first")
        if self.undoes is not None and self.undoes >= self.sequence:
            raise ValueError(f"expected an undo of an earlier event, got {self.undoes} in event {self.sequence}")
        return self

    def document(self) -> bytes:
        """Return its JSON, the one form it is stored and hashed in."""
        return self.model_dump_json().encode()

    @property
    def digest(self) -> str:
        """SHA-256 of its document: its id."""
        return sha256_hex(self.document())


def undone(events: Sequence[CorrectionEvent]) -> dict[int, int]:
    """Return for each event that no longer counts the sequence of the undo that took it back.

    An undo that was itself undone takes nothing back.
    """
    found: dict[int, int] = {}
    for event in sorted(events, key=lambda each: each.sequence, reverse=True):
        if event.undoes is not None and event.sequence not in found:
            found[event.undoes] = event.sequence
    return found


def active(events: Sequence[CorrectionEvent]) -> tuple[CorrectionEvent, ...]:
    """Return the merges, splits and exclusions that count, oldest first."""
    gone = undone(events)
    kept = (each for each in events if each.kind is not EventKind.UNDO and each.sequence not in gone)
    return tuple(sorted(kept, key=lambda each: each.sequence))
