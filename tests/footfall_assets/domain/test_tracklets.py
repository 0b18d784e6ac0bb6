import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from footfall_assets.domain.tracklets import FaceEvidence, box_iou, cooccurring, must_links, tracklets

HERE = (0.0, 0.0, 10.0, 10.0)
SECOND_US = 1_000_000


def evidence(*faces, interval_s=5.0, vectors=None):
    """Faces as (image, camera, second, box)."""
    image, camera, second, box = zip(*faces, strict=True) if faces else ((), (), (), ())
    count = len(faces)
    return FaceEvidence(
        image=np.array(image, np.int64),
        camera=np.array(camera, np.int64),
        time_us=(np.array(second, np.float64) * SECOND_US).astype(np.int64),
        box=np.array(box, np.float32).reshape(-1, 4),
        interval_s=np.full(count, interval_s),
        vector=np.empty((count, 0), np.float32) if vectors is None else np.array(vectors, np.float32),
    )


def pairs_of(faces, *, min_iou=0.2, max_distance=0.1):
    return [tuple(pair) for pair in must_links(faces, min_iou=min_iou, max_distance=max_distance).tolist()]


def shifted(pixels):
    return (pixels, 0.0, 10.0 + pixels, 10.0)


BOXES = hnp.arrays(np.float32, st.tuples(st.integers(0, 6), st.just(4)), elements=st.integers(0, 50)).map(
    lambda raw: np.concatenate([raw[:, :2], raw[:, :2] + raw[:, 2:]], axis=1)
)


@given(BOXES, BOXES)
def test_iou_is_symmetric_and_between_nothing_and_all(left, right):
    found = box_iou(left, right)
    assert found.shape == (len(left), len(right))
    assert ((found >= 0) & (found <= 1)).all()
    assert np.array_equal(found, box_iou(right, left).T)


@given(BOXES, st.integers(1, 9), st.integers(-100, 100))
def test_iou_is_one_with_itself_and_keeps_under_shift_and_scale(boxes, factor, shift):
    solid = boxes[np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) > 0]
    assert (np.diag(box_iou(solid, solid)) == 1).all()
    assert np.allclose(box_iou(boxes, boxes), box_iou(boxes * factor + shift, boxes * factor + shift), atol=1e-5)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (HERE, 1),
        (shifted(5), 1 / 3),
        (shifted(10), 0),
        (shifted(30), 0),
        ((2, 2, 7, 7), 0.25),
        ((5, 5, 5, 5), 0),
    ],
)
def test_iou_of_boxes_that_are_easy_to_count(other, expected):
    assert box_iou(np.array([HERE], np.float32), np.array([other], np.float32)) == pytest.approx(expected)


def test_a_face_that_stays_is_followed():
    faces = evidence((0, 0, 0, HERE), (1, 0, 5, shifted(2)), (2, 0, 10, shifted(4)))
    assert pairs_of(faces) == [(0, 1), (1, 2)]
    assert tracklets(faces, min_iou=0.2, max_distance=0.1).tolist() == [0, 0, 0]


def test_a_gap_of_more_than_twice_the_interval_breaks():
    assert pairs_of(evidence((0, 0, 0, HERE), (1, 0, 10, HERE))) == [(0, 1)]
    assert pairs_of(evidence((0, 0, 0, HERE), (1, 0, 10.000001, HERE))) == []
    assert pairs_of(evidence((0, 0, 0, HERE), (1, 0, 10.000001, HERE), interval_s=6)) == [(0, 1)]


def test_only_the_next_still_of_the_same_camera_counts():
    faces = evidence((0, 0, 0, HERE), (1, 1, 1, HERE), (2, 0, 2, shifted(50)), (3, 0, 4, HERE))
    assert pairs_of(faces) == []


def test_faces_of_one_still_and_of_stills_of_the_same_moment_are_never_linked():
    assert pairs_of(evidence((0, 0, 0, HERE), (0, 0, 0, HERE))) == []
    assert pairs_of(evidence((0, 0, 0, HERE), (1, 0, 0, HERE))) == []


def test_the_best_overlap_wins_and_each_face_is_linked_once():
    faces = evidence((0, 0, 0, HERE), (0, 0, 0, shifted(3)), (1, 0, 5, shifted(2)), (1, 0, 5, shifted(-2)))
    assert sorted(pairs_of(faces, min_iou=0.1)) == [(0, 3), (1, 2)]


def test_too_little_overlap_is_no_link():
    faces = evidence((0, 0, 0, HERE), (1, 0, 5, shifted(5)))
    assert pairs_of(faces, min_iou=0.33) == [(0, 1)]
    assert pairs_of(faces, min_iou=0.34) == []


def test_a_vector_that_is_too_far_is_no_link():
    angle = np.arccos(0.9)
    vectors = [[1, 0], [np.cos(angle), np.sin(angle)]]
    faces = evidence((0, 0, 0, HERE), (1, 0, 5, HERE), vectors=vectors)
    assert pairs_of(faces, max_distance=0.11) == [(0, 1)]
    assert pairs_of(faces, max_distance=0.09) == []


def test_no_face_is_no_tracklet():
    assert pairs_of(evidence()) == []
    assert tracklets(evidence(), min_iou=0.2, max_distance=0.1).tolist() == []
    assert cooccurring(np.array([], np.int64), np.array([], np.int64)).shape == (0, 2)


FACES = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8), st.integers(0, 12)), min_size=1, max_size=25).map(
    lambda drawn: evidence(
        *((camera * 100 + second, camera, second * 5.0, shifted(float(place))) for camera, second, place in drawn)
    )
)


@given(FACES)
def test_links_are_one_to_one_forward_in_time_and_never_inside_a_still(faces):
    found = pairs_of(faces)
    before, after = [left for left, _ in found], [right for _, right in found]
    assert len(set(before)) == len(before)
    assert len(set(after)) == len(after)
    for left, right in found:
        assert faces.camera[left] == faces.camera[right]
        assert 0 < faces.time_us[right] - faces.time_us[left] <= 10 * SECOND_US
        assert box_iou(faces.box[[left]], faces.box[[right]])[0, 0] >= 0.2


@given(FACES)
def test_no_tracklet_has_two_faces_of_one_still(faces):
    labels = tracklets(faces, min_iou=0.2, max_distance=0.1)
    assert len(set(zip(faces.image.tolist(), labels.tolist(), strict=True))) == len(faces)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 6)), max_size=25))
def test_groups_that_share_an_image_are_found_once_each_and_minus_one_is_nobody(rows):
    image, group = (np.array([row[column] for row in rows], np.int64) for column in (0, 1))
    expected = {(a, b) for left, a in rows for right, b in rows if left == right and 0 <= a < b}
    assert [tuple(pair) for pair in cooccurring(image, group).tolist()] == sorted(expected)
