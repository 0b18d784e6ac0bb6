"""When somebody certainly was somewhere, and who was at two places at once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.domain.presence import Presence, at_two_places, stays
from footfall_assets.domain.row_groups import Groups

MINUTE_US = 60_000_000


def test_a_long_absence_ends_a_stay():
    starts, ends = stays(np.array([30, 0, 1, 31]) * MINUTE_US, elsewhere_after_s=600)
    assert starts.tolist() == [0, 30 * MINUTE_US]
    assert ends.tolist() == [1 * MINUTE_US, 31 * MINUTE_US]


def test_exactly_the_limit_is_still_one_stay():
    starts, ends = stays(np.array([0, 10]) * MINUTE_US, elsewhere_after_s=600)
    assert (starts.tolist(), ends.tolist()) == ([0], [10 * MINUTE_US])


def test_nobody_stays_nowhere():
    starts, ends = stays(np.array([], dtype=np.int64), elsewhere_after_s=600)
    assert len(starts) == len(ends) == 0


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=40), st.integers(1, 500))
def test_stays_cover_every_sighting_and_no_long_absence(seconds, limit):
    times = np.array(seconds, dtype=np.int64) * 1_000_000
    starts, ends = stays(times, elsewhere_after_s=limit)
    assert all(((starts <= moment) & (moment <= ends)).sum() == 1 for moment in times)
    assert all(starts[1:] - ends[:-1] > limit * 1_000_000)


def presence(*rows):
    person, place, start, end = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return Presence(person, place, start, end)


def test_two_places_at_one_moment():
    found = at_two_places(presence((0, 0, 0, 10), (1, 1, 10, 20), (2, 1, 11, 20), (3, 0, 5, 6)), np.arange(4))
    assert found.tolist() == [[0, 1]]


def test_only_the_rows_asked_for_and_by_position():
    everybody = presence((0, 0, 0, 10), (1, 1, 0, 10), (2, 2, 0, 10))
    assert at_two_places(everybody, np.array([2, 0])).tolist() == [[0, 1]]


def test_nobody_asked_for():
    assert at_two_places(presence((0, 0, 0, 1)), np.array([], dtype=np.int64)).shape == (0, 2)


PEOPLE = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=12
)


@given(PEOPLE)
def test_pair_by_pair_it_says_the_same(rows):
    everybody = presence(*sorted((person, place, start, start + length) for person, place, start, length in rows))
    left, right = (each.ravel() for each in np.mgrid[:5, :5])
    whole = Presence(everybody.person, everybody.place, everybody.start_us, everybody.end_us, people=5)
    found = {(a, b) for a, b, apart in zip(left, right, whole.between(left, right), strict=True) if apart and a < b}
    assert sorted(found) == [tuple(pair) for pair in at_two_places(whole, np.arange(5)).tolist()]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 30), st.integers(0, 8)), max_size=30),
    st.lists(st.integers(0, 5), min_size=6, max_size=6),
)
def test_groups_are_apart_where_two_of_their_members_are(rows, label):
    """Against all pairs of members. Groups that were at two places themselves are impossible and left out."""
    rows = sorted((person, place, start, start + length) for person, place, start, length in rows)
    everybody = Presence(*np.array(rows, dtype=np.int64).reshape(-1, 4).T, people=6)
    one, other = (each.ravel() for each in np.meshgrid(np.arange(6), np.arange(6)))
    never = everybody.between(one, other)
    apart = {(label[a], label[b]) for a, b in zip(one[never], other[never], strict=True)}
    possible = [group for group in sorted(set(label)) if (group, group) not in apart]
    left, right = np.array([(a, b) for a in possible for b in possible if a < b], dtype=np.int64).reshape(-1, 2).T
    found = everybody.between_groups(Groups(np.arange(6), np.array(label)), left, right)
    assert found.tolist() == [pair in apart for pair in zip(left.tolist(), right.tolist(), strict=True)]
