"""Painted stills and the truth about them."""

import hashlib
from datetime import UTC, datetime

import numpy as np
import pytest

from footfall_assets.simulation.backgrounds import paint_background
from footfall_assets.simulation.boxes import box_iou
from footfall_assets.simulation.cast import ProceduralCast
from footfall_assets.simulation.plan import PersonPlan, SimulationPlan, StillPlan
from footfall_assets.simulation.scenes import Scene, paint_scene
from footfall_assets.simulation.schedule import make_schedule
from footfall_assets.simulation.stores import build_stores

CAST = ProceduralCast(tuple((seed,) * 7 for seed in (1, 2, 3, 4)))
CAMERAS = build_stores(1, interval_s=5.0, timezones=("UTC",))[0].cameras


def person(visitor: int, *, x: float, y: float = 160.0, height: float = 120.0, visible: bool = True) -> PersonPlan:
    return PersonPlan(visitor, 0, f"visit-{visitor}", f"visit-{visitor}-1", x, y, height, visible)


def scene(*people: PersonPlan, key: int = 5) -> Scene:
    still = StillPlan(CAMERAS[0].camera_id, "store-101", datetime(2024, 1, 1, 12, tzinfo=UTC), people, (key,))
    return paint_scene(still, CAST, paint_background(CAMERAS[0], width=640, height=480))


def digest(image: np.ndarray) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()


def test_the_same_still_has_the_same_bytes_and_another_key_has_not() -> None:
    assert digest(scene(person(0, x=300)).image) == digest(scene(person(0, x=300)).image)
    assert digest(scene(person(0, x=300)).image) != digest(scene(person(0, x=300), key=6).image)


def test_two_people_look_different_in_the_same_pose() -> None:
    first, second = scene(person(0, x=300)).image.astype(int), scene(person(1, x=300)).image.astype(int)
    assert np.abs(first[100:220, 240:360] - second[100:220, 240:360]).mean() > 10


def test_the_picture_is_what_a_camera_gives() -> None:
    image = scene().image
    assert image.shape == (480, 640, 3)
    assert image.dtype == np.uint8
    assert scene().truth == ()


@pytest.mark.parametrize("visible", [True, False])
def test_the_truth_names_the_person_and_the_box_lies_where_they_were_painted(*, visible: bool) -> None:
    painted, empty = scene(person(2, x=200, visible=visible)), scene()
    (truth,) = painted.truth
    assert (truth.person_id, truth.appearance_id, truth.visit_id) == (CAST.person_id(2), "visit-2-1", "visit-2")
    assert truth.visible is visible
    x1, y1, x2, y2 = (round(edge) for edge in truth.box)
    changed = np.abs(painted.image.astype(int) - empty.image.astype(int)).mean(axis=2)
    assert y2 - y1 == pytest.approx(120, abs=2)
    assert changed[y1:y2, x1:x2].mean() > 3 * changed[:, 400:].mean()


def test_a_face_from_behind_differs_from_one_from_the_front() -> None:
    front, back = scene(person(0, x=300)).image.astype(int), scene(person(0, x=300, visible=False)).image.astype(int)
    assert np.abs(front[110:210, 250:350] - back[110:210, 250:350]).mean() > 10


def test_boxes_are_cut_at_the_edges_of_the_picture() -> None:
    for truth in scene(person(0, x=5, y=10), person(1, x=638, y=470)).truth:
        x1, y1, x2, y2 = truth.box
        assert 0 <= x1 < x2 <= 640
        assert 0 <= y1 < y2 <= 480


def test_in_a_simulation_boxes_lie_inside_and_faces_do_not_overlap_and_walkers_move_smoothly() -> None:
    plan = SimulationPlan(visitors=4, locations=1, days=2, seed=3)
    last: dict[str, tuple[float, float, float, float]] = {}
    for still in make_schedule(plan).stills[:60]:
        boxes = paint_scene(still, CAST, paint_background(CAMERAS[0], width=640, height=480)).truth
        for index, truth in enumerate(boxes):
            x1, y1, x2, y2 = truth.box
            assert 0 <= x1 < x2 <= 640
            assert 0 <= y1 < y2 <= 480
            assert all(box_iou(truth.box, other.box) == 0 for other in boxes[:index])
            if truth.appearance_id in last:
                assert box_iou(truth.box, last[truth.appearance_id]) > 0.5
            last[truth.appearance_id] = truth.box
    assert len(last) >= 4


def test_every_camera_has_its_own_view() -> None:
    stores = build_stores(3, interval_s=5.0, timezones=("UTC",))
    views = {digest(paint_background(camera, width=640, height=480)) for store in stores for camera in store.cameras}
    assert len(views) == 9
