"""Bringing `local_visitors`, `identities` and `sightings` up to date; running it again computes nothing."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from footfall_assets.contracts.errors import PermanentFailure
from footfall_assets.contracts.ids import digest_of
from footfall_assets.contracts.registry import LocationMode
from footfall_assets.contracts.schemas import FACES, LOCAL_VISITORS, SIGHTINGS, face_embeddings
from footfall_assets.identity.corrections import splits_at
from footfall_assets.identity.local_visitors import LocalVisitors, day_faces, follow_day, solve_day
from footfall_assets.identity.maps import WindowMaps
from footfall_assets.identity.window_plan import known_places, local_manifests, window_plan
from footfall_assets.identity.zones import areas_digest, drawn_areas, zone_column
from footfall_assets.platform import Outcome, Place, Platform
from footfall_assets.storage.partitions import PartitionManifest
from footfall_assets.storage.parts import Refreshed, refresh_parts

__all__ = [
    "identities_inputs",
    "known_places",
    "local_manifests",
    "local_visitors_inputs",
    "refresh_identities",
    "refresh_local_visitors",
    "refresh_sightings",
    "sightings_inputs",
]

_HASH_IN_NAME: Final = 16  # hexadecimal digits
_BUCKETS: Final = 256  # parts of a day's sightings at most


def local_visitors_inputs(platform: Platform, place: Place) -> str:
    """Return the hash of what `local_visitors` of a place is computed from."""
    upstream = [platform.manifest(asset, place) for asset in ("faces", "face_embeddings")]
    hashes = [manifest.content_hash if manifest else "" for manifest in upstream]
    intervals = sorted(platform.intervals_s(place).items())
    splits = [f"event={event.sequence}:{event.digest}" for event in splits_at(platform.events.active(), place)]
    return digest_of(str(platform.location_mode(place)), *hashes, repr(intervals), *splits)


def refresh_local_visitors(platform: Platform, place: Place) -> Outcome:
    """Bring `local_visitors` of a place up to date with its faces and vectors."""
    target = platform.place_of("local_visitors", place)
    inputs = local_visitors_inputs(platform, place)
    manifest = platform.partitions.manifest(target)
    computed = 0
    if manifest is None or manifest.inputs_hash != inputs:
        solved = _solve(platform, place)
        parts = [
            platform.partitions.write_part(target, "local_visitors", "all", solved.assignments),
            platform.partitions.write_part(target, "templates", "all", solved.templates),
        ]
        manifest = platform.partitions.commit(target, inputs, parts)
        computed = 1
    return Outcome.of(Refreshed(manifest, computed, 1 - computed), "local_visitors")


def _solve(platform: Platform, place: Place) -> LocalVisitors:
    store = platform.partitions
    faces = store.read_table(platform.manifest("faces", place), "faces", FACES)
    day = day_faces(faces, _vectors(platform, place))
    intervals = platform.intervals_s(place)
    mode = platform.location_mode(place)
    if mode is LocationMode.UNIQUE:
        return solve_day(
            day,
            location_id=place.location_id,
            business_day=place.day,
            interval_s=intervals,
            quality=platform.settings.quality,
            linkage=platform.settings.linkage,
            splits=splits_at(platform.events.active(), place),
            probe=platform.probe,
        )
    if mode is LocationMode.OFF and faces.num_rows:
        raise PermanentFailure(f"{place.location_id} is off on {place.day} but has faces; materialise `faces` again")
    return follow_day(
        day,
        location_id=place.location_id,
        business_day=place.day,
        interval_s=intervals,
        linkage=platform.settings.linkage,
    )


def _vectors(platform: Platform, place: Place) -> pa.Table:
    """Return the vectors of a place; parts with vectors of another length are left out, and their faces have none."""
    schema = face_embeddings(platform.embedding_dim)
    manifest = platform.manifest("face_embeddings", place)
    read = [platform.partitions.read_part(part) for part in manifest.parts] if manifest else []
    fitting = [rows.cast(schema) for rows in read if rows.schema.field("vector").type == schema.field("vector").type]
    return pa.concat_tables([schema.empty_table(), *fitting])


def identities_inputs(platform: Platform, places: Sequence[Place], day: date) -> dict[date, str]:
    """Return for each known day of the window up to `day` the hash of everything its identities come from."""
    return dict(window_plan(platform, places, day).inputs)


def refresh_identities(platform: Platform, day: date) -> Outcome:
    """Bring `identities` of a day up to date with all local visitors from the start of its window.

    Days before it that are missing or stale are solved along the way, in memory: the result does not depend on the
    order in which days are materialised.
    """
    store, target = platform.partitions, platform.day_of("identities", day)
    places = known_places(platform)
    plan = window_plan(platform, places, day)
    manifest = store.manifest(target)
    computed = 0
    if manifest is None or manifest.inputs_hash != plan.inputs[day]:
        tables = WindowMaps(platform, places, plan).solved(day)
        parts = [store.write_part(target, table, "all", rows) for table, rows in tables.items()]
        manifest = store.commit(target, plan.inputs[day], parts)
        computed = 1
    return Outcome.of(Refreshed(manifest, computed, 1 - computed), "identities")


def sightings_inputs(
    platform: Platform, places: Sequence[Place], day: date
) -> dict[str, tuple[PartitionManifest, ...]]:
    """Return the `local_visitors` manifests behind each part of a day's `sightings`, by the part's name.

    A part holds one location; on a day of very many, those of one bucket, so that readers open hundreds of files and
    not ten thousand.
    """
    manifests = local_manifests(platform, places, day)
    contents = {name: _content(platform, Place(day, name), each) for name, each in manifests.items()}
    if len(manifests) <= _BUCKETS:
        return {f"{name}.{contents[name][:_HASH_IN_NAME]}": (each,) for name, each in manifests.items()}
    buckets: dict[str, list[str]] = {}
    for location in sorted(manifests):
        buckets.setdefault(f"bucket-{int(digest_of(location), 16) % _BUCKETS:03d}", []).append(location)
    return {
        f"{name}.{digest_of(*(contents[each] for each in several))[:_HASH_IN_NAME]}": tuple(
            manifests[each] for each in several
        )
        for name, several in buckets.items()
    }


def _content(platform: Platform, place: Place, manifest: PartitionManifest) -> str:
    """Return the hash of what a location's sightings come from: an area drawn anew puts its faces elsewhere."""
    areas = areas_digest(drawn_areas(platform.registry, place))
    return digest_of(manifest.content_hash, areas) if areas else manifest.content_hash


