"""A visitor report as a table for people, as CSV, JSON or Parquet for programs."""

import io
import json
import re
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from footfall_assets.domain.count_range import Total
from footfall_assets.reporting.count_text import NOT_ADDED, count_notes, incl_unseen_text, total_text, unseen_notes
from footfall_assets.reporting.provenance import DEVELOPMENT_NOTE, Provenance, age_text, definitions, older_text
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.visitor_report import VisitorReport
from footfall_assets.reporting.visitor_stays import VisitorRow

COLUMNS: Final = ("Visitor ID", "Total Appearances", "Visits", "Locations Visited", "Visit Frequency per Location")
WINDOW_COLUMN: Final = "Linkage Window"
INCL_UNSEEN: Final = "Total People incl. Unseen"  # in the header where it is known, else a footnote says why not

# Not strftime: its month names follow the machine's locale.
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_GUTTER: Final = " " * 3
_LEAST_WIDTHS: Final = {"Locations Visited": 24}  # characters; two stores fit without moving the columns
# What spreadsheets take for a formula (OWASP, CSV Injection), with the full-width forms that some of them fold.
_FORMULA_STARTS: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def to_table(report: VisitorReport, provenance: Provenance) -> str:
    """Return the report as people expect it: header, aligned columns, then what to know about the data."""
    lines = [
        "Unique Visitor Report",
        *(f"{name}: {value}" for name, value in header(report)),
        *_aligned(_table_cells(report)),
        "",
        *footnotes(report, provenance),
    ]
    return "\n".join(_plain(line) for line in lines) + "\n"


def header(report: VisitorReport) -> list[tuple[str, str]]:
    """Return the report's header as names and values.

    People incl. unseen are in it where they are known, listed visitors where their number is not that of the total,
    provisional days where there are any.
    """
    lines = [
        ("Time Period", " - ".join(long_ends(report.period))),
        ("Camera Group", report.camera_group),
        ("Total Unique Visitors", totals_text(report)),
    ]
    if _knows_unseen(report):
        lines.append((INCL_UNSEEN, incl_unseen_totals_text(report)))
    if any(window.listed_visitors != window.total.people for window in report.windows):
        lines.append(("Listed Visitors", listed_text(report)))
    if report.provisional_days:
        lines.append(("Provisional Days", "; ".join(each.text for each in report.provisional_days)))
    return lines


def totals_text(report: VisitorReport) -> str:
    """Return the total, or one total a linkage window where the period crosses windows."""
    if not report.crosses_windows:
        return total_text(report.total)
    each = "; ".join(f"{window.linkage_window}: {total_text(window.total)}" for window in report.windows)
    return f"{each} ({NOT_ADDED})"


def incl_unseen_totals_text(report: VisitorReport) -> str:
    """Return the people who came, seen or not: one total, or one a linkage window, or the reason all have in common."""
    texts = {window.linkage_window: incl_unseen_text(window.total_incl_unseen) for window in report.windows}
    if len(set(texts.values())) <= 1 and not _knows_unseen(report):
        return next(iter(texts.values()), "")
    if not report.crosses_windows:
        return incl_unseen_text(report.total_incl_unseen)
    return "; ".join(f"{window}: {text}" for window, text in texts.items()) + f" ({NOT_ADDED})"


def _knows_unseen(report: VisitorReport) -> bool:
    return any(window.total_incl_unseen.people is not None for window in report.windows)


def listed_text(report: VisitorReport) -> str:
    """Return how many visitors are listed, by window where there are several, and what shortened the list."""
    each = ", ".join(
        f"{f'{window.linkage_window}: ' if report.crosses_windows else ''}{window.listed_visitors:,}"
        for window in report.windows
    )
    return f"{each} (at least {report.min_appearances} appearances)" if report.min_appearances > 1 else each


def footnotes(report: VisitorReport, provenance: Provenance) -> list[str]:
    """Return what a reader must know beside the numbers."""
    older = older_text(provenance)
    notes = [
        *([older] if older else []),
        f"Unidentified: {report.unidentified_sightings:,} of {report.sightings:,} sightings belong to no visitor.",
        *excluded_note(report),
        *count_notes(tuple(window.total for window in report.windows), report.count_basis),
        *([] if _knows_unseen(report) else [f"{INCL_UNSEEN}: {incl_unseen_totals_text(report)}."]),
        *unseen_notes(tuple(window.total_incl_unseen for window in report.windows)),
        *report.notes,
        f"Data age: {age_text(provenance)}; publication {provenance.short_id}.",
    ]
    return [*notes, DEVELOPMENT_NOTE] if provenance.is_development else notes


