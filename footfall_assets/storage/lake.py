"""The lake's interface and the folder behind it by default.

Keys are relative POSIX paths such as `images/version=ab/day=2024-01-01/...`. A write is visible whole or not at all,
and survives a power cut once it has returned. Nothing here locks: data files get names of their own, then a pointer is
replaced.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Final, Protocol

from footfall_assets.contracts.errors import PermanentFailure

MAX_KEY_LENGTH: Final = 1024  # bytes; what S3 allows
_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=-]{0,254}")


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


class LakeStore(Protocol):
    """Objects by key, in a folder or a bucket."""

    def read(self, key: str) -> bytes:
        """Return the object's bytes; raises ObjectMissing."""

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`; fewer at the object's end; raises ObjectMissing."""

    def write(self, key: str, data: bytes) -> None:
        """Store `data` under `key`, replacing what was there, whole or not at all."""

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
        except FileNotFoundError as error:
            raise _missing(key) from error

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`."""
        try:
            with self._path(key).open("rb") as source:
                source.seek(offset)
                return source.read(length)
        except FileNotFoundError as error:
            raise _missing(key) from error

    def write(self, key: str, data: bytes) -> None:
        """Store `data` under `key`: temporary file, fsync, rename, fsync of the folder."""
        target = self._prepare(key)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".partial-", delete=False) as partial:
            partial.write(data)
            partial.flush()
            _publish(partial.name, partial.fileno(), target)

    def upload(self, source: Path, key: str) -> None:
        """Store a copy of the file `source` under `key`."""
        target = self._prepare(key)
        with (
            source.open("rb") as reader,
            tempfile.NamedTemporaryFile(dir=target.parent, prefix=".partial-", delete=False) as partial,
        ):
            shutil.copyfileobj(reader, partial)
            partial.flush()
            _publish(partial.name, partial.fileno(), target)

    def local_path(self, key: str) -> Path:
        """Return the object's own file."""
        path = self._path(key)
        if not path.is_file():
            raise _missing(key)
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
        destination = self._prepare(target)
        origin = self._path(source)
        try:
            origin.replace(destination)
        except FileNotFoundError as error:
            raise _missing(source) from error
        _sync_folder(destination.parent)
        _sync_folder(origin.parent)

    def delete(self, key: str) -> None:
        """Remove an object."""
        path = self._path(key)
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            _sync_folder(path.parent)

    def _prepare(self, key: str) -> Path:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _missing(key: str) -> ObjectMissing:
    return ObjectMissing(f"expected an object at {key!r} in the lake, found none")


def _publish(partial: str, descriptor: int, target: Path) -> None:
    os.fsync(descriptor)
    Path(partial).replace(target)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable: without it the name itself may be gone after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
