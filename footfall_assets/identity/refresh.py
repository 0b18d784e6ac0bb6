"""Bringing `local_visitors`, `identities` and `sightings` up to date; running it again computes nothing."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import pyarrow as pa

from footfall_assets.contracts.errors import PermanentFailure
from footfall_assets.contracts.ids import digest_of
from footfall_assets.contracts.registry import LocationMode
from footfall_assets.contracts.schemas import (
    FACES,
    IDENTITIES,
    LOCAL_VISITORS,
    SIGHTINGS,
    face_embeddings,
    local_visitor_templates,
)
from footfall_assets.domain.calendar import linkage_window
from footfall_assets.identity.local_visitors import LocalVisitors, day_faces, follow_day, solve_day
from footfall_assets.identity.resolve import resolve
from footfall_assets.platform import Outcome, Place, Platform
from footfall_assets.storage.partitions import PartitionManifest
from footfall_assets.storage.parts import Refreshed, refresh_parts

_HASH_IN_NAME: Final = 16  # hexadecimal digits


def local_visitors_inputs(platform: Platform, place: Place) -> str:
    """Return the hash of what `local_visitors` of a place is computed from."""
    upstream = [platform.manifest(asset, place) for asset in ("faces", "face_embeddings")]
    hashes = [manifest.content_hash if manifest else "" for manifest in upstream]
    intervals = sorted(platform.intervals_s(place).items())
    return digest_of(str(platform.location_mode(place)), *hashes, repr(intervals))


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
    store, dim = platform.partitions, platform.embedding_dim
    faces = store.read_table(platform.manifest("faces", place), "faces", FACES)
    vectors = store.read_table(platform.manifest("face_embeddings", place), "face_embeddings", face_embeddings(dim))
    day = day_faces(faces, vectors)
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


def known_places(platform: Platform) -> tuple[Place, ...]:
    """Return every place that has `local_visitors` in the active version, sorted."""
    found = platform.partitions.places("local_visitors", platform.versions.local_visitors)
    return tuple(Place(each.day, each.location_id) for each in found if each.location_id)


def local_manifests(platform: Platform, places: Sequence[Place], day: date) -> dict[str, PartitionManifest]:
    """Return the `local_visitors` manifests of one day by location."""
    found = {place.location_id: platform.manifest("local_visitors", place) for place in places if place.day == day}
    return {location: manifest for location, manifest in found.items() if manifest}


def identities_inputs(platform: Platform, places: Sequence[Place], day: date) -> dict[date, str]:
    """Return for each known day of the window up to `day` the hash of everything its identities come from.

    Each day's hash covers the days before it: late data changes it from its own day on, and on no day before.
    """
    window = linkage_window(day)
    days = sorted({place.day for place in places if window.first_day <= place.day <= day} | {day})
    hashes: dict[date, str] = {}
    chain = ""
    for each in days:
        contents = local_manifests(platform, places, each)
        chain = digest_of(
            chain, each.isoformat(), *(f"{name}={contents[name].content_hash}" for name in sorted(contents))
        )
        hashes[each] = chain
    return hashes


def refresh_identities(platform: Platform, day: date) -> Outcome:
    """Bring `identities` of a day up to date with all local visitors from the start of its window.

    Days before it that are missing or stale are solved along the way, in memory: the result does not depend on the
    order in which days are materialised.
    """
    store, target = platform.partitions, platform.day_of("identities", day)
    places = known_places(platform)
    inputs = identities_inputs(platform, places, day)
    manifest = store.manifest(target)
    computed = 0
    if manifest is None or manifest.inputs_hash != inputs[day]:
        table = _solve_window(platform, places, inputs)
        part = store.write_part(target, "identities", "all", table)
        manifest = store.commit(target, inputs[day], [part])
        computed = 1
    return Outcome.of(Refreshed(manifest, computed, 1 - computed), "identities")


def _solve_window(platform: Platform, places: Sequence[Place], inputs: dict[date, str]) -> pa.Table:
    """Return the identities of the newest day of `inputs`, starting from the newest day that is stored and right."""
    store = platform.partitions
    names = IDENTITIES.empty_table()
    templates = [local_visitor_templates(platform.embedding_dim).empty_table()]
    for day, expected in inputs.items():
        manifests = local_manifests(platform, places, day)
        templates += [
            store.read_table(manifest, "templates", templates[0].schema) for _, manifest in sorted(manifests.items())
        ]
        stored = store.manifest(platform.day_of("identities", day))
        if stored and stored.inputs_hash == expected:
            names = store.read_table(stored, "identities", IDENTITIES)
        else:
            names = resolve(pa.concat_tables(templates), names, day, platform.settings.linkage)
    return names


def sightings_inputs(platform: Platform, places: Sequence[Place], day: date) -> dict[str, PartitionManifest]:
    """Return the `local_visitors` manifest behind each part of a day's `sightings`, by the part's name."""
    return {
        f"{location}.{manifest.content_hash[:_HASH_IN_NAME]}": manifest
        for location, manifest in local_manifests(platform, places, day).items()
    }


def refresh_sightings(platform: Platform, day: date) -> Outcome:
    """Bring `sightings` of a day up to date with the `local_visitors` of all locations."""
    sources = sightings_inputs(platform, known_places(platform), day)

    def compute(name: str) -> dict[str, pa.Table]:
        rows = platform.partitions.read_table(sources[name], "local_visitors", LOCAL_VISITORS)
        return {"sightings": _sightings(platform, rows)}

    target = platform.day_of("sightings", day)
    return Outcome.of(refresh_parts(platform.partitions, target, ("sightings",), sources, compute), "sightings")


def _sightings(platform: Platform, rows: pa.Table) -> pa.Table:
    embedded = rows["local_visitor_id"].is_valid().to_pylist()
    embedder = platform.settings.embedding.embedder
    columns = [
        *rows.columns,
        pa.array([platform.settings.detection.detector] * rows.num_rows, pa.string()),
        pa.array([embedder if each else None for each in embedded], pa.string()),
        pa.array([platform.versions.local_visitors] * rows.num_rows, pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=SIGHTINGS)
