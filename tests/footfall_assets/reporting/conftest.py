"""A small publication made by hand: the tables that the marts promise, as DuckDB files in a folder lake."""

import hashlib
import math
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from footfall_assets.contracts.calibration import Calibration, CountWeights, Evaluation
from footfall_assets.contracts.publication import CURRENT_KEY, Publication, PublishedFile, publication_key
from footfall_assets.domain.estimate import expanded
from footfall_assets.storage.lake import FolderLake

DIMENSIONS = """
create table dim_locations(location_id varchar, name varchar, timezone varchar, mode varchar, is_current boolean);
create table dim_cameras(
    camera_id varchar, location_id varchar, name varchar, interval_s double, is_current boolean
);
create table dim_camera_groups(group_id varchar, name varchar, camera_id varchar);
"""
VISITORS = """
create table fct_appearances(
    appearance_id uuid, face_id uuid, visitor_id varchar, linkage_window varchar, camera_id varchar,
    location_id varchar, business_day date, started_at timestamptz, ended_at timestamptz, sightings bigint
);
create table fct_sightings(
    face_id uuid, face_image_id uuid, image_id uuid, camera_id varchar, location_id varchar, captured_at timestamptz,
    visitor_id varchar, linkage_window varchar, business_day date, local_visitor_id uuid, match_score float,
    unidentified_reason varchar, detector varchar, embedder varchar, excluded_reason varchar, is_excluded boolean
);
create table visitor_day(
    visitor_id varchar, face_id uuid, linkage_window varchar, camera_id varchar, location_id varchar,
    business_day date, appearances bigint, sightings bigint, first_seen_at timestamptz, last_seen_at timestamptz
);
create table local_visitor_cuts(
    local_visitor_id uuid, face_id uuid, linkage_window varchar, location_id varchar, camera_id varchar,
    business_day date, cut_01 integer, cut_02 integer, cut_03 integer, cut_04 integer, cut_05 integer, cut_06 integer,
    cut_07 integer, cut_08 integer, cut_09 integer, cut_10 integer, cut_11 integer
);
create table count_calibration(digest varchar, document varchar);
"""
AGGREGATES = """
create table footfall_hourly(
    location_id varchar, business_day date, hour_starts_at timestamptz, local_hour integer, unique_visitors bigint,
    visits_started bigint, appearances bigint, sightings bigint, unidentified_sightings bigint
);
create table footfall_daily(
    location_id varchar, business_day date, linkage_window varchar, unique_visitors bigint, visits bigint,
    appearances bigint, sightings bigint, unidentified_sightings bigint, frames_expected bigint,
    frames_captured bigint, frames_kept bigint
);
create table coverage_daily(
    location_id varchar, camera_id varchar, business_day date, batches bigint, missing_batches bigint,
    first_opened_at timestamptz, last_closed_at timestamptz, frames_expected bigint, frames_captured bigint,
    frames_kept bigint, images_quarantined bigint
);
create table coverage_gaps(
    location_id varchar, camera_id varchar, device_id varchar, business_day date, first_missing bigint,
    last_missing bigint, missing_batches bigint, gap_starts_at timestamptz, gap_ends_at timestamptz
);
"""
PROTECTED = """
create table protected_footfall(
    location_id varchar, grain varchar, first_day date, last_day date, hour_starts_at timestamptz, local_hour integer,
    linkage_window varchar, is_fewer boolean, unique_visitors bigint
);
create table protection_rules(least_visitors integer, rounding integer, least_feasible integer);
"""


