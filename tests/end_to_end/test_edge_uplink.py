"""Two agents, an uplink that is cut and comes back, and the platform behind it: the same report as without faults."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event, Thread

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.agent import Agent, AgentParts
from edge_capture.cameras.recorded import open_source
from edge_capture.clock import SteadyClock, SystemClock
from edge_capture.configuration import ConfigurationState
from edge_capture.filter import KeepAll
from edge_capture.source import Frame, SourceStatus, Tick
from edge_capture.spool import Spool, SpoolCaps
from footfall_assets.capture.hand_over import CameraNeed, register_for_development
from footfall_assets.contracts.batch import public_key_text
from footfall_assets.contracts.errors import TransientFailure
from footfall_assets.contracts.fleet import DesiredCamera, DesiredConfiguration, Limits, SourceKind
from footfall_assets.contracts.registry import Device, FilterMode
from footfall_assets.definitions import build_definitions
from footfall_assets.operations.dagster_home import open_instance
from footfall_assets.operations.run import Runner
from footfall_assets.platform import Platform
from footfall_assets.reporting.publication import current_publication, open_visitors
from footfall_assets.reporting.request import ReportRequest
from footfall_assets.reporting.visitor_report import visitor_report
from footfall_assets.simulation.cast import procedural_cast
from footfall_assets.simulation.plan import SimulationPlan
from footfall_assets.simulation.simulation import simulate
from footfall_assets.storage.registry_store import change_registry

START = datetime(2024, 1, 5, 10, tzinfo=UTC)
pytestmark = pytest.mark.slow
WITHIN_S = 120.0


class Uplink:
    """The way to a lake: it can be cut, loses replies, and sends what it has sent again."""

    def __init__(self, lake, *, faulty: bool) -> None:
        self._lake = lake
        self.up = not faulty
        self._faulty = faulty
        self.arrived = 0

    def write_once(self, key, data):
        self._require()
        self.arrived += 1
        stored = self._lake.write_once(key, data)
        if self._faulty and self.arrived % 3 == 1:
            raise TransientFailure("the reply was lost")
        return stored

    def server_time(self):
        self._require()
        return self._lake.server_time()

    def __getattr__(self, name):
        self._require()
        return getattr(self._lake, name)

    def _require(self):
        if not self.up:
            raise TransientFailure("no route to host")


class Recorded:
    """Stills that were taken before, as a source."""

    def __init__(self, stills) -> None:
        self._frames = [Frame(each.image, each.captured_at, number) for number, each in enumerate(stills)]
        self.status = SourceStatus(connected=True, frames_captured=len(self._frames))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def close(self):
        pass

    def ticks(self):
        return (Tick(frame.sequence, frame) for frame in self._frames)


class Shop:
    """One device: an agent that plays its cameras' footage once."""

    def __init__(self, folder: Path, name: str, location: str, sources, lake) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32))
        self.name, self.lake, self._sources = name, lake, sources
        self.spool = Spool(folder / name / "spool", SpoolCaps(10**9, 10**6))
        state = ConfigurationState(folder / name)
        cameras = tuple(
            DesiredCamera(
                camera_id=each, kind=SourceKind.SYNTHETIC, address="1", interval_s=5.0, filter=FilterMode.NONE
            )
            for each in sources
        )
        state.accept(
            DesiredConfiguration(
                device_id=name,
                revision=1,
                issued_at=START,
                location_id=location,
                timezone="UTC",
                cameras=cameras,
                limits=Limits(batch_stills=6),
            )
        )
        state.commit()
        self.agent = Agent(
            AgentParts(
                configuration=state,
                device_id=name,
                key=self.key,
                spool=self.spool,
                lake=lake,
                clock=SteadyClock(SystemClock()),
                open_source=lambda camera: sources[camera.camera_id](),
                load_filter=lambda _: KeepAll(),
                provide_models=lambda _: None,
            )
        )
        self.stop = Event()
        self.thread = Thread(target=self.agent.run, args=(self.stop,))

    def until(self, condition) -> None:
        end = time.monotonic() + WITHIN_S
        while not condition():
            assert time.monotonic() < end, self.agent.status().model_dump_json(indent=1)
            time.sleep(0.05)

    @property
    def has_captured_all(self) -> bool:
        workers = self.agent._workers.values()
        return len(workers) == len(self._sources) and all(each.has_ended for each in workers)


