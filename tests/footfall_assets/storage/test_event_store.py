from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from footfall_assets.contracts.errors import CorruptObject, UserMistake
from footfall_assets.contracts.events import Anchor, EventDraft, EventKind
from footfall_assets.storage.event_store import EventStore
from footfall_assets.storage.lake import FolderLake


@pytest.fixture
def lake(tmp_path):
    return FolderLake(tmp_path / "lake")


@pytest.fixture
def store(lake):
    return EventStore(lake)


def draft(number=1, **changes):
    where = {"location_id": "store-101", "day": date(2024, 1, 5), "image_id": UUID(int=number), "box": (1, 2, 30, 40)}
    values = {
        "created_at": datetime(2024, 2, 1, 9, tzinfo=UTC),
        "author": "ann",
        "reason": "staff",
        "kind": EventKind.EXCLUDE,
        "linkage_window": "2024-01",
        "sides": ((Anchor(**where),),),
    }
    return EventDraft(**values | changes)


def undo(sequence):
    return draft(kind=EventKind.UNDO, sides=(), undoes=sequence)


@pytest.fixture
def three(store, tmp_path):
    return [store.append(draft(number), tmp_path) for number in range(3)]


def test_nothing_yet(store) -> None:
    assert store.events() == store.active() == store.verify() == store.unreachable() == ()


def test_events_come_back_in_order(store, lake, three) -> None:
    assert [each.sequence for each in three] == [1, 2, 3]
    assert three[1].previous == three[0].digest
    assert store.events() == EventStore(lake).verify() == tuple(three)
    assert lake.read("corrections/HEAD").decode().endswith(f"00000003-{three[2].digest}.json")


def test_another_process_sees_what_was_appended(store, lake, tmp_path, three) -> None:
    other = EventStore(lake)
    assert len(other.events()) == 3
    store.append(undo(2), tmp_path)
    assert [each.sequence for each in other.active()] == [1, 3]


def test_events_are_never_written_again(store, lake, tmp_path, three) -> None:
    before = {key: lake.read(key) for key in lake.list_keys("corrections/events")}
    store.append(undo(1), tmp_path)
    assert before.items() <= {key: lake.read(key) for key in lake.list_keys("corrections/events")}.items()


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("change", ["edit", "delete", "empty", "large", "no json"])
def test_tampering_is_seen(lake, three, number, change) -> None:
    key = lake.list_keys("corrections/events")[number]
    document = lake.read(key)
    if change == "delete":
        lake.delete(key)
    else:
        lake.write(
            key,
            {
                "edit": document.replace(b"ann", b"eve"),
                "empty": b"",
                "large": document + b" " * 600_000,
                "no json": b"\xff\x00",
            }[change],
        )
    with pytest.raises(CorruptObject, match=r"event|hash"):
        EventStore(lake).events()


def test_an_event_slipped_in_under_its_own_hash_is_not_in_the_chain(lake, three) -> None:
    forged = three[1].model_copy(update={"author": "eve"})
    lake.write(f"corrections/events/00000002-{forged.digest}.json", forged.document())
    store = EventStore(lake)
    assert store.events() == tuple(three)
    assert store.unreachable() == (f"corrections/events/00000002-{forged.digest}.json",)


def test_a_pointer_set_back_leaves_traces(lake, three) -> None:
    lake.write("corrections/HEAD", lake.list_keys("corrections/events")[0].encode())
    store = EventStore(lake)
    assert len(store.events()) == 1
    assert len(store.unreachable()) == 2


@pytest.mark.parametrize("head", [b"nowhere", b"../../etc/passwd", b"\xff", b""])
def test_a_pointer_to_nothing(lake, three, head) -> None:
    lake.write("corrections/HEAD", head)
    with pytest.raises(CorruptObject, match="event"):
        EventStore(lake).events()


def test_a_pointer_that_is_gone(store, lake, tmp_path, three) -> None:
    lake.delete("corrections/HEAD")
    for work in (EventStore(lake).verify, lambda: store.append(draft(), tmp_path)):
        with pytest.raises(CorruptObject, match="HEAD"):
            work()


def test_a_crash_between_event_and_pointer_loses_nothing(store, lake, tmp_path, three, monkeypatch) -> None:
    def crash(key, data, write=lake.write):
        if key.endswith("HEAD"):
            raise OSError("power cut")
        write(key, data)

    with monkeypatch.context() as patch:
        patch.setattr(lake, "write", crash)
        with pytest.raises(OSError, match="power cut"):
            store.append(draft(8), tmp_path)
    assert store.events() == tuple(three)
    assert len(store.unreachable()) == 1
    assert store.append(draft(9), tmp_path).sequence == 4


def test_undo_of_what_is_not_there_or_gone(store, tmp_path, three) -> None:
    with pytest.raises(UserMistake, match="no event 4"):
        store.append(undo(4), tmp_path)
    store.append(undo(2), tmp_path)
    with pytest.raises(UserMistake, match="undone by event 4"):
        store.append(undo(2), tmp_path)
    store.append(undo(4), tmp_path)
    assert [each.sequence for each in store.active()] == [1, 2, 3]


def test_two_at_once_follow_one_another(lake, tmp_path) -> None:
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda number: EventStore(lake).append(draft(number), tmp_path), range(12)))
    assert [each.sequence for each in EventStore(lake).verify()] == list(range(1, 13))
    assert EventStore(lake).unreachable() == ()