DEMOGRAPHIC_MARTS = """
create table location_attributes(
    location_id varchar, attribute varchar, legal_basis varchar, notice_since date, valid_from date, valid_to date
);
create table attribute_confusion(
    location_id varchar, trait varchar, true_class varchar, labelled_class varchar, people bigint, digest varchar,
    origin varchar, made_on date, accuracy double, coverage double
);
create table demographics_daily(
    location_id varchar, business_day date, trait varchar, class varchar, visitors bigint, labelled_visitors bigint,
    suppressed_reason varchar
);
create table expression_by_zone(
    location_id varchar, zone varchar, business_day date, class varchar, visitors bigint,
    labelled_visitors bigint, suppressed_reason varchar
);
create table expression_daily(
    location_id varchar, camera_id varchar, business_day date, class varchar, visitors bigint,
    labelled_visitors bigint, suppressed_reason varchar
)"""


def hand_made_calibration(**changes) -> Calibration:
    """A correction of two rules: people = 1.1 x listed, and less where clusters merge at the last cut.

    log(people / listed) = log 1.1 + 0.5 log(clusters at the last cut / listed); 90 % within a factor 1.2.
    """
    features = 1 + 1 + 11 + 4
    spread = math.log(1.2)
    count = CountWeights(
        centre=(0.0,) * features,
        scale=(1.0,) * features,
        weight=(0.0,) * 12 + (0.5,) + (0.0,) * (len(expanded(np.zeros(features))) - 13),
        low={0.9: -spread},
        high={0.9: spread},
        feature_ranges=((0.0, 5.0), *((-2.0, 2.0),) * 12, *((0.0, 1.0),) * 4),
        **{"intercept": math.log(1.1), "spread": (0.0, 0.0, 0.0), "listed": (2, 100)} | changes,
    )
    return Calibration(
        embedder="hand-made",
        origin="hand-made stores",
        made_on=date(2024, 1, 1),
        window_max_distance=0.06,
        cuts=tuple(0.03 + 0.005 * number for number in range(11)),
        probe=None,
        count=count,
        evaluation=Evaluation(
            people=10, stores=10, median_error=0.02, coverage={0.9: 0.9}, median_width=0.4, false_match_rate=1e-3
        ),
    )


def stable_id(*parts: object) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, parts)))


TRAFFIC_MARTS = """
create table if not exists footfall_15s (
    location_id varchar, business_day date, window_starts_at timestamptz, sightings bigint,
    unidentified_sightings bigint, unique_visitors bigint
);
create table if not exists coverage_spans (
    location_id varchar, business_day date, covered_from timestamptz, covered_to timestamptz
);
create table if not exists opening_hours (
    location_id varchar, business_day date, is_open boolean, open_minutes integer
);
create table if not exists staffing_hourly (
    location_id varchar, business_day date, weekday integer, hour_starts_at timestamptz, local_hour integer,
    is_open boolean, open_minutes integer, covered_minutes integer, unique_visitors bigint, visits_started bigint,
    sightings bigint, planned_staff double, visitors_per_staff double, repeats_local_hour boolean default false
);
create table if not exists conversion_daily (
    location_id varchar, business_day date, transactions bigint, items bigint, revenue decimal(18, 2), visits bigint,
    unique_visitors bigint, transactions_per_visit double, transactions_per_visitor double, revenue_per_visit double,
    has_more_transactions_than_visits boolean
);
create table if not exists sales_by_category_daily (
    location_id varchar, business_day date, category varchar, transactions bigint, items bigint, revenue decimal(18, 2)
);
create table if not exists counted_traffic_daily (
    location_id varchar, business_day date, count_source varchar, hours bigint, counters bigint, people_in bigint,
    people_out bigint, visits bigint, compared_hours bigint, compared_people_in bigint, compared_visits bigint,
    visits_per_person_in double
);
create table if not exists counted_traffic_hourly (
    location_id varchar, business_day date, hour_starts_at timestamptz, local_hour integer, count_source varchar,
    counters bigint, people_in bigint, people_out bigint, visits_started bigint, visits_per_person_in double
);
create table if not exists footfall_periods (
    location_id varchar, period varchar, first_day date, last_day date, known_days bigint, unique_visitors bigint
);
create table if not exists visit_dwell (
    location_id varchar, business_day date, visits bigint, total_lower_s double, total_midpoint_s double,
    total_upper_s double
);
"""

