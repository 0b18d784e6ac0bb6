"""What merges beyond the identities: as the whole tree does where one cell holds them, inside the cells elsewhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.domain import cells
from footfall_assets.domain.agglomeration import merge_tree, on_grid
from footfall_assets.domain.cells import alike_identities, cells_of, link_in_cells
from footfall_assets.domain.linkage import apart_by_pairs, cosine_distances, link_at_cuts, unit

CUTS = [0.01, 0.05, 0.1, 0.3, 0.7]
IDENTITY_CUT = 0.1
SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed, count):
    """Looks at a few people: unit vectors, weights, and who is never one; no two distances are equal."""
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(max(count // 3, 1), 8))
    looks = centres[chance.integers(0, len(centres), count)] + 0.25 * chance.normal(size=(count, 8))
    never = chance.integers(0, count, (count // 4, 2))
    weights = (0.1 + chance.random(count)).astype(np.float32)
    return unit(looks.astype(np.float32)), weights, apart_by_pairs(count, never[never[:, 0] != never[:, 1]])


def within(vectors, distance):
    return np.argwhere(np.triu(cosine_distances(vectors) <= distance, 1))


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.integers(1, 40), st.integers(1, 6))
def test_nothing_changes_up_to_the_identities_and_beyond_them_cells_part(seed, count, in_a_cell):
    vectors, weights, apart = drawn(seed, count)
    near = within(vectors, IDENTITY_CUT + 1e-3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "CELL_IDENTITIES", in_a_cell)
        found = link_in_cells(vectors, weights, near, apart, CUTS, IDENTITY_CUT)
        known = merge_tree(vectors, weights, near, apart, IDENTITY_CUT)
        assert link_in_cells(vectors, weights, near, apart, CUTS, IDENTITY_CUT, known).tolist() == found.tolist()
        cell = cells_of(int(found[:, 2].max()) + 1)[found[:, 2]]
    whole = link_at_cuts(vectors, weights, within(vectors, CUTS[-1] + 1e-3), apart, CUTS)
    assert found[:, :3].tolist() == whole[:, :3].tolist()
    if not cell.any():
        assert found.tolist() == whole.tolist()
    for column in (3, 4):
        joined = found[:, column][:, None] == found[:, column]
        assert not joined[cell[:, None] != cell].any()
        assert joined[found[:, column - 1][:, None] == found[:, column - 1]].all()


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(2, 30), st.integers(1, 9), st.sampled_from([0.05, 0.3, 0.7]))
def test_identities_are_alike_by_their_mean_distance(seed, count, groups, distance):
    vectors, weights, _ = drawn(seed, count)
    identity = np.unique(np.random.default_rng(seed).integers(0, groups, count), return_inverse=True)[1]
    distances = cosine_distances(vectors).astype(np.float64)
    found = {
        tuple(sorted(pair))
        for pairs in alike_identities(on_grid(vectors), weights, identity, distance)
        for pair in identity[pairs].tolist()
    }
    for one in range(identity.max() + 1):
        for other in range(one):
            left, right = identity == one, identity == other
            share = weights[left][:, None] * weights[right]
            mean = float((distances[np.ix_(left, right)] * share).sum() / share.sum())
            if abs(mean - distance) > 1e-3:
                assert ((other, one) in found) == (mean < distance)


def test_a_list_that_one_cell_holds_is_not_dealt_and_longer_ones_are_dealt_evenly():
    assert not cells_of(cells.CELL_IDENTITIES).any()
    dealt = np.bincount(cells_of(100 * cells.CELL_IDENTITIES))
    assert len(dealt) == 100
    assert dealt.min() > 0.75 * cells.CELL_IDENTITIES
    assert dealt.max() < 1.25 * cells.CELL_IDENTITIES


def test_nobody_is_alike_where_nobody_is():
    nobody, looks, pairs = np.empty(0, np.int64), np.empty((0, 8), np.float32), np.empty((0, 2), np.int64)
    weights = np.empty(0, np.float32)
    assert not list(alike_identities(looks, weights, nobody, 0.5))
    linked = link_in_cells(looks, weights, pairs, apart_by_pairs(0, pairs), CUTS, IDENTITY_CUT)
    assert linked.shape == (0, len(CUTS))
