from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from footfall_assets.contracts.events import (
    ANCHORS_PER_SIDE,
    EVENT_BYTES,
    Anchor,
    CorrectionEvent,
    EventDraft,
    EventKind,
    active,
    undone,
)

AT = datetime(2024, 2, 1, 9, tzinfo=UTC)


def anchor(number=1, **changes):
    values = {"location_id": "store-101", "day": date(2024, 1, 5), "image_id": UUID(int=number), "box": (1, 2, 30, 40)}
    return Anchor(**values | changes)


def draft(kind=EventKind.MERGE, sides=2, **changes):
    values = {
        "created_at": AT,
        "author": "ann",
        "reason": "one coat",
        "kind": kind,
        "linkage_window": "2024-01",
        "sides": sides if isinstance(sides, tuple) else tuple((anchor(number),) for number in range(sides)),
    }
    return EventDraft(**values | changes)


def event(sequence=1, undoes=None, kind=EventKind.EXCLUDE):
    if undoes is not None:
        return CorrectionEvent(
            **draft(EventKind.UNDO, 0, undoes=undoes).model_dump(), sequence=sequence, previous="0" * 64
        )
    previous = None if sequence == 1 else "0" * 64
    return CorrectionEvent(**draft(kind, 1).model_dump(), sequence=sequence, previous=previous)


@pytest.mark.parametrize(
    ("kind", "sides"),
    [("merge", 1), ("merge", 17), ("split", 1), ("split", 3), ("exclude", 0), ("exclude", 2)],
)
def test_every_kind_has_its_number_of_sides(kind, sides) -> None:
    with pytest.raises(ValidationError, match="sides"):
        draft(EventKind(kind), sides)


MISTAKES = {
    "no author": {"author": "  "},
    "author of two lines": {"author": "ann\nbob"},
    "text that runs backwards": {"reason": "a\u202eb"},
    "endless reason": {"reason": "x" * 501},
    "window of no calendar": {"linkage_window": "january"},
    "no time zone": {"created_at": datetime(2024, 2, 1)},  # noqa: DTZ001 - that is the mistake
    "undo inside a merge": {"undoes": 1},
    "side without anchors": {"sides": ((), (anchor(),))},
    "too many anchors": {"sides": ((anchor(),) * (ANCHORS_PER_SIDE + 1), (anchor(),))},
    "something else": {"colour": "red"},
}


@pytest.mark.parametrize("change", MISTAKES.values(), ids=MISTAKES.keys())
def test_what_no_event_may_hold(change) -> None:
    with pytest.raises(ValidationError):
        draft(**change)


@pytest.mark.parametrize("box", [(5, 5, 5, 9), (5, 9, 9, 5), (0, 0, float("nan"), 1), (0, 0, float("inf"), 1)])
def test_a_box_has_an_area(box) -> None:
    with pytest.raises(ValidationError):
        anchor(box=box)


def test_the_largest_event_fits() -> None:
    longest = anchor(location_id="s" * 64, box=(12345.67, 12345.67, 123456.78, 123456.78))
    largest = CorrectionEvent(
        **draft(sides=((longest,) * ANCHORS_PER_SIDE,) * 16, author="a" * 120, reason="\u00e4" * 500).model_dump(),
        sequence=2,
        previous="0" * 64,
    )
    assert len(largest.document()) <= EVENT_BYTES


def test_an_event_follows_another() -> None:
    with pytest.raises(ValidationError, match="hash"):
        CorrectionEvent(**draft().model_dump(), sequence=2, previous=None)
    with pytest.raises(ValidationError, match="earlier"):
        event(3, undoes=3)


def test_a_document_reads_back_as_it_was() -> None:
    first = event(1)
    again = CorrectionEvent.model_validate_json(first.document())
    assert again == first
    assert again.digest == first.digest


def test_undo_and_its_undo() -> None:
    events = [event(1), event(2), event(3, undoes=1)]
    assert [each.sequence for each in active(events)] == [2]
    events.append(event(4, undoes=3))
    assert [each.sequence for each in active(events)] == [1, 2]
    assert undone(events) == {3: 4}


@given(st.lists(st.integers(1, 12), max_size=12))
def test_what_is_undone_twice_over_counts_again(targets) -> None:
    """However undos point at each other: an event counts exactly where no undo that counts takes it back."""
    events = [event(1)]
    for target in targets:
        events.append(event(len(events) + 1, undoes=min(target, len(events))))
    gone = undone(events)
    for each in events:
        standing = [other.sequence for other in events if other.undoes == each.sequence and other.sequence not in gone]
        assert (each.sequence in gone) == bool(standing)
