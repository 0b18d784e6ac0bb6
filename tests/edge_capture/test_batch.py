from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from uuid import UUID

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from edge_capture.batch import BatchLimits, CameraProfile, capture_batches, encode_still
from edge_capture.errors import EncodeFailed
from edge_capture.filter import KeepAll
from edge_capture.source import Frame
from footfall_assets.contracts.batch import public_key_text, unpack_batch
from footfall_assets.contracts.errors import InvalidBatch
from footfall_assets.contracts.ids import sha256_hex
from footfall_assets.contracts.registry import FilterMode
from footfall_assets.contracts.settings import IntakeLimits

START = datetime(2024, 1, 5, 10, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PROFILE = CameraProfile(
    device_id="box-1",
    location_id="store-101",
    camera_id="store-101-door",
    timezone="UTC",
    interval_s=5.0,
    boot_id=UUID(int=1),
    zones=("door",),
)


class OnlyBright:
    """Keeps the stills that are bright, as a filter that looks into them would."""

    mode = FilterMode.FACE
    model: str | None = "bright"

    def keep(self, image) -> bool:
        return bool(image.mean() > 127)


def grey(sequence: int, level: int, moment: datetime | None = None) -> Frame:
    return Frame(np.full((48, 64, 3), level, np.uint8), moment or START + timedelta(seconds=5 * sequence), sequence)


@pytest.fixture
def captured(frame_at):
    """Capture frames 5 s apart, or the ones given, and return the batches."""

    def capture(frames=20, *, limits=None, still_filter=None, profile=PROFILE, observe=None):
        if isinstance(frames, int):
            frames = [frame_at(START + timedelta(seconds=5 * number), number) for number in range(frames)]
        return list(capture_batches(frames, profile, still_filter or KeepAll(), KEY, limits=limits, observe=observe))

    return capture


def test_the_same_stills_give_the_same_bytes(captured) -> None:
    [first], [again] = captured(), captured()
    assert first.data == again.data
    assert first.manifest.batch_id == again.manifest.batch_id


def test_ids_tell_cameras_moments_and_contents_apart(frame_at) -> None:
    frame = frame_at(START, 1)
    later = Frame(frame.image, START + timedelta(microseconds=1), 1)
    other = frame_at(START, 2)
    stills = [(frame, "door"), (later, "door"), (other, "door"), (frame, "hall")]
    ids = {encode_still(each, camera, jpeg_quality=90).entry.image_id for each, camera in stills}
    assert len(ids) == 4
    assert encode_still(frame, "door", jpeg_quality=90).entry.image_id in ids


def test_a_batch_says_what_is_in_it(captured) -> None:
    [batch] = captured(3)
    unpacked = unpack_batch(batch.data, IntakeLimits())
    assert unpacked.manifest == batch.manifest
    unpacked.verify_signature(public_key_text(KEY))
    for member in unpacked.members:
        assert sha256_hex(member.data) == member.entry.sha256
        assert batch.data[member.offset : member.offset + len(member.data)] == member.data
    manifest = batch.manifest
    assert (manifest.location_id, manifest.camera_id, manifest.zones) == ("store-101", "store-101-door", ("door",))
    assert (manifest.filter, manifest.filter_model) == (FilterMode.NONE, None)
    assert (manifest.opened_at, manifest.closed_at) == (START, START + timedelta(seconds=10))
    assert (manifest.day, manifest.interval_s, manifest.boot_id) == (date(2024, 1, 5), 5.0, UUID(int=1))


def test_another_key_did_not_sign_it(captured) -> None:
    [batch] = captured(1)
    with pytest.raises(InvalidBatch, match="bad_signature"):
        unpack_batch(batch.data, IntakeLimits()).verify_signature(public_key_text(Ed25519PrivateKey.generate()))


def test_stills_carry_no_metadata(captured) -> None:
    [batch] = captured(1)
    jpeg = unpack_batch(batch.data, IntakeLimits()).members[0].data
    with Image.open(BytesIO(jpeg)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (64, 48))
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_batch_closes_on_its_number_of_stills(captured) -> None:
    batches = captured(20, limits=BatchLimits(stills=8))
    assert [batch.manifest.frames_kept for batch in batches] == [8, 8, 4]


def test_a_batch_closes_on_size(captured) -> None:
    [whole] = captured(6)
    still = max(entry.size_bytes for entry in whole.manifest.images)
    batches = captured(6, limits=BatchLimits(size_bytes=still + 1))
    assert [batch.manifest.frames_kept for batch in batches] == [2, 2, 2]


def test_a_batch_closes_on_age(captured) -> None:
    batches = captured(20, limits=BatchLimits(age_s=30))
    assert [batch.manifest.frames_kept for batch in batches] == [6, 6, 6, 2]


def test_sequence_numbers_go_up_by_one(captured) -> None:
    assert [batch.manifest.sequence for batch in captured(20, limits=BatchLimits(stills=5))] == [1, 2, 3, 4]


# Clocks in London: +1 h from 2024-03-31 01:00 UTC, back at 2024-10-27 01:00 UTC; those days have 23 and 25 hours.
@pytest.mark.parametrize(
    ("timezone", "before_midnight"),
    [
        ("UTC", datetime(2024, 1, 5, 23, 59, 55, tzinfo=UTC)),
        ("Europe/London", datetime(2024, 3, 30, 23, 59, 55, tzinfo=UTC)),
        ("Europe/London", datetime(2024, 3, 31, 22, 59, 55, tzinfo=UTC)),
        ("Europe/London", datetime(2024, 10, 26, 22, 59, 55, tzinfo=UTC)),
        ("Europe/London", datetime(2024, 10, 27, 23, 59, 55, tzinfo=UTC)),
        ("Asia/Tokyo", datetime(2024, 1, 5, 14, 59, 55, tzinfo=UTC)),
    ],
)
def test_a_batch_closes_at_local_midnight(captured, frame_at, timezone, before_midnight) -> None:
    frames = [frame_at(before_midnight + timedelta(seconds=5 * number), number + 1) for number in (-1, 0, 1, 2)]
    profile = CameraProfile(**vars(PROFILE) | {"timezone": timezone})
    first, second = captured(frames, profile=profile)
    assert second.manifest.opened_at == before_midnight + timedelta(seconds=5)
    assert second.manifest.day - first.manifest.day == timedelta(days=1)
    assert [first.manifest.frames_kept, second.manifest.frames_kept] == [2, 2]


@pytest.mark.parametrize(("day", "hours"), [(date(2024, 3, 31), 23), (date(2024, 6, 1), 24), (date(2024, 10, 27), 25)])
def test_a_day_of_a_change_of_clocks_is_one_day(captured, frame_at, day, hours) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    moments = [noon + timedelta(minutes=10 * number) for number in range(-200, 200)]
    frames = [frame_at(moment, number, size=(16, 16)) for number, moment in enumerate(moments)]
    profile = CameraProfile(**vars(PROFILE) | {"timezone": "Europe/London"})
    batches = captured(frames, profile=profile, limits=BatchLimits(stills=1000, age_s=1e9))
    [whole] = [batch for batch in batches if batch.manifest.day == day]
    assert whole.manifest.frames_kept == hours * 6


def test_a_batch_without_stills_is_sent_on_age(captured) -> None:
    frames = [grey(number, 10) for number in range(20)]
    batches = captured(frames, still_filter=OnlyBright(), limits=BatchLimits(age_s=50))
    assert [batch.manifest.frames_captured for batch in batches] == [10, 10]
    assert [batch.manifest.frames_kept for batch in batches] == [0, 0]
    assert len({batch.manifest.batch_id for batch in batches}) == 2
    assert [unpack_batch(batch.data, IntakeLimits()).members for batch in batches] == [(), ()]


def test_no_frames_no_batch(captured) -> None:
    assert captured([]) == []


def test_gaps_count_as_expected_and_not_as_captured(captured) -> None:
    frames = [grey(number, 200) for number in (0, 1, 4, 5, 9)]
    [batch] = captured(frames)
    assert (batch.manifest.frames_expected, batch.manifest.frames_captured) == (10, 5)


def test_frames_add_up_over_batches(captured) -> None:
    frames = [grey(number, 200 if number % 3 else 10) for number in range(30)]
    batches = [batch.manifest for batch in captured(frames, still_filter=OnlyBright(), limits=BatchLimits(stills=4))]
    assert sum(batch.frames_expected for batch in batches) == 30
    assert sum(batch.frames_captured for batch in batches) == 30
    assert sum(batch.frames_kept for batch in batches) == 20


def test_a_rejected_still_is_observed_and_not_sent(captured) -> None:
    seen = []
    frames = [grey(0, 10), grey(1, 200), grey(2, 20)]

    def observe(frame, encoded, kept):
        seen.append((frame.sequence, encoded(), kept))

    [batch] = captured(frames, still_filter=OnlyBright(), observe=observe)
    assert [(sequence, kept) for sequence, _, kept in seen] == [(0, False), (1, True), (2, False)]
    assert [entry.image_id for entry in batch.manifest.images] == [seen[1][1].entry.image_id]
    assert seen[0][1].jpeg not in batch.data
    assert (batch.manifest.filter, batch.manifest.filter_model) == (FilterMode.FACE, "bright")


def test_a_still_that_cannot_be_encoded_is_named() -> None:
    frame = Frame(np.zeros((1, 70_000, 3), np.uint8), START, 0)  # JPEG ends at 65,535 pixels
    with pytest.raises(EncodeFailed, match="store-101-door"):
        encode_still(frame, "store-101-door", jpeg_quality=90)
