"""The zones of the simulated stores, and that they change nothing of what is drawn."""

from footfall_assets.contracts.registry import Camera
from footfall_assets.simulation.plan import SimulationPlan
from footfall_assets.simulation.schedule import make_schedule
from footfall_assets.simulation.stores import build_stores


def test_cameras_have_zones_and_places_that_the_registry_takes():
    (store,) = build_stores(1, interval_s=5.0, timezones=("UTC",))
    for camera in store.cameras:
        Camera(
            camera_id=camera.camera_id,
            location_id=camera.location_id,
            name=camera.name,
            zones=camera.zones,
            areas=camera.areas,
            plan_position=camera.plan_position,
            valid_from=SimulationPlan().first_day,
        )
    assert {camera.role: camera.zones for camera in store.cameras} == {
        "entrance": ("entrance",),
        "aisle": ("household", "groceries"),
        "checkout": ("checkout",),
    }
    assert len({camera.plan_position for camera in store.cameras}) == 3


def test_both_drawn_zones_of_the_aisle_are_walked_in():
    schedule = make_schedule(SimulationPlan(locations=1, days=2, visitors=30))
    middles = [person.x / 640 for still in schedule.stills if "aisle" in still.camera_id for person in still.people]
    assert min(middles) < 1 / 3 < max(middles)
