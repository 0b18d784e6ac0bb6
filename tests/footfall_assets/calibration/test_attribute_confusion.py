import numpy as np
import pytest

from footfall_assets.calibration.attribute_confusion import confusions_of, counted, evaluate
from footfall_assets.contracts.attributes import Trait, TraitConfusion


def labelled(counts):
    """Return true classes and the classes they got of people counted by both."""
    pairs = [(i, j) for i, row in enumerate(counts) for j, n in enumerate(row) for _ in range(n)]
    true, got = np.array(pairs, np.int64).T
    return true, got


def test_people_are_counted_by_both_classes() -> None:
    assert counted(*labelled([[8, 2], [1, 9]]), 2).tolist() == [[8, 2], [1, 9]]


def test_a_class_without_people_is_named_and_not_measured() -> None:
    found = confusions_of({Trait.GENDER: labelled([[8, 2], [0, 0]])}, seed=0)
    assert found == {Trait.GENDER: "nobody labelled male"}


def test_what_is_measured_comes_with_its_score() -> None:
    found = confusions_of({Trait.GENDER: labelled([[240, 160], [20, 380]])}, seed=0)[Trait.GENDER]
    assert isinstance(found, TraitConfusion)
    assert found.counts == ((240, 160), (20, 380))
    score = found.evaluation
    assert score is not None
    assert score.people == 800
    assert score.accuracy == pytest.approx(620 / 800)
    assert score.median_error < score.median_raw_error / 2
    assert 0.8 < score.coverage <= 1


def test_too_few_people_are_measured_and_not_scored() -> None:
    found = confusions_of({Trait.GENDER: labelled([[5, 2], [1, 50]])}, seed=0)[Trait.GENDER]
    assert isinstance(found, TraitConfusion)
    assert found.evaluation is None


def test_of_a_classifier_that_tosses_a_coin_the_intervals_still_hold() -> None:
    score = evaluate(*labelled([[50, 50], [50, 50]]), 2, seed=1)
    assert score is not None
    assert score.coverage > 0.75
