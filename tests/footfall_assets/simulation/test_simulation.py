"""A whole simulation as the capture pipeline gets it, and its truth table."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from footfall_assets.contracts.ids import parse_slug
from footfall_assets.simulation.cast import ProceduralCast
from footfall_assets.simulation.errors import CastError
from footfall_assets.simulation.plan import SimulationPlan
from footfall_assets.simulation.simulation import Simulation, simulate, truth_rows
from footfall_assets.simulation.truth import TRUTH_SCHEMA, truth_table

CAST = ProceduralCast(tuple((seed,) * 7 for seed in (11, 12, 13, 14, 15, 16)))
SMALL = SimulationPlan(locations=2, days=2, visitors=6, seed=5, timezones=("Asia/Tokyo", "America/New_York"))


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return simulate(SMALL, CAST)


def image_hashes(plan: SimulationPlan) -> list[str]:
    days = list(simulate(plan, CAST).camera_days())
    return [hashlib.sha256(still.image.tobytes()).hexdigest() for still in days[0].stills()]


def test_every_camera_has_every_day_once_and_time_runs_forward(simulation: Simulation) -> None:
    days = list(simulation.camera_days())
    assert len(days) == len({(day.camera_id, day.day) for day in days}) == 2 * 3 * 2
    for camera_day in days:
        parse_slug(camera_day.location_id)
        parse_slug(camera_day.camera_id)
        times = [plan.captured_at for plan in camera_day.plans]
        assert all(earlier < later for earlier, later in pairwise(times))
    assert sum(len(day.plans) for day in days) == len(simulation.schedule.stills)


def test_the_same_seed_gives_the_same_pictures_and_another_does_not() -> None:
    assert image_hashes(SMALL) == image_hashes(SMALL)
    assert set(image_hashes(SMALL)).isdisjoint(
        image_hashes(SimulationPlan(locations=2, days=2, visitors=6, seed=6, timezones=SMALL.timezones))
    )


def test_a_day_can_be_painted_twice(simulation: Simulation) -> None:
    day = next(simulation.camera_days())
    first, second = (next(day.stills()).image for _ in range(2))
    assert (first == second).all()


def test_a_camera_takes_stills_from_opening_to_closing_and_shows_those_of_the_schedule(simulation: Simulation) -> None:
    zones = {store.location_id: ZoneInfo(store.timezone) for store in simulation.schedule.stores}
    day = next(simulation.camera_days())
    moments = list(day.moments())
    times = [moment for moment, _ in moments]
    local = [moment.astimezone(zones[day.location_id]).replace(tzinfo=None) for moment in (times[0], times[-1])]
    every = timedelta(seconds=SMALL.interval_s)
    assert {later - earlier for earlier, later in pairwise(times)} == {every}
    assert timedelta(0) <= local[0] - datetime.combine(day.day, time(9)) < every
    assert local[1] + every >= datetime.combine(day.day, time(20))
    painted = [(moment, still.captured_at) for moment, still in moments if still is not None]
    assert painted == [(plan.captured_at, plan.captured_at) for plan in day.plans]
    assert len(painted) < len(moments)


def test_who_stays_after_closing_is_seen_to_the_end(simulation: Simulation) -> None:
    day = next(simulation.camera_days())
    late = replace(day.plans[-1], captured_at=day.clock.time_of(12 * 3600 // 5))
    last, still = list(replace(day, plans=(*day.plans, late)).moments())[-1]
    assert last == late.captured_at
    assert still is not None


def test_the_truth_has_a_row_per_person_and_one_for_an_empty_still(simulation: Simulation) -> None:
    rows, people, empty = [], 0, 0
    for number, day in enumerate(list(simulation.camera_days())[:4]):
        for index, still in enumerate(day.stills()):
            assert still.captured_at.tzinfo is UTC
            rows += truth_rows(UUID(int=1000 * number + index), day, still)
            people += len(still.truth)
            empty += not still.truth
    table = truth_table(rows)
    assert table.schema == TRUTH_SCHEMA
    assert table.num_rows == people + empty
    assert table["person_id"].null_count == table["box_x1"].null_count == table["visible"].null_count == empty > 0
    assert set(table["person_id"].drop_null().to_pylist()) <= {CAST.person_id(n) for n in range(6)}


def test_more_visitors_than_people_are_refused() -> None:
    with pytest.raises(CastError, match="the cast has 6 people"):
        simulate(SimulationPlan(visitors=7), CAST)
