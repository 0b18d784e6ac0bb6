"""What tests of several folders share: where the models and the development data lie, and homes of their own."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import time
from typing import Any

import dagster as dg
import numpy as np
import pytest
from hypothesis import settings as property_settings
from numpy.typing import NDArray

from edge_capture.filter import KeepAll
from edge_capture.source import Frame
from footfall_assets.capture.hand_over import CameraNeed, Landed, LocalDevice
from footfall_assets.contracts.publication import CURRENT_KEY
from footfall_assets.contracts.registry import Camera, Location, LocationMode, Registry
from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.definitions import build_definitions
from footfall_assets.operations.dagster_home import open_instance
from footfall_assets.operations.run import Runner, RunSummary
from footfall_assets.platform import Place, Platform
from footfall_assets.simulation.cast import procedural_cast
from footfall_assets.simulation.drawn_calibration import count_as_drawn
from footfall_assets.simulation.plan import SimulationPlan
from footfall_assets.simulation.simulation import simulate
from footfall_assets.storage import open_lake
from footfall_assets.storage.partitions import PartitionManifest
from footfall_assets.storage.registry_store import change_registry
from models.cache import cached_path
from models.manifest import load_manifest

# Shared machines are slow at times: no test may fail for that.
property_settings.register_profile("unhurried", deadline=None)
property_settings.load_profile("unhurried")

_SHARED = Path(__file__).resolve().parents[1].parent / "shared"
_CACHE_VARIABLE = "FOOTFALL_MODEL_CACHE"
LATE = ("store-101-aisle", date(2024, 1, 1))  # the batch of the drawn home that lands after its first run
_OURS = ("FOOTFALL_", "DAGSTER_HOME")


@pytest.fixture(scope="session")
def pulled_models() -> Path:
    """The model cache; tests that need it are skipped where a needed model was not fetched."""
    cache = Path(os.environ.get(_CACHE_VARIABLE, "~/.cache/footfall/models")).expanduser()
    missing = [
        spec.name for spec in load_manifest().models if not spec.optional and not cached_path(spec, cache).exists()
    ]
    if missing:
        pytest.skip(f"not fetched: {', '.join(missing)}; run `footfall models pull`")
    return cache


@pytest.fixture(scope="session")
def clips() -> Path:
    """Recorded footage for development, which lies beside the project."""
    folder = _SHARED / "data" / "clips"
    if not folder.is_dir():
        pytest.skip("the development clips are not beside the project (../shared/data/clips)")
    return folder


@pytest.fixture(scope="session")
def settings_of() -> Callable[..., PlatformSettings]:
    """Build the settings of a home; one thread, so that two tests at a time do not fight for the cores."""

    def build(home: Path, **changes: Any) -> PlatformSettings:
        return PlatformSettings(**{"home": home, "threads": 1} | changes)

    return build


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment without any of ours: what the test and the code under test set is gone afterwards."""
    before = {name: value for name, value in os.environ.items() if name.startswith(_OURS)}
    for name in before:
        monkeypatch.delenv(name)
    yield monkeypatch
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture(scope="session")
def frame_at() -> Callable[..., Frame]:
    """Build a frame whose picture is as different from others as its sequence number."""

    def build(moment: datetime, sequence: int = 0, *, size: tuple[int, int] = (64, 48)) -> Frame:
        chance = np.random.default_rng(sequence)
        picture: NDArray[np.uint8] = chance.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        return Frame(picture, moment.astimezone(UTC), sequence)

    return build


@dataclass(frozen=True)
class RunRecord:
    """What a run did: its summary, the parts it computed by asset and partition, and the hashes it left."""

    summary: RunSummary
    computed: dict[tuple[str, str | None], int]
    hashes: dict[str, str]
    publication: str
    stages: list[str]


