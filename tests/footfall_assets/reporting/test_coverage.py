from datetime import date

import duckdb
import pytest

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.coverage import coverage_by_day, coverage_gaps
from footfall_assets.reporting.publication import open_aggregates

FIRST, LAST = date(2024, 1, 1), date(2024, 1, 31)


@pytest.fixture
def read(lake, tmp_path):
    def ask(made, query, *period, **more):
        with open_aggregates(lake, made.publish(lake, tmp_path / "build")) as connection:
            return query(connection, *period, **more)

    return ask


@pytest.fixture
def covered(made):
    made.covered("store-101-door", "2024-01-02").covered("store-101-till", "2024-01-02", captured=900)
    return made.covered("store-101-door", "2024-01-04", captured=0, missing=2).covered("store-101-door", "2024-02-01")


def test_a_day_that_did_not_come_has_no_row(read, covered) -> None:
    frame = read(covered, coverage_by_day, FIRST, LAST)
    assert frame[["camera_id", "captured_share"]].to_numpy().tolist() == [
        ["store-101-door", 1.0],
        ["store-101-till", 0.5],
        ["store-101-door", 0.0],
    ]
    assert [str(day) for day in frame["business_day"]] == ["2024-01-02", "2024-01-02", "2024-01-04"]


def test_gaps_of_the_period_are_listed(read, covered) -> None:
    [gap] = read(covered, coverage_gaps, FIRST, LAST).to_dict("records")
    assert (gap["camera_id"], gap["first_missing"], gap["last_missing"], gap["missing_batches"]) == (
        "store-101-door",
        2,
        3,
        2,
    )
    assert read(covered, coverage_gaps, LAST, LAST).empty
    assert (
        len(read(covered.covered("store-203-door", "2024-01-05", missing=1), coverage_gaps, FIRST, LAST, most=1)) == 1
    )


@pytest.mark.parametrize("query", [coverage_by_day, coverage_gaps])
def test_a_publication_from_before_coverage_says_so(query) -> None:
    with duckdb.connect() as connection, pytest.raises(NoData, match="publish again"):
        query(connection, FIRST, LAST)
