from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.formats import to_table
from footfall_assets.reporting.provenance import (
    Provenance,
    age_text,
    definitions,
    duration_text,
    older_text,
    provenance_of,
)
from footfall_assets.reporting.publication import fetch_rows, open_aggregates, open_visitors
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.visitor_report import visitor_report

NOW = datetime(2024, 2, 2, 12, tzinfo=UTC)
FRESH = Provenance("ab" * 32, "production", NOW, NOW - timedelta(hours=1), NOW)


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=-5), "under a minute"),
        (timedelta(seconds=59), "under a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=3), "3 hours"),
        (timedelta(days=1, hours=2, minutes=5), "1 day 2 hours"),
        (timedelta(days=2, minutes=5), "2 days 5 minutes"),
    ],
)
def test_duration_text(span, text):
    assert duration_text(span) == text


def test_stale_is_more_than_a_day_and_a_run():
    assert not FRESH.is_stale
    assert replace(FRESH, last_captured_at=NOW - timedelta(hours=27)).is_stale


def test_no_still_is_told_and_is_not_stale():
    empty = replace(FRESH, last_captured_at=None)
    assert empty.data_age is None
    assert not empty.is_stale
    assert "no still" in age_text(empty)


def test_comes_from_the_manifest(made, lake, tmp_path):
    made.appear("00123A", "store-101-door", "2024-02-02T10:00")
    publication = made.publish(lake, tmp_path / "build", environment="production")
    provenance = provenance_of(publication, now=NOW)
    assert provenance.data_age == timedelta(hours=2)
    assert not provenance.is_development
    assert publication.publication_id.startswith(provenance.short_id)


def test_definition_of_a_visit_follows_the_setting():
    assert "after 3 hours away" in definitions(3 * 3600)["Visit"]
    assert "after 45 minutes away" in definitions(45 * 60)["Visit"]


def test_an_older_publication_says_so_and_the_current_one_does_not(made, lake, tmp_path):
    made.appear("00123A", "store-101-door", "2024-02-02T10:00")
    older = made.publish(lake, tmp_path / "build", published_at=NOW - timedelta(days=1))
    current = made.appear("00124A", "store-101-door", "2024-02-02T10:05").publish(
        lake, tmp_path / "build", published_at=NOW
    )
    provenance = provenance_of(older, now=NOW, current=current)
    with open_visitors(lake, older) as connection:
        report = visitor_report(connection, ReportRequest(date(2024, 2, 2), date(2024, 2, 2)))
    said = "As published on 2024-02-01 12:00 UTC (older publication"
    assert said in to_table(report, provenance)
    assert provenance.is_older
    for same in (provenance_of(current, now=NOW, current=current), provenance_of(current, now=NOW)):
        assert older_text(same) is None
        assert said not in to_table(report, same)


def test_what_came_after_a_publication_is_a_sentence_and_no_error_of_the_database(made, lake, tmp_path):
    publication = made.publish(lake, tmp_path / "build")
    for sql in ("select 1 from table_of_tomorrow", "select column_of_tomorrow from dim_cameras"):
        with pytest.raises(NoData, match="earlier release"), open_aggregates(lake, publication) as connection:
            fetch_rows(connection, sql, {})
