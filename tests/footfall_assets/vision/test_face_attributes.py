"""What faces look like is computed where it is switched on, of good faces, and nowhere else."""

import subprocess
import sys
from datetime import UTC, date, datetime
from uuid import UUID

import cv2
import numpy as np
import pyarrow as pa
import pytest

from footfall_assets.contracts.attributes import EXPRESSIONS
from footfall_assets.contracts.registry import Location, LocationMode
from footfall_assets.contracts.schemas import FACE_ATTRIBUTES, FACES, face_embeddings
from footfall_assets.operations.state import read_state
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.arrow import list_column
from footfall_assets.storage.registry_store import change_registry
from footfall_assets.vision.face_attributes import attributes_of_faces, part_names
from footfall_assets.vision.refresh import refresh_face_attributes
from models.attributes import AgeGender, Expressions

DAY = date(2024, 1, 5)
PLACE = Place(DAY, "store-101")
START = datetime(2024, 1, 5, 10, tzinfo=UTC)
LAWFUL = {
    "attributes_basis": "consent",
    "attributes_notice_since": DAY,
    "attributes_assessment": "DPIA-9",
}


class Greys:
    """Estimators whose guesses follow from a crop's grey level; they count the faces they were shown."""

    def __init__(self) -> None:
        self.seen = 0

    def age_gender(self, crops):
        self.seen += len(crops)
        grey = crops.reshape(len(crops), -1).mean(axis=1).astype(np.float32)
        return AgeGender(age_years=grey, female=grey / 255)

    def expression(self, crops):
        self.seen += len(crops)
        return Expressions(np.eye(7, dtype=np.float32)[[1] * len(crops)])


class Estimator:
    def __init__(self, guess) -> None:
        self._guess = guess

    def estimate(self, crops, *, template):
        assert crops.shape[1:] == (template.side_px, template.side_px, 3)
        return self._guess(crops)


@pytest.fixture
def greys():
    return Greys()


@pytest.fixture
def platform(tmp_path, settings_of, greys):
    """A home whose store has four faces: two good ones, one too small, one without a vector."""
    platform = Platform(settings_of(tmp_path / "home"))
    platform.__dict__["age_gender"] = Estimator(greys.age_gender)
    platform.__dict__["expression"] = Estimator(greys.expression)
    switch(platform)
    write(platform, "batch-1.unique", [(40, 60.0), (80, 60.0), (120, 5.0), (160, 60.0)], vectors=3)
    return platform


def switch(platform, *attributes, **changes) -> None:
    plain = {"location_id": "store-101", "name": "Store", "partition_group": "store-101", "valid_from": DAY}
    lawful = {"mode": LocationMode.UNIQUE, "legal_basis": "development"} | (LAWFUL if attributes else {})
    location = Location.model_validate(plain | lawful | {"attributes": attributes} | changes)
    change_registry(platform.lake, platform.settings.home, lambda registry: registry.with_location(location))


def write(platform, name, faces, *, vectors) -> None:
    """Write a part of `faces`, (grey level, size in pixels) each, and `face_embeddings` of the first of them."""
    side = platform.crop_template.side_px
    rows = [
        {
            "face_image_id": UUID(int=number + 1).bytes,
            "image_id": UUID(int=1).bytes,
            "camera_id": "door",
            "location_id": "store-101",
            "captured_at": START,
            "box": [0.0] * 4,
            "landmarks": [0.0] * 10,
            "score": 0.9,
            "size_px": size,
            "sharpness": 0.5,
            **dict.fromkeys(("yaw", "pitch", "roll_deg"), 0.0),
            "quality": 0.9,
            "crop": cv2.imencode(".png", np.full((side, side, 3), grey, np.uint8))[1].tobytes(),
        }
        for number, (grey, size) in enumerate(faces)
    ]
    table = pa.Table.from_pylist(rows, schema=FACES)
    vector = np.zeros((vectors, platform.embedding_dim), np.float32)
    vector[:, 0] = 1
    embedded = pa.table(
        {
            "face_image_id": table["face_image_id"][:vectors],
            "model": pa.array(["m"] * vectors),
            "vector": list_column(vector, platform.embedding_dim),
            "quality": table["quality"][:vectors],
        },
        schema=face_embeddings(platform.embedding_dim),
    )
    store = platform.partitions
    for asset, part in (("faces", table), ("face_embeddings", embedded)):
        store.commit(
            platform.place_of(asset, PLACE),
            "0" * 64,
            [store.write_part(platform.place_of(asset, PLACE), asset, name, part)],
        )


@pytest.fixture(autouse=True)
def _no_probe(monkeypatch):
    """The hand-made vectors are of no face: the shipped calibration's probe would turn them away."""
    monkeypatch.setattr(Platform, "probe", None)


def stored(platform) -> pa.Table:
    manifest = platform.manifest("face_attributes", PLACE)
    return platform.partitions.read_table(manifest, "face_attributes", FACE_ATTRIBUTES)


