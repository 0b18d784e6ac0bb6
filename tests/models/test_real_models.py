"""What the shipped models do on real photos; skipped where models or photos are not at hand."""

import cv2
import numpy as np
import pytest

from models.alignment import DLIB_150, align
from models.cache import verify
from models.catalog import (
    load_age_gender,
    load_expression,
    load_face_detector,
    load_face_embedder,
    load_person_detector,
)
from models.detector import DetectorOptions
from models.errors import ModelMissing
from models.manifest import load_manifest
from models.pull import pull
from models.quality import assess_faces

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def images(photos) -> list[np.ndarray]:
    return [cv2.imread(str(photo)) for photo in photos]


@pytest.fixture(scope="module")
def detector(loaded):
    return loaded(load_face_detector)


@pytest.fixture(scope="module")
def embedder(loaded):
    return loaded(load_face_embedder)


@pytest.fixture(scope="module")
def crops(images, detector, embedder) -> np.ndarray:
    """The best face of each photo."""
    found = detector.detect(images)
    template = embedder.spec.alignment
    return np.concatenate([align(i, f.landmarks[:1], template) for i, f in zip(images, found, strict=True)])


def test_cached_models_are_the_pinned_ones(model_cache) -> None:
    present = 0
    for spec in load_manifest().models:
        try:
            verify(spec, model_cache)
        except ModelMissing:
            continue
        present += 1
    if not present:
        pytest.skip(f"no models in {model_cache}")


def test_nothing_on_blank_and_noisy_images(detector) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (120, 200, 3), dtype=np.uint8)
    blank = np.zeros((33, 47, 3), np.uint8)
    assert [len(faces) for faces in detector.detect([blank, noise])] == [0, 0]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["centerface", "yunet"])
def test_central_face_of_every_photo_is_found(loaded, name, images) -> None:
    for faces in loaded(load_face_detector, name).detect(images):
        centres = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
        assert (np.abs(centres - 125).max(axis=1) < 30).any()
        assert (np.diff(faces.scores) <= 0).all()


@pytest.mark.shared
@pytest.mark.parametrize("name", ["centerface", "yunet"])
def test_landmarks_lie_where_faces_have_them(loaded, name, images) -> None:
    for faces in loaded(load_face_detector, name).detect(images):
        left_eye, right_eye, nose, left_mouth, right_mouth = faces.landmarks[0]
        assert left_eye[0] < right_eye[0]
        assert left_mouth[0] < right_mouth[0]
        assert max(left_eye[1], right_eye[1]) < nose[1] < max(left_mouth[1], right_mouth[1])


@pytest.mark.shared
def test_boxes_scale_with_the_image(detector, images) -> None:
    small = detector.detect(images[:4])
    large = detector.detect([cv2.resize(image, (500, 500), interpolation=cv2.INTER_CUBIC) for image in images[:4]])
    for one, two in zip(small, large, strict=True):
        assert np.abs(one.boxes[0] * 2 - two.boxes[0]).max() < 20


@pytest.mark.shared
def test_reduction_maps_back_to_the_original(loaded, detector, images) -> None:
    large = cv2.resize(images[0], (1000, 1000), interpolation=cv2.INTER_CUBIC)
    reducing = loaded(load_face_detector, options=DetectorOptions(max_side_px=250))
    expected = detector.detect(images[:1])[0].boxes[0] * 4
    assert np.abs(reducing.detect([large])[0].boxes[0] - expected).max() < 20


@pytest.mark.shared
def test_limit_per_image_counts_what_it_drops(loaded, images) -> None:
    sheet = np.concatenate([np.concatenate(images[:3], axis=1), np.concatenate(images[3:6], axis=1)])
    everything = loaded(load_face_detector).detect([sheet])[0]
    limited = loaded(load_face_detector, options=DetectorOptions(max_per_image=2)).detect([sheet])[0]
    assert len(everything) >= 6
    assert (len(limited), limited.dropped) == (2, len(everything) - 2)
    np.testing.assert_array_equal(limited.scores, everything.scores[:2])


