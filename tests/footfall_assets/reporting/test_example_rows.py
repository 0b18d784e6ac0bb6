"""The example of the visitor report, from appearances to every form that it is handed out in."""

import csv
import html
import io
import json
import re
from datetime import date

import pyarrow.parquet as pq
import pytest

from footfall_assets.reporting.export import ReportFormat, render, write_csv, write_parquet
from footfall_assets.reporting.provenance import provenance_of
from footfall_assets.reporting.publication import open_visitors
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.visitor_list import all_visitors
from footfall_assets.reporting.visitor_report import VISIT_GAP_S, visitor_head, visitor_report

REQUEST = ReportRequest(date(2024, 1, 1), date(2024, 1, 31))


@pytest.fixture
def publication(example_made, lake, tmp_path):
    return example_made.publish(lake, tmp_path / "build")


@pytest.fixture
def rendered(publication, lake):
    with open_visitors(lake, publication) as connection:
        report = visitor_report(connection, REQUEST)
    provenance = provenance_of(publication, now=publication.published_at)
    return {form: render(report, provenance, form=form) for form in ReportFormat}


def test_the_table_holds_header_and_rows(rendered, example_rows):
    table = rendered[ReportFormat.TABLE].decode()
    assert "Time Period: January 1, 2024 - January 31, 2024" in table
    assert "Camera Group: Selected Cameras across 4 Store Locations" in table
    lines = [re.split(r" {3,}", line) for line in table.splitlines()]
    for visitor, total, places, frequencies in example_rows:
        assert [visitor, str(total), places, frequencies] in lines


def test_the_csv_holds_the_rows(rendered, example_rows):
    rows = list(csv.reader(io.StringIO(rendered[ReportFormat.CSV].decode())))
    assert rows[0] == [
        "Visitor ID", "Total Appearances", "Visits", "Locations Visited", "Visit Frequency per Location",
    ]  # fmt: skip
    assert [(row[0], int(row[1]), row[3], row[4]) for row in rows[1:]] == list(example_rows)


def test_the_json_holds_the_rows(rendered, example_rows):
    document = json.loads(rendered[ReportFormat.JSON])
    assert document["time_period"] == {"from": "2024-01-01", "to": "2024-01-31"}
    assert document["listed_visitors"] == 5
    found = [
        (
            each["visitor_id"],
            each["total_appearances"],
            ", ".join(each["locations_visited"]),
            ", ".join(f"{name}: {count}" for name, count in each["visit_frequency_per_location"].items()),
        )
        for each in document["visitors"]
    ]
    assert found == list(example_rows)


def test_the_page_to_print_holds_header_and_rows_and_fetches_nothing(rendered, example_rows):
    page = rendered[ReportFormat.HTML].decode()
    body = re.findall(r"<tr>(.*?)</tr>", page.partition("<tbody>")[2])
    cells = [[html.unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)] for row in body]
    assert [(row[0], int(row[1]), row[3], row[4]) for row in cells] == list(example_rows)
    assert "January 1, 2024 - January 31, 2024" in page
    assert not re.search(r"<script|<img|<link|src=|url\(|https?:", page)


def test_pieces_make_the_same_files(rendered, publication, lake, example_rows, monkeypatch):
    """Two rows at a time, as a list of millions is written in pieces of 100,000."""
    monkeypatch.setattr("footfall_assets.reporting.visitor_list._ROWS_A_PIECE", 2)
    text, columns = io.BytesIO(), io.BytesIO()
    provenance = provenance_of(publication, now=publication.published_at)
    with open_visitors(lake, publication) as connection:
        head = visitor_head(connection, REQUEST)
        pieces = list(all_visitors(connection, REQUEST, visit_gap_s=VISIT_GAP_S))
        assert [len(piece) for piece in pieces] == [2, 2, 1]
        assert write_csv(text, head, pieces) == 5
        assert write_parquet(columns, head, provenance, pieces) == 5
    assert text.getvalue() == rendered[ReportFormat.CSV]
    whole = pq.read_table(io.BytesIO(rendered[ReportFormat.PARQUET]))
    assert pq.read_table(io.BytesIO(columns.getvalue())).equals(whole)
    assert whole["visitor_id"].to_pylist() == [row[0] for row in example_rows]
