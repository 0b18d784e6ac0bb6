"""One CSV file into the lake: every row is taken or set aside with its reason, and nothing stops the rest."""

from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.imports import SCHEMAS, ImportKind, ImportRecord, SetAsideRow
from footfall_assets.contracts.registry import Registry
from footfall_assets.imports.csv_lines import Columns, CsvLine, decode, header_of, lines_of
from footfall_assets.imports.fields import BadRow, Places
from footfall_assets.imports.kinds import KINDS, Row, find_clashes
from footfall_assets.storage.import_store import ImportStore, ParsedFile
from footfall_assets.storage.lake import LakeStore

_TEXT_CHARACTERS: Final = 200  # of a row that was set aside


def read_csv(path: Path, *, most_bytes: int) -> bytes:
    """Return the bytes of a file.

    Raises:
        UserMistake: it is not there, no file, empty, or larger than `most_bytes`.
    """
    try:
        with path.open("rb") as source:
            data = source.read(most_bytes + 1)
    except OSError as error:
        raise UserMistake(f"expected a CSV file at {path}, got: {error.strerror}; check the name") from error
    if not data:
        raise UserMistake(f"expected rows in {path}, got an empty file")
    if len(data) > most_bytes:
        raise UserMistake(
            f"expected at most {most_bytes:,} bytes in {path}, got more; split it, or raise "
            "FOOTFALL_IMPORTS__FILE_BYTES"
        )
    return data


def parse_csv(kind: ImportKind, name: str, data: bytes, *, registry: Registry, now: datetime) -> ParsedFile:
    """Return the rows of a file and those set aside.

    Args:
        kind: of the file.
        name: of the file, for people.
        data: the file.
        registry: names the locations and their time zones.
        now: timezone-aware; nothing is counted or sold later than that.

    Raises:
        UserMistake: it is no UTF-8, or its columns are not those of the kind.
    """
    text = decode(data)
    header = header_of(text)
    of_kind = KINDS[kind]
    of_kind.columns.check(header)
    _check_time_columns(kind, header, of_kind.columns)
    places = Places(registry, now)
    lines: list[CsvLine] = []
    rows: list[Row] = []
    set_aside: list[SetAsideRow] = []
    for line in lines_of(text, header):
        try:
            if isinstance(line.fields, BadRow):
                raise line.fields
            rows.append(of_kind.read(line.fields, places))
            lines.append(line)
        except BadRow as bad:
            set_aside.append(_set_aside(line, bad))
    clashes = find_clashes(rows, of_kind)
    set_aside += [_set_aside(lines[position], bad) for position, bad in clashes.items()]
    taken = [row for position, row in enumerate(rows) if position not in clashes]
    table = pa.Table.from_pylist(taken, schema=SCHEMAS[kind])
    return ParsedFile(
        name=name,
        data=data,
        rows=table.sort_by([(column, "ascending") for column in table.column_names]),
        set_aside=tuple(sorted(set_aside, key=lambda each: each.line)),
    )


def import_csv(
    lake: LakeStore, kind: ImportKind, parsed: ParsedFile, *, now: datetime, lock_folder: Path
) -> tuple[ImportRecord, bool]:
    """Store a parsed file and return its record, and whether that changed anything (see `ImportStore.append`)."""
    return ImportStore(lake).append(kind, parsed, imported_at=now, lock_folder=lock_folder)


def _check_time_columns(kind: ImportKind, header: list[str], columns: Columns) -> None:
    """Refuse a file whose rows cannot say when: one of several forms has to be there."""
    ways: dict[ImportKind, tuple[tuple[str, ...], ...]] = {
        ImportKind.COUNTS: (("timestamp",),),
        ImportKind.SALES: (("timestamp",), ("date", "hour")),
        ImportKind.STAFF: (("hour",), ("from", "to")),
        ImportKind.OPENING_HOURS: (("weekday",), ("date",)),
    }
    if not any(set(way) <= set(header) for way in ways[kind]):
        forms = " or ".join(" and ".join(way) for way in ways[kind])
        raise UserMistake(f"expected columns that say when: {forms}, beside {', '.join(columns.required)}")


def _set_aside(line: CsvLine, bad: BadRow) -> SetAsideRow:
    return SetAsideRow(line=line.number, reason=bad.reason, message=bad.message, text=line.text[:_TEXT_CHARACTERS])
