from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.domain.count_range import Total
from footfall_assets.domain.fusion import FACES, HourlyCounts
from footfall_assets.domain.unseen import (
    MOST_COUNTED_PLACES,
    NO_COUNTER,
    CountedPlace,
    PlaceHours,
    Visibility,
    counted_places,
    grouped,
    people_including_unseen,
    refused_at_once,
    visibility,
)
from footfall_assets.domain.visit_thinning import SeenPeople

TOTAL = Total(500, (480, 520), 0.9, None)
SEEN = (SeenPeople(0.5, (300.0, 150.0, 50.0)),)
KNOWN = Visibility({"a": 0.5}, 0.5, 0.05)


def counted(name="A", *, visits=1000, compared=900, took_place=1800.0, error=0.05):
    return CountedPlace(name, visits, compared, took_place, error)


def hours_of(chance, *, days=10, busy=20.0, seed=0, error=0.05):
    rng = np.random.default_rng(seed)
    visits = rng.poisson(busy, days * 12)
    counts = {"infrared": visits.astype(float), FACES: rng.binomial(visits, chance).astype(float)}
    return HourlyCounts(np.repeat(np.arange(days), 12), counts, {"infrared": error})


def test_without_a_counter_the_reason_says_what_to_do() -> None:
    assert visibility({"a": CountedPlace("A", 100)}) == NO_COUNTER
    assert people_including_unseen(TOTAL, SEEN, NO_COUNTER).reason == NO_COUNTER


def test_what_shows_before_any_hour_is_looked_at_is_refused_at_once() -> None:
    visits = {f"store-{number}": 10 for number in range(MOST_COUNTED_PLACES + 1)}
    assert refused_at_once(visits, set()) == NO_COUNTER
    assert refused_at_once({}, {"store-1"}) == NO_COUNTER
    some = [f"store-{number}" for number in range(79)]
    assert "79% of the visits" in (refused_at_once(dict.fromkeys([*some, "more"], 1) | {"rest": 20}, set(some)) or "")
    assert f"these are {MOST_COUNTED_PLACES + 1}" in (refused_at_once(visits, set(visits)) or "")
    visits.popitem()
    assert refused_at_once(visits, set(visits)) is None
    assert refused_at_once({"a": 80, "b": 20}, {"a"}) is None


def test_each_location_has_its_own_visibility_and_the_others_the_mean() -> None:
    found = visibility(
        {"a": counted(), "b": counted("B", took_place=1200.0), "c": CountedPlace("C", 200)},
    )
    assert isinstance(found, Visibility)
    assert found.chances == pytest.approx({"a": 0.5, "b": 0.75, "c": 0.6})
    assert found.error >= 0.05


@pytest.mark.parametrize(
    ("places", "reason"),
    [
        ({"a": counted(), "b": CountedPlace("B", 900)}, "53% of the visits with a face were at locations with a door"),
        ({"a": counted(compared=300, took_place=600.0)}, "30% of the visits with a face were in hours"),
        ({"a": counted(took_place=700.0)}, "A had 1.29 visits with a face for each one counted"),
        ({"a": counted(took_place=15_000.0)}, "faces show in 6% of the visits"),
        ({"a": counted(error=0.3)}, "known to 30% only"),
        ({"a": CountedPlace("A", 900, reason="thermal counted twice")}, "A: thermal counted twice"),
    ],
)
def test_what_cannot_be_known_is_refused_with_its_reason(places, reason) -> None:
    found = visibility(places)
    assert isinstance(found, str)
    assert reason in found


def test_a_few_visits_more_than_counted_are_chance() -> None:
    found = visibility({"a": counted(took_place=880.0)})
    assert isinstance(found, Visibility)
    assert found.chances["a"] == 1.0


def test_visibility_is_measured_in_hours_that_both_saw() -> None:
    given_hours = hours_of(0.4)
    faces = given_hours.counts[FACES].copy()
    faces[:24] = np.nan
    gapped = replace(given_hours, counts={**given_hours.counts, FACES: faces})
    found = counted_places({"a": PlaceHours("A", int(np.nansum(faces)), gapped)})["a"]
    assert found.compared_visits == np.nansum(faces)
    assert found.compared_visits / (found.took_place or 1) == pytest.approx(0.4, rel=0.05)


def test_small_locations_are_measured_together() -> None:
    """Each saw some 24 people in 24 hours, too few alone."""
    places = {
        name: PlaceHours(name, 15, hours_of(0.6, days=2, busy=1.0, seed=number)) for number, name in enumerate("abcd")
    }
    alone = counted_places({"a": places["a"]})["a"]
    assert alone.took_place is None
    found = counted_places(places)
    chances = {(each.compared_visits / (each.took_place or 1)) for each in found.values()}
    assert len({round(chance, 9) for chance in chances}) == 1
    assert chances.pop() == pytest.approx(0.6, abs=0.12)


def test_more_people_came_than_were_seen() -> None:
    found = people_including_unseen(TOTAL, SEEN, KNOWN)
    assert found.people is not None
    assert found.interval is not None
    assert found.people > 650
    assert found.interval[0] <= found.people <= found.interval[1]
    assert found.level == 0.9


def test_a_total_that_is_refused_refuses_this_one() -> None:
    found = people_including_unseen(Total(None, None, 0.9, "too few"), SEEN, KNOWN)
    assert found.reason == "the people with a face are not estimated: too few"


def test_too_few_people_say_nothing_of_how_often_people_come() -> None:
    few = (SeenPeople(0.5, (15.0, 5.0)),)
    assert "fewer than the 30" in (people_including_unseen(Total(20, (19, 21), 0.9, None), few, KNOWN).reason or "")


def test_data_that_leave_everything_open_are_refused() -> None:
    open_to_all = (SeenPeople(0.12, (28.0, 4.0, 1.0)),)
    found = people_including_unseen(Total(33, (20, 50), 0.9, None), open_to_all, replace(KNOWN, error=0.2))
    assert "would explain what was seen" in (found.reason or "")


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.integers(0, 80), min_size=1, max_size=6).filter(lambda times: sum(times) >= 30),
    st.floats(0.3, 1.0),
    st.floats(0.9, 1.1),
)
def test_never_fewer_than_the_people_with_a_face(times, chance, off) -> None:
    people = max(1, round(sum(times) * off))
    total = Total(people, (round(people * 0.95), round(people * 1.05) + 1), 0.9, None)
    found = people_including_unseen(
        total, (SeenPeople(chance, tuple(map(float, times))),), Visibility({"a": chance}, chance, 0.05)
    )
    if found.people is not None and found.interval is not None:
        assert found.people >= people
        assert found.interval[0] >= total.interval[0]


def test_rows_become_groups_of_one_chance() -> None:
    assert grouped([(0.5, 1, 10), (0.8, 2, 4), (0.5, 3, 2), (0.5, 1, 1)]) == (
        SeenPeople(0.5, (11.0, 0.0, 2.0)),
        SeenPeople(0.8, (0.0, 4.0)),
    )