class DrawnHome:
    """A home of drawn people: two stores that know visitors, a kiosk that only counts, a depot without cameras."""

    def __init__(self, settings: PlatformSettings) -> None:
        self.settings = settings
        self.device = LocalDevice(Platform(settings))
        count_as_drawn(open_lake(settings))
        simulation = simulate(SimulationPlan(locations=2, days=2, visitors=4, seed=3), procedural_cast(4))
        self.camera_days = {(each.camera_id, each.day): each for each in simulation.camera_days()}
        first_day = simulation.schedule.plan.first_day
        self.device.register(
            CameraNeed(store.location_id, camera.camera_id, first_day, timezone=store.timezone)
            for store in simulation.schedule.stores
            for camera in store.cameras
        )
        change_registry(self.platform.lake, settings.home, lambda registry: with_kiosk_and_depot(registry, first_day))

    @property
    def platform(self) -> Platform:
        return Platform(self.settings)

    def land(self, camera_id: str, day: date, *, at: str | None = None) -> Landed:
        """Land a camera's day at its own camera or another one."""
        stills = list(self.camera_days[camera_id, day].stills())
        registry = self.platform.registry
        camera = registry.camera(at or camera_id, day)
        assert camera
        location = registry.location(camera.location_id, day)
        assert location
        frames = [Frame(still.image, still.captured_at, number) for number, still in enumerate(stills)]
        return self.device.land(frames, camera, location, KeepAll())

    def run(self, places: Sequence[Place] = ()) -> RunRecord:
        """Run what is due, after these places where some are named."""
        stages: list[str] = []
        started = time()
        with pytest.MonkeyPatch.context() as patch:
            for name in ("DAGSTER_HOME", "FOOTFALL_HOME"):
                patch.setenv(name, "to be restored")
            with open_instance(self.settings) as instance:
                runner = Runner(
                    build_definitions(self.settings), instance, self.platform, lambda stage, *_: stages.append(stage)
                )
                summary = runner.run_places(places) if places else runner.run_due()
                computed = parts_computed(instance, since=started)
        publication = self.platform.lake.read(CURRENT_KEY).decode()
        return RunRecord(summary, computed, self.hashes(), publication, stages)

    def hashes(self) -> dict[str, str]:
        """Return the content hash of every partition in the lake, by where it lies."""
        lake = self.platform.lake
        assets = ("images", "faces", "face_embeddings", "local_visitors", "identities", "sightings", "visitor_numbers")
        keys = [key for asset in assets for key in lake.list_keys(asset) if key.endswith("/manifest.json")]
        return {key: PartitionManifest.model_validate_json(lake.read(key)).content_hash for key in keys}


def parts_computed(instance: dg.DagsterInstance, *, since: float) -> dict[tuple[str, str | None], int]:
    """Return the parts that materialisations since a moment computed, by asset and partition."""
    computed: dict[tuple[str, str | None], int] = {}
    for asset in ("images", "faces", "face_embeddings", "local_visitors", "identities", "sightings"):
        query = dg.AssetRecordsFilter(dg.AssetKey(asset), after_timestamp=since)
        for record in instance.fetch_materializations(query, limit=1000).records:
            event = record.asset_materialization
            assert event
            computed[asset, event.partition] = int(str(event.metadata["parts_computed"].value))
    return computed


def with_kiosk_and_depot(registry: Registry, day: date) -> Registry:
    for name, mode in (("kiosk", LocationMode.COUNT_ONLY), ("depot", LocationMode.UNIQUE)):
        location = Location(
            location_id=name, name=name, mode=mode, legal_basis="development", partition_group=name, valid_from=day
        )
        camera = Camera(camera_id=f"{name}-door", location_id=name, name="Door", valid_from=day)
        registry = registry.with_location(location).with_camera(camera)
    return registry


@pytest.fixture(scope="session")
def drawn_home(
    tmp_path_factory: pytest.TempPathFactory, pulled_models: Path, settings_of: Callable[..., PlatformSettings]
) -> DrawnHome:
    """A home with everything landed but one camera's first day, not run yet (see `first_run`)."""
    home = DrawnHome(settings_of(tmp_path_factory.mktemp("drawn") / "home", model_cache=pulled_models))
    for camera_id, day in home.camera_days:
        if (camera_id, day) != LATE:
            home.land(camera_id, day)
    home.land("store-101-entrance", LATE[1], at="kiosk-door")
    return home


@pytest.fixture(scope="session")
def first_run(drawn_home: DrawnHome) -> RunRecord:
    """The drawn home's first run: from landing to publication."""
    return drawn_home.run()
