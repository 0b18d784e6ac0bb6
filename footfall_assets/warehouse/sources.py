"""What a warehouse build starts from, and how it enters the build database as the dbt source `raw`.

The inputs are copied into tables: a build sees one state of the lake from its first test to its last, whatever is
replaced or removed meanwhile.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Final, Literal

import duckdb
import pyarrow as pa

from footfall_assets.contracts.calibration import Calibration
from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.imports import REVENUE, SCHEMAS, STAFF, ImportKind
from footfall_assets.contracts.schemas import (
    COVERAGE,
    CUTS,
    FACE_ATTRIBUTES,
    PROVISIONAL,
    SIGHTINGS,
    STRANGERS,
    VISITOR_NUMBERS,
)


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


LOCATIONS: Final = pa.schema(
    [
        _required("location_id", pa.string()),
        _required("name", pa.string()),
        _required("timezone", pa.string()),  # IANA name
        _required("mode", pa.string()),  # off, count_only, unique
        pa.field("legal_basis", pa.string()),
        _required("partition_group", pa.string()),
        _required("valid_from", pa.date32()),
        pa.field("valid_to", pa.date32()),  # exclusive; null while it holds
    ]
)

CAMERAS: Final = pa.schema(
    [
        _required("camera_id", pa.string()),
        _required("location_id", pa.string()),
        _required("name", pa.string()),
        _required("interval_s", pa.float64()),  # seconds between two stills
        _required("filter", pa.string()),
        _required("staff_only", pa.bool_()),
        pa.field("plan_x_m", pa.float64()),  # metres on the store's plan, null where nobody has said
        pa.field("plan_y_m", pa.float64()),
        _required("valid_from", pa.date32()),
        pa.field("valid_to", pa.date32()),  # exclusive; null while it holds
    ]
)

CAMERA_ZONES: Final = pa.schema(
    [
        _required("camera_id", pa.string()),
        _required("valid_from", pa.date32()),  # of the camera's version
        _required("zone", pa.string()),
        _required("is_drawn", pa.bool_()),  # whether its area in the picture is known
    ]
)

CAMERA_GROUPS: Final = pa.schema(
    [
        _required("group_id", pa.string()),
        _required("name", pa.string()),
        _required("camera_id", pa.string()),
    ]
)

# What is switched on, one row a version of a location and attribute.
LOCATION_ATTRIBUTES: Final = pa.schema(
    [
        _required("location_id", pa.string()),
        _required("attribute", pa.string()),  # age, gender, expression
        _required("legal_basis", pa.string()),
        pa.field("notice_since", pa.date32()),
        _required("valid_from", pa.date32()),
        pa.field("valid_to", pa.date32()),  # exclusive; null while it holds
    ]
)

# How labelled people are confused, one row a location, trait, true class and class they got.
ATTRIBUTE_CONFUSION: Final = pa.schema(
    [
        _required("location_id", pa.string()),
        _required("trait", pa.string()),
        _required("true_class", pa.string()),
        _required("labelled_class", pa.string()),
        _required("people", pa.int64()),
        _required("digest", pa.string()),
        _required("origin", pa.string()),
        _required("made_on", pa.date32()),
        pa.field("accuracy", pa.float64()),
        pa.field("coverage", pa.float64()),  # of 90 % intervals, in simulated stores
    ]
)

_IDENTITIES: Final = pa.schema(
    [
        _required("local_visitor_id", pa.uuid()),
        _required("face_id", pa.uuid()),
        _required("linkage_window", pa.string()),
        pa.field("excluded_reason", pa.string()),
    ]
)
_CUTS: Final = CUTS.append(_required("linkage_window", pa.string()))
_STRANGERS: Final = STRANGERS.append(_required("linkage_window", pa.string()))
_PROVISIONAL: Final = PROVISIONAL.append(_required("linkage_window", pa.string()))
_CALIBRATION: Final = pa.schema([_required("digest", pa.string()), _required("document", pa.string())])
_SOURCE_SIGHTINGS: Final = SIGHTINGS.append(_required("business_day", pa.date32()))
_HOME: Final = pa.schema([_required("environment", pa.string()), _required("linkage_window", pa.string())])
_PROVENANCE: Final = pa.schema(
    [
        _required("inputs_hash", pa.string()),
        _required("asset_versions", pa.string()),  # JSON
        _required("rules", pa.string()),  # JSON
    ]
)

_TABLES: Final[Mapping[str, pa.Schema]] = {
    "sightings": _SOURCE_SIGHTINGS,
    "identities": _IDENTITIES,
    "cuts": _CUTS,
    "strangers": _STRANGERS,
    "provisional": _PROVISIONAL,
    "calibration": _CALIBRATION,
    "visitor_numbers": VISITOR_NUMBERS,
    "face_attributes": FACE_ATTRIBUTES,
    "location_attributes": LOCATION_ATTRIBUTES,
    "attribute_confusion": ATTRIBUTE_CONFUSION,
    "coverage": COVERAGE,
    **{kind.table: schema.append(_required("import_sequence", pa.int64())) for kind, schema in SCHEMAS.items()},
    "locations": LOCATIONS,
    "cameras": CAMERAS,
    "camera_zones": CAMERA_ZONES,
    "camera_groups": CAMERA_GROUPS,
    "home": _HOME,
    "provenance": _PROVENANCE,
}

_DUCKDB_TYPES: Final[Mapping[pa.DataType, str]] = {
    pa.uuid(): "uuid",
    pa.string(): "varchar",
    pa.timestamp("us", tz="UTC"): "timestamp with time zone",
    pa.date32(): "date",
    pa.float32(): "real",
    pa.float64(): "double",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.bool_(): "boolean",
    REVENUE: "decimal(18, 2)",
    STAFF: "decimal(9, 2)",
}

_GLOB_CHARACTER: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class SightingsFile:
    """A Parquet file of `contracts.schemas.SIGHTINGS`, all of one business day."""

    path: Path
    business_day: date


@dataclass(frozen=True)
class IdentitiesFile:
    """A Parquet file of `contracts.schemas` `IDENTITIES` or what lies beside it: the newest of one linkage window."""

    path: Path
    linkage_window: str


@dataclass(frozen=True)
class ImportedFile:
    """A Parquet file of `contracts.imports.SCHEMAS`; `sequence` counts the files of its kind from 1."""

    path: Path
    kind: ImportKind
    sequence: int


def _empty(schema: pa.Schema) -> pa.Table:
    return schema.empty_table()


@dataclass(frozen=True)
class WarehouseInputs:
    """Everything one build reads: local files whose hashes the caller has checked, and the registry's rows.

    Attributes:
        sightings: any number of files a day.
        identities: at most one file a linkage window.
        cuts: likewise, for windows that were solved under `calibration`.
        strangers: likewise, of all windows.
        provisional: likewise, of windows whose newest day is provisional.
        calibration: what turns lists into counts, None where there is none.
        coverage: files of `contracts.schemas.COVERAGE`; one row is one batch.
        visitor_numbers: files of `contracts.schemas.VISITOR_NUMBERS`.
        face_attributes: files of `contracts.schemas.FACE_ATTRIBUTES`; none where nothing is switched on.
        location_attributes: rows of `LOCATION_ATTRIBUTES`.
        attribute_confusion: rows of `ATTRIBUTE_CONFUSION`, of the models in use.
        imports: files of other systems, all there ever were; of rows with one key the newest file's count.
        locations: rows of `LOCATIONS`, one per location and version.
        cameras: rows of `CAMERAS`, one per camera and version.
        camera_zones: rows of `CAMERA_ZONES`, one per camera, version and named zone.
        camera_groups: rows of `CAMERA_GROUPS`, one per group and camera.
        environment: of the home; every report prints it.
        linkage_window_kind: how the linkage windows are cut; calendar months.
        inputs_hash: SHA-256 over the content of all of the above; goes into the publication's manifest.
        asset_versions: version of each asset the files come from; goes into the publication's manifest.
        rules: dbt variables (`appearance_gap_s`, `appearance_gap_intervals`, `visit_gap_s`, `least_visitors`,
            `rounding`) that replace the defaults of dbt_project.yml.
    """

    environment: Literal["development", "production"]
    inputs_hash: str
    sightings: tuple[SightingsFile, ...] = ()
    identities: tuple[IdentitiesFile, ...] = ()
    cuts: tuple[IdentitiesFile, ...] = ()
    strangers: tuple[IdentitiesFile, ...] = ()
    provisional: tuple[IdentitiesFile, ...] = ()
    calibration: Calibration | None = None
    coverage: tuple[Path, ...] = ()
    visitor_numbers: tuple[Path, ...] = ()
    face_attributes: tuple[Path, ...] = ()
    location_attributes: pa.Table = field(default_factory=lambda: _empty(LOCATION_ATTRIBUTES))
    attribute_confusion: pa.Table = field(default_factory=lambda: _empty(ATTRIBUTE_CONFUSION))
    imports: tuple[ImportedFile, ...] = ()
    locations: pa.Table = field(default_factory=lambda: _empty(LOCATIONS))
    cameras: pa.Table = field(default_factory=lambda: _empty(CAMERAS))
    camera_zones: pa.Table = field(default_factory=lambda: _empty(CAMERA_ZONES))
    camera_groups: pa.Table = field(default_factory=lambda: _empty(CAMERA_GROUPS))
    linkage_window_kind: Literal["month"] = "month"
    asset_versions: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, int] = field(default_factory=dict)


def load_sources(connection: duckdb.DuckDBPyConnection, inputs: WarehouseInputs) -> dict[str, int]:
    """Replace the schema `raw` by `inputs` in one transaction, and return the rows of each table.

    Raises:
        CorruptObject: a file is no Parquet, or lacks a column, or holds a null or a type that its schema excludes.
    """
    connection.execute("begin")
    try:
        _create_tables(connection)
        _load_files(connection, inputs)
        _load_rows(connection, inputs)
    except (duckdb.Error, pa.ArrowException, ValueError, KeyError) as error:
        connection.execute("rollback")
        raise CorruptObject(
            f"expected warehouse inputs with the columns and types of footfall_assets.contracts.schemas, got: {error}; "
            "materialise the asset that wrote the file again"
        ) from error
    connection.execute("commit")
    return {name: _count(connection, name) for name in _TABLES}


def mark_finished(connection: duckdb.DuckDBPyConnection) -> None:
    """Record that every model was built from the sources now loaded; loading again takes it back."""
    connection.execute("create or replace table raw.finished as select true as is_finished")


def _create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema if not exists raw")
    connection.execute("drop table if exists raw.finished")
    for name, schema in _TABLES.items():
        columns = ", ".join(
            f'"{column.name}" {_DUCKDB_TYPES[column.type]}{"" if column.nullable else " not null"}' for column in schema
        )
        connection.execute(f"create or replace table raw.{name} ({columns})")


def _load_files(connection: duckdb.DuckDBPyConnection, inputs: WarehouseInputs) -> None:
    by_day = sorted(inputs.sightings, key=lambda file: (file.business_day, str(file.path)))
    for day, files in groupby(by_day, key=lambda file: file.business_day):
        _insert(connection, "sightings", (file.path for file in files), business_day=day)
    by_window = {
        "identities": inputs.identities,
        "cuts": inputs.cuts,
        "strangers": inputs.strangers,
        "provisional": inputs.provisional,
    }
    for table, windows in by_window.items():
        for window in sorted(windows, key=lambda file: file.linkage_window):
            _insert(connection, table, (window.path,), linkage_window=window.linkage_window)
    _insert(connection, "coverage", inputs.coverage)
    _insert(connection, "visitor_numbers", inputs.visitor_numbers)
    _insert(connection, "face_attributes", inputs.face_attributes)
    for each in sorted(inputs.imports, key=lambda file: (file.kind, file.sequence)):
        _insert(connection, each.kind.table, (each.path,), import_sequence=each.sequence)


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, paths: Iterable[Path], **constants: date | str | int
) -> None:
    """Append the rows of `paths` to `raw.<table>`; a column named in `constants` gets that value in every row.

    Without `hive_partitioning = false` a folder such as `version=ab` replaces the file's own column `version`.
    """
    files = [_literal_path(path) for path in paths]
    if not files:
        return
    names = [column.name for column in _TABLES[table]]
    values = ", ".join(f"${name}" if name in constants else f'"{name}"' for name in names)
    connection.execute(
        f"insert into raw.{table} select {values} from read_parquet($files, hive_partitioning = false)",  # noqa: S608 - names from our schemas
        {"files": files, **constants},
    )


def _literal_path(path: Path) -> str:
    """Return `path` as a pattern that matches that file only: DuckDB reads every path as a glob."""
    return _GLOB_CHARACTER.sub(lambda character: f"[{character.group()}]", str(path))


def _load_rows(connection: duckdb.DuckDBPyConnection, inputs: WarehouseInputs) -> None:
    home = {"environment": inputs.environment, "linkage_window": inputs.linkage_window_kind}
    provenance = {
        "inputs_hash": inputs.inputs_hash,
        "asset_versions": json.dumps(dict(inputs.asset_versions), sort_keys=True),
        "rules": json.dumps(dict(inputs.rules), sort_keys=True),
    }
    known = [inputs.calibration] if inputs.calibration else []
    calibrations = [{"digest": each.digest, "document": each.model_dump_json()} for each in known]
    tables = {
        "calibration": pa.Table.from_pylist(calibrations, schema=_CALIBRATION),
        "locations": inputs.locations,
        "cameras": inputs.cameras,
        "camera_zones": inputs.camera_zones,
        "camera_groups": inputs.camera_groups,
        "location_attributes": inputs.location_attributes,
        "attribute_confusion": inputs.attribute_confusion,
        "home": pa.Table.from_pylist([home], schema=_HOME),
        "provenance": pa.Table.from_pylist([provenance], schema=_PROVENANCE),
    }
    for name, rows in tables.items():
        connection.register("incoming", rows.select(_TABLES[name].names).cast(_TABLES[name]))
        connection.execute(f"insert into raw.{name} select * from incoming")  # noqa: S608 - names from our schemas
        connection.unregister("incoming")


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    found = connection.execute(f"select count(*) from raw.{table}").fetchone()  # noqa: S608 - names from our schemas
    return 0 if found is None else int(found[0])
