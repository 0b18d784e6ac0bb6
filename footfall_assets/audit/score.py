"""What an audit says: how good the links are near the threshold, and how many people there are."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from footfall_assets.audit.labels import (
    Agreement,
    Answers,
    answered_in_stratum,
    mutual_agreement,
    read_answers,
    self_agreement,
    told,
)
from footfall_assets.contracts.audit import Answer, AuditSample, Purpose, Question
from footfall_assets.contracts.errors import NoData
from footfall_assets.domain.audit_estimate import Answered, CountEstimate, Share, estimate_people, ratio
from footfall_assets.domain.audit_questions import Questions
from footfall_assets.domain.audit_sampling import CLEAR_LINK, NEAR_BAND
from footfall_assets.domain.audit_threshold import AnsweredPairs, Suggestion, shortfall, suggest_threshold
from footfall_assets.storage.audit_store import AuditStore

LEVEL: Final = 0.9  # of every interval


@dataclass(frozen=True)
class ClearCases:
    """Pairs that leave no doubt, answered as they had to be: how far the labels can be trusted."""

    as_expected: int
    answered: int


@dataclass(frozen=True)
class AuditScore:
    """What a sample and its labels come to.

    Attributes:
        sample: what was asked.
        labellers: who answered.
        asked: questions drawn for the count.
        told: of these, answered `same` or `different`.
        cannot_tell: of these, answered otherwise, or with labellers divided.
        precision: share of the links near the threshold that are right; None where there was no answer.
        recall: share of the true links near the threshold that were made.
        count: how many people there are.
        consistency: answers to pairs that were asked twice.
        between_labellers: answers of two labellers to one pair.
        clear: answers to clear cases.
        suggestion: the threshold that the answers speak for, or why there is none.
    """

    sample: AuditSample
    labellers: tuple[str, ...]
    asked: int
    told: int
    cannot_tell: int
    precision: Share | None
    recall: Share | None
    count: CountEstimate
    consistency: Agreement
    between_labellers: Agreement
    clear: ClearCases
    suggestion: Suggestion | str


def score(store: AuditStore, sample_id: str) -> AuditScore:
    """Return what a sample's labels come to.

    Raises:
        NoData: no such sample, or nothing was answered yet.
    """
    sample = store.sample(sample_id)
    answers = read_answers(sample, store.labels(sample_id))
    questions = told(sample, answers)
    if not questions:
        raise NoData(f"{sample_id}: nothing was answered yet; run: footfall audit label {sample_id}")
    drawn = [question for question in sample.questions if question.purpose is Purpose.COUNT]
    same = _is(Answer.SAME, questions, answers)
    precision, recall = _near_threshold(sample, questions, same)
    return AuditScore(
        sample=sample,
        labellers=tuple(answers.by_labeller),
        asked=len(drawn),
        told=len(questions),
        cannot_tell=sum(question.number in answers.joint for question in drawn) - len(questions),
        precision=precision,
        recall=recall,
        count=_count(sample, store.population(sample), questions, answers),
        consistency=self_agreement(sample, answers),
        between_labellers=mutual_agreement(answers),
        clear=_clear_cases(sample, questions, same),
        suggestion=_suggestion(sample, questions, same),
    )


def _is(answer: Answer, questions: list[Question], answers: Answers) -> NDArray[np.bool_]:
    return np.array([answers.joint.get(question.number) is answer for question in questions], dtype=np.bool_)


def _strata(questions: list[Question]) -> NDArray[np.int64]:
    return np.array([question.stratum or 0 for question in questions], dtype=np.int64)


def _near_threshold(
    sample: AuditSample, questions: list[Question], same: NDArray[np.bool_]
) -> tuple[Share | None, Share | None]:
    """Return precision and recall of the links whose mean distance lies near the threshold."""
    linked = np.array([question.linked for question in questions], dtype=np.bool_)
    share = np.array([question.height for question in questions]) / sample.window_max_distance
    beyond = np.array([each.beyond for each in sample.strata])[_strata(questions)]
    near = (share >= NEAR_BAND[0]) & (share <= NEAR_BAND[1]) & ~beyond
    size = np.array([each.size for each in sample.strata], dtype=np.int64)
    quantile = NormalDist().inv_cdf(0.5 + LEVEL / 2)
    right, stratum = near & linked & same, _strata(questions)
    precision = ratio(right, near & linked, stratum, size, normal_quantile=quantile)
    return precision, ratio(right, near & same, stratum, size, normal_quantile=quantile)


def _count(sample: AuditSample, population: pa.Table, questions: list[Question], answers: Answers) -> CountEstimate:
    row_of = {number: row for row, number in enumerate(population["question"].to_pylist()) if number is not None}
    closed = {
        question.refers_to
        for question in sample.questions
        if question.purpose is Purpose.CONFIRM and answers.joint.get(question.number) is Answer.SAME
    }
    wrong = [
        (answers.joint[question.number] is Answer.SAME) != question.linked and question.number not in closed
        for question in questions
    ]
    beyond = np.array([each.beyond for each in sample.strata])[population["stratum"].to_numpy()]
    return estimate_people(
        _questions(population),
        Answered(np.array([row_of[each.number] for each in questions], np.int64), np.array(wrong, np.bool_), beyond),
        identities=sample.identities,
        threshold=sample.window_max_distance,
        level=LEVEL,
        seed=sample.seed,
    )


def _questions(population: pa.Table) -> Questions:
    """Return the population as questions about nobody in particular."""
    return Questions(
        pair=np.zeros((population.num_rows, 2), dtype=np.int64),
        linked=population["linked"].to_numpy().astype(np.bool_),
        distance=population["distance"].to_numpy(),
        height=population["height"].to_numpy(),
        nearer=population["nearer"].to_numpy(),
        farther=population["farther"].to_numpy(),
    )


def _clear_cases(sample: AuditSample, questions: list[Question], same: NDArray[np.bool_]) -> ClearCases:
    expected = [
        said == question.linked
        for question, said in zip(questions, same.tolist(), strict=True)
        if sample.strata[question.stratum or 0].beyond
        or (question.linked and question.height < CLEAR_LINK * sample.window_max_distance)
    ]
    return ClearCases(sum(expected), len(expected))


def _suggestion(sample: AuditSample, questions: list[Question], same: NDArray[np.bool_]) -> Suggestion | str:
    answered = answered_in_stratum(sample, questions)
    stratum = _strata(questions)
    size = np.array([each.size for each in sample.strata], dtype=np.float64)
    pairs = AnsweredPairs(
        height=np.array([question.height for question in questions]),
        same=same,
        weight=(size / np.maximum(answered, 1))[stratum],
        stratum=stratum,
    ).take(~np.array([each.beyond for each in sample.strata])[stratum])
    threshold = sample.window_max_distance
    return shortfall(pairs, threshold) or suggest_threshold(pairs, threshold, level=LEVEL, seed=sample.seed)
