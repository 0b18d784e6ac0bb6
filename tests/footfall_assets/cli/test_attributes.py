"""`footfall attributes`: what was measured is stored for the locations named, and listed."""

import numpy as np
import pytest

from footfall_assets.calibration import labelled_faces
from footfall_assets.contracts.settings import load_settings
from footfall_assets.platform import Platform
from footfall_assets.storage.attribute_calibration_store import active_attribute_calibration


@pytest.fixture
def labelled(tmp_path, monkeypatch):
    """Forty people, half of them women, of whom a quarter is taken for men; no model is run."""

    def guessed(photos, platform):
        female = [1.0 if photo.gender == "female" and number % 4 else 0.0 for number, photo in enumerate(photos)]
        count = len(photos)
        moods = np.tile(np.eye(7, dtype=np.float32)[0], (count, 1))
        return labelled_faces.LabelledFaces(
            photos, np.full(count, 30, np.float32), np.array(female, np.float32), moods, labelled_faces.Counter()
        )

    monkeypatch.setattr(labelled_faces, "guess_labelled", guessed)
    rows = [f"{n}.jpg,p{n},{'female' if n % 2 else 'male'}" for n in range(40)]
    for n in range(40):
        (tmp_path / f"{n}.jpg").write_bytes(b"x")
    (tmp_path / "labels.csv").write_text("photo,person,gender\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def of(location):
    platform = Platform(load_settings())
    return active_attribute_calibration(platform.lake, location, platform.attribute_models)


CALIBRATE = ("attributes", "calibrate")
WHERE = ("--location", "store-101", "--origin", "volunteers")


def test_what_is_measured_is_in_use_where_it_was_measured(footfall, labelled) -> None:
    for name in ("store-101", "store-203"):
        footfall("fleet", "add-location", name, "--name", name, "--from", "2024-01-01")
    said = footfall(*CALIBRATE, str(labelled), *WHERE)
    assert said.code == 0, said.complaint
    assert "gender: 40 people" in said.out
    assert "age: not measured, nobody labelled" in said.out
    found = of("store-101")
    assert found is not None
    assert found.origin == "volunteers"
    assert [each.trait for each in found.confusions] == ["gender"]
    assert sum(map(sum, found.confusions[0].counts)) == 40
    assert of("store-203") is None
    assert "gender: 40 people" in footfall("attributes", "list").out


def test_an_unknown_location_is_named(footfall, labelled) -> None:
    said = footfall(*CALIBRATE, str(labelled), *WHERE)
    assert said.code == 2
    assert "unknown location store-101" in said.complaint


def test_labels_of_no_whole_trait_measure_nothing(footfall, labelled) -> None:
    footfall("fleet", "add-location", "store-101", "--name", "Store", "--from", "2024-01-01")
    (labelled / "labels.csv").write_text("photo,person,gender\n1.jpg,p1,female\n", encoding="utf-8")
    said = footfall(*CALIBRATE, str(labelled), *WHERE)
    assert said.code == 2
    assert "every class" in said.err
    assert of("store-101") is None
