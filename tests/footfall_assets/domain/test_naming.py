"""Names on small numbers: clusters of local visitors 1, 2, ..., names 0, 1, ... of the day before, None for new."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.domain.naming import carry_over


@dataclass(frozen=True)
class Named:
    members: tuple[int, ...]
    name: int | None
    merged_from: tuple[int, ...]
    split_from: int | None


def carried(clusters, previous):
    """What each cluster is called, in the order of their smallest members."""
    ordered = sorted(tuple(sorted(cluster)) for cluster in clusters)
    rows = [(number, each) for number, cluster in enumerate(ordered) for each in cluster]
    naming = carry_over(
        np.array([number for number, _ in rows], np.int64),
        np.array([previous.get(each, -1) for _, each in rows], np.int64),
    )
    merged = naming.merged.tolist()
    return [
        Named(
            members,
            None if name < 0 else name,
            tuple(other for owner, other in merged if owner == number),
            None if origin < 0 else origin,
        )
        for number, (members, name, origin) in enumerate(
            zip(ordered, naming.name.tolist(), naming.split_from.tolist(), strict=True)
        )
    ]


def carried_one_by_one(clusters, previous):
    """The rule as it is written, claim by claim."""
    ordered = sorted(tuple(sorted(cluster)) for cluster in clusters)
    overlaps = [Counter(previous[each] for each in cluster if each in previous) for cluster in ordered]
    claims = sorted((-count, name, row) for row, each in enumerate(overlaps) for name, count in each.items())
    names, taken = {}, set()
    for _, name, row in claims:
        if row not in names and name not in taken:
            names[row] = name
            taken.add(name)
    found = []
    for row, members in enumerate(ordered):
        largest = min(overlaps[row], key=lambda each: (-overlaps[row][each], each), default=None)
        merged = tuple(sorted(each for each in overlaps[row] if each != names.get(row) and each not in taken))
        found.append(Named(members, names.get(row), merged, None if row in names else largest))
    return found


def by_members(identities):
    return {each.members: each for each in identities}


def test_on_the_first_day_every_name_is_new():
    found = carried([[3, 1], [2]], {})
    assert found == [Named((1, 3), None, (), None), Named((2,), None, (), None)]


def test_a_cluster_that_grows_keeps_its_name():
    assert carried([[1, 2, 3]], {1: 1, 2: 1}) == [Named((1, 2, 3), 1, (), None)]


def test_a_merge_keeps_the_name_of_the_larger_and_remembers_the_other():
    assert carried([[1, 2, 3]], {1: 1, 2: 2, 3: 2}) == [Named((1, 2, 3), 2, (1,), None)]


def test_a_split_leaves_the_name_with_the_larger_and_the_other_remembers_it():
    found = by_members(carried([[1, 2], [3]], {1: 1, 2: 1, 3: 1}))
    assert found[1, 2].name == 1
    assert found[3,] == Named((3,), None, (), 1)


def test_an_exchange_of_members_moves_no_name():
    found = by_members(carried([[1, 2, 6], [4, 5, 3]], {1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: 2}))
    assert (found[1, 2, 6].name, found[3, 4, 5].name) == (1, 2)
    assert not any(each.merged_from or each.split_from is not None for each in found.values())


def test_ties_go_to_the_smaller_name_and_then_to_the_smaller_member():
    assert carried([[1, 2]], {1: 2, 2: 1}) == [Named((1, 2), 1, (2,), None)]
    split = by_members(carried([[2], [1]], {1: 1, 2: 1}))
    assert (split[1,].name, split[2,].name) == (1, None)


def test_a_cluster_whose_first_choice_is_taken_gets_its_second():
    found = by_members(carried([[1, 2, 3], [4, 5, 6]], {1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 2}))
    assert (found[1, 2, 3].name, found[4, 5, 6].name) == (1, 2)


def test_nobody_is_nobody():
    assert carried([], {1: 1}) == []


@st.composite
def days(draw):
    """Today's clusters, and the names that some of their members, and others, bore the day before."""
    labels = draw(st.lists(st.integers(0, 6), max_size=20))
    clusters = [[each for each, label in enumerate(labels, 1) if label == wanted] for wanted in set(labels)]
    known = draw(st.dictionaries(st.integers(1, 22), st.integers(0, 5), max_size=20))
    return draw(st.permutations(clusters)), known


@given(days())
def test_it_names_as_the_rule_does_claim_by_claim(day):
    clusters, previous = day
    assert carried(clusters, previous) == carried_one_by_one(clusters, previous)


@given(days())
def test_no_name_is_used_twice(day):
    clusters, previous = day
    names = [each.name for each in carried(clusters, previous) if each.name is not None]
    assert len(set(names)) == len(names)
    assert set(names) <= set(previous.values())


@given(days())
def test_a_name_is_new_only_where_none_is_left(day):
    clusters, previous = day
    found = carried(clusters, previous)
    inherited = {each.name for each in found if each.name is not None}
    for each in found:
        old = {previous[number] for number in each.members if number in previous}
        if each.name is None:
            assert old <= inherited
            assert each.merged_from == ()
            assert (each.split_from in old) if old else (each.split_from is None)
        else:
            assert each.name in old
            assert each.split_from is None
            assert set(each.merged_from) == old - inherited


@given(days())
def test_the_same_day_again_changes_no_name(day):
    clusters, previous = day
    first = carried(clusters, previous)
    names = {member: number for number, each in enumerate(first) for member in each.members}
    again = carried([each.members for each in first], names)
    assert [each.name for each in again] == list(range(len(first)))
    assert not any(each.merged_from or each.split_from is not None for each in again)


@pytest.mark.parametrize("size", [1000])
def test_many_clusters_with_a_claim_each_are_named_at_once(size):
    found = carried([[each] for each in range(1, size + 1)], {each: size - each for each in range(1, size + 1)})
    assert [each.name for each in found] == list(range(size - 1, -1, -1))
