from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.domain.fusion import FACES, HourlyCounts, fuse

DAYS, HOURS = 20, 12


def month(seed=0, *, chance=0.6, scale=1.0, wifi=None):
    """Return the visits of each hour, and what a door counter, the cameras and perhaps phones said."""
    rng = np.random.default_rng(seed)
    visits = rng.poisson(rng.uniform(15, 40, DAYS)[:, None] * np.ones(HOURS))
    counted = rng.binomial(visits, 0.92) + rng.poisson(0.08 * visits)
    counts = {"infrared": scale * counted.ravel(), FACES: rng.binomial(visits, chance).ravel().astype(float)}
    if wifi is not None:
        counts["wifi"] = rng.poisson(wifi * visits).ravel().astype(float)
    given_hours = HourlyCounts(np.repeat(np.arange(DAYS), HOURS), counts, {"infrared": 0.05})
    return visits.ravel().astype(float), given_hours


def error(found, visits):
    return float(np.sqrt(np.mean((found - visits) ** 2)))


@pytest.mark.parametrize("wifi", [None, 1.5])
def test_together_they_are_closer_than_each_alone(wifi) -> None:
    together, alone = [], {}
    for seed in range(6):
        visits, hours = month(seed, chance=0.85, wifi=wifi)
        found = fuse(hours)
        together.append(error(found.visits, visits))
        for name, said in found.alone.items():
            alone.setdefault(name, []).append(error(said, visits))
    assert np.mean(together) < 0.95 * min(np.mean(each) for each in alone.values())


def test_faces_are_scaled_by_what_the_counter_counts() -> None:
    visits, hours = month(chance=0.4)
    found = fuse(hours)
    assert found.sources[FACES].factor == pytest.approx(0.4, rel=0.05)
    assert found.visits.sum() == pytest.approx(visits.sum(), rel=0.03)


def test_a_gap_is_no_zero() -> None:
    visits, hours = month()
    counted = hours.counts["infrared"].copy()
    counted[24:48] = np.nan
    found = fuse(replace(hours, counts={**hours.counts, "infrared": counted}))
    assert found.visits[24:48].sum() == pytest.approx(visits[24:48].sum(), rel=0.15)
    assert found.error[24:48].mean() > found.error[48:].mean()
    both = {name: np.where(np.arange(len(counted)) < 12, np.nan, said) for name, said in hours.counts.items()}
    assert np.isnan(fuse(replace(hours, counts=both)).visits[:12]).all()


def test_without_a_counter_nobody_knows_the_scale() -> None:
    _, hours = month(wifi=1.0)
    found = fuse(replace(hours, errors={}))
    assert "no door counter" in (found.reason or "")
    assert np.isnan(found.visits).all()


def test_counters_that_contradict_each_other_are_refused() -> None:
    _, hours = month()
    counts = {**hours.counts, "thermal": hours.counts["infrared"] * 1.6}
    found = fuse(replace(hours, counts=counts, errors={"infrared": 0.05, "thermal": 0.04}))
    assert "thermal counted 1.60 times what infrared did" in (found.reason or "")
    close = {**counts, "thermal": hours.counts["infrared"] * 1.06}
    agreed = fuse(replace(hours, counts=close, errors={"infrared": 0.05, "thermal": 0.04}))
    assert agreed.reason is None
    assert agreed.scale_error == pytest.approx((1 / 0.05**2 + 1 / 0.04**2) ** -0.5)


def test_the_surer_counter_decides_the_scale() -> None:
    _, hours = month()
    counts = {**hours.counts, "manual": hours.counts["infrared"] * 1.1}
    found = fuse(replace(hours, counts=counts, errors={"infrared": 0.08, "manual": 0.02}))
    assert found.sources["manual"].factor == pytest.approx(1.0, abs=0.02)
    assert found.sources["infrared"].factor == pytest.approx(1 / 1.1, abs=0.02)
    even = fuse(replace(hours, counts=counts, errors={"infrared": 0.05, "manual": 0.05}))
    assert even.sources["manual"].factor == pytest.approx(1.1**0.5, abs=0.02)


def test_intervals_hold_the_truth() -> None:
    held = []
    for seed in range(8):
        visits, hours = month(seed)
        found = fuse(hours)
        for day, spread in found.day_error.items():
            rows = hours.day == day
            low, high = found.interval(found.visits[rows].sum(), spread)
            held.append(low <= visits[rows].sum() <= high)
    assert np.mean(held) > 0.85


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(*(st.one_of(st.none(), st.integers(0, 80)) for _ in range(3))), min_size=1, max_size=3 * HOURS)
)
def test_whatever_was_said_visits_are_numbers_or_unknown(rows) -> None:
    said = np.array([[np.nan if each is None else float(each) for each in row] for row in rows])
    hours = HourlyCounts(
        np.arange(len(rows)) // HOURS,
        {"infrared": said[:, 0], FACES: said[:, 1], "wifi": said[:, 2]},
        {"infrared": 0.08},
    )
    found = fuse(hours)
    known = np.isfinite(found.visits)
    assert (found.visits[known] >= 0).all()
    assert not known[np.isnan(said).all(axis=1)].any()
    assert (found.error[known] > 0).all()