BEHAVIOUR_MARTS = """
create table if not exists dim_zones (
    location_id varchar, zone varchar, cameras bigint, is_named boolean, camera_ids varchar, plan_x_m double,
    plan_y_m double
);
create table if not exists camera_visibility (
    camera_id varchar, location_id varchar, linkage_window varchar, interval_s double, stills bigint,
    stills_shown bigint, visibility double
);
create table if not exists dwell_by_zone (
    location_id varchar, zone varchar, business_day date, visitors bigint, stays bigint, total_lower_s double,
    total_midpoint_s double, total_upper_s double, lower_quartile_midpoint_s double, median_lower_s double,
    median_midpoint_s double, median_upper_s double, upper_quartile_midpoint_s double
);
create table if not exists dwell_by_zone_hourly (
    location_id varchar, zone varchar, business_day date, local_hour integer, stays bigint, total_midpoint_s double
);
create table if not exists visit_dwell (
    location_id varchar, business_day date, visits bigint, total_lower_s double, total_midpoint_s double,
    total_upper_s double
);
create table if not exists dwell_distribution (
    location_id varchar, zone varchar, business_day date, from_s integer, stays bigint, total_lower_s double,
    total_midpoint_s double, total_upper_s double
);
create table if not exists camera_flows (
    location_id varchar, business_day date, level varchar, from_place varchar, to_place varchar, moves bigint,
    total_gap_s double, median_gap_s double
);
create table if not exists camera_flows_hourly (
    location_id varchar, business_day date, local_hour integer, from_place varchar, to_place varchar, moves bigint
);
create table if not exists journeys (
    location_id varchar, business_day date, journey varchar, steps bigint, goes_on boolean, visits bigint
);
create table if not exists visit_frequency (
    linkage_window varchar, location_id varchar, measure varchar, times bigint, visitors bigint
);
create table if not exists days_between_visits (
    linkage_window varchar, location_id varchar, days_between bigint, returns bigint
);
create table if not exists loyalty_daily (
    linkage_window varchar, location_id varchar, business_day date, unique_visitors bigint, new_visitors bigint,
    returning_visitors bigint, returning_to_location bigint
);
create table if not exists stores_shared (
    linkage_window varchar, location_id varchar, other_location_id varchar, visitors bigint
);
"""


TREE_MARTS = """
create table day_trees(
    linkage_window varchar, business_day date, local_visitors bigint, listed bigint, sizes bigint[], clusters bigint[]
);
create table window_trees(
    linkage_window varchar, local_visitors bigint, listed bigint, sizes bigint[], clusters bigint[]
);
create table sightings_daily(
    linkage_window varchar, location_id varchar, camera_id varchar, business_day date, sightings bigint,
    unidentified_sightings bigint, only_counted_sightings bigint
);
create table stranger_pairs(linkage_window varchar, pairs bigint, matches bigint);
create table count_calibration(digest varchar, document varchar)
"""


def _sql(value):
    return f"'{value}'"


def _tree(local_visitors):
    """Return a merge tree as SQL values: local visitors, listed, sizes, clusters at each cut."""
    of_face = Counter(face for face, _ in local_visitors)
    sizes = [sum(count == size for count in of_face.values()) for size in (1, 2, 3, 4)]
    labels = [cuts for _, cuts in local_visitors]
    known = labels and labels[0][0] is not None
    clusters = [len({cuts[place] for cuts in labels}) for place in range(11)] if known else "null"
    return f"{len(local_visitors)}, {len(of_face)}, {sizes}, {clusters}"


