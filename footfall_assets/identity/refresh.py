"""Bringing `local_visitors`, `identities` and `sightings` up to date; running it again computes nothing."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

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
from footfall_assets.domain.strangers import Strangers
from footfall_assets.identity.corrections import (
    NO_CORRECTIONS,
    AnchoredVisitors,
    Corrections,
    day_lines,
    of_window,
    splits_at,
    window_corrections,
)
from footfall_assets.identity.local_visitors import LocalVisitors, day_faces, follow_day, solve_day
from footfall_assets.identity.resolve import NO_NAMES, Names, solve
from footfall_assets.identity.staff import staff_lines, stills_at_staff_cameras, with_exclusions
from footfall_assets.identity.strangers import certain_strangers, strangers_table
from footfall_assets.identity.window import WindowVisitors, impossible_pairs
from footfall_assets.platform import Outcome, Place, Platform
from footfall_assets.storage.partitions import PartitionManifest
from footfall_assets.storage.parts import Refreshed, refresh_parts

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


def known_places(platform: Platform, day: date | None = None) -> tuple[Place, ...]:
    """Return every place that has `local_visitors` in the active version, sorted; those of one day, where given."""
    found = platform.partitions.places("local_visitors", platform.versions.local_visitors, day)
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
    events, registry = of_window(platform.events.active(), window), platform.registry
    hashes: dict[date, str] = {}
    chain = ""
    for each in days:
        contents = local_manifests(platform, places, each)
        chain = digest_of(
            chain,
            each.isoformat(),
            *(f"{name}={contents[name].content_hash}" for name in sorted(contents)),
            *day_lines(events, each),
            *staff_lines(registry, places, each, platform.settings.staff),
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
        table, cuts, corrections, strangers = _solve_window(platform, places, inputs)
        parts = [
            store.write_part(target, "identities", "all", table),
            store.write_part(target, "strangers", "all", strangers_table(strangers)),
        ]
        if platform.cuts:
            parts.append(store.write_part(target, "cuts", "all", cuts))
        if corrections.fates:
            parts.append(store.write_part(target, "corrections", "all", corrections.table()))
        manifest = store.commit(target, inputs[day], parts)
        computed = 1
    return Outcome.of(Refreshed(manifest, computed, 1 - computed), "identities")


def _solve_window(
    platform: Platform, places: Sequence[Place], inputs: dict[date, str]
) -> tuple[pa.Table, pa.Table, Corrections, Strangers]:
    """Return the identities of the newest day of `inputs`, starting from the newest day that is stored and right.

    With them their clusters at the cuts, what the correction events of the window came to on that day, and how often
    certain strangers match.
    """
    registry = platform.registry
    anchored = AnchoredVisitors(platform)
    window, corrections = linkage_window(max(inputs)), NO_CORRECTIONS
    events = of_window(platform.events.active(), window)
    linkage, newest = platform.settings.linkage, max(inputs)
    everybody = WindowVisitors.of(_templates(platform, places, inputs), linkage, platform.cuts)
    names, stale = _newest_names(platform, inputs)
    for day in stale:
        visitors = everybody.until(day)
        corrections = window_corrections(events, day, anchored, partial(impossible_pairs, visitors.rows))
        solution = solve(visitors, names, day, linkage, corrections, platform.cuts if day == newest else ())
        names = solution.names
    inside = [place for place in places if window.first_day <= place.day <= max(inputs)]
    table = with_exclusions(
        solution.table(everybody),
        everybody.rows,
        by_event=corrections.excluded,
        staff_stills=stills_at_staff_cameras(platform, inside, registry),
        registry=registry,
        settings=platform.settings.staff,
    )
    strangers = certain_strangers(everybody, linkage.window_max_distance)
    return table, solution.cuts(everybody), corrections, strangers


def _templates(platform: Platform, places: Sequence[Place], days: Iterable[date]) -> Iterator[pa.Table]:
    """Yield the templates of each day, so that no more than one day's are held as they are stored."""
    store, schema = platform.partitions, local_visitor_templates(platform.embedding_dim)
    yield schema.empty_table()
    for day in days:
        manifests = local_manifests(platform, places, day)
        read = [store.read_table(manifest, "templates", schema) for _, manifest in sorted(manifests.items())]
        yield pa.concat_tables([schema.empty_table(), *read])


def _newest_names(platform: Platform, inputs: dict[date, str]) -> tuple[Names, list[date]]:
    """Return the names of the newest day that is stored and right, and the days after it, of which there is one."""
    store, days = platform.partitions, list(inputs)
    for position in range(len(days) - 2, -1, -1):
        stored = store.manifest(platform.day_of("identities", days[position]))
        if stored and stored.inputs_hash == inputs[days[position]]:
            return Names.of(store.read_table(stored, "identities", IDENTITIES)), days[position + 1 :]
    return NO_NAMES, days


def sightings_inputs(
    platform: Platform, places: Sequence[Place], day: date
) -> dict[str, tuple[PartitionManifest, ...]]:
    """Return the `local_visitors` manifests behind each part of a day's `sightings`, by the part's name.

    A part holds one location; on a day of very many, those of one bucket, so that readers open hundreds of files and
    not ten thousand.
    """
    manifests = local_manifests(platform, places, day)
    if len(manifests) <= _BUCKETS:
        return {f"{name}.{each.content_hash[:_HASH_IN_NAME]}": (each,) for name, each in manifests.items()}
    buckets: dict[str, list[PartitionManifest]] = {}
    for location, manifest in sorted(manifests.items()):
        buckets.setdefault(f"bucket-{int(digest_of(location), 16) % _BUCKETS:03d}", []).append(manifest)
    return {
        f"{name}.{digest_of(*(each.content_hash for each in several))[:_HASH_IN_NAME]}": tuple(several)
        for name, several in buckets.items()
    }


def refresh_sightings(platform: Platform, day: date) -> Outcome:
    """Bring `sightings` of a day up to date with the `local_visitors` of all locations."""
    sources = sightings_inputs(platform, known_places(platform, day), day)

    def compute(name: str) -> dict[str, pa.Table]:
        read = partial(platform.partitions.read_table, table="local_visitors", schema=LOCAL_VISITORS)
        return {"sightings": _sightings(platform, pa.concat_tables(read(each) for each in sources[name]))}

    target = platform.day_of("sightings", day)
    return Outcome.of(refresh_parts(platform.partitions, target, ("sightings",), sources, compute), "sightings")


def _sightings(platform: Platform, rows: pa.Table) -> pa.Table:
    embedder = pa.scalar(platform.settings.embedding.embedder)
    columns = [
        *rows.columns,
        pa.repeat(platform.settings.detection.detector, rows.num_rows),
        pc.if_else(rows["local_visitor_id"].is_valid(), embedder, pa.scalar(None, pa.string())),
        pa.repeat(platform.versions.local_visitors, rows.num_rows),
    ]
    return pa.Table.from_arrays(columns, schema=SIGHTINGS)
