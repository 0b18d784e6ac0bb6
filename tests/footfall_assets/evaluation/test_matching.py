import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.evaluation.matching import BOX, iou, match_faces

UNIT = (0, 0, 10, 10)


def faces(*rows):
    return pd.DataFrame([(image, *box) for image, box in rows], columns=["image_id", *BOX])


def pairs_of(truth, output):
    found = match_faces(truth, output)
    return sorted(zip(found["truth"], found["output"], strict=True))


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (UNIT, 1),
        ((0, 0, 10, 5), 0.5),
        ((5, 5, 15, 15), 25 / 175),
        ((10, 0, 20, 10), 0),
        ((20, 20, 30, 30), 0),
        ((5, 5, 5, 5), 0),
        ((9, 9, 1, 1), 0),
    ],
)
def test_iou(other, expected):
    found = iou(np.array([UNIT], float), np.array([other], float))
    assert found == pytest.approx([expected])


def test_boxes_without_area_do_not_overlap():
    point = np.array([(5, 5, 5, 5)], float)
    assert iou(point, point).tolist() == [0]


@pytest.mark.parametrize(("height", "pairs"), [(5, [(0, 0)]), (4.99, [])])
def test_half_an_overlap_is_enough_and_less_is_not(height, pairs):
    assert pairs_of(faces(("i", UNIT)), faces(("i", (0, 0, 10, height)))) == pairs


def test_other_images_do_not_match():
    assert pairs_of(faces(("i", UNIT)), faces(("j", UNIT))) == []


def test_two_detections_of_one_face_are_one_match_and_the_better_wins():
    output = faces(("i", (0, 0, 10, 8)), ("i", (0, 0, 10, 9)))
    assert pairs_of(faces(("i", UNIT)), output) == [(0, 1)]


def test_what_lost_to_a_better_pair_takes_the_next():
    truth = faces(("i", UNIT), ("i", (0, 2, 10, 12)))
    output = faces(("i", (0, 1, 10, 11)), ("i", UNIT))
    assert pairs_of(truth, output) == [(0, 1), (1, 0)]


def test_no_faces_no_pairs():
    nothing = faces(("i", UNIT)).iloc[:0]
    assert pairs_of(nothing, faces(("i", UNIT))) == []
    assert pairs_of(faces(("i", UNIT)), nothing) == []


BOXES = st.lists(
    st.tuples(st.sampled_from("ij"), st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(4, 9))), max_size=12
)


@given(truth=BOXES, output=BOXES)
def test_rounds_are_the_greedy_choice(truth, output):
    """Against the plain loop over all pairs, best first."""

    def frame(rows):
        return faces(*((image, (x, y, x + side, y + side)) for image, (x, y, side) in rows))

    left, right = frame(truth), frame(output)
    candidates = []
    for i, (image, *box) in enumerate(left.itertuples(index=False)):
        for j, (other, *found) in enumerate(right.itertuples(index=False)):
            overlap = iou(np.array([box], float), np.array([found], float))[0]
            if image == other and overlap >= 0.5:
                candidates.append((-overlap, i, j))
    expected, used_left, used_right = [], set(), set()
    for _, i, j in sorted(candidates):
        if i not in used_left and j not in used_right:
            expected.append((i, j))
            used_left.add(i)
            used_right.add(j)
    assert pairs_of(left, right) == sorted(expected)
