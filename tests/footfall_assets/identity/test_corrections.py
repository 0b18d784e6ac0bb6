"""Corrections in the lake, from hand-made faces and vectors: what an event changes, what it leaves, and how it goes."""

from collections import Counter
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.events import EventKind
from footfall_assets.contracts.ids import face_image_id
from footfall_assets.identity.drafts import (
    Authorship,
    exclude_draft,
    merge_draft,
)
from footfall_assets.identity.explain import explain
from footfall_assets.identity.fates import event_rows, summary
from footfall_assets.identity.visitors import open_window
from footfall_assets.operations.pending import pending
from footfall_assets.operations.state import read_state
from footfall_assets.platform import Place

DAYS = [date(2024, 1, 10), date(2024, 1, 11), date(2024, 1, 12)]
STORES = ["store-101", "store-203"]
BY = Authorship("ann", "looked at them", datetime(2024, 2, 1, tzinfo=UTC))


@pytest.fixture
def home(new_corrected_home):
    """Five people: 1 on all days, 2 on the first, 3 on the second, 4 and 5 side by side on the third."""
    home = new_corrected_home()
    home.faces = {}
    for number, day in enumerate(DAYS):
        home.faces[1, number] = home.at(day, STORES[0]).pass_by(1, 0, camera="store-101-door")
    home.faces[2] = home.at(DAYS[0], STORES[1]).pass_by(2, 7200, camera="store-203-door")
    home.faces[3] = home.at(DAYS[1], STORES[1]).pass_by(3, 7200, camera="store-203-door")
    for person in (4, 5):
        home.faces[person] = home.at(DAYS[2], STORES[0]).pass_by(
            person, 3600, camera="store-101-door", x=200.0 * person
        )
    # Two people in one still: the same still, not one of each.
    rows = home.at(DAYS[2], STORES[0]).rows
    assert len({row["image_id"] for row in rows}) == 6
    home.run()
    assert home.people() == 5
    return home


def one(home, person):
    return home.faces[person][0]


def test_a_merge_makes_one_of_two_and_undo_two_again(home) -> None:
    before, names = home.hashes(), home.table()
    event = home.merge(one(home, 2), one(home, 3))
    home.run()
    assert home.people() == 4
    who = home.identity_of_face()
    assert len({who[face] for face in home.faces[2] + home.faces[3]}) == 1
    assert [(fate["kind"], fate["status"]) for fate in home.fates()] == [("merge", "applied")]
    home.undo(event)
    home.run()
    assert home.hashes() == before
    assert home.table() == names
    assert pending(read_state(home.platform)).days == ()


def test_only_days_that_saw_both_are_done_again(home) -> None:
    """2 came on the first day and 3 on the second: the first day's map does not know of the merge."""
    before = home.hashes()
    home.merge(one(home, 2), one(home, 3))
    assert home.run() == ([], DAYS[1:])
    changed = {place.day for place, hashes in home.hashes().items() if before[place] != hashes}
    assert changed == set(DAYS[1:])


def test_a_merge_is_transitive(home) -> None:
    home.merge(one(home, 2), one(home, 3))
    home.run()
    home.merge(one(home, 3), one(home, 4))
    home.run()
    who = home.identity_of_face()
    assert len({who[one(home, person)] for person in (2, 3, 4)}) == 1
    assert home.people() == 3


def test_people_in_one_still_are_never_merged(home) -> None:
    with pytest.raises(UserMistake, match=r"in one still .*cannot be merged; .*split it first"):
        home.merge(one(home, 4), one(home, 5))
    assert home.platform.events.events() == ()


def test_people_at_two_places_at_once_are_never_merged(home) -> None:
    home.at(DAYS[0], STORES[1]).pass_by(6, 0, camera="store-203-door")
    home.faces[6] = home.at(DAYS[0], STORES[1]).pass_by(6, 5, camera="store-203-door", x=3.0)
    home.run()
    with pytest.raises(UserMistake, match="store-101 and store-203 at the same time on 2024-01-10"):
        home.merge(home.faces[1, 0][0], one(home, 6))


def test_a_split_by_day_parts_that_day(home) -> None:
    before = home.hashes()
    event = home.split(home.faces[1, 0][0], day=DAYS[1])
    assert home.run() == ([], DAYS[1:])
    who = home.identity_of_face()
    assert who[home.faces[1, 0][0]] == who[home.faces[1, 2][0]] != who[home.faces[1, 1][0]]
    home.undo(event)
    home.run()
    assert home.hashes() == before


