"""Corrections as an analyst makes them, on the home of drawn people: the report comes back byte for byte after undo."""

import json
import shutil
from datetime import UTC, date, datetime
from itertools import combinations

import pytest

from footfall_assets.reporting.export import ReportFormat, render
from footfall_assets.reporting.provenance import provenance_of
from footfall_assets.reporting.publication import current_publication, open_visitors
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.visitor_report import visitor_report
from footfall_assets.storage.lake import FolderLake

NOW = datetime(2024, 2, 1, tzinfo=UTC)
PERIOD = ReportRequest(first_day=date(2024, 1, 1), last_day=date(2024, 1, 2))
BY = ("--author", "ann", "--reason", "the same coat")


def published(home):
    """Return the publication's id and the report in every form, as read at one fixed moment."""
    lake = FolderLake(home / "lake")
    publication = current_publication(lake)
    with open_visitors(lake, publication) as connection:
        report = visitor_report(connection, PERIOD)
    provenance = provenance_of(publication, now=NOW)
    return publication.publication_id, {form: render(report, provenance, form=form) for form in ReportFormat}


def manifests(home):
    """Return every manifest of identity, byte for byte; the ledger of Visitor IDs only ever grows."""
    lake = FolderLake(home / "lake")
    keys = [key for asset in ("local_visitors", "identities", "sightings") for key in lake.list_keys(asset)]
    return {key: lake.read(key) for key in keys if key.endswith("manifest.json")}


def ledger(home):
    lake = FolderLake(home / "lake")
    return [key for key in lake.list_keys("visitor_numbers") if key.endswith(".parquet")]


@pytest.mark.weights
@pytest.mark.usefixtures("first_run")
class TestCorrections:
    @pytest.fixture(autouse=True)
    def _copy(self, home, drawn_home, own_environment):
        """Work on a copy of the drawn home, which others read."""
        shutil.copytree(drawn_home.settings.home, home, ignore=shutil.ignore_patterns("dagster", "locks"))
        own_environment.setenv("FOOTFALL_MODEL_CACHE", str(drawn_home.settings.model_cache))

    @pytest.fixture
    def visitors(self, home):
        document = json.loads(published(home)[1][ReportFormat.JSON])
        return [row["visitor_id"] for row in document["visitors"]]

    def merge(self, footfall, visitors):
        """Merge the first two visitors who may be; those in one still are refused."""
        for pair in combinations(visitors, 2):
            said = footfall("identities", "merge", *pair, *BY)
            if said.code == 0:
                return pair
            assert "cannot be merged" in said.complaint
        pytest.fail("everybody was in one still with everybody else")

    def split(self, footfall, visitor):
        """Part two sightings from the others of their local visitor."""
        told = json.loads(footfall("identities", "explain", visitor, "--format", "json").out)
        several = next(each["sightings"] for each in told["local_visitors"] if len(each["sightings"]) > 3)
        named = [argument for each in several[:2] for argument in ("--sighting", each["sighting_id"])]
        assert footfall("identities", "split", visitor, *named, *BY).code == 0

    def run(self, footfall):
        said = footfall("run")
        assert said.code == 0, said.err
        return said.out

    def test_corrections_change_the_report_and_undo_gives_it_back(self, home, footfall, visitors) -> None:
        before, stored, numbers = published(home), manifests(home), ledger(home)
        *others, gone = visitors
        pair = self.merge(footfall, others)
        self.split(footfall, pair[0])
        assert footfall("identities", "exclude", gone, "--author", "ann").code == 0
        assert "warehouse: 1 runs" in self.run(footfall)
        corrected = published(home)
        assert corrected[0] != before[0]
        assert all(corrected[1][form] != before[1][form] for form in ReportFormat)
        assert b"1 staff excluded" in corrected[1][ReportFormat.TABLE]
        assert gone.encode() not in b"".join(corrected[1].values())
        told = footfall("identities", "events").out
        assert told.count(" applied, ") == 3
        for event in (1, 2, 3):
            assert footfall("identities", "undo", event, "--author", "ann").code == 0
        self.run(footfall)
        assert published(home) == before
        assert manifests(home) == stored
        assert set(numbers) <= set(ledger(home))
        assert self.run(footfall) == "everything is up to date\n"

    def test_explain_for_people(self, footfall, visitors) -> None:
        said = footfall("identities", "explain", visitors[0])
        assert said.out.startswith(f"Visitor {visitors[0]} of window 2024-01, map of 2024-01-02")
        assert "tracklets  score" in said.out
        assert "not merged: " in said.out

    def test_events_for_machines(self, footfall, visitors) -> None:
        assert json.loads(footfall("identities", "events", "--format", "json").out) == []
        footfall("identities", "exclude", visitors[0], "--author", "ann", "--reason", "a guard")
        [event] = json.loads(footfall("identities", "events", "--format", "json").out)
        assert (event["status"], event["author"], event["reason"]) == ("waiting", "ann", "a guard")


MISTAKES = {
    "nobody says so": (("exclude", "00123A", "--author", " "), "--author"),
    "no reason": (("merge", "00123A", "00456B", "--author", "ann", "--reason", " "), "--reason"),
    "split of nothing named": (("split", "00123A", "--author", "ann", "--reason", "x"), "--day, --location"),
    "event that is not there": (("undo", "3", "--author", "ann"), "no event 3; there are 0"),
    "no identities yet": (("explain", "00123A"), "footfall run"),
}


@pytest.mark.parametrize(("words", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_gets_one_line(footfall, words, says) -> None:
    said = footfall("identities", *words)
    assert said.code == 2
    assert says in said.complaint
