import io
from datetime import date, timedelta
from struct import pack

import cv2
import numpy as np
import pytest
from PIL import Image

from footfall_assets.capture.images import images_of_batch
from footfall_assets.contracts.batch import accepted_key, pack_batch
from footfall_assets.contracts.errors import InvalidBatch
from footfall_assets.contracts.schemas import COVERAGE, IMAGES
from footfall_assets.contracts.settings import IntakeLimits


def accepted(landing, batch, data=None):
    key = accepted_key(batch.manifest)
    landing.lake.write(key, batch.data if data is None else data)
    return key


def png() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def resized_header(jpeg: bytes, width: int, height: int) -> bytes:
    """Return a JPEG whose frame header claims another size (ITU T.81, section B.2.2)."""
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + pack(">HH", height, width) + jpeg[at + 9 :]


def cut_before_header(jpeg: bytes) -> bytes:
    return jpeg[: jpeg.index(b"\xff\xc0")]


def test_every_still_becomes_a_row_that_points_at_its_bytes(landing, make) -> None:
    batch = make.capture()
    key = accepted(landing, batch)
    part = images_of_batch(landing.lake, key, IntakeLimits())
    assert part.images.schema.equals(IMAGES)
    rows = part.images.to_pylist()
    assert [row["image_id"] for row in rows] == [entry.image_id for entry in batch.manifest.images]
    for row, entry in zip(rows, batch.manifest.images, strict=True):
        jpeg = landing.lake.read_range(row["object"], row["offset"], row["length"])
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (row["height"], row["width"], 3) == (48, 64, 3)
        assert (row["captured_at"], row["sha256"]) == (entry.captured_at, entry.sha256)
        assert (row["camera_id"], row["location_id"], row["filter"]) == ("store-101-door", "store-101", "none")
        assert row["batch_id"] == batch.manifest.batch_id
    assert not part.quarantined


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        ("format", lambda _: png()),
        ("format", lambda _: b"\xff\xd8\xff" + b"not a picture"),
        ("format", cut_before_header),
        ("format", lambda _: b"GIF89a" + bytes(100)),
        ("dimensions", lambda jpeg: resized_header(jpeg, 65500, 65500)),
        ("dimensions", lambda jpeg: resized_header(jpeg, 8193, 48)),
        ("dimensions", lambda jpeg: resized_header(jpeg, 63, 48)),
    ],
    ids=["PNG", "magic only", "no header", "GIF", "65500 x 65500", "too wide", "other than it says"],
)
def test_a_bad_still_is_set_aside_and_the_others_stay(landing, make, reason, spoil) -> None:
    good, bad = make.still(1).jpeg, spoil(make.still(2).jpeg)
    batch = make.signed({}, [good, bad, make.still(3).jpeg])
    key = accepted(landing, batch)
    part = images_of_batch(landing.lake, key, IntakeLimits())
    ids = [entry.image_id for entry in batch.manifest.images]
    assert part.images["image_id"].to_pylist() == [ids[0], ids[2]]
    assert part.quarantined == {reason: 1}
    [object_key, note] = landing.lake.list_keys(f"quarantine/{reason}")
    assert landing.lake.read(object_key) == bad
    assert f"{key}#{ids[1]}.jpg".encode() in landing.lake.read(note)
    [coverage] = part.coverage.to_pylist()
    assert (coverage["frames_kept"], coverage["images_quarantined"]) == (3, 1)


def test_a_still_with_other_bytes_than_were_signed(landing, make) -> None:
    batch = make.capture()
    jpegs = [make.still(seed).jpeg for seed in (5, 6, 7)]
    changed = pack_batch(batch.manifest, jpegs, make.key)
    part = images_of_batch(landing.lake, accepted(landing, batch, changed), IntakeLimits())
    assert part.images.num_rows == 0
    assert part.quarantined == {"hash_mismatch": 3}


def test_one_flipped_bit_costs_one_still(landing, make) -> None:
    batch = make.capture()
    whole = images_of_batch(landing.lake, accepted(landing, batch), IntakeLimits()).images.to_pylist()
    data = bytearray(batch.data)
    data[whole[1]["offset"] + whole[1]["length"] // 2] ^= 1
    part = images_of_batch(landing.lake, accepted(landing, batch, bytes(data)), IntakeLimits())
    assert part.images.to_pylist() == [whole[0], whole[2]]
    assert part.quarantined == {"hash_mismatch": 1}


@pytest.mark.parametrize(("limit", "most"), [("image_side_px", 64), ("image_pixels", 64 * 48)])
def test_a_picture_may_be_so_large_and_no_larger(landing, make, limit, most) -> None:
    key = accepted(landing, make.signed({}, [make.still().jpeg]))
    assert images_of_batch(landing.lake, key, IntakeLimits(**{limit: most})).images.num_rows == 1
    assert images_of_batch(landing.lake, key, IntakeLimits(**{limit: most - 1})).quarantined == {"dimensions": 1}


def test_a_batch_says_what_it_covers(landing, make) -> None:
    batch = make.signed({"frames_expected": 9, "frames_captured": 7}, [make.still().jpeg])
    part = images_of_batch(landing.lake, accepted(landing, batch), IntakeLimits())
    assert part.coverage.schema.equals(COVERAGE)
    assert part.coverage.to_pylist() == [
        {
            "batch_id": batch.manifest.batch_id,
            "camera_id": "store-101-door",
            "location_id": "store-101",
            "device_id": "box-1",
            "sequence": 1,
            "day": date(2024, 1, 5),
            "opened_at": make.start,
            "closed_at": make.start,
            "interval_s": 5.0,
            "frames_expected": 9,
            "frames_captured": 7,
            "frames_kept": 1,
            "images_quarantined": 0,
        }
    ]


def test_an_empty_batch_covers_its_time(landing, make) -> None:
    batch = make.signed({"frames_captured": 90, "closed_at": make.start + timedelta(minutes=15)}, [])
    part = images_of_batch(landing.lake, accepted(landing, batch), IntakeLimits())
    assert part.images.num_rows == 0
    [row] = part.coverage.to_pylist()
    assert row["closed_at"] - row["opened_at"] == timedelta(minutes=15)


def test_a_stored_batch_that_was_cut_short_fails(landing, make) -> None:
    batch = make.capture()
    with pytest.raises(InvalidBatch, match="truncated"):
        images_of_batch(landing.lake, accepted(landing, batch, batch.data[:3000]), IntakeLimits())
