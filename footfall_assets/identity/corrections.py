"""Correction events on their way into the solve: which days they touch, which faces they mean, what is left of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import numpy as np
import pyarrow as pa

from footfall_assets.contracts.events import Anchor, CorrectionEvent, EventKind
from footfall_assets.contracts.schemas import CORRECTIONS, FACES, LOCAL_VISITORS
from footfall_assets.domain.agglomeration import Floats, Labels, Pairs
from footfall_assets.domain.calendar import LinkageWindow
from footfall_assets.domain.corrections import NO_PAIRS, Settled, Wish, match_anchors, settle
from footfall_assets.domain.id_words import Words, rows_of
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.arrow import codes, matrix, uuid_words

APPLIED: Final = "applied"
UNMATCHED: Final = "unmatched"  # a side of it points at no face that has a visitor
SUPERSEDED: Final = "superseded"  # later events contradict all of it
IMPOSSIBLE: Final = "impossible"  # the evidence contradicts all of it


@dataclass(frozen=True)
class Corrections:
    """What is left of the events of a window, by local visitor, and what became of each event."""

    together: tuple[tuple[UUID, UUID], ...] = ()
    apart: tuple[tuple[UUID, UUID], ...] = ()
    excluded: frozenset[UUID] = frozenset()
    fates: tuple[Mapping[str, str | int], ...] = ()

    def settled(self, local: Words) -> Settled:
        """Return the pairs as rows of `local` (n, 2), the ids of local visitors."""
        return Settled(_rows_of_pairs(self.together, local), _rows_of_pairs(self.apart, local))

    def table(self) -> pa.Table:
        """Return what became of each event, oldest first."""
        return pa.Table.from_pylist([dict(fate) for fate in self.fates], schema=CORRECTIONS)


NO_CORRECTIONS: Final = Corrections()


def _rows_of_pairs(pairs: Sequence[tuple[UUID, UUID]], local: Words) -> Pairs:
    if not pairs:
        return NO_PAIRS
    wanted = uuid_words(pa.array([each.bytes for pair in pairs for each in pair], pa.binary(16)))
    rows = rows_of(wanted, local).reshape(-1, 2)
    return rows[(rows >= 0).all(axis=1)]


def effective_from(event: CorrectionEvent) -> date:
    """Return the first day on whose map an event can act: every side of it has been seen."""
    return max(min(anchor.day for anchor in side) for side in event.sides)


def of_window(events: Iterable[CorrectionEvent], window: LinkageWindow) -> tuple[CorrectionEvent, ...]:
    """Return the events of a linkage window."""
    return tuple(event for event in events if event.linkage_window == window.label)


def day_lines(events: Iterable[CorrectionEvent], day: date) -> list[str]:
    """Return a line for each event that says more on this day's map than on the one before.

    The hash of a day's inputs chains over days, so an event changes that of its first day and of all after it, and of
    no day before.
    """
    touching = (event for event in events if _gains(event, day))
    return [f"event={event.sequence}:{event.digest}" for event in touching]


def _gains(event: CorrectionEvent, day: date) -> bool:
    first = effective_from(event)
    return day == first or (day > first and any(anchor.day == day for side in event.sides for anchor in side))


def splits_at(events: Iterable[CorrectionEvent], place: Place) -> tuple[CorrectionEvent, ...]:
    """Return the splits with sightings of both sides at one place: they can part what was one local visitor."""
    return tuple(
        event
        for event in events
        if event.kind is EventKind.SPLIT and all(any(_is_at(anchor, place) for anchor in side) for side in event.sides)
    )


def _is_at(anchor: Anchor, place: Place) -> bool:
    return (anchor.location_id, anchor.day) == (place.location_id, place.day)


def faces_apart(faces: pa.Table, splits: Iterable[CorrectionEvent]) -> Pairs:
    """Return the (m, 2) rows of `faces` (image_id, box) of one place that a split says are two people."""
    found = [NO_PAIRS]
    for event in splits:
        one, other = (_rows(faces, side) for side in event.sides)
        found.append(Wish.split(one[one >= 0].tolist(), other[other >= 0].tolist()).apart)
    return np.unique(np.concatenate(found), axis=0)


def _rows(faces: pa.Table, anchors: Sequence[Anchor]) -> Labels:
    """Return the row of each anchor's face; -1 where it is in none of these stills, or overlaps no face."""
    numbers = codes([*faces["image_id"].to_pylist(), *(anchor.image_id for anchor in anchors)])
    boxes: Floats = np.array([anchor.box for anchor in anchors], dtype=np.float32).reshape(-1, 4)
    return match_anchors(numbers[faces.num_rows :], boxes, numbers[: faces.num_rows], matrix(faces["box"]))


