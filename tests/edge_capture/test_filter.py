import numpy as np
import pytest

from edge_capture.filter import FaceFilter, KeepAll, PersonFilter, load_filter
from footfall_assets.contracts.registry import FilterMode
from models.detector import Detections, Faces
from models.errors import ModelMissing
from models.manifest import ModelKind, load_manifest

DARK = np.zeros((48, 64, 3), np.uint8)
BRIGHT = np.full((48, 64, 3), 200, np.uint8)


class BrightFaces:
    """A face detector that finds one face in every bright picture."""

    spec = load_manifest().get("centerface", ModelKind.FACE_DETECTOR)
    seconds_in_model = 0.0

    def detect(self, images):
        one = Faces(np.ones((1, 4), np.float32), np.ones((1, 5, 2), np.float32), np.ones(1, np.float32))
        return [one if image.mean() > 127 else Faces.empty() for image in images]


class BrightPeople:
    spec = load_manifest().get("yolox_nano", ModelKind.PERSON_DETECTOR)
    seconds_in_model = 0.0

    def detect(self, images):
        one = Detections(np.ones((1, 4), np.float32), np.ones(1, np.float32))
        return [one if image.mean() > 127 else Detections.empty() for image in images]


@pytest.mark.parametrize(
    ("chosen", "mode", "model"),
    [
        (FaceFilter(BrightFaces()), FilterMode.FACE, "centerface"),
        (PersonFilter(BrightPeople()), FilterMode.PERSON, "yolox_nano"),
    ],
)
def test_a_still_is_kept_for_what_is_found_in_it(chosen, mode, model) -> None:
    assert chosen.keep(BRIGHT)
    assert not chosen.keep(DARK)
    assert (chosen.mode, chosen.model) == (mode, model)


def test_no_filter_keeps_everything(tmp_path) -> None:
    chosen = load_filter(FilterMode.NONE, cache=tmp_path, threads=1, face_detector="centerface")
    assert isinstance(chosen, KeepAll)
    assert chosen.keep(DARK)
    assert chosen.keep(BRIGHT)
    assert (chosen.mode, chosen.model) == (FilterMode.NONE, None)


@pytest.mark.parametrize(("mode", "model"), [(FilterMode.FACE, "centerface"), (FilterMode.PERSON, "yolox_nano")])
def test_a_filter_needs_its_model(tmp_path, mode, model) -> None:
    with pytest.raises(ModelMissing, match=model):
        load_filter(mode, cache=tmp_path, threads=1, face_detector="centerface")


@pytest.mark.weights
def test_the_face_filter_rejects_an_empty_scene(pulled_models) -> None:
    chosen = load_filter(FilterMode.FACE, cache=pulled_models, threads=1, face_detector="centerface")
    assert not chosen.keep(DARK)
