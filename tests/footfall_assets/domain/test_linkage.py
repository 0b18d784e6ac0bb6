import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.domain import agglomeration
from footfall_assets.domain.agglomeration import GRID_STEPS, merge_tree, on_grid
from footfall_assets.domain.linkage import (
    apart_by_pairs,
    connected_components,
    cosine_distances,
    first_appearance_labels,
    link,
    link_at_cuts,
    unit,
)

NO_PAIRS = np.empty((0, 2), np.int64)
SEEDS = st.integers(0, 2**32 - 1)


def plain_average_linkage(distances, cannot_link, weights, max_distance):
    """UPGMA as it is defined: every mean is computed anew from all pairs of members, in full, at every step."""
    apart = {frozenset(pair) for pair in cannot_link.tolist()}
    clusters = [[row] for row in range(len(distances))]

    def mean(left, right):
        if any(frozenset((a, b)) in apart for a in left for b in right):
            return math.inf
        total = sum(float(weights[a]) * float(weights[b]) * float(distances[a, b]) for a in left for b in right)
        return total / (sum(float(weights[a]) for a in left) * sum(float(weights[b]) for b in right))

    while len(clusters) > 1:
        best, left, right = min(
            (mean(clusters[i], clusters[j]), i, j) for i in range(len(clusters)) for j in range(i + 1, len(clusters))
        )
        if best > max_distance:
            break
        clusters[left] += clusters.pop(right)
    return grouping(clusters)


def grouping(clusters):
    return {frozenset(cluster) for cluster in clusters if cluster}


def groups_of(labels):
    return grouping([np.flatnonzero(labels == label).tolist() for label in np.unique(labels)])


def problem(seed, count, pairs, *, dim=8, spread=0.25):
    """Looks at a few people, cannot-links and weights; no two distances are equal."""
    rng = np.random.default_rng(seed)
    vectors = people(seed, count, dim=dim, spread=spread) if count else np.empty((0, dim), np.float32)
    cannot = rng.integers(0, count, (pairs, 2)) if count else NO_PAIRS
    cannot = cannot[cannot[:, 0] != cannot[:, 1]]
    return vectors, cannot, (0.1 + rng.random(count)).astype(np.float32)


def exact_distances(vectors):
    """Distances as the linkage sees them: of vectors on its grid."""
    grid = on_grid(vectors).astype(np.float64) / GRID_STEPS
    return 1.0 - grid @ grid.T


def linked(vectors, cannot, weights, max_distance):
    apart = apart_by_pairs(len(vectors), cannot)
    return link(vectors, weights, near(vectors, max_distance + 1e-3), apart, max_distance)


