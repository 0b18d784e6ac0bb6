"""The estimate of people: exact where everything is answered, an interval that holds where a sample is."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from footfall_assets.domain.audit_estimate import PRIOR, Answered, estimate_people, features, logistic, ratio
from footfall_assets.domain.audit_questions import Questions

THRESHOLD = 0.05
QUANTILE = 1.645


def load_benchmark():
    path = Path(__file__).parents[3] / "benchmarks" / "audit.py"
    spec = importlib.util.spec_from_file_location("benchmark_of_audits", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


BENCHMARK = load_benchmark()


@pytest.fixture(scope="module")
def populations():
    return [
        BENCHMARK.populate(100, mix, threshold, 7000 + number)
        for number in range(2)
        for mix in BENCHMARK.MIXES
        for threshold in BENCHMARK.THRESHOLDS
    ]


def test_the_interval_holds_the_truth_about_nine_times_in_ten(populations):
    """60 audits of 12 populations with fixed seeds; benchmarks/audit.py measures the same on more."""
    rows = [row for each in populations for row in BENCHMARK.audits(each, 120, 5)]
    held = np.mean([holds for _, _, holds, _ in rows])
    assert held >= 0.82
    assert np.mean([width for *_, width in rows]) < 0.13  # an interval that holds everything would be none
    listed = [abs(len(each.identities) / each.people - 1) for each in populations]
    errors = [abs(error) for error, *_ in rows]
    assert np.mean(errors) < np.mean(listed) / 3


def test_the_identity_behind_it_holds(populations):
    """People = identities + wrong links - gaps that part somebody, up to people farther off than anybody looks."""
    for each in populations:
        linked = each.questions.linked
        found = len(each.identities) + each.wrong[linked].sum() - each.wrong[~linked].sum()
        assert abs(found / each.people - 1) < 0.035


def everything(population):
    count = len(population.questions)
    return Answered(np.arange(count), population.wrong, np.zeros(count, dtype=bool))


def test_a_census_leaves_only_what_nobody_is_asked_about(populations):
    each = populations[0]
    found = estimate_people(
        each.questions, everything(each), identities=len(each.identities), threshold=each.threshold, level=0.9, seed=0
    )
    wrong, missed = (int(each.wrong[each.questions.linked == linked].sum()) for linked in (True, False))
    assert found.wrong_links == wrong
    assert found.missed_links == pytest.approx(missed, rel=0.01)
    assert found.people == pytest.approx(len(each.identities) + wrong - missed, rel=0.005)


def test_the_same_seed_gives_the_same_estimate(populations):
    each = populations[1]
    one, other = (list(BENCHMARK.audits(each, 60, 1)) for _ in range(2))
    assert one == other


def test_more_answers_narrow_the_interval(populations):
    widths = [np.mean([width for *_, width in BENCHMARK.audits(populations[0], pairs, 3)]) for pairs in (60, 240)]
    assert widths[1] < 0.7 * widths[0]


def test_nothing_asked_is_the_prior_with_a_wide_interval(populations):
    each = populations[0]
    count = len(each.questions)
    nothing = Answered(np.empty(0, np.int64), np.empty(0, bool), np.zeros(count, dtype=bool))
    found = estimate_people(
        each.questions, nothing, identities=len(each.identities), threshold=each.threshold, level=0.9, seed=0
    )
    low, high = found.interval
    assert low <= each.people <= high
    assert (high - low) / each.people > 0.2


def test_no_questions_no_correction():
    none = Questions(
        np.empty((0, 2), np.int64), np.empty(0, bool), np.empty(0), np.empty(0), np.empty(0, int), np.empty(0, int)
    )
    answered = Answered(np.empty(0, np.int64), np.empty(0, bool), np.empty(0, bool))
    found = estimate_people(none, answered, identities=7, threshold=THRESHOLD, level=0.9, seed=0)
    assert (found.people, found.interval) == (7.0, (7.0, 7.0))


def test_logistic_does_not_overflow():
    assert logistic(np.array([-1e6, 0.0, 1e6])).tolist() == [0.0, 0.5, 1.0]


def test_features_of_links_and_gaps_do_not_mix():
    questions = Questions(
        np.array([[0, 1], [2, 3]]),
        np.array([True, False]),
        np.array([0.04, 0.06]),
        np.array([THRESHOLD, 2 * THRESHOLD]),
        np.array([0, 1]),
        np.array([0, 3]),
    )
    link, gap = features(questions, THRESHOLD)
    assert link.tolist() == [1, 0, 0, 0, 0, 0]
    assert gap == pytest.approx([0, 0, 1, np.log(2), np.log(2), np.log(4)])
    assert len(PRIOR.mean) == len(link)


class TestRatio:
    """Horvitz-Thompson ratios."""

    def test_weights_are_the_inverse_of_the_probabilities(self):
        stratum = np.array([0, 0, 1, 1])
        counted = np.array([True, False, True, True])
        found = ratio(counted, np.ones(4, bool), stratum, np.array([20, 2]), normal_quantile=QUANTILE)
        assert found.share == pytest.approx((10 + 2) / 22)

    def test_a_census_has_no_error(self):
        counted = np.array([True, False, True])
        found = ratio(counted, np.ones(3, bool), np.zeros(3, int), np.array([3]), normal_quantile=QUANTILE)
        assert (found.share, found.standard_error) == (pytest.approx(2 / 3), 0.0)

    def test_answers_that_agree_are_not_certain(self):
        same = np.ones(5, bool)
        found = ratio(same, same, np.zeros(5, int), np.array([500]), normal_quantile=QUANTILE)
        assert found.share == 1.0
        assert found.interval[0] < 0.95

    def test_nothing_to_divide_by(self):
        none = np.zeros(3, bool)
        assert ratio(none, none, np.zeros(3, int), np.array([9]), normal_quantile=QUANTILE) is None

    def test_unbiased_and_covered(self):
        chance = np.random.default_rng(0)
        size = np.array([400, 60])
        of = np.concatenate([chance.random(400) < 0.5, chance.random(60) < 0.9])
        counted = of & np.concatenate([chance.random(400) < 0.9, chance.random(60) < 0.4])
        home = np.repeat([0, 1], size)
        truth = counted.sum() / of.sum()
        found = []
        for _ in range(300):
            rows = np.concatenate([chance.choice(np.flatnonzero(home == each), 30, replace=False) for each in (0, 1)])
            found.append(ratio(counted[rows], of[rows], home[rows], size, normal_quantile=QUANTILE))
        assert np.mean([each.share for each in found]) == pytest.approx(truth, abs=0.01)
        held = np.mean([each.interval[0] <= truth <= each.interval[1] for each in found])
        assert 0.85 <= held <= 0.99
