import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.calibration.labelled_people import StillKind
from footfall_assets.calibration.stores import INTERVAL_S, STILLS_A_VISIT, StorePlan, VisitMix, draw_store, visit_counts


def store(stills, visitors=40, mix=VisitMix.UNIFORM, seed=0, **more):
    return draw_store(stills, np.arange(len(stills.names)), StorePlan(visitors, mix, seed, **more))


@settings(max_examples=20, deadline=None)
@given(mix=st.sampled_from(VisitMix), seed=st.integers(0, 10_000), visitors=st.integers(2, 60))
def test_everybody_comes_and_nobody_is_at_two_places_at_once(stills, mix, seed, visitors):
    visits = store(stills, visitors, mix, seed)
    assert len(np.unique(visits.person)) == visitors
    stays = list(zip(visits.person, visits.location, visits.day, strict=True))
    assert len(set(stays)) == len(stays)
    start = {}
    for row, visit in enumerate(visits.visit):
        start.setdefault(int(visit), visits.time_us[row])
    for person in np.unique(visits.person):
        moments = np.sort([start[visit] for visit in np.flatnonzero(visits.person == person)])
        assert (np.diff(moments) >= 3600 * 1e6).all()


def test_the_same_seed_draws_the_same_store_and_another_seed_another(stills):
    one, same, other = store(stills, seed=1), store(stills, seed=1), store(stills, seed=2)
    assert all(np.array_equal(getattr(one, name), getattr(same, name)) for name in vars(one))
    assert not np.array_equal(one.person, other.person)


def test_who_comes_again_has_another_photograph_each_time(stills):
    visits = store(stills, 60, VisitMix.LOYAL)
    photos = np.bincount(np.unique(np.stack([stills.person, stills.photo]), axis=1)[0])
    shown = {}
    for still, visit in zip(visits.still, visits.visit, strict=True):
        shown.setdefault(int(visit), set()).add(int(stills.photo[still]))
    assert all(len(each) == 1 for each in shown.values())
    for person in np.unique(visits.person):
        mine = [min(shown[visit]) for visit in np.flatnonzero(visits.person == person)]
        assert len(set(mine)) == min(len(mine), photos[person])
        assert len(mine) == 1 or photos[person] > 1


def test_a_visit_is_three_stills_in_a_row_and_a_party_shares_them(stills):
    visits = store(stills, 60, VisitMix.LOYAL, seed=3)
    assert (np.bincount(visits.visit) == STILLS_A_VISIT).all()
    for visit in range(len(visits.person)):
        moments = visits.time_us[visits.visit == visit]
        assert (np.diff(moments) == INTERVAL_S * 1e6).all()
    people_in_picture = np.bincount(visits.image)
    assert people_in_picture.max() > 1
    for image in np.flatnonzero(people_in_picture > 1):
        rows = visits.image == image
        assert len(np.unique(visits.person[visits.visit[rows]])) == rows.sum()


def test_hard_faces_come_in_the_share_that_is_asked_for(stills):
    assert (stills.kind[store(stills).still] == StillKind.CLEAN).all()
    hard = stills.kind[store(stills, 80, hard_share=0.3).still] != StillKind.CLEAN
    assert hard.mean() == pytest.approx(0.3, abs=0.08)


@pytest.mark.parametrize(
    ("mix", "fewest", "most"), [("uniform", 0.15, 0.4), ("mostly_single", 0.7, 0.95), ("loyal", 0, 0.3)]
)
def test_a_mix_has_its_share_of_visitors_who_come_once(mix, fewest, most):
    once = [(visit_counts(VisitMix(mix), 400, np.random.default_rng(seed)) == 1).mean() for seed in range(20)]
    assert fewest <= np.mean(once) <= most
    assert len(set(once)) > 10  # how many changes from seed to seed


def test_more_visitors_than_people_are_refused(stills):
    with pytest.raises(ValueError, match="expected at least 91 people"):
        store(stills, 91)