def people(seed, count, *, dim=8, spread=0.25):
    """Unit vectors around a few centres, as faces lie."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(count // 3, 1), dim))
    return unit((centres[rng.integers(0, len(centres), count)] + spread * rng.normal(size=(count, dim))).astype("f4"))


def near(vectors, max_distance):
    return np.argwhere(np.triu(cosine_distances(vectors) <= max_distance, 1))


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(0, 14), st.integers(0, 12), st.sampled_from([0.02, 0.05, 0.1, 0.3, 1.0, 2.0]))
def test_it_groups_as_the_definition_does(seed, count, pairs, max_distance):
    vectors, cannot, weights = problem(seed, count, pairs)
    labels = linked(vectors, cannot, weights, max_distance)
    assert groups_of(labels) == plain_average_linkage(exact_distances(vectors), cannot, weights, max_distance)


def test_it_groups_as_the_definition_does_on_sixty_faces():
    for seed in range(3):
        vectors, cannot, weights = problem(seed, 60, 20)
        found = linked(vectors, cannot, weights, 0.15)
        assert groups_of(found) == plain_average_linkage(exact_distances(vectors), cannot, weights, 0.15)
        assert 1 < len(np.unique(found)) < 60


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(0, 25), st.integers(0, 12))
def test_a_cut_gives_what_linking_at_it_alone_gives(seed, count, pairs):
    vectors, cannot, weights = problem(seed, count, pairs)
    cuts, apart = [0.01, 0.05, 0.1, 0.3, 0.7], apart_by_pairs(count, cannot)
    found = link_at_cuts(vectors, weights, near(vectors, 0.71), apart, cuts)
    assert found.shape == (count, len(cuts))
    for column, cut in enumerate(cuts):
        assert found[:, column].tolist() == linked(vectors, cannot, weights, cut).tolist()


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(1, 40), st.integers(0, 12), st.lists(st.integers(0, 40), max_size=4))
def test_a_tree_grows_with_its_rows_into_that_of_all_rows(seed, count, pairs, days):
    vectors, cannot, weights = problem(seed, count, pairs, spread=0.1)
    apart, everything, tree = apart_by_pairs(count, cannot), near(vectors, 0.31), None
    for until in [*sorted(min(day, count) for day in days), count]:
        known = everything[everything[:, 1] < until]
        tree = merge_tree(vectors[:until], weights[:until], known, apart, 0.3, tree)
    whole = merge_tree(vectors, weights, everything, apart, 0.3)
    assert merges(tree) == merges(whole)
    assert tree.labels(0.2).tolist() == whole.labels(0.2).tolist()


def merges(tree):
    return sorted(zip(tree.keep.tolist(), tree.gone.tolist(), tree.height.tolist(), strict=True))


def test_rows_that_nobody_joins_are_not_merged_again(monkeypatch):
    vectors, cannot, weights = problem(1, 30, 0, spread=0.05)
    everything = near(vectors, 0.31)
    apart, label = apart_by_pairs(30, cannot), connected_components(30, everything)
    before = merge_tree(vectors[:-1], weights[:-1], everything[everything[:, 1] < 29], apart, 0.3)
    merged, of = [], agglomeration._Clusters.of
    monkeypatch.setattr(agglomeration._Clusters, "of", lambda *given: merged.extend(given[2].tolist()) or of(*given))
    merge_tree(vectors, weights, everything, apart, 0.3, before)
    assert set(label[merged]) <= {label[29]}
    assert len(set(label)) > 3


def at_angles(*degrees):
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_a_worked_example():
    """Sokal & Michener's rule by hand: 0 and 20 degrees merge at 1 - cos 20, then 60 at the mean of 1 - cos 60 and
    1 - cos 40; 170 stays alone."""
    vectors = at_angles(0, 20, 60, 170)
    mean = 1 - (math.cos(math.radians(60)) + math.cos(math.radians(40))) / 2
    even = np.ones(4, np.float32)
    assert linked(vectors, NO_PAIRS, even, mean + 0.001).tolist() == [0, 0, 0, 1]
    assert linked(vectors, NO_PAIRS, even, mean - 0.001).tolist() == [0, 0, 1, 2]
    heavy = np.array([3, 1, 1, 1], np.float32)
    mean = 1 - (3 * math.cos(math.radians(60)) + math.cos(math.radians(40))) / 4
    assert linked(vectors, NO_PAIRS, heavy, mean - 0.001).tolist() == [0, 0, 1, 2]
    assert linked(vectors, NO_PAIRS, heavy, mean + 0.001).tolist() == [0, 0, 0, 1]


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(2, 20), st.integers(1, 15))
def test_what_cannot_be_one_never_is(seed, count, pairs):
    vectors, cannot, weights = problem(seed, count, pairs)
    for looks in (vectors, np.repeat(vectors[:1], count, axis=0)):
        labels = linked(looks, cannot, weights, 2.0)
        assert (labels[cannot[:, 0]] != labels[cannot[:, 1]]).all()


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(1, 25), st.integers(0, 10))
def test_without_ties_the_order_of_the_rows_makes_no_difference(seed, count, pairs):
    vectors, cannot, weights = problem(seed, count, pairs)
    order = np.random.default_rng(seed).permutation(count)
    place = np.argsort(order)
    shuffled = linked(vectors[order], place[cannot], weights[order], 0.2)
    assert groups_of(shuffled[place]) == groups_of(linked(vectors, cannot, weights, 0.2))


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(0, 40), st.integers(0, 15), st.sampled_from([0.03, 0.1, 0.25]))
def test_pairs_beyond_the_threshold_change_nothing(seed, count, pairs, max_distance):
    vectors, cannot, weights = problem(seed, count, pairs)
    everything = np.argwhere(np.triu(np.ones((count, count)), 1))
    whole = link(vectors, weights, everything, apart_by_pairs(count, cannot), max_distance)
    assert linked(vectors, cannot, weights, max_distance).tolist() == whole.tolist()


@pytest.mark.parametrize("rows", [1, 7])
def test_components_solved_in_batches_give_the_same(rows, monkeypatch):
    vectors, cannot, weights = problem(5, 60, 20)
    expected = linked(vectors, cannot, weights, 0.1)
    for name in ("_BATCH_ROWS", "_BLOCK_PAIRS", "_BLOCK_MEMBERS"):
        monkeypatch.setattr(agglomeration, name, rows)
    assert linked(vectors, cannot, weights, 0.1).tolist() == expected.tolist()


@pytest.mark.parametrize("looked_up", [0, 1, 1_000_000])
def test_large_clusters_are_kept_apart_as_small_ones_are(looked_up, monkeypatch):
    """However many pairs of members are looked up one by one before they are swept instead."""
    monkeypatch.setattr(agglomeration, "_FEW_MEMBER_PAIRS", looked_up)
    for seed in range(4):
        vectors, cannot, weights = problem(seed, 40, 25)
        expected = plain_average_linkage(exact_distances(vectors), cannot, weights, 0.5)
        assert groups_of(linked(vectors, cannot, weights, 0.5)) == expected


def test_vectors_may_come_on_the_grid():
    vectors, cannot, weights = problem(6, 50, 10)
    pairs, apart = near(vectors, 0.2), apart_by_pairs(50, cannot)
    found = link(on_grid(vectors), weights, pairs, apart, 0.15)
    assert found.tolist() == link(vectors, weights, pairs, apart, 0.15).tolist()


def test_the_components_are_many_where_people_differ():
    vectors = people(1, 60)
    found = connected_components(60, near(vectors, 0.1))
    assert 10 < found.max() < 60


@given(SEEDS, st.integers(0, 30))
def test_missing_near_pairs_only_keep_clusters_apart(seed, count):
    vectors = people(seed, count) if count else np.empty((0, 8), np.float32)
    even = np.ones(count, np.float32)
    assert link(vectors, even, NO_PAIRS, apart_by_pairs(count, NO_PAIRS), 0.5).tolist() == list(range(count))


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_and_one_are_grouped_too(count):
    found = linked(np.ones((count, 1), np.float32), NO_PAIRS, np.ones(count, np.float32), 0.5)
    assert found.tolist() == [0] * count
    assert found.dtype == np.int64


def test_equal_vectors_are_one():
    vectors = np.repeat(people(3, 2, spread=1), 5, axis=0)
    assert linked(vectors, NO_PAIRS, np.ones(10, np.float32), 0.01).tolist() == [0] * 5 + [1] * 5


@settings(deadline=None)
@given(st.integers(1, 20), st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=25))
def test_components_are_what_walking_the_pairs_reaches(count, pairs):
    pairs = [(a % count, b % count) for a, b in pairs]
    reached = [{row} for row in range(count)]
    for _ in range(count):
        for a, b in pairs:
            reached[a] = reached[b] = reached[a] | reached[b]
        reached = [set().union(*(reached[each] for each in row)) for row in reached]
    labels = connected_components(count, np.array(pairs, np.int64).reshape(-1, 2))
    assert groups_of(labels) == grouping(reached)
    assert labels.tolist() == first_appearance_labels(labels).tolist()


@given(st.lists(st.integers(-3, 9)))
def test_labels_are_numbered_by_first_appearance(values):
    labels = first_appearance_labels(np.array(values, np.int64)).tolist()
    order = list(dict.fromkeys(values))
    assert [order[label] for label in labels] == values


@given(st.integers(1, 15), st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=20), st.data())
def test_apart_names_the_pairs_inside_some_rows_by_their_place_among_them(count, pairs, data):
    pairs = np.array([(a % count, b % count) for a, b in pairs], np.int64).reshape(-1, 2)
    among = apart_by_pairs(count, pairs)
    for _ in range(2):  # what it is asked first leaves no trace
        rows = np.array(data.draw(st.lists(st.integers(0, count - 1), min_size=1, unique=True)), np.int64)
        inside = [tuple(pair) for pair in pairs.tolist() if set(pair) <= set(rows.tolist())]
        assert [tuple(rows[pair]) for pair in among(rows)] == inside


@given(st.integers(1, 15), st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=20))
def test_apart_tells_of_each_pair_whether_it_was_named_in_either_order(count, pairs):
    pairs = np.array([(a % count, b % count) for a, b in pairs], np.int64).reshape(-1, 2)
    named = {frozenset(pair) for pair in pairs.tolist()}
    left, right = (each.ravel() for each in np.mgrid[:count, :count])
    found = apart_by_pairs(count, pairs).between(left, right)
    assert found.tolist() == [frozenset(pair) in named for pair in zip(left.tolist(), right.tolist(), strict=True)]


def test_unit_vectors_are_of_length_one_and_zero_stays_zero():
    vectors = np.array([[3, 4], [0, 0], [-1e-3, 0]], np.float32)
    assert unit(vectors).tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0, 0], [-1, 0]]
    assert unit(vectors).dtype == np.float32


def test_cosine_distance_runs_from_zero_to_two():
    vectors = np.array([[1, 0], [0, 1], [-1, 0]], np.float32)
    assert cosine_distances(vectors).tolist() == [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
