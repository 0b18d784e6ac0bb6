"""From the lake to a warehouse build: which files it reads, their hashes checked, and the hash of it all."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from footfall_assets.contracts.ids import digest_of, sha256_hex
from footfall_assets.contracts.imports import ImportKind
from footfall_assets.contracts.registry import Camera, Location, Registry
from footfall_assets.identity.visitor_numbers import ledger_place, newest_identities
from footfall_assets.platform import Platform
from footfall_assets.storage.import_store import ImportStore, ledgers
from footfall_assets.storage.lake import LakeStore
from footfall_assets.storage.partitions import PartitionManifest, PartitionPlace, PartRef, verify_part
from footfall_assets.warehouse.attribute_inputs import calibrations_in_use, measured_confusion, switched_on
from footfall_assets.warehouse.project import default_project_dir, project_fingerprint
from footfall_assets.warehouse.sources import (
    CAMERA_GROUPS,
    CAMERA_ZONES,
    CAMERAS,
    LOCATIONS,
    IdentitiesFile,
    ImportedFile,
    SightingsFile,
    WarehouseInputs,
)

_BUILT_FROM_KEY: Final = "publications/built-from.json"


def built_from(lake: LakeStore) -> str | None:
    """Return the inputs hash that the current publication was built from, or None before the first build."""
    if not lake.exists(_BUILT_FROM_KEY):
        return None
    return str(json.loads(lake.read(_BUILT_FROM_KEY))["inputs_hash"])


def record_built_from(lake: LakeStore, inputs_hash: str, publication_id: str) -> None:
    """Remember what the current publication was built from: other inputs may give the same content."""
    document = json.dumps({"inputs_hash": inputs_hash, "publication_id": publication_id}, indent=1)
    lake.write(_BUILT_FROM_KEY, document.encode())


def warehouse_inputs_hash(platform: Platform) -> str | None:
    """Return the hash of everything a build would read now, or None where there is nothing to build from.

    What other systems counted is something: a location may have a door counter and no camera.
    """
    manifests, imported = list(_manifests(platform)), ledgers(platform.lake)
    if not manifests and all(ledger.kind is not ImportKind.COUNTS for ledger in imported):
        return None
    registry = platform.registry.model_dump_json(exclude={"revision", "devices"})
    hashes = sorted(f"{manifest.asset}={manifest.content_hash}" for manifest in manifests)
    calibration = [f"calibration={platform.calibration.digest}"] if platform.calibration else []
    imports = [f"imports={ledger.digest}" for ledger in imported]
    settings = platform.settings
    rules = [each.model_dump_json() for each in (settings.counting, settings.protection, settings.counters)]
    confusions = sorted(f"confusion={each.digest}" for each in calibrations_in_use(platform).values())
    models = f"models={project_fingerprint(default_project_dir())}"  # other marts of the same data are another answer
    return digest_of(registry, models, *rules, *hashes, *calibration, *imports, *confusions)


def collect_inputs(platform: Platform) -> WarehouseInputs:
    """Return what a build reads now; every file's hash has been checked.

    Raises:
        CorruptObject: a file is not what was written.
    """
    registry, windows = platform.registry, newest_identities(platform)

    def of_windows(table: str) -> tuple[IdentitiesFile, ...]:
        return tuple(
            IdentitiesFile(path, window.label)
            for window, manifest in windows.items()
            for path in _verified(platform, manifest, table)
        )

    return WarehouseInputs(
        environment=platform.settings.environment,
        inputs_hash=warehouse_inputs_hash(platform) or digest_of(),
        sightings=tuple(
            SightingsFile(path, day)
            for day, manifest in _by_day(platform, "sightings").items()
            for path in _verified(platform, manifest, "sightings")
        ),
        identities=of_windows("identities"),
        cuts=of_windows("cuts"),
        strangers=of_windows("strangers"),
        provisional=of_windows("provisional"),
        calibration=platform.calibration,
        coverage=tuple(path for manifest in _images(platform) for path in _verified(platform, manifest, "coverage")),
        visitor_numbers=tuple(
            path for manifest in _ledgers(platform) for path in _verified(platform, manifest, "visitor_numbers")
        ),
        face_attributes=tuple(
            path for manifest in _attributes(platform) for path in _verified(platform, manifest, "face_attributes")
        ),
        location_attributes=switched_on(registry),
        attribute_confusion=measured_confusion(calibrations_in_use(platform)),
        imports=_imported(platform.lake),
        locations=pa.Table.from_pylist(_location_rows(registry), schema=LOCATIONS),
        cameras=pa.Table.from_pylist(_camera_rows(registry), schema=CAMERAS),
        camera_zones=pa.Table.from_pylist(_zone_rows(registry), schema=CAMERA_ZONES),
        camera_groups=pa.Table.from_pylist(_group_rows(registry), schema=CAMERA_GROUPS),
        asset_versions=platform.versions.as_dict(),
        rules=(
            platform.settings.counting.model_dump()
            | platform.settings.protection.model_dump()
            | platform.settings.counters.model_dump()
        ),
    )


def _imported(lake: LakeStore) -> tuple[ImportedFile, ...]:
    store = ImportStore(lake)
    return tuple(
        ImportedFile(store.rows_path(record), ledger.kind, record.sequence)
        for ledger in ledgers(lake)
        for record in ledger.records
        if record.rows
    )


def _manifests(platform: Platform) -> Iterator[PartitionManifest]:
    yield from _by_day(platform, "sightings").values()
    yield from newest_identities(platform).values()
    yield from _images(platform)
    yield from _attributes(platform)
    yield from _ledgers(platform)


def _by_day(platform: Platform, asset: str) -> dict[date, PartitionManifest]:
    return {place.day: manifest for place, manifest in _materialised(platform, asset)}


def _images(platform: Platform) -> list[PartitionManifest]:
    return [manifest for _, manifest in _materialised(platform, "images")]


def _attributes(platform: Platform) -> list[PartitionManifest]:
    return [manifest for _, manifest in _materialised(platform, "face_attributes")]


def _materialised(platform: Platform, asset: str) -> Iterator[tuple[PartitionPlace, PartitionManifest]]:
    for place in platform.partitions.places(asset, platform.versions.as_dict()[asset]):
        manifest = platform.partitions.manifest(place)
        if manifest:
            yield place, manifest


def _ledgers(platform: Platform) -> list[PartitionManifest]:
    found = (platform.partitions.manifest(ledger_place(platform, window)) for window in newest_identities(platform))
    return [manifest for manifest in found if manifest]


def _verified(platform: Platform, manifest: PartitionManifest, table: str) -> list[Path]:
    return [_verified_path(platform.lake, part) for part in manifest.parts if part.table == table and part.rows]


def _verified_path(lake: LakeStore, part: PartRef) -> Path:
    path = lake.local_path(part.key)
    verify_part(part, sha256_hex(path.read_bytes()))
    return path


def _location_rows(registry: Registry) -> list[dict[str, Any]]:
    versions = registry.versions_of_location
    return [
        location.model_dump(mode="python", exclude={"notice_since", "assessment"})
        | {"mode": str(location.mode), "valid_to": _valid_to(location, versions[location.location_id])}
        for location in registry.locations
    ]


def _camera_rows(registry: Registry) -> list[dict[str, Any]]:
    versions = registry.versions_of_camera
    return [
        camera.model_dump(mode="python", exclude={"zones", "plan_position"})
        | {"filter": str(camera.filter), "valid_to": _valid_to(camera, versions[camera.camera_id])}
        | dict(zip(("plan_x_m", "plan_y_m"), camera.plan_position or (None, None), strict=True))
        for camera in registry.cameras
    ]


def _zone_rows(registry: Registry) -> list[dict[str, Any]]:
    return [
        {
            "camera_id": camera.camera_id,
            "valid_from": camera.valid_from,
            "zone": zone,
            "is_drawn": any(area.name == zone for area in camera.areas),
        }
        for camera in registry.cameras
        for zone in dict.fromkeys(camera.zones)
    ]


def _group_rows(registry: Registry) -> list[dict[str, Any]]:
    return [
        {"group_id": group.group_id, "name": group.name, "camera_id": camera}
        for group in registry.camera_groups
        for camera in group.camera_ids
    ]


def _valid_to(record: Location | Camera, versions: Sequence[Location] | Sequence[Camera]) -> date | None:
    """Return the day the next of the versions of one record takes over, or None."""
    return min((other.valid_from for other in versions if other.valid_from > record.valid_from), default=None)
