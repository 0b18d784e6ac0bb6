"""Rules of replay: must-links hold through chains, cannot-links always, order matters only where events contradict."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.domain.corrections import NO_PAIRS, Settled, Wish, cut_tracks, match_anchors, relink, settle
from footfall_assets.domain.linkage import apart_by_pairs, connected_components, link

THRESHOLD = 0.3


def pairs(*rows):
    return np.array(rows, dtype=np.int64).reshape(-1, 2)


def as_set(found):
    return {tuple(sorted(pair)) for pair in found.tolist()}


# --- anchors ---------------------------------------------------------------------------------------------------------

BOX = np.array([[10.0, 10, 50, 50]], np.float32)


@pytest.mark.parametrize(
    ("shift", "expected"), [(0, 0), (10, 0), (21, 0), (22, -1), (60, -1)], ids=["same", "near", "just", "not", "far"]
)
def test_an_anchor_is_the_face_it_overlaps(shift, expected) -> None:
    """40 px wide, moved sideways by s: the overlap is (40 - s) / (40 + s); at 21 px 0.311, at 22 px 0.290."""
    found = match_anchors(np.array([0]), BOX + np.float32([shift, 0, shift, 0]), np.array([0]), BOX)
    assert found.tolist() == [expected]


def test_an_anchor_belongs_to_its_own_still_and_takes_the_best_face() -> None:
    faces = np.concatenate([BOX + 12, BOX + 1, BOX])
    found = match_anchors(np.array([0, 7]), np.concatenate([BOX, BOX]), np.array([0, 0, 1]), faces)
    assert found.tolist() == [1, -1]


# --- settling --------------------------------------------------------------------------------------------------------


def test_a_later_split_parts_only_what_it_names() -> None:
    merge, split = Wish.merge([[0, 1, 2], [3]]), Wish.split([3], [0, 1, 2])
    settled = settle(4, [merge, split], NO_PAIRS)
    assert as_set(settled.together) == {(0, 1), (0, 2), (1, 2)}
    assert as_set(settled.apart) == {(0, 3), (1, 3), (2, 3)}
    assert settled.superseded == (3, 0)


def test_a_later_merge_overrules_a_split() -> None:
    settled = settle(4, [Wish.split([3], [0, 1, 2]), Wish.merge([[0, 1, 2], [3]])], NO_PAIRS)
    assert settled.superseded == (3, 0)
    assert len(settled.apart) == 0
    assert set(connected_components(4, settled.together).tolist()) == {0}


def test_evidence_overrules_every_event() -> None:
    settled = settle(3, [Wish.merge([[0], [1], [2]])], pairs((0, 1)))
    assert settled.impossible == (2,)  # 0 with 1, and then 1 with 2, who is 0
    assert as_set(settled.together) == {(0, 2)}


def test_a_merge_that_cannot_hold_leaves_its_sides_whole() -> None:
    """0 and 3 were in one still; without an order 3 might take 1 and 2 away from 0."""
    settled = settle(4, [Wish.merge([[0, 1, 2], [3]])], pairs((0, 3)))
    assert as_set(settled.together) == {(0, 1), (0, 2), (1, 2)}
    assert (settled.held, settled.impossible) == ((0,), (3,))


def test_a_contradiction_through_others_is_one() -> None:
    """1 is 0 and 2 is 1, so the older split of 0 and 2 cannot hold; were it newest, the last merge could not."""
    split, left, right = Wish.split([0], [2]), Wish.merge([[0], [1]]), Wish.merge([[1], [2]])
    assert settle(3, [split, left, right], NO_PAIRS).superseded == (1, 0, 0)
    assert settle(3, [left, right, split], NO_PAIRS).superseded == (1, 0, 0)


def test_a_row_on_both_sides_is_left_alone() -> None:
    assert as_set(Wish.split([0, 1], [1, 2]).apart) == {(0, 2)}


ROWS = st.integers(0, 7)
SIDES = st.lists(ROWS, min_size=1, max_size=4)
WISHES = st.lists(
    st.one_of(st.builds(Wish.merge, st.lists(SIDES, min_size=1, max_size=3)), st.builds(Wish.split, SIDES, SIDES)),
    min_size=1,
    max_size=6,
)
IMPOSSIBLE = st.lists(st.tuples(ROWS, ROWS).filter(lambda pair: pair[0] != pair[1]), max_size=4).map(
    lambda found: pairs(*found)
)


@given(WISHES, IMPOSSIBLE)
def test_what_holds_never_contradicts_itself(wishes, impossible) -> None:
    settled = settle(8, wishes, impossible)
    group = connected_components(8, settled.together)
    for one, other in [*settled.apart.tolist(), *impossible.tolist()]:
        assert group[one] != group[other]


@given(WISHES, IMPOSSIBLE)
def test_every_pair_holds_or_is_counted(wishes, impossible) -> None:
    settled = settle(8, wishes, impossible)
    asked = sum(len(wish.within) + len(wish.together) + len(wish.apart) for wish in wishes)
    held = len(settled.together) + len(settled.apart)
    assert asked == held + sum(settled.superseded) + sum(settled.impossible)


@given(WISHES)
def test_the_newest_wish_always_holds(wishes) -> None:
    assert settle(8, wishes, NO_PAIRS).superseded[-1] == 0


@given(WISHES, IMPOSSIBLE, st.randoms(use_true_random=False))
def test_wishes_without_contradiction_commute(wishes, impossible, chance) -> None:
    settled = settle(8, wishes, impossible)
    if any(settled.superseded) or any(settled.impossible):
        return
    shuffled = chance.sample(wishes, len(wishes))
    again = settle(8, shuffled, impossible)
    assert not any(again.superseded)
    assert as_set(again.together) == as_set(settled.together)
    assert as_set(again.apart) == as_set(settled.apart)


# --- the linkage under corrections -----------------------------------------------------------------------------------


def people(seed, count=24, dim=6):
    """Return unit vectors in four loose clusters."""
    chance = np.random.default_rng(seed)
    centre = np.eye(dim)[np.arange(count) % 4]
    vectors = centre + chance.normal(0, 0.25, (count, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def solved(vectors, settled, impossible=NO_PAIRS):
    weights = np.ones(len(vectors), np.float32)
    distance = 1 - vectors @ vectors.T
    near = np.stack(np.nonzero(np.triu(distance <= THRESHOLD, 1)), axis=1)
    apart = apart_by_pairs(len(vectors), impossible)

    def linkage(means, sizes, close, never):
        return link(means, sizes, close, never, THRESHOLD)

    return relink(linkage(vectors, weights, near, apart), vectors, weights, near, apart, settled, linkage)


def partition(labels):
    return {frozenset(np.flatnonzero(labels == each).tolist()) for each in set(labels.tolist())}


MANY = st.lists(st.integers(0, 23), min_size=1, max_size=4)
MANY_WISHES = st.lists(
    st.one_of(st.builds(Wish.merge, st.lists(MANY, min_size=1, max_size=3)), st.builds(Wish.split, MANY, MANY)),
    max_size=5,
)
MANY_IMPOSSIBLE = st.lists(
    st.tuples(st.integers(0, 23), st.integers(0, 23)).filter(lambda pair: pair[0] != pair[1]), max_size=5
).map(lambda found: pairs(*found))


@given(st.integers(0, 50), MANY_WISHES, MANY_IMPOSSIBLE)
def test_must_links_are_one_and_cannot_links_never(seed, wishes, impossible) -> None:
    settled = settle(24, wishes, impossible)
    labels = solved(people(seed), settled, impossible)
    group = connected_components(24, settled.together)
    for each in set(group.tolist()):
        assert len(set(labels[group == each].tolist())) == 1
    for one, other in [*settled.apart.tolist(), *impossible.tolist()]:
        assert labels[one] != labels[other]


@given(st.integers(0, 50), MANY_WISHES)
def test_corrections_touch_their_own_components_only(seed, wishes) -> None:
    vectors = people(seed)
    settled = settle(24, wishes, NO_PAIRS)
    before, after = partition(solved(vectors, Settled(NO_PAIRS, NO_PAIRS))), partition(solved(vectors, settled))
    near = np.stack(np.nonzero(np.triu(1 - vectors @ vectors.T <= THRESHOLD, 1)), axis=1)
    component = connected_components(24, np.concatenate([near, settled.together]))
    touched = set(component[np.concatenate([settled.together, settled.apart]).ravel()].tolist())
    for cluster in before ^ after:
        assert touched >= {int(component[row]) for row in cluster}


def test_without_corrections_nothing_is_solved_again() -> None:
    labels = np.array([0, 1])
    assert (
        relink(labels, people(0, 2), np.ones(2), NO_PAIRS, apart_by_pairs(2, NO_PAIRS), settle(2, [], NO_PAIRS), None)
        is labels
    )


def test_a_merged_group_weighs_as_its_members() -> None:
    """Two of one axis and one in between, must-linked: the fourth lies at the mean of three distances, as in UPGMA."""
    angle = np.arccos(1 - np.array([0.0, 0.0, 0.9, 0.25]))
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    mean = float((1 - vectors[:3] @ vectors[3]).mean())
    settled = settle(4, [Wish.merge([[0], [1], [2]])], NO_PAIRS)
    weights, near, apart = np.ones(4, np.float32), pairs((0, 1), (0, 3), (1, 3)), apart_by_pairs(4, NO_PAIRS)
    for limit, groups in ((mean + 1e-3, 1), (mean - 1e-3, 2)):

        def linkage(means, sizes, close, never, limit=limit):
            return link(means, sizes, close, never, limit)

        labels = relink(linkage(vectors, weights, near, apart), vectors, weights, near, apart, settled, linkage)
        assert len(set(labels.tolist())) == groups


def test_a_merge_of_equals_changes_nothing() -> None:
    """Three at 0, one at 25, one at 55 degrees: the last lies 0.353 from the mean of four, 0.280 from that of two."""
    angle = np.radians([0, 0, 0, 25, 55])
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    merged = settle(5, [Wish.merge([[0, 1], [2]])], NO_PAIRS)
    expected = {frozenset({0, 1, 2, 3}), frozenset({4})}
    assert partition(solved(vectors, Settled(NO_PAIRS, NO_PAIRS))) == expected
    assert partition(solved(vectors, merged)) == expected


def test_labels_at_several_cuts_are_corrected_at_each() -> None:
    vectors = people(3)
    weights = np.ones(24, np.float32)
    near = np.stack(np.nonzero(np.triu(1 - vectors @ vectors.T <= THRESHOLD, 1)), axis=1)
    apart = apart_by_pairs(24, NO_PAIRS)

    def linkage(means, sizes, close, never):
        return np.stack([link(means, sizes, close, never, cut) for cut in (0.05, THRESHOLD)], axis=1)

    labels = relink(
        linkage(vectors, weights, near, apart),
        vectors,
        weights,
        near,
        apart,
        settle(24, [Wish.merge([[0], [1]])], NO_PAIRS),
        linkage,
    )
    assert labels.shape == (24, 2)
    assert (labels[0] == labels[1]).all()


def test_a_tracklet_with_a_forbidden_pair_falls_into_its_faces() -> None:
    assert cut_tracks(np.array([0, 0, 0, 1, 1]), pairs((0, 2))).tolist() == [0, 1, 2, 3, 3]
    assert cut_tracks(np.array([0, 0, 1]), pairs((0, 2))).tolist() == [0, 0, 1]
    assert cut_tracks(np.array([0, 0, 1]), NO_PAIRS).tolist() == [0, 0, 1]
