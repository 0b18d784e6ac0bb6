import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.domain.shares import (
    ClassDraws,
    classes_behind,
    label_rates,
    most_likely_shares,
    share_estimate,
)

BIASED = np.array([[60, 40], [5, 95]])  # takes 40 of 100 women for men
PERFECT = np.eye(3, dtype=np.int64) * 100_000


def people(*counts):
    return np.array(counts, np.int64)


def test_inversion_of_a_biased_classifier() -> None:
    """38 of 100 called women, at rates of 0.6 and 0.05: (0.38 - 0.05) / 0.55 = 0.6, less what the prior takes."""
    rates = label_rates(BIASED)
    np.testing.assert_allclose(rates, [[60.5 / 101, 40.5 / 101], [5.5 / 101, 95.5 / 101]])
    expected = (0.38 - rates[1, 0]) / (rates[0, 0] - rates[1, 0])
    np.testing.assert_allclose(most_likely_shares(people(38, 62), BIASED), [expected, 1 - expected], atol=1e-6)


@pytest.mark.parametrize("labels", [(0, 100), (100, 0)])
def test_inversion_stays_on_the_simplex(labels) -> None:
    """The adjusted count alone gives -9 % and 173 % here."""
    found = most_likely_shares(people(*labels), BIASED)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)
    assert found[int(np.argmax(labels))] == pytest.approx(1, abs=1e-3)


CONFUSIONS = st.integers(2, 5).flatmap(
    lambda k: st.tuples(
        st.lists(st.lists(st.integers(0, 40), min_size=k, max_size=k), min_size=k, max_size=k),
        st.lists(st.integers(0, 60), min_size=k, max_size=k),
    )
)


@settings(max_examples=25, deadline=None)
@given(CONFUSIONS)
def test_whatever_the_labels_shares_are_shares(drawn) -> None:
    confusion, labels = np.array(drawn[0]), people(*drawn[1])
    confusion[np.diag_indices(len(labels))] += 1
    labels[0] += 1
    found = classes_behind(labels, confusion, seed=1, draws=20)
    assert (found.draws.sum(axis=1) == labels.sum()).all()
    assert found.draws.min() >= 0
    estimate = share_estimate(found)
    assert estimate.share.sum() == pytest.approx(1)
    assert (estimate.low <= estimate.high).all()
    assert estimate.largest.sum() == pytest.approx(1)
    assert most_likely_shares(labels, confusion).min() >= 0


def test_a_perfect_classifier_is_believed() -> None:
    estimate = share_estimate(classes_behind(people(50, 30, 20), PERFECT, seed=0, draws=200))
    np.testing.assert_allclose(estimate.share, [0.5, 0.3, 0.2], atol=0.01)
    assert (estimate.high - estimate.low).max() < 0.02
    assert estimate.prevailing == 0


def test_a_classifier_that_knows_nothing_leaves_everything_open() -> None:
    blind = np.full((2, 2), 500)
    estimate = share_estimate(classes_behind(people(90, 10), blind, seed=0))
    assert (estimate.high - estimate.low).min() > 0.8
    assert estimate.prevailing is None


def test_fewer_labelled_people_widen_the_interval() -> None:
    widths = [
        float(
            np.ptp(
                [
                    (found := share_estimate(classes_behind(people(380, 620), BIASED * n // 20, seed=0))).low[0],
                    found.high[0],
                ]
            )
        )
        for n in (2, 20, 200)
    ]
    assert widths[0] > 1.5 * widths[1] > 1.5 * widths[2] * 0.9


def test_known_shares_come_back_through_a_biased_classifier() -> None:
    """The 90 % interval has to hold the truth in about 90 % of simulated stores, whose mixes the matrix never saw."""
    held, off, raw = [], [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rates = np.array([[0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.25, 0.25, 0.5]])
        matrix = np.stack([rng.multinomial(100, row) for row in rates])
        truth = rng.multinomial(200, rng.dirichlet(np.ones(3)))
        labels = np.sum([rng.multinomial(count, row) for count, row in zip(truth, rates, strict=True)], axis=0)
        found = share_estimate(classes_behind(labels, matrix, seed=seed, draws=200))
        held.append((found.low <= truth / 200) & (truth / 200 <= found.high))
        off.append(np.abs(found.share - truth / 200).mean())
        raw.append(np.abs(labels / 200 - truth / 200).mean())
    assert 0.83 <= np.mean(held) <= 0.99
    assert np.mean(off) < 0.65 * np.mean(raw)


def test_equal_arguments_equal_numbers() -> None:
    one, two = (classes_behind(people(38, 62), BIASED, seed=3, draws=50) for _ in range(2))
    np.testing.assert_array_equal(one.draws, two.draws)


def test_groups_measured_apart_are_put_together() -> None:
    one = ClassDraws(3, np.array([[1, 2], [2, 1]]))
    both = one + ClassDraws(10, np.array([[10, 0], [9, 1]]))
    assert both.people == 13
    assert both.draws.tolist() == [[11, 2], [11, 2]]
    assert share_estimate(both).share.tolist() == pytest.approx([11 / 13, 2 / 13])


def test_ties_share_the_chance_of_being_the_largest() -> None:
    estimate = share_estimate(ClassDraws(4, np.array([[2, 2, 0]])))
    assert estimate.largest.tolist() == [0.5, 0.5, 0]
    assert estimate.prevailing is None


@pytest.mark.parametrize(
    ("labels", "confusion", "says"),
    [
        ((1, 2), np.eye(3, dtype=np.int64), "labels of 3 classes"),
        ((0, 0), BIASED, "at least one person"),
        ((1, 2), np.array([[1, 0], [0, 0]]), "every true class"),
        ((1, 2), np.array([[1, -1], [0, 2]]), "every true class"),
        ((1, 2), np.ones((2, 3), np.int64), "k x k"),
    ],
)
def test_what_cannot_be_undone_is_refused(labels, confusion, says) -> None:
    with pytest.raises(ValueError, match=says):
        classes_behind(people(*labels), confusion, seed=0)
