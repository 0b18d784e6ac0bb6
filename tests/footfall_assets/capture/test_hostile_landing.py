import gzip
import io
import json
import os
import tarfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from footfall_assets.contracts.batch import accepted_key, landing_key


def members_of(batch):
    """Return the members of a batch as (header, bytes), to be put together differently."""
    with tarfile.open(fileobj=io.BytesIO(batch.data)) as archive:
        return [(each, archive.extractfile(each).read()) for each in archive.getmembers()]


def archive_of(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for header, data in members:
            archive.addfile(header, io.BytesIO(data) if header.isreg() else None)
    return buffer.getvalue()


def renamed(batch, name):
    """Return the batch with its last still under another name."""
    members = members_of(batch)
    members[-1][0].name = name
    return archive_of(members)


def linked(batch, kind, target):
    """Return the batch with a link in the place of its last still."""
    members = members_of(batch)
    header = tarfile.TarInfo(members[-1][0].name)
    header.type, header.linkname = kind, target
    return archive_of([*members[:-1], (header, b"")])


def with_more(batch, name):
    more = tarfile.TarInfo(name)
    more.size = 5
    return archive_of([*members_of(batch), (more, b"hello")])


def with_manifest(batch, change):
    """Return the batch with its manifest rewritten and not signed again."""
    members = members_of(batch)
    document = json.loads(members[0][1])
    change(document)
    changed = json.dumps(document).encode()
    members[0][0].size = len(changed)
    return archive_of([(members[0][0], changed), *members[1:]])


def end_of_stills(batch):
    with tarfile.open(fileobj=io.BytesIO(batch.data)) as archive:
        last = archive.getmembers()[-1]
    return last.offset_data + last.size


TRUNCATED = [("0 bytes", lambda _: 0), ("100 bytes", lambda _: 100), ("one header", lambda _: 512)]
TRUNCATED += [("half", lambda end: end // 2), ("one byte short", lambda end: end - 1), ("no end", lambda end: end)]


@pytest.mark.parametrize("length", [each for _, each in TRUNCATED], ids=[name for name, _ in TRUNCATED])
def test_a_tar_cut_short(landing, drained, make, length) -> None:
    batch = make.capture()
    landing.land(batch, data=batch.data[: length(end_of_stills(batch))])
    assert drained(make) == {"truncated": 1}


# What a device may send that knows the format, its key, and means no harm or all of it.
HOSTILE = {
    "text": ("bad_archive", lambda make: (make.capture(), b"hello" * 1000)),
    "random bytes": ("bad_archive", lambda make: (make.capture(), os.urandom(4096))),
    "member with an absolute name": ("bad_archive", lambda make: pair(make, lambda it: renamed(it, "/etc/passwd"))),
    "member that climbs": ("bad_archive", lambda make: pair(make, lambda it: renamed(it, "../../evil.jpg"))),
    "symbolic link": (
        "bad_archive",
        lambda make: pair(make, lambda it: linked(it, tarfile.SYMTYPE, "/etc/passwd")),
    ),
    "hard link": ("bad_archive", lambda make: pair(make, lambda it: linked(it, tarfile.LNKTYPE, "manifest.json"))),
    "device node": ("bad_archive", lambda make: pair(make, lambda it: linked(it, tarfile.CHRTYPE, ""))),
    "a member too many": ("bad_archive", lambda make: pair(make, lambda it: with_more(it, "more.jpg"))),
    "compressed": ("bad_archive", lambda make: pair(make, compressed)),
    "no manifest": ("bad_archive", lambda make: pair(make, lambda it: archive_of(members_of(it)[1:]))),
    "a still missing": ("truncated", lambda make: pair(make, lambda it: archive_of(members_of(it)[:-1]))),
    "manifest is no JSON": ("bad_manifest", lambda make: pair(make, broken_manifest)),
    "another format": (
        "bad_manifest",
        lambda make: pair(make, lambda it: with_manifest(it, lambda at: at.update(format="footfall-batch/9"))),
    ),
    "unknown field": (
        "bad_manifest",
        lambda make: pair(make, lambda it: with_manifest(it, lambda at: at.update(extra=1))),
    ),
    "made-up image id": (
        "bad_manifest",
        lambda make: pair(
            make,
            lambda it: with_manifest(
                it, lambda at: at["images"][0].update(image_id="0" * 8 + "-0000" * 3 + "-" + "0" * 12)
            ),
        ),
    ),
    "location that climbs": (
        "bad_manifest",
        lambda make: pair(make, lambda it: with_manifest(it, lambda at: at.update(location_id="../.."))),
    ),
    "changed after signing": (
        "bad_signature",
        lambda make: pair(make, lambda it: with_manifest(it, lambda at: at.update(frames_expected=99))),
    ),
    "signed by somebody else": (
        "bad_signature",
        lambda make: whole(make.signed({}, [make.still().jpeg], key=Ed25519PrivateKey.generate())),
    ),
    "unknown device": ("unknown_device", lambda make: whole(make.capture(device_id="box-9"))),
    "revoked device": ("revoked_device", lambda make: whole(make.capture(device_id="box-gone"))),
    "device of another location": ("wrong_location", lambda make: whole(make.capture(device_id="box-tokyo"))),
    "forged in the name of a revoked device": (
        "bad_signature",
        lambda make: whole(
            make.signed({"device_id": "box-gone"}, [make.still().jpeg], key=Ed25519PrivateKey.generate())
        ),
    ),
    "clock that the device itself doubts": (
        "clock",
        lambda make: whole(make.signed({"clock_fault": "stepped"}, [make.still().jpeg])),
    ),
    "100,000 members": ("bad_archive", lambda make: pair(make, lambda it: with_members(it, 100_000))),
    "a member of 8 GB in a header": ("too_large", lambda make: pair(make, huge_member)),
    "a bomb": ("bad_archive", lambda make: pair(make, lambda _: gzip.compress(bytes(50_000_000)))),
    "unknown location": ("unknown_location", lambda make: whole(make.capture(location_id="store-999"))),
    "location not open yet": ("unknown_location", lambda make: whole(make.capture(location_id="opens-later"))),
    "location switched off": (
        "location_off",
        lambda make: whole(make.capture(location_id="store-203", camera_id="store-203-door")),
    ),
    "unknown camera": ("unknown_camera", lambda make: whole(make.capture(camera_id="store-101-roof"))),
    "camera of another location": ("unknown_camera", lambda make: whole(make.capture(camera_id="tokyo-door"))),
    "camera not hung yet": ("unknown_camera", lambda make: whole(make.capture(camera_id="store-101-new"))),
    "clock in the future": ("clock", lambda make: whole(make.capture(make.now + timedelta(seconds=301), stills=1))),
    "before the first day": ("clock", lambda make: whole(make.capture(datetime(2024, 1, 1, 10, tzinfo=UTC)))),
    "wrong business day": ("clock", lambda make: whole(make.signed({"day": date(2024, 1, 4)}, [make.still().jpeg]))),
    "UTC day at a location in Tokyo": (
        "clock",
        lambda make: whole(
            make.capture(
                datetime(2024, 1, 5, 16, tzinfo=UTC), location_id="tokyo", camera_id="tokyo-door", timezone="UTC"
            )
        ),
    ),
    "still before the batch was opened": (
        "clock",
        lambda make: whole(make.signed({"closed_at": make.start - timedelta(seconds=1)}, [make.still().jpeg])),
    ),
}


def with_members(batch, count):
    """Return the batch with so many empty members behind its own, all of the same name."""
    more = tarfile.TarInfo("more.jpg").tobuf(tarfile.USTAR_FORMAT)
    return batch.data[: end_of_stills_padded(batch)] + more * count + bytes(2 * tarfile.BLOCKSIZE)


def end_of_stills_padded(batch):
    return -(-end_of_stills(batch) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def huge_member(batch):
    """Return the batch with a first member that claims 8 GB."""
    header = tarfile.TarInfo("manifest.json")
    header.size = 8 * 1024**3 - 1
    return header.tobuf(tarfile.USTAR_FORMAT) + batch.data[tarfile.BLOCKSIZE :]


def whole(batch):
    return batch, batch.data


def pair(make, change):
    batch = make.capture()
    return batch, change(batch)


def compressed(batch):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for header, data in members_of(batch):
            archive.addfile(header, io.BytesIO(data))
    return buffer.getvalue()


def broken_manifest(batch):
    members = members_of(batch)
    broken = members[0][1].replace(b"{", b"[", 1)
    return archive_of([(members[0][0], broken), *members[1:]])


@pytest.mark.parametrize(("reason", "build"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_batch(landing, drained, make, reason, build) -> None:
    batch, data = build(make)
    landing.land(batch, data=data)
    assert drained(make) == {reason: 1}
    [note] = [key for key in landing.lake.list_keys(f"quarantine/{reason}") if key.endswith(".json")]
    document = json.loads(landing.lake.read(note))
    assert document["reason"] == reason
    assert document["message"]
    assert document["source"] == landing_key(batch.manifest)
    assert landing.lake.read(note.removesuffix(".json")) == data
    assert landing.lake.list_keys("batches") == []


@pytest.mark.parametrize(
    ("limit", "most"), [("batch_bytes", 5000), ("manifest_bytes", 100), ("images", 2), ("image_bytes", 50)]
)
def test_a_batch_beyond_a_limit(landing, drained, make, limit, most) -> None:
    landing.land(make.capture())
    assert drained(make, **{limit: most}) == {"too_large": 1}


def test_no_bad_batch_stops_a_good_one(landing, drained, make) -> None:
    """Everything at once: what landed is what was accepted, what was set aside, and what could not be opened."""
    good = [make.capture(make.start + timedelta(minutes=number), seed=number) for number in range(5)]
    for batch in good:
        landing.land(batch)
    landing.land(good[0], key="landing/junk.bin", data=b"junk")
    expected = Counter({"truncated": 1})
    for number, (reason, build) in enumerate(HOSTILE.values()):
        batch, data = build(make)
        # Each under a name of its own: those that would be good elsewhere are wrong where they lie.
        landing.land(batch, key=f"landing/hostile-{number}.tar", data=data)
        expected[reason if reason in {"bad_archive", "bad_manifest", "truncated", "too_large"} else "wrong_path"] += 1
    assert drained(make) == expected
    assert landing.lake.list_keys("batches") == sorted(accepted_key(batch.manifest) for batch in good)
