"""Everything at once, for about a minute: benchmarks/edge_soak.py runs it for as long as wanted."""

import os

import pytest

pytestmark = pytest.mark.slow
SEED = int(os.environ.get("FOOTFALL_SEED", "1"))


def test_nothing_acknowledged_is_lost_whatever_breaks(benchmarks, tmp_path):
    from edge_soak import soak, told  # noqa: PLC0415 - beside the programs that measure

    run = soak(tmp_path, seed=SEED, captures=2000)
    print(told(run, SEED))  # noqa: T201
    assert run.soak.broken == []
    assert run.soak.insufficient(captures=2000, cuts=run._disk.can_cut) == []


def test_the_oracle_sees_a_device_that_promises_too_early(benchmarks, tmp_path):
    """Were this green, the test above would prove nothing."""
    from edge_soak import soak  # noqa: PLC0415

    run = soak(tmp_path, seed=SEED, captures=300, mutant="ack early")
    assert any("acknowledged and lost" in each for each in run.soak.broken)
