from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.evaluation.bcubed import BCubed, bcubed

ITEMS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz")), min_size=1, max_size=40)


def naive(items):
    """BCubed as the papers define it: for each item, over all items."""
    precision = recall = Fraction(0)
    for person, cluster in items:
        right = sum(item == (person, cluster) for item in items)
        precision += Fraction(right, sum(c == cluster for _, c in items))
        recall += Fraction(right, sum(p == person for p, _ in items))
    precision, recall = precision / len(items), recall / len(items)
    return precision, recall, 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize(
    ("people", "clusters", "precision", "recall"),
    [
        pytest.param("aabb", "1122", 1, 1, id="perfect"),
        pytest.param("aabb", "1111", 1 / 2, 1, id="all merged"),
        pytest.param("aabb", "1234", 1, 1 / 2, id="all split"),
        # a1: 3/4 and 3/3, three times; b1: 1/4 and 1/2; b2: 1/1 and 1/2
        pytest.param("aaabb", "11112", (3 * 3 / 4 + 1 / 4 + 1) / 5, (3 * 1 + 1 / 2 + 1 / 2) / 5, id="one strayed"),
        pytest.param("aaaaabbccccc", "111112222222", (5 + 2 * 2 / 7 + 5 * 5 / 7) / 12, 1, id="two merged"),
        pytest.param("aaaaabbccccc", "111112211111", (2 * 5 * 5 / 10 + 2) / 12, 1, id="the two large ones merged"),
    ],
)
def test_worked_examples(people, clusters, precision, recall):
    found = bcubed(list(people), list(clusters))
    assert found.precision == pytest.approx(precision)
    assert found.recall == pytest.approx(recall)
    assert found.f1 == pytest.approx(2 * precision * recall / (precision + recall))


def test_no_item_has_no_score():
    assert bcubed([], []) == BCubed(None, None, None)


@pytest.mark.parametrize(("people", "clusters"), [(["a", None], ["1", "1"]), (["a", "b"], ["1", None])])
def test_missing_labels_are_refused(people, clusters):
    with pytest.raises(ValueError, match="missing"):
        bcubed(people, clusters)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="length"):
        bcubed(["a"], ["1", "2"])


@given(items=ITEMS)
def test_agrees_with_the_definition(items):
    found = bcubed([person for person, _ in items], [cluster for _, cluster in items])
    expected = tuple(float(each) for each in naive(items))
    assert (found.precision, found.recall, found.f1) == pytest.approx(expected)


@given(items=ITEMS, order=st.randoms(use_true_random=False))
def test_order_does_not_matter(items, order):
    shuffled = order.sample(items, len(items))
    first, second = (bcubed(*zip(*each, strict=True)) for each in (items, shuffled))
    assert (first.precision, first.recall) == pytest.approx((second.precision, second.recall))


@given(items=ITEMS)
def test_swapping_truth_and_clusters_swaps_precision_and_recall(items):
    people, clusters = zip(*items, strict=True)
    there, back = bcubed(people, clusters), bcubed(clusters, people)
    assert (there.precision, there.recall) == pytest.approx((back.recall, back.precision))