@dataclass
class HandMade:
    """Rows to publish; `appear` adds an appearance and the one sighting it consists of."""

    locations: list[tuple] = field(default_factory=list)
    cameras: list[tuple] = field(default_factory=list)
    groups: list[tuple] = field(default_factory=list)
    appearances: list[tuple] = field(default_factory=list)
    sightings: list[tuple] = field(default_factory=list)
    hourly: list[tuple] = field(default_factory=list)
    daily: list[tuple] = field(default_factory=list)
    coverage: list[tuple] = field(default_factory=list)
    gaps: list[tuple] = field(default_factory=list)
    protected_counts: list[tuple] = field(default_factory=list)
    calibration: Calibration | None = None
    more_aggregates: str = ""  # SQL that adds other marts
    more_visitors: str = ""  # the same for the visitor-level file
    clusters: dict[tuple, tuple[int, ...]] = field(default_factory=dict)

    def place(self, location_id, name, *, cameras=("door",), timezone="UTC", mode="unique", is_current=True):
        self.locations.append((location_id, name, timezone, mode, is_current))
        for camera in cameras:
            self.cameras.append((f"{location_id}-{camera}", location_id, camera, 5.0, is_current))
        return self

    def group(self, group_id, name, *camera_ids):
        self.groups.extend((group_id, name, camera_id) for camera_id in camera_ids)
        return self

    def appear(self, visitor_id, camera_id, at, *, lasts_s=10, day=None, window=None):
        started = datetime.fromisoformat(at).replace(tzinfo=UTC)
        day = date.fromisoformat(day) if day else started.date()
        window = window or f"{day:%Y-%m}"
        face = stable_id("face", window, visitor_id)
        place = next(camera[1] for camera in self.cameras if camera[0] == camera_id)
        number = len(self.appearances)
        ended = started + timedelta(seconds=lasts_s)
        self.appearances.append(
            (stable_id("appearance", number), face, visitor_id, window, camera_id, place, day, started, ended, 1)
        )
        self._see(face, visitor_id, camera_id, place, started, window, day)
        return self

    def stranger(self, camera_id, at):
        started = datetime.fromisoformat(at).replace(tzinfo=UTC)
        place = next(camera[1] for camera in self.cameras if camera[0] == camera_id)
        self._see(None, None, camera_id, place, started, f"{started:%Y-%m}", started.date())
        return self

    def staff(self, visitor_id, camera_id, at, *, reason="staff_camera"):
        """Add a sighting that is in the log and in no count."""
        started = datetime.fromisoformat(at).replace(tzinfo=UTC)
        place = next(camera[1] for camera in self.cameras if camera[0] == camera_id)
        window = f"{started:%Y-%m}"
        face = stable_id("face", window, visitor_id)
        self._see(face, visitor_id, camera_id, place, started, window, started.date(), excluded=reason)
        return self

    def _see(self, face, visitor_id, camera_id, place, at, window, day, *, excluded=None):
        number = len(self.sightings)
        reason = None if face else "too_small"
        self.sightings.append(
            (
                *(face, stable_id("fi", number), stable_id("i", number), camera_id, place, at, visitor_id, window, day),
                *(face and stable_id("lv", face), 0.9, reason, "centerface", "dlib_resnet_v1"),
                *(excluded, excluded is not None),
            )
        )

    def cut(self, visitor_id, location_id, day, labels):
        """Say in which cluster a visitor of a location and day is at each of the 11 cuts; by default: one each."""
        of = date.fromisoformat(day)
        face = stable_id("face", f"{of:%Y-%m}", visitor_id)
        self.clusters[face, location_id, of] = tuple(labels)
        return self

    def local_visitors(self):
        """Return a row for each visitor of a location and day, and camera that it appeared at."""
        found = dict.fromkeys((row[1], row[3], row[5], row[4], row[6]) for row in self.appearances)
        faces = list(dict.fromkeys(row[0] for row in found))
        rows = []
        for face, window, place, camera, day in found:
            labels = (
                self.clusters.get((face, place, day), (faces.index(face),) * 11) if self.calibration else (None,) * 11
            )
            rows.append((stable_id("lv", face, place, day), face, window, place, camera, day, *labels))
        return rows

    def visitor_days(self):
        """Return what the mart makes of the appearances: a row a visitor, camera and business day."""
        found = {}
        for row in self.appearances:
            found.setdefault((row[2], row[0], row[3], row[4], row[5], row[6]), []).append(row)
        return [
            (*key, len(rows), sum(row[9] for row in rows), min(row[7] for row in rows), max(row[8] for row in rows))
            for key, rows in found.items()
        ]

    def hour(self, location_id, starts, uniques, *, day=None):
        at = datetime.fromisoformat(starts).replace(tzinfo=UTC)
        day = date.fromisoformat(day) if day else at.date()
        self.hourly.append((location_id, day, at, at.hour, uniques, uniques, uniques * 2, uniques * 6, 1))
        return self

    def with_traffic(self, *statements: str):
        """Add the marts of traffic over time, and the rows that `statements` insert."""
        self.more_aggregates = ";".join((TRAFFIC_MARTS, *statements))
        return self

    def with_trees(self):
        """Add the marts that totals of all cameras are made of, from the appearances and sightings there are by now."""
        days, windows, seen = {}, {}, {}
        for _, face, window, _, _, day, *cuts in {row[0]: row for row in self.local_visitors()}.values():
            days.setdefault((window, day), []).append((face, cuts))
            windows.setdefault((window,), []).append((face, cuts))
        for row in self.sightings:
            counts = seen.setdefault((row[7], row[4], row[3], row[8]), [0, 0])
            counts[0] += 1
            counts[1] += row[6] is None
        statements = [TREE_MARTS]
        for table, groups in (("day_trees", days), ("window_trees", windows)):
            statements += [
                f"insert into {table} values ({', '.join(map(_sql, key))}, {_tree(of_group)})"  # noqa: S608
                for key, of_group in groups.items()
            ]
        statements += [
            f"insert into sightings_daily values ({', '.join(map(_sql, key))}, {all_}, {nobody}, 0)"  # noqa: S608
            for key, (all_, nobody) in seen.items()
        ]
        if self.calibration is not None:
            document = self.calibration.model_dump_json().replace("'", "''")
            statements.append(
                f"insert into count_calibration values ('{self.calibration.digest}', '{document}')"  # noqa: S608
            )
        self.more_aggregates = ";".join((self.more_aggregates, *statements)).removeprefix(";")
        return self

    def with_behaviour(self, *statements: str):
        """Add the marts of dwell, journeys and loyalty, and the rows that `statements` insert."""
        self.more_aggregates = ";".join((self.more_aggregates, BEHAVIOUR_MARTS, *statements))
        return self

    def demographic(self, table: str, *rows: tuple):
        """Add rows to a mart of age, gender and expression; the first call makes the marts."""
        values = ", ".join(f"({', '.join('null' if each is None else repr(each) for each in row)})" for row in rows)
        made = "" if DEMOGRAPHIC_MARTS in self.more_aggregates else DEMOGRAPHIC_MARTS
        added = f"insert into {table} values {values}" if rows else ""  # noqa: S608 - made by tests
        parts = (self.more_aggregates, made, added)
        self.more_aggregates = ";".join(part for part in parts if part)
        return self

    def confused(self, location_id, trait, classes, matrix, *, digest="d1", origin="volunteers at the door"):
        """Add the people whom a classifier confuses at a location, by true class and the class they got."""
        cells = [
            (location_id, trait, true, got, matrix[i][j], digest, origin, "2024-01-05", 0.8, 0.9)
            for i, true in enumerate(classes)
            for j, got in enumerate(classes)
        ]
        return self.demographic("attribute_confusion", *cells)

    def whole_day(self, location_id, day, uniques):
        of = date.fromisoformat(day)
        self.daily.append(
            (location_id, of, f"{of:%Y-%m}", uniques, uniques + 1, uniques * 3, uniques * 9, 4, 17280, 17000, 900)
        )
        return self

    def protected(self, location_id, grain, first_day, shown, *, last_day=None, hour=None):
        """Add a protected count as it is published; `shown` None is one that is hidden."""
        first = date.fromisoformat(first_day)
        last = date.fromisoformat(last_day) if last_day else first
        starts = None if hour is None else datetime(first.year, first.month, first.day, hour, tzinfo=UTC)
        self.protected_counts.append(
            (location_id, grain, first, last, starts, hour, f"{first:%Y-%m}", shown is None, shown)
        )
        return self

    def covered(self, camera_id, day, *, captured=1800, missing=0):
        """Add a camera's day; `missing` batches, from its second on, never came."""
        place = next(camera[1] for camera in self.cameras if camera[0] == camera_id)
        of = date.fromisoformat(day)
        opened = datetime(of.year, of.month, of.day, 8, tzinfo=UTC)
        closed = opened + timedelta(hours=12)
        self.coverage.append((place, camera_id, of, 10, missing, opened, closed, 1800, captured, 90, 0))
        if missing:
            hours = opened + timedelta(hours=1), opened + timedelta(hours=2)
            self.gaps.append((place, camera_id, f"box-{place}", of, 2, 1 + missing, missing, *hours))
        return self

    def write(self, folder: Path) -> tuple[Path, Path]:
        folder.mkdir(parents=True, exist_ok=True)
        dimensions = {
            "dim_locations": self.locations,
            "dim_cameras": self.cameras,
            "dim_camera_groups": self.groups,
        }
        visitors = _database(
            folder / "visitors.duckdb",
            DIMENSIONS + VISITORS + self.more_visitors,
            dimensions
            | {
                "fct_appearances": self.appearances,
                "fct_sightings": self.sightings,
                "visitor_day": self.visitor_days(),
                "local_visitor_cuts": self.local_visitors(),
                "count_calibration": [
                    (each.digest, each.model_dump_json()) for each in (self.calibration,) if each is not None
                ],
            },
        )
        aggregates = _database(
            folder / "aggregates.duckdb",
            DIMENSIONS + AGGREGATES + self.more_aggregates,
            dimensions
            | {
                "footfall_hourly": self.hourly,
                "footfall_daily": self.daily,
                "coverage_daily": self.coverage,
                "coverage_gaps": self.gaps,
            },
        )
        return visitors, aggregates

    def write_protected(self, folder: Path) -> Path:
        tables = {
            "dim_locations": self.locations,
            "dim_cameras": self.cameras,
            "dim_camera_groups": self.groups,
            "protected_footfall": self.protected_counts,
            "protection_rules": [(10, 5, 5)],
        }
        return _database(folder / "protected.duckdb", DIMENSIONS + PROTECTED, tables)

    def publish(
        self,
        lake: FolderLake,
        folder: Path,
        *,
        environment="development",
        last_captured_at=None,
        published_at=datetime(2024, 2, 1, 6, tzinfo=UTC),
    ):
        visitors, aggregates = (_put(lake, path) for path in self.write(folder))
        protected = _put(lake, self.write_protected(folder))
        captured = [row[5] for row in self.sightings]
        days = [row[8] for row in self.sightings]
        publication = Publication(
            publication_id=hashlib.sha256(
                (visitors.sha256 + aggregates.sha256 + protected.sha256).encode()
            ).hexdigest(),
            published_at=published_at,
            environment=environment,
            aggregates=aggregates,
            visitors=visitors,
            protected=protected,
            inputs_hash="0" * 64,
            asset_versions={},
            first_day=min(days, default=None),
            last_day=max(days, default=None),
            last_captured_at=last_captured_at or max(captured, default=None),
        )
        lake.write(publication_key(publication.publication_id), publication.model_dump_json().encode())
        lake.write(CURRENT_KEY, publication.publication_id.encode())
        return publication


