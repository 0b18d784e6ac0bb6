"""Who is near whom in a window: a function of the rows before each, whatever the order of days, threads and blocks."""

import numpy as np
import pytest

from footfall_assets.domain.agglomeration import GRID_STEPS, on_grid
from footfall_assets.identity import gallery
from footfall_assets.identity.gallery import Search, gallery_pairs
from footfall_assets.simulation.vectors import blocks_of_people, known_spread, templates_of_visits

PEOPLE, VISITS = 400, 4
NEAR = 0.35


@pytest.fixture(scope="module")
def grid():
    spread = known_spread("good")
    person = blocks_of_people(spread, 0, PEOPLE, 1)
    return on_grid(np.concatenate([templates_of_visits(spread, person, 4, (1, visit)) for visit in range(VISITS)]))


def search(*, exact_below=300, neighbours=64):
    return Search(NEAR, exact_below, neighbours)


def cosine_distances(grid):
    unit = grid.astype(np.float64) / GRID_STEPS
    return 1.0 - unit @ unit.T


def keys(pairs):
    return {tuple(pair) for pair in pairs.tolist()}


def test_below_the_limit_nothing_near_is_missing_and_nothing_far_is_found(grid):
    found = keys(gallery_pairs(grid, search(exact_below=10_000)))
    distance = np.triu(cosine_distances(grid), 1)
    near = {tuple(pair) for pair in np.argwhere((distance > 0) & (distance <= NEAR)).tolist()}
    assert len(near) > PEOPLE
    assert near <= found
    assert all(distance[pair] <= NEAR + 3e-3 for pair in found)


def test_above_it_hardly_anything_is_missing(grid):
    exact = keys(gallery_pairs(grid, search(exact_below=10_000)))
    found = keys(gallery_pairs(grid, search(exact_below=100)))
    assert found <= exact
    assert len(found) >= 0.98 * len(exact)


def test_the_pairs_of_a_day_are_those_of_the_day_before_and_more(grid):
    whole = gallery_pairs(grid, search())
    assert (np.diff(whole[:, 1]) >= 0).all()
    for count in (0, 1, 250, 301, 900, 1400):
        assert gallery_pairs(grid[:count], search()).tolist() == whole[whole[:, 1] < count].tolist()


def test_a_day_can_be_searched_alone(grid):
    whole = gallery_pairs(grid, search())
    for first in (0, 200, 800):
        assert gallery_pairs(grid, search(), first=first).tolist() == whole[whole[:, 1] >= first].tolist()


def test_workers_blocks_and_shares_change_no_pair(grid, monkeypatch):
    expected = gallery_pairs(grid, search()).tolist()
    for workers, block, shares, merged, hashed in ((1, 512, 32, 8, 32_768), (4, 64, 3, 1, 100), (4, 17, 1, 24, 7)):
        monkeypatch.setattr(gallery, "_WORKERS", workers)
        monkeypatch.setattr(gallery, "_BLOCK_ROWS", block)
        monkeypatch.setattr(gallery, "_BELOW_DIAGONAL", np.tri(block, k=-1, dtype=bool))
        monkeypatch.setattr(gallery, "_SHARES", shares)
        monkeypatch.setattr(gallery, "_TABLES_MERGED", merged)
        monkeypatch.setattr(gallery, "_HASH_ROWS", hashed)
        assert gallery_pairs(grid, search()).tolist() == expected


def test_of_a_crowd_the_nearest_are_kept(grid):
    crowd = on_grid(np.repeat(grid[:1] / GRID_STEPS, 40, axis=0))
    found = gallery_pairs(np.concatenate([crowd, grid[1:]]), search(exact_below=10_000, neighbours=8))
    inside = found[found[:, 1] < 40]
    assert inside.tolist() == [[earlier, later] for later in range(1, 40) for earlier in range(min(later, 8))]


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("below", [0, 100])
def test_nobody_is_near_nobody(count, below):
    assert gallery_pairs(np.zeros((count, 8), np.int16), search(exact_below=below)).shape == (0, 2)
