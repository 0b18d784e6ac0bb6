"""A hand-made home: two stores and a kiosk whose figures are easy to count, and a crowd that no one wants to count."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from footfall_assets.contracts import ids, schemas
from footfall_assets.contracts.calibration import Calibration, CountWeights, Evaluation
from footfall_assets.contracts.imports import ImportKind
from footfall_assets.contracts.registry import Location, Registry
from footfall_assets.domain.calendar import business_day, linkage_window
from footfall_assets.imports.import_file import parse_csv
from footfall_assets.warehouse.build import WarehouseBuild, build_warehouse
from footfall_assets.warehouse.project import default_project_dir
from footfall_assets.warehouse.sources import (
    CAMERA_GROUPS,
    CAMERAS,
    LOCATIONS,
    IdentitiesFile,
    ImportedFile,
    SightingsFile,
    WarehouseInputs,
)

FIRST_DAY = date(2023, 1, 1)


def hand_made_calibration() -> Calibration:
    """A calibration that says nothing: only its way into the publication is looked at."""
    count = CountWeights(
        centre=(), scale=(), weight=(), intercept=0, spread=(0, 0, 0), low={}, high={}, listed=(1, 2), feature_ranges=()
    )
    return Calibration(
        embedder="dlib",
        origin="by hand",
        made_on=FIRST_DAY,
        window_max_distance=0.06,
        cuts=tuple(0.03 + 0.005 * number for number in range(11)),
        probe=None,
        count=count,
        evaluation=Evaluation(people=1, stores=1, median_error=0, coverage={}, median_width=0, false_match_rate=1e-4),
    )


def table_of(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Arrow cannot build lists of UUIDs from Python objects: build plain binary, then cast."""

    def plain(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_list(kind):
            return pa.list_(plain(kind.value_type))
        return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind

    columns = []
    for column in schema:
        values = [row[column.name] for row in rows]
        array = pa.array([_plain_value(value) for value in values], plain(column.type))
        if pa.types.is_list(column.type) and isinstance(column.type.value_type, pa.BaseExtensionType):
            inner = pa.ExtensionArray.from_storage(column.type.value_type, array.values)
            array = pa.ListArray.from_arrays(array.offsets, inner)
        elif isinstance(column.type, pa.BaseExtensionType):
            array = pa.ExtensionArray.from_storage(column.type, array)
        columns.append(array)
    return pa.Table.from_arrays(columns, schema=schema)


def _plain_value(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.bytes
    return [_plain_value(item) for item in value] if isinstance(value, list) else value


@dataclass
class Home:
    """Collects rows by day and window, and writes them as the lake would."""

    timezones: dict[str, str] = field(default_factory=dict)
    locations: list[dict[str, Any]] = field(default_factory=list)
    cameras: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    sightings: dict[date, list[dict[str, Any]]] = field(default_factory=dict)
    identities: dict[str, dict[UUID, dict[str, Any]]] = field(default_factory=dict)
    numbers: dict[tuple[str, UUID], dict[str, Any]] = field(default_factory=dict)
    batches: list[dict[str, Any]] = field(default_factory=list)
    excluded: dict[str, str] = field(default_factory=dict)  # reason by person
    calibration: Calibration | None = None
    imported: list[tuple[ImportKind, str]] = field(default_factory=list)  # CSV files, oldest first

    def add_location(self, location_id: str, name: str, *, timezone: str, mode: str = "unique") -> None:
        self.timezones[location_id] = timezone
        self.locations.append(
            {
                "location_id": location_id,
                "name": name,
                "timezone": timezone,
                "mode": mode,
                "legal_basis": "development",
                "partition_group": location_id,
                "valid_from": FIRST_DAY,
                "valid_to": None,
            }
        )

    def add_camera(
        self, camera_id: str, location_id: str, *, interval_s: float = 2.0, staff_only: bool = False
    ) -> None:
        self.cameras.append(
            {
                "camera_id": camera_id,
                "location_id": location_id,
                "name": camera_id.title(),
                "interval_s": interval_s,
                "filter": "face",
                "staff_only": staff_only,
                "valid_from": FIRST_DAY,
                "valid_to": None,
            }
        )

    def location_of(self, camera_id: str) -> str:
        return next(camera["location_id"] for camera in self.cameras if camera["camera_id"] == camera_id)

    def see(
        self,
        camera_id: str,
        moment: datetime,
        *,
        who: str | None = None,
        reason: str | None = None,
        zone: str | None = None,
    ) -> None:
        """Add one sighting; `who` is a person, None a face without a visitor; `zone` a drawn one."""
        location_id = self.location_of(camera_id)
        day = business_day(moment, self.timezones[location_id])
        image = ids.image_id(camera_id, moment, "0" * 64)
        rows = self.sightings.setdefault(day, [])
        rows.append(
            {
                "face_image_id": ids.face_image_id(image, (float(len(rows)), 0.0, 50.0, 50.0)),
                "image_id": image,
                "camera_id": camera_id,
                "location_id": location_id,
                "captured_at": moment,
                "local_visitor_id": None if who is None else self._identify(who, location_id, day),
                "match_score": None if who is None else 0.75,
                "unidentified_reason": reason,
                "detector": "centerface",
                "embedder": "dlib",
                "version": "v1",
                "zone": zone,
            }
        )

    def _identify(self, who: str, location_id: str, day: date) -> UUID:
        window = linkage_window(day).label
        face_id = ids.minted_face_id(window, day.replace(day=1), UUID(ids.digest_of(who)[:32]))
        local = ids.local_visitor_id(location_id, day, UUID(ids.digest_of(who)[:32]))
        self.identities.setdefault(window, {})[local] = {
            "local_visitor_id": local,
            "face_id": face_id,
            "location_id": location_id,
            "day": day,
            "match_score": 0.9,
            "minted_on": day,
            "merged_from": [face_id],
            "split_from": None,
            "excluded_reason": self.excluded.get(who),
        }
        number = {"linkage_window": window, "face_id": face_id, "ordinal": 0, "visitor_id": f"{who}-{window}"}
        self.numbers[window, face_id] = number
        return local

    def exclude(self, who: str, reason: str) -> None:
        """Let a person leave all counts, with what was seen of it so far and what will be."""
        self.excluded[who] = reason
        faces = {face for (window, face), row in self.numbers.items() if row["visitor_id"] == f"{who}-{window}"}
        for found in self.identities.values():
            for row in found.values():
                if row["face_id"] in faces:
                    row["excluded_reason"] = reason

    def cover(
        self, camera_id: str, opened_at: datetime, *, hours: float, captured: int = 1800, lost_before: int = 0
    ) -> None:
        """Add one batch; `lost_before` numbers were used before it for batches that never came."""
        location_id = self.location_of(camera_id)
        last = max((each["sequence"] for each in self.batches if each["camera_id"] == camera_id), default=0)
        self.batches.append(
            {
                "batch_id": ids.batch_id(camera_id, opened_at, ()),
                "camera_id": camera_id,
                "location_id": location_id,
                "device_id": "box-1",
                "sequence": last + lost_before + 1,
                "day": business_day(opened_at, self.timezones[location_id]),
                "opened_at": opened_at,
                "closed_at": opened_at + timedelta(hours=hours),
                "interval_s": 2.0,
                "frames_expected": 1800,
                "frames_captured": captured,
                "frames_kept": min(3, captured),
                "images_quarantined": 0,
            }
        )

    def import_csv(self, kind: ImportKind, *lines: str) -> None:
        """Add a file of another system; its first line is the header."""
        self.imported.append((kind, "\n".join(lines)))

    def _write_imports(self, folder: Path) -> tuple[ImportedFile, ...]:
        registry = Registry(
            locations=tuple(
                Location(
                    location_id=each["location_id"],
                    name=each["name"],
                    timezone=each["timezone"],
                    partition_group=each["location_id"],
                    valid_from=FIRST_DAY,
                )
                for each in self.locations
            )
        )
        files = []
        for number, (kind, text) in enumerate(self.imported, start=1):
            parsed = parse_csv(kind, "file.csv", text.encode(), registry=registry, now=datetime(2024, 6, 1, tzinfo=UTC))
            assert not parsed.set_aside, parsed.set_aside
            path = folder / f"{kind}-{number}.parquet"
            pq.write_table(parsed.rows, path)
            files.append(ImportedFile(path, kind, number))
        return tuple(files)

    def write(self, folder: Path, *, seed: int = 0, inputs_hash: str = "a" * 64) -> WarehouseInputs:
        """Write the home's files; `seed` shuffles the rows and cuts the days into other files."""
        folder.mkdir(parents=True, exist_ok=True)
        order = random.Random(seed)  # noqa: S311 - test data
        sightings = []
        for day, rows in self.sightings.items():
            shuffled = order.sample(rows, len(rows))
            cut = order.randint(0, len(rows) - 1)
            for number, part in enumerate((shuffled[:cut], shuffled[cut:])):
                path = folder / f"sightings-{day}-{number}.parquet"
                pq.write_table(table_of(part, schemas.SIGHTINGS), path)
                sightings.append(SightingsFile(path, day))
        identities = []
        for window, found in self.identities.items():
            path = folder / f"identities-{window}.parquet"
            pq.write_table(table_of(order.sample(list(found.values()), len(found)), schemas.IDENTITIES), path)
            identities.append(IdentitiesFile(path, window))
        cuts = [self._write_cuts(folder, window, order) for window in self.identities] if self.calibration else []
        numbers, coverage = folder / "numbers.parquet", folder / "coverage.parquet"
        pq.write_table(table_of(list(self.numbers.values()), schemas.VISITOR_NUMBERS), numbers)
        pq.write_table(table_of(self.batches, schemas.COVERAGE), coverage)
        return WarehouseInputs(
            environment="development",
            inputs_hash=inputs_hash,
            sightings=tuple(order.sample(sightings, len(sightings))),
            identities=tuple(identities),
            cuts=tuple(cuts),
            calibration=self.calibration,
            coverage=(coverage,),
            visitor_numbers=(numbers,),
            imports=self._write_imports(folder),
            locations=pa.Table.from_pylist(self.locations, schema=LOCATIONS),
            cameras=pa.Table.from_pylist(self.cameras, schema=CAMERAS),
            camera_groups=pa.Table.from_pylist(self.groups, schema=CAMERA_GROUPS),
            asset_versions={"sightings": "v1", "identities": "v2"},
        )

    def _write_cuts(self, folder: Path, window: str, order: random.Random) -> IdentitiesFile:
        """Write the clusters of a window: one each at the first cut, one an identity after it, all one at the last."""
        found = sorted(self.identities[window].values(), key=lambda row: row["local_visitor_id"])
        faces = sorted({row["face_id"] for row in found})
        rows = [
            {
                "local_visitor_id": row["local_visitor_id"],
                **dict.fromkeys(schemas.CUT_COLUMNS, faces.index(row["face_id"])),
                "cut_01": number,
                "cut_11": 0,
            }
            for number, row in enumerate(found)
        ]
        path = folder / f"cuts-{window}.parquet"
        pq.write_table(table_of(order.sample(rows, len(rows)), schemas.CUTS), path)
        return IdentitiesFile(path, window)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hand_made_home() -> Home:
    """Figures in `test_build.py` are counted by hand from this."""
    home = Home()
    home.add_location("store-101", "Store #101", timezone="Europe/Berlin")
    home.add_location("store-203", "Store #203", timezone="America/New_York")
    home.add_location("kiosk", "Kiosk", timezone="Asia/Kolkata", mode="count_only")
    home.add_camera("door", "store-101")
    home.add_camera("till", "store-101", interval_s=30.0)
    home.add_camera("gate", "store-203")
    home.add_camera("desk", "kiosk")
    home.groups += [{"group_id": "entrances", "name": "Entrances", "camera_id": name} for name in ("door", "gate")]

    # Ada: two appearances at the door and one at the till on one visit, and a second visit in the evening.
    for second in (0, 2, 4):
        home.see("door", utc("2024-01-02 09:00:00") + timedelta(seconds=second), who="ada")
    home.see("till", utc("2024-01-02 09:05:00"), who="ada")
    home.see("till", utc("2024-01-02 09:07:00"), who="ada")
    home.see("door", utc("2024-01-02 09:10:00"), who="ada")
    home.see("door", utc("2024-01-02 15:00:00"), who="ada")
    # ... and one at the other store on the next day, and in the next window.
    home.see("gate", utc("2024-01-03 15:00:00"), who="ada")
    home.see("gate", utc("2024-02-01 15:00:00"), who="ada")
    # Bob: around the local midnight of New York, 05:00 UTC.
    home.see("gate", utc("2024-01-03 04:59:59"), who="bob")
    home.see("gate", utc("2024-01-03 05:00:01"), who="bob")
    home.see("door", utc("2024-01-02 09:30:00"), reason="too_small")
    home.see("desk", utc("2024-01-02 06:00:00"), reason="count_only")
    home.see("desk", utc("2024-01-02 06:45:00"), reason="count_only")

    home.cover("door", utc("2024-01-02 08:00:00"), hours=4)
    home.cover("till", utc("2024-01-02 09:00:00"), hours=1, captured=900)
    home.cover("door", utc("2024-01-04 09:00:00"), hours=1, lost_before=2)
    home.cover("door", utc("2024-01-05 09:00:00"), hours=1, captured=0)
    return home


def add_imports(home: Home) -> None:
    """Add files of other systems, one of them corrected by a later one; `test_traffic.py` counts by hand from this."""
    home.import_csv(
        ImportKind.OPENING_HOURS,
        "location,weekday,date,opens,closes",
        "store-101,tue,,09:30,18:00",
        "store-101,fri,,,",
        "berlin,sun,,00:00,24:00",
    )
    home.import_csv(
        ImportKind.STAFF,
        "location,date,from,to,staff",
        "store-101,2024-01-02,10:00,12:00,9",
        "berlin,2024-03-31,00:00,24:00,1",
    )
    home.import_csv(ImportKind.STAFF, "location,date,from,to,staff", "store-101,2024-01-02,10:00,11:30,2")
    home.import_csv(
        ImportKind.SALES,
        "location,date,hour,transactions,items,revenue,category",
        "store-101,2024-01-02,10,1,2,30.00,",
        "store-101,2024-01-02,10,1,2,30.00,Hats",
        "store-101,2024-01-05,10,4,,,",
    )
    home.import_csv(
        ImportKind.COUNTS,
        "timestamp,location,source,in,out",
        "2024-01-02T10:00,store-101,mat,3,1",
        "2024-01-02T10:30,store-101,mat,2,1",
        "2024-01-02T20:00,store-101,mat,7,7",
    )


# Just under, at and over both gaps, at cameras of three speeds, and nights in between.
GAPS_S = (0.5, 2, 59.999999, 60, 60.000001, 159.999999, 160, 160.000001, 3600, 10799.999999, 10800, 10800.000001, 20000)


def add_crowd(home: Home, *, people: int = 40, sightings_each: int = 40, seed: int = 7) -> None:
    """Add visitors of two stores who come and go at random, over a clock change and into another window."""
    chance = random.Random(seed)  # noqa: S311 - test data
    for location_id, timezone in (("berlin", "Europe/Berlin"), ("kolkata", "Asia/Kolkata")):
        home.add_location(location_id, location_id.title(), timezone=timezone)
        for interval_s in (2.0, 10.0, 40.0):
            home.add_camera(f"{location_id}-{interval_s:.0f}", location_id, interval_s=interval_s)
    cameras = [camera["camera_id"] for camera in home.cameras if camera["location_id"] in ("berlin", "kolkata")]
    for person in range(people):
        moment = utc("2024-03-30 18:00:00") + timedelta(seconds=chance.randint(0, 86400))
        for _ in range(sightings_each):
            home.see(chance.choice(cameras), moment, who=f"crowd{person}")
            moment += timedelta(seconds=chance.choice(GAPS_S))


@dataclass(frozen=True)
class Built:
    home: Home
    inputs: WarehouseInputs
    build: WarehouseBuild
    target_path: Path

    def rows(self, sql: str, **parameters: object) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.build.path, read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql, parameters).fetchall()


@pytest.fixture(scope="session")
def target_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp() / "dbt_target"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, target_path: Path) -> Built:
    """One real build of the hand-made home and the crowd, shared by everything that only reads it."""
    folder = tmp_path_factory.mktemp("home")
    home = hand_made_home()
    add_crowd(home)
    add_imports(home)
    home.calibration = hand_made_calibration()
    inputs = home.write(folder / "lake", seed=1)
    build = build_warehouse(folder / "warehouse", inputs, project_dir=default_project_dir(), target_path=target_path)
    return Built(home, inputs, build, target_path)


@pytest.fixture(scope="session")
def new_home() -> Callable[[], Home]:
    return hand_made_home


@pytest.fixture(scope="session")
def new_calibration() -> Callable[[], Calibration]:
    return hand_made_calibration
