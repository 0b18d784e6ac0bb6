"""Staff in a report: told once, as a number, and nowhere else."""

import json
from datetime import UTC, date, datetime

import pytest

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.export import ReportFormat, render
from footfall_assets.reporting.provenance import provenance_of
from footfall_assets.reporting.publication import open_visitors
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.visitor_report import visitor_report


@pytest.fixture
def rendered(lake, tmp_path):
    def render_(made, form, last_day=date(2024, 1, 31)):
        publication = made.publish(lake, tmp_path / "build")
        with open_visitors(lake, publication) as connection:
            report = visitor_report(connection, ReportRequest(first_day=date(2024, 1, 1), last_day=last_day))
        return render(report, provenance_of(publication, now=datetime(2024, 3, 1, tzinfo=UTC)), form=form).decode()

    return render_


@pytest.fixture
def staffed(made):
    """One customer; two members of staff, one of whom is seen twice; a customer at the staff door."""
    made.appear("00123A", "store-101-door", "2024-01-05T10:00")
    for visitor, at in (("00777B", "09:00"), ("00777B", "18:00"), ("00888C", "09:00")):
        made.staff(visitor, "store-101-till", f"2024-01-05T{at}")
    return made.staff("00123A", "store-101-till", "2024-01-05T10:01", reason="staff_only_camera")


def test_the_number_of_staff_is_told_and_no_name(staffed, rendered) -> None:
    table = rendered(staffed, ReportFormat.TABLE)
    assert "2 staff excluded: they are in no count." in table.splitlines()
    assert "Listed Visitors: 1" in table.splitlines()
    assert "of 1 sightings" in table
    assert "00777B" not in table + rendered(staffed, ReportFormat.CSV) + rendered(staffed, ReportFormat.JSON)


def test_json_tells_it_by_window(staffed, rendered) -> None:
    staffed.appear("00123A", "store-101-door", "2024-02-05T10:00").staff("00999D", "store-101-till", "2024-02-05T09:00")
    document = json.loads(rendered(staffed, ReportFormat.JSON, date(2024, 2, 29)))
    assert [window["excluded_visitors"] for window in document["windows"]] == [2, 1]
    assert "2024-01: 2, 2024-02: 1 staff excluded" in rendered(staffed, ReportFormat.TABLE, date(2024, 2, 29))


def test_without_staff_there_is_no_word_of_them(made, rendered) -> None:
    made.appear("00123A", "store-101-door", "2024-01-05T10:00")
    assert "staff" not in rendered(made, ReportFormat.TABLE)


def test_a_period_of_staff_only_has_no_data(made, rendered) -> None:
    made.staff("00777B", "store-101-till", "2024-01-05T09:00")
    with pytest.raises(NoData, match="saw no face"):
        rendered(made, ReportFormat.TABLE)