def test_a_split_inside_a_local_visitor_solves_its_place_again(home) -> None:
    before, names = home.hashes(), home.all_names()
    wrong = home.faces[1, 1][1]
    event = home.split(wrong, sightings=(str(wrong)[:13],))
    assert home.run() == ([Place(DAYS[1], STORES[0])], DAYS[1:])
    who = home.identity_of_face()
    assert who[wrong] not in {who[face] for number in range(3) for face in home.faces[1, number] if face != wrong}
    assert home.people() == 6
    minted = home.name_of(wrong)
    assert minted not in names.values()
    home.undo(event)
    home.run()
    assert home.hashes() == before
    assert home.all_names() == names
    assert home.ledger().num_rows == 6  # the number that was given stays given, to nobody
    with pytest.raises(UserMistake, match="nobody in the newest map"):
        home.visitors().visitor(minted)


def test_the_later_event_wins(home) -> None:
    home.merge(one(home, 2), one(home, 3))
    home.run()
    split = home.split(one(home, 3), day=DAYS[1])
    home.run()
    assert home.people() == 5
    assert [fate["status"] for fate in home.fates()] == ["superseded", "applied"]
    home.undo(split)
    home.run()
    assert home.people() == 4


def test_an_excluded_visitor_stays_in_the_map_with_the_reason(home) -> None:
    before = home.hashes()
    event = home.exclude(home.faces[1, 0][0])
    home.run()
    reasons = Counter(row["excluded_reason"] for row in home.table())
    assert reasons == {"event": 3, None: 4}
    home.undo(event)
    home.run()
    assert home.hashes() == before


def test_an_exclusion_holds_for_what_joins_later(home) -> None:
    home.exclude(one(home, 2))
    home.run()
    home.at(DAYS[2], STORES[1]).pass_by(2, 9000, camera="store-203-door")
    home.run()
    assert Counter(row["excluded_reason"] for row in home.table()) == {"event": 2, None: 6}


def shifted(home, pixels):
    """Let another detector find the same faces a little to the side: other boxes, so other ids of everything."""
    for footage in home.seen.values():
        for row in footage.rows:
            row["box"] = [row["box"][0] + pixels, row["box"][1], row["box"][2] + pixels, row["box"][3]]
            row["face_image_id"] = face_image_id(UUID(bytes=row["image_id"]), tuple(row["box"])).bytes


def test_events_survive_another_detector(home) -> None:
    home.merge(one(home, 2), one(home, 3))
    home.exclude(one(home, 4))
    home.run()
    old = {row["local_visitor_id"] for row in home.table()}
    shifted(home, 12.0)
    home.run()
    assert not old & {row["local_visitor_id"] for row in home.table()}
    assert home.people() == 4
    assert [(fate["status"], fate["matched"] == fate["anchors"]) for fate in home.fates()] == [("applied", True)] * 2


def test_an_event_that_matches_nothing_is_counted(home) -> None:
    home.merge(one(home, 2), one(home, 3))
    home.run()
    shifted(home, 500.0)
    home.run()
    assert home.people() == 5
    assert [(fate["status"], fate["matched"]) for fate in home.fates()] == [("unmatched", 0)]
    manifest = home.platform.partitions.manifest(home.platform.day_of("identities", DAYS[-1]))
    assert summary(home.platform, manifest)["corrections_unmatched"] == 1
    assert [row["status"] for row in event_rows(home.platform)] == ["unmatched"]


def test_a_merge_that_turns_out_impossible_is_reported(home) -> None:
    """Late stills show both at two stores at once: the evidence wins, both stay whole, and the event is not lost."""
    home.merge(home.faces[1, 0][0], one(home, 2))
    home.run()
    assert home.people() == 4
    home.at(DAYS[0], STORES[1]).pass_by(2, 0, camera="store-203-door")
    home.run()
    assert home.people() == 5
    assert len({home.identity_of_face()[home.faces[1, number][0]] for number in range(3)}) == 1
    assert [fate["status"] for fate in home.fates()] == ["impossible"]


