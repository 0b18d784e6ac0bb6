"""The lake's interface and the folder behind it by default.

Keys are relative POSIX paths such as `images/version=ab/day=2024-01-01/...`. A write is visible whole or not at all,
and survives a power cut once it has returned. Nothing here locks: data files get names of their own, then a pointer is
replaced.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Final, Protocol

from footfall_assets.contracts.errors import PermanentFailure, TransientFailure

MAX_KEY_LENGTH: Final = 1024  # bytes; what S3 allows
_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,254}")
_ABSENT: Final = (FileNotFoundError, IsADirectoryError, NotADirectoryError)  # a bucket has objects only, no folders


class UnsafeKey(PermanentFailure):
    """A key that could point outside the lake."""


class ObjectMissing(PermanentFailure):
    """No object under that key."""


def check_key(key: str) -> str:
    """Return `key` when every part of it is a plain name.

    Raises:
        UnsafeKey: absolute, empty or hidden parts, `..`, or characters beyond `A-Z a-z 0-9 . _ = -`.
    """
    parts = key.split("/")
    if len(key) > MAX_KEY_LENGTH or not all(_PART.fullmatch(part) for part in parts):
        raise UnsafeKey(f"expected a relative key of plain names joined by '/', got {key[:120]!r}")
    return key


class AccessRefused(PermanentFailure):
    """The lake does not let us: wrong, missing or revoked credentials."""


class KeyTaken(PermanentFailure):
    """Other bytes lie under that key already, or bytes that cannot be compared."""


class LakeStore(Protocol):
    """Objects by key, in a folder or a bucket."""

    def read(self, key: str) -> bytes:
        """Return the object's bytes; raises ObjectMissing."""

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, none below 0; fewer at the object's end; raises ObjectMissing."""

    def write(self, key: str, data: bytes) -> None:
        """Store `data` under `key`, replacing what was there, whole or not at all."""

    def write_once(self, key: str, data: bytes) -> bool:
        """Store `data` under `key` and return True; return False where the same bytes lie there already.

        Raises:
            KeyTaken: other bytes lie there; they stay.
            AccessRefused: the lake does not let us.
            TransientFailure: it may have been stored or not; calling again does no harm.
        """

    def server_time(self) -> datetime | None:
        """Return the lake's own time, None where it keeps none; raises TransientFailure where it cannot be reached."""

    def upload(self, source: Path, key: str) -> None:
        """Store the file `source` under `key`, whole or not at all."""

    def local_path(self, key: str) -> Path:
        """Return a local file with the object's bytes, fetched when it is not local; raises ObjectMissing."""

    def exists(self, key: str) -> bool:
        """Return whether an object lies under `key`."""

    def list_keys(self, prefix: str) -> list[str]:
        """Return the sorted keys below the folder `prefix`."""

    def move(self, source: str, target: str) -> None:
        """Rename an object; after a crash it may lie under both keys, never under neither; raises ObjectMissing."""

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when there is none."""


class FolderLake:
    """A lake in a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def __repr__(self) -> str:
        return f"FolderLake({str(self._root)!r})"

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)

    def read(self, key: str) -> bytes:
        """Return the object's bytes."""
        try:
            return self._path(key).read_bytes()
        except _ABSENT as error:
            raise missing(key) from error

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`."""
        check_range(offset, length)
        try:
            with self._path(key).open("rb") as source:
                source.seek(offset)
                return source.read(length)
        except _ABSENT as error:
            raise missing(key) from error

    def write(self, key: str, data: bytes) -> None:
        """Store `data` under `key`: temporary file, fsync, rename, fsync of the folder."""
        with written_whole(self._prepare(key)) as partial:
            partial.write(data)

    def write_once(self, key: str, data: bytes) -> bool:
        """Store `data` under `key` where nothing lies: a link, unlike a rename, never replaces."""
        target = self._prepare(key)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".partial-") as partial:
            partial.write(data)
            partial.flush()
            os.fsync(partial.fileno())
            try:
                os.link(partial.name, target)
            except FileExistsError:
                if target.is_file() and target.read_bytes() == data:
                    sync_folder(target.parent)  # who stored it may have died before this
                    return False
                raise KeyTaken(f"expected nothing or the same bytes at {key!r} in the lake") from None
            sync_folder(target.parent)
        return True

    def server_time(self) -> datetime | None:
        """Return None: a folder keeps this machine's time."""
        if not self._root.is_dir():
            raise TransientFailure(f"expected a folder at {self._root}, found none; is it mounted?")
        return None

    def upload(self, source: Path, key: str) -> None:
        """Store a copy of the file `source` under `key`."""
        with source.open("rb") as reader, written_whole(self._prepare(key)) as partial:
            shutil.copyfileobj(reader, partial)

    def local_path(self, key: str) -> Path:
        """Return the object's own file."""
        path = self._path(key)
        if not path.is_file():
            raise missing(key)
        return path

    def exists(self, key: str) -> bool:
        """Return whether an object lies under `key`."""
        return self._path(key).is_file()

    def list_keys(self, prefix: str) -> list[str]:
        """Return the sorted keys below the folder `prefix`; files being written are not listed."""
        folder = self._path(prefix)
        found = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        return sorted(path.relative_to(self._root).as_posix() for path in found)

    def move(self, source: str, target: str) -> None:
        """Rename an object within the folder."""
        origin = self.local_path(source)
        destination = self._prepare(target)
        try:
            origin.replace(destination)
        except FileNotFoundError as error:
            raise missing(source) from error
        sync_folder(destination.parent)
        sync_folder(origin.parent)

    def delete(self, key: str) -> None:
        """Remove an object."""
        path = self._path(key)
        if path.is_file():
            path.unlink(missing_ok=True)
            sync_folder(path.parent)

    def _prepare(self, key: str) -> Path:
        path = self._path(key)
        make_folder(path.parent)
        return path


def missing(key: str) -> ObjectMissing:
    """Return the failure that says there is no object under `key`."""
    return ObjectMissing(f"expected an object at {key!r} in the lake, found none")


def check_range(offset: int, length: int) -> None:
    """Raise ValueError where a range starts or runs below 0: a file would count that from its end."""
    if offset < 0 or length < 0:
        raise ValueError(f"expected an offset and a length of 0 or more, got {offset} and {length}")


@contextmanager
def written_whole(target: Path) -> Iterator[IO[bytes]]:
    """Give a temporary file that takes the name `target`, durably, when the block ends, and is gone when that fails."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".partial-", delete=False) as partial:
        try:
            yield partial
            partial.flush()
            os.fsync(partial.fileno())
            Path(partial.name).replace(target)
        except BaseException:
            Path(partial.name).unlink(missing_ok=True)
            raise
    sync_folder(target.parent)


def make_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it; each new name is as durable as the files that come to lie in it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable: without it the name itself may be gone after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
