import io
import tarfile
import zipfile

import pytest

from models.archives import read_member
from models.errors import FetchFailed

CONTENT = b"weights" * 100
SIZE = len(CONTENT)


def tar_with(path, *entries: tuple[tarfile.TarInfo, bytes]):
    with tarfile.open(path, "w:gz") as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content) if content else None)
    return path


def tar_file(name: str, content: bytes = CONTENT, **fields) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def zip_with(path, **members: bytes):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return path


def test_zip_member(tmp_path) -> None:
    archive = zip_with(tmp_path / "a.whl", pkg__model=CONTENT, pkg__other=b"x")
    assert read_member(archive, "pkg/model", size_bytes=SIZE) == CONTENT


@pytest.mark.parametrize(("wrapped", "name"), [(False, "pkg/model"), (True, "pkg-1.0/pkg/model")])
def test_tar_member_with_and_without_top_folder(tmp_path, wrapped, name) -> None:
    archive = tar_with(tmp_path / "a.tar.gz", tar_file("readme", b"x"), tar_file(name))
    assert read_member(archive, "pkg/model", size_bytes=SIZE, below_top_folder=wrapped) == CONTENT


@pytest.mark.parametrize("name", ["../pkg/model", "/pkg/model", "pkg/../pkg/model", "pkg/model/"])
def test_similar_names_do_not_count(tmp_path, name) -> None:
    archive = tar_with(tmp_path / "a.tar.gz", tar_file(name))
    with pytest.raises(FetchFailed):
        read_member(archive, "pkg/model", size_bytes=SIZE)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_links_and_devices_are_refused(tmp_path, kind) -> None:
    target = tar_file("pkg/secret")
    link = tarfile.TarInfo("pkg/model")
    link.type, link.linkname, link.size = kind, "pkg/secret", SIZE
    with pytest.raises(FetchFailed, match="regular file"):
        read_member(tar_with(tmp_path / "a.tar.gz", target, (link, b"")), "pkg/model", size_bytes=SIZE)


@pytest.mark.parametrize("size", [SIZE - 1, SIZE + 1])
def test_other_size_is_refused(tmp_path, size) -> None:
    tar = tar_with(tmp_path / "a.tar.gz", tar_file("pkg/model"))
    zipped = zip_with(tmp_path / "a.zip", pkg__model=CONTENT)
    for archive in (tar, zipped):
        with pytest.raises(FetchFailed, match=f"{size}"):
            read_member(archive, "pkg/model", size_bytes=size)


def test_zip_bomb_that_lies_about_its_size_is_not_unpacked(tmp_path) -> None:
    archive = zip_with(tmp_path / "a.zip", model=b"\0" * 50_000_000)
    raw = bytearray(archive.read_bytes())
    honest, lie = (50_000_000).to_bytes(4, "little"), SIZE.to_bytes(4, "little")
    archive.write_bytes(bytes(raw).replace(honest, lie))
    with pytest.raises(FetchFailed):
        read_member(archive, "model", size_bytes=SIZE)


def test_member_twice_is_refused(tmp_path) -> None:
    archive = tar_with(tmp_path / "a.tar.gz", tar_file("model"), tar_file("model", b"other"))
    with pytest.raises(FetchFailed, match="2 times"):
        read_member(archive, "model", size_bytes=SIZE)


def test_nothing_is_written(tmp_path) -> None:
    archive = tar_with(tmp_path / "a.tar.gz", tar_file("../outside"), tar_file("model"))
    read_member(archive, "model", size_bytes=SIZE)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]
    assert not (tmp_path.parent / "outside").exists()


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip"])
def test_damaged_archive(tmp_path, name) -> None:
    (tmp_path / name).write_bytes(b"this is no archive")
    with pytest.raises(FetchFailed, match="cannot be read"):
        read_member(tmp_path / name, "model", size_bytes=SIZE)


def test_damaged_zip_content(tmp_path) -> None:
    archive = zip_with(tmp_path / "a.zip", model=CONTENT)
    raw = bytearray(archive.read_bytes())
    start = len("model") + 30  # the local header before the compressed bytes
    raw[start : start + 8] = b"\xff" * 8
    archive.write_bytes(bytes(raw))
    with pytest.raises(FetchFailed, match="cannot be read"):
        read_member(archive, "model", size_bytes=SIZE)


def test_truncated_archive(tmp_path) -> None:
    archive = tar_with(tmp_path / "a.tar.gz", tar_file("model", bytes(range(256)) * 1000))
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(FetchFailed):
        read_member(archive, "model", size_bytes=256_000)
