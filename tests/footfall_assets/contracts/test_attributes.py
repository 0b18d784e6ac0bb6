import csv
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from footfall_assets.contracts.attributes import (
    AGE_BANDS,
    CLASSES,
    EXPRESSIONS,
    Attribute,
    AttributeCalibration,
    Trait,
    TraitConfusion,
    age_band,
    gender_of,
)
from models.attributes import Expressions

SEED = Path(__file__).parents[3] / "dbt_project" / "seeds" / "attribute_classes.csv"
GENDER = TraitConfusion(trait=Trait.GENDER, counts=((8, 2), (1, 9)))


@pytest.mark.parametrize(
    ("years", "band"),
    [
        (-3, "0_17"),
        (0, "0_17"),
        (17.99, "0_17"),
        (18, "18_25"),
        (25.99, "18_25"),
        (26, "26_35"),
        (66, "66_up"),
        (120, "66_up"),
    ],
)
def test_a_band_ends_where_the_next_begins(years, band) -> None:
    assert age_band(years) == band


def test_even_chances_have_one_answer() -> None:
    assert [gender_of(each) for each in (0.49, 0.5, 0.51)] == ["male", "female", "female"]


def test_the_warehouse_has_the_same_classes_in_the_same_order() -> None:
    rows = list(csv.DictReader(SEED.open(encoding="utf-8")))
    for trait in Trait:
        of_trait = sorted((row for row in rows if row["trait"] == trait), key=lambda row: int(row["position"]))
        assert tuple(row["class"] for row in of_trait) == CLASSES[trait]
    bands = {row["class"]: row["from_years"] for row in rows if row["trait"] == "age"}
    assert bands == {band: str(begins) for band, begins in AGE_BANDS.items()}
    ends = [row["up_to_years"] for row in rows if row["trait"] == "age"]
    assert ends[:-1] == [str(begins) for begins in list(AGE_BANDS.values())[1:]]


def test_expressions_are_those_of_the_model() -> None:
    assert EXPRESSIONS == Expressions.LABELS


def test_a_trait_needs_its_attributes() -> None:
    assert Trait.AGE_GENDER.needs == {Attribute.AGE, Attribute.GENDER}
    assert Trait.EXPRESSION.needs == {Attribute.EXPRESSION}


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        (((8, 2),), "2 x 2"),
        (((8, 2, 1), (1, 9, 1)), "2 x 2"),
        (((8, 2), (0, 0)), "none of male"),
        (((8, -1), (1, 9)), "greater"),
    ],
)
def test_a_confusion_has_people_of_every_class(counts, says) -> None:
    with pytest.raises(ValidationError, match=says):
        TraitConfusion(trait=Trait.GENDER, counts=counts)


def test_a_calibration_is_named_by_its_content() -> None:
    plain = {"location_ids": ("store-101",), "models": "m", "origin": "volunteers", "made_on": date(2024, 1, 1)}
    one = AttributeCalibration(**plain, confusions=(GENDER,))
    assert one.digest == AttributeCalibration(**plain, confusions=(GENDER,)).digest
    assert one.digest != AttributeCalibration(**plain | {"models": "n"}, confusions=(GENDER,)).digest
    with pytest.raises(ValidationError, match="once"):
        AttributeCalibration(**plain, confusions=(GENDER, GENDER))
