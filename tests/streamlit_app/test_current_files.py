"""What is published is checked and held open before anybody asks for it."""

from datetime import UTC, datetime
from time import monotonic, sleep

import pytest

from footfall_assets.reporting import publication
from footfall_assets.reporting.publication import open_visitors
from footfall_assets.reporting.verified_files import VerifiedFiles
from footfall_assets.storage.lake import FolderLake
from streamlit_app.current_files import PublicationWatch

from .conftest import three_stores

WAIT_S = 30.0
SETTLED_S = 1.2  # a file younger than a second is checked each time


@pytest.fixture
def lake(tmp_path):
    return FolderLake(tmp_path / "lake")


@pytest.fixture
def checked(monkeypatch):
    """Return the keys of the files that were checked, each as often as it was."""
    keys = []

    class Noting(VerifiedFiles):
        def check(self, path, published):
            super().check(path, published)
            keys.append(published.key)

    monkeypatch.setattr(publication, "VERIFIED", Noting())
    return keys


@pytest.fixture
def watch():
    watch = PublicationWatch(every_s=0.05)
    yield watch
    watch.stop()


def publish(lake, folder):
    return three_stores().publish(lake, folder, last_captured_at=datetime.now(UTC))


def wait_for(keys, wanted) -> None:
    until = monotonic() + WAIT_S
    while not wanted <= set(keys) and monotonic() < until:
        sleep(0.05)
    assert wanted <= set(keys)


def keys_of(published):
    return {file.key for file in published.files.values()}


def test_all_files_are_checked_and_nobody_hashes_them_again(lake, tmp_path, checked, watch, monkeypatch):
    published = publish(lake, tmp_path / "build")
    sleep(SETTLED_S)
    watch.follow(lake, str(tmp_path), published)
    wait_for(checked, keys_of(published))
    monkeypatch.setattr(publication.VERIFIED, "_hash", lambda *_: pytest.fail("hashed once more"))
    with open_visitors(lake, published) as visitors:
        assert visitors.execute("select count(*) from fct_appearances").fetchone() != (0,)


def test_what_is_published_later_is_checked_without_any_page(lake, tmp_path, checked, watch):
    published = publish(lake, tmp_path / "build")
    elsewhere = FolderLake(tmp_path / "elsewhere")
    watch.follow(elsewhere, str(tmp_path / "elsewhere"), published)  # nothing is there
    sleep(0.2)
    assert checked == []
    publish(elsewhere, tmp_path / "build")
    wait_for(checked, keys_of(published))


def test_another_lake_takes_the_place_of_the_first(lake, tmp_path, checked, watch):
    published = publish(lake, tmp_path / "build")
    watch.follow(lake, "one", published)
    wait_for(checked, keys_of(published))
    checked.clear()
    watch.follow(FolderLake(tmp_path / "elsewhere"), "other", published)
    sleep(0.3)
    checked.clear()
    sleep(0.3)
    assert checked == []
