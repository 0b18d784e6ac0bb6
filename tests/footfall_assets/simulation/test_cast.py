"""The shipped cast, and what detector and embedder make of it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from footfall_assets.simulation.boxes import box_iou
from footfall_assets.simulation.cast import procedural_cast
from footfall_assets.simulation.errors import CastError
from footfall_assets.simulation.plan import SimulationPlan
from footfall_assets.simulation.simulation import simulate
from models.alignment import align
from models.catalog import load_face_detector, load_face_embedder
from models.errors import ModelMissing

CACHE = Path.home() / ".cache/footfall/models"
SCENES = 40


def test_the_cast_has_three_hundred_different_people() -> None:
    cast = procedural_cast(300)
    assert cast.size == len(set(cast.genes)) == len({cast.person_id(n) for n in range(300)}) == 300


def test_a_smaller_cast_is_the_start_of_a_larger_one() -> None:
    assert procedural_cast(60).genes == procedural_cast(300).genes[:60]


def test_too_many_visitors_are_told_the_limit_and_the_way_out() -> None:
    with pytest.raises(CastError, match=r"100000 visitors.*at most \d+.*--people DIR"):
        procedural_cast(100_000)


@pytest.mark.weights
def test_the_detector_finds_the_cast_and_the_embedder_tells_it_apart() -> None:
    try:
        detector, embedder = load_face_detector(cache=CACHE), load_face_embedder(cache=CACHE)
    except ModelMissing as missing:
        pytest.skip(f"needs the converted models: {missing}")
    vectors, names, overlaps = [], [], []
    for image, truths in _scenes():
        faces = detector.detect([image])[0]
        embedded = embedder.embed(align(image, faces.landmarks, embedder.spec.alignment))
        for truth in truths:
            each = [box_iou(truth.box, tuple(box)) for box in faces.boxes.tolist()]
            overlaps.append(max(each, default=0.0))
            if overlaps[-1] >= 0.5:
                vectors.append(embedded[int(np.argmax(each))])
                names.append(truth.person_id)
    distance = np.linalg.norm(np.stack(vectors)[:, None] - np.stack(vectors)[None], axis=2)
    same = np.equal.outer(names, names) & ~np.eye(len(names), dtype=bool)
    assert np.mean(np.asarray(overlaps) >= 0.5) >= 0.97
    assert np.median(overlaps) >= 0.75
    # 0.37 between unit vectors is the threshold that suits photographs of real people.
    assert np.quantile(distance[same], 0.95) < 0.33
    assert np.quantile(distance[np.not_equal.outer(names, names)], 0.01) > 0.37


def _scenes():
    plan = SimulationPlan(visitors=30, seed=21)
    found = 0
    for day in simulate(plan, procedural_cast(30)).camera_days():
        for still in day.stills():
            visible = [truth for truth in still.truth if truth.visible]
            if visible and found < SCENES:
                found += 1
                image = cv2.imdecode(cv2.imencode(".jpg", still.image)[1], cv2.IMREAD_COLOR)
                yield image, visible
