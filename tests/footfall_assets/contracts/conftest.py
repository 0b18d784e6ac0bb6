import io
import tarfile
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from footfall_assets.contracts.batch import MANIFEST_NAME, BatchManifest, ImageEntry, pack_batch
from footfall_assets.contracts.ids import batch_id, image_id, sha256_hex
from footfall_assets.contracts.settings import IntakeLimits

OPENED = datetime(2024, 1, 1, 9, tzinfo=UTC)


def manifest_of(stills, **changes):
    entries = []
    for number, still in enumerate(stills):
        moment, digest = OPENED + timedelta(seconds=5 * number), sha256_hex(still)
        entries.append(
            ImageEntry(
                image_id=image_id("door", moment, digest),
                captured_at=moment,
                size_bytes=len(still),
                sha256=digest,
                width=640,
                height=480,
            )
        )
    fields = {
        "batch_id": batch_id("door", OPENED, tuple(entry.image_id for entry in entries)),
        "device_id": "device-1",
        "location_id": "store-101",
        "camera_id": "door",
        "day": date(2024, 1, 1),
        "sequence": 1,
        "boot_id": UUID(int=7),
        "filter": "face",
        "interval_s": 5.0,
        "opened_at": OPENED,
        "closed_at": OPENED + timedelta(minutes=15),
        "frames_expected": 180,
        "frames_captured": 180,
        "frames_kept": len(entries),
        "images": tuple(entries),
    }
    return BatchManifest(**fields | changes)


@pytest.fixture
def stills():
    return [bytes([number]) * 7001 * (number + 1) for number in range(5)]


@pytest.fixture
def manifest(stills):
    return manifest_of(stills)


@pytest.fixture
def key():
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def packed(manifest, stills, key):
    return pack_batch(manifest, stills, key)


@pytest.fixture
def with_manifest(packed):
    """The packed batch with another document in the place of its manifest."""

    def swapped(document):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=io.BytesIO(packed)) as old, tarfile.open(fileobj=buffer, mode="w") as new:
            for member in old:
                data = document if member.name == MANIFEST_NAME else old.extractfile(member).read()
                member.size = len(data)
                new.addfile(member, io.BytesIO(data))
        return buffer.getvalue()

    return swapped


@pytest.fixture(scope="session")
def small_batch():
    stills = [b"abc", b"defg"]
    return manifest_of(stills), stills, Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def limits():
    return IntakeLimits()
