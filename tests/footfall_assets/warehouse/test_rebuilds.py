"""What a build over an older one gives: the same as one from scratch; and the older publication stays what it was.

Between the two: sightings that came late, a day that was retracted, two visitors merged into one, another calibration.
"""

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import duckdb
import pytest

from footfall_assets.contracts.events import EventDraft, EventKind
from footfall_assets.contracts.publication import Publication
from footfall_assets.reporting.comparison import SightingFlow, compare
from footfall_assets.reporting.comparison_formats import comparison_to_table
from footfall_assets.reporting.kept_publications import find_publication
from footfall_assets.reporting.publication import current_publication, open_visitors
from footfall_assets.reporting.request import Order, ReportRequest
from footfall_assets.reporting.visitor_list import visitor_page
from footfall_assets.reporting.visitor_report import VISIT_GAP_S, visitor_head, visitor_report
from footfall_assets.storage.event_store import EventStore
from footfall_assets.storage.lake import FolderLake
from footfall_assets.warehouse.build import BUILD_FILE, finish_build, load_build_sources
from footfall_assets.warehouse.content import content_hash
from footfall_assets.warehouse.project import build_arguments, default_project_dir, run_dbt
from footfall_assets.warehouse.publication import TABLES, publish

FIRST, SECOND = datetime(2024, 2, 2, 6, tzinfo=UTC), datetime(2024, 2, 3, 6, tzinfo=UTC)
MONTH = ReportRequest(date(2024, 1, 1), date(2024, 1, 31))
RETRACTED = date(2024, 1, 9)


def people(home):
    """Cleo is at both stores, Dan at one; on the 9th both, and Eve whom nobody else ever saw."""
    for number, who in enumerate(("cleo", "dan")):
        for minute in (0, 1, 30, 300):
            home.see("door", moment("2024-01-05 08:00:00", minutes=minute + 3 * number), who=who)
            home.see("door", moment("2024-01-09 08:00:00", minutes=minute + 3 * number), who=who)
    home.see("gate", moment("2024-01-06 17:00:00"), who="cleo")
    home.see("door", moment("2024-01-09 11:00:00"), who="eve")
    home.cover("door", moment("2024-01-05 07:00:00"), hours=8)
    return home


def moment(text, **later):
    return datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(**later)


def before(home, calibration):
    home.calibration = calibration
    return people(home)


def after(home, calibration):
    """The same month as it is known a day later."""
    home.calibration = calibration.model_copy(update={"origin": "audits of the site"})
    people(home)
    home.see("door", moment("2024-01-05 15:30:00"), who="dan")  # came late
    home.see("door", moment("2024-01-05 15:31:00"), who="fay")
    home.sightings.pop(RETRACTED)
    known = home.identities["2024-01"]
    for local in [local for local, row in known.items() if row["day"] == RETRACTED]:
        del known[local]
    faces = {row["visitor_id"]: face for (_, face), row in home.numbers.items()}
    for row in known.values():  # merged: what was Dan's is Cleo's
        if row["face_id"] == faces["dan-2024-01"]:
            row["face_id"] = faces["cleo-2024-01"]
    return home


@dataclass(frozen=True)
class Rebuilt:
    """Content hashes, and the lake that both builds of one warehouse were published to."""

    old: dict[str, str]
    over_the_old: dict[str, str]
    from_scratch: dict[str, str]
    lake: FolderLake
    first: Publication
    second: Publication
    told_at_first: object
    dan: tuple[UUID, tuple[float, ...]]


