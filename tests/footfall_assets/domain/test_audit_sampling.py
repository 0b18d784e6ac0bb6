"""Who is asked: known probabilities, the budget kept, nothing asked that cannot be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.domain.audit_questions import Questions
from footfall_assets.domain.audit_sampling import FARTHEST, draw, stratify

THRESHOLD = 0.05


def population(seed, count=900):
    chance = np.random.default_rng(seed)
    linked = chance.random(count) < 0.3
    height = np.where(linked, chance.uniform(0.005, 0.05, count), chance.uniform(0.05, 0.15, count))
    nearer = np.where(linked, 0, chance.integers(0, 8, count))
    farther = np.where(linked, 0, nearer + chance.integers(0, 5, count))
    pair = np.stack([np.arange(count), np.arange(count) + count], axis=1)
    return Questions(pair, linked, height, height, nearer, farther)


def strata_of(questions, pairs, *, available=None, seed=0):
    same = np.random.default_rng(seed + 1).random(len(questions)) < 0.6
    everything = np.ones(len(questions), dtype=bool)
    return stratify(questions, same, everything if available is None else available, threshold=THRESHOLD, count=pairs)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), st.integers(100, 600))
def test_the_budget_is_kept_and_no_stratum_is_left_out(seed, pairs):
    strata = strata_of(population(seed), pairs, seed=seed)
    assert (strata.drawn <= strata.size).all()
    assert (strata.drawn >= np.minimum(strata.size, 2)).all()
    most = int(strata.size[~strata.beyond].sum() + strata.drawn[strata.beyond].sum())
    assert abs(int(strata.drawn.sum()) - min(pairs, most)) <= len(strata.size)
    assert strata.size.sum() == 900


def test_strata_are_what_they_are_called():
    questions = population(1)
    strata = strata_of(questions, 200)
    share = questions.height / THRESHOLD
    for number, name in enumerate(strata.name):
        inside = strata.of == number
        assert (questions.linked[inside] == name.startswith("link")).all()
        if "1.1 to 1.3" in name:
            assert ((share[inside] >= 1.1) & (share[inside] < 1.3)).all()
        if "each the nearest" in name:
            assert (questions.farther[inside] == 0).all()
        if name == "clear":
            assert (
                (questions.nearer[inside] >= 3) | ((share[inside] > FARTHEST) & (questions.nearer[inside] > 0))
            ).all()
    assert {name.rsplit(", ", 1)[-1] for name in strata.name} == {"same location", "other location", "clear"}


def test_questions_near_the_threshold_are_asked_more_often():
    strata = strata_of(population(2), 200)
    rate = dict(zip(strata.name, strata.drawn / strata.size, strict=True))
    assert rate["link, above 0.9, same location"] > 3 * rate["link, below 0.75, same location"]
    assert rate["gap, 1.3 to 1.6, near, same location"] > 5 * rate["clear"]


def test_each_question_is_drawn_as_often_as_its_probability_says():
    """Horvitz and Thompson's condition, by simulation: the weighted count of any group is its size."""
    questions = population(3)
    strata = strata_of(questions, 150)
    probability = (strata.drawn / strata.size)[strata.of]
    times = np.zeros(len(questions))
    for seed in range(400):
        times[draw(strata, np.random.default_rng(seed)).asked] += 1
    spread = np.sqrt(400 * probability * (1 - probability))
    assert (np.abs(times - 400 * probability) <= 5 * spread + 1e-9).all()
    assert times[questions.linked] @ (1 / probability[questions.linked]) / 400 == pytest.approx(
        questions.linked.sum(), rel=0.02
    )


def test_what_cannot_be_asked_is_not_drawn_and_keeps_its_weight():
    questions = population(4)
    available = np.random.default_rng(9).random(len(questions)) < 0.4
    strata = strata_of(questions, 150, available=available)
    asked = draw(strata, np.random.default_rng(0)).asked
    assert available[asked].all()
    assert strata.size.sum() == len(questions)


def test_some_are_asked_twice():
    drawn = draw(strata_of(population(5), 200), np.random.default_rng(0))
    assert set(drawn.repeated) <= set(drawn.asked)
    assert len(drawn.repeated) == round(0.05 * len(drawn.asked))
    assert len(set(drawn.asked.tolist())) == len(drawn.asked)
