import threading
import time

import numpy as np
import pytest

from edge_capture.filter import FaceFilter, FilterModels, KeepAll, PersonFilter, SharedDetector, load_filter
from footfall_assets.contracts.fleet import Zone
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


DOOR = Zone(name="door", polygon=((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
TILL = Zone(name="till", polygon=((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)))


@pytest.mark.parametrize(
    "chosen", [FaceFilter(BrightFaces(), (DOOR, TILL)), PersonFilter(BrightPeople(), (DOOR, TILL))]
)
def test_a_verdict_names_the_zones_and_shows_the_boxes(chosen) -> None:
    verdict = chosen.judge(BRIGHT)
    assert (verdict.keep, verdict.zones) == (True, ("door",))
    assert verdict.boxes.tolist() == [[1, 1, 1, 1]]
    verdict = chosen.judge(DARK)
    assert (verdict.keep, verdict.zones, len(verdict.boxes)) == (False, (), 0)


def test_a_face_outside_every_zone_is_kept() -> None:
    """Zones label; a visitor between two zones is a visitor."""
    assert FaceFilter(BrightFaces(), (TILL,)).judge(BRIGHT).keep
    assert FaceFilter(BrightFaces(), (TILL,)).judge(BRIGHT).zones == ()


def test_without_a_filter_no_zone_is_named(tmp_path) -> None:
    chosen = load_filter(FilterMode.NONE, cache=tmp_path, threads=1, face_detector="centerface", zones=(DOOR,))
    assert chosen.judge(BRIGHT).zones == ()


class SlowFaces(BrightFaces):
    """Notes how many look at the same time."""

    looking = most = loaded = 0
    lock = threading.Lock()

    def __init__(self) -> None:
        with SlowFaces.lock:
            SlowFaces.loaded += 1
        self.seconds_in_model = 1.0
        self.busy = False

    def detect(self, images):
        assert not self.busy  # a session is one thread's at a time
        self.busy = True
        with SlowFaces.lock:
            SlowFaces.looking += 1
            SlowFaces.most = max(SlowFaces.most, SlowFaces.looking)
        time.sleep(0.002)
        with SlowFaces.lock:
            SlowFaces.looking -= 1
        self.busy = False
        return super().detect(images)


def test_many_cameras_share_few_models() -> None:
    shared = SharedDetector(SlowFaces, sessions=2)
    assert SlowFaces.loaded == 1  # the second one only where two look at a time
    found = []
    threads = [threading.Thread(target=lambda: found.extend(shared.detect([BRIGHT, DARK] * 5))) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sum(map(len, found)) == 12 * 5
    assert SlowFaces.most == SlowFaces.loaded == 2
    assert shared.seconds_in_model == 2.0


def test_a_session_that_fails_goes_back() -> None:
    class Failing(BrightFaces):
        def detect(self, images):
            raise ValueError(f"not {len(images)} images")

    shared = SharedDetector(Failing, sessions=1)
    for _ in range(3):  # the second would wait for ever
        with pytest.raises(ValueError, match="not 1"):
            shared.detect([BRIGHT])


def test_models_are_looked_for_again_once_they_are_missing(tmp_path) -> None:
    models = FilterModels(cache=tmp_path, threads=1, face_detector="centerface")
    assert models.filter_for(FilterMode.NONE).keep(DARK)
    for mode, name in [(FilterMode.FACE, "centerface"), (FilterMode.PERSON, "yolox_nano")] * 2:
        with pytest.raises(ModelMissing, match=name):
            models.filter_for(mode)


@pytest.mark.weights
def test_cameras_of_a_process_share_their_model(pulled_models) -> None:
    models = FilterModels(cache=pulled_models, threads=1, face_detector="centerface")
    first, second = models.filter_for(FilterMode.FACE, (DOOR,)), models.filter_for(FilterMode.FACE)
    assert first._detector is second._detector
    assert not first.keep(DARK)
    assert first.model == "centerface"