# The visitor report's five example rows: ID, appearances, locations, frequency per location, most first.
EXAMPLE_ROWS = (
    ("07654D", 22, "Store #150, Store #203", "Store #150: 12, Store #203: 10"),
    ("09123E", 18, "Store #101", "Store #101: 18"),
    ("00123A", 15, "Store #101, Store #203", "Store #101: 8, Store #203: 7"),
    ("00876B", 10, "Store #150", "Store #150: 10"),
    ("04567C", 5, "Store #305", "Store #305: 5"),
)


def example_stores() -> HandMade:
    """Return the stores in which the visitors of `EXAMPLE_ROWS` appeared, over January 2024."""
    made = HandMade()
    for number in (101, 150, 203, 305):
        made.place(f"store-{number}", f"Store #{number}", cameras=("door", "till"))
    for visitor, _, _, frequencies in EXAMPLE_ROWS:
        for part in frequencies.split(", "):
            name, count = part.split(": ")
            for number in range(int(count)):
                camera = f"{name.lower().replace(' #', '-')}-{('door', 'till')[number % 2]}"
                made.appear(visitor, camera, f"2024-01-{1 + number:02}T10:00")
                made.whole_day(name.lower().replace(" #", "-"), f"2024-01-{1 + number:02}", 1)
    made.daily = list(dict.fromkeys(made.daily))
    return made


