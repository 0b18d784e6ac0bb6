"""What can be asked: the merges inside identities, the neighbours between them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.domain.audit_questions import Identities, gaps, links, merges_of
from footfall_assets.domain.linkage import connected_components, unit


def points(seed, count, dim=6):
    return unit(np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32) + 1.5)


def cosine(vectors):
    return 1.0 - vectors.astype(np.float64) @ vectors.T.astype(np.float64)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 14))
def test_merges_are_a_spanning_tree_by_rising_mean_distance(seed, count):
    distances = cosine(points(seed, count))
    pairs, heights = merges_of(distances)
    assert len(pairs) == count - 1
    assert len(set(connected_components(count, pairs).tolist())) == 1
    assert (np.diff(heights) >= -1e-12).all()


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 14))
def test_each_merge_is_asked_by_its_closest_pair_at_the_mean_of_all(seed, count):
    distances = cosine(points(seed, count))
    pairs, heights = merges_of(distances)
    for number, (pair, height) in enumerate(zip(pairs, heights, strict=True)):
        group = connected_components(count, pairs[:number])
        left, right = (np.flatnonzero(group == group[end]) for end in pair)
        between = distances[np.ix_(left, right)]
        assert np.isclose(between.mean(), height)
        assert np.isclose(between.min(), distances[pair[0], pair[1]])


def test_identities_seen_once_have_no_links():
    vectors = points(1, 4)
    assert len(links(vectors, [np.array([row]) for row in range(4)])) == 0


def test_links_carry_rows_of_the_whole_matrix():
    vectors = points(2, 7)
    members = [np.array([0, 6]), np.array([1]), np.array([2, 3, 5]), np.array([4])]
    found = links(vectors, members)
    assert len(found) == 3
    assert {tuple(pair) for pair in found.pair.tolist()} <= {(0, 6), (2, 3), (2, 5), (3, 5)}
    assert np.allclose(found.distance, cosine(vectors)[found.pair[:, 0], found.pair[:, 1]], atol=1e-6)
    assert found.linked.all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 30))
def test_gaps_know_how_many_are_nearer_to_either_side(seed, count):
    vectors = points(seed, count)
    chance = np.random.default_rng(seed)
    label = np.unique(chance.integers(0, count, count), return_inverse=True)[1]
    members = [np.flatnonzero(label == each) for each in range(label.max() + 1)]
    identities = Identities(vectors, members)
    found = gaps(identities, lambda *_: False)
    mean = np.array([[cosine(vectors)[np.ix_(a, b)].mean() for b in members] for a in members])
    np.fill_diagonal(mean, np.inf)
    assert len(found) == len(members) * (len(members) - 1) // 2 or len(members) > 20
    for (left, right), height, nearer, farther in zip(
        found.pair, found.height, found.nearer, found.farther, strict=True
    ):
        one, other = label[left], label[right]
        assert one != other
        assert np.isclose(height, mean[one, other], atol=1e-6)
        ranks = sorted(int((mean[each] < height - 1e-9).sum()) for each in (one, other))
        assert [nearer, farther] == ranks


def test_two_people_for_sure_are_not_asked_about():
    vectors = points(3, 5)
    identities = Identities(vectors, [np.array([row]) for row in range(5)])
    found = gaps(identities, lambda one, other: {one, other} == {1, 3})
    assert len(found) == 9
    assert [1, 3] not in found.pair.tolist()


def test_a_third_identity_lies_between_when_nearer_to_both():
    angles = np.radians([0, 10, 22, 80])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    identities = Identities(vectors, [np.array([row]) for row in range(4)])
    assert identities.between(0, 2) == [1]
    assert identities.between(0, 1) == []
    assert identities.between(0, 3) == [2, 1]
