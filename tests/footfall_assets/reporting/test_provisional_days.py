"""Days whose identities are not sealed: what the report says of them, and that no total is given."""

import json
from datetime import UTC, date, datetime

import duckdb
import pytest

from footfall_assets.domain.count_range import NO_CUTS, Total
from footfall_assets.reporting.export import ReportFormat, render
from footfall_assets.reporting.formats import header
from footfall_assets.reporting.provenance import provenance_of
from footfall_assets.reporting.provisional_days import read_provisional_days, with_provisional_reasons
from footfall_assets.reporting.publication import open_visitors
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.visitor_report import visitor_report

TABLE = """
create table provisional_windows(
    linkage_window varchar, last_sealed_day date, last_provisional_day date, local_visitors_since_seal bigint,
    splits_waiting bigint
);
insert into provisional_windows values ('2024-01', '2024-01-21', '2024-01-24', 100, 0)
"""


@pytest.fixture
def connection():
    with duckdb.connect() as opened:
        opened.execute(TABLE)
        yield opened


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ((2024, 1, 1), (2024, 1, 31), ((2024, 1, 22), (2024, 1, 24))),
        ((2024, 1, 23), (2024, 1, 23), ((2024, 1, 23), (2024, 1, 23))),
        ((2024, 1, 24), (2024, 2, 3), ((2024, 1, 24), (2024, 1, 24))),
        ((2024, 1, 1), (2024, 1, 21), None),
        ((2024, 1, 25), (2024, 1, 31), None),
    ],
)
def test_the_days_named_are_those_of_the_period(connection, first, last, days):
    [found] = read_provisional_days(connection, date(*first), date(*last))
    assert found.is_in_period == (days is not None)
    if days:
        assert (found.first_day, found.last_day) == (date(*days[0]), date(*days[1]))


def test_a_publication_of_before_has_none():
    with duckdb.connect() as connection:
        assert read_provisional_days(connection) == ()


def test_no_total_is_given_and_other_reasons_stay(connection):
    given = {
        "2024-01": Total(62, (60, 64), 0.9, None),
        "2023-12": Total(50, (45, 55), 0.9, None),
    }
    days = read_provisional_days(connection)
    found = with_provisional_reasons(given, days)
    assert found["2024-01"].people is None
    assert "after 2024-01-21 are provisional, not sealed yet" in found["2024-01"].reason
    assert found["2023-12"] == given["2023-12"]
    refused = {"2024-01": Total(None, None, 0.9, NO_CUTS)}
    assert "provisional, not sealed" in with_provisional_reasons(refused, days)["2024-01"].reason
    for stays in (Total(0, (0, 0), 0.9, None), Total(None, None, 0.9, "faces are counted only")):
        assert with_provisional_reasons({"2024-01": stays}, days) == {"2024-01": stays}


def test_every_form_of_the_report_says_so(made, lake, tmp_path, new_calibration):
    made.calibration = new_calibration()
    for number in range(12):
        made.appear(f"{number:05}A", "store-101-door", f"2024-01-{20 + number % 5}T12:00")
    made.more_visitors = TABLE
    publication = made.publish(lake, tmp_path / "build")
    provenance = provenance_of(publication, now=datetime(2024, 2, 1, tzinfo=UTC))
    with open_visitors(lake, publication) as connection:
        report = visitor_report(connection, ReportRequest(date(2024, 1, 20), date(2024, 1, 31)))
        before = visitor_report(connection, ReportRequest(date(2024, 1, 20), date(2024, 1, 21)))
    said = "2024-01-22 to 2024-01-24 are provisional: identities after 2024-01-21 are not sealed yet"
    assert said in dict(header(report))["Provisional Days"]
    for form in (ReportFormat.TABLE, ReportFormat.HTML):
        text = render(report, provenance, form=form).decode()
        assert f"{said}, the list of 2024-01 may still change, and no total is given for it" in text
        assert "not estimated: identities of 2024-01 after 2024-01-21 are provisional" in text
    document = json.loads(render(report, provenance, form=ReportFormat.JSON))
    assert document["provisional_days"] == [
        {"linkage_window": "2024-01", "from": "2024-01-22", "to": "2024-01-24", "last_sealed_day": "2024-01-21"}
    ]
    assert document["total_unique_visitors"] is None
    assert "provisional" in document["total_unique_visitors_reason"]
    # Sealed days of a window that has provisional ones: no total either, and none of them is called provisional.
    assert "Provisional Days" not in dict(header(before))
    assert before.total.people is None
