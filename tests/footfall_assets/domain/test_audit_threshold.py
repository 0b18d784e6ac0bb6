"""The threshold that the answers speak for."""

import numpy as np
import pytest

from footfall_assets.domain.audit_threshold import AnsweredPairs, shortfall, suggest_threshold

IN_USE = 0.05


def answers(cut, *, count=200, noise=0.004, seed=0):
    """Answers that turn from same to different around a cut."""
    chance = np.random.default_rng(seed)
    height = chance.uniform(0.01, 0.1, count)
    same = height + chance.normal(0, noise, count) < cut
    return AnsweredPairs(height, same, np.ones(count), (height > IN_USE).astype(np.int64))


@pytest.mark.parametrize("cut", [0.035, 0.05, 0.07])
def test_it_finds_where_answers_turn(cut):
    found = suggest_threshold(answers(cut), IN_USE, level=0.9, seed=0)
    assert found.threshold == pytest.approx(cut, abs=0.006)
    low, high = found.interval
    assert low <= found.threshold <= high
    assert low - 0.004 <= cut <= high + 0.004
    assert found.f1 >= found.f1_in_use


def test_weights_move_it():
    pairs = answers(0.05, noise=0.02)
    heavy = AnsweredPairs(pairs.height, pairs.same, np.where(pairs.same, 1.0, 20.0), pairs.stratum)
    plain, strict = (suggest_threshold(each, IN_USE, level=0.9, seed=0).threshold for each in (pairs, heavy))
    assert strict < plain


def test_clear_answers_leave_it_in_the_middle_of_what_does_as_well():
    height = np.concatenate([np.linspace(0.02, 0.04, 20), np.linspace(0.06, 0.08, 20)])
    pairs = AnsweredPairs(height, height < 0.05, np.ones(40), np.zeros(40, np.int64))
    found = suggest_threshold(pairs, IN_USE, level=0.9, seed=0)
    assert found.threshold == pytest.approx(0.05, abs=1e-9)
    assert found.f1 == 1.0


def test_it_never_leaves_the_range_that_was_asked_about():
    pairs = answers(0.5)
    found = suggest_threshold(
        AnsweredPairs(pairs.height, pairs.same, pairs.weight, pairs.stratum), IN_USE, level=0.9, seed=0
    )
    assert 0.025 <= found.threshold <= 0.15


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (answers(0.05, count=20), "label more pairs"),
        (answers(1.0, count=300), "0 different"),
        (answers(0.0, count=300, noise=0.0), "0 same"),
        (AnsweredPairs(np.full(90, 0.3), np.arange(90) < 45, np.ones(90), np.zeros(90, np.int64)), "0 same"),
    ],
)
def test_too_few_answers_are_refused_with_the_reason(pairs, said):
    assert said in shortfall(pairs, IN_USE)


def test_enough_answers_are_enough():
    assert shortfall(answers(0.05), IN_USE) is None
