"""Local visitors of many places at once: workers change how long it takes and nothing else."""

import pytest

from footfall_assets.contracts.settings import LinkageSettings
from footfall_assets.identity.places import refresh_places
from footfall_assets.platform import Place, Platform
from footfall_assets.simulation.embedded_month import MonthPlan, planned_visits, register, write_month
from footfall_assets.simulation.vectors import known_spread

LINKAGE = LinkageSettings(
    local_max_distance=0.47, window_max_distance=0.47, join_max_distance=0.4, tracklet_max_distance=0.5
)


@pytest.fixture
def home(tmp_path, settings_of):
    platform = Platform(settings_of(tmp_path, linkage=LINKAGE))
    plan = MonthPlan(visitors=12, locations=2, days=2, spread=known_spread("good"))
    register(platform, plan)
    write_month(platform, plan, planned_visits(plan))
    return platform


def places(platform):
    return [Place(each.day, each.location_id) for each in platform.partitions.places("faces", platform.versions.faces)]


def hashes(outcomes):
    return [(each.content_hash, each.rows, each.parts_computed) for each in outcomes]


def test_workers_compute_what_this_process_computes(home):
    by_workers = hashes(refresh_places(home, places(home), workers=2))
    assert all(computed == 1 for _, _, computed in by_workers)
    again = hashes(refresh_places(home, places(home), workers=0))
    assert again == [(content, rows, 0) for content, rows, _ in by_workers]
    for place in places(home):
        home.lake.delete(f"{home.place_of('local_visitors', place).prefix}/manifest.json")
    assert hashes(refresh_places(home, places(home), workers=0)) == by_workers


def test_outcomes_come_in_the_order_asked_for(home):
    forward = hashes(refresh_places(home, places(home)))
    backward = hashes(refresh_places(home, places(home)[::-1]))
    assert [each[0] for each in backward] == [each[0] for each in forward][::-1]


def test_no_place_is_no_work(home):
    assert list(refresh_places(home, [])) == []
