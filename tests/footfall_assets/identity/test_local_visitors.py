import random
from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest

from footfall_assets.contracts.schemas import LOCAL_VISITORS, local_visitor_templates
from footfall_assets.contracts.settings import QualitySettings
from footfall_assets.identity.local_visitors import day_faces, follow_day, solve_day

GATES = ["too_small", "low_score", "too_blurred", "extreme_pose"]


@pytest.fixture
def solve(linkage):
    def run(seen, order=None, **changes):
        options = {
            "location_id": seen.location_id,
            "business_day": seen.day,
            "interval_s": {"door": 5.0, "aisle": 5.0},
            "quality": QualitySettings(),
            "linkage": linkage,
        }
        return solve_day(day_faces(*seen.tables(order)), **options | changes)

    return run


@pytest.fixture
def follow(linkage):
    def run(seen, order=None):
        day = day_faces(*seen.tables(order))
        return follow_day(
            day, location_id=seen.location_id, business_day=seen.day, interval_s={"door": 5.0}, linkage=linkage
        )

    return run


def visitor_of(solved):
    """Return the visitor of each face."""
    table = solved.assignments
    ids = table["face_image_id"].to_pylist()
    return dict(zip(ids, table["local_visitor_id"].to_pylist(), strict=True))


def reason_of(solved):
    table = solved.assignments
    ids = table["face_image_id"].to_pylist()
    return dict(zip(ids, table["unidentified_reason"].to_pylist(), strict=True))


def test_two_people_who_come_twice(footage, solve) -> None:
    seen = footage()
    faces = {
        1: seen.pass_by(1, 0) + seen.pass_by(1, 3600, camera="aisle", x=300),
        2: seen.pass_by(2, 600) + seen.pass_by(2, 7200),
    }
    solved = solve(seen)
    visitors = {person: {visitor_of(solved)[face] for face in several} for person, several in faces.items()}
    assert all(len(found) == 1 for found in visitors.values())
    assert visitors[1] != visitors[2]
    assert solved.assignments.schema.equals(LOCAL_VISITORS)
    assert solved.templates.schema.equals(local_visitor_templates(16))
    assert solved.templates["faces"].to_pylist() == [6, 6]
    assert set(reason_of(solved).values()) == {None}
    assert all(score > 0.99 for score in solved.assignments["match_score"].to_pylist())


def test_a_template_says_when_its_visitor_certainly_was_there(footage, solve) -> None:
    seen = footage()
    seen.pass_by(1, 100)
    seen.pass_by(1, 9000)
    [row] = solve(seen).templates.to_pylist()
    moments = sorted(each["captured_at"] for each in seen.rows)
    half = len(moments) // 2
    assert row["stay_starts"] == [moments[0], moments[half]]
    assert row["stay_ends"] == [moments[half - 1], moments[-1]]
    assert (row["location_id"], row["day"]) == ("store-101", seen.day)
    assert row["quality"] == pytest.approx(0.9)


def test_two_faces_in_one_still_are_two_people_however_alike(footage, solve) -> None:
    seen = footage()
    left, right = seen.see(1, 0, x=0), seen.see(1, 0, x=300)
    solved = solve(seen)
    found = visitor_of(solved)
    assert found[left] != found[right]
    conflicts = {row["local_visitor_id"]: row["conflicts"] for row in solved.templates.to_pylist()}
    assert conflicts == {found[left]: [found[right].bytes], found[right]: [found[left].bytes]}


def test_twins_stay_apart_all_day(footage, solve) -> None:
    """They are told apart where both are seen; a look at one of them alone goes to one of the two."""
    seen = footage()
    together = [(seen.see(1, at, x=0), seen.see(1, at, x=300)) for at in range(0, 20, 5)]
    alone = seen.see(1, 3600)
    found = visitor_of(solve(seen))
    assert all(found[left] != found[right] for left, right in together)
    assert len(set(found.values())) == 2
    assert found[alone] in set(found.values())


@pytest.mark.parametrize("gate", GATES)
def test_a_lesser_face_joins_and_does_not_found(footage, solve, bad_measures, gate) -> None:
    seen = footage()
    good = seen.pass_by(1, 0)
    joins = seen.see(1, 3600, **bad_measures[gate])
    alone = seen.see(2, 4800, **bad_measures[gate])
    solved = solve(seen)
    assert visitor_of(solved)[joins] == visitor_of(solved)[good[0]]
    assert reason_of(solved)[joins] is None
    assert visitor_of(solved)[alone] is None
    assert reason_of(solved)[alone] == gate
    assert solved.templates.num_rows == 1


def test_a_lesser_face_does_not_move_the_template(footage, solve) -> None:
    with_lesser, without = footage(), footage()
    for seen in (with_lesser, without):
        seen.pass_by(1, 0)
    with_lesser.see(1, 3600, size_px=10.0)
    first, second = solve(with_lesser).templates, solve(without).templates
    assert first["vector"].to_pylist() == second["vector"].to_pylist()
    assert first["faces"].to_pylist() == [4]


def test_a_lesser_face_beside_a_visitor_is_somebody_else(footage, solve) -> None:
    seen = footage()
    seen.see(1, 0, x=0)
    beside = seen.see(1, 0, x=300, size_px=10.0)
    solved = solve(seen)
    assert visitor_of(solved)[beside] is None
    assert reason_of(solved)[beside] == "too_small"


