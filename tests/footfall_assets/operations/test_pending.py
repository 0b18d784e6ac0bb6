from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.domain.calendar import linkage_window
from footfall_assets.operations.pending import Freshness, LakeState, Pending, pending
from footfall_assets.platform import Place

FRESH, STALE, MISSING, NO_INPUT = Freshness("a", "a"), Freshness("a", "b"), Freshness(None, "b"), Freshness("a", None)
JAN_30, JAN_31, FEB_1, FEB_2 = (date(2024, 1, 30) + timedelta(days=number) for number in range(4))


def place(day, store="store-101"):
    return Place(day, store)


TABLE = {
    "an empty lake": (LakeState(), Pending()),
    "a batch landed": (LakeState(landed=1), Pending(intake=True)),
    "everything fresh": (
        LakeState(0, {place(JAN_30): (FRESH, FRESH)}, {JAN_30: (FRESH, FRESH)}, FRESH),
        Pending(),
    ),
    "no inputs, no work": (LakeState(0, {place(JAN_30): (NO_INPUT,)}, {JAN_30: (NO_INPUT,)}, NO_INPUT), Pending()),
    "the last asset of a place is stale": (
        LakeState(places={place(JAN_30): (FRESH, FRESH, STALE)}),
        Pending(places=(place(JAN_30),)),
    ),
    "a place was never computed": (LakeState(places={place(JAN_30): (MISSING,)}), Pending(places=(place(JAN_30),))),
    "places in order": (
        LakeState(places={place(FEB_1): (STALE,), place(JAN_30, "b"): (STALE,), place(JAN_30, "a"): (STALE,)}),
        Pending(places=(place(JAN_30, "a"), place(JAN_30, "b"), place(FEB_1))),
    ),
    "days after a stale day": (
        LakeState(days={JAN_30: (STALE, FRESH), JAN_31: (FRESH, FRESH)}),
        Pending(days=(JAN_30, JAN_31)),
    ),
    "days before a stale day stay": (
        LakeState(days={JAN_30: (FRESH,), JAN_31: (STALE,)}),
        Pending(days=(JAN_31,)),
    ),
    "another window stays": (
        LakeState(days={JAN_30: (STALE,), JAN_31: (FRESH,), FEB_1: (FRESH,), FEB_2: (FRESH,)}),
        Pending(days=(JAN_30, JAN_31)),
    ),
    "two windows": (
        LakeState(days={JAN_30: (FRESH,), JAN_31: (MISSING,), FEB_1: (STALE,), FEB_2: (FRESH,)}),
        Pending(days=(JAN_31, FEB_1, FEB_2)),
    ),
    "sightings alone are stale": (LakeState(days={JAN_30: (FRESH, STALE)}), Pending(days=(JAN_30,))),
    "never published": (LakeState(publication=MISSING), Pending(warehouse=True)),
    "published from other inputs": (LakeState(publication=STALE), Pending(warehouse=True)),
    "nothing to publish": (LakeState(publication=Freshness(None, None)), Pending()),
}


@pytest.mark.parametrize(("state", "expected"), TABLE.values(), ids=TABLE.keys())
def test_what_is_due(state, expected) -> None:
    assert pending(state) == expected
    assert pending(state).nothing == (expected == Pending())


hashes = st.sampled_from(["a", "b"])
freshness = st.builds(Freshness, st.none() | hashes, st.none() | hashes)
fresh = hashes.map(lambda each: Freshness(each, each))
days = st.dates(date(2024, 1, 25), date(2024, 3, 5))
stores = st.sampled_from(["store-101", "store-203"])


def states(of):
    return st.builds(
        LakeState,
        landed=st.just(0) if of is fresh else st.integers(0, 2),
        places=st.dictionaries(st.builds(Place, days, stores), st.tuples(of, of, of, of), max_size=8),
        days=st.dictionaries(days, st.tuples(of, of), max_size=12),
        publication=of,
    )


@given(states(fresh))
def test_nothing_is_due_where_everything_is_fresh(state) -> None:
    assert pending(state).nothing


@given(states(freshness))
def test_stale_days_and_those_after_them_in_their_window(state) -> None:
    due = pending(state).days
    stale = [day for day, assets in state.days.items() if any(each.stale for each in assets)]
    assert set(stale) <= set(due) <= set(state.days)
    assert list(due) == sorted(due)
    for day in state.days:
        rests_on = [each for each in stale if linkage_window(each) == linkage_window(day) and each <= day]
        assert (day in due) == bool(rests_on)


@given(states(freshness))
def test_places_are_due_for_themselves_alone(state) -> None:
    for each, assets in state.places.items():
        assert (each in pending(state).places) == any(asset.stale for asset in assets)


@given(states(freshness), st.randoms(use_true_random=False))
def test_the_order_of_the_state_does_not_matter(state, chance) -> None:
    def shuffled(mapping):
        items = list(mapping.items())
        chance.shuffle(items)
        return dict(items)

    again = LakeState(state.landed, shuffled(state.places), shuffled(state.days), state.publication)
    assert pending(again) == pending(state)
