"""Bringing `faces` and `face_embeddings` up to date; running it again computes nothing."""

from collections import Counter

import pyarrow as pa

from footfall_assets.contracts.registry import LocationMode
from footfall_assets.contracts.schemas import FACE_ATTRIBUTES, FACES, IMAGES, face_embeddings
from footfall_assets.platform import Outcome, Place, Platform
from footfall_assets.storage.parts import refresh_parts
from footfall_assets.vision.face_attributes import attributes_of_faces, part_names
from footfall_assets.vision.face_embeddings import embeddings_of_faces
from footfall_assets.vision.faces import faces_of_images


def refresh_faces(platform: Platform, place: Place) -> Outcome:
    """Bring `faces` of a place up to date with its `images`; where it only counts, without crops."""
    mode = platform.location_mode(place)
    images = platform.manifest("images", place)
    sources = {f"{part.name}.{mode}": part for part in images.parts if part.table == "images"} if images else {}
    left_out: Counter[str] = Counter()

    def compute(name: str) -> dict[str, pa.Table]:
        rows = platform.partitions.read_part(sources[name]).cast(IMAGES)
        part = faces_of_images(
            rows, platform.lake, platform.detector, platform.crop_template, keep_crops=mode is LocationMode.UNIQUE
        )
        left_out.update(part.quarantined)
        left_out["faces_beyond_limit"] += part.faces_beyond_limit
        return {"faces": part.table()}

    inputs = [] if mode is LocationMode.OFF else list(sources)
    refreshed = refresh_parts(platform.partitions, platform.place_of("faces", place), ("faces",), inputs, compute)
    return Outcome.of(refreshed, "faces", left_out)


def refresh_face_embeddings(platform: Platform, place: Place) -> Outcome:
    """Bring `face_embeddings` of a place up to date with its `faces`; empty unless its mode is `unique`."""
    faces = platform.manifest("faces", place)
    sources = {part.name: part for part in faces.parts} if faces else {}
    left_out: Counter[str] = Counter()

    def compute(name: str) -> dict[str, pa.Table]:
        rows = platform.partitions.read_part(sources[name]).cast(FACES)
        mirror = platform.settings.embedding.mirror
        part = embeddings_of_faces(rows, platform.embedder, platform.crop_template, mirror=mirror)
        left_out["invalid_vector"] += part.invalid
        return {"face_embeddings": part.table}

    inputs = list(sources) if platform.location_mode(place) is LocationMode.UNIQUE else []
    target = platform.place_of("face_embeddings", place)
    refreshed = refresh_parts(platform.partitions, target, ("face_embeddings",), inputs, compute)
    return Outcome.of(refreshed, "face_embeddings", left_out)


def refresh_face_attributes(platform: Platform, place: Place) -> Outcome:
    """Bring `face_attributes` of a place up to date with its vectors; where nothing is switched on, nothing is written.

    What a location had switched on before, and no longer has on that day, leaves the partition.
    """
    wanted = platform.location_attributes(place)
    target = platform.place_of("face_attributes", place)
    if not wanted and platform.partitions.manifest(target) is None:
        return Outcome(version=target.version)
    faces, vectors = platform.manifest("faces", place), platform.manifest("face_embeddings", place)
    sources = {part.name: part for part in faces.parts} if faces else {}
    embedded = {part.name: part for part in vectors.parts} if vectors else {}
    names = part_names(embedded, wanted)
    left_out: Counter[str] = Counter()

    def compute(name: str) -> dict[str, pa.Table]:
        read, source = platform.partitions.read_part, names[name]
        part = attributes_of_faces(
            read(sources[source]).cast(FACES),
            read(embedded[source]).cast(face_embeddings(platform.embedding_dim)),
            wanted,
            platform,
        )
        left_out["under_the_quality_gate"] += part.under_the_gate
        return {"face_attributes": part.table.cast(FACE_ATTRIBUTES)}

    refreshed = refresh_parts(platform.partitions, target, ("face_attributes",), names, compute)
    return Outcome.of(refreshed, "face_attributes", left_out)


def all_faces(platform: Platform) -> pa.Table:
    """Return the faces of every location and day in the active version, without their crops."""
    kept = [name for name in FACES.names if name != "crop"]
    tables = [FACES.empty_table().select(kept)]
    for place in platform.partitions.places("faces", platform.versions.faces):
        rows = platform.partitions.read_table(platform.partitions.manifest(place), "faces", FACES)
        tables.append(rows.select(kept))
    return pa.concat_tables(tables)