def test_a_face_without_a_vector_is_nobody(footage, solve) -> None:
    seen = footage()
    good = seen.see(1, 0)
    blind = seen.see(1, 5, blind=True)
    solved = solve(seen)
    assert visitor_of(solved)[blind] is None
    assert reason_of(solved) == {good: None, blind: "invalid_vector"}


def test_nobody_can_be_identified(footage, solve) -> None:
    seen = footage()
    for person in range(4):
        seen.see(person, 60 * person, size_px=10.0)
    solved = solve(seen)
    assert Counter(reason_of(solved).values()) == {"too_small": 4}
    assert solved.assignments["local_visitor_id"].null_count == 4
    assert solved.assignments["match_score"].null_count == 4
    assert solved.templates.equals(local_visitor_templates(16).empty_table())


def test_no_face_has_a_vector(footage, solve) -> None:
    seen = footage()
    seen.see(1, 0, blind=True)
    solved = solve(seen)
    assert list(reason_of(solved).values()) == ["invalid_vector"]
    assert solved.templates.num_rows == 0


def test_an_empty_day(footage, solve, follow) -> None:
    for solved in (solve(footage()), follow(footage())):
        assert solved.assignments.equals(LOCAL_VISITORS.empty_table())
        assert solved.templates.equals(local_visitor_templates(16).empty_table())


@pytest.fixture
def busy_day(footage):
    seen = footage()
    for person in range(6):
        seen.pass_by(person, 100 * person, x=70 * person)
        seen.pass_by(person, 4000 + 70 * person, camera="aisle")
        seen.see(person, 9000 + person, size_px=12.0)
    for person in (2, 3):
        seen.pass_by(person, 12_000, x=200 * person)
    seen.see(9, 13_000, yaw=0.9)
    seen.see(3, 14_000, blind=True)
    return seen


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_rows_does_not_matter(busy_day, solve, follow, seed) -> None:
    order = list(range(len(busy_day.rows)))
    random.Random(seed).shuffle(order)  # noqa: S311 - a test's order
    for run in (solve, follow):
        expected, shuffled = run(busy_day), run(busy_day, order)
        assert shuffled.assignments.equals(expected.assignments)
        assert shuffled.templates.equals(expected.templates)


def test_a_face_that_comes_twice_counts_once(busy_day, solve, follow) -> None:
    twice = [*range(len(busy_day.rows)), *range(5), *range(7)]
    for run in (solve, follow):
        expected, doubled = run(busy_day), run(busy_day, twice)
        assert doubled.assignments.equals(expected.assignments)
        assert doubled.templates.equals(expected.templates)


def test_every_face_is_accounted_for(busy_day, solve) -> None:
    table = solve(busy_day).assignments
    assert table.num_rows == len(busy_day.rows)
    for row in table.to_pylist():
        assert (row["local_visitor_id"] is None) == (row["unidentified_reason"] is not None)
        assert (row["match_score"] is None) == (row["local_visitor_id"] is None)


def test_a_local_visitor_belongs_to_its_day_and_location(footage, solve) -> None:
    ids = set()
    for options in ({}, {"location_id": "store-203"}, {"day": date(2024, 1, 6)}):
        seen = footage(**options)
        seen.pass_by(1, 0)
        [each] = solve(seen).templates["local_visitor_id"].to_pylist()
        ids.add(each)
    assert len(ids) == 3


def test_a_location_that_only_counts_follows_boxes(footage, follow) -> None:
    seen = footage()
    standing = [seen.see(1, at, x=0, blind=True) for at in (0, 5, 10)]
    beside = [seen.see(2, at, x=300, blind=True) for at in (0, 5, 10)]
    later = seen.see(1, 600, x=0, blind=True)
    solved = follow(seen)
    found = visitor_of(solved)
    tracks = [{found[face] for face in faces} for faces in (standing, beside, [later])]
    assert all(len(track) == 1 for track in tracks)
    assert len(set.union(*tracks)) == 3
    assert set(reason_of(solved).values()) == {"count_only"}
    assert solved.assignments["match_score"].null_count == 7
    assert solved.templates.num_rows == 0


def test_a_location_that_only_counts_recognises_nobody(footage, follow) -> None:
    """Vectors that are there all the same, from before its mode was changed, are not looked at."""
    seen, blind = footage(), footage()
    for number in range(4):
        seen.see(1, 400 * number)
        blind.see(number, 400 * number, blind=True)
    assert follow(seen).assignments.equals(follow(blind).assignments)


def test_faces_are_in_the_order_of_time_and_visitors_of_their_ids(busy_day, solve) -> None:
    moments = solve(busy_day).assignments["captured_at"].to_pylist()
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] > timedelta(hours=3)
    visitors = solve(busy_day).templates["local_visitor_id"].to_pylist()
    assert visitors == sorted(visitors)


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), 0.0, 3.0], ids=["nan", "infinite", "zero", "too long"])
def test_a_broken_vector_founds_and_joins_nobody(footage, solve, broken) -> None:
    seen = footage()
    good = seen.pass_by(1, 0)
    bad = seen.see(1, 3600)
    whole = solve(seen)
    seen.vectors[-1] = seen.vectors[-1] * broken
    solved = solve(seen)
    assert visitor_of(solved)[bad] is None
    assert reason_of(solved)[bad] == "invalid_vector"
    assert {visitor_of(solved)[face] for face in good} == {visitor_of(whole)[face] for face in good}
    assert np.isfinite(np.array(solved.templates["vector"].to_pylist())).all()
