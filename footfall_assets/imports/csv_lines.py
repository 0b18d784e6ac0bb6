"""Strict CSV, line by line: a stray quote spoils its own line and no other."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.imports import RowFault
from footfall_assets.imports.fields import BadRow

_LINE_CHARACTERS: Final = 2000  # no row of ours comes near it


@dataclass(frozen=True)
class Columns:
    """The columns a file must have, and those it may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    def check(self, header: list[str]) -> None:
        """Refuse a header with other columns.

        Raises:
            UserMistake: a column is missing, unknown or there twice.
        """
        known = {*self.required, *self.optional}
        missing = [name for name in self.required if name not in header]
        unknown = sorted(set(header) - known)
        if missing or unknown or len(set(header)) != len(header):
            more = f", and optionally {', '.join(self.optional)}" if self.optional else ""
            raise UserMistake(
                f"expected the columns {', '.join(self.required)}{more}, separated by commas, each once; "
                f"got {', '.join(header)[:200]!r}; docs/imports.md has examples"
            )


@dataclass(frozen=True)
class CsvLine:
    """One row: the number of its line from 1, its text, and its fields by column or why there are none."""

    number: int
    text: str
    fields: Mapping[str, str] | BadRow


def decode(data: bytes) -> str:
    """Return UTF-8 text without its byte order mark.

    Raises:
        UserMistake: another encoding.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserMistake(
            f"expected a CSV file in UTF-8, got a byte that is none at {error.start}; save it as 'CSV UTF-8'"
        ) from error


def header_of(text: str) -> list[str]:
    """Return the column names of the first line, in lower case.

    Raises:
        UserMistake: the file has no line, or its first is no CSV.
    """
    first = text.split("\n", 1)[0].rstrip("\r")
    try:
        return [name.strip().lower() for name in _split(first)]
    except BadRow as error:
        raise UserMistake(f"expected a first line with the names of the columns, got {first[:80]!r}") from error


def lines_of(text: str, header: list[str]) -> Iterator[CsvLine]:
    """Yield the rows below the header; empty lines are none."""
    for number, line in enumerate(text.split("\n"), start=1):
        row = line.rstrip("\r")
        if number > 1 and row.strip():
            yield CsvLine(number, row, _fields(row, header))


def _fields(row: str, header: list[str]) -> Mapping[str, str] | BadRow:
    try:
        values = _split(row)
    except BadRow as bad:
        return bad
    if len(values) != len(header):
        return BadRow(RowFault.FIELDS, f"expected {len(header)} fields, got {len(values)}")
    return dict(zip(header, (value.strip() for value in values), strict=True))


def _split(row: str) -> list[str]:
    if len(row) > _LINE_CHARACTERS:
        raise BadRow(RowFault.TOO_LONG, f"expected at most {_LINE_CHARACTERS} characters, got {len(row)}")
    try:
        return next(csv.reader([row], strict=True), [])
    except csv.Error as error:
        raise BadRow(RowFault.FIELDS, f"expected fields separated by commas, got: {error}") from error
