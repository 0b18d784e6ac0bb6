from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.domain.count_range import (
    MOST_UNIDENTIFIED,
    CountCalibration,
    CountRange,
    FacesSeen,
    Total,
    feature_names,
    judge,
)
from footfall_assets.domain.estimate import CountModel, TreeSummary, expanded, features, summarise
from footfall_assets.domain.strangers import Strangers

LEVEL = 0.9
CLEAR = FacesSeen(100, 10)
# Three people of 2 local visitors and two of 1; the last cut takes two people for one.
TREE = TreeSummary(local_visitors=8, clusters=(6, 5, 4), listed=5, sizes=(2, 3, 0, 0))
FEATURES = len(features(TREE))


MORE, WITHIN = log(1.2), log(1.25)


def weights(by_feature):
    """Return the weights of a model that looks at single features, named by their place, and at no product."""
    weight = np.zeros(len(expanded(np.zeros(FEATURES))))
    for place, value in by_feature.items():
        weight[place] = value
    return tuple(weight)


def calibration(
    *, by_feature=None, features=FEATURES, intercept=MORE, spread=(0.0, 0.0, 0.0), within=WITHIN, **known
) -> CountCalibration:
    """120 % of the list, 90 % of the time within a factor of 1.25."""
    weight = weights(by_feature or {})
    model = CountModel(
        (0.0,) * features, (1.0,) * features, weight, intercept, spread, {LEVEL: -within}, {LEVEL: within}
    )
    seen = {"listed": (2, 100), "ranges": ((-9.0, 9.0),) * FEATURES, "false_match_rate": 1e-3} | known
    return CountCalibration(model, CountRange(seen["listed"], seen["ranges"], seen["false_match_rate"]))


def test_a_total_is_the_hand_computed_number() -> None:
    """5 listed x 1.2 = 6; 6 / 1.25 = 4.8 and 6 x 1.25 = 7.5."""
    assert judge(calibration(), TREE, CLEAR, LEVEL) == Total(6, (4, 8), LEVEL, None)


def test_the_merge_tree_moves_the_total() -> None:
    """4 of 5 clusters at the last cut, half of log(4 / 5): 6 x 0.894 = 5.4."""
    last = feature_names(TREE).index("log of clusters at cut 3 over listed")
    assert judge(calibration(by_feature={last: 0.5}), TREE, CLEAR, LEVEL).people == 5


def test_nobody_listed_is_nobody() -> None:
    nobody = TreeSummary(0, (0, 0, 0), 0, (0, 0, 0, 0))
    for known in (None, calibration()):
        assert judge(known, nobody, FacesSeen(3, 3), LEVEL) == Total(0, (0, 0), LEVEL, None)


def test_where_faces_are_only_counted_nobody_knows_how_many_people_came() -> None:
    nobody = TreeSummary(0, (0, 0, 0), 0, (0, 0, 0, 0))
    refused = judge(calibration(), nobody, FacesSeen(0, 0, only_counted=5), LEVEL)
    assert (refused.people, refused.interval) == (None, None)
    assert "counted only" in refused.reason


def few_and_many(**sizes):
    return {"calibration": calibration(**sizes), "tree": TREE, "faces": CLEAR}


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        pytest.param({"calibration": None}, "no calibration", id="none"),
        pytest.param({"tree": TreeSummary(8, (0, 0, 0), 5, (2, 3, 0, 0))}, "cuts", id="cuts unknown"),
        pytest.param(few_and_many(features=FEATURES + 1), "another version", id="weights of other features"),
        pytest.param(few_and_many(ranges=((-9.0, 9.0),) * 3), "another version", id="ranges of other features"),
        pytest.param(few_and_many(listed=(6, 100)), "5 listed visitors are fewer than the 6", id="too few"),
        pytest.param(few_and_many(listed=(1, 4), false_match_rate=0.03), "more than the 4", id="past the budget"),
        pytest.param({"faces": FacesSeen(100, 51)}, "51% of the sightings", id="nobody recognisable"),
        pytest.param(
            few_and_many(ranges=((-9.0, 9.0),) * 5 + ((0.95, 1.0),) + ((-9.0, 9.0),) * 3),
            "share of visitors with 1 local visitors is 0.400, seen were 0.950 to 1.000",
            id="visit mix",
        ),
    ],
)
def test_refusals_say_why(asked, reason) -> None:
    refused = judge(**{"calibration": calibration(), "tree": TREE, "faces": CLEAR, "level": LEVEL} | asked)
    assert (refused.people, refused.interval) == (None, None)
    assert reason in refused.reason


def test_a_feature_may_lie_a_tenth_of_its_range_outside() -> None:
    """The share of visitors with one local visitor is 0.4."""

    def total(low):
        ranges = [(-9.0, 9.0)] * FEATURES
        ranges[5] = (low, low + 1.0)
        return judge(calibration(ranges=tuple(ranges)), TREE, CLEAR, LEVEL)

    assert total(0.49).people == 6
    assert total(0.51).people is None


