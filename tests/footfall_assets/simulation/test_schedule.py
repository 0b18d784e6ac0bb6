"""What must hold in every schedule, whatever its size and seed."""

from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.simulation.errors import PlanError
from footfall_assets.simulation.plan import Schedule, SimulationPlan
from footfall_assets.simulation.schedule import LANES, MERGE_GAP_S, MERGE_INTERVALS, make_schedule

ZONES = ("Europe/London", "America/New_York", "Asia/Tokyo")
PLANS = st.builds(
    SimulationPlan,
    locations=st.integers(1, 4),
    days=st.integers(1, 5),
    visitors=st.integers(1, 40),
    seed=st.integers(0, 10_000),
    interval_s=st.sampled_from([0.2, 2.0, 5.0, 30.0]),
    timezones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3).map(tuple),
)
FEW = settings(max_examples=40, deadline=None)


@FEW
@given(PLANS)
def test_every_visitor_comes_at_least_once_and_numbers_their_visits(plan: SimulationPlan) -> None:
    numbers = defaultdict(list)
    for visit in make_schedule(plan).visits:
        numbers[visit.visitor].append(visit.number)
    assert sorted(numbers) == list(range(plan.visitors))
    assert all(sorted(each) == list(range(len(each))) for each in numbers.values())


@FEW
@given(PLANS)
def test_nobody_is_in_two_places_at_once(plan: SimulationPlan) -> None:
    visits = defaultdict(list)
    for visit in make_schedule(plan).visits:
        visits[visit.visitor].append(visit)
    for each in visits.values():
        for earlier, later in pairwise(sorted(each, key=lambda visit: visit.starts_at)):
            assert earlier.ends_at + timedelta(minutes=30) < later.starts_at
    for still in make_schedule(plan).stills:
        assert max(Counter(person.visitor for person in still.people).values(), default=1) == 1


@FEW
@given(PLANS)
def test_a_visit_stays_inside_its_business_day_and_store(plan: SimulationPlan) -> None:
    schedule = make_schedule(plan)
    zones = {store.location_id: ZoneInfo(store.timezone) for store in schedule.stores}
    places = {camera.camera_id: store.location_id for store in schedule.stores for camera in store.cameras}
    last_day = plan.first_day + timedelta(days=plan.days - 1)
    seen = Counter()
    for visit in schedule.visits:
        assert plan.first_day <= visit.day <= last_day
        assert visit.starts_at.astimezone(zones[visit.location_id]).date() == visit.day
        assert visit.ends_at.astimezone(zones[visit.location_id]).date() == visit.day
        assert {places[each.camera_id] for each in visit.appearances} == {visit.location_id}
        seen[visit.visitor, visit.location_id, visit.day] += 1
    assert set(seen.values()) == {1}


@FEW
@given(PLANS)
def test_stills_of_an_appearance_are_close_and_two_appearances_at_a_camera_are_apart(plan: SimulationPlan) -> None:
    schedule = make_schedule(plan)
    times, cameras = defaultdict(list), {}
    for still in schedule.stills:
        for person in still.people:
            times[person.appearance_id].append(still.captured_at)
            cameras[person.appearance_id] = still.camera_id
    for visit in schedule.visits:
        by_camera = defaultdict(list)
        for each in visit.appearances:
            assert cameras[each.appearance_id] == each.camera_id
            assert (times[each.appearance_id][0], times[each.appearance_id][-1]) == (each.starts_at, each.ends_at)
            gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times[each.appearance_id])]
            assert gaps == pytest.approx([plan.interval_s] * len(gaps), abs=1e-5)
            by_camera[each.camera_id].append(each)
        for passages in by_camera.values():
            for earlier, later in pairwise(passages):
                apart = (later.starts_at - earlier.ends_at).total_seconds()
                assert apart > max(MERGE_GAP_S, MERGE_INTERVALS * plan.interval_s)
    assert sum(len(visit.appearances) for visit in schedule.visits) == len(times)


@FEW
@given(PLANS)
def test_stills_are_in_order_and_hold_no_more_people_than_lanes(plan: SimulationPlan) -> None:
    schedule = make_schedule(plan)
    by_camera = defaultdict(list)
    for still in schedule.stills:
        by_camera[still.camera_id].append(still)
        assert len(still.people) <= LANES
        assert str(still.captured_at.tzinfo) == "UTC"
    assert len(by_camera) == 3 * plan.locations
    for stills in by_camera.values():
        assert all(earlier.captured_at < later.captured_at for earlier, later in pairwise(stills))
    assert len({still.random_key for still in schedule.stills}) == len(schedule.stills)


def test_equal_plans_give_equal_schedules_and_another_seed_does_not() -> None:
    first = make_schedule(SimulationPlan(seed=7))
    assert first == make_schedule(SimulationPlan(seed=7))
    assert first.visits != make_schedule(SimulationPlan(seed=8)).visits


@pytest.fixture(scope="module")
def default() -> Schedule:
    return make_schedule(SimulationPlan())


def test_the_default_is_small_enough_for_a_demo_and_has_something_of_everything(default: Schedule) -> None:
    stills = default.stills
    assert 85 <= len(default.visits) <= 120
    assert len(stills) <= 900
    people = Counter(len(still.people) for still in stills)
    assert people[0] >= 0.05 * len(stills)
    assert people[2] + people[3] >= 50
    turned_away = [person for still in stills for person in still.people if not person.visible]
    assert 20 <= len(turned_away) <= 120


def test_some_visitors_come_back_and_some_to_another_store(default: Schedule) -> None:
    stores = defaultdict(set)
    for visit in default.visits:
        stores[visit.visitor].add(visit.location_id)
    assert 15 <= sum(1 for count in Counter(visit.visitor for visit in default.visits).values() if count > 1) <= 35
    assert sum(len(each) > 1 for each in stores.values()) >= 8


@pytest.mark.parametrize(
    ("field", "value"),
    [("locations", 0), ("days", 400), ("visitors", 0), ("interval_s", 0.01), ("timezones", ("Mars/Olympus",))],
)
def test_a_plan_out_of_range_names_the_field(field: str, value: object) -> None:
    with pytest.raises(PlanError, match=field if field != "timezones" else "Mars/Olympus"):
        SimulationPlan(**{field: value})


def test_too_many_visitors_for_one_camera_day_are_refused() -> None:
    with pytest.raises(PlanError, match="--locations"):
        make_schedule(SimulationPlan(locations=1, days=1, visitors=3000, interval_s=60.0))