def _database(path: Path, schema: str, tables: dict[str, list[tuple]]) -> Path:
    path.unlink(missing_ok=True)
    with duckdb.connect(path) as connection:
        connection.execute(schema)
        for name, rows in tables.items():
            for row in rows:
                marks = ", ".join("?" * len(row))
                connection.execute(f"insert into {name} values ({marks})", list(row))  # noqa: S608
    return path


def _put(lake: FolderLake, path: Path) -> PublishedFile:
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    key = f"publications/{path.stem}-{digest}.duckdb"
    lake.write(key, data)
    return PublishedFile(key=key, sha256=digest, content_hash=digest, size_bytes=len(data))


@pytest.fixture
def made() -> HandMade:
    """Two stores with two cameras each, nobody in them yet."""
    return (
        HandMade()
        .place("store-101", "Store #101", cameras=("door", "till"))
        .place("store-203", "Store #203", cameras=("door", "till"))
    )


@pytest.fixture
def lake(tmp_path: Path) -> FolderLake:
    return FolderLake(tmp_path / "lake")


@pytest.fixture(scope="session")
def new_calibration():
    return hand_made_calibration


@pytest.fixture(scope="session")
def new_store() -> type[HandMade]:
    return HandMade


FOOTFALL_DAILY = """
create table footfall_daily (
    location_id varchar, business_day date, unique_visitors bigint, visits bigint, sightings bigint,
    frames_expected bigint, frames_captured bigint
);
"""


