"""The bounds that an attacker can compute, against trying everything."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.domain.protection import Units, feasible_ranges, narrowest, shown_ranges


def units(parent, level, low, high):
    return Units(*(np.array(each, dtype=np.int64) for each in (parent, level, low, high)))


@pytest.mark.parametrize(
    ("shown", "hidden", "expected"),
    [(0, True, (0, 9)), (10, False, (10, 12)), (15, False, (13, 17)), (500, False, (498, 502))],
)
def test_what_a_published_count_says_alone(shown, hidden, expected):
    low, high = shown_ranges(np.array([shown]), np.array([hidden]), least=10, rounding=5)
    assert (int(low[0]), int(high[0])) == expected


def test_a_day_bounds_its_hours_from_below():
    """9 and 9 hidden, 18 to 22 shown: both must be 9."""
    tree = units([2, 2, -1], [0, 0, 1], [0, 0, 18], [9, 9, 22])
    low, high = feasible_ranges(tree)
    assert (low.tolist(), high.tolist()) == ([9, 9, 18], [9, 9, 18])
    assert narrowest(tree, np.array([True, True, False])) == 1


def test_bounds_pass_through_a_level():
    """An hour in the only day of a week: the week's number bounds it."""
    tree = units([1, 2, -1], [0, 1, 2], [0, 0, 7], [9, 9, 9])
    assert feasible_ranges(tree)[0].tolist() == [7, 7, 7]


def test_nothing_hidden_and_nothing_at_all():
    empty = np.array([], dtype=np.int64)
    assert narrowest(Units(empty, empty, empty, empty), empty.astype(bool)) is None
    assert narrowest(units([-1], [0], [13], [17]), np.array([False])) is None


@pytest.mark.parametrize("wrong", [([1, -1], [0, 0]), ([1, -1], [1, 0])])
def test_a_parent_is_on_a_higher_level(wrong):
    with pytest.raises(ValueError, match="higher level"):
        units(*wrong, [0, 0], [1, 1])


def test_arrays_have_one_length():
    with pytest.raises(ValueError, match="one length"):
        units([-1], [0, 0], [0], [1])


@st.composite
def small_trees(draw):
    """A week of one or two days of one or two hours each, with ranges that some true numbers satisfy."""
    parent, level, true = [-1], [2], [0]
    for _ in range(draw(st.integers(1, 2))):
        day = len(parent)
        parent, level = [*parent, 0], [*level, 1]
        hours = draw(st.lists(st.integers(0, 4), min_size=1, max_size=2))
        true.append(draw(st.integers(max(hours), sum(hours))))
        parent, level, true = [*parent, *[day] * len(hours)], [*level, *[0] * len(hours)], [*true, *hours]
    days = [true[unit] for unit in range(len(parent)) if level[unit] == 1]
    true[0] = draw(st.integers(max(days), sum(days)))
    low = [draw(st.integers(0, count)) for count in true]
    high = [draw(st.integers(count, count + 2)) for count in true]
    return units(parent, level, low, high)


def fits(tree, counts):
    for unit in range(len(tree.parent)):
        parts = [counts[part] for part in np.flatnonzero(tree.parent == unit)]
        if parts and not max(parts) <= counts[unit] <= sum(parts):
            return False
    return True


@settings(max_examples=60, deadline=None)
@given(small_trees())
def test_bounds_are_those_of_trying_everything(tree):
    choices = [range(low, high + 1) for low, high in zip(tree.low, tree.high, strict=True)]
    possible = np.array([counts for counts in itertools.product(*choices) if fits(tree, counts)])
    low, high = feasible_ranges(tree)
    assert (possible.min(axis=0) == low).all()
    assert (possible.max(axis=0) == high).all()
    for unit in range(len(low)):  # every number in between is possible too
        assert set(possible[:, unit]) == set(range(low[unit], high[unit] + 1))
