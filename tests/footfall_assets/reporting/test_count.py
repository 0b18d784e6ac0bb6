"""From rows of local visitors to a total: the query against the plain rule, filters, and a number made by hand."""

from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.domain.estimate import summarise
from footfall_assets.reporting.count import tree_summaries
from footfall_assets.reporting.publication import open_visitors
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.visitor_report import visitor_report

JANUARY = {"first_day": date(2024, 1, 1), "last_day": date(2024, 1, 31)}


@pytest.fixture
def report_on(lake, tmp_path):
    def report(made, **asked):
        publication = made.publish(lake, tmp_path / "build")
        with open_visitors(lake, publication) as connection:
            return visitor_report(connection, ReportRequest(**(JANUARY | asked)))

    return report


@pytest.fixture
def counted(made, new_calibration):
    """Four visitors on January 5, two of whom the last cut takes for one, and so the other two; one comes again."""
    made.calibration = new_calibration()
    for number, cluster in enumerate((1, 1, 7, 7)):
        made.appear(f"0000{number}A", "store-101-door", "2024-01-05T10:00")
        made.cut(f"0000{number}A", "store-101", "2024-01-05", (*[number] * 10, cluster))
    made.appear("00000A", "store-101-till", "2024-01-05T10:05")
    made.appear("00000A", "store-203-door", "2024-01-06T10:00")
    return made.cut("00000A", "store-203", "2024-01-06", (9, *[0] * 9, 1))


def test_a_total_is_the_hand_computed_number(counted, report_on) -> None:
    """4 x 1.1 x (2 / 4) ** 0.5 = 3.11; a factor 1.2 below and above is 2.59 and 3.73."""
    report = report_on(counted)
    assert (report.total.people, report.total.interval, report.total.level) == (3, (2, 4), 0.9)
    assert (report.total.reason, report.listed_visitors) == (None, 4)
    assert report.count_basis.origin == "hand-made stores"


@pytest.mark.parametrize(
    ("asked", "summary"),
    [
        pytest.param({}, (5, (5, *[4] * 9, 2), 4, (3, 1, 0, 0)), id="all"),
        pytest.param({"last_day": date(2024, 1, 5)}, (4, (*[4] * 10, 2), 4, (4, 0, 0, 0)), id="a day"),
        pytest.param({"cameras": ["store-101-till"]}, (1, (1,) * 11, 1, (1, 0, 0, 0)), id="a camera"),
        pytest.param(
            {"cameras": ["store-101-till", "store-203-door"]}, (2, (2, *[1] * 10), 1, (0, 1, 0, 0)), id="two cameras"
        ),
        pytest.param(
            {"cameras": ["store-101-door", "store-101-till"]}, (4, (*[4] * 10, 2), 4, (4, 0, 0, 0)), id="one store"
        ),
    ],
)
def test_filters_change_the_tree(counted, lake, tmp_path, asked, summary) -> None:
    """Who is seen by two of the cameras is one local visitor, not two."""
    with open_visitors(lake, counted.publish(lake, tmp_path / "build")) as connection:
        tree = tree_summaries(connection, {**JANUARY, "cameras": None, **asked})["2024-01"]
    assert (tree.local_visitors, tree.clusters, tree.listed, tree.sizes) == summary


def test_a_minimum_of_appearances_shortens_the_list_and_not_the_total(counted, report_on) -> None:
    report = report_on(counted, min_appearances=3)
    assert (report.listed_visitors, report.total.people) == (1, 3)


def test_windows_are_counted_apart(counted, report_on) -> None:
    for number in range(2):
        counted.appear(f"0000{number}A", "store-101-door", "2024-02-01T10:00")
    report = report_on(counted, last_day=date(2024, 2, 29))
    assert [(each.linkage_window, each.total.people) for each in report.windows] == [("2024-01", 3), ("2024-02", 2)]
    assert report.total.people is None


def test_a_selection_that_is_too_small_is_refused(counted, report_on) -> None:
    report = report_on(counted, camera_ids=("store-101-till",))
    assert report.total.people is None
    assert "1 listed visitors are fewer than the 2" in report.total.reason
    assert report.listed_visitors == 1


def test_faces_nobody_can_recognise_are_refused(counted, report_on) -> None:
    """Six sightings have a visitor."""
    for minute in range(6):
        counted.stranger("store-101-door", f"2024-01-05T12:{minute:02}")
    assert report_on(counted).total.people == 3
    counted.stranger("store-101-door", "2024-01-05T13:00")
    assert "54% of the sightings" in report_on(counted).total.reason


def test_without_a_calibration_there_is_a_list_and_no_total(counted, report_on) -> None:
    counted.calibration = None
    report = report_on(counted)
    assert (report.total.people, report.listed_visitors, report.count_basis) == (None, 4, None)
    assert "no calibration" in report.total.reason


def test_identities_linked_before_the_calibration_are_not_counted(counted, report_on) -> None:
    counted.cut("00003A", "store-101", "2024-01-05", (None,) * 11)
    for number in range(3):
        counted.cut(f"0000{number}A", "store-101", "2024-01-05", (None,) * 11)
    counted.cut("00000A", "store-203", "2024-01-06", (None,) * 11)
    assert "without the calibration's cuts" in report_on(counted).total.reason


def test_a_calibration_that_was_changed_is_noticed(counted, report_on, new_calibration) -> None:
    counted.calibration = _Disguised(new_calibration(intercept=0.5), counted.calibration.digest)
    with pytest.raises(CorruptObject, match="hash"):
        report_on(counted)


class _Disguised:
    """A calibration under the digest of another."""

    def __init__(self, calibration, digest):
        self.digest = digest
        self.model_dump_json = calibration.model_dump_json


ROWS = st.lists(
    st.tuples(
        st.integers(0, 5),  # person
        st.integers(1, 3),  # day
        st.integers(0, 3),  # camera
        st.lists(st.integers(0, 3_000_000), min_size=2, max_size=2),  # clusters beyond one bitmap
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, chosen=st.sets(st.integers(0, 3), min_size=1), last=st.integers(1, 3))
def test_the_query_says_what_the_rule_says(lake, tmp_path, new_store, new_calibration, rows, chosen, last) -> None:
    made = new_store().place("a", "A", cameras=("x", "y")).place("b", "B", cameras=("x", "y"))
    made.calibration = new_calibration()
    cameras = ["a-x", "a-y", "b-x", "b-y"]
    found = {}
    for number, (person, day, camera, (first, second)) in enumerate(rows):
        at = f"2024-01-0{day}"
        made.appear(str(person), cameras[camera], f"{at}T10:{number:02}")
        labels = (first, *[second] * 10)
        place = cameras[camera][0]
        made.cut(str(person), place, at, labels)
        local = found.setdefault((person, day, place), [labels, False])
        local[0] = labels
        local[1] |= camera in chosen and day <= last
    period = {
        "first_day": date(2024, 1, 1),
        "last_day": date(2024, 1, last),
        "cameras": [cameras[each] for each in sorted(chosen)],
    }
    with open_visitors(lake, made.publish(lake, tmp_path / "build")) as connection:
        summary = tree_summaries(connection, period)
    selected = {key: labels for key, (labels, is_selected) in found.items() if is_selected}
    if not selected:
        assert summary == {}
        return
    expected = summarise(np.array(list(selected.values())), np.array([person for person, _, _ in selected]))
    assert summary == {"2024-01": expected}
