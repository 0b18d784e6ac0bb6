from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.domain.naming import carry_over

MINTED = 10_000


def member(number):
    return UUID(int=number)


def name(number):
    return UUID(int=100 + number)


def mint(founder):
    return UUID(int=MINTED + founder.int)


def carried(clusters, previous):
    """Clusters and names as small numbers."""
    return carry_over(
        [[member(each) for each in cluster] for cluster in clusters],
        {member(each): name(number) for each, number in previous.items()},
        mint,
    )


def by_members(identities):
    return {tuple(each.int for each in identity.members): identity for identity in identities}


def test_the_first_day_mints_every_name_from_the_smallest_member():
    found = by_members(carried([[3, 1], [2]], {}))
    assert {members: each.face_id for members, each in found.items()} == {
        (1, 3): mint(member(1)),
        (2,): mint(member(2)),
    }
    assert all(each.minted and not each.merged_from and each.split_from is None for each in found.values())


def test_a_cluster_that_grows_keeps_its_name():
    (found,) = carried([[1, 2, 3]], {1: 1, 2: 1})
    assert (found.face_id, found.minted, found.merged_from, found.split_from) == (name(1), False, (), None)


def test_a_merge_keeps_the_name_of_the_larger_and_remembers_the_other():
    (found,) = carried([[1, 2, 3]], {1: 1, 2: 2, 3: 2})
    assert (found.face_id, found.minted, found.merged_from) == (name(2), False, (name(1),))


def test_a_split_leaves_the_name_with_the_larger_and_the_other_remembers_it():
    found = by_members(carried([[1, 2], [3]], {1: 1, 2: 1, 3: 1}))
    assert found[1, 2].face_id == name(1)
    assert (found[3,].face_id, found[3,].minted, found[3,].split_from) == (mint(member(3)), True, name(1))
    assert found[3,].merged_from == ()


def test_an_exchange_of_members_moves_no_name():
    found = by_members(carried([[1, 2, 6], [4, 5, 3]], {1: 1, 2: 1, 3: 1, 4: 2, 5: 2, 6: 2}))
    assert (found[1, 2, 6].face_id, found[3, 4, 5].face_id) == (name(1), name(2))
    assert not any(each.minted or each.merged_from or each.split_from for each in found.values())


def test_ties_go_to_the_smaller_name_and_then_to_the_smaller_member():
    (found,) = carried([[1, 2]], {1: 2, 2: 1})
    assert (found.face_id, found.merged_from) == (name(1), (name(2),))
    split = by_members(carried([[2], [1]], {1: 1, 2: 1}))
    assert (split[1,].face_id, split[2,].minted) == (name(1), True)


def test_a_cluster_whose_first_choice_is_taken_gets_its_second():
    found = by_members(carried([[1, 2, 3], [4, 5, 6]], {1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 2}))
    assert (found[1, 2, 3].face_id, found[4, 5, 6].face_id) == (name(1), name(2))


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
def test_names_are_unique_and_every_member_has_one(day):
    clusters, previous = day
    found = carried(clusters, previous)
    assert len({each.face_id for each in found}) == len(found) == len(clusters)
    assert [each.face_id for each in found] == sorted(each.face_id for each in found)
    assert Counter(each.members for each in found) == Counter(
        tuple(member(each) for each in sorted(cluster)) for cluster in clusters
    )


@given(days())
def test_the_largest_overlap_of_all_keeps_its_name(day):
    clusters, previous = day
    found = by_members(carried(clusters, previous))
    overlaps = Counter(
        (tuple(sorted(cluster)), previous[each]) for cluster in clusters for each in cluster if each in previous
    )
    if overlaps:
        ranked = overlaps.most_common()
        if len(ranked) == 1 or ranked[0][1] > ranked[1][1]:
            (members, number), _ = ranked[0]
            assert found[members].face_id == name(number)


@given(days())
def test_a_name_is_minted_only_where_none_is_left(day):
    clusters, previous = day
    found = carried(clusters, previous)
    inherited = {each.face_id for each in found if not each.minted}
    assert inherited <= {name(number) for number in previous.values()}
    for each in found:
        old = {name(previous[number.int]) for number in each.members if number.int in previous}
        if each.minted:
            assert each.face_id == mint(each.members[0])
            assert old <= inherited
            assert each.merged_from == ()
            assert (each.split_from in old) if old else (each.split_from is None)
        else:
            assert each.face_id in old
            assert each.split_from is None
            assert set(each.merged_from) == old - inherited


@given(days())
def test_the_order_of_clusters_and_members_makes_no_difference(day):
    clusters, previous = day
    assert carried(clusters, previous) == carried([cluster[::-1] for cluster in clusters[::-1]], previous)


@given(days())
def test_the_same_day_again_changes_no_name(day):
    clusters, previous = day
    first = carried(clusters, previous)
    names = {each: identity.face_id for identity in first for each in identity.members}
    again = carry_over([identity.members for identity in first], names, mint)
    assert [(each.face_id, each.members) for each in again] == [(each.face_id, each.members) for each in first]
    assert not any(each.minted or each.merged_from or each.split_from for each in again)


@pytest.mark.parametrize("count", [50])
def test_a_long_line_of_days_never_gives_one_name_twice(count):
    """Two that split and merge again and again."""
    names, seen = {}, set()
    for day in range(count):
        clusters = [[member(1), member(2)]] if day % 2 else [[member(1)], [member(2)]]
        found = carry_over(clusters, names, lambda founder, day=day: UUID(int=(day + 1) * 1000 + founder.int))
        fresh = {each.face_id for each in found if each.minted}
        assert not fresh & seen
        seen |= fresh
        names = {each: identity.face_id for identity in found for each in identity.members}
