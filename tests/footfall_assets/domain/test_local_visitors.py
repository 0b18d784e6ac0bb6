"""Faces of one location and day, made by hand: who shows at which second, where in the picture, how clearly."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.domain.linkage import cosine_distances, first_appearance_labels, unit
from footfall_assets.domain.local_visitors import LinkageRules, follow_boxes, solve, weighted_templates
from footfall_assets.domain.tracklets import FaceEvidence

RULES = LinkageRules(local_max_distance=0.1, join_max_distance=0.05, tracklet_max_distance=0.2, tracklet_min_iou=0.3)
DIM = 16
ANNA, BEN, CARA, DAN = np.eye(4, DIM, dtype=np.float32)
SOMETHING = np.eye(DIM, dtype=np.float32)[9]


def all_near(vectors, max_distance):
    return np.argwhere(np.triu(cosine_distances(vectors) <= max_distance, 1))


def turned(vector, distance):
    """A unit vector at this cosine distance from `vector`."""
    cosine = 1 - distance
    return (cosine * vector + np.sqrt(1 - cosine**2) * SOMETHING).astype(np.float32)


@dataclass
class Scene:
    faces: list[tuple] = field(default_factory=list)

    def show(self, who, *, second, at=0.0, clear=True, quality=0.8, camera=0):
        self.faces.append((camera * 100_000 + second, camera, second, at, who, clear, quality))
        return self

    def arrays(self, order=None):
        rows = self.faces if order is None else [self.faces[row] for row in order]
        image, camera, second, at, who, clear, quality = zip(*rows, strict=True) if rows else ((),) * 7
        left = np.array(at, np.float32)
        faces = FaceEvidence(
            image=np.array(image, np.int64),
            camera=np.array(camera, np.int64),
            time_us=np.array(second, np.int64) * 1_000_000,
            box=np.stack([left, 0 * left, left + 40, 0 * left + 40], axis=1).reshape(-1, 4),
            interval_s=np.full(len(rows), 5.0),
            vector=unit(np.array(who, np.float32).reshape(-1, DIM)),
        )
        return faces, np.array(quality, np.float32), np.array(clear, np.bool_)

    def solve(self, rules=RULES, order=None):
        faces, quality, may_found = self.arrays(order)
        return solve(faces, quality, may_found, rules, all_near)


def test_one_person_all_day_is_one_visitor():
    scene = Scene()
    for second in (0, 5, 10, 4000, 20_000):
        scene.show(turned(ANNA, 0.02), second=second)
    found = scene.solve()
    assert found.visitor.tolist() == [0] * 5
    assert found.score == pytest.approx(1)
    assert found.conflicts.shape == (0, 2)


def test_different_faces_are_different_visitors_in_the_order_of_their_appearance():
    scene = Scene().show(BEN, second=0).show(ANNA, second=100).show(BEN, second=200).show(CARA, second=300)
    assert scene.solve().visitor.tolist() == [0, 1, 0, 2]


def test_two_faces_in_one_still_are_two_people_however_alike():
    found = Scene().show(ANNA, second=0).show(ANNA, second=0, at=100).solve()
    assert found.visitor.tolist() == [0, 1]
    assert found.conflicts.tolist() == [[0, 1]]


def test_the_still_they_shared_keeps_their_whole_tracklets_apart():
    scene = Scene().show(ANNA, second=0).show(ANNA, second=5).show(ANNA, second=5, at=100).show(ANNA, second=10, at=100)
    assert scene.solve().visitor.tolist() == [0, 0, 1, 1]


def test_overlapping_boxes_carry_a_visitor_over_a_distance_that_would_not_link():
    far = turned(ANNA, 0.15)
    assert Scene().show(ANNA, second=0).show(far, second=5, at=4).solve().visitor.tolist() == [0, 0]
    assert Scene().show(ANNA, second=0).show(far, second=5, at=200).solve().visitor.tolist() == [0, 1]


def test_a_face_below_the_gate_founds_nobody():
    found = Scene().show(ANNA, second=0, clear=False).show(ANNA, second=900, clear=False).solve()
    assert found.visitor.tolist() == [-1, -1]
    assert np.isnan(found.score).all()
    assert found.template.shape == (0, DIM)
    assert found.quality.tolist() == []


def test_a_lesser_face_joins_the_nearest_visitor_within_reach():
    scene = Scene().show(ANNA, second=0).show(BEN, second=100)
    scene.show(turned(BEN, 0.04), second=1000, clear=False).show(turned(BEN, 0.06), second=2000, clear=False)
    found = scene.solve()
    assert found.visitor.tolist() == [0, 1, 1, -1]
    assert found.score[2] == pytest.approx(0.96, abs=1e-3)
    assert np.isnan(found.score[3])


def test_a_lesser_face_goes_with_its_tracklet_before_anything_else():
    scene = Scene().show(ANNA, second=0).show(turned(ANNA, 0.15), second=5, clear=False)
    assert scene.solve().visitor.tolist() == [0, 0]


def test_a_lesser_face_is_nobody_who_is_in_the_same_still():
    scene = Scene().show(ANNA, second=0).show(ANNA, second=0, at=200, clear=False)
    assert scene.solve().visitor.tolist() == [0, -1]
    two = Scene().show(ANNA, second=0).show(ANNA, second=900, clear=False).show(ANNA, second=900, at=200, clear=False)
    assert two.solve().visitor.tolist() == [0, 0, -1]


def test_lesser_faces_leave_the_template_and_its_quality_alone():
    alone = Scene().show(ANNA, second=0, quality=0.4).show(ANNA, second=500, quality=0.6)
    more = replace(alone, faces=list(alone.faces)).show(turned(ANNA, 0.04), second=900, clear=False, quality=0.99)
    before, after = alone.solve(), more.solve()
    assert after.visitor.tolist() == [0, 0, 0]
    assert np.array_equal(before.template, after.template)
    assert before.quality.tolist() == after.quality.tolist() == [pytest.approx(0.6)]


def test_a_template_is_the_mean_weighted_by_quality():
    scene = Scene().show(ANNA, second=0, quality=0.9).show(turned(ANNA, 0.08), second=500, quality=0.3)
    expected = unit((0.9 * ANNA + 0.3 * turned(ANNA, 0.08))[None])
    assert scene.solve().template == pytest.approx(expected, abs=1e-6)


def test_nobody_came():
    found = Scene().solve()
    assert found.visitor.tolist() == []
    assert found.template.shape == (0, DIM)
    assert found.conflicts.shape == (0, 2)


def test_boxes_alone_follow_people_and_use_no_vector():
    scene = Scene().show(ANNA, second=0).show(BEN, second=5).show(ANNA, second=5, at=300).show(ANNA, second=900)
    faces, _, _ = scene.arrays()
    blind = replace(faces, vector=np.empty((4, 0), np.float32))
    assert follow_boxes(blind, RULES).tolist() == [0, 0, 1, 2]


def test_weighted_templates_are_unit_vectors():
    vectors = np.array([ANNA, BEN, ANNA], np.float32)
    found = weighted_templates(vectors, np.array([3, 4, 1], np.float32), np.array([0, 0, 1]), 2)
    assert found[0, :2] == pytest.approx([0.6, 0.8])
    assert found[1] == pytest.approx(ANNA)


@st.composite
def scenes(draw):
    """People with their own noise in each still, so that no two distances are equal."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scene = Scene()
    for second in draw(st.lists(st.integers(0, 60), max_size=20)):
        for place, person in enumerate(draw(st.lists(st.sampled_from([0, 1, 2, 3]), max_size=3, unique=True))):
            noise = rng.normal(size=DIM) * draw(st.sampled_from([0.02, 0.06, 0.12]))
            who = np.eye(4, DIM)[person] + noise
            scene.show(
                who, second=second * 5, at=70.0 * place, clear=draw(st.booleans()), quality=float(rng.uniform(0.2, 1))
            )
    # A still has one moment: faces that were drawn for the same second twice would overlap in one still.
    seen, faces = set(), []
    for face in scene.faces:
        if (face[0], face[3]) not in seen:
            seen.add((face[0], face[3]))
            faces.append(face)
    return Scene(faces)


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_a_solution_contradicts_nothing(scene):
    faces, quality, may_found = scene.arrays()
    found = scene.solve()
    count = len(found.template)
    assert set(found.visitor.tolist()) <= set(range(-1, count))
    assert set(found.visitor[may_found].tolist()) == set(range(count))
    member = found.visitor >= 0
    assert member[may_found].all()
    assert (np.isnan(found.score) == ~member).all()
    assert np.allclose(np.linalg.norm(found.template, axis=1), 1, atol=1e-5)
    together = set(zip(faces.image[member].tolist(), found.visitor[member].tolist(), strict=True))
    assert len(together) == member.sum()
    for left, right in found.conflicts.tolist():
        assert set(faces.image[found.visitor == left]) & set(faces.image[found.visitor == right])
    best = [quality[may_found & (found.visitor == each)].max() for each in range(count)]
    assert found.quality.tolist() == [pytest.approx(each) for each in best]


@settings(max_examples=60, deadline=None)
@given(scenes(), st.randoms(use_true_random=False))
def test_clear_faces_are_grouped_the_same_in_any_order_of_rows(scene, rng):
    scene = Scene([face for face in scene.faces if face[5]])
    order = list(range(len(scene.faces)))
    rng.shuffle(order)
    shuffled = scene.solve(order=order).visitor
    back = first_appearance_labels(shuffled[np.argsort(order)]) if order else shuffled
    assert back.tolist() == first_appearance_labels(scene.solve().visitor).tolist()
