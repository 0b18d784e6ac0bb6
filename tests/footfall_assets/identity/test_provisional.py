"""A provisional day: the linkage of the window with the sealed identities held as they are."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.contracts.schemas import IDENTITIES, local_visitor_templates
from footfall_assets.contracts.settings import LinkageSettings, ProvisionalSettings
from footfall_assets.domain.strangers import Strangers
from footfall_assets.identity.corrections import Corrections
from footfall_assets.identity.gallery_index import GalleryIndex, SealedGallery
from footfall_assets.identity.provisional import SealedMap, solve_provisional
from footfall_assets.identity.resolve import NO_NAMES, Names, solve
from footfall_assets.identity.window import WindowVisitors

FIRST = date(2024, 1, 7)  # sealed
DIM = 8
LINKAGE = LinkageSettings(window_max_distance=0.1)
CHANCE = np.random.default_rng(5)
LOOKS = CHANCE.normal(size=(200, DIM)) * 0.03


def day(number):
    return FIRST + timedelta(days=number)


def visitor(number, person, *, on=0, store="store-101", hours=(10.0, 10.1), conflicts=()):
    """Return a local visitor; `person` is an axis, or two that a look lies between. `on`: days since the seal."""
    vector = LOOKS[number % 200].copy()
    for axis in person if isinstance(person, tuple) else (person,):
        vector[axis] += 1
    midnight = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=on)
    return {
        "local_visitor_id": UUID(int=number).bytes,
        "location_id": store,
        "day": day(on),
        "vector": (vector / np.linalg.norm(vector)).astype(np.float32).tolist(),
        "faces": 3,
        "quality": 0.9,
        "stay_starts": [midnight + timedelta(hours=hours[0])],
        "stay_ends": [midnight + timedelta(hours=hours[1])],
        "conflicts": [UUID(int=each).bytes for each in conflicts],
    }


def table(rows):
    return pa.Table.from_pylist(list(rows), schema=local_visitor_templates(DIM))


def sealed_map(rows):
    visitors = WindowVisitors.of([table(rows)], LINKAGE)
    return SealedMap(FIRST, solve(visitors, NO_NAMES, FIRST, LINKAGE).table(visitors), Strangers(3, 1))


def provisional(before, since, *, corrections=None, exact_below=1000, order=None, candidates=4):
    """Return the map of the day after the last of `since`."""
    sealed = sealed_map(before)
    gallery = GalleryIndex.build(SealedGallery.of(sealed.identities, [table(before)], DIM), exact_below)
    since = list(since) if order is None else [list(since)[place] for place in order]
    extra = {} if corrections is None else {"corrections": corrections}
    return solve_provisional(
        sealed,
        gallery,
        [table(since[::2]), table(since[1::2])],
        max([each["day"] for each in since], default=FIRST),
        linkage=LINKAGE,
        settings=ProvisionalSettings(candidates=candidates),
        overlapping=table([*before, *since]).drop_columns("vector"),
        **extra,
    )


def names(found):
    rows = found.identities if not isinstance(found, pa.Table) else found
    ids = rows["local_visitor_id"].to_pylist()
    return {each.int: name for each, name in zip(ids, rows["face_id"].to_pylist(), strict=True)}


def groups(found):
    called = names(found)
    return {frozenset(each for each in called if called[each] == name) for name in called.values()}


def pair(one, other):
    return (UUID(int=one), UUID(int=other))


BEFORE = [visitor(1, 0), visitor(2, 1, hours=(11, 11.1)), visitor(3, 1, hours=(12, 12.1), store="store-203")]


def test_who_is_known_keeps_the_name_and_who_is_not_gets_one() -> None:
    since = [visitor(4, 0, on=1), visitor(5, 4, on=1), visitor(6, 4, on=2, store="store-203")]
    found, sealed = provisional(BEFORE, since), sealed_map(BEFORE)
    assert groups(found) == {frozenset({1, 4}), frozenset({2, 3}), frozenset({5, 6})}
    assert {number: names(found)[number] for number in (1, 2, 3)} == names(sealed.identities)
    assert found.identities.schema.equals(IDENTITIES)
    rows = {row["local_visitor_id"].int: row for row in found.identities.to_pylist()}
    assert [rows[number]["minted_on"] for number in (1, 4, 5, 6)] == [FIRST, FIRST, day(1), day(1)]
    assert list(rows) == sorted(rows)
    assert found.provisional.to_pylist() == [
        {
            "day": day(2),
            "sealed_day": FIRST,
            "local_visitors": 3,
            "attached": 1,
            "index_used": False,
            "splits_waiting": 0,
        }
    ]


def test_nothing_new_is_the_sealed_answer() -> None:
    expected, found = sealed_map(BEFORE), provisional(BEFORE, [])
    assert found.identities.equals(expected.identities)
    assert found.strangers == expected.strangers


def test_a_new_name_is_the_same_on_every_provisional_day() -> None:
    """Names come from the first day of a cluster, not from the day that is computed."""
    since = [visitor(9, 4, on=1), visitor(8, 5, on=2), visitor(7, 4, on=3), visitor(6, 5, on=3)]
    first, second, third = (provisional(BEFORE, [each for each in since if each["day"] <= day(n)]) for n in (1, 2, 3))
    assert names(first)[9] == names(second)[9] == names(third)[9] == names(third)[7]
    assert names(second)[8] == names(third)[8] == names(third)[6]
    assert third.identities["minted_on"].to_pylist()[3:] == [day(2), day(1), day(2), day(1)]


def test_scores_are_cosines_to_the_whole_identity() -> None:
    since = [visitor(4, 1, on=1), visitor(5, 1, on=2), visitor(6, 5, on=2), visitor(7, 5, on=3)]
    vectors = {UUID(bytes=each["local_visitor_id"]).int: np.array(each["vector"]) for each in [*BEFORE, *since]}
    found = provisional(BEFORE, since)
    score = dict(zip(names(found), found.identities["match_score"].to_pylist(), strict=True))
    for members, scored in (((2, 3, 4, 5), (4, 5)), ((6, 7), (6, 7))):
        mean = np.mean([vectors[each] for each in members], axis=0)
        for each in scored:
            assert score[each] == pytest.approx(vectors[each] @ mean / np.linalg.norm(mean), abs=1e-4)
    assert {each: score[each] for each in (1, 2, 3)} == dict(
        zip((1, 2, 3), sealed_map(BEFORE).identities["match_score"].to_pylist(), strict=True)
    )


def test_nobody_is_at_two_locations_at_once() -> None:
    """The sealed day of one end of the world overlaps with the next day of the other."""
    before = [visitor(1, 0, hours=(22, 30))]
    there, later = (visitor(4, 0, on=1, store="store-203", hours=hours) for hours in ((5, 5.5), (7, 7.5)))
    assert groups(provisional(before, [there])) == {frozenset({1}), frozenset({4})}
    assert groups(provisional(before, [later])) == {frozenset({1, 4})}


def test_who_was_in_one_still_joins_two_identities() -> None:
    twins = [visitor(4, 0, on=1, conflicts=[5]), visitor(5, 0, on=1, conflicts=[4], hours=(10, 10.1))]
    called = names(provisional(BEFORE, twins))
    assert called[4] != called[5]
    assert called[1] in (called[4], called[5])


def at_angle(number, radians, **options):
    """Return a local visitor whose vector lies so far from the first axis, in the plane of the first two."""
    return visitor(number, 0, **options) | {"vector": [np.cos(radians), np.sin(radians), *[0.0] * (DIM - 2)]}


def test_two_sealed_identities_never_become_one() -> None:
    """Somebody halfway between two people joins one of them; the next seal decides anew."""
    apart, between = [at_angle(1, 0.0), at_angle(2, 0.49)], at_angle(3, 0.245, on=1)
    assert groups(sealed_map(apart).identities) == {frozenset({1}), frozenset({2})}
    assert groups(sealed_map([*apart, between | {"day": FIRST}]).identities) == {frozenset({1, 2, 3})}
    assert sorted(map(len, groups(provisional(apart, [between])))) == [1, 2]


def test_a_split_keeps_a_new_visitor_out_of_a_sealed_identity() -> None:
    found = provisional(BEFORE, [visitor(4, 1, on=1)], corrections=Corrections(apart=(pair(2, 4), pair(3, 4))))
    assert groups(found) == {frozenset({1}), frozenset({2, 3}), frozenset({4})}


def test_a_split_between_new_visitors() -> None:
    since = [visitor(4, 4, on=1), visitor(5, 4, on=2)]
    assert frozenset({4, 5}) in groups(provisional(BEFORE, since))
    found = provisional(BEFORE, since, corrections=Corrections(apart=(pair(4, 5),)))
    assert {frozenset({4}), frozenset({5})} <= groups(found)


def test_a_merge_with_a_sealed_identity_holds_however_far_apart() -> None:
    since = [visitor(4, 5, on=1), visitor(5, 5, on=2)]
    found = provisional(BEFORE, since, corrections=Corrections(together=(pair(2, 4),)))
    assert frozenset({2, 3, 4}) <= next(each for each in groups(found) if 2 in each)
    assert names(found)[4] == names(sealed_map(BEFORE).identities)[2]


def test_a_merge_of_two_sealed_identities_keeps_the_larger_name() -> None:
    found = provisional(BEFORE, [visitor(4, 5, on=1)], corrections=Corrections(together=(pair(1, 2), pair(2, 4))))
    sealed = names(sealed_map(BEFORE).identities)
    assert groups(found) == {frozenset({1, 2, 3, 4})}
    assert names(found)[1] == sealed[2]
    assert set(map(tuple, found.identities["merged_from"].to_pylist())) == {(sealed[1].bytes,)}


def test_a_split_inside_a_sealed_identity_waits_for_the_seal_and_says_so() -> None:
    found = provisional(BEFORE, [visitor(4, 5, on=1)], corrections=Corrections(apart=(pair(2, 3),)))
    assert frozenset({2, 3}) in groups(found)
    assert found.provisional["splits_waiting"].to_pylist() == [1]


def test_a_correction_of_somebody_unknown_changes_nothing() -> None:
    since = [visitor(4, 0, on=1)]
    unknown = Corrections(together=(pair(4, 99),), apart=(pair(1, 98),))
    assert provisional(BEFORE, since, corrections=unknown).identities.equals(provisional(BEFORE, since).identities)


def test_strangers_are_those_of_the_seal_and_of_the_new() -> None:
    since = [visitor(4, 4, on=1, conflicts=[5]), visitor(5, 4, on=1, conflicts=[4])]
    assert provisional(BEFORE, since).strangers == Strangers(4, 2)


people = st.integers(0, DIM - 1)
looks = st.one_of(people, st.tuples(people, people).filter(lambda axes: axes[0] != axes[1]))
stores = st.sampled_from(["store-101", "store-203"])


@st.composite
def crowds(draw):
    """Local visitors of the sealed day and of three days since, some in one still, some at two stores at once."""
    rows = []
    for number in range(1, draw(st.integers(2, 24))):
        start = draw(st.sampled_from([9.0, 9.5, 10.0]))
        on = draw(st.integers(0, 3))
        rows.append(visitor(number, draw(looks), on=on, store=draw(stores), hours=(start, start + 0.7)))
    for one, other in zip(rows[::5], rows[1::5], strict=False):
        if (one["day"], one["location_id"]) == (other["day"], other["location_id"]):
            one["conflicts"].append(other["local_visitor_id"])
            other["conflicts"].append(one["local_visitor_id"])
    before = [each for each in rows if each["day"] == FIRST]
    return before, [each for each in rows if each["day"] > FIRST]


@given(crowds(), st.data())
@settings(max_examples=40, deadline=None)
def test_the_order_of_rows_and_the_index_do_not_matter(crowd, data) -> None:
    before, since = crowd
    expected = provisional(before, since)
    order = data.draw(st.permutations(range(len(since))))
    again = provisional(data.draw(st.permutations(before)), since, order=order)
    assert again == expected
    through_the_index = provisional(before, since, exact_below=0, candidates=DIM * DIM)
    assert through_the_index.identities.equals(expected.identities)


@given(crowds())
@settings(max_examples=40, deadline=None)
def test_what_cannot_be_one_is_not(crowd) -> None:
    before, since = crowd
    called = names(provisional(before, since))
    rows = [*before, *since]
    for one in rows:
        number = UUID(bytes=one["local_visitor_id"]).int
        for each in one["conflicts"]:
            assert called[number] != called[UUID(bytes=each).int]
        for other in rows:
            at_once = one["stay_starts"][0] <= other["stay_ends"][0] and other["stay_starts"][0] <= one["stay_ends"][0]
            if at_once and one["location_id"] != other["location_id"]:
                assert called[number] != called[UUID(bytes=other["local_visitor_id"]).int]


@given(crowds())
@settings(max_examples=40, deadline=None)
def test_sealed_identities_stay_as_they_were(crowd) -> None:
    before, since = crowd
    sealed, called = names(sealed_map(before).identities), names(provisional(before, since))
    assert {number: called[number] for number in sealed} == sealed


@given(crowds())
@settings(max_examples=40, deadline=None)
def test_nobody_sealed_is_the_solve_of_the_days_since(crowd) -> None:
    """Without sealed identities the linkage is that of the window."""
    _, since = crowd
    visitors = WindowVisitors.of([table(since)], LINKAGE)
    whole = solve(visitors, Names.of(IDENTITIES.empty_table()), day(3), LINKAGE).table(visitors)
    assert groups(provisional([], since)) == groups(whole)
