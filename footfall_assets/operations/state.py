"""Reads the lake's state: manifests only, never their rows."""

from datetime import date

from footfall_assets.capture.enrolment import waiting_enrolments
from footfall_assets.capture.intake import waiting
from footfall_assets.contracts.ids import digest_of
from footfall_assets.contracts.registry import LocationMode
from footfall_assets.identity.refresh import (
    identities_inputs,
    known_places,
    local_visitors_inputs,
    sightings_inputs,
)
from footfall_assets.operations.pending import Freshness, LakeState
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.partitions import PartRef
from footfall_assets.vision.face_attributes import part_names
from footfall_assets.warehouse.inputs import built_from, warehouse_inputs_hash


def read_state(platform: Platform) -> LakeState:
    """Return the freshness of everything in the lake."""
    platform.reread_calibration()
    local = known_places(platform)
    places = sorted({*places_with_batches(platform), *local})
    return LakeState(
        landed=len(waiting(platform.lake)) + len(waiting_enrolments(platform.lake)),
        places={place: _place_freshness(platform, place) for place in places},
        days={day: _day_freshness(platform, local, day) for day in sorted({place.day for place in local})},
        publication=Freshness(built_from(platform.lake), warehouse_inputs_hash(platform)),
    )


def places_with_batches(platform: Platform) -> tuple[Place, ...]:
    """Return the locations and days that have accepted batches, sorted."""
    parts = {tuple(key.split("/")[1:3]) for key in platform.lake.list_keys("batches")}
    return tuple(sorted(Place(date.fromisoformat(day), location) for day, location in parts))


def _place_freshness(platform: Platform, place: Place) -> tuple[Freshness, ...]:
    if platform.removed_batches(place):
        return ()  # final: nothing about it can be due
    mode = platform.location_mode(place)
    images = [part.name for part in _parts(platform, "images", place, table="images")]
    faces = [part.name for part in _parts(platform, "faces", place, table="faces")]
    expected = {
        "images": digest_of(*sorted(platform.accepted_batches(place))),
        "faces": digest_of(*(sorted(f"{name}.{mode}" for name in images) if mode is not LocationMode.OFF else ())),
        "face_embeddings": digest_of(*(sorted(faces) if mode is LocationMode.UNIQUE else ())),
        "local_visitors": local_visitors_inputs(platform, place),
    }
    found = {asset: _found(platform, asset, place) for asset in expected}
    return (*(Freshness(found[asset], hashed) for asset, hashed in expected.items()), _attributes(platform, place))


def _attributes(platform: Platform, place: Place) -> Freshness:
    """Return the freshness of `face_attributes`: where it is switched off and was never on, nothing is due."""
    wanted, found = platform.location_attributes(place), _found(platform, "face_attributes", place)
    if not wanted and found is None:
        return Freshness(None, None)
    vectors = [part.name for part in _parts(platform, "face_embeddings", place, table="face_embeddings")]
    return Freshness(found, digest_of(*sorted(part_names(vectors, wanted))))


def _day_freshness(platform: Platform, places: tuple[Place, ...], day: date) -> tuple[Freshness, ...]:
    identities = platform.partitions.manifest(platform.day_of("identities", day))
    sightings = platform.partitions.manifest(platform.day_of("sightings", day))
    return (
        Freshness(identities.inputs_hash if identities else None, identities_inputs(platform, places, day)[day]),
        Freshness(
            sightings.inputs_hash if sightings else None,
            digest_of(*sorted(sightings_inputs(platform, places, day))),
        ),
    )


def _parts(platform: Platform, asset: str, place: Place, *, table: str) -> list[PartRef]:
    manifest = platform.manifest(asset, place)
    return [part for part in manifest.parts if part.table == table] if manifest else []


def _found(platform: Platform, asset: str, place: Place) -> str | None:
    manifest = platform.manifest(asset, place)
    return manifest.inputs_hash if manifest else None