def test_good_faces_get_what_is_switched_on(platform, greys) -> None:
    switch(platform, "age", "gender", "expression")
    outcome = refresh_face_attributes(platform, PLACE)
    table = stored(platform)
    assert (outcome.rows, outcome.left_out["under_the_quality_gate"]) == (2, 1)
    assert table["age_years"].to_pylist() == [40, 80]
    np.testing.assert_allclose(table["female"].to_pylist(), [40 / 255, 80 / 255], rtol=1e-6)
    assert table["happy"].to_pylist() == [1, 1]
    assert set(table["models"].to_pylist()) == {platform.attribute_models}
    assert greys.seen == 4  # two faces, two models


@pytest.mark.parametrize("wanted", [("age",), ("gender",), ("expression",)])
def test_no_other_column_is_filled(platform, wanted) -> None:
    switch(platform, *wanted)
    refresh_face_attributes(platform, PLACE)
    filled = {name for name in FACE_ATTRIBUTES.names if stored(platform)[name].null_count == 0}
    of_each = {"age": {"age_years"}, "gender": {"female"}, "expression": set(EXPRESSIONS)}
    assert filled == {"face_image_id", "models"} | of_each[wanted[0]]


def test_switched_off_nothing_is_loaded_and_nothing_is_written(platform, greys) -> None:
    assert refresh_face_attributes(platform, PLACE).rows == 0
    assert platform.lake.list_keys("face_attributes") == []
    assert greys.seen == 0


OFF = """
import sys
from footfall_assets.definitions import build_definitions
from footfall_assets.contracts.settings import load_settings
from footfall_assets.platform import Place, Platform
from footfall_assets.vision.refresh import refresh_face_attributes
from datetime import date
platform = Platform(load_settings())
refresh_face_attributes(platform, Place(date(2024, 1, 5), "store-101"))
assert "models.catalog" in sys.modules
print("models.attributes" in sys.modules)
"""


def test_switched_off_the_module_of_the_models_is_never_imported(platform, own_environment) -> None:
    own_environment.setenv("FOOTFALL_HOME", str(platform.settings.home))
    ran = subprocess.run([sys.executable, "-c", OFF], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "False", ran.stderr


def test_running_again_computes_nothing(platform, greys) -> None:
    switch(platform, "age")
    first = refresh_face_attributes(platform, PLACE)
    again = refresh_face_attributes(platform, PLACE)
    assert (first.parts_computed, again.parts_computed, again.parts_reused) == (1, 0, 1)
    assert again.content_hash == first.content_hash
    assert greys.seen == 2


def test_what_is_switched_on_later_is_computed_anew(platform) -> None:
    switch(platform, "age")
    refresh_face_attributes(platform, PLACE)
    switch(platform, "age", "gender")
    assert refresh_face_attributes(platform, PLACE).parts_computed == 1
    assert stored(platform)["female"].null_count == 0


def test_what_is_switched_off_later_leaves(platform) -> None:
    switch(platform, "age")
    refresh_face_attributes(platform, PLACE)
    switch(platform)
    assert refresh_face_attributes(platform, PLACE).rows == 0
    assert stored(platform).num_rows == 0


def test_in_production_the_basis_of_development_carries_nothing(tmp_path, settings_of, platform) -> None:
    switch(
        platform, "age", attributes_basis="development", legal_basis="consent", notice_since=DAY, assessment="DPIA-7"
    )
    production = Platform(settings_of(platform.settings.home, environment="production"))
    assert platform.location_attributes(PLACE) == ("age",)
    assert production.location_attributes(PLACE) == ()
    switch(platform, "age", legal_basis="consent", notice_since=DAY, assessment="DPIA-7")
    assert Platform(production.settings).location_attributes(PLACE) == ("age",)
    switch(platform, "age")  # and where people are not recognised in production, none of them is guessed about
    assert Platform(production.settings).location_attributes(PLACE) == ()


def due(platform):
    return read_state(platform).places[PLACE][-1].stale


def test_it_is_due_where_it_is_switched_on_and_not_there(platform) -> None:
    platform.partitions.commit(platform.place_of("local_visitors", PLACE), "0" * 64, [])  # so that the place is known
    assert not due(platform)
    switch(platform, "age")
    assert due(platform)
    refresh_face_attributes(platform, PLACE)
    assert not due(platform)
    switch(platform)
    assert due(platform)
    refresh_face_attributes(platform, PLACE)
    assert not due(platform)


def test_no_faces_no_attributes(platform) -> None:
    part = attributes_of_faces(
        FACES.empty_table(), face_embeddings(platform.embedding_dim).empty_table(), ("age", "expression"), platform
    )
    assert part.table.equals(FACE_ATTRIBUTES.empty_table())
    assert part.under_the_gate == 0


def test_parts_are_named_by_what_is_switched_on() -> None:
    assert part_names(["a", "b"], ()) == {}
    assert part_names(["a"], ("gender", "age")) == part_names(["a"], ("age", "gender")) == {"a.age-gender": "a"}
    assert set(part_names(["a"], ("age",))) != set(part_names(["a"], ("age", "gender")))
