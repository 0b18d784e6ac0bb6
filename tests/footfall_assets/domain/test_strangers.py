import pytest

from footfall_assets.domain.strangers import Strangers


@pytest.mark.parametrize(("matches", "fits"), [(0, True), (3, True), (30, False)])
def test_a_site_is_harder_than_its_calibration_only_where_the_pairs_can_tell(matches, fits):
    assert Strangers(pairs=10_000, matches=matches).fits(calibrated_rate=1e-4) is fits


def test_bounds_are_the_exact_ones_of_a_poisson_count():
    # Garwood: for 10 events the one-sided 95 % limits are 5.425 and 16.962.
    found = Strangers(pairs=1000, matches=10)
    assert found.least_rate == pytest.approx(5.425 / 1000, abs=1e-6)
    assert found.most_rate == pytest.approx(16.962 / 1000, abs=1e-6)


def test_no_match_in_few_pairs_says_little():
    assert Strangers(pairs=1000, matches=0).most_rate == pytest.approx(2.996 / 1000, abs=1e-6)
    assert Strangers(pairs=0, matches=0).most_rate == 1.0
    assert Strangers(pairs=2, matches=2).most_rate == 1.0


@pytest.mark.parametrize(
    ("strangers", "rate"),
    [
        (Strangers(pairs=10**9, matches=0), 2.9957e-9),  # it tells more
        (Strangers(pairs=1000, matches=0), 1e-4),  # it tells less
        (Strangers(pairs=10**6, matches=1000), 1.0531e-3),  # it is harder, so the optimist is not asked
        (Strangers(pairs=1000, matches=1), 1e-4),  # harder by chance alone
    ],
)
def test_the_site_is_believed_where_it_knows_more_or_worse(strangers, rate):
    assert strangers.rate_beside(1e-4) == pytest.approx(rate, rel=1e-3)
