"""What a count needs on its way into the marts: clusters of every local visitor that counts, and the calibration."""

import json
from datetime import date

import duckdb
import pytest

from footfall_assets.domain.estimate import TreeSummary
from footfall_assets.reporting.count import tree_summaries
from footfall_assets.storage.calibration_store import parse_calibration
from footfall_assets.warehouse.publication import AGGREGATE_TABLES, VISITOR_TABLES

FOUND = "select distinct local_visitor_id, columns('cut_.*') from local_visitor_cuts order by all"


def test_ada_has_a_row_for_each_camera_of_each_day(built) -> None:
    """Door and till on January 2, the gate on January 3 and in the next window."""
    rows = built.rows(
        """
        select business_day, camera_id, linkage_window, count(*) from local_visitor_cuts
        where face_id in (select face_id from unique_visitor_report where visitor_id like 'ada%')
        group by all order by all
        """
    )
    january = "2024-01"
    assert rows == [
        (date(2024, 1, 2), "door", january, 1),
        (date(2024, 1, 2), "till", january, 1),
        (date(2024, 1, 3), "gate", january, 1),
        (date(2024, 2, 1), "gate", "2024-02", 1),
    ]


def test_every_row_has_the_clusters_of_its_local_visitor(built) -> None:
    expected = built.rows("select local_visitor_id, columns('cut_.*') from raw.cuts order by all")
    assert built.rows(FOUND) == expected
    assert len(expected) > 40


def test_the_calibration_comes_out_as_it_went_in(built) -> None:
    [(digest, document)] = built.rows("select digest, document from count_calibration")
    assert parse_calibration(document, digest, source="here") == built.home.calibration
    assert json.loads(document)["origin"] == "by hand"


@pytest.mark.parametrize("table", ["local_visitor_cuts", "visitor_day", "fct_sightings"])
def test_what_is_for_the_list_is_in_no_aggregate(table) -> None:
    assert table in VISITOR_TABLES
    assert table not in AGGREGATE_TABLES


def test_the_tree_of_a_day_is_the_one_that_a_report_of_that_day_counts(built) -> None:
    trees = built.rows("select linkage_window, business_day, local_visitors, clusters, listed, sizes from day_trees")
    with duckdb.connect(built.build.path, read_only=True) as connection:
        for window, day, local_visitors, clusters, listed, sizes in trees:
            counted = tree_summaries(connection, {"first_day": day, "last_day": day, "cameras": None})
            assert counted == {window: TreeSummary(local_visitors, tuple(clusters or ()), listed, tuple(sizes))}
    assert {day for _, day, *_ in trees} == {
        day for (day,) in built.rows("select business_day from local_visitor_cuts")
    }
