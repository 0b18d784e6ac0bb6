import numpy as np
import pytest

from footfall_assets.contracts.settings import LinkageSettings
from footfall_assets.identity.neighbours import near_pairs


def people(count: int, looks: int, *, dim: int = 32) -> np.ndarray:
    """Return looks at people in turns: person p is in rows p, p + count, ..."""
    chance = np.random.default_rng(3)
    centres = chance.normal(size=(count, dim))
    vectors = np.tile(centres, (looks, 1)) + chance.normal(0, 0.05, (count * looks, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("below", [0, 100_000], ids=["indexed", "exact"])
def test_looks_at_one_person_are_near(below) -> None:
    vectors = people(50, 3)
    pairs = near_pairs(vectors, 0.1, LinkageSettings(exact_neighbours_below=below))
    expected = [[p + 50 * a, p + 50 * b] for p in range(50) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert sorted(pairs.tolist()) == sorted(expected)


@pytest.mark.parametrize("rows", [1023, 1024, 1025])
def test_blocks_of_rows_leave_no_gap(rows) -> None:
    vectors = np.tile(np.eye(2, dtype=np.float32)[:1], (rows, 1))
    vectors[: rows - 2] = [0, 1]
    pairs = near_pairs(vectors[-4:], 0.01, LinkageSettings())
    assert pairs.tolist() == [[0, 1], [2, 3]]
    whole = near_pairs(vectors, 0.01, LinkageSettings())
    assert len(whole) == (rows - 2) * (rows - 3) // 2 + 1
    assert (whole[:, 0] < whole[:, 1]).all()


@pytest.mark.parametrize("below", [0, 100])
@pytest.mark.parametrize("count", [0, 1])
def test_nobody_is_near_nobody(below, count) -> None:
    vectors = np.eye(4, dtype=np.float32)[:count]
    assert near_pairs(vectors, 0.5, LinkageSettings(exact_neighbours_below=below)).shape == (0, 2)


def test_the_index_gives_the_same_pairs_every_time() -> None:
    settings = LinkageSettings(exact_neighbours_below=0, neighbours=4)
    vectors = people(60, 4)
    first = near_pairs(vectors, 0.3, settings)
    assert all((near_pairs(vectors, 0.3, settings) == first).all() for _ in range(3))
