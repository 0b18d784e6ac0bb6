"""What an analyst asks for, as an event: the best sightings of each side as anchors, and what cannot be refused."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations
from typing import Final
from uuid import UUID

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.events import ANCHORS_PER_SIDE, Anchor, EventDraft, EventKind
from footfall_assets.identity.visitors import SeenFace, Visitor, VisitorDirectory
from footfall_assets.identity.window import impossible_pairs

_ANCHORS_EACH: Final = 3  # of a local visitor: one may be missed by another detector
_SHORTEST_PREFIX: Final = 8  # hexadecimal digits of a sighting's id


@dataclass(frozen=True)
class Authorship:
    """Who corrects, when and why."""

    author: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Chosen:
    """Which sightings of a visitor a split takes out: all that satisfy day, location and camera, and those named."""

    day: date | None = None
    location_id: str | None = None
    camera_id: str | None = None
    sightings: tuple[str, ...] = ()  # ids or their beginnings

    def holds(self, face: SeenFace) -> bool:
        """Return whether a sighting is among them.

        Raises:
            UserMistake: a sighting is named by too few digits.
        """
        if any(len(each) < _SHORTEST_PREFIX for each in self.sightings):
            raise UserMistake(f"expected at least {_SHORTEST_PREFIX} digits of a sighting's id, got {self.sightings}")
        if any(str(face.face_image_id).startswith(each.lower()) for each in self.sightings):
            return True
        asked = (
            (self.day, face.place.day),
            (self.location_id, face.place.location_id),
            (self.camera_id, face.camera_id),
        )
        limits = [(wanted, found) for wanted, found in asked if wanted is not None]
        return bool(limits) and all(wanted == found for wanted, found in limits)


def anchors_of(faces: Iterable[SeenFace], thorough: Collection[UUID] = ()) -> tuple[Anchor, ...]:
    """Return the best sightings of each local visitor, some of each before more of any.

    Args:
        faces: sightings of one side.
        thorough: local visitors that the event cuts in two: as many of theirs as there is room for.
    """
    by_visitor: dict[UUID, list[SeenFace]] = {}
    for face in sorted(faces, key=lambda each: (-each.quality, each.captured_at, each.face_image_id)):
        by_visitor.setdefault(face.local_visitor_id, []).append(face)
    limits = {name: ANCHORS_PER_SIDE if name in thorough else _ANCHORS_EACH for name in by_visitor}
    ranked = [
        (rank, name, face) for name, several in by_visitor.items() for rank, face in enumerate(several[: limits[name]])
    ]
    ranked.sort(key=lambda each: each[:2])
    anchors = [
        Anchor(
            location_id=face.place.location_id,
            day=face.place.day,
            image_id=face.image_id,
            box=(round(face.box[0], 2), round(face.box[1], 2), round(face.box[2], 2), round(face.box[3], 2)),
        )
        for _, _, face in ranked[:ANCHORS_PER_SIDE]
    ]
    return tuple(sorted(anchors, key=lambda each: (each.day, each.location_id, str(each.image_id), each.box)))


def merge_draft(visitors: VisitorDirectory, named: Sequence[str], by: Authorship) -> EventDraft:
    """Return the event that these visitors are one person.

    Raises:
        UserMistake: fewer than two, or two of them were in one still, or at two locations at once.
    """
    found = [visitors.visitor(text) for text in dict.fromkeys(each.strip().upper() for each in named)]
    if len(found) < 2:  # noqa: PLR2004 - a merge takes two
        raise UserMistake(f"expected at least two different visitors to merge, got {', '.join(named)}")
    faces = {each.visitor_id: visitors.faces(each) for each in found}
    for one, other in combinations(found, 2):
        _check_possible(visitors, (one, faces[one.visitor_id]), (other, faces[other.visitor_id]))
    return _draft(EventKind.MERGE, visitors, found, [anchors_of(each) for each in faces.values()], by)


def split_draft(visitors: VisitorDirectory, named: str, chosen: Chosen, by: Authorship) -> EventDraft:
    """Return the event that some sightings of a visitor are not of the person whom the rest are of.

    Raises:
        UserMistake: none of its sightings are chosen, or all of them.
    """
    visitor = visitors.visitor(named)
    faces = visitors.faces(visitor)
    out = [face for face in faces if chosen.holds(face)]
    rest = [face for face in faces if not chosen.holds(face)]
    if not out or not rest:
        raise UserMistake(
            f"expected some of the {len(faces)} sightings of {visitor.visitor_id}, got {'all' if out else 'none'} of "
            f"them; footfall identities explain {visitor.visitor_id} lists them"
        )
    cut = {face.local_visitor_id for face in out} & {face.local_visitor_id for face in rest}
    return _draft(EventKind.SPLIT, visitors, [visitor], [anchors_of(out, cut), anchors_of(rest, cut)], by)


def exclude_draft(visitors: VisitorDirectory, named: str, by: Authorship) -> EventDraft:
    """Return the event that takes a visitor out of all counts."""
    visitor = visitors.visitor(named)
    return _draft(EventKind.EXCLUDE, visitors, [visitor], [anchors_of(visitors.faces(visitor))], by)


def undo_draft(window: str, sequence: int, by: Authorship) -> EventDraft:
    """Return the event that takes back an earlier one."""
    return EventDraft(
        created_at=by.at,
        author=by.author,
        reason=by.reason,
        kind=EventKind.UNDO,
        linkage_window=window,
        undoes=sequence,
    )


def _draft(
    kind: EventKind,
    visitors: VisitorDirectory,
    named: Sequence[Visitor],
    sides: Sequence[tuple[Anchor, ...]],
    by: Authorship,
) -> EventDraft:
    if not all(sides):
        raise UserMistake(
            f"{', '.join(each.visitor_id for each in named)}: no boxes are kept of at least one of them, so that no "
            "event could name it; correct visitors before retention removes their faces"
        )
    return EventDraft(
        created_at=by.at,
        author=by.author,
        reason=by.reason,
        kind=kind,
        linkage_window=visitors.window.label,
        visitors=tuple(each.visitor_id for each in named),
        sides=tuple(sides),
    )


def _check_possible(
    visitors: VisitorDirectory,
    one: tuple[Visitor, Sequence[SeenFace]],
    other: tuple[Visitor, Sequence[SeenFace]],
) -> None:
    names = f"{one[0].visitor_id} and {other[0].visitor_id}"
    advice = "if one of them holds sightings of both people, split it first"
    seen = {face.image_id: face for face in one[1]}
    for face in other[1]:
        if face.image_id in seen:
            raise UserMistake(
                f"{names} are in one still ({face.camera_id}, {face.captured_at:%Y-%m-%d %H:%M:%S} UTC), so they are "
                f"two people and cannot be merged; {advice}"
            )
    where = {
        member.local_visitor_id: (each.visitor_id, member.place)
        for each in (one[0], other[0])
        for member in each.members
    }
    ids = sorted(where)
    for left, right in impossible_pairs(visitors.templates([*one[0].places, *other[0].places]), ids).tolist():
        (first, here), (second, there) = where[ids[left]], where[ids[right]]
        if first != second:
            raise UserMistake(
                f"{names} were at {here.location_id} and {there.location_id} at the same time on {here.day}, so they "
                f"are two people and cannot be merged; {advice}"
            )
