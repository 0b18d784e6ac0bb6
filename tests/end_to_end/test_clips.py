"""Recorded footage of real people, from the file to local visitors: what it must show, whatever the models."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest

from edge_capture.cameras.recorded import open_source
from edge_capture.filter import load_filter
from footfall_assets.capture.hand_over import CameraNeed, Landed, LocalDevice
from footfall_assets.capture.intake import take_in
from footfall_assets.capture.refresh import refresh_images
from footfall_assets.contracts.registry import FilterMode
from footfall_assets.contracts.schemas import FACES, LOCAL_VISITORS
from footfall_assets.identity.refresh import refresh_local_visitors
from footfall_assets.platform import Place, Platform
from footfall_assets.vision.refresh import refresh_face_embeddings, refresh_faces

pytestmark = [pytest.mark.weights, pytest.mark.shared]

START = datetime(2024, 1, 5, 10, tzinfo=UTC)
PLACE = Place(date(2024, 1, 5), "store-101")


@dataclass(frozen=True)
class Seen:
    """What came of a clip: faces with their visitor and reason, by face."""

    landed: Landed
    faces: dict
    assignments: list

    @property
    def visitors(self) -> set:
        return {row["local_visitor_id"] for row in self.assignments} - {None}


@pytest.fixture
def watch(clips, pulled_models, settings_of, tmp_path):
    def run(clip, *, every_s, mode=FilterMode.FACE):
        settings = settings_of(tmp_path / "home", model_cache=pulled_models)
        platform = Platform(settings)
        device = LocalDevice(platform)
        need = CameraNeed(PLACE.location_id, "door", PLACE.day, interval_s=every_s, filter=mode)
        registry = device.register([need])
        chosen = load_filter(mode, cache=pulled_models, threads=1, face_detector=settings.detection.detector)
        camera, location = registry.camera("door", PLACE.day), registry.location(PLACE.location_id, PLACE.day)
        with open_source(clips / clip, start=START, every_s=every_s) as frames:
            landed = device.land(frames, camera, location, chosen)
        assert take_in(platform.lake, registry, settings.intake, now=datetime.now(UTC)).accepted == landed.batches
        for refresh in (refresh_images, refresh_faces, refresh_face_embeddings, refresh_local_visitors):
            refresh(platform, PLACE)
        store = platform.partitions
        faces = store.read_table(platform.manifest("faces", PLACE), "faces", FACES).to_pylist()
        table = store.read_table(platform.manifest("local_visitors", PLACE), "local_visitors", LOCAL_VISITORS)
        return Seen(landed, {face["face_image_id"]: face for face in faces}, table.to_pylist())

    return run


def test_people_who_walk_towards_the_camera(watch) -> None:
    seen = watch("arcade_entrance.mp4", every_s=0.2)
    assert seen.landed.frames == 21
    assert 5 <= len(seen.visitors) <= 9
    stills = Counter(row["local_visitor_id"] for row in seen.assignments if row["local_visitor_id"])
    assert sum(count >= 4 for count in stills.values()) >= 3  # the three in front are seen again and again


def test_faces_too_small_to_identify_found_nobody(watch) -> None:
    """Boxes of 13 to 25 px: they are counted, with a reason, and whoever is founded is by a face of 25 px or more."""
    seen = watch("corridor_two_people.gif", every_s=0.2)
    assert len(seen.assignments) == len(seen.faces) > 20
    large = [row for row in seen.assignments if seen.faces[row["face_image_id"]]["size_px"] >= 25]
    small = [row for row in seen.assignments if seen.faces[row["face_image_id"]]["size_px"] < 25]
    assert seen.visitors <= {row["local_visitor_id"] for row in large}
    nobody = [row for row in small if row["local_visitor_id"] is None]
    assert len(nobody) > 0.8 * len(seen.assignments)
    assert {row["unidentified_reason"] for row in nobody} == {"too_small"}


def test_three_people_who_step_up_are_three(watch) -> None:
    """Boxes of 31 to 55 px, all three in nearly every still."""
    seen = watch("corridor_three_people.gif", every_s=0.2)
    assert len(seen.visitors) == 3
    assert Counter(row["unidentified_reason"] for row in seen.assignments) == {None: len(seen.faces)}


def test_people_seen_from_behind_are_not_sent(watch) -> None:
    seen = watch("backs_one_by_one.mp4", every_s=2.0)
    assert seen.landed.frames == 70
    assert seen.landed.kept <= 0.05 * seen.landed.frames
    assert len(seen.visitors) <= 1
