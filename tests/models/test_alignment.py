import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from models.alignment import ARCFACE_112, DLIB_150, TEMPLATES, CropTemplate, align, realign, template_transform

COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 0, 255]], np.uint8)


def marked_image(points: np.ndarray, *, side: int = 600, radius: int = 8) -> np.ndarray:
    """Black, with a coloured disc at each point."""
    image = np.zeros((side, side, 3), np.uint8)
    for point, colour in zip(points, COLOURS, strict=True):
        cv2.circle(image, np.round(point).astype(int).tolist(), radius, colour.tolist(), -1)
    return image


def moved(template: CropTemplate, *, scale: float, degrees: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (template.array() - 75) @ (scale * turn).T + shift


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.9, 2.5])
@pytest.mark.parametrize("degrees", [0, 25, -40])
def test_landmarks_land_on_the_template(scale, degrees) -> None:
    points = moved(DLIB_150, scale=scale, degrees=degrees, shift=(300.4, 290.7))
    crop = align(marked_image(points), points[None].astype(np.float32), DLIB_150)[0]
    for point, colour in zip(DLIB_150.points, COLOURS, strict=True):
        x, y = np.round(point).astype(int)
        assert np.abs(crop[y, x].astype(int) - colour).max() < 40


def test_discs_stay_centred_when_a_large_face_is_reduced() -> None:
    points = moved(DLIB_150, scale=3.3, degrees=12, shift=(301.3, 298.2))
    crop = align(marked_image(points, radius=20), points[None].astype(np.float32), DLIB_150)[0]
    offsets = []
    for point, colour in zip(DLIB_150.points, COLOURS, strict=True):
        window = crop[int(point[1]) - 12 : int(point[1]) + 13, int(point[0]) - 12 : int(point[0]) + 13]
        weight = (window.astype(float) * (colour > 0)).sum(axis=2)
        y, x = (np.array(np.nonzero(weight > 100)).mean(axis=1)) + np.array([int(point[1]), int(point[0])]) - 12
        offsets.append((x - point[0], y - point[1]))
    assert np.abs(np.mean(offsets, axis=0)).max() < 0.15


def test_reduction_averages_instead_of_skipping() -> None:
    stripes = np.zeros((900, 900, 3), np.uint8)
    stripes[:, ::7] = 240  # one bright column in seven: a warp that skips columns would show moire
    points = moved(DLIB_150, scale=6, degrees=0, shift=(450, 450))
    crop = align(stripes, points[None].astype(np.float32), DLIB_150)[0]
    assert crop[20:-20, 20:-20].std() < 20


def test_face_at_the_border_repeats_the_border() -> None:
    image = np.full((100, 100, 3), 200, np.uint8)
    points = moved(DLIB_150, scale=1, degrees=0, shift=(5, 5))
    assert (align(image, points[None].astype(np.float32), DLIB_150) == 200).all()


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_face_outside_the_image_does_not_crash(scale) -> None:
    image = np.full((60, 60, 3), 90, np.uint8)
    points = moved(DLIB_150, scale=scale, degrees=0, shift=(-900, 2000))
    assert align(image, points[None].astype(np.float32), DLIB_150).shape == (1, 150, 150, 3)


def test_no_faces_no_crops() -> None:
    crops = align(np.zeros((9, 9, 3), np.uint8), np.empty((0, 5, 2), np.float32), ARCFACE_112)
    assert crops.shape == (0, 112, 112, 3)
    assert crops.dtype == np.uint8


def test_template_transform_maps_points_close_to_points() -> None:
    matrix = template_transform(DLIB_150, ARCFACE_112)
    there = DLIB_150.array() @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(there - ARCFACE_112.array()).max() < 4  # the two sets differ in shape by a few pixels
    back = template_transform(ARCFACE_112, ARCFACE_112)
    np.testing.assert_allclose(back, [[1, 0, 0], [0, 1, 0]], atol=1e-9)


def test_realign_equals_cutting_anew() -> None:
    points = moved(DLIB_150, scale=1.2, degrees=10, shift=(300, 300))
    image = cv2.GaussianBlur(marked_image(points, radius=14), (0, 0), 4)
    first = align(image, points[None].astype(np.float32), DLIB_150)
    matrix = template_transform(DLIB_150, ARCFACE_112)
    target = CropTemplate.model_validate(
        {"name": "target", "side_px": 112, "points": (DLIB_150.array() @ matrix[:, :2].T + matrix[:, 2]).tolist()}
    )
    direct = align(image, points[None].astype(np.float32), target)
    difference = np.abs(realign(first, DLIB_150, ARCFACE_112).astype(int) - direct)
    assert difference[0, 8:-8, 8:-8].max() < 20


def test_realign_to_the_same_template_changes_nothing() -> None:
    crops = np.random.default_rng(1).integers(0, 255, (2, 150, 150, 3), dtype=np.uint8)
    np.testing.assert_array_equal(realign(crops, DLIB_150, DLIB_150), crops)


def test_templates_fit_their_crops() -> None:
    for template in TEMPLATES.values():
        assert (template.array() > 0).all()
        assert (template.array() < template.side_px).all()


def test_template_needs_five_points() -> None:
    with pytest.raises(ValidationError):
        CropTemplate.model_validate({"name": "x", "side_px": 100, "points": [(1, 1)] * 4})