def test_the_list_of_events_tells_their_fate(home) -> None:
    first = home.exclude(one(home, 2))
    assert [row["status"] for row in event_rows(home.platform)] == ["waiting"]
    home.run()
    home.undo(first)
    home.exclude(one(home, 3))
    home.run()
    rows = event_rows(home.platform)
    assert [(row["kind"], row["status"]) for row in rows] == [
        ("exclude", "undone"),
        ("undo", "recorded"),
        ("exclude", "applied"),
    ]
    assert rows[0]["author"] == "ann"
    assert rows[0]["sha256"] == first.digest


def test_what_a_map_says_of_itself(home) -> None:
    home.exclude(one(home, 2))
    home.merge(one(home, 3), one(home, 4))
    home.run()
    manifest = home.platform.partitions.manifest(home.platform.day_of("identities", DAYS[-1]))
    told = summary(home.platform, manifest)
    assert told["identities"] == 4
    assert told["largest_identity"] == 3
    assert told["excluded_identities"] == told["excludes_applied"] == told["merges_applied"] == 1
    assert 0.5 < told["weakest_link"] < 0.8  # of two people whose axes are square to each other


MISTAKES = {
    "no id": (lambda home: merge_draft(home.visitors(), ["ann", "bob"], BY), "Visitor ID such as"),
    "wrong letter": (lambda home: exclude_draft(home.visitors(), "00000Z", BY), "Visitor ID such as"),
    "one visitor twice": (lambda home: home.merge(one(home, 2), one(home, 2)), "two different"),
    "split of nothing": (lambda home: home.split(one(home, 2), day=DAYS[1]), "none of them"),
    "split of all": (lambda home: home.split(one(home, 2), day=DAYS[0]), "all of them"),
    "too few digits": (lambda home: home.split(one(home, 2), sightings=("12",)), "at least 8 digits"),
    "window of nothing": (lambda home: open_window(home.platform, "2023-07"), "2024-01"),
}


@pytest.mark.parametrize(("work", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_says_what_to_do(home, work, says) -> None:
    with pytest.raises(Exception, match=says):
        work(home)
    assert home.platform.events.events() == ()


def test_a_visitor_who_was_merged_away(home) -> None:
    names = {home.name_of(one(home, person)) for person in (2, 3)}
    home.merge(one(home, 2), one(home, 3))
    home.run()
    [gone] = names - {home.name_of(one(home, 3))}
    with pytest.raises(UserMistake, match="nobody in the newest map"):
        home.visitors().visitor(gone)


def told(home, face):
    visitors = home.visitors()
    return explain(visitors, visitors.visitor(home.name_of(face)))


def test_explain_lists_what_links_a_visitor(home) -> None:
    found = told(home, home.faces[1, 0][0])
    assert [(row["day"], row["faces"], row["tracklets"]) for row in found["local_visitors"]] == [
        (day.isoformat(), 3, 1) for day in DAYS
    ]
    listed = [each["sighting_id"] for row in found["local_visitors"] for each in row["sightings"]]
    assert listed == [str(face) for number in range(3) for face in home.faces[1, number]]
    assert len(found["links"]) == 2
    assert all(link["distance"] <= found["threshold"] and link["because"] == "alike" for link in found["links"])
    assert found["weakest_link"]["distance"] == max(link["distance"] for link in found["links"])
    assert found["lineage"] == [{"day": DAYS[0].isoformat(), "minted": True, "merged_from": [], "split_from": None}]
    assert {each["because"] for each in found["nearest"]} == {"mean distance above 0.1"}
    assert len(found["nearest"]) == 4


def test_explain_names_conflicts_and_events(home) -> None:
    found = told(home, one(home, 4))
    other = home.name_of(one(home, 5))
    assert found["conflicts"] == [{"visitor_id": other, "because": "in one still"}]
    assert {each["because"] for each in found["nearest"] if each["visitor_id"] == other} == {"in one still"}
    home.merge(one(home, 2), one(home, 4))
    home.split(home.faces[1, 0][0], day=DAYS[1])
    home.run()
    merged = told(home, one(home, 4))
    assert [link["because"] for link in merged["links"]] == ["merge event"]
    assert [(each["kind"], each["status"], each["author"]) for each in merged["events"]] == [
        ("merge", "applied", "ann")
    ]
    parted = told(home, home.faces[1, 1][0])
    assert "split event" in {each["because"] for each in parted["nearest"]}
    assert [each["kind"] for each in parted["events"]] == ["split"]


def test_event_kinds_of_this_file_are_all_there_are() -> None:
    assert set(EventKind) == {EventKind.MERGE, EventKind.SPLIT, EventKind.EXCLUDE, EventKind.UNDO}
