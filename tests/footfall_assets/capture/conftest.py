"""A platform with a few stores and devices, and batches to land on it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_capture.batch import BatchLimits, CameraProfile, PackedBatch, Still, capture_batches, encode_still
from edge_capture.filter import KeepAll
from edge_capture.source import Frame
from footfall_assets.capture.intake import take_in, waiting
from footfall_assets.contracts.batch import BatchManifest, landing_key, pack_batch, public_key_text
from footfall_assets.contracts.ids import batch_id, image_id, sha256_hex
from footfall_assets.contracts.registry import Camera, Device, Location, LocationMode, Registry
from footfall_assets.contracts.settings import IntakeLimits
from footfall_assets.reporting.fleet_status import count_quarantined
from footfall_assets.storage.lake import FolderLake

DAY = date(2024, 1, 5)
START = datetime(2024, 1, 5, 10, tzinfo=UTC)
NOW = datetime(2024, 1, 6, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PROFILE: dict[str, Any] = {
    "device_id": "box-1",
    "location_id": "store-101",
    "camera_id": "store-101-door",
    "timezone": "UTC",
    "interval_s": 5.0,
    "boot_id": UUID(int=1),
}


def location(location_id: str, valid_from: date, **changes: Any) -> Location:
    plain = {
        "location_id": location_id,
        "name": location_id,
        "timezone": "UTC",
        "mode": LocationMode.COUNT_ONLY,
        "partition_group": location_id,
        "valid_from": valid_from,
    }
    return Location.model_validate(plain | changes)


def camera(camera_id: str, location_id: str, valid_from: date) -> Camera:
    return Camera(camera_id=camera_id, location_id=location_id, name=camera_id, valid_from=valid_from)


@pytest.fixture(scope="session")
def registry() -> Registry:
    known = date(2023, 1, 1)
    key = public_key_text(KEY)
    return Registry(
        first_day=date(2024, 1, 2),
        locations=(
            location("store-101", known),
            location("store-203", known, mode=LocationMode.OFF),
            location("tokyo", known, timezone="Asia/Tokyo"),
            location("opens-later", date(2024, 6, 1)),
        ),
        cameras=(
            camera("store-101-door", "store-101", known),
            camera("store-203-door", "store-203", known),
            camera("tokyo-door", "tokyo", known),
            camera("store-101-new", "store-101", date(2024, 6, 1)),
        ),
        devices=(
            Device(device_id="box-1", public_key=key),
            Device(device_id="box-gone", public_key=key, revoked=True),
            Device(device_id="box-tokyo", public_key=key, location_id="tokyo"),
        ),
    )


def capture(first: datetime = START, *, stills: int = 3, seed: int = 0, **profile: Any) -> PackedBatch:
    """Return one batch as a device makes it: `stills` stills 5 s apart."""
    chance = np.random.default_rng(seed)
    frames = [
        Frame(chance.integers(0, 255, (48, 64, 3), dtype=np.uint8), first + timedelta(seconds=5 * number), number)
        for number in range(stills)
    ]
    camera_profile = CameraProfile(**PROFILE | profile)
    [batch] = capture_batches(frames, camera_profile, KeepAll(), KEY, limits=BatchLimits(age_s=1e9))
    return batch


def signed(changes: dict[str, Any], jpegs: list[bytes], *, key: Ed25519PrivateKey = KEY) -> PackedBatch:
    """Return a batch of these bytes, its ids right and signed, and the manifest as a device may fill it in."""
    plain = capture(stills=1).manifest
    camera_id = changes.get("camera_id", plain.camera_id)
    captured_at = changes.get("opened_at", plain.opened_at)
    entries = [
        {
            "image_id": image_id(camera_id, captured_at + timedelta(seconds=number), sha256_hex(jpeg)),
            "captured_at": captured_at + timedelta(seconds=number),
            "size_bytes": len(jpeg),
            "sha256": sha256_hex(jpeg),
            "width": 64,
            "height": 48,
        }
        for number, jpeg in enumerate(jpegs)
    ]
    ids = tuple(entry["image_id"] for entry in entries)
    values = plain.model_dump() | {
        "frames_expected": len(jpegs),
        "frames_captured": len(jpegs),
        "frames_kept": len(jpegs),
        "closed_at": captured_at + timedelta(seconds=max(len(jpegs) - 1, 0)),
        **changes,
        "images": entries,
        "batch_id": batch_id(camera_id, captured_at, ids),
    }
    manifest = BatchManifest.model_validate(values)
    return PackedBatch(manifest, pack_batch(manifest, jpegs, key))


def still(seed: int = 0) -> Still:
    picture = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    return encode_still(Frame(picture, START, 0), "store-101-door", jpeg_quality=90)


@dataclass
class Landing:
    """A lake to land on."""

    lake: FolderLake
    limits: IntakeLimits = field(default_factory=IntakeLimits)

    def land(self, batch: PackedBatch, *, key: str | None = None, data: bytes | None = None) -> str:
        key = key or landing_key(batch.manifest)
        self.lake.write(key, batch.data if data is None else data)
        return key


@pytest.fixture
def landing(tmp_path) -> Landing:
    return Landing(FolderLake(tmp_path / "lake"))


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """Give tests the builders of this file, which no test may import."""
    return SimpleNamespace(capture=capture, signed=signed, still=still, start=START, now=NOW, key=KEY)


@pytest.fixture
def drained(landing: Landing, registry: Registry) -> Callable[..., dict[str, int]]:
    """Take in what landed and return the reasons; every object is accounted for once, in the report and in the lake."""

    def drain(make: SimpleNamespace, **limits: int) -> dict[str, int]:
        keys = landing.lake.list_keys("landing")
        before = count_quarantined(landing.lake)
        report = take_in(landing.lake, registry, IntakeLimits(**limits), now=make.now)
        assert report.landed == len(keys)
        assert len(landing.lake.list_keys("landing")) == report.unreadable_names
        found = Counter(count_quarantined(landing.lake))
        found.subtract(before)
        assert {reason: count for reason, count in found.items() if count} == dict(report.quarantined)
        assert waiting(landing.lake) == []
        return dict(report.quarantined)

    return drain
