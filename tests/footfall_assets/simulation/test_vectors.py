"""Synthetic embeddings: as hard to tell apart as they are said to be, and the same from every block and run."""

import numpy as np
import pytest

from footfall_assets.simulation.fit_vectors import fit_spread, hit_rates, simulated_hit_rates
from footfall_assets.simulation.vectors import (
    blocks_of_people,
    faces_of_visits,
    known_spread,
    templates_of_visits,
)

# Means of three stills of each of 2,031 photos of 1,200 people, mirror images averaged in; benchmarks/vectors.py.
DLIB_HIT_RATES = {1e-3: 0.756, 1e-4: 0.541, 1e-5: 0.321, 1e-6: 0.199}


def test_dlibs_vectors_are_as_hard_to_tell_apart_as_real_ones():
    runs = [simulated_hit_rates(known_spread("dlib"), seed=seed) for seed in range(3)]
    for rate, real in DLIB_HIT_RATES.items():
        assert np.mean([run[rate] for run in runs]) == pytest.approx(real, abs=0.05)


def test_the_good_embedder_is_good():
    assert simulated_hit_rates(known_spread("good"), 1000)[1e-6] > 0.99


def test_vectors_are_of_length_one():
    spread = known_spread("dlib")
    faces = faces_of_visits(spread, blocks_of_people(spread, 0, 5, 1), np.array([1, 2, 3, 0, 1]), (1,))
    assert faces.visit.tolist() == [0, 1, 1, 2, 2, 2, 4]
    assert faces.vector.shape == (7, 128)
    assert np.linalg.norm(faces.vector, axis=1) == pytest.approx(1, abs=1e-5)


def test_a_person_is_the_same_in_whatever_range():
    spread = known_spread("good")
    people = blocks_of_people(spread, 4090, 20, 3)
    assert np.array_equal(blocks_of_people(spread, 4100, 3, 3), people[10:13])
    assert not np.allclose(blocks_of_people(spread, 4090, 20, 4), people)


def test_a_key_names_its_visits():
    spread = known_spread("good")
    person = blocks_of_people(spread, 0, 4, 1)
    one, same, other = (templates_of_visits(spread, person, 3, key) for key in ((1, 2), (1, 2), (1, 3)))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_more_stills_make_a_template_easier_to_recognise():
    spread = known_spread("dlib")
    assert simulated_hit_rates(spread, 500, stills=6)[1e-3] > simulated_hit_rates(spread, 500, stills=1)[1e-3]


def test_hit_rates_by_hand():
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.6, 0.8]], np.float32)
    found = hit_rates(vectors, np.array([0, 0, 1, 1]), [0.25, 0.5])
    assert found == {0.25: 0.0, 0.5: 1.0}  # strangers at 0.96, 0.6, 0.6, 0; both people at 0.8


def test_a_fit_to_simulated_vectors_gives_their_hit_rates():
    spread = known_spread("dlib")
    person = blocks_of_people(spread, 0, 400, 9)
    visits = [
        faces_of_visits(spread, person, np.full(400, 3), (9, visit)).vector.reshape(400, 3, -1) for visit in (0, 1)
    ]
    stills, who = np.concatenate(visits), np.tile(np.arange(400), 2)
    fitted = fit_spread(stills, np.ones((800, 3), bool), who)
    wanted = simulated_hit_rates(spread, 800, seed=5)
    found = simulated_hit_rates(fitted, 800, seed=5)
    assert found[1e-3] == pytest.approx(wanted[1e-3], abs=0.08)