def excluded_note(report: VisitorReport) -> list[str]:
    """Return one line on the staff who are in no count, by window where there are several; none without staff."""
    staff = [window for window in report.windows if window.excluded_visitors]
    if not staff:
        return []
    counts = [
        f"{f'{window.linkage_window}: ' if report.crosses_windows else ''}{window.excluded_visitors:,}"
        for window in staff
    ]
    return [f"{', '.join(counts)} staff excluded: they are in no count."]


def visitors_frame(report: VisitorReport) -> pd.DataFrame:
    """Return the listed visitors with the columns of the CSV: `COLUMNS`, and the window where there are several."""
    return rows_frame(report.visitors, with_windows=report.crosses_windows)


def rows_frame(visitors: Sequence[VisitorRow], *, with_windows: bool) -> pd.DataFrame:
    """Return visitors as `visitors_frame` does."""
    rows = [(row.visitor_id, row.total_appearances, row.visits, *_places(row)) for row in visitors]
    frame = pd.DataFrame.from_records(rows, columns=list(COLUMNS))
    if with_windows:
        frame[WINDOW_COLUMN] = [row.linkage_window for row in visitors]
    return frame


def to_csv(report: VisitorReport) -> str:
    """Return the listed visitors as CSV; a cell that a spreadsheet would take for a formula gets a leading quote."""
    return frame_to_csv(visitors_frame(report))


def frame_to_csv(frame: pd.DataFrame, *, header: bool = True) -> str:
    """Return `frame` as CSV without its index, formulas disarmed."""
    safe = frame.apply(lambda column: column.map(_disarmed))
    return str(safe.to_csv(index=False, lineterminator="\n", header=header))


def frame_to_parquet(frame: pd.DataFrame) -> bytes:
    """Return `frame` as Parquet with page checksums, without its index."""
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), buffer, write_page_checksum=True)
    return buffer.getvalue()


