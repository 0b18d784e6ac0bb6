"""Single members out of archives from outside: by exact name, regular files only, never more than announced."""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from models.errors import FetchFailed

# Everything the standard library raises for damaged, encrypted or foreign archives.
_DAMAGED = (
    OSError,
    EOFError,
    RuntimeError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
)


def read_member(archive: Path, member: str, *, size_bytes: int, below_top_folder: bool = False) -> bytes:
    """Return one file of a zip or tar archive; nothing else is written or unpacked.

    Args:
        archive: `.zip` or `.whl`, else a tar file, compressed or not.
        member: the exact name inside the archive.
        size_bytes: how long the file has to be; reading stops there.
        below_top_folder: the archive wraps everything in one folder (as source archives and npm do), which
            `member` leaves out.

    Raises:
        FetchFailed: the archive is damaged, the member is missing, there twice, no regular file, or of another
            size.
    """
    try:
        if archive.suffix in (".zip", ".whl"):
            return _read_from_zip(archive, member, size_bytes)
        return _read_from_tar(archive, member, size_bytes, below_top_folder=below_top_folder)
    except _DAMAGED as error:
        raise FetchFailed(f"{archive.name} cannot be read: {error}") from error


def read_limited(stream: IO[bytes], *, size_bytes: int, what: str) -> bytes:
    """Return a stream's bytes, never reading more than one beyond `size_bytes`.

    Raises:
        FetchFailed: the stream is shorter or longer.
    """
    content = stream.read(size_bytes + 1)
    if len(content) != size_bytes:
        found = f"{len(content)}" if len(content) < size_bytes else "more"
        raise FetchFailed(f"{what}: expected {size_bytes} bytes, got {found}")
    return content


def _read_from_zip(archive: Path, member: str, size_bytes: int) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        _require_once(member, opened.namelist(), archive)
        with opened.open(member) as stream:
            return read_limited(stream, size_bytes=size_bytes, what=f"{archive.name}: {member!r}")


def _read_from_tar(archive: Path, member: str, size_bytes: int, *, below_top_folder: bool) -> bytes:
    with tarfile.open(archive) as opened:
        entries = opened.getmembers()
        names = [_without_top_folder(entry.name) if below_top_folder else entry.name for entry in entries]
        _require_once(member, names, archive)
        entry = entries[names.index(member)]
        if not entry.isreg() or entry.size != size_bytes:
            raise FetchFailed(
                f"{archive.name}: {member!r} must be a regular file of {size_bytes} bytes, it has {entry.size}"
            )
        stream = opened.extractfile(entry)
        if stream is None:
            raise FetchFailed(f"{archive.name}: {member!r} cannot be read")
        with stream:
            return read_limited(stream, size_bytes=size_bytes, what=f"{archive.name}: {member!r}")


def _without_top_folder(name: str) -> str:
    return name.partition("/")[2]


def _require_once(member: str, names: Iterable[str], archive: Path) -> None:
    count = sum(name == member for name in names)
    if count != 1:
        raise FetchFailed(f"{archive.name} has {member!r} {count} times, expected once")
