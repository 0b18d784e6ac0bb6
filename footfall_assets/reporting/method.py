"""How the numbers of a publication were made: its rules, its versions, and the calibration of its totals."""

from dataclasses import dataclass
from typing import Final

import duckdb

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.count import read_calibration
from footfall_assets.reporting.publication import fetch_rows

_RULES_SQL: Final = """
select linkage_window_kind, appearance_gap_s, appearance_gap_intervals, visit_gap_s
from publication_header
"""


@dataclass(frozen=True)
class CountingRules:
    """Where the words of a publication draw their lines."""

    linkage_window_kind: str
    appearance_gap_s: int
    appearance_gap_intervals: int
    visit_gap_s: int


@dataclass(frozen=True)
class CalibrationFacts:
    """What the totals of a publication rest on, as it was measured; shares are from 0 to 1.

    Attributes:
        embedder: the model that the faces were told apart with.
        origin: whom it was calibrated on.
        made_on: ISO date.
        digest: of the whole calibration.
        window_max_distance: largest distance at which two stays are one person, in the embedder's unit.
        people: how many were in the evaluation.
        median_error: of the totals, relative.
        coverage: share of totals whose 90 % interval held the truth; None where it was not measured.
        median_width: of the 90 % intervals, relative.
    """

    embedder: str
    origin: str
    made_on: str
    digest: str
    window_max_distance: float
    people: int
    median_error: float
    coverage: float | None
    median_width: float


def counting_rules(connection: duckdb.DuckDBPyConnection) -> CountingRules:
    """Return the rules that the publication was built with.

    Raises:
        NoData: it holds none.
    """
    try:
        found = fetch_rows(connection, _RULES_SQL, {})
    except duckdb.CatalogException:
        found = []
    if not found:
        raise NoData("this publication does not say by which rules it was built; publish again: footfall run")
    return CountingRules(*found[0])


def calibration_facts(connection: duckdb.DuckDBPyConnection) -> CalibrationFacts:
    """Return what the totals rest on, from the visitor-level file.

    Raises:
        NoData: there is no calibration, so no totals.
        CorruptObject: it is not what was written.
    """
    calibration = read_calibration(connection)
    if calibration is None:
        raise NoData("there is no calibration for the embedder of this home, so totals are not estimated")
    evaluation = calibration.evaluation
    return CalibrationFacts(
        embedder=calibration.embedder,
        origin=calibration.origin,
        made_on=calibration.made_on.isoformat(),
        digest=calibration.digest,
        window_max_distance=calibration.window_max_distance,
        people=evaluation.people,
        median_error=evaluation.median_error,
        coverage=evaluation.coverage.get(0.9),
        median_width=evaluation.median_width,
    )
