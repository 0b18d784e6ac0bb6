import numpy as np
import pytest

from models.detector import Detections, DetectorOptions, Faces, require_image
from models.errors import ContractMismatch


def some_faces(count: int = 3) -> Faces:
    rng = np.random.default_rng(5)
    return Faces(
        boxes=rng.random((count, 4), dtype=np.float32),
        landmarks=rng.random((count, 5, 2), dtype=np.float32),
        scores=np.linspace(0.9, 0.5, count, dtype=np.float32),
        dropped=4,
    )


def test_length_and_empty() -> None:
    assert len(some_faces()) == 3
    assert len(Faces.empty()) == 0
    assert len(Detections.empty()) == 0


@pytest.mark.parametrize("which", [np.array([True, False, True]), np.array([0, 2])])
def test_select_by_mask_or_index(which) -> None:
    faces = some_faces()
    chosen = faces.select(which)
    np.testing.assert_array_equal(chosen.scores, faces.scores[[0, 2]])
    np.testing.assert_array_equal(chosen.landmarks, faces.landmarks[[0, 2]])
    assert chosen.dropped == 4


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("boxes", np.zeros((2, 4), np.float32), r"boxes: expected float32 \(3, 4\)"),
        ("boxes", np.zeros((3, 4), np.float64), "float64"),
        ("landmarks", np.zeros((3, 10), np.float32), "landmarks"),
        ("boxes", np.full((3, 4), np.nan, np.float32), "finite"),
        ("scores", np.zeros((3, 1), np.float32), "scores"),
    ],
)
def test_faces_refuse_wrong_arrays(field, value, complaint) -> None:
    faces = some_faces()
    arrays = {name: getattr(faces, name) for name in ("boxes", "landmarks", "scores")} | {field: value}
    with pytest.raises(ValueError, match=complaint):
        Faces(**arrays)


def test_detections_refuse_wrong_arrays() -> None:
    with pytest.raises(ValueError, match="boxes"):
        Detections(boxes=np.zeros((1, 5), np.float32), scores=np.zeros(1, np.float32))


@pytest.mark.parametrize("change", [{"score_threshold": 0}, {"nms_iou": 1.5}, {"max_side_px": 0}, {"max_per_image": 0}])
def test_options_are_checked(change) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1|at least 1"):
        DetectorOptions(**change)


def test_require_image_names_what_came() -> None:
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ContractMismatch, match="expected a uint8 image"):
            require_image(wrong)