@dataclass
class TrafficMarts:
    """The marts of traffic over time in memory, filled row by row; what a row does not name is null."""

    connection: duckdb.DuckDBPyConnection

    def place(self, location_id: str, *, timezone: str = "UTC", mode: str = "unique") -> None:
        self.add("dim_locations", location_id=location_id, name=location_id, timezone=timezone, mode=mode)

    def add(self, table: str, **columns: Any) -> None:
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        self.connection.execute(
            f"insert into {table} ({names}) values ({marks})",  # noqa: S608
            list(columns.values()),
        )


@pytest.fixture
def marts() -> Iterator[TrafficMarts]:
    with duckdb.connect() as connection:
        connection.execute(DIMENSIONS + FOOTFALL_DAILY + TRAFFIC_MARTS)
        yield TrafficMarts(connection)


@pytest.fixture
def example_made() -> HandMade:
    return example_stores()


@pytest.fixture(scope="session")
def example_rows() -> tuple[tuple[str, int, str, str], ...]:
    return EXAMPLE_ROWS


COUNTED_MARTS = """
create table sightings_daily (business_day date, linkage_window varchar);
create table fct_visits (face_id integer, linkage_window varchar, location_id varchar, business_day date);
create table footfall_daily (linkage_window varchar, location_id varchar, business_day date, visits bigint);
create table footfall_hourly (
    location_id varchar, business_day date, hour_starts_at timestamptz, local_hour integer, visits_started bigint
);
create table counted_traffic_hourly (
    location_id varchar, business_day date, hour_starts_at timestamptz, local_hour integer, count_source varchar,
    people_in bigint, visits_started bigint
);
create table count_source_errors (count_source varchar, error double, visits_per_entry double);
insert into count_source_errors values ('infrared', 0.05, 1), ('manual', 0.03, 1), ('wifi', null, 1);
"""


