"""The whole agent on footage that needs no camera: it captures, spools, sends, follows the fleet and stops."""

import time
from datetime import UTC, datetime
from threading import Event, Thread

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from edge_capture.agent import Agent, AgentParts
from edge_capture.clock import SteadyClock, SystemClock
from edge_capture.configuration import ConfigurationState
from edge_capture.enrolment import DeviceIdentity, save_identity
from edge_capture.errors import SpoolUnwritable, UnreadableSource
from edge_capture.filter import KeepAll, Verdict
from edge_capture.metrics import AgentCollector
from edge_capture.source import Frame, SourceStatus, Tick
from edge_capture.spool import Spool, SpoolCaps
from footfall_assets.contracts.batch import public_key_text, unpack_batch
from footfall_assets.contracts.fleet import (
    DesiredCamera,
    DesiredConfiguration,
    DeviceReport,
    Limits,
    SourceKind,
    desired_key,
    reported_key,
)
from footfall_assets.contracts.registry import FilterMode
from footfall_assets.contracts.settings import IntakeLimits
from footfall_assets.storage.fleet_store import read_signed, write_signed
from footfall_assets.storage.lake import FolderLake

FLEET = Ed25519PrivateKey.from_private_bytes(bytes(32))
DEVICE = Ed25519PrivateKey.from_private_bytes(b"1" * 32)


class Noise:
    """A source of noise, a picture every 10 ms; an address `broken` never opens, `silent` gives ticks alone."""

    def __init__(self, camera) -> None:
        self._address = camera.address
        self._closed = Event()
        self._count = 0

    def __enter__(self):
        if self._address == "broken":
            raise UnreadableSource("no camera at that address")
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._closed.set()

    @property
    def status(self):
        captured = 0 if self._address == "silent" else self._count
        return SourceStatus(
            connected=self._address != "silent",
            frames_expected=self._count,
            frames_captured=captured,
            frames_dropped=self._count - captured,
        )

    def ticks(self):
        while not self._closed.wait(0.01):
            frame = None
            if self._address != "silent":
                image = np.random.default_rng(self._count).integers(0, 255, (24, 32, 3), dtype=np.uint8)
                frame = Frame(image, datetime.now(UTC), self._count)
            self._count += 1
            yield Tick(self._count - 1, frame)


def camera(name="door", address="1", interval_s=0.01):
    return DesiredCamera(
        camera_id=name, kind=SourceKind.SYNTHETIC, address=address, interval_s=interval_s, filter=FilterMode.NONE
    )


def desired(revision, *cameras, **limits):
    return DesiredConfiguration(
        device_id="box-1",
        revision=revision,
        issued_at=datetime.now(UTC),
        location_id="store",
        timezone="UTC",
        cameras=cameras,
        limits=Limits(**({"batch_stills": 5, "batch_age_s": 0.5} | limits)),
        report_every_s=0.2,
    )


