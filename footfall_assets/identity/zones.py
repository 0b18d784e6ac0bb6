"""In which drawn area of its camera's picture each face was: the part of a zone that only the picture knows."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from edge_capture.zones import Anchor, anchor_points, contains
from footfall_assets.contracts.camera_settings import Zone
from footfall_assets.contracts.ids import digest_of
from footfall_assets.contracts.registry import Registry
from footfall_assets.contracts.schemas import FACES, IMAGES
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.arrow import matrix

DrawnAreas = Mapping[str, tuple[Zone, ...]]  # by camera, of those that have any


def drawn_areas(registry: Registry, place: Place) -> DrawnAreas:
    """Return the areas that were drawn on a day in the pictures of a location's cameras."""
    names = sorted({each.camera_id for each in registry.cameras_of_location.get(place.location_id, ())})
    held = (registry.camera(name, place.day) for name in names)
    return {camera.camera_id: camera.areas for camera in held if camera is not None and camera.areas}


def areas_digest(areas: DrawnAreas) -> str:
    """Return a hash that changes with any area; empty where nothing is drawn."""
    lines = (f"{camera}={area.model_dump_json()}" for camera, several in areas.items() for area in several)
    return digest_of(*lines) if areas else ""


def zone_column(platform: Platform, rows: pa.Table, places: Iterable[Place]) -> pa.Array:
    """Return the drawn zone of each row with `face_image_id` and `location_id`; null where it is in none.

    Faces and stills are read of those places only at which something is drawn.
    """
    found: dict[UUID, str] = {}
    for place in places:
        areas = drawn_areas(platform.registry, place)
        if areas:
            found |= _zones_at(platform, place, areas)
    if not found:
        return pa.nulls(rows.num_rows, pa.string())
    return pa.array([found.get(face) for face in rows["face_image_id"].to_pylist()], pa.string())


def _zones_at(platform: Platform, place: Place, areas: DrawnAreas) -> dict[UUID, str]:
    faces = _rows(platform, "faces", place, FACES)
    images = _rows(platform, "images", place, IMAGES).select(["image_id", "width", "height"]).to_pylist()
    size = {image["image_id"]: (image["width"], image["height"]) for image in images}
    boxes = matrix(faces["box"])
    rows = faces.select(["face_image_id", "image_id", "camera_id"]).to_pylist()
    zones = {
        row["face_image_id"]: zone_of_face(boxes[number], areas[row["camera_id"]], size[row["image_id"]])
        for number, row in enumerate(rows)
        if row["camera_id"] in areas and row["image_id"] in size
    }
    return {face: zone for face, zone in zones.items() if zone is not None}


def zone_of_face(box: NDArray[np.float32], areas: Sequence[Zone], size_px: tuple[int, int]) -> str | None:
    """Return the first area that holds the centre of a face box (xyxy in pixels), as the edge decides it, or None."""
    width, height = size_px
    (point,) = anchor_points(box[None], width=width, height=height, anchor=Anchor.CENTRE)
    return next((area.name for area in areas if contains(area.polygon, point)), None)


def _rows(platform: Platform, asset: str, place: Place, schema: pa.Schema) -> pa.Table:
    return platform.partitions.read_table(platform.manifest(asset, place), asset, schema)
