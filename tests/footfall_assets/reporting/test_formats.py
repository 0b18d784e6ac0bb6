import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow.parquet as pq
import pytest

from footfall_assets.domain.count_range import Total
from footfall_assets.domain.unseen import NO_COUNTER
from footfall_assets.reporting.count import CountBasis
from footfall_assets.reporting.export import ReportFormat, render
from footfall_assets.reporting.formats import (
    frame_to_csv,
    to_csv,
    to_json,
    to_parquet,
    to_table,
    visitors_frame,
)
from footfall_assets.reporting.printable import to_html
from footfall_assets.reporting.provenance import DEVELOPMENT_NOTE, Provenance
from footfall_assets.reporting.publication import open_visitors
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.visitor_report import VisitorReport, VisitorRow, WindowTotal, visitor_report

PROVENANCE = Provenance(
    publication_id="ab" * 32,
    environment="development",
    published_at=datetime(2024, 2, 1, 6, tzinfo=UTC),
    last_captured_at=datetime(2024, 1, 31, 21, tzinfo=UTC),
    read_at=datetime(2024, 2, 2, 23, 30, tzinfo=UTC),
)
# Visitor, then appearances by store; the first is the brief's first row.
SAMPLE = {
    "00123A": {"101": 8, "203": 7},
    "00124B": {"203": 12},
    "00456C": {"305": 10, "101": 5, "203": 5},
    "00789D": {"101": 1},
    "01011E": {"101": 3, "305": 3},
}
TABLE = """\
Unique Visitor Report
Time Period: January 1, 2024 - January 31, 2024
Camera Group: Selected Cameras across 3 Store Locations
Total Unique Visitors: not estimated: no calibration for this embedder and threshold
Listed Visitors: 5
Visitor ID   Total Appearances   Locations Visited                    Visit Frequency per Location
00456C       20                  Store #305, Store #101, Store #203   Store #305: 10, Store #101: 5, Store #203: 5
00123A       15                  Store #101, Store #203               Store #101: 8, Store #203: 7
00124B       12                  Store #203                           Store #203: 12
01011E       6                   Store #101, Store #305               Store #101: 3, Store #305: 3
00789D       1                   Store #101                           Store #101: 1
"""
BRIEF = """\
Visitor ID   Total Appearances   Locations Visited          Visit Frequency per Location
00123A       15                  Store #101, Store #203     Store #101: 8, Store #203: 7
"""


@pytest.fixture
def sample(made, lake, tmp_path) -> VisitorReport:
    """The sample, from appearances in a publication to a report."""
    made.place("store-305", "Store #305")
    for visitor, stores in SAMPLE.items():
        for store, times in stores.items():
            for each in range(times):
                made.appear(visitor, f"store-{store}-door", f"2024-01-{each + 1:02}T10:00")
    publication = made.publish(lake, tmp_path / "build")
    with open_visitors(lake, publication) as connection:
        return visitor_report(connection, ReportRequest(date(2024, 1, 1), date(2024, 1, 31)))


BASIS = CountBasis("hand-made stores", date(2024, 1, 1), "cd" * 32)


def window_of(people, interval=None, *, listed=None, window="2024-01", reason=None) -> WindowTotal:
    listed = people if listed is None else listed
    if reason:
        return WindowTotal(window, Total(None, None, 0.9, reason), listed, listed)
    return WindowTotal(window, Total(people, interval or (people, people), 0.9, None), listed, listed)


def report_of(*rows: VisitorRow, windows=None, **changes) -> VisitorReport:
    report = VisitorReport(
        first_day=date(2024, 1, 1),
        last_day=date(2024, 1, 31),
        camera_group="Selected Cameras across 3 Store Locations",
        min_appearances=1,
        windows=windows or (window_of(len(rows)),),
        visitors=rows,
        sightings=20,
        unidentified_sightings=2,
    )
    return replace(report, **changes)


BRIEF_ROW = VisitorRow("2024-01", "00123A", 15, 4, (("Store #101", 8), ("Store #203", 7)))


def test_the_sample_comes_out_exactly(sample):
    assert to_table(sample, PROVENANCE).startswith(TABLE)


def test_the_briefs_row_comes_out_to_the_space():
    assert BRIEF in to_table(report_of(BRIEF_ROW), PROVENANCE)


def test_development_data_and_their_age_are_told():
    foot = to_table(report_of(BRIEF_ROW), PROVENANCE).split("\n\n")[1].splitlines()
    assert foot == [
        "Unidentified: 2 of 20 sightings belong to no visitor.",
        f"Total People incl. Unseen: not available: {NO_COUNTER}.",
        "Data age: 2 days 2 hours (newest still 2024-01-31 21:00 UTC); publication abababababab.",
        DEVELOPMENT_NOTE,
    ]
    assert foot[-1].startswith("Development data: ")
    assert "Development data" not in to_table(report_of(BRIEF_ROW), replace(PROVENANCE, environment="production"))


