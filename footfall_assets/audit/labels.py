"""What the labellers said, put together."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa

from footfall_assets.contracts.audit import (
    LABELLED_PAIRS,
    Answer,
    AuditSample,
    Label,
    Purpose,
    Question,
    asked,
    newest_answers,
)
from footfall_assets.storage.arrow import uuid_column
from footfall_assets.storage.audit_store import AuditStore
from footfall_assets.storage.lake import LakeStore


@dataclass(frozen=True)
class Answers:
    """The answers to a sample.

    Attributes:
        by_labeller: each one's own, by question.
        joint: what most of them said, by question; `cannot_tell` where two sides are even.
    """

    by_labeller: Mapping[str, Mapping[int, Answer]]
    joint: Mapping[int, Answer]


@dataclass(frozen=True)
class Agreement:
    """How often two answers to one pair were the same; pairs of which one could not be told are left out."""

    agreed: int
    compared: int


def read_answers(sample: AuditSample, labels: list[Label]) -> Answers:
    """Return the answers to a sample; those to questions that need not be asked are left out."""
    names = sorted({label.labeller for label in labels})
    by_labeller = {}
    votes: dict[int, Counter[Answer]] = defaultdict(Counter)
    for name in names:
        given = newest_answers(labels, name)
        needed = {question.number for question in asked(sample, given)}
        own = {number: answer for number, answer in given.items() if number in needed}
        by_labeller[name] = own
        for number, answer in own.items():
            votes[number][answer] += 1
    return Answers(by_labeller, {number: _majority(counted) for number, counted in sorted(votes.items())})


def _majority(votes: Counter[Answer]) -> Answer:
    same, different = votes[Answer.SAME], votes[Answer.DIFFERENT]
    if same == different:
        return Answer.CANNOT_TELL
    return Answer.SAME if same > different else Answer.DIFFERENT


def told(sample: AuditSample, answers: Answers) -> list[Question]:
    """Return the questions drawn for the count that were answered `same` or `different`."""
    return [
        question
        for question in sample.questions
        if question.purpose is Purpose.COUNT
        and answers.joint.get(question.number, Answer.CANNOT_TELL) is not Answer.CANNOT_TELL
    ]


def answered_in_stratum(sample: AuditSample, questions: list[Question]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return how many of some questions belong to each stratum."""
    strata = np.array([question.stratum or 0 for question in questions], dtype=np.int64)
    return np.bincount(strata, minlength=len(sample.strata))


def self_agreement(sample: AuditSample, answers: Answers) -> Agreement:
    """Return how often labellers gave a pair that was asked twice the same answer."""
    repeats = [question for question in sample.questions if question.purpose is Purpose.REPEAT]
    pairs = [
        (own.get(question.number), own.get(question.refers_to or 0))
        for own in answers.by_labeller.values()
        for question in repeats
    ]
    return _agreement(pairs)


def mutual_agreement(answers: Answers) -> Agreement:
    """Return how often two labellers gave a pair the same answer."""
    return _agreement(
        [
            (one.get(number), other.get(number))
            for one, other in combinations(answers.by_labeller.values(), 2)
            for number in one.keys() & other.keys()
        ]
    )


def _agreement(pairs: list[tuple[Answer | None, Answer | None]]) -> Agreement:
    clear = [pair for pair in pairs if None not in pair and Answer.CANNOT_TELL not in pair]
    return Agreement(sum(one is other for one, other in clear), len(clear))


def labelled_pairs(lake: LakeStore, sample_id: str) -> pa.Table:
    """Return the pairs of a sample that were answered `same` or `different`, as `LABELLED_PAIRS`.

    `weight` is the inverse of the inclusion probability, with those that nobody could tell spread over their stratum:
    the weights of a stratum add up to its size. Repeated and confirming questions are left out.

    Raises:
        NoData: no such sample.
    """
    store = AuditStore(lake)
    sample = store.sample(sample_id)
    answers = read_answers(sample, store.labels(sample_id))
    questions = told(sample, answers)
    answered = answered_in_stratum(sample, questions)
    weights = [sample.strata[question.stratum or 0].size / answered[question.stratum or 0] for question in questions]
    return pa.Table.from_arrays(
        [
            uuid_column([question.left.local_visitor_id for question in questions]),
            uuid_column([question.right.local_visitor_id for question in questions]),
            pa.array([question.distance for question in questions], pa.float64()),
            pa.array([question.height for question in questions], pa.float64()),
            pa.array([answers.joint[question.number] is Answer.SAME for question in questions], pa.bool_()),
            pa.array(weights, pa.float64()),
            pa.array([question.same_location for question in questions], pa.bool_()),
        ],
        schema=LABELLED_PAIRS,
    )
