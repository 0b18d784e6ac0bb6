"""What every lake has to keep, in a folder and in a bucket alike; then what only a folder can break."""

import errno
import os
import string
import tempfile
from pathlib import Path

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from footfall_assets.contracts.errors import PermanentFailure
from footfall_assets.storage.lake import MAX_KEY_LENGTH, FolderLake, ObjectMissing, UnsafeKey, check_key
from footfall_assets.storage.s3 import S3Lake

UNSAFE = [
    "../x",
    "a/../../x",
    "a/..",
    "..%2fx",
    "a%00b",
    "a\x00b",
    "..\\x",
    "a\\b",
    "/abs",
    "//a",
    ".",
    "./a",
    "",
    "a/",
    "a//b",
    "~root",
    ".hidden",
    "a/.partial-1",
    "-rf",
    "a b",
    "a\nb",
    "a\n",
    "x" * 5000,
    "/".join("abcdefghij" for _ in range(100)),
    "\u202egpj.exe",
    "a\u200bb",
    "\u0440\u0430ypal",
    "s1'--",
    "{{7*7}}",
    "<script>",
    "=cmd()",
    "a:b",
    "C:/x",
    "$HOME",
    "*",
]


@pytest.fixture(params=["folder", "bucket", "bucket without prefix"])
def lake(request, tmp_path, credentials):
    if request.param == "folder":
        yield FolderLake(tmp_path / "lake")
        return
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="a-lake")
        prefix = "" if "without" in request.param else "/tenant/one"
        yield S3Lake.from_address(f"s3://a-lake{prefix}", cache=tmp_path / "cache")


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 5000], ids=["empty", "one byte", "1.3 MB"])
def test_what_is_written_is_read_whatever_it_is(lake, data, tmp_path):
    lake.write("a/b/c.bin", data)
    assert lake.read("a/b/c.bin") == data
    assert lake.local_path("a/b/c.bin").read_bytes() == data
    source = tmp_path / "source"
    source.write_bytes(data)
    lake.upload(source, "a/uploaded.bin")
    assert lake.read("a/uploaded.bin") == data
    assert source.read_bytes() == data


def test_a_write_replaces(lake):
    lake.write("a/pointer", b"old, and longer than the new")
    assert lake.local_path("a/pointer").read_bytes().startswith(b"old")
    lake.write("a/pointer", b"new")
    assert lake.read("a/pointer") == b"new"
    assert lake.local_path("a/pointer").read_bytes() == b"new"


def test_a_range_ends_with_the_object(lake):
    lake.write("a/digits", b"0123456789")
    for offset in (0, 3, 8, 9, 10, 400):
        for length in (0, 1, 4, 10, 100):
            assert lake.read_range("a/digits", offset, length) == b"0123456789"[offset : offset + length]


def test_a_range_of_an_empty_object_is_empty(lake):
    lake.write("a/empty", b"")
    assert lake.read_range("a/empty", 0, 10) == b""


@pytest.mark.parametrize(("offset", "length"), [(-1, 3), (0, -1)])
def test_a_range_never_counts_from_the_end(lake, offset, length):
    lake.write("a/digits", b"0123456789")
    with pytest.raises(ValueError, match="0 or more"):
        lake.read_range("a/digits", offset, length)


def test_what_is_not_there_is_missing(lake):
    lake.write("folder/file", b"1")
    calls = [
        lambda: lake.read("a/none"),
        lambda: lake.read_range("a/none", 0, 3),
        lambda: lake.read_range("a/none", 0, 0),
        lambda: lake.local_path("a/none"),
        lambda: lake.move("a/none", "a/target"),
        lambda: lake.move("a/none", "a/none"),
        lambda: lake.read("folder"),
        lambda: lake.read_range("folder", 0, 3),
        lambda: lake.local_path("folder"),
        lambda: lake.move("folder", "elsewhere"),
        lambda: lake.read("folder/file/below"),
        lambda: lake.local_path("folder/file/below"),
    ]
    for call in calls:
        with pytest.raises(ObjectMissing):
            call()
    assert lake.read("folder/file") == b"1"
    assert not lake.exists("a/target")


def test_exists_knows_objects_only(lake):
    lake.write("a/b/c", b"1")
    assert lake.exists("a/b/c")
    assert not any(lake.exists(key) for key in ("a", "a/b", "a/b/d", "a/b/c/d"))


def test_keys_are_listed_below_a_folder_sorted_and_no_neighbour_with_them(lake):
    keys = ["a/b/2", "a/b/10", "a/b/c/d/e", "a/b=1/x", "a/B/x", "a/bc/x", "a/b.x", "ab/b/x", "b/a/b/x"]
    for key in keys:
        lake.write(key, b"1")
    assert lake.list_keys("a/b") == ["a/b/10", "a/b/2", "a/b/c/d/e"]
    assert lake.list_keys("a") == sorted(key for key in keys if key.startswith("a/"))
    assert lake.list_keys("none") == []
    assert lake.list_keys("a/b/2") == []


