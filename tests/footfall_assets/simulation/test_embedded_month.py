"""A month of embeddings: who is where, and that faces say who they are to a scorer only."""

from datetime import date

import numpy as np
import pytest

from footfall_assets.contracts.schemas import FACES, face_embeddings
from footfall_assets.domain.id_words import id_order
from footfall_assets.platform import Place, Platform
from footfall_assets.simulation.embedded_month import MonthPlan, planned_visits, register, write_month
from footfall_assets.simulation.vectors import known_spread
from footfall_assets.storage.arrow import matrix, uuid_words


def plan_of(**changes):
    return MonthPlan(**{"visitors": 40, "locations": 3, "days": 4, "spread": known_spread("good")} | changes)


def test_everybody_comes_and_nobody_is_at_two_locations_on_one_day():
    visits = planned_visits(plan_of(visitors=500, days=31))
    assert np.unique(visits.person).tolist() == list(range(500))
    assert len(np.unique(visits.person * 31 + visits.day)) == len(visits.person)
    assert 3.1 < len(visits.person) / 500 < 3.9
    assert set(np.unique(visits.location)) == {0, 1, 2}


def test_a_seed_is_a_month():
    one, same, other = (planned_visits(plan_of(seed=seed)) for seed in (1, 1, 2))
    assert one.start_s.tolist() == same.start_s.tolist()
    assert one.person.tolist() == same.person.tolist()
    assert one.person.tolist() != other.person.tolist()


@pytest.fixture
def platform(tmp_path, settings_of):
    return Platform(settings_of(tmp_path))


def rows(platform, asset, place, schema):
    return platform.partitions.read_table(platform.manifest(asset, place), asset, schema)


def test_what_is_written_is_what_was_planned(platform):
    plan = plan_of()
    visits = planned_visits(plan)
    registry = register(platform, plan)
    assert len(registry.locations) == len(registry.cameras) == 3
    assert write_month(platform, plan, visits) == 4 * len(visits.person)
    place = Place(date(2024, 1, 2), "store-00001")
    faces = rows(platform, "faces", place, FACES)
    embeddings = rows(platform, "face_embeddings", place, face_embeddings(128))
    there = visits.person[(visits.day == 1) & (visits.location == 1)]
    assert uuid_words(faces["face_image_id"])[:, 1].tolist() == np.repeat(there, 4).tolist()
    assert faces["face_image_id"].equals(embeddings["face_image_id"])
    assert np.linalg.norm(matrix(embeddings["vector"]), axis=1) == pytest.approx(1, abs=1e-4)


def test_shuffled_batches_hold_the_same_rows(platform):
    plan, place = plan_of(), Place(date(2024, 1, 1), "store-00000")
    visits = planned_visits(plan)
    register(platform, plan)
    write_month(platform, plan, visits)
    straight = rows(platform, "faces", place, FACES)
    write_month(platform, plan, visits, shuffled=3)
    shuffled = rows(platform, "faces", place, FACES)
    assert len(platform.manifest("faces", place).parts) == 3
    assert not shuffled.equals(straight)
    in_order = [table.take(id_order(uuid_words(table["face_image_id"]))) for table in (shuffled, straight)]
    assert in_order[0].equals(in_order[1])
