"""E1 under power cuts: what was acknowledged is on the disk itself, not in a cache."""

import os

import pytest

CUTS = int(os.environ.get("EDGE_POWER_CUTS", "20"))  # the bar is 200: EDGE_POWER_CUTS=200
MUTANT_CUTS = 40
SEED = int(os.environ.get("FOOTFALL_SEED", "4"))


@pytest.fixture
def cut(crashes, power_cuts, tmp_path):
    reason = power_cuts.why_not()
    if reason:
        pytest.skip(f"no power cuts: {reason}")
    return lambda **how: power_cuts.power_cuts(crashes, tmp_path, **how)


def test_nothing_acknowledged_is_lost_in_a_power_cut(cut):
    acked, broken = cut(cuts=CUTS, seed=SEED)
    print(f"{CUTS} power cuts, {acked} batches acknowledged, seed {SEED}")  # noqa: T201
    assert broken == []
    assert acked >= 3 * CUTS


@pytest.mark.parametrize("mutant", ["no file fsync", "no folder fsync", "WAL NORMAL"])
def test_a_spool_that_does_not_sync_loses_batches(cut, mutant):
    """Were this green with the mutant, the test above would prove nothing."""
    _, broken = cut(cuts=MUTANT_CUTS, seed=SEED, mutant=mutant)
    assert broken