def report_of(settings, shops, needs, last_day):
    """Run the agents and the platform; return the report without the names that every home makes up for itself."""
    platform = Platform(settings)
    for need in needs:
        change_registry(
            platform.lake, settings.home, lambda registry, need=need: register_for_development(registry, need)
        )
    for shop in shops:
        device = Device(device_id=shop.name, public_key=public_key_text(shop.key))
        change_registry(platform.lake, settings.home, lambda registry, device=device: registry.with_device(device))
        shop.thread.start()
    for shop in shops:
        shop.until(lambda shop=shop: shop.has_captured_all)
        if not shop.lake.up:
            assert shop.agent.status().report.spool_items > 0
            shop.lake.up = True
        shop.until(lambda shop=shop: shop.agent.status().report.spool_items == 0)
    for shop in shops:
        shop.stop.set()
        shop.thread.join(60)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DAGSTER_HOME", "FOOTFALL_HOME"):
            patch.setenv(name, "to be restored")
        with open_instance(settings) as instance:
            Runner(build_definitions(settings), instance, platform, lambda *_: None).run_due()
    with open_visitors(platform.lake, current_publication(platform.lake)) as connection:
        found = visitor_report(connection, ReportRequest(needs[0].first_day, last_day))
    rows = sorted(
        (each.linkage_window, each.total_appearances, each.visits, each.frequencies) for each in found.visitors
    )
    return replace(found, visitors=()), rows


@pytest.fixture
def compared(settings_of, pulled_models, tmp_path):
    """Run the same footage over a good uplink and a bad one."""

    def compare(footage, needs, last_day):
        reports = []
        for faulty in (False, True):
            settings = settings_of(tmp_path / f"home-{faulty}", model_cache=pulled_models)
            lake = Platform(settings).lake
            shops = [
                Shop(tmp_path / f"edge-{faulty}", f"box-{number}", location, sources, Uplink(lake, faulty=faulty))
                for number, (location, sources) in enumerate(footage.items())
            ]
            reports.append(report_of(settings, shops, needs, last_day))
            if faulty:
                assert sum(shop.agent.uploader.state.counts.already_there for shop in shops) > 0
                assert sum(shop.agent.uploader.state.counts.failures for shop in shops) > 0
        return reports

    return compare


@pytest.mark.weights
def test_drawn_people_give_the_same_report(compared):
    simulation = simulate(SimulationPlan(locations=2, days=1, visitors=4, seed=3), procedural_cast(4))
    footage, needs = {}, []
    location_of = {camera.camera_id: store for store in simulation.schedule.stores for camera in store.cameras}
    for camera_day in simulation.camera_days():
        store = location_of[camera_day.camera_id]
        needs.append(CameraNeed(store.location_id, camera_day.camera_id, camera_day.day, timezone="UTC"))
        stills = list(camera_day.stills())
        footage.setdefault(store.location_id, {})[camera_day.camera_id] = lambda stills=stills: Recorded(stills)
    good, bad = compared(footage, needs, max(need.first_day for need in needs))
    assert good == bad
    assert len(good[1]) >= 2


@pytest.mark.weights
@pytest.mark.shared
def test_recorded_people_give_the_same_report(compared, clips):
    def played(clip):
        return lambda: open_source(clips / clip, start=START, every_s=0.4)

    footage = {
        "store-101": {"store-101-door": played("arcade_entrance.mp4")},
        "store-102": {"store-102-hall": played("corridor_three_people.gif")},
    }
    needs = [
        CameraNeed(location, camera, START.date(), interval_s=0.4)
        for location, cameras in footage.items()
        for camera in cameras
    ]
    good, bad = compared(footage, needs, date(2024, 1, 5))
    assert good == bad
    assert len(good[1]) >= 5
