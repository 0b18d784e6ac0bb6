from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from edge_capture.filter import KeepAll
from edge_capture.source import Frame
from footfall_assets.capture.hand_over import CameraNeed, LocalDevice
from footfall_assets.capture.intake import take_in
from footfall_assets.capture.refresh import refresh_images
from footfall_assets.contracts.errors import FinalPartition, RegistryError
from footfall_assets.contracts.registry import Camera, LocationMode, Registry
from footfall_assets.operations.pending import pending
from footfall_assets.operations.state import read_state
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.registry_store import change_registry

DAY = date(2024, 1, 5)
PLACE = Place(DAY, "store-101")
START = datetime(2024, 1, 5, 10, tzinfo=UTC)
NEED = CameraNeed("store-101", "store-101-door", DAY)


class SmallHome:
    """A development home that captures stills itself."""

    def __init__(self, settings) -> None:
        self.platform = Platform(settings)
        self.device = LocalDevice(self.platform)

    def land(self, minutes, *, stills=3):
        registry = self.device.register([NEED])
        chance = np.random.default_rng(minutes)
        frames = [
            Frame(
                chance.integers(0, 255, (48, 64, 3), dtype=np.uint8),
                START + timedelta(minutes=minutes, seconds=5 * number),
                number,
            )
            for number in range(stills)
        ]
        camera, location = registry.camera(NEED.camera_id, DAY), registry.location(NEED.location_id, DAY)
        return self.device.land(frames, camera, location, KeepAll())

    def take_in(self):
        return take_in(self.platform.lake, self.platform.registry, self.platform.settings.intake, now=datetime.now(UTC))


@pytest.fixture
def home(tmp_path, settings_of):
    return SmallHome(settings_of(tmp_path / "home"))


def test_what_was_captured_is_taken_in_and_becomes_rows(home) -> None:
    landed = home.land(0)
    assert (landed.frames, landed.kept, landed.batches) == (3, 3, 1)
    assert landed.size_bytes == len(home.platform.lake.read(home.platform.lake.list_keys("landing")[0]))
    assert home.take_in().accepted == 1
    outcome = refresh_images(home.platform, PLACE)
    assert (outcome.rows, outcome.parts_computed, outcome.parts_reused) == (3, 1, 0)


def test_one_more_batch_computes_one_more_part(home) -> None:
    for number, expected in ((0, (3, 1, 0)), (20, (6, 1, 1)), (40, (9, 1, 2))):
        home.land(number)
        home.take_in()
        outcome = refresh_images(home.platform, PLACE)
        assert (outcome.rows, outcome.parts_computed, outcome.parts_reused) == expected
    again = refresh_images(home.platform, PLACE)
    assert (again.rows, again.parts_computed, again.parts_reused) == (9, 0, 3)
    assert again.content_hash == outcome.content_hash


def test_the_order_of_batches_does_not_matter(home, tmp_path, settings_of) -> None:
    other = SmallHome(settings_of(tmp_path / "other"))
    for minutes in (0, 20):
        home.land(minutes)
        home.take_in()
        refresh_images(home.platform, PLACE)
    for key in reversed(home.platform.lake.list_keys("batches")):
        other.platform.lake.write(key, home.platform.lake.read(key))
        refresh_images(other.platform, PLACE)
    hashes = [each.platform.manifest("images", PLACE).content_hash for each in (home, other)]
    assert hashes[0] == hashes[1]


def test_a_place_without_batches_has_no_rows(home) -> None:
    assert refresh_images(home.platform, PLACE).rows == 0
    assert home.platform.manifest("images", PLACE).parts == ()


def test_what_retention_has_removed_stays_as_it_is(home) -> None:
    home.land(0)
    home.land(20)
    home.take_in()
    refresh_images(home.platform, PLACE)
    before = home.platform.manifest("images", PLACE)
    home.platform.lake.delete(home.platform.lake.list_keys("batches")[0])
    with pytest.raises(FinalPartition, match="final"):
        refresh_images(home.platform, PLACE)
    assert home.platform.manifest("images", PLACE) == before
    assert pending(read_state(home.platform)).places == ()


def test_registering_twice_changes_nothing(home) -> None:
    registry = home.device.register([NEED])
    assert home.device.register([NEED]) == registry
    assert registry.location("store-101", DAY).mode is LocationMode.UNIQUE
    assert registry.location("store-101", DAY).legal_basis == "development"


def test_earlier_footage_lets_a_camera_start_earlier(home) -> None:
    home.device.register([NEED])
    earlier = CameraNeed(NEED.location_id, NEED.camera_id, DAY - timedelta(days=3))
    registry = home.device.register([earlier])
    assert registry.first_day == earlier.first_day
    assert registry.camera(NEED.camera_id, earlier.first_day)
    assert registry.location(NEED.location_id, earlier.first_day)


def test_a_camera_hangs_in_one_location(home) -> None:
    home.device.register([NEED])
    with pytest.raises(RegistryError, match="store-101-door"):
        home.device.register([CameraNeed("store-203", NEED.camera_id, DAY)])


def test_production_registers_nothing_by_itself(tmp_path, settings_of) -> None:
    home = SmallHome(settings_of(tmp_path / "home", environment="production"))
    with pytest.raises(RegistryError, match="add-camera"):
        home.device.register([NEED])
    assert home.platform.registry == Registry()


def test_a_location_that_is_off_takes_nothing_in(home) -> None:
    home.land(0)
    off = home.platform.registry.location("store-101", DAY).model_copy(update={"mode": LocationMode.OFF})
    change_registry(home.platform.lake, home.platform.settings.home, lambda registry: registry.with_location(off))
    assert home.take_in().quarantined == {"location_off": 1}


def test_a_camera_of_another_interval_says_so(home) -> None:
    home.device.register([NEED])
    slower = Camera(camera_id=NEED.camera_id, location_id="store-101", name="Door", interval_s=30, valid_from=DAY)
    change_registry(home.platform.lake, home.platform.settings.home, lambda registry: registry.with_camera(slower))
    home.land(0)
    home.take_in()
    refresh_images(home.platform, PLACE)
    assert home.platform.intervals_s(PLACE) == {"store-101-door": 30.0}
