"""What is published is checked before anybody asks for it."""

from datetime import UTC, datetime
from time import monotonic, sleep

import pytest

from footfall_assets.contracts.errors import CorruptObject, NoData
from footfall_assets.reporting import publication
from footfall_assets.reporting.publication import open_visitors, verify_current
from footfall_assets.storage.lake import FolderLake
from streamlit_app.verified_ahead import PublicationWatch

from .conftest import three_stores

SETTLED_S = 1.2  # a file younger than a second is checked each time


@pytest.fixture
def lake(tmp_path):
    return FolderLake(tmp_path / "lake")


@pytest.fixture
def published(lake, tmp_path):
    return three_stores().publish(lake, tmp_path / "build", last_captured_at=datetime.now(UTC))


def test_nobody_waits_for_what_was_checked(lake, published, monkeypatch) -> None:
    sleep(SETTLED_S)
    verify_current(lake)
    monkeypatch.setattr(publication.hashlib, "file_digest", lambda *_: pytest.fail("hashed once more"))
    with open_visitors(lake, published) as visitors:
        assert visitors.execute("select count(*) from fct_appearances").fetchone() != (0,)


def test_damage_is_found_and_nothing_published_is_said(lake, tmp_path) -> None:
    with pytest.raises(NoData):
        verify_current(lake)
    made = three_stores().publish(lake, tmp_path / "build", last_captured_at=datetime.now(UTC))
    path = lake.local_path(made.aggregates.key)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(CorruptObject):
        verify_current(lake)


def test_the_watch_checks_what_comes_after_it_began_and_outlives_an_empty_lake(lake, tmp_path) -> None:
    watch = PublicationWatch(every_s=0.05)
    watch.follow(lake)
    sleep(0.2)
    before = publication._check_bytes_once.cache_info().currsize
    three_stores().publish(lake, tmp_path / "build", last_captured_at=datetime.now(UTC))
    until = monotonic() + 30
    while publication._check_bytes_once.cache_info().currsize < before + 2 and monotonic() < until:
        sleep(0.05)
    watch.stop()
    assert publication._check_bytes_once.cache_info().currsize >= before + 2