@pytest.mark.shared
def test_embeddings_do_not_depend_on_the_split(embedder, crops) -> None:
    whole = embedder.embed(crops)
    np.testing.assert_array_equal(whole, embedder.embed(crops))
    single = np.concatenate([embedder.embed(crops[i : i + 1]) for i in range(len(crops))])
    np.testing.assert_allclose(whole, single, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-6)


@pytest.mark.shared
def test_dlib_vectors_have_the_recorded_length(embedder, crops) -> None:
    # dlib's own vectors have a norm of about 1.4, before they are scaled to length 1.
    (raw,) = embedder._session.run(crops)
    norms = np.linalg.norm(raw, axis=1)
    assert 1.35 < norms.mean() < 1.5
    assert 1.1 < norms.min() < norms.max() < 1.7


@pytest.mark.shared
def test_strangers_are_farther_apart_than_one_face_shifted(embedder, detector, images, crops) -> None:
    vectors = embedder.embed(crops)
    shifted = [np.roll(image, (3, -2), axis=(0, 1)) for image in images]
    again = [
        align(image, faces.landmarks[:1], embedder.spec.alignment)
        for image, faces in zip(shifted, detector.detect(shifted), strict=True)
    ]
    distances = 1 - vectors @ embedder.embed(np.concatenate(again)).T
    strangers = distances[~np.eye(len(distances), dtype=bool)]
    assert np.diag(distances).max() < embedder.spec.threshold.cosine_distance_at_fmr_1e_4
    assert (strangers > embedder.spec.threshold.cosine_distance_at_fmr_1e_3).mean() > 0.98


@pytest.mark.shared
def test_quality_of_good_photos_is_high(detector, embedder, images, crops) -> None:
    for image, faces, crop in zip(images, detector.detect(images), crops, strict=True):
        good = assess_faces(faces.select(np.array([0])), crop[None], template=embedder.spec.alignment)
        blurred = cv2.GaussianBlur(image, (0, 0), 6)
        soft_crop = align(blurred, faces.landmarks[:1], embedder.spec.alignment)
        soft = assess_faces(faces.select(np.array([0])), soft_crop, template=embedder.spec.alignment)
        assert good.quality[0] > 0.7
        assert soft.quality[0] < 0.5


@pytest.mark.shared
def test_attributes_are_plausible_on_average(loaded, embedder, crops) -> None:
    template = embedder.spec.alignment
    guess = loaded(load_age_gender).estimate(crops, template=template)
    assert 25 < guess.age_years.mean() < 65
    assert ((guess.female >= 0) & (guess.female <= 1)).all()
    expressions = loaded(load_expression).estimate(crops, template=template)
    np.testing.assert_allclose(expressions.probabilities.sum(axis=1), 1, atol=1e-5)
    # Press photos show neutral or smiling people.
    assert (expressions.probabilities.argmax(axis=1) <= 1).mean() > 0.5


@pytest.mark.shared
def test_attributes_of_nobody(loaded) -> None:
    nobody = np.empty((0, 150, 150, 3), np.uint8)
    assert loaded(load_age_gender).estimate(nobody, template=DLIB_150).age_years.shape == (0,)
    assert loaded(load_expression).estimate(nobody, template=DLIB_150).probabilities.shape == (0, 7)


@pytest.mark.shared
def test_mirror_beside_the_project_serves_its_models(shared_models, tmp_path) -> None:
    for name in ("yunet", "yolox_nano"):
        pull(load_manifest().get(name), cache=tmp_path, mirror=str(shared_models))
        verify(load_manifest().get(name), tmp_path)


@pytest.mark.shared
def test_person_is_found_where_a_face_is(loaded, images) -> None:
    found = loaded(load_person_detector).detect(images)
    covered = [
        ((people.boxes[:, :2] < 125) & (people.boxes[:, 2:] > 125)).all(axis=1).any() for people in found if len(people)
    ]
    assert len(covered) >= 0.8 * len(images)
    assert np.mean(covered) > 0.9