class CountedMonth:
    """January at stores `a`, `b`, ... with visitors who come one to four times, a door counter and faces at chance."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute(DIMENSIONS + COUNTED_MARTS)
        self.connection.execute(
            "insert into sightings_daily select distinct unnest(range(date '2024-01-01', date '2024-02-01', "
            "interval 1 day))::date, '2024-01'"
        )

    def store(self, location_id, *, chance, people=600, counter="infrared", seed=0):
        """Add a store; returns how many people came and how many were seen."""
        rng = np.random.default_rng([seed, ord(location_id)])
        who = np.repeat(np.arange(people), rng.integers(1, 5, people))
        hour = rng.integers(0, 31 * 10, len(who))
        shown = rng.uniform(size=len(who)) < chance
        self.connection.execute(
            "insert into dim_locations values ($id, $name, 'UTC', 'unique', true)",
            {"id": location_id, "name": f"Store {location_id.upper()}"},
        )
        for camera in ("door", "till"):
            self.connection.execute(
                "insert into dim_cameras values ($camera, $id, $name, 5.0, true)",
                {"camera": f"{location_id}-{camera}", "id": location_id, "name": camera},
            )
        first = date(2024, 1, 1)
        self._add(
            "fct_visits",
            [
                (100_000 * ord(location_id) + int(each), "2024-01", location_id, first + timedelta(days=int(at) // 10))
                for each, at in zip(who[shown], hour[shown], strict=True)
            ],
        )
        self.connection.execute(
            "insert into footfall_daily select linkage_window, location_id, business_day, count(*) "
            "from fct_visits where location_id = $id group by all",
            {"id": location_id},
        )
        starts = [datetime(2024, 1, 1 + at // 10, 9 + at % 10, tzinfo=UTC) for at in range(31 * 10)]
        faces = np.bincount(hour[shown], minlength=len(starts)).tolist()
        counted = np.bincount(hour, minlength=len(starts)).tolist()
        hours = [(location_id, at.date(), at, at.hour) for at in starts]
        self._add("footfall_hourly", [(*at, seen) for at, seen in zip(hours, faces, strict=True)])
        if counter is not None:
            rows = zip(hours, counted, faces, strict=True)
            self._add("counted_traffic_hourly", [(*at, counter, entered, seen) for at, entered, seen in rows])
        return people, len(np.unique(who[shown]))

    def _add(self, table, rows) -> None:
        self.connection.register("added", pd.DataFrame(rows))
        self.connection.execute(f"insert into {table} select * from added")  # noqa: S608 - a table of this file


@pytest.fixture
def counted_month() -> CountedMonth:
    return CountedMonth()


@pytest.fixture
def opened(tmp_path):
    """Open the aggregates of a hand-made publication."""
    connections = []

    def open_(made):
        _, aggregates = made.write(tmp_path / f"made{len(connections)}")
        connections.append(duckdb.connect(aggregates, read_only=True))
        return connections[-1]

    yield open_
    for each in connections:
        each.close()
