"""A report in each of its forms; long lists are written piece by piece, so that memory does not grow with them."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import pyarrow.parquet as pq

from footfall_assets.reporting.formats import (
    frame_to_csv,
    rows_frame,
    rows_table,
    to_csv,
    to_json,
    to_parquet,
    to_table,
)
from footfall_assets.reporting.printable import to_html
from footfall_assets.reporting.provenance import Provenance
from footfall_assets.reporting.visitor_report import VisitorReport
from footfall_assets.reporting.visitor_stays import VisitorRow


class ReportFormat(StrEnum):
    """The forms a report comes in."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    HTML = "html"


def render(report: VisitorReport, provenance: Provenance, *, form: ReportFormat) -> bytes:
    """Return `report` in one form; text is UTF-8 and ends with a newline."""
    match form:
        case ReportFormat.TABLE:
            return to_table(report, provenance).encode()
        case ReportFormat.CSV:
            return to_csv(report).encode()
        case ReportFormat.JSON:
            return to_json(report, provenance).encode()
        case ReportFormat.PARQUET:
            return to_parquet(report, provenance)
        case ReportFormat.HTML:
            return to_html(report, provenance).encode()


def write_csv(out: BinaryIO, report: VisitorReport, pieces: Iterable[tuple[VisitorRow, ...]]) -> int:
    """Write the list as the CSV form does, UTF-8; return how many rows.

    Args:
        out: receives it.
        report: the head of the report.
        pieces: its rows, as `all_visitors` yields them.
    """
    windows = report.crosses_windows
    out.write(frame_to_csv(rows_frame((), with_windows=windows)).encode())
    written = 0
    for rows in pieces:
        out.write(frame_to_csv(rows_frame(rows, with_windows=windows), header=False).encode())
        written += len(rows)
    return written


def write_parquet(
    out: BinaryIO | Path, report: VisitorReport, provenance: Provenance, pieces: Iterable[tuple[VisitorRow, ...]]
) -> int:
    """Write the list as the Parquet form does, a row group a piece; return how many rows."""
    schema = rows_table((), report, provenance).schema
    written = 0
    with pq.ParquetWriter(out, schema, write_page_checksum=True) as writer:
        for rows in pieces:
            writer.write_table(rows_table(rows, report, provenance))
            written += len(rows)
    return written
