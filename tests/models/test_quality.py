import cv2
import numpy as np
import pytest

from models.alignment import ARCFACE_112, DLIB_150, align
from models.detector import Faces
from models.quality import assess_faces, estimate_pose, measure_sharpness


def textured_crop(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (150, 150, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.clip(128 + smooth / smooth.std() * 40, 0, 255).astype(np.uint8)


def faces_at(landmarks: np.ndarray, box: tuple[float, float, float, float]) -> Faces:
    return Faces(
        boxes=np.array([box], np.float32),
        landmarks=landmarks[None].astype(np.float32),
        scores=np.array([0.9], np.float32),
    )


def test_blur_lowers_sharpness_step_by_step() -> None:
    crop = textured_crop()
    blurred = [crop] + [cv2.GaussianBlur(crop, (0, 0), sigma) for sigma in (3, 6, 10)]
    values = measure_sharpness(np.stack(blurred))
    assert (np.diff(values) < 0).all()
    assert values[0] > 3 * values[2]


def test_sharpness_ignores_contrast_and_brightness() -> None:
    crop = textured_crop()
    faint = (crop.astype(float) * 0.5 + 60).astype(np.uint8)
    values = measure_sharpness(np.stack([crop, faint]))
    assert values[1] == pytest.approx(values[0], rel=0.05)


def test_flat_crop_is_not_sharp() -> None:
    flat = np.full((1, 150, 150, 3), 90, np.uint8)
    flat[0, ::2, ::2] += 1
    assert measure_sharpness(flat)[0] < 0.05


def test_frontal_face_has_no_angles() -> None:
    yaw, pitch, roll = estimate_pose(DLIB_150.array()[None].astype(np.float32))
    assert abs(yaw[0]) < 0.02
    assert abs(pitch[0]) < 0.02
    assert roll[0] == pytest.approx(0, abs=1e-3)


def test_nose_to_the_right_is_positive_yaw_at_any_roll() -> None:
    points = DLIB_150.array()
    points[2, 0] += 0.5 * (points[1, 0] - points[0, 0]) / 2
    angle = np.radians(30)
    turned = points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for given, tilt in ((points, 0.0), (turned, 30.0)):
        yaw, _, roll = estimate_pose(given[None].astype(np.float32))
        assert yaw[0] == pytest.approx(0.5, abs=0.02)
        assert roll[0] == pytest.approx(tilt, abs=0.1)


def test_lower_nose_is_positive_pitch() -> None:
    points = DLIB_150.array()
    points[2, 1] += 0.1 * (99.5 - 47.3)
    assert estimate_pose(points[None].astype(np.float32))[1][0] == pytest.approx(0.1, abs=0.01)


def test_landmarks_in_one_point_stay_finite() -> None:
    values = estimate_pose(np.full((1, 5, 2), 3, np.float32))
    assert np.isfinite(np.concatenate(values)).all()


def test_quality_falls_with_size_blur_and_pose() -> None:
    crop = textured_crop()[None]
    frontal = DLIB_150.array()
    profile = frontal.copy()
    profile[2, 0] += 60
    good = assess_faces(faces_at(frontal, (0, 0, 90, 100)), crop, template=DLIB_150)
    small = assess_faces(faces_at(frontal, (0, 0, 14, 20)), crop, template=DLIB_150)
    turned = assess_faces(faces_at(profile, (0, 0, 90, 100)), crop, template=DLIB_150)
    blurred = cv2.GaussianBlur(crop[0], (0, 0), 12)[None]
    soft = assess_faces(faces_at(frontal, (0, 0, 90, 100)), blurred, template=DLIB_150)
    assert good.quality[0] > 0.9
    assert good.size_px[0] == 90
    for worse in (small, turned, soft):
        assert worse.quality[0] < 0.5


def test_quality_hardly_depends_on_the_template() -> None:
    image = cv2.resize(textured_crop(), (400, 400), interpolation=cv2.INTER_CUBIC)
    points = (DLIB_150.array() - 75) * 1.2 + 200
    faces = faces_at(points, (130, 130, 270, 270))
    values = [
        assess_faces(faces, align(image, faces.landmarks, template), template=template).sharpness[0]
        for template in (DLIB_150, ARCFACE_112)
    ]
    assert values[0] == pytest.approx(values[1], rel=0.25)


def test_empty_input() -> None:
    quality = assess_faces(Faces.empty(), np.empty((0, 150, 150, 3), np.uint8), template=DLIB_150)
    assert len(quality) == 0


def test_faces_and_crops_must_match() -> None:
    with pytest.raises(ValueError, match="0 faces but 1 crops"):
        assess_faces(Faces.empty(), textured_crop()[None], template=DLIB_150)


def test_select() -> None:
    crop = np.stack([textured_crop(0), textured_crop(1)])
    one = faces_at(DLIB_150.array(), (0, 0, 90, 100))
    two = Faces(
        boxes=np.repeat(one.boxes, 2, axis=0),
        landmarks=np.repeat(one.landmarks, 2, axis=0),
        scores=np.repeat(one.scores, 2),
    )
    quality = assess_faces(two, crop, template=DLIB_150)
    assert quality.select(np.array([False, True])).sharpness[0] == quality.sharpness[1]
