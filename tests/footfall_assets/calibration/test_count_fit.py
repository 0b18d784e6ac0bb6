from dataclasses import replace
from math import log

import numpy as np
import pytest

from footfall_assets.calibration.count_fit import CUTS, MAIN_CUT, CountSample, fit_count, model_of, samples_of
from footfall_assets.calibration.stores import StorePlan, VisitMix, draw_store
from footfall_assets.calibration.trial import founders, founding_rules, solve_store
from footfall_assets.contracts.settings import LinkageSettings, QualitySettings
from footfall_assets.domain.estimate import TreeSummary, estimate


def sample(rng, *, bias=1.25, noise=0.0):
    """A list that is `bias` times too long the more often its people come, and says so in its cuts."""
    people = int(rng.integers(30, 300))
    visits = float(rng.uniform(1.1, 3.0))
    listed = max(int(people * (1 + (bias - 1) * (visits - 1) / 2) * np.exp(noise * rng.normal())), 1)
    local = int(people * visits)
    clusters = tuple(int(listed * (1.4 - 0.08 * cut)) for cut in range(len(CUTS)))
    sizes = (int(listed / visits), int(listed * 0.2), int(listed * 0.1), int(listed * 0.05))
    return CountSample(TreeSummary(local, clusters, listed, sizes), people, "whole")


def many(count, seed, **more):
    rng = np.random.default_rng(seed)
    return [sample(rng, **more) for _ in range(count)]


def fitted(**more):
    return fit_count(many(300, 0, **more), [(many(300, 1, **more), many(600, 2, **more))])


def test_a_list_that_is_too_long_is_corrected():
    model = model_of(fitted())
    unseen = many(100, 9)
    off = [abs(estimate(model, each.tree, 0.9).people / each.truth - 1) for each in unseen]
    uncorrected = [abs(each.tree.listed / each.truth - 1) for each in unseen]
    assert np.median(off) < 0.03 < np.median(uncorrected)


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
def test_an_interval_holds_the_truth_as_often_as_it_says(level):
    model = model_of(fitted(noise=0.05))
    found = [(estimate(model, each.tree, level), each.truth) for each in many(1000, 9, noise=0.05)]
    assert np.mean([each.low <= truth <= each.high for each, truth in found]) == pytest.approx(level, abs=0.05)


def test_residuals_come_from_the_other_people_alone():
    """Trained on its own residuals, the interval would be as narrow as the training is good."""
    calm, wild = many(300, 0), many(300, 1, noise=0.2)
    from_others = fit_count(calm, [(calm, wild)])
    from_itself = fit_count(calm, [(calm, calm)])
    tree = many(1, 5)[0].tree
    width = [
        log(found.high / found.low)
        for found in (estimate(model_of(each), tree, 0.9) for each in (from_others, from_itself))
    ]
    assert width[0] > 5 * width[1]


def test_the_range_is_what_was_seen():
    weights = fitted()
    listed = [each.tree.listed for each in many(300, 0)]
    assert weights.listed == (min(listed), max(listed))
    assert weights.feature_ranges[0] == pytest.approx((log(min(listed)), log(max(listed))))


def test_the_truth_of_a_part_counts_who_was_there_with_a_good_face(stills):
    people = np.arange(len(stills.names))
    visits = draw_store(stills, people, StorePlan(60, VisitMix.LOYAL, 4))
    founding = founders(stills, founding_rules(QualitySettings(), None))
    found = solve_store(stills, visits, founding, LinkageSettings(), [0.06 * each for each in CUTS])
    samples = {each.part: each for each in samples_of(visits, found, np.random.default_rng(0))}
    assert samples["whole"].truth == 60
    assert samples["whole"].tree.local_visitors == len(found.template)
    assert samples["whole"].tree.clusters[MAIN_CUT] == samples["whole"].tree.listed
    del samples["whole"]
    assert len(samples) > 2
    assert all(each.truth < 60 and each.tree.local_visitors < len(found.template) for each in samples.values())
    blind = replace(found, founded=np.zeros_like(found.founded))
    assert next(each.truth for each in samples_of(visits, blind, np.random.default_rng(0))) == 0
