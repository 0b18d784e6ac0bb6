from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.contracts.schemas import local_visitor_templates
from footfall_assets.domain.presence import Presence, at_two_places, stays_apart
from footfall_assets.domain.strangers import Strangers
from footfall_assets.identity.strangers import certain_strangers
from footfall_assets.identity.window import WindowVisitors

DAY = date(2024, 1, 1)
DIM = 8


def visitor(number, axis, *, location="store-101", hours=(10.0, 10.5), conflicts=()):
    midnight = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    return {
        "local_visitor_id": UUID(int=number).bytes,
        "location_id": location,
        "day": DAY,
        "vector": np.eye(DIM, dtype=np.float32)[axis].tolist(),
        "faces": 3,
        "quality": 0.9,
        "stay_starts": [midnight + timedelta(hours=hours[0])],
        "stay_ends": [midnight + timedelta(hours=hours[1])],
        "conflicts": [UUID(int=each).bytes for each in conflicts],
    }


def strangers(linkage, *rows):
    table = pa.Table.from_pylist(list(rows), schema=local_visitor_templates(DIM))
    return certain_strangers(WindowVisitors.of([table], linkage), linkage.window_max_distance)


def test_two_in_one_still_and_two_at_two_places_are_strangers_and_match_where_they_look_alike(linkage):
    rows = [
        visitor(1, 0, conflicts=[2]),
        visitor(2, 0, conflicts=[1]),
        visitor(3, 1, hours=(12, 12.5)),
        visitor(4, 1, location="store-203", hours=(12.2, 12.4)),
        visitor(5, 2, location="store-307", hours=(12.3, 12.6)),
    ]
    # 1 with 2 in one still; 3, 4 and 5 each at their own location at 12:20
    assert strangers(linkage, *rows) == Strangers(pairs=1 + 3, matches=2)


def test_who_may_be_one_person_is_no_stranger(linkage):
    alike = [visitor(1, 0), visitor(2, 0, hours=(10.2, 10.4)), visitor(3, 0, location="store-203", hours=(15, 16))]
    assert strangers(linkage, *alike) == Strangers(pairs=0, matches=0)
    assert strangers(linkage, *alike).rate is None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 8)), min_size=1, max_size=25))
def test_stays_apart_are_counted_as_one_by_one(stays):
    place, start, length = np.array(stays, dtype=np.int64).T
    people = np.arange(len(stays))
    presence = Presence(people, place, start, start + length, people=len(stays))
    assert stays_apart(presence) == len(at_two_places(presence, people))
