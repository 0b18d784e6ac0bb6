import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.domain.visit_thinning import (
    SeenPeople,
    Thinning,
    negative_binomial,
    people_behind,
    seen_times,
    with_people,
)

TIMES = st.lists(st.integers(0, 60), min_size=1, max_size=8).filter(lambda times: sum(times) >= 5)
CHANCES = st.floats(0.15, 1.0)


def seen_of(visits, chance, seed=1):
    """Return how often people were seen who came `visits` times each."""
    times = np.random.default_rng(seed).binomial(visits, chance)
    return SeenPeople(chance, tuple(np.bincount(times)[1:].astype(float).tolist()))


@settings(max_examples=10, deadline=None)
@given(TIMES, CHANCES)
def test_everybody_seen_came(times, chance) -> None:
    found = people_behind(Thinning((SeenPeople(chance, tuple(map(float, times))),)))
    assert sum(times) <= found.people * 1.0000001
    assert found.low <= found.people <= found.high


def test_where_every_visit_shows_a_face_nobody_was_missed() -> None:
    found = people_behind(Thinning((SeenPeople(1.0, (70.0, 20.0, 10.0)),)))
    assert (found.low, found.people, found.high) == pytest.approx((100, 100, 100))


@pytest.mark.parametrize("mean", [0.0, 0.6, 3.0])
@pytest.mark.parametrize("chance", [0.3, 0.7])
def test_people_who_come_by_chance_are_all_found(mean, chance) -> None:
    """Of 3,000 who come once at 30 %, 900 are seen; none of them says how often the others came."""
    visits = 1 + np.random.default_rng(4).poisson(mean, 3000)
    found = people_behind(Thinning((seen_of(visits, chance),)))
    assert found.people == pytest.approx(3000, rel=0.06)
    assert found.low <= 3000 <= found.high


def test_a_crowd_that_comes_equally_often_is_overestimated() -> None:
    """The distributions of visits are no narrower than chance would make them: a known loss (docs/accuracy.md)."""
    found = people_behind(Thinning((seen_of(np.full(3000, 3), 0.4),)))
    assert 1.05 < found.people / 3000 < 1.2


def test_groups_of_another_visibility_are_found_by_their_own() -> None:
    """Together they would be 35 % visible, which is true of neither."""
    visits = np.random.default_rng(0).integers(1, 5, 2000)
    groups = (seen_of(visits, 0.2, 1), seen_of(visits, 0.8, 2))
    assert people_behind(Thinning(groups)).people == pytest.approx(4000, rel=0.06)


def test_the_same_seed_gives_the_same_people() -> None:
    given_twice = Thinning((SeenPeople(0.5, (40.0, 20.0, 5.0)),))
    assert people_behind(given_twice) == people_behind(given_twice)
    assert people_behind(given_twice) != people_behind(given_twice, seed=1)


def test_errors_of_the_chance_and_of_the_list_widen_the_interval() -> None:
    group = (SeenPeople(0.6, (300.0, 150.0, 60.0)),)

    def width(**errors):
        found = people_behind(Thinning(group, **errors))
        return found.high - found.low

    assert width(chance_error=0.1) > 1.2 * width()
    assert width(people_error=0.1) > 1.5 * width()


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 8), st.floats(0.5, 100))
def test_a_negative_binomial_has_its_mean(mean, shape) -> None:
    chances = negative_binomial(np.array([mean]), np.array([shape]), 600)[0]
    assert chances.sum() == pytest.approx(1, abs=1e-6)
    assert chances @ np.arange(601) == pytest.approx(mean, rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.floats(-2, 1.5), st.floats(0, 4), st.floats(-2, 1.5), st.floats(0, 4), st.floats(-3, 3), CHANCES)
def test_closed_form_is_binomial_thinning(mean, shape, other_mean, other_shape, logit, chance) -> None:
    visits = np.array([[mean, shape, other_mean, other_shape, logit]])
    made = seen_times(visits, np.array([1.0]), 60)[0]
    thinned = np.zeros(61)
    for times, share in enumerate(made):
        if times:
            number = np.arange(times + 1)
            ways = np.cumprod(np.r_[1.0, (times - number[:-1]) / (number[:-1] + 1)])
            thinned[: times + 1] += share * ways * chance**number * (1 - chance) ** (times - number)
    np.testing.assert_allclose(seen_times(visits, np.array([chance]), 10)[0], thinned[:11], atol=2e-3)


@settings(max_examples=25, deadline=None)
@given(TIMES, st.floats(0.85, 1.15))
def test_a_corrected_list_has_so_many_people(times, factor) -> None:
    group = SeenPeople(0.5, tuple(map(float, times)))
    changed = with_people(group, factor)
    assert changed.seen == pytest.approx(group.seen * factor)
    assert min(changed.times) >= 0


def test_joining_rows_moves_people_to_more_visits() -> None:
    """100 rows of one visit each are 90 people: ten of them came twice."""
    assert with_people(SeenPeople(0.5, (100.0, 0.0)), 0.9).times == pytest.approx((80.0, 10.0))
    assert with_people(SeenPeople(0.5, (0.0, 100.0)), 1.1).times == pytest.approx((20.0, 90.0))