def test_large_totals_have_thousands_separators():
    report = report_of(windows=(window_of(3_500_000, (3_400_000, 3_600_000)),))
    assert "Total Unique Visitors: 3,500,000 (90 % interval 3,400,000 to 3,600,000)\n" in to_table(report, PROVENANCE)


def test_listed_visitors_are_shown_where_the_list_is_shortened():
    report = report_of(BRIEF_ROW, windows=(window_of(57, (50, 63), listed=1),), min_appearances=3)
    expected = "Total Unique Visitors: 57 (90 % interval 50 to 63)\nListed Visitors: 1 (at least 3 appearances)\n"
    assert expected in to_table(report, PROVENANCE)


def test_a_total_comes_with_its_level_and_where_it_comes_from():
    report = report_of(BRIEF_ROW, windows=(window_of(2, (1, 3), listed=1),), count_basis=BASIS)
    table = to_table(report, PROVENANCE)
    assert "Total Unique Visitors: 2 (90 % interval 1 to 3)\nListed Visitors: 1\n" in table
    assert "90 of 100 cases like those it was calibrated on: hand-made stores (2024-01-01, calibration cdcd" in table
    document = json.loads(to_json(report, PROVENANCE))
    assert document["total_unique_visitors_interval"] == [1, 3]
    assert document["calibration"] == {"digest": "cd" * 32, "made_on": "2024-01-01", "origin": "hand-made stores"}


def test_people_never_seen_are_in_every_form_where_they_are_known():
    window = replace(window_of(62, (60, 64)), total_incl_unseen=Total(80, (74, 88), 0.9, None))
    report = report_of(BRIEF_ROW, windows=(window,))
    table = to_table(report, PROVENANCE)
    assert "interval 60 to 64)\nTotal People incl. Unseen: 80 (90 % interval 74 to 88)\n" in table
    assert "cannot be told from people who come rarely" in table
    assert "<dt>Total People incl. Unseen</dt><dd>80 (90 % interval 74 to 88)</dd>" in to_html(report, PROVENANCE)
    document = json.loads(to_json(report, PROVENANCE))
    assert document["total_people_incl_unseen"] == 80
    assert document["total_people_incl_unseen_interval"] == [74, 88]
    assert document["never_seen"] == {"people": 18, "reason": None}


def test_the_origin_of_a_total_that_is_refused_is_not_told():
    refused = report_of(BRIEF_ROW, windows=(window_of(0, listed=1, reason="too few"),), count_basis=BASIS)
    assert "hand-made stores" not in to_table(refused, PROVENANCE)


def test_the_list_is_not_counted_twice_where_it_is_the_total():
    assert "Listed Visitors" not in to_table(report_of(BRIEF_ROW, windows=(window_of(1, (1, 2)),)), PROVENANCE)


def test_crossed_windows_are_told_apart_in_every_form():
    windows = (window_of(57, (50, 63)), window_of(0, listed=61, window="2024-02", reason="too many"))
    report = report_of(BRIEF_ROW, windows=windows)
    table = to_table(report, PROVENANCE)
    assert (
        "Total Unique Visitors: 2024-01: 57 (90 % interval 50 to 63); 2024-02: not estimated: too many "
        "(one total per linkage window; they cannot be added)\nListed Visitors: 2024-01: 57, 2024-02: 61\n" in table
    )
    assert "118" not in table
    assert to_csv(report).splitlines()[0].endswith("Linkage Window")
    document = json.loads(to_json(report, PROVENANCE))
    assert document["total_unique_visitors"] is None
    assert document["windows"][1] == {
        "linkage_window": "2024-02",
        "total_unique_visitors": None,
        "total_unique_visitors_interval": None,
        "total_unique_visitors_level": 0.9,
        "total_unique_visitors_reason": "too many",
        "total_people_incl_unseen": None,
        "total_people_incl_unseen_interval": None,
        "total_people_incl_unseen_level": 0.9,
        "total_people_incl_unseen_reason": NO_COUNTER,
        "identified_visitors": 61,
        "listed_visitors": 61,
        "excluded_visitors": 0,
    }
    assert document["visitors"][0]["linkage_window"] == "2024-01"


