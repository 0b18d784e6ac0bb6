"""Records of a ground-truth audit: what is asked and what was answered.

The sample holds ids and no picture. It and the labels lie in the lake; neither says which identity anybody was given.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

import pyarrow as pa
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from footfall_assets.contracts.ids import Sha256, Slug, digest_of

LABELLER_LENGTH: Final = 64  # as an id: the labeller's name is part of a path

SAMPLE_ID = Annotated[str, StringConstraints(pattern=r"^audit-\d{4}-\d{2}-\d{2}-[0-9a-f]{12}$")]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Answer(StrEnum):
    """What a labeller says of a pair."""

    SAME = "same"
    DIFFERENT = "different"
    CANNOT_TELL = "cannot_tell"


class Purpose(StrEnum):
    """Why a question is asked."""

    COUNT = "count"  # drawn from the strata: the estimate rests on these
    REPEAT = "repeat"  # a second time: does the labeller agree with herself?
    CONFIRM = "confirm"  # only after another was answered `same`: is a third identity the same person as well?


class Side(_Record):
    """One local visitor of a pair, and the faces to show, best first."""

    local_visitor_id: UUID
    location_id: Slug
    day: date
    faces: tuple[UUID, ...] = Field(min_length=1)


class Question(_Record):
    """One pair of local visitors. Distances are cosine distances."""

    number: int = Field(ge=1)
    purpose: Purpose
    left: Side
    right: Side
    linked: bool  # whether the solve says that they are one; never shown to a labeller
    stratum: int | None = Field(default=None, ge=0)  # of those drawn for the count
    probability: float | None = Field(default=None, gt=0, le=1)  # of being drawn; not of being repeated
    distance: float
    height: float  # mean distance between the two identities, or the two parts of one
    refers_to: int | None = None  # of REPEAT, the same pair; of CONFIRM, the question that must be answered `same`

    @property
    def same_location(self) -> bool:
        """Whether both were seen at one location."""
        return self.left.location_id == self.right.location_id


class Stratum(_Record):
    """A group of questions from which some were drawn at random."""

    name: str
    size: int = Field(ge=1)
    drawn: int = Field(ge=0)
    beyond: bool  # so far apart that it is asked as a clear case only


class AuditSample(_Record):
    """What an audit asks. Its id is made of its content, so it never changes."""

    sample_id: SAMPLE_ID
    first_day: date
    last_day: date
    seed: int = Field(ge=0)
    from_reserve: bool  # whether the crops of past days come from the reserve
    versions: dict[str, str]  # of the assets whose rows the ids are of
    identities_hash: Sha256
    local_visitors: int
    identities: int
    window_max_distance: float
    population: Sha256  # of the table of all questions beside it
    strata: tuple[Stratum, ...]
    questions: tuple[Question, ...]

    def question(self, number: int) -> Question | None:
        """Return a question by its number, or None."""
        return self.questions[number - 1] if 1 <= number <= len(self.questions) else None


# One row per question that could have been asked, in the order of its rows; no ids.
POPULATION: Final = pa.schema(
    [
        pa.field("linked", pa.bool_(), nullable=False),
        pa.field("distance", pa.float64(), nullable=False),
        pa.field("height", pa.float64(), nullable=False),
        pa.field("nearer", pa.int64(), nullable=False),
        pa.field("farther", pa.int64(), nullable=False),
        pa.field("stratum", pa.int64(), nullable=False),
        pa.field("question", pa.int64()),  # its number, where it was drawn
    ]
)

# What `footfall calibrate --audit` takes: one row per pair that was answered `same` or `different`.
LABELLED_PAIRS: Final = pa.schema(
    [
        pa.field("left_local_visitor_id", pa.uuid(), nullable=False),
        pa.field("right_local_visitor_id", pa.uuid(), nullable=False),
        pa.field("cosine_distance", pa.float64(), nullable=False),  # between their templates
        pa.field("linkage_distance", pa.float64(), nullable=False),  # mean, between what they stand for
        pa.field("same", pa.bool_(), nullable=False),
        pa.field("weight", pa.float64(), nullable=False),  # questions that it stands for
        pa.field("same_location", pa.bool_(), nullable=False),
    ]
)


class Label(_Record):
    """One answer, or the withdrawal of the one before (`answer` is None)."""

    sample_id: SAMPLE_ID
    question: int = Field(ge=1)
    labeller: Slug
    answer: Answer | None
    answered_at: AwareDatetime


def sample_id(last_day: date, *content: str) -> str:
    """Return the id of a sample from what it asks."""
    return f"audit-{last_day.isoformat()}-{digest_of(*content)[:12]}"


def asked(sample: AuditSample, answers: dict[int, Answer]) -> list[Question]:
    """Return the questions to be answered, given the answers so far: a confirmation only where it is needed."""
    return [
        each
        for each in sample.questions
        if each.purpose is not Purpose.CONFIRM or answers.get(each.refers_to or 0) is Answer.SAME
    ]


def newest_answers(labels: list[Label], labeller: str) -> dict[int, Answer]:
    """Return one labeller's answers by question, withdrawn ones left out; `labels` in the order they were given."""
    answers: dict[int, Answer] = {}
    for label in labels:
        if label.labeller != labeller:
            continue
        answers.pop(label.question, None)
        if label.answer is not None:
            answers[label.question] = label.answer
    return answers


def current_day(newest_day: date, now: datetime, *, environment: str) -> date:
    """Return the day that counts as today for what is kept only for days.

    In production the date of `now`; in development the newest day with data, since simulated days lie anywhere.
    """
    return newest_day if environment == "development" else now.date()