class AnchoredVisitors:
    """Finds the local visitor behind each anchor, reading only places that anchors name, each once."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._found: dict[Anchor, UUID | None] = {}

    def look_up(self, anchors: Iterable[Anchor]) -> dict[Anchor, UUID | None]:
        """Return the local visitor of each anchor, None where it matches no face that has one."""
        wanted = set(anchors)
        missing: dict[Place, list[Anchor]] = {}
        for anchor in wanted - self._found.keys():
            missing.setdefault(Place(anchor.day, anchor.location_id), []).append(anchor)
        for place, here in missing.items():
            self._read(place, here)
        return {anchor: self._found[anchor] for anchor in wanted}

    def _read(self, place: Place, anchors: Sequence[Anchor]) -> None:
        faces, rows = (
            self._platform.partitions.read_table(self._platform.manifest(asset, place), asset, schema)
            for asset, schema in (("faces", FACES), ("local_visitors", LOCAL_VISITORS))
        )
        visitor = dict(zip(rows["face_image_id"].to_pylist(), rows["local_visitor_id"].to_pylist(), strict=True))
        ids = faces["face_image_id"].to_pylist()
        for anchor, row in zip(anchors, _rows(faces, anchors).tolist(), strict=True):
            self._found[anchor] = visitor.get(ids[row]) if row >= 0 else None


def window_corrections(
    events: Sequence[CorrectionEvent],
    day: date,
    visitors: AnchoredVisitors,
    impossible: Callable[[Sequence[UUID]], Pairs],
) -> Corrections:
    """Return what the events of a window (oldest first) ask of the map of `day`.

    Args:
        events: active events of the window.
        day: the newest day of the map.
        visitors: finds the local visitors behind anchors.
        impossible: which of some local visitors are certainly two people.
    """
    effective = [event for event in events if effective_from(event) <= day]
    if not effective:
        return NO_CORRECTIONS
    seen = [[[anchor for anchor in side if anchor.day <= day] for side in event.sides] for event in effective]
    found = visitors.look_up(anchor for sides in seen for side in sides for anchor in side)
    matched = [[[each for anchor in side if (each := found[anchor])] for side in sides] for sides in seen]
    ids = sorted({each for sides in matched for side in sides for each in side})
    at = {each: row for row, each in enumerate(ids)}
    wishes = [_wish(event, sides, at) for event, sides in zip(effective, matched, strict=True)]
    settled = settle(len(ids), wishes, impossible(ids))
    return Corrections(
        together=tuple((ids[one], ids[other]) for one, other in settled.together.tolist()),
        apart=tuple((ids[one], ids[other]) for one, other in settled.apart.tolist()),
        excluded=frozenset(
            each
            for event, sides in zip(effective, matched, strict=True)
            if event.kind is EventKind.EXCLUDE
            for each in sides[0]
        ),
        fates=tuple(
            {
                "sequence": event.sequence,
                "kind": str(event.kind),
                "status": _status(event, matched[row], wishes[row], settled, row),
                "anchors": sum(len(side) for side in seen[row]),
                "matched": sum(len(side) for side in matched[row]),
                "superseded_pairs": settled.superseded[row],
                "impossible_pairs": settled.impossible[row],
            }
            for row, event in enumerate(effective)
        ),
    )


def _wish(event: CorrectionEvent, sides: Sequence[Sequence[UUID]], at: Mapping[UUID, int]) -> Wish:
    rows = [[at[each] for each in side] for side in sides]
    if event.kind is EventKind.EXCLUDE or not all(rows):
        return Wish()
    if event.kind is EventKind.MERGE:
        return Wish.merge(rows)
    return Wish.split(rows[0], rows[1])


def _status(event: CorrectionEvent, sides: Sequence[Sequence[UUID]], wish: Wish, settled: Settled, number: int) -> str:
    asked = len(wish.together) + len(wish.apart)
    if not all(sides) or (event.kind is EventKind.SPLIT and not asked):
        return UNMATCHED
    if settled.held[number] or not asked:
        return APPLIED
    return SUPERSEDED if settled.superseded[number] else IMPOSSIBLE
