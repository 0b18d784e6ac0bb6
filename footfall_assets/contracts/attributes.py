"""Age, gender and expression: what may be switched on, into which classes people are put, and how those are confused.

Classes are looks as a network guesses them, in sums over many people only (decision G9).
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from footfall_assets.contracts.ids import Slug, digest_of


class Attribute(StrEnum):
    """What a location may have switched on."""

    AGE = "age"
    GENDER = "gender"
    EXPRESSION = "expression"


class Trait(StrEnum):
    """What people are told apart by in shares: an attribute, or age and gender together."""

    AGE = "age"
    GENDER = "gender"
    AGE_GENDER = "age_gender"
    EXPRESSION = "expression"

    @property
    def needs(self) -> frozenset[Attribute]:
        """The attributes it is made of."""
        if self is Trait.AGE_GENDER:
            return frozenset({Attribute.AGE, Attribute.GENDER})
        return frozenset({Attribute(self.value)})


# Years at which each band begins; a band holds everybody up to the day before the next begins. The seed
# attribute_classes of the dbt project says the same (tests/footfall_assets/contracts/test_attributes.py).
AGE_BANDS: Final = {"0_17": 0, "18_25": 18, "26_35": 26, "36_50": 36, "51_65": 51, "66_up": 66}
GENDERS: Final = ("female", "male")
EXPRESSIONS: Final = ("neutral", "happy", "sad", "angry", "fearful", "disgusted", "surprised")

CLASSES: Final[dict[Trait, tuple[str, ...]]] = {
    Trait.AGE: tuple(AGE_BANDS),
    Trait.GENDER: GENDERS,
    Trait.AGE_GENDER: tuple(f"{gender}_{band}" for gender in GENDERS for band in AGE_BANDS),
    Trait.EXPRESSION: EXPRESSIONS,
}


def age_band(years: float) -> str:
    """Return the band of an age in years; below 0, where a network may guess, is the youngest."""
    return [band for band, begins in AGE_BANDS.items() if years >= begins or begins == 0][-1]


def gender_of(female: float) -> str:
    """Return the more likely gender, given the probability that a face looks female."""
    return GENDERS[0] if female >= 1 - female else GENDERS[1]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TraitEvaluation(_Record):
    """How well shares came back in simulated stores, with as many labelled people as were measured."""

    people: int
    accuracy: float  # share of people who got their own class
    mixes: int  # drawn
    coverage: float  # of the 90 % intervals
    median_error: float  # of a corrected share, absolute
    median_raw_error: float  # of a share of the labels as they are


class TraitConfusion(_Record):
    """People by true class (rows) and the class they got (columns), classes in the order of `CLASSES`."""

    trait: Trait
    counts: tuple[tuple[Annotated[int, Field(ge=0)], ...], ...]
    evaluation: TraitEvaluation | None = None  # None: too few people of a class

    @model_validator(mode="after")
    def _is_square(self) -> Self:
        size = len(CLASSES[self.trait])
        if len(self.counts) != size or any(len(row) != size for row in self.counts):
            raise ValueError(f"{self.trait}: expected {size} x {size} counts")
        missing = [name for name, row in zip(CLASSES[self.trait], self.counts, strict=True) if not sum(row)]
        if missing:
            raise ValueError(f"{self.trait}: expected labelled people of every class, got none of {', '.join(missing)}")
        return self


class AttributeCalibration(_Record):
    """How the models of age, gender and expression confuse the people of some locations."""

    format: Literal["footfall-attributes/1"] = "footfall-attributes/1"
    location_ids: Annotated[tuple[Slug, ...], Field(min_length=1)]
    models: str  # ModelSpec.identity of those behind it, as `Platform.attribute_models` joins them
    origin: str = Field(min_length=1, max_length=400)  # where the labels come from, in words that a page can print
    made_on: date
    confusions: Annotated[tuple[TraitConfusion, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_trait_once(self) -> Self:
        traits = [each.trait for each in self.confusions]
        if len(set(traits)) != len(traits):
            raise ValueError("expected each trait once")
        return self

    @property
    def digest(self) -> str:
        """Hash of its content, which names it."""
        return digest_of(self.model_dump_json())
