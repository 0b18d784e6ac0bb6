"""From a finished build to what readers open: three database files, a manifest, and the pointer to it.

Files first, then the manifest, then the pointer: whoever follows the pointer finds everything behind it. What was
published before is kept.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import duckdb
from pydantic import ValidationError

from footfall_assets.contracts.ids import digest_of
from footfall_assets.contracts.publication import (
    CURRENT_KEY,
    PUBLICATIONS_PREFIX,
    FileKind,
    Publication,
    PublishedFile,
    publication_key,
)
from footfall_assets.storage.lake import LakeStore
from footfall_assets.warehouse.build import DEFAULT_MEMORY, BuildIncomplete
from footfall_assets.warehouse.content import content_hash
from footfall_assets.warehouse.protection_gate import check_protection

_SHARED_TABLES: Final = (
    "count_source_errors",
    "counted_traffic_hourly",
    "count_calibration",
    "dim_camera_groups",
    "dim_cameras",
    "dim_locations",
    "footfall_daily",
    "provisional_windows",
    "publication_header",
    "sightings_daily",
    "stranger_pairs",
    "unidentified_reasons",
    "window_trees",
)
AGGREGATE_TABLES: Final = (
    *_SHARED_TABLES,
    "attribute_confusion",
    "camera_flows",
    "camera_flows_hourly",
    "camera_visibility",
    "conversion_daily",
    "counted_traffic_daily",
    "coverage_daily",
    "coverage_gaps",
    "coverage_spans",
    "day_trees",
    "days_between_visits",
    "demographics_daily",
    "dim_zones",
    "dwell_by_zone",
    "dwell_by_zone_hourly",
    "dwell_distribution",
    "expression_by_zone",
    "expression_daily",
    "footfall_15s",
    "footfall_hourly",
    "footfall_periods",
    "journeys",
    "location_attributes",
    "loyalty_daily",
    "opening_hours",
    "sales_by_category_daily",
    "staffing_hourly",
    "stores_shared",
    "visit_dwell",
    "visit_frequency",
)
PROTECTED_TABLES: Final = (
    "dim_camera_groups",
    "dim_cameras",
    "dim_locations",
    "protected_footfall",
    "protection_rules",
    "publication_header",
)
VISITOR_TABLES: Final = (
    *_SHARED_TABLES,
    "day_bitmaps",
    "fct_appearances",
    "fct_sightings",
    "fct_visits",
    "local_visitor_cuts",
    "unique_visitor_report",
    "visitor_day",
    "visitor_day_total",
    "visitor_window",
)
TABLES: Final[Mapping[FileKind, tuple[str, ...]]] = {
    FileKind.AGGREGATES: AGGREGATE_TABLES,
    FileKind.VISITORS: VISITOR_TABLES,
    FileKind.PROTECTED: PROTECTED_TABLES,
}

_HEADER: Final = """
select environment, first_business_day, last_business_day, epoch_us(last_captured_at)
from build.main.publication_header
"""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PROVENANCE: Final = "select inputs_hash, asset_versions from build.raw.provenance cross join build.raw.finished"


@dataclass(frozen=True)
class _Facts:
    environment: Literal["development", "production"]
    first_day: date | None
    last_day: date | None
    last_captured_at: datetime | None
    inputs_hash: str
    asset_versions: Mapping[str, str]


def publish(build_path: Path, lake: LakeStore, *, published_at: datetime, memory: str = DEFAULT_MEMORY) -> Publication:
    """Publish the marts of a finished build and return the manifest that `publications/CURRENT` now names.

    A build whose content is already published writes nothing anew: the older manifest is returned, with its own
    `published_at`, and only the pointer moves where it named another publication. A published file that no longer has
    its recorded hash is written again.

    Args:
        build_path: the build database; nobody may be writing it.
        lake: receives `publications/<kind>-<content hash>.duckdb` for each `FileKind`,
            `publications/<publication id>.json` and the pointer, which holds the publication id in ASCII.
        published_at: timezone-aware.
        memory: that DuckDB may use; what does not fit spills to disk beside the build.

    Raises:
        BuildIncomplete: there is no build, or dbt has not built all of the marts.
        CorruptObject: a mart is missing.
        ProtectionBroken: a hidden count could be concluded from what would be published.
    """
    with (
        tempfile.TemporaryDirectory(dir=build_path.parent, prefix="publish-") as folder,
        duckdb.connect(config={"memory_limit": memory, "temp_directory": folder}) as connection,
    ):
        _attach(connection, build_path)
        facts = _facts(connection)
        hashes = {kind: content_hash(connection, tables, database="build") for kind, tables in TABLES.items()}
        publication_id = digest_of("publication", *hashes.values())
        publication = _intact_publication(lake, publication_id)
        if publication is None:
            check_protection(connection)
            files = {
                str(kind): _publish_file(connection, lake, Path(folder), kind=kind, content=content)
                for kind, content in hashes.items()
            }
            publication = Publication(
                publication_id=publication_id,
                published_at=published_at,
                **files,
                environment=facts.environment,
                inputs_hash=facts.inputs_hash,
                asset_versions=dict(facts.asset_versions),
                first_day=facts.first_day,
                last_day=facts.last_day,
                last_captured_at=facts.last_captured_at,
            )
            lake.write(publication_key(publication_id), publication.model_dump_json(indent=2).encode())
    _point_to(lake, publication_id)
    return publication


def inputs_hash_of(build_path: Path) -> str:
    """Return the hash of the inputs that a finished build was made from.

    Raises:
        BuildIncomplete: there is no finished build.
    """
    with duckdb.connect() as connection:
        _attach(connection, build_path)
        return _facts(connection).inputs_hash


def _attach(connection: duckdb.DuckDBPyConnection, build_path: Path) -> None:
    if not build_path.is_file():
        raise BuildIncomplete(f"expected a build database at {build_path}, found none; run: footfall run")
    connection.execute("set threads = 2")
    connection.execute(f"attach {_literal(build_path)} as build (read_only)")


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _facts(connection: duckdb.DuckDBPyConnection) -> _Facts:
    try:
        header = connection.execute(_HEADER).fetchone()
        provenance = connection.execute(_PROVENANCE).fetchone()
    except duckdb.CatalogException as error:
        raise BuildIncomplete(f"expected a finished build, got: {error}; run: footfall run") from error
    if header is None or provenance is None:
        raise BuildIncomplete("expected one row about the home and one about the inputs, got none; run: footfall run")
    environment, first_day, last_day, captured_us = header
    return _Facts(
        environment=environment,
        first_day=first_day,
        last_day=last_day,
        last_captured_at=None if captured_us is None else _moment(captured_us),
        inputs_hash=provenance[0],
        asset_versions=json.loads(provenance[1]),
    )


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _intact_publication(lake: LakeStore, publication_id: str) -> Publication | None:
    """Return the manifest of that publication when it and its files are as they were written."""
    key = publication_key(publication_id)
    if not lake.exists(key):
        return None
    try:
        publication = Publication.model_validate_json(lake.read(key))
    except ValidationError:
        return None
    files = publication.files
    is_whole = files.keys() == TABLES.keys() and all(_is_intact(lake, file) for file in files.values())
    return publication if is_whole else None


def _is_intact(lake: LakeStore, file: PublishedFile) -> bool:
    return lake.exists(file.key) and _sha256_of(lake.local_path(file.key)) == file.sha256


def _publish_file(
    connection: duckdb.DuckDBPyConnection, lake: LakeStore, folder: Path, *, kind: FileKind, content: str
) -> PublishedFile:
    key = f"{PUBLICATIONS_PREFIX}/{kind}-{content}.duckdb"
    unchanged = _published_before(lake, key)
    if unchanged is not None:
        return unchanged
    path = folder / f"{kind}.duckdb"
    _copy_tables(connection, path, TABLES[kind])
    lake.upload(path, key)
    return PublishedFile(key=key, sha256=_sha256_of(path), content_hash=content, size_bytes=path.stat().st_size)


def _published_before(lake: LakeStore, key: str) -> PublishedFile | None:
    """Return the file under `key` when the current publication has it and it is intact."""
    pointer = _pointer(lake)
    current = None if pointer is None else _intact_publication(lake, pointer)
    files = {} if current is None else current.files
    return next((file for file in files.values() if file.key == key), None)


def _copy_tables(connection: duckdb.DuckDBPyConnection, path: Path, tables: tuple[str, ...]) -> None:
    connection.execute(f"attach {_literal(path)} as published")
    for table in tables:
        connection.execute(f'create table published.main."{table}" as from build.main."{table}"')
    connection.execute("detach published")


def _sha256_of(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _pointer(lake: LakeStore) -> str | None:
    """Return the id of the current publication; None when there is none, or the pointer is damaged."""
    if not lake.exists(CURRENT_KEY):
        return None
    pointer = lake.read(CURRENT_KEY).decode("ascii", errors="replace").strip()
    return pointer if re.fullmatch("[0-9a-f]{64}", pointer) else None


def _point_to(lake: LakeStore, publication_id: str) -> None:
    if _pointer(lake) != publication_id:
        lake.write(CURRENT_KEY, publication_id.encode())
