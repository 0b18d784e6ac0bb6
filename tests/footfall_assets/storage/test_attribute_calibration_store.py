from datetime import date

import pytest

from footfall_assets.contracts.attributes import AttributeCalibration, Trait, TraitConfusion
from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.storage.attribute_calibration_store import (
    active_attribute_calibration,
    store_attribute_calibration,
)
from footfall_assets.storage.lake import FolderLake


@pytest.fixture
def lake(tmp_path):
    return FolderLake(tmp_path / "lake")


def measured(right, *locations):
    confusion = TraitConfusion(trait=Trait.GENDER, counts=((right, 2), (1, 9)))
    return AttributeCalibration(
        location_ids=locations, models="m", origin="volunteers", made_on=date(2024, 1, 1), confusions=(confusion,)
    )


def test_what_was_measured_last_is_in_use(lake) -> None:
    old, new = measured(8, "store-101", "store-203"), measured(9, "store-203")
    for each in (old, new):
        assert store_attribute_calibration(lake, each) == each.digest
    assert active_attribute_calibration(lake, "store-101", "m") == old
    assert active_attribute_calibration(lake, "store-203", "m") == new


@pytest.mark.parametrize(("location", "models"), [("store-305", "m"), ("store-101", "other models")])
def test_other_places_and_other_models_have_none(lake, location, models) -> None:
    store_attribute_calibration(lake, measured(8, "store-101"))
    assert active_attribute_calibration(lake, location, models) is None


def test_a_changed_document_is_refused(lake) -> None:
    digest = store_attribute_calibration(lake, measured(8, "store-101"))
    key = f"attribute_calibration/{digest}.json"
    lake.write(key, lake.read(key).replace(b"[8,2]", b"[2,8]"))
    with pytest.raises(CorruptObject, match="measure it again"):
        active_attribute_calibration(lake, "store-101", "m")


def test_a_pointer_that_leads_nowhere_is_refused(lake) -> None:
    digest = store_attribute_calibration(lake, measured(8, "store-101"))
    lake.delete(f"attribute_calibration/{digest}.json")
    with pytest.raises(CorruptObject, match="measure it again"):
        active_attribute_calibration(lake, "store-101", "m")