def build(folder, inputs, target_path, *, threads):
    """Build all models, without tests."""
    path = folder / BUILD_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    load_build_sources(path, inputs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOOTFALL_WAREHOUSE_THREADS", str(threads))
        run_dbt(
            [
                *build_arguments(inputs.rules),
                *("--threads", str(threads)),
                *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
            ],
            project_dir=default_project_dir(),
            target_path=target_path / "build",
            build_path=path,
        )
    finish_build(path)
    return path


def hashes(path):
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as build (read_only)")
        tables = {table for kind in TABLES.values() for table in kind}
        return {table: content_hash(connection, [table], database="build") for table in tables}


def told(lake, publication):
    with open_visitors(lake, publication) as visitors:
        return visitor_report(visitors, MONTH)


@pytest.fixture(scope="session")
def rebuilt(tmp_path_factory, target_path, new_home, new_calibration):
    folder = tmp_path_factory.mktemp("rebuilt")
    lake = FolderLake(folder / "lake")
    path = build(folder / "one", before(new_home(), new_calibration()).write(folder / "old"), target_path, threads=2)
    old, first = hashes(path), publish(path, lake, published_at=FIRST)
    told_at_first = told(lake, first)
    home = after(new_home(), new_calibration())
    path = build(folder / "one", home.write(folder / "new", seed=3), target_path, threads=2)
    second = publish(path, lake, published_at=SECOND)
    scratch = build(folder / "other", home.write(folder / "again", seed=4), target_path, threads=1)
    seen = next(row for row in home.sightings[date(2024, 1, 5)])
    return Rebuilt(
        old=old,
        over_the_old=hashes(path),
        from_scratch=hashes(scratch),
        lake=lake,
        first=first,
        second=second,
        told_at_first=told_at_first,
        dan=(seen["image_id"], (0.0, 0.0, 50.0, 50.0)),
    )


def test_a_build_over_an_older_one_equals_one_from_scratch(rebuilt):
    """The other one also had its rows in another order, other files, and one thread instead of two."""
    assert rebuilt.over_the_old == rebuilt.from_scratch
    changed = {table for table, digest in rebuilt.old.items() if rebuilt.from_scratch[table] != digest}
    assert {"fct_sightings", "fct_appearances", "visitor_day", "unique_visitor_report", "footfall_daily"} <= changed
    assert "dim_locations" not in changed


def test_an_old_publication_gives_its_old_numbers(rebuilt):
    reopened = find_publication(rebuilt.lake, rebuilt.first.publication_id[:12])
    assert told(rebuilt.lake, reopened) == rebuilt.told_at_first
    now = told(rebuilt.lake, current_publication(rebuilt.lake))
    names = [{row.visitor_id.split("-")[0] for row in report.visitors} for report in (rebuilt.told_at_first, now)]
    assert names == [{"ada", "bob", "cleo", "dan", "eve"}, {"ada", "bob", "cleo", "fay"}]


def test_what_changed_the_numbers_has_names(rebuilt, tmp_path):
    root = rebuilt.lake.local_path(rebuilt.first.visitors.key).parents[1]
    lake = FolderLake(shutil.copytree(root, tmp_path / "lake"))
    image, box = rebuilt.dan
    side = ({"location_id": "store-101", "day": date(2024, 1, 5), "image_id": image, "box": box},)
    draft = EventDraft(
        created_at=FIRST + timedelta(hours=2),
        author="ann",
        reason="cleo and dan are one person",
        kind=EventKind.MERGE,
        linkage_window="2024-01",
        sides=(side, side),
    )
    EventStore(lake).append(draft, tmp_path)
    found = compare(lake, rebuilt.first, rebuilt.second)
    causes = {(cause.kind, cause.name) for cause in found.causes}
    assert {("correction", "merge by ann: cleo and dan are one person"), ("calibration", "origin")} <= causes
    [window] = [each for each in found.windows if each.linkage_window == "2024-01"]
    assert (window.before, window.after, window.new, window.gone, window.fewer_by_merge) == (5, 4, 1, 1, 1)
    assert {(change.kind, change.visitor_id.split("-")[0]) for change in found.changes} == {
        ("merged", "cleo"),
        ("new", "fay"),
        ("gone", "eve"),
    }
    assert {SightingFlow("still_only_after", None, 2), SightingFlow("still_only_before", None, 9)} <= set(found.flows)
    assert RETRACTED in {day.business_day for day in found.days}
    assert "data: one has stills that the other has not" in comparison_to_table(found)


def test_a_whole_window_is_summed_up_as_it_would_be_counted(rebuilt):
    """Reports of whole windows read one row, all others count: the two must agree."""
    with open_visitors(rebuilt.lake, rebuilt.second) as visitors:
        ready = visitor_report(visitors, MONTH)
        cameras = tuple(row[0] for row in visitors.execute("select camera_id from dim_cameras").fetchall())
        counted = visitor_report(visitors, ReportRequest(MONTH.first_day, MONTH.last_day, camera_ids=cameras))
    assert ready.windows == counted.windows
    assert ready.visitors == counted.visitors
    assert (ready.sightings, ready.unidentified_sightings) == (counted.sightings, counted.unidentified_sightings)


SELECTIONS = {
    "whole window": {},
    "a part of it": {"last_day": date(2024, 1, 6)},
    "a day": {"first_day": date(2024, 1, 3), "last_day": date(2024, 1, 3)},
    "often seen in a part": {"last_day": date(2024, 1, 6), "min_appearances": 2},
    "into the next window": {"first_day": date(2024, 1, 3), "last_day": date(2024, 2, 1)},
    "one location": {"location_ids": ("store-101",)},
    "one camera": {"camera_ids": ("gate",)},
    "often seen": {"min_appearances": 2},
    "to the minute": {"starts_at": time(8, 10), "ends_at": time(15, 31)},
    "one camera to the minute": {"camera_ids": ("door",), "starts_at": time(8, 10)},
}


@pytest.mark.parametrize("asked", SELECTIONS.values(), ids=SELECTIONS.keys())
def test_what_is_numbered_and_summed_up_is_what_names_and_rows_say(rebuilt, monkeypatch, asked):
    """A publication of before has neither numbers nor sums by visitor: its reports are the same."""
    request = replace(MONTH, **asked)

    def answers():
        with open_visitors(rebuilt.lake, rebuilt.second) as visitors:
            head = visitor_head(visitors, request)
            return head, [
                visitor_page(visitors, request, first=0, most=100, order=order, visit_gap_s=VISIT_GAP_S)
                for order in Order
            ]

    by_number = answers()
    monkeypatch.setattr("footfall_assets.reporting.selected_rows._IS_NUMBERED_SQL", "select 1 where false")
    monkeypatch.setattr("footfall_assets.reporting.visitor_list.ready_sums", lambda *_: None)
    monkeypatch.setattr("footfall_assets.reporting.count._ready", lambda *_: None)
    assert by_number == answers()
    assert by_number[0].listed_visitors
