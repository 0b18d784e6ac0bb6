"""The server as `footfall up` starts it: what the first page needs is there before anybody opens it."""

from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

from footfall_assets.contracts.settings import load_settings
from footfall_assets.operations.interfaces import chosen_interfaces
from footfall_assets.storage.lake import FolderLake

from .conftest import served, three_stores

WAIT_S = 60.0


def open_files():
    """Return the files that any process of this user has open."""
    paths = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            paths.add(link.readlink())
        except OSError:  # it has ended, or is somebody else's
            continue
    return paths


def test_published_files_are_held_open_before_any_page(tmp_path) -> None:
    lake = FolderLake(tmp_path / "lake")
    published = three_stores().publish(lake, tmp_path / "build", last_captured_at=datetime.now(UTC))
    wanted = {lake.local_path(file.key) for file in published.files.values()}
    with served(tmp_path, tmp_path):
        until = monotonic() + WAIT_S
        while not wanted <= open_files() and monotonic() < until:
            sleep(0.2)
        assert wanted <= open_files()
    log = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert "WARNING" not in log


def test_a_home_without_a_publication_is_served_all_the_same(tmp_path) -> None:
    with served(tmp_path, tmp_path):
        sleep(3)
    assert "Traceback" not in (tmp_path / "server.log").read_text(encoding="utf-8")


def test_up_starts_this_server(tmp_path) -> None:
    settings = load_settings(home=tmp_path)
    [explorer] = chosen_interfaces(settings, dagster=False, app=True, docs=False)
    assert explorer.command[1:3] == ("-m", "streamlit_app")
