import os
from dataclasses import replace
from datetime import timedelta

import pytest

from footfall_assets.capture.intake import take_in, waiting
from footfall_assets.contracts.batch import accepted_key
from footfall_assets.reporting.fleet_status import count_quarantined


def test_a_clock_may_run_ahead_a_little(landing, drained, make) -> None:
    landing.land(make.capture(make.now + timedelta(seconds=299), stills=1))
    assert drained(make) == {}
    assert len(landing.lake.list_keys("batches")) == 1


def test_a_good_batch_is_moved_whole(landing, registry, make) -> None:
    batch = make.capture()
    landing.land(batch)
    seen = []
    report = take_in(
        landing.lake, registry, landing.limits, now=make.now, progress=lambda done, total: seen.append((done, total))
    )
    assert (report.accepted, report.images, report.landed) == (1, 3, 1)
    assert landing.lake.list_keys("batches") == [accepted_key(batch.manifest)]
    assert landing.lake.read(accepted_key(batch.manifest)) == batch.data
    assert seen == [(1, 1)]


def test_an_empty_batch_is_accepted(landing, registry, make) -> None:
    landing.land(make.signed({"frames_captured": 90}, []))
    report = take_in(landing.lake, registry, landing.limits, now=make.now)
    assert (report.accepted, report.images) == (1, 0)


def test_a_batch_that_lands_again_counts_once(landing, registry, drained, make) -> None:
    batch = make.capture()
    for expected in ({}, {"duplicate": 1}):
        landing.land(batch)
        assert drained(make) == expected
    assert landing.lake.read(accepted_key(batch.manifest)) == batch.data
    assert len(landing.lake.list_keys("batches")) == 1
    landing.land(batch)  # a third time: the quarantine keeps one copy, the report counts each
    report = take_in(landing.lake, registry, landing.limits, now=make.now)
    assert report.quarantined == {"duplicate": 1}
    assert count_quarantined(landing.lake) == {"duplicate": 1}


@pytest.mark.parametrize(
    "key",
    [
        "landing/2024-01-05/store-101/store-101-door/another-name.tar",
        "landing/2024-01-06/store-101/store-101-door/{id}.tar",
        "landing/{id}.tar",
    ],
)
def test_the_same_batch_under_another_path(landing, drained, make, key) -> None:
    batch = make.capture()
    landing.land(batch)
    landing.land(batch, key=key.format(id=batch.manifest.batch_id))
    assert drained(make) == {"wrong_path": 1}
    assert landing.lake.list_keys("batches") == [accepted_key(batch.manifest)]


HOSTILE_NAMES = [
    "a b.tar",
    "$(reboot).tar",
    "quote'.tar",
    "new\nline.tar",
    "ünïcode.tar",
    "-rf.tar",
    ".hidden/batch.tar",
]


def test_a_name_that_is_no_key_stays_and_is_counted(landing, registry, make, tmp_path) -> None:
    batch = make.capture()
    landing.land(batch)
    folder = tmp_path / "lake" / "landing"
    for name in HOSTILE_NAMES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(batch.data)
    (folder / os.fsdecode(b"latin-\xe9.tar")).write_bytes(b"x")
    report = take_in(landing.lake, registry, landing.limits, now=make.now)
    assert (report.accepted, report.unreadable_names) == (1, len(HOSTILE_NAMES) + 1)
    assert report.landed == len(HOSTILE_NAMES) + 2
    again = take_in(landing.lake, registry, landing.limits, now=make.now)
    assert (again.accepted, again.unreadable_names) == (0, len(HOSTILE_NAMES) + 1)


def test_names_that_stay_are_no_work_that_waits(landing, make, tmp_path) -> None:
    """They would keep intake due for ever, and every later stage waiting behind it."""
    key = landing.land(make.capture())
    (tmp_path / "lake" / "landing" / "a b.tar").write_bytes(b"x")
    assert waiting(landing.lake) == [key]


def test_nothing_landed(drained, make) -> None:
    assert drained(make) == {}


def damaged(batch):
    """Return the batch with one byte of a still changed on its way."""
    data = bytearray(batch.data)
    data[data.index(b"\xff\xd8\xff") + 30] ^= 1
    return replace(batch, data=bytes(data))


def test_a_resend_mends_a_batch_that_was_damaged_on_its_way(landing, drained, make) -> None:
    whole = make.capture()
    for batch, expected in ((damaged(whole), {}), (damaged(whole), {"duplicate": 1}), (whole, {})):
        landing.land(batch)
        assert drained(make) == expected
    [kept] = landing.lake.list_keys("batches")
    assert landing.lake.read(kept) == whole.data
    landing.land(whole)
    assert drained(make) == {"duplicate": 1}


def test_an_object_over_the_limit_is_moved_not_cut(landing, registry, make) -> None:
    batch = make.capture()
    landing.land(batch)
    limits = landing.limits.model_copy(update={"batch_bytes": 1000})
    report = take_in(landing.lake, registry, limits, now=make.now)
    assert report.quarantined == {"too_large": 1}
    [kept] = [key for key in landing.lake.list_keys("quarantine/too_large") if key.endswith(".tar")]
    assert landing.lake.read(kept) == batch.data
