"""Where in its camera's picture a face is, and what drawing an area anew does to the sightings."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from footfall_assets.contracts.camera_settings import Zone
from footfall_assets.contracts.schemas import IMAGES, SIGHTINGS
from footfall_assets.identity.refresh import refresh_sightings
from footfall_assets.identity.zones import areas_digest, drawn_areas, zone_of_face
from footfall_assets.operations.pending import pending
from footfall_assets.operations.state import read_state
from footfall_assets.platform import Place

LEFT = Zone(name="hats", polygon=((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
RIGHT = Zone(name="shoes", polygon=((0.5, 0), (1, 0), (1, 1), (0.5, 1)))
LOW = Zone(name="low", polygon=((0, 0.6), (1, 0.6), (1, 1), (0, 1)))


@pytest.mark.parametrize(
    ("box", "areas", "zone"),
    [
        ((10, 10, 60, 60), (LEFT, RIGHT), "hats"),
        ((500, 10, 560, 60), (LEFT, RIGHT), "shoes"),
        ((310, 10, 330, 60), (LEFT, RIGHT), "hats"),  # on the edge both share: the first that was drawn
        ((310, 10, 330, 60), (RIGHT, LEFT), "shoes"),
        ((10, 100, 60, 380), (LOW,), None),  # its centre is above, its lower edge below: a face has no feet
        ((10, 10, 60, 60), (LOW,), None),
        ((-40, 10, -10, 60), (LEFT,), "hats"),  # beyond the picture is at its edge
    ],
)
def test_a_face_is_where_its_centre_is(box, areas, zone):
    assert zone_of_face(np.array(box, np.float32), areas, (640, 480)) == zone


STORE, DAY = "store-101", date(2024, 1, 10)
PLACE = Place(DAY, STORE)
DOOR, BACK = f"{STORE}-door", f"{STORE}-back"


@pytest.fixture
def home(new_corrected_home):
    """Two people at the door, left and right in the picture, and one at a camera without areas."""
    home = new_corrected_home()
    seen = home.at(DAY, STORE)
    home.faces = {
        seen.see(1, 0, camera=DOOR, x=40.0): "left",
        seen.see(2, 0, camera=DOOR, x=500.0): "right",
        seen.see(3, 60, camera=BACK, x=40.0): "elsewhere",
    }
    home.run()
    images = {row["image_id"]: row for row in seen.rows}
    rows = [
        {
            "image_id": image,
            "camera_id": row["camera_id"],
            "location_id": STORE,
            "captured_at": row["captured_at"],
            "batch_id": image,
            "width": 640,
            "height": 480,
            "filter": "face",
            "zones": [],
            "sha256": "0" * 64,
            "object": "none",
            "offset": 0,
            "length": 0,
        }
        for image, row in images.items()
    ]
    target = home.platform.place_of("images", PLACE)
    part = home.platform.partitions.write_part(target, "images", "all", pa.Table.from_pylist(rows, schema=IMAGES))
    home.platform.partitions.commit(target, "0" * 64, [part])
    return home


def draw(home, *areas):
    def changed(registry):
        door = registry.camera(DOOR, DAY)
        zones = tuple(area.name for area in areas)
        return registry.with_camera(door.model_copy(update={"zones": zones, "areas": areas}))

    home.change(changed)


def zones_in_sightings(home):
    manifest = home.platform.partitions.manifest(home.platform.day_of("sightings", DAY))
    rows = home.platform.partitions.read_table(manifest, "sightings", SIGHTINGS).to_pylist()
    return {home.faces[row["face_image_id"]]: row["zone"] for row in rows}


def test_no_area_is_no_digest_and_each_change_another(home):
    assert areas_digest(drawn_areas(home.platform.registry, PLACE)) == ""
    digests = set()
    for areas in ((LEFT,), (RIGHT,), (LEFT, RIGHT), (RIGHT, LEFT)):
        draw(home, *areas)
        digests.add(areas_digest(drawn_areas(home.platform.registry, PLACE)))
    assert len(digests) == 4


def test_sightings_follow_an_area_that_is_drawn_anew(home):
    assert zones_in_sightings(home) == {"left": None, "right": None, "elsewhere": None}

    draw(home, LEFT)
    assert pending(read_state(home.platform)).days == (DAY,)
    assert refresh_sightings(home.platform, DAY).parts_computed == 1
    assert zones_in_sightings(home) == {"left": "hats", "right": None, "elsewhere": None}

    draw(home, LEFT, RIGHT)
    refresh_sightings(home.platform, DAY)
    assert zones_in_sightings(home) == {"left": "hats", "right": "shoes", "elsewhere": None}
    assert refresh_sightings(home.platform, DAY).parts_computed == 0
    assert pending(read_state(home.platform)).days == ()