def test_json_has_the_agreed_keys(sample):
    document = json.loads(to_json(sample, PROVENANCE))
    assert document["time_period"] == {"from": "2024-01-01", "to": "2024-01-31"}
    assert document["camera_group"] == "Selected Cameras across 3 Store Locations"
    count = {
        "total_unique_visitors": None,
        "total_unique_visitors_interval": None,
        "total_unique_visitors_level": 0.9,
        "total_unique_visitors_reason": "no calibration for this embedder and threshold",
        "total_people_incl_unseen": None,
        "total_people_incl_unseen_interval": None,
        "total_people_incl_unseen_level": 0.9,
        "total_people_incl_unseen_reason": (
            "this publication was made before door counters were compared; publish again: footfall run"
        ),
        "listed_visitors": 5,
    }
    assert {name: document[name] for name in count} == count
    assert document["calibration"] is None
    assert document["never_seen"]["people"] is None
    window = {"linkage_window": "2024-01", **count, "identified_visitors": 5, "excluded_visitors": 0}
    assert document["windows"] == [window]
    assert document["visitors"][1] == {
        "visitor_id": "00123A",
        "linkage_window": "2024-01",
        "total_appearances": 15,
        "visits": 15,
        "locations_visited": ["Store #101", "Store #203"],
        "visit_frequency_per_location": {"Store #101": 8, "Store #203": 7},
    }
    assert document["data"]["environment"] == "development"
    assert document["data"]["data_age_s"] == 50.5 * 3600
    assert DEVELOPMENT_NOTE in document["notes"]
    assert "Visit" in document["definitions"]


def test_csv_reads_back_as_what_is_on_screen(sample):
    rows = list(csv.reader(io.StringIO(to_csv(sample))))
    frame = visitors_frame(sample)
    assert rows[0] == list(frame.columns)
    assert rows[1:] == [[str(cell) for cell in row] for row in frame.to_numpy()]
    assert rows[2] == ["00123A", "15", "15", "Store #101, Store #203", "Store #101: 8, Store #203: 7"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d"])
def test_formulas_are_disarmed_in_csv(start):
    name = f"{start}HYPERLINK(1)"
    row = VisitorRow("2024-01", "00123A", 1, 1, ((name, 1),))
    cells = list(csv.reader(io.StringIO(to_csv(report_of(row)), newline="")))[1]
    assert cells[3].startswith(f"'{start}")
    assert cells[4].startswith(f"'{start}")
    assert cells[1] == "1"


@pytest.mark.parametrize("control", ["\r", "\n", "\t", "\x00", "\x1b"])
def test_control_characters_neither_break_nor_hide_a_formula_in_csv(control):
    """A carriage return left a cell unquoted and split the row in two."""
    row = VisitorRow("2024-01", "00123A", 1, 1, ((f"{control}=1+1", 1),))
    rows = list(csv.reader(io.StringIO(to_csv(report_of(row)), newline="")))
    assert len(rows) == 2
    assert rows[1][3] == "\ufffd=1+1"


def test_empty_report_has_every_header():
    report = report_of()
    assert to_csv(report) == "Visitor ID,Total Appearances,Visits,Locations Visited,Visit Frequency per Location\n"
    assert "Total Unique Visitors: 0\nVisitor ID" in to_table(report, PROVENANCE)
    assert json.loads(to_json(report, PROVENANCE))["visitors"] == []
    assert pq.read_table(io.BytesIO(to_parquet(report, PROVENANCE))).num_rows == 0


def test_names_cannot_steer_the_terminal():
    row = VisitorRow("2024-01", "00123A", 1, 1, (("\x1b[2JStore\u202e", 1),))
    table = to_table(report_of(row), PROVENANCE)
    assert "\x1b" not in table
    assert "\u202e" not in table


def test_parquet_keeps_types_and_header(sample):
    table = pq.read_table(io.BytesIO(to_parquet(sample, PROVENANCE)), page_checksum_verification=True)
    second = table.slice(1, 1).to_pylist()[0]
    assert second["visitor_id"] == "00123A"
    assert dict(second["visit_frequency_per_location"]) == {"Store #101": 8, "Store #203": 7}
    assert json.loads(table.schema.metadata[b"footfall.report"])["listed_visitors"] == 5


def test_flipped_bit_in_parquet_is_found(sample):
    data = bytearray(to_parquet(sample, PROVENANCE))
    column = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(0)
    data[column.dictionary_page_offset + column.total_compressed_size - 1] ^= 1
    with pytest.raises(OSError, match=r"(?i)crc|checksum"):
        pq.read_table(io.BytesIO(data), page_checksum_verification=True)


@pytest.mark.parametrize("form", list(ReportFormat))
def test_every_form_renders(form):
    assert render(report_of(BRIEF_ROW), PROVENANCE, form=form)


def test_csv_of_other_frames_is_disarmed_too(sample):
    frame = visitors_frame(sample).assign(**{"Locations Visited": "=1+1"})
    assert "'=1+1" in frame_to_csv(frame)