def to_json(report: VisitorReport, provenance: Provenance) -> str:
    """Return the report and what to know about its data as JSON."""
    document = report_head(report, provenance) | {"visitors": [_visitor(row) for row in report.visitors]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def to_parquet(report: VisitorReport, provenance: Provenance) -> bytes:
    """Return the listed visitors as Parquet with page checksums; the rest of the JSON form is its schema metadata."""
    buffer = io.BytesIO()
    pq.write_table(rows_table(report.visitors, report, provenance), buffer, write_page_checksum=True)
    return buffer.getvalue()


def rows_table(visitors: Sequence[VisitorRow], report: VisitorReport, provenance: Provenance) -> pa.Table:
    """Return visitors of `report` with the columns of the Parquet form, and the rest of the JSON form as metadata."""
    columns = {
        "visitor_id": pa.array([row.visitor_id for row in visitors], pa.string()),
        "linkage_window": pa.array([row.linkage_window for row in visitors], pa.string()),
        "total_appearances": pa.array([row.total_appearances for row in visitors], pa.int64()),
        "visits": pa.array([row.visits for row in visitors], pa.int64()),
        "locations_visited": pa.array([_names(row) for row in visitors], pa.list_(pa.string())),
        "visit_frequency_per_location": pa.array(
            [row.frequencies for row in visitors], pa.map_(pa.string(), pa.int64())
        ),
    }
    head = json.dumps(report_head(report, provenance), ensure_ascii=False)
    return pa.table(columns).replace_schema_metadata({"footfall.report": head})


def long_date(day: date) -> str:
    """Return `day` as `January 1, 2024`."""
    return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"


def long_ends(period: Period) -> tuple[str, str]:
    """Return the ends of a period as people read them: `January 1, 2024`, and with a time where it is inside a day."""
    starts, ends = _times(period, " ")
    return f"{long_date(period.first_day)}{starts}", f"{long_date(period.last_day)}{ends}"


def _times(period: Period, before: str) -> tuple[str, str]:
    starts, ends = period.starts_at, period.ends_at
    return (
        "" if starts in (None, time()) else f"{before}{starts:%H:%M}",
        "" if ends is None else f"{before}{ends:%H:%M}",
    )


def _iso_ends(period: Period) -> dict[str, str]:
    starts, ends = _times(period, "T")
    return {"from": f"{period.first_day}{starts}", "to": f"{period.last_day}{ends}"}


def report_head(report: VisitorReport, provenance: Provenance) -> dict[str, object]:
    """Return everything of a report but its rows, as JSON takes it."""
    return {
        "time_period": _iso_ends(report.period),
        "camera_group": report.camera_group,
        **_total(report.total),
        **_total(report.total_incl_unseen, "total_people_incl_unseen"),
        "listed_visitors": report.listed_visitors,
        "min_appearances": report.min_appearances,
        "windows": [
            {
                "linkage_window": window.linkage_window,
                **_total(window.total),
                **_total(window.total_incl_unseen, "total_people_incl_unseen"),
                "identified_visitors": window.identified_visitors,
                "listed_visitors": window.listed_visitors,
                "excluded_visitors": window.excluded_visitors,
            }
            for window in report.windows
        ],
        "provisional_days": [
            {
                "linkage_window": each.linkage_window,
                "from": each.first_day.isoformat(),
                "to": each.last_day.isoformat(),
                "last_sealed_day": each.last_sealed_day.isoformat(),
            }
            for each in report.provisional_days
        ],
        "calibration": _basis(report),
        "never_seen": _never_seen(report),
        "sightings": report.sightings,
        "unidentified_sightings": report.unidentified_sightings,
        "data": {
            "publication_id": provenance.publication_id,
            "published_at": _iso(provenance.published_at),
            "superseded_at": _iso(provenance.superseded_at),
            "last_captured_at": _iso(provenance.last_captured_at),
            "read_at": _iso(provenance.read_at),
            "data_age_s": provenance.data_age.total_seconds() if provenance.data_age is not None else None,
            "environment": provenance.environment,
        },
        "notes": [*report.notes, *([DEVELOPMENT_NOTE] if provenance.is_development else [])],
        "definitions": definitions(report.visit_gap_s),
    }


def _total(total: Total, name: str = "total_unique_visitors") -> dict[str, object]:
    return {
        name: total.people,
        f"{name}_interval": list(total.interval) if total.interval else None,
        f"{name}_level": total.level,
        f"{name}_reason": total.reason,
    }


def _never_seen(report: VisitorReport) -> dict[str, object]:
    """Return the people whose face never showed: what the two totals differ by."""
    seen, everybody = report.total.people, report.total_incl_unseen
    known = seen is not None and everybody.people is not None
    return {"people": (everybody.people or 0) - (seen or 0) if known else None, "reason": everybody.reason}


def _basis(report: VisitorReport) -> dict[str, str] | None:
    basis = report.count_basis
    if basis is None:
        return None
    return {"digest": basis.digest, "made_on": basis.made_on.isoformat(), "origin": basis.origin}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _visitor(row: VisitorRow) -> dict[str, object]:
    return {
        "visitor_id": row.visitor_id,
        "linkage_window": row.linkage_window,
        "total_appearances": row.total_appearances,
        "visits": row.visits,
        "locations_visited": _names(row),
        "visit_frequency_per_location": dict(row.frequencies),
    }


def _names(row: VisitorRow) -> list[str]:
    return [name for name, _ in row.frequencies]


def _places(row: VisitorRow) -> tuple[str, str]:
    return ", ".join(_names(row)), ", ".join(f"{name}: {count}" for name, count in row.frequencies)


def _table_cells(report: VisitorReport) -> list[list[str]]:
    frame = visitors_frame(report).drop(columns="Visits")  # the brief's four columns; visits are in every other form
    return [[str(name) for name in frame.columns], *([str(cell) for cell in row] for row in frame.to_numpy())]


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(_LEAST_WIDTHS.get(column[0], 0), *map(len, column)) for column in zip(*cells, strict=True)]
    return [_GUTTER.join(map(str.ljust, row, widths)).rstrip() for row in cells]


def _disarmed(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    plain = _plain(cell)
    return f"'{plain}" if plain.startswith(_FORMULA_STARTS) else plain


def _plain(line: str) -> str:
    """Replace what a terminal or a CSV reader would act on: escape sequences, line ends, bidirectional overrides."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", line)
