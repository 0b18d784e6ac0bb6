import random
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest

from footfall_assets.contracts.schemas import IDENTITIES, local_visitor_templates
from footfall_assets.identity.resolve import resolve

FIRST, SECOND, THIRD = date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3)
DIM = 8


def visitor(number, person, *, day=FIRST, location="store-101", hours=(10.0, 10.1), conflicts=(), at=None):
    """Return a local visitor; `person` is an axis, or two axes that a look lies between."""
    vector = np.zeros(DIM, np.float32)
    for axis in person if isinstance(person, tuple) else (person,):
        vector[axis] = 1
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return {
        "local_visitor_id": UUID(int=number).bytes,
        "location_id": location,
        "day": day,
        "vector": (vector / np.linalg.norm(vector)).tolist(),
        "faces": 3,
        "quality": 0.9,
        "stay_starts": [midnight + timedelta(hours=start) for start in hours[::2]],
        "stay_ends": [midnight + timedelta(hours=end) for end in hours[1::2]],
        "conflicts": [UUID(int=each).bytes for each in conflicts],
    }


def templates(rows):
    return pa.Table.from_pylist(list(rows), schema=local_visitor_templates(DIM))


@pytest.fixture
def solved(linkage):
    def run(rows, day=FIRST, previous=None, **changes):
        previous = IDENTITIES.empty_table() if previous is None else previous
        return resolve(templates(rows), previous, day, linkage.model_copy(update=changes))

    return run


def names(identities):
    """Return the name of each local visitor, by its number."""
    ids = identities["local_visitor_id"].to_pylist()
    return {each.int: name for each, name in zip(ids, identities["face_id"].to_pylist(), strict=True)}


def test_one_person_at_two_locations_on_two_days(solved) -> None:
    rows = [
        visitor(1, 0),
        visitor(2, 1),
        visitor(3, 0, location="store-203", hours=(15, 15.1)),
        visitor(4, 0, day=SECOND),
    ]
    identities = solved(rows, SECOND)
    assert identities.schema.equals(IDENTITIES)
    found = names(identities)
    assert found[1] == found[3] == found[4] != found[2]
    assert identities["local_visitor_id"].to_pylist() == sorted(identities["local_visitor_id"].to_pylist())
    assert identities["day"].to_pylist() == [FIRST, FIRST, FIRST, SECOND]
    assert identities["match_score"].to_pylist() == pytest.approx([1.0] * 4, abs=1e-6)


def test_nobody_is_at_two_locations_at_once(solved) -> None:
    rows = [visitor(1, 0, hours=(10, 11)), visitor(2, 0, location="store-203", hours=(10.5, 12))]
    found = names(solved(rows))
    assert found[1] != found[2]


def test_one_after_the_other_is_no_contradiction(solved) -> None:
    rows = [visitor(1, 0, hours=(10, 11)), visitor(2, 0, location="store-203", hours=(11.5, 12))]
    found = names(solved(rows))
    assert found[1] == found[2]


def test_a_visit_elsewhere_between_two_visits_is_no_contradiction(solved) -> None:
    """At home in the morning and in the evening, at another store at noon: three visits of one person."""
    rows = [visitor(1, 0, hours=(9, 9.5, 17, 18)), visitor(2, 0, location="store-203", hours=(12, 12.1))]
    found = names(solved(rows))
    assert found[1] == found[2]


def test_at_one_location_two_local_visitors_may_be_one(solved) -> None:
    rows = [visitor(1, 0, hours=(10, 11)), visitor(2, 0, hours=(10.5, 12))]
    found = names(solved(rows))
    assert found[1] == found[2]


def test_who_was_in_one_still_is_two_people_on_every_day(solved) -> None:
    twins = [visitor(1, 0, conflicts=[2]), visitor(2, 0, conflicts=[1])]
    found = names(solved([*twins, visitor(3, 0, day=SECOND)], SECOND))
    assert found[1] != found[2]
    assert found[3] in {found[1], found[2]}


def test_a_conflict_with_somebody_unknown_changes_nothing(solved) -> None:
    assert len(set(names(solved([visitor(1, 0, conflicts=[77]), visitor(2, 0)])).values())) == 1


def test_nobody(solved) -> None:
    assert solved([]).equals(IDENTITIES.empty_table())


def crowd():
    rows = [visitor(10 * person + 1, person, hours=(10 + person / 10, 10.05 + person / 10)) for person in range(6)]
    rows += [visitor(10 * person + 2, person, day=SECOND, location="store-203") for person in (0, 2, 4)]
    rows += [visitor(70, (0, 2), day=SECOND, hours=(20, 21)), visitor(71, 7, day=SECOND, hours=(20, 21))]
    return rows


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_local_visitors_does_not_matter(solved, seed) -> None:
    rows = crowd()
    expected = solved(rows, SECOND)
    random.Random(seed).shuffle(rows)  # noqa: S311 - a test's order
    assert solved(rows, SECOND).equals(expected)
    assert solved(rows, SECOND, exact_neighbours_below=0).equals(expected)


def test_names_are_carried_over_from_the_day_before(solved) -> None:
    first = solved([visitor(1, 0), visitor(2, 1)])
    second = solved([visitor(1, 0), visitor(2, 1), visitor(3, 0, day=SECOND), visitor(4, 5, day=SECOND)], SECOND, first)
    assert {number: names(second)[number] for number in (1, 2)} == names(first)
    assert names(second)[3] == names(first)[1]
    assert names(second)[4] not in names(first).values()
    assert second["minted_on"].to_pylist() == [FIRST, FIRST, FIRST, SECOND]
    third = solved([visitor(1, 0), visitor(4, 5, day=SECOND)], THIRD, second)
    assert third["minted_on"].to_pylist() == [FIRST, SECOND]


def test_the_day_before_supplies_names_and_nothing_else(solved) -> None:
    """Whatever yesterday believed, today's groups are today's."""
    rows = crowd()
    fresh = names(solved(rows, SECOND))
    everybody_one = solved(rows, FIRST)
    wrong = everybody_one.set_column(
        1, IDENTITIES.field("face_id"), pa.array([UUID(int=5).bytes] * len(rows), pa.uuid())
    )
    carried = names(solved(rows, SECOND, wrong))

    def groups(found):
        return {frozenset(each for each in found if found[each] == name) for name in found.values()}

    assert groups(carried) == groups(fresh)
    assert UUID(int=5) in carried.values()


def test_lineage_of_a_merge_and_of_a_split(solved, linkage) -> None:
    apart = [visitor(1, 0, conflicts=[2]), visitor(2, 0, conflicts=[1])]
    before = solved(apart)
    merged = solved([visitor(1, 0), visitor(2, 0)], SECOND, before)
    assert set(names(merged).values()) == {min(names(before).values())}
    [gone] = set(names(before).values()) - set(names(merged).values())
    assert merged["merged_from"].to_pylist() == [[gone.bytes]] * 2
    split = solved(apart, THIRD, merged)
    kept, new = (names(split)[number] for number in (1, 2))
    if new in names(merged).values():
        kept, new = new, kept
    assert kept in names(merged).values()
    assert new not in names(merged).values()
    origin = dict(zip(split["face_id"].to_pylist(), split["split_from"].to_pylist(), strict=True))
    assert origin == {kept: None, new: kept}


def test_a_name_is_of_its_window(solved) -> None:
    january = names(solved([visitor(1, 0)], FIRST))[1]
    february = names(solved([visitor(1, 0)], date(2024, 2, 1)))[1]
    assert january != february