def test_move_leaves_the_bytes_under_the_new_key_only(lake):
    lake.write("landing/x.tar", b"data")
    lake.write("batches/deep/x.tar", b"old")
    lake.move("landing/x.tar", "batches/deep/x.tar")
    assert lake.read("batches/deep/x.tar") == b"data"
    assert lake.list_keys("landing") == []
    lake.move("batches/deep/x.tar", "batches/deep/x.tar")
    assert lake.read("batches/deep/x.tar") == b"data"


def test_delete_may_be_repeated_and_takes_nothing_else(lake):
    lake.write("a/b/c", b"1")
    lake.write("a/b/d", b"2")
    lake.delete("a/b/c")
    lake.delete("a/b/c")
    lake.delete("a/b")
    lake.delete("a/b/d/e")
    assert lake.list_keys("a") == ["a/b/d"]


def test_an_unsafe_key_is_refused_by_every_call(lake, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"1")
    lake.write("good", b"1")
    calls = [
        lake.read,
        lambda key: lake.read_range(key, 0, 1),
        lambda key: lake.write(key, b"1"),
        lambda key: lake.upload(source, key),
        lake.local_path,
        lake.exists,
        lake.list_keys,
        lambda key: lake.move(key, "x"),
        lambda key: lake.move("good", key),
        lake.delete,
    ]
    for key in UNSAFE:
        for call in calls:
            with pytest.raises(UnsafeKey):
                call(key)
    assert lake.exists("good")


PART = st.text(string.ascii_letters + string.digits + "._=-", min_size=1, max_size=20)


@given(st.lists(PART, min_size=1, max_size=6).map("/".join))
def test_a_key_passes_exactly_when_each_part_starts_plainly(key):
    plain = all(part[0] not in "._=-" for part in key.split("/"))
    try:
        assert check_key(key) == key
        assert plain
    except UnsafeKey:
        assert not plain


@given(st.text(max_size=40))
def test_no_key_that_passes_leads_out_of_the_lake(key):
    try:
        check_key(key)
    except UnsafeKey:
        return
    assert Path("/lake", key).resolve().is_relative_to("/lake")
    assert key.isascii()
    assert key.isprintable()


def test_the_longest_key_is_that_of_s3():
    longest = "/".join(["abc"] * 256) + "x"
    assert len(longest) == MAX_KEY_LENGTH
    assert check_key(longest) == longest
    with pytest.raises(UnsafeKey):
        check_key(longest + "x")


def test_a_write_that_fails_half_way_leaves_the_old_object_and_no_rest(folder_lake, tmp_path, monkeypatch):
    folder_lake.write("a/pointer", b"old")

    def full_disk(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    for attempt in (
        lambda: folder_lake.write("a/pointer", b"new"),
        lambda: folder_lake.upload(Path(__file__), "a/pointer"),
    ):
        with pytest.raises(OSError, match="No space"):
            attempt()
    assert folder_lake.read("a/pointer") == b"old"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["pointer"]


def test_a_file_being_written_is_not_listed(folder_lake, tmp_path, monkeypatch):
    folder_lake.write("a/done", b"1")
    seen = []
    real = os.fsync

    def look(descriptor):
        seen.append((folder_lake.list_keys("a"), folder_lake.exists("a/new")))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    folder_lake.write("a/new", b"2")
    assert seen[0] == (["a/done"], False)
    assert folder_lake.list_keys("a") == ["a/done", "a/new"]


def test_file_folder_and_every_new_folder_are_synced_before_write_returns(tmp_path, monkeypatch):
    lake = FolderLake(tmp_path / "lake")
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(Path(f"/proc/self/fd/{fd}").readlink()), real(fd)))
    lake.write("a/b/c", b"1")
    root = tmp_path.resolve() / "lake"
    assert synced[:3] == [root.parent, root, root / "a"]
    assert synced[3].parent == root / "a/b"
    assert synced[3].name.startswith(".partial-")
    assert synced[4:] == [root / "a/b"]
    synced.clear()
    lake.move("a/b/c", "a/d")
    assert synced == [root / "a", root / "a/b"]
    synced.clear()
    lake.delete("a/d")
    assert synced == [root / "a"]


def test_files_of_the_lake_are_for_their_owner_alone(folder_lake):
    folder_lake.write("a/b", b"1")
    assert folder_lake.local_path("a/b").stat().st_mode & 0o077 == 0


def test_missing_objects_and_unsafe_keys_are_not_worth_another_try():
    assert issubclass(ObjectMissing, PermanentFailure)
    assert issubclass(UnsafeKey, PermanentFailure)


def test_partial_files_lie_beside_their_target_so_that_a_rename_is_enough(folder_lake, tmp_path, monkeypatch):
    folders = []
    real = tempfile.NamedTemporaryFile
    monkeypatch.setattr(
        tempfile, "NamedTemporaryFile", lambda **options: folders.append(options["dir"]) or real(**options)
    )
    folder_lake.write("a/b/c", b"1")
    assert folders == [tmp_path.resolve() / "lake/a/b"]
