"""Secrets are made once and only their owner can read them."""

import stat
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from footfall_assets.storage.secret_file import read_or_create_secret


def test_made_once_and_kept(tmp_path):
    path = tmp_path / "keys" / "one.key"
    assert read_or_create_secret(path, lambda: b"first") == b"first"
    assert read_or_create_secret(path, lambda: b"second") == b"first"


def test_only_the_owner_can_read_it(tmp_path):
    path = tmp_path / "keys" / "one.key"
    read_or_create_secret(path, lambda: b"secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["one.key"]


def test_of_several_first_users_one_wins(tmp_path):
    numbers = count()
    path = tmp_path / "one.key"
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: read_or_create_secret(path, lambda: b"%d" % next(numbers)), range(40)))
    assert set(found) == {path.read_bytes()}
