"""A small publication made by hand: the tables that the marts promise, as DuckDB files in a folder lake."""

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from footfall_assets.contracts.publication import CURRENT_KEY, Publication, PublishedFile, publication_key
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
    unidentified_reason varchar, detector varchar, embedder varchar
);
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
"""


def stable_id(*parts: object) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, parts)))


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

    def _see(self, face, visitor_id, camera_id, place, at, window, day):
        number = len(self.sightings)
        reason = None if face else "too_small"
        self.sightings.append(
            (
                *(face, stable_id("fi", number), stable_id("i", number), camera_id, place, at, visitor_id, window, day),
                *(face and stable_id("lv", face), 0.9, reason, "centerface", "dlib_resnet_v1"),
            )
        )

    def hour(self, location_id, starts, uniques, *, day=None):
        at = datetime.fromisoformat(starts).replace(tzinfo=UTC)
        day = date.fromisoformat(day) if day else at.date()
        self.hourly.append((location_id, day, at, at.hour, uniques, uniques, uniques * 2, uniques * 6, 1))
        return self

    def whole_day(self, location_id, day, uniques):
        of = date.fromisoformat(day)
        self.daily.append(
            (location_id, of, f"{of:%Y-%m}", uniques, uniques + 1, uniques * 3, uniques * 9, 4, 17280, 17000, 900)
        )
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
            DIMENSIONS + VISITORS,
            dimensions | {"fct_appearances": self.appearances, "fct_sightings": self.sightings},
        )
        aggregates = _database(
            folder / "aggregates.duckdb",
            DIMENSIONS + AGGREGATES,
            dimensions | {"footfall_hourly": self.hourly, "footfall_daily": self.daily},
        )
        return visitors, aggregates

    def publish(self, lake: FolderLake, folder: Path, *, environment="development", last_captured_at=None):
        visitors, aggregates = (_put(lake, path) for path in self.write(folder))
        captured = [row[5] for row in self.sightings]
        days = [row[8] for row in self.sightings]
        publication = Publication(
            publication_id=hashlib.sha256((visitors.sha256 + aggregates.sha256).encode()).hexdigest(),
            published_at=datetime(2024, 2, 1, 6, tzinfo=UTC),
            environment=environment,
            aggregates=aggregates,
            visitors=visitors,
            inputs_hash="0" * 64,
            asset_versions={},
            first_day=min(days, default=None),
            last_day=max(days, default=None),
            last_captured_at=last_captured_at or max(captured, default=None),
        )
        lake.write(publication_key(publication.publication_id), publication.model_dump_json().encode())
        lake.write(CURRENT_KEY, publication.publication_id.encode())
        return publication


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
def new_store() -> type[HandMade]:
    return HandMade
