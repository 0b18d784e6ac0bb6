"""Answers from a CSV file, for labelling outside the app."""

import csv
from datetime import datetime
from pathlib import Path
from typing import Final

from footfall_assets.contracts.audit import Answer, AuditSample, Label, newest_answers
from footfall_assets.contracts.errors import UserMistake

_COLUMNS: Final = ("question", "answer")
_MOST_BYTES: Final = 4 * 1024**2
_MOST_DIGITS: Final = 7  # of a question's number: more take seconds to parse


def read_answers_file(path: Path, sample: AuditSample, *, labeller: str, now: datetime) -> list[Label]:
    """Return the answers in a CSV file with the columns `question` and `answer` (same, different, cannot_tell).

    Raises:
        UserMistake: the file has another form, or an answer to a question that there is not.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UserMistake(f"{path}: expected at most {_MOST_BYTES} bytes of answers")
        with path.open(newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines)
            if reader.fieldnames is None or not set(_COLUMNS) <= set(reader.fieldnames):
                raise UserMistake(f"{path}: expected the columns {', '.join(_COLUMNS)}, got {reader.fieldnames}")
            rows = [_label(row, number, sample, labeller, now) for number, row in enumerate(reader, start=2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserMistake(f"cannot read answers from {path}: {error}") from error
    return rows


def without_repeated(rows: list[Label], known: list[Label], labeller: str) -> list[Label]:
    """Return the answers that are not there already: giving a file twice changes nothing."""
    before = newest_answers(known, labeller)
    return [row for row in rows if before.get(row.question) is not row.answer]


def _label(row: dict[str, str], line: int, sample: AuditSample, labeller: str, now: datetime) -> Label:
    number, answer = (row.get("question") or "").strip(), (row.get("answer") or "").strip()
    known = (
        number.isascii()
        and number.isdigit()
        and len(number) <= _MOST_DIGITS
        and sample.question(int(number)) is not None
    )
    if not known:
        raise UserMistake(f"line {line}: expected a question from 1 to {len(sample.questions)}, got {number[:40]!r}")
    if answer not in set(Answer):
        raise UserMistake(f"line {line}: expected {', '.join(Answer)}, got {answer[:40]!r}")
    return Label(
        sample_id=sample.sample_id,
        question=int(number),
        labeller=labeller,
        answer=Answer(answer),
        answered_at=now,
    )