def refresh_sightings(platform: Platform, day: date) -> Outcome:
    """Bring `sightings` of a day up to date with the `local_visitors` of all locations."""
    sources = sightings_inputs(platform, known_places(platform, day), day)

    def compute(name: str) -> dict[str, pa.Table]:
        read = partial(platform.partitions.read_table, table="local_visitors", schema=LOCAL_VISITORS)
        return {"sightings": _sightings(platform, pa.concat_tables(read(each) for each in sources[name]), day)}

    target = platform.day_of("sightings", day)
    return Outcome.of(refresh_parts(platform.partitions, target, ("sightings",), sources, compute), "sightings")


def _sightings(platform: Platform, rows: pa.Table, day: date) -> pa.Table:
    embedder = pa.scalar(platform.settings.embedding.embedder)
    columns = [
        *rows.columns,
        pa.repeat(platform.settings.detection.detector, rows.num_rows),
        pc.if_else(rows["local_visitor_id"].is_valid(), embedder, pa.scalar(None, pa.string())),
        pa.repeat(platform.versions.local_visitors, rows.num_rows),
        zone_column(platform, rows, (Place(day, each) for each in pc.unique(rows["location_id"]).to_pylist())),
    ]
    return pa.Table.from_arrays(columns, schema=SIGHTINGS)
