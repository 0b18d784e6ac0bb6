"""Manifests that lie, or that are there to hurt who reads them."""

import json
from datetime import date
from uuid import UUID

import pytest

from footfall_assets.contracts.batch import BatchManifest, unpack_batch
from footfall_assets.contracts.errors import InvalidBatch, QuarantineReason
from footfall_assets.contracts.settings import IntakeLimits


@pytest.fixture
def reason_for(with_manifest, limits):
    def found(document):
        with pytest.raises(InvalidBatch) as caught:
            unpack_batch(with_manifest(document), limits)
        return caught.value.reason

    return found


def replaced(manifest, **changes):
    return (json.loads(manifest.model_dump_json()) | changes).items()


DEEP = b"[" * 10_000 + b"]" * 10_000


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'"text"',
        b"\xff\xfe{}",
        b"{}\x00",
        DEEP,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"images": ' + DEEP + b"}",
        b"9" * 100_000,
        b" " * 1_000_000,
    ],
    ids=lambda document: document[:12].decode(errors="replace") + f" {len(document)}",
)
def test_json_that_is_no_manifest_is_refused(reason_for, document):
    assert reason_for(document) is QuarantineReason.BAD_MANIFEST


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unknown", "1"),
        ("format", '"footfall-batch/2"'),
        ("interval_s", "NaN"),
        ("interval_s", "Infinity"),
        ("interval_s", "-Infinity"),
        ("interval_s", "1e999"),
        ("interval_s", "0"),
        ("interval_s", "-5"),
        ("interval_s", '"five"'),
        ("sequence", "0"),
        ("sequence", "1" + "0" * 30),
        ("sequence", "9" * 5000),
        ("sequence", "1.5"),
        ("frames_expected", "-1"),
        ("frames_expected", "9223372036854775808"),
        ("frames_captured", "4"),
        ("frames_kept", "4"),
        ("frames_kept", "null"),
        ("location_id", '"../x"'),
        ("location_id", '"store\\u0000101"'),
        ("location_id", '"Store 101"'),
        ("camera_id", '"gate"'),
        ("device_id", '"x\\ny"'),
        ("device_id", '"' + "x" * 5000 + '"'),
        ("zones", '["<script>"]'),
        ("boot_id", '"1"'),
        ("batch_id", '"00000000-0000-8000-8000-000000000000"'),
        ("day", '"2024-02-30"'),
        ("day", '"0000-01-01"'),
        ("filter", '"all"'),
        ("filter_model", '"' + "x" * 121 + '"'),
        ("opened_at", '"2024-01-01T09:00:00"'),
        ("opened_at", '"0000-01-01T00:00:00Z"'),
        ("opened_at", '"0001-01-01T00:00:00+14:00"'),
        ("opened_at", '"0001-01-01T00:00:00Z"'),
        ("opened_at", '"1969-12-31T23:59:59Z"'),
        ("opened_at", '"9999-12-31T23:59:59Z"'),
        ("closed_at", '"9999-12-31T23:59:59-14:00"'),
        ("opened_at", '"2024-01-01T09:00:01Z"'),
        ("opened_at", '"2024-13-01T09:00:00Z"'),
        ("opened_at", "1e999"),
        ("images", "[]"),
        ("images", "{}"),
        ("images", "null"),
    ],
)
def test_a_field_that_is_not_right_is_refused(reason_for, manifest, name, value):
    fields = {key: json.dumps(each) for key, each in replaced(manifest)} | {name: value}
    document = "{" + ",".join(f'"{key}":{text}' for key, text in fields.items()) + "}"
    assert reason_for(document.encode()) is QuarantineReason.BAD_MANIFEST


@pytest.mark.parametrize("name", list(BatchManifest.model_fields))
def test_a_missing_field_is_refused_unless_it_has_a_default(with_manifest, reason_for, manifest, limits, name):
    fields = dict(replaced(manifest))
    fields.pop(name, None)  # one that came later is written only where it has a value
    document = json.dumps(fields).encode()
    if BatchManifest.model_fields[name].is_required():
        assert reason_for(document) is QuarantineReason.BAD_MANIFEST
    else:
        assert unpack_batch(with_manifest(document), limits).manifest == manifest


@pytest.mark.parametrize("name", ["day", "sequence", "format"])
def test_a_name_given_twice_is_refused_even_with_the_same_value(reason_for, manifest, name):
    document = manifest.model_dump_json()
    again = json.dumps({name: json.loads(document)[name]})[1:-1]
    assert reason_for(f"{{{again},{document[1:]}".encode()) is QuarantineReason.BAD_MANIFEST


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", 0),
        ("width", 65_536),
        ("height", 2**31),
        ("size_bytes", 0),
        ("size_bytes", 2**63),
        ("sha256", "0" * 64),
        ("sha256", "A" * 64),
        ("sha256", "../../etc/passwd"),
        ("captured_at", "2024-01-01T09:00:01Z"),
        ("captured_at", "2024-01-01T09:00:00"),
        ("captured_at", "9999-12-31T23:59:59Z"),
        ("image_id", str(UUID(int=0))),
        ("unknown", 1),
    ],
)
def test_an_image_that_is_not_right_is_refused(reason_for, manifest, name, value):
    fields = dict(replaced(manifest))
    fields["images"][0][name] = value
    assert reason_for(json.dumps(fields).encode()) is QuarantineReason.BAD_MANIFEST


def test_an_image_listed_twice_is_refused(reason_for, manifest):
    fields = dict(replaced(manifest))
    fields["images"].append(fields["images"][0])
    fields["frames_kept"] += 1
    assert reason_for(json.dumps(fields).encode()) is QuarantineReason.BAD_MANIFEST


def test_no_message_repeats_more_than_a_few_hundred_characters_of_a_hostile_manifest(with_manifest):
    with pytest.raises(InvalidBatch) as caught:
        unpack_batch(with_manifest(b'{"format": "' + b"x" * 1_000_000 + b'"}'), IntakeLimits())
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


def test_a_time_may_be_written_in_any_zone(with_manifest, manifest, limits):
    fields = dict(replaced(manifest, opened_at="2024-01-01T18:00:00+09:00"))
    found = unpack_batch(with_manifest(json.dumps(fields).encode()), limits).manifest
    assert found.opened_at == manifest.opened_at
    assert found.day == date(2024, 1, 1)