class Shop:
    """A device with its lake; `run` starts its agent in a thread."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.lake = FolderLake(folder / "lake")
        (folder / "lake").mkdir()
        save_identity(folder / "state", DeviceIdentity(device_id="box-1", fleet_public_key=public_key_text(FLEET)))
        self.stop = Event()
        self.agent = self.thread = None

    def ask(self, configuration) -> None:
        write_signed(self.lake, desired_key("box-1"), configuration, FLEET)

    def run(self, **changes):
        self.spool = Spool(self.folder / "spool", SpoolCaps(10**9, 10**6))
        parts = {
            "configuration": ConfigurationState(self.folder / "state"),
            "device_id": "box-1",
            "key": DEVICE,
            "spool": self.spool,
            "lake": self.lake,
            "clock": SteadyClock(SystemClock(), self.spool.known_clock()),
            "open_source": Noise,
            "load_filter": lambda _: KeepAll(),
            "provide_models": lambda _: None,
            "trial_s": 3.0,
            "poll_s": 0.1,
        }
        self.agent = Agent(AgentParts(**(parts | changes)))
        self.thread = Thread(target=self.agent.run, args=(self.stop,))
        self.thread.start()
        return self.agent

    def end(self) -> None:
        self.stop.set()
        self.thread.join(60)
        assert not self.thread.is_alive()

    def until(self, condition, within_s=60.0):
        """Wait until it holds; how long that takes is not what is tested."""
        end = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < end, self.agent.status().model_dump_json(indent=1)
            time.sleep(0.05)

    @property
    def revision(self):
        return self.agent.status().report.revision

    def batches(self):
        keys = self.lake.list_keys("landing")
        return [unpack_batch(self.lake.read(key), IntakeLimits()).manifest for key in keys]


@pytest.fixture
def shop(fast_folder):
    made = Shop(fast_folder)
    yield made
    if made.thread:
        made.end()


def test_it_captures_sends_and_leaves_nothing_behind(shop):
    shop.ask(desired(1, camera("door"), camera("aisle")))
    shop.run()
    shop.until(lambda: len(shop.lake.list_keys("landing")) >= 6)
    shop.end()
    waiting = shop.spool.oldest()
    sent = {(each.camera_id, each.sequence) for each in shop.batches()}
    held = set()
    while waiting := shop.spool.oldest():
        held.add((waiting.facts.camera_id, waiting.facts.sequence))
        shop.spool.done(waiting)
    for name in ("door", "aisle"):
        numbers = sorted(number for each, number in sent | held if each == name)
        assert numbers == list(range(1, shop.spool.sequences()[name] + 1))
    report = read_signed(shop.lake, reported_key("box-1"), DeviceReport, public_key_text(DEVICE))
    assert (report.revision, report.refused_revision) == (1, None)
    assert {each.camera_id for each in report.cameras} == {"door", "aisle"}
    assert all(each.frames_kept for each in report.cameras)


class OneFace:
    """Finds a face in the top left corner of every still."""

    mode, model = FilterMode.FACE, "corner"

    def judge(self, image):
        return Verdict(keep=image.size > 0, zones=(), boxes=np.array([[0, 0, 6, 6]], np.float32))


@pytest.mark.parametrize("people_only", [False, True])
def test_what_is_far_from_everybody_leaves_only_where_it_may(shop, people_only):
    shop.ask(desired(1, camera(), people_only=people_only, jpeg_quality=100))
    shop.run(load_filter=lambda _: OneFace())
    shop.until(lambda: shop.lake.list_keys("landing"))
    shop.end()
    batch = unpack_batch(shop.lake.read(shop.lake.list_keys("landing")[0]), IntakeLimits())
    picture = cv2.imdecode(np.frombuffer(batch.members[0].data, np.uint8), cv2.IMREAD_COLOR)
    far, near = picture[:, 20:], picture[:6, :6]
    assert (far.std() < 2) == people_only
    assert near.std() > 20


def test_a_changed_configuration_applies_without_a_restart_and_leaves_other_cameras_alone(shop):
    shop.ask(desired(1, camera("door"), camera("aisle")))
    shop.run()
    shop.until(lambda: shop.revision == 1 and not shop.agent.status().on_trial)
    door = shop.agent._workers["door"]
    shop.ask(desired(2, camera("door"), camera("till", "2")))
    shop.until(lambda: shop.revision == 2 and not shop.agent.status().on_trial)
    assert set(shop.agent._workers) == {"door", "till"}
    assert shop.agent._workers["door"] is door
    assert door.is_alive


def test_one_that_does_not_work_is_rolled_back_and_refused(shop):
    shop.ask(desired(1, camera("door")))
    shop.run()
    shop.until(lambda: shop.revision == 1 and not shop.agent.status().on_trial)
    shop.ask(desired(2, camera("door", "broken")))
    shop.until(lambda: shop.agent.status().report.refused_revision == 2)
    status = shop.agent.status()
    assert (status.report.revision, status.on_trial) == (1, False)
    assert "no camera at that address" in status.report.refused_reason
    before = len(shop.lake.list_keys("landing"))
    shop.until(lambda: len(shop.lake.list_keys("landing")) > before)  # the old one works again
    shop.ask(desired(3, camera("door", "3")))
    shop.until(lambda: shop.revision == 3 and not shop.agent.status().on_trial)


def test_a_model_that_cannot_be_had_is_refused_and_the_old_configuration_stays(shop):
    from edge_capture.configuration import ModelsUnavailable  # noqa: PLC0415

    def provide(wanted):
        if wanted.revision == 2:
            raise ModelsUnavailable("no source")

    shop.ask(desired(1, camera()))
    shop.run(provide_models=provide, trial_s=0.5)
    shop.until(lambda: shop.revision == 1)
    shop.ask(desired(2, camera("door", "2")))
    shop.until(lambda: shop.agent.status().report.refused_revision == 2)
    assert shop.revision == 1


def test_a_camera_that_goes_away_after_its_trial_is_no_reason_to_roll_back(shop):
    """At a restart a configuration that has proved itself stands, though no camera answers."""
    shop.ask(desired(1, camera("door", "silent")))
    state = ConfigurationState(shop.folder / "state")
    state.accept(desired(1, camera("door", "silent")))
    state.commit()
    shop.run(trial_s=0.2)
    shop.until(lambda: len(shop.lake.list_keys("landing")) >= 2)
    assert (shop.revision, shop.agent.status().report.refused_revision) == (1, None)
    shop.end()
    batches = shop.batches()
    assert {(each.frames_captured, each.frames_kept) for each in batches} == {(0, 0)}
    assert sum(each.frames_expected for each in batches) > 10  # nobody came and nothing was seen are two things


def test_offline_it_keeps_everything_and_sends_it_afterwards(shop):
    shop.ask(desired(1, camera()))
    shop.run()
    shop.until(lambda: shop.revision == 1)
    hidden = shop.folder / "away"
    (shop.folder / "lake").rename(hidden)
    (shop.folder / "lake").write_bytes(b"not mounted")
    shop.until(lambda: shop.agent.status().report.spool_items >= 10)
    assert not shop.agent.status().connected
    (shop.folder / "lake").unlink()
    hidden.rename(shop.folder / "lake")
    shop.until(lambda: shop.agent.status().report.spool_items <= 2)
    shop.end()
    sequences = sorted(each.sequence for each in shop.batches())
    assert sequences[:10] == list(range(1, 11))


def test_a_disk_that_takes_nothing_is_waited_for(shop, monkeypatch):
    shop.ask(desired(1, camera()))
    shop.run()
    shop.until(lambda: len(shop.lake.list_keys("landing")) >= 1)
    real, refused = shop.spool.put, []

    def refuse(facts, data):
        refused.append(facts.sequence)
        raise SpoolUnwritable("no space left")

    monkeypatch.setattr(shop.spool, "put", refuse)
    shop.until(lambda: len(refused) > 5 and shop.agent._workers["door"].state().frames_dropped > 3)
    assert shop.thread.is_alive()
    monkeypatch.setattr(shop.spool, "put", real)
    shop.until(lambda: refused[0] in {each.sequence for each in shop.batches()})  # the very batch that was refused
    shop.end()


def test_its_metrics_are_its_status(shop):
    shop.ask(desired(1, camera()))
    shop.run()
    shop.until(lambda: shop.agent.status().report.uploaded_items >= 2)
    registry = CollectorRegistry()
    registry.register(AgentCollector(shop.agent.status))
    samples = {(each.name, *each.labels.values()): each.value for each in registry_samples(registry)}
    assert samples["edge_uploaded_items_total",] >= 2
    assert samples["edge_configuration_revision",] == 1
    assert samples["edge_camera_connected", "door"] == 1
    assert samples["edge_camera_frames_total", "door", "kept"] > 5
    assert samples["edge_clock_fault",] == samples["edge_lake_refused",] == 0


def registry_samples(registry):
    return [sample for metric in registry.collect() for sample in metric.samples]


def test_numbers_go_on_after_a_restart(shop):
    shop.ask(desired(1, camera()))
    shop.run()
    shop.until(lambda: len(shop.lake.list_keys("landing")) >= 2)
    shop.end()
    last = Spool(shop.folder / "spool", SpoolCaps(10**9, 10**6)).sequences()["door"]
    shop.stop = Event()
    shop.run()
    shop.until(lambda: max(each.sequence for each in shop.batches()) > last)
    shop.end()
    numbers = [each.sequence for each in shop.batches()]
    assert len(set(numbers)) == len(numbers)