def test_half_of_the_sightings_may_be_of_nobody() -> None:
    assert MOST_UNIDENTIFIED == 0.5
    assert judge(calibration(), TREE, FacesSeen(100, 50), LEVEL).people == 6


def large(listed):
    return TreeSummary(listed, (listed,) * 3, listed, (listed, 0, 0, 0))


def test_between_the_calibrated_range_and_the_budget_the_interval_widens() -> None:
    """100 were seen; at 1e-4 a list of 1,000 has a tenth of a false match a visitor."""
    known = calibration(false_match_rate=1e-4, spread=(0.0, -0.5, 0.0))
    assert known.range.budget == 1000
    inside, edge, beyond = (judge(known, large(listed), CLEAR, LEVEL) for listed in (100, 1000, 1001))
    assert beyond.people is None
    assert "tell apart" in beyond.reason
    # What 900 more may hide is 4.5 %; the spread stays what it was at 100: log 1.25 / 10.
    assert edge.people == 1200
    factor = 1.25 ** (1 / 10) * 1.045
    assert edge.interval == (int(1200 / factor), int(1200 * factor) + 1)
    assert inside.interval == (117, 123)
    assert inside.interval[1] / inside.people < edge.interval[1] / edge.people


def test_the_budget_is_never_less_than_what_was_seen() -> None:
    assert CountRange((2, 500), (), 1e-3).budget == 500
    assert CountRange((2, 50), (), 1e-3).budget == 100
    assert CountRange((2, 50), (), 0.0).budget > 10**12


def test_a_total_has_an_interval_around_it_or_a_reason() -> None:
    for wrong in ((5, None, None), (None, (1, 2), "no"), (None, None, None), (5, (6, 7), None), (5, (4, 6), "no")):
        with pytest.raises(ValueError, match="expected"):
            Total(wrong[0], wrong[1], LEVEL, wrong[2])


@st.composite
def trees(draw):
    members = draw(st.lists(st.integers(0, 8), min_size=1, max_size=30))
    cuts = [draw(st.lists(st.integers(0, 8), min_size=len(members), max_size=len(members))) for _ in range(3)]
    return summarise(np.array(cuts).T, np.array(members))


@given(
    tree=trees(),
    intercept=st.floats(-2, 2),
    low=st.floats(-1, 0.3),
    high=st.floats(-0.3, 1),
    slope=st.floats(-1, 0),
)
def test_a_total_lies_in_its_interval_and_is_at_least_one(tree, intercept, low, high, slope) -> None:
    known = calibration(intercept=intercept, spread=(0.0, slope, 0.0), listed=(1, 5))
    known.model.low[LEVEL], known.model.high[LEVEL] = low, high
    total = judge(known, tree, CLEAR, LEVEL)
    assert total.interval[0] >= 1
    assert total.interval[0] <= total.people <= total.interval[1]


@given(tree=trees(), more=st.integers(1, 5))
def test_where_clusters_raise_the_total_more_of_them_never_lower_it(tree, more) -> None:
    larger = TreeSummary(tree.local_visitors, tuple(each + more for each in tree.clusters), tree.listed, tree.sizes)
    known = calibration(by_feature={2: 0.3, 3: 0.3, 4: 0.3}, listed=(1, 100))
    assert judge(known, larger, CLEAR, LEVEL).people >= judge(known, tree, CLEAR, LEVEL).people


def crowd(listed):
    """So many people of two local visitors each, alike at each cut."""
    return TreeSummary(2 * listed, (listed,) * 3, listed, (0, listed, 0, 0))


def test_a_sites_own_strangers_lengthen_the_list_that_can_be_counted() -> None:
    """1e-3 lets 100 people be told apart; no match among 10^8 pairs, 3e-8 at most, lets 3 million."""
    long = crowd(50_000)
    assert "more than the 100 whom" in str(judge(calibration(), long, CLEAR, LEVEL).reason)
    seen = judge(calibration(), long, CLEAR, LEVEL, Strangers(pairs=10**8, matches=0))
    assert seen.people == 60_000
    # Twice the list times 3e-8 over two: the interval is wider by 0.075 %.
    assert seen.interval == (47_964, 75_057)


def test_a_site_that_is_harder_than_its_calibration_shortens_the_list() -> None:
    easy = calibration(false_match_rate=1e-6)
    assert judge(easy, crowd(50_000), CLEAR, LEVEL).people == 60_000
    harder = Strangers(pairs=10**6, matches=100)
    assert "can tell apart" in str(judge(easy, crowd(50_000), CLEAR, LEVEL, harder).reason)


def test_a_site_without_strangers_changes_nothing() -> None:
    for strangers in (None, Strangers(pairs=0, matches=0), Strangers(pairs=1, matches=0)):
        assert judge(calibration(), TREE, CLEAR, LEVEL, strangers) == judge(calibration(), TREE, CLEAR, LEVEL)
