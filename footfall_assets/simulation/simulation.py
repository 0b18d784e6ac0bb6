"""Run a simulation: stills camera by camera and day by day, as a capture pipeline wants them, and their truth."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from footfall_assets.simulation.backgrounds import paint_background
from footfall_assets.simulation.errors import CastError
from footfall_assets.simulation.figure import Cast
from footfall_assets.simulation.plan import Schedule, SimulationPlan, StillPlan
from footfall_assets.simulation.scenes import TruthFace, paint_scene
from footfall_assets.simulation.schedule import CameraClock, camera_clock, make_schedule
from footfall_assets.simulation.stores import SimulatedCamera


@dataclass(frozen=True)
class SimulatedStill:
    """One still as a camera takes it: BGR uint8 (height, width, 3), UTC, and who is in it."""

    image: NDArray[np.uint8]
    captured_at: datetime
    truth: tuple[TruthFace, ...]


@dataclass(frozen=True)
class CameraDay:
    """The stills of one camera on one local day, in time order; painted as they are asked for."""

    location_id: str
    camera_id: str
    day: date
    clock: CameraClock
    plans: tuple[StillPlan, ...]
    background: NDArray[np.uint8]
    cast: Cast

    def stills(self) -> Iterator[SimulatedStill]:
        """Paint the day's stills one by one; every call paints the same."""
        return (self._painted(plan) for plan in self.plans)

    def moments(self) -> Iterator[tuple[datetime, SimulatedStill | None]]:
        """Every moment at which the camera takes a still, and those of `stills` in their place.

        Without one the picture is the empty `background`: nobody is before the camera for most of a day.
        """
        planned = {plan.captured_at: plan for plan in self.plans}
        for moment in self.clock.moments(max(planned)):
            plan = planned.get(moment)
            yield moment, self._painted(plan) if plan else None

    def _painted(self, plan: StillPlan) -> SimulatedStill:
        scene = paint_scene(plan, self.cast, self.background)
        return SimulatedStill(scene.image, plan.captured_at, scene.truth)


@dataclass(frozen=True)
class Simulation:
    """A schedule and the people to play it."""

    schedule: Schedule
    cast: Cast

    def camera_days(self) -> Iterator[CameraDay]:
        """Every camera and day, days in order within a camera."""
        plan = self.schedule.plan
        zones = {store.location_id: ZoneInfo(store.timezone) for store in self.schedule.stores}
        cameras = {camera.camera_id: (store, camera) for store in self.schedule.stores for camera in store.cameras}

        def camera_and_day(still: StillPlan) -> tuple[str, date]:
            return still.camera_id, still.captured_at.astimezone(zones[still.location_id]).date()

        for (camera_id, day), plans in groupby(self.schedule.stills, key=camera_and_day):
            store, camera = cameras[camera_id]
            clock = camera_clock(plan, store, camera=camera, day=day)
            background = _background(camera, plan)
            yield CameraDay(camera.location_id, camera_id, day, clock, tuple(plans), background, self.cast)


def simulate(plan: SimulationPlan, cast: Cast) -> Simulation:
    """Plan a simulation; nothing is painted before its stills are asked for.

    Raises:
        CastError: the plan has more visitors than the cast has people.
        PlanError: the stores are too few for so many visitors.
    """
    if plan.visitors > cast.size:
        raise CastError(f"{plan.visitors} visitors asked for, but the cast has {cast.size} people; ask for fewer")
    return Simulation(make_schedule(plan), cast)


def truth_rows(image_id: UUID, camera_day: CameraDay, still: SimulatedStill) -> list[dict[str, object]]:
    """The rows of truth.parquet about one still: one per person, or one without a person for an empty still."""
    place = {
        "image_id": str(image_id),
        "location_id": camera_day.location_id,
        "camera_id": camera_day.camera_id,
        "captured_at": still.captured_at,
    }
    return [place | _face_columns(face) for face in still.truth or (None,)]


def _face_columns(face: TruthFace | None) -> dict[str, object]:
    x1, y1, x2, y2 = face.box if face else (None, None, None, None)
    return {
        "box_x1": x1,
        "box_y1": y1,
        "box_x2": x2,
        "box_y2": y2,
        "person_id": face.person_id if face else None,
        "appearance_id": face.appearance_id if face else None,
        "visit_id": face.visit_id if face else None,
        "visible": face.visible if face else None,
    }


def _background(camera: SimulatedCamera, plan: SimulationPlan) -> NDArray[np.uint8]:
    return paint_background(camera, width=plan.width_px, height=plan.height_px)
