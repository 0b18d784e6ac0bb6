"""When a published file may be opened: hashed once, hashed anew when it changed, waited for unless it is large."""

import hashlib
import os
from time import time_ns

import pytest

from footfall_assets.contracts.errors import CorruptObject, UserMistake
from footfall_assets.contracts.publication import PublishedFile
from footfall_assets.reporting import verified_files
from footfall_assets.reporting.verified_files import VerifiedFiles

CONTENT = b"what was published" * 100
SIZE_BYTES = len(CONTENT)
OLD_NS = 10**18  # nothing is as old as that


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "visitors.duckdb"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def hashed(monkeypatch):
    """Return the files that were hashed; files of a test are younger than a second, and count as old enough."""
    monkeypatch.setattr(verified_files, "_SETTLED_AFTER_NS", -1)
    names, digest = [], hashlib.file_digest
    monkeypatch.setattr(
        verified_files.hashlib, "file_digest", lambda source, kind: names.append(source.name) or digest(source, kind)
    )
    return names


def manifest(size_bytes=SIZE_BYTES):
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    return PublishedFile(key="publications/visitors.duckdb", sha256=sha256, content_hash=sha256, size_bytes=size_bytes)


def test_a_file_is_hashed_once_until_it_changes(path, hashed):
    files = VerifiedFiles()
    for _ in range(3):
        files.verify(path, manifest())
    assert len(hashed) == 1
    path.write_bytes(CONTENT)
    os.utime(path, ns=(time_ns(), 1))
    files.verify(path, manifest())
    assert len(hashed) == 2


def test_damage_is_found_once_and_told_to_everybody(path, hashed):
    files = VerifiedFiles()
    path.write_bytes(CONTENT[:-1] + b"x")
    for ask in (files.verify, files.verify, files.check):
        with pytest.raises(CorruptObject, match="expected sha256"):
            ask(path, manifest())
    assert len(hashed) == 2  # a check hashes again, a question does not


def test_a_file_that_has_just_changed_is_hashed_by_every_question(path, hashed, monkeypatch):
    monkeypatch.setattr(verified_files, "_SETTLED_AFTER_NS", OLD_NS)
    files = VerifiedFiles()
    for _ in range(3):
        files.verify(path, manifest())
    assert len(hashed) == 3


def test_nobody_waits_for_a_large_file_that_is_about_to_be_checked(path, hashed, monkeypatch):
    monkeypatch.setattr(verified_files, "LARGE_BYTES", len(CONTENT) - 1)
    files = VerifiedFiles()
    path.write_bytes(CONTENT[:-1] + b"x")
    files.announce(path, manifest())
    files.verify(path, manifest())
    assert hashed == []
    with pytest.raises(CorruptObject):
        files.check(path, manifest())
    files.announce(path, manifest())  # as every look of the explorer does
    with pytest.raises(CorruptObject):
        files.verify(path, manifest())


def test_a_small_file_a_cut_one_and_one_that_changed_since_are_waited_for(path, hashed, monkeypatch):
    files = VerifiedFiles()
    files.announce(path, manifest())
    files.verify(path, manifest())
    assert len(hashed) == 1

    monkeypatch.setattr(verified_files, "LARGE_BYTES", 10)
    cut = VerifiedFiles()
    cut.announce(path, manifest(size_bytes=len(CONTENT) + 1))
    cut.verify(path, manifest(size_bytes=len(CONTENT) + 1))
    assert len(hashed) == 2

    changed = VerifiedFiles()
    changed.announce(path, manifest())
    path.write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(CorruptObject):
        changed.verify(path, manifest())


def test_what_may_not_be_read_is_not_remembered_as_whole(path, hashed, monkeypatch):
    files = VerifiedFiles()

    def refuse(*_):
        raise PermissionError

    with monkeypatch.context() as without_right:
        without_right.setattr(verified_files.hashlib, "file_digest", refuse)
        with pytest.raises(UserMistake, match="may not read"):
            files.verify(path, manifest())
    files.verify(path, manifest())
    assert len(hashed) == 1


def test_a_large_file_that_may_not_be_read_is_not_let_through(path, monkeypatch):
    monkeypatch.setattr(verified_files, "LARGE_BYTES", 10)
    monkeypatch.setattr(verified_files.os, "access", lambda *_: False)
    files = VerifiedFiles()
    path.write_bytes(CONTENT[:-1] + b"x")
    files.announce(path, manifest())
    with pytest.raises(CorruptObject):  # it was hashed: the test may read it
        files.verify(path, manifest())


def test_what_is_remembered_is_bounded(path, hashed, monkeypatch):
    monkeypatch.setattr(verified_files, "_REMEMBERED_AT_MOST", 3)
    files = VerifiedFiles()
    for at in range(10):
        os.utime(path, ns=(time_ns(), at))
        files.verify(path, manifest())
    assert len(files._whole) <= 3
