"""Whether published files are what their manifest says: hashed once in a process for each state of their inode."""

import hashlib
import os
from pathlib import Path
from threading import Lock
from time import time_ns
from typing import Final

from footfall_assets.contracts.errors import CorruptObject, UserMistake
from footfall_assets.contracts.publication import PublishedFile

State = tuple[str, int, int, int, int, int]

LARGE_BYTES: Final = 256_000_000  # more than this takes a disk longer than a page may
_REMEMBERED_AT_MOST: Final = 256  # files; who is forgotten is hashed once more
_SETTLED_AFTER_NS: Final = 1_000_000_000  # a file system may count its changes in ticks of some milliseconds


class VerifiedFiles:
    """What a process has found out about files.

    Whoever changes a file changes the time of its inode, which nobody can set; within its resolution it says nothing
    yet, so a file that has just changed is hashed by every question.

    A large file that somebody has announced to check is not waited for: until its hash is known, DuckDB's checksum of
    every block it reads tells damage, and from then on the hash does.
    """

    def __init__(self) -> None:
        """Know nothing."""
        self._lock = Lock()
        self._whole: set[State] = set()
        self._damaged: dict[State, str] = {}
        self._announced: set[State] = set()

    def announce(self, path: Path, published: PublishedFile) -> None:
        """Promise a `check` that nobody has to wait for."""
        state = _state(path, published)
        with self._lock:
            if state not in self._whole and state not in self._damaged:
                self._announced.add(state)

    def verify(self, path: Path, published: PublishedFile) -> None:
        """Return when the file may be opened; a question asks this.

        Raises:
            CorruptObject: its bytes do not have the hash in the manifest.
            UserMistake: this process has no right to read it.
        """
        state = _state(path, published)
        is_large = published.size_bytes > LARGE_BYTES and path.stat().st_size == published.size_bytes
        goes_ahead = is_large and os.access(path, os.R_OK)
        with self._lock:
            may_open = state in self._whole or (goes_ahead and state in self._announced)
            damage = self._damaged.get(state)
        if damage is not None:
            raise CorruptObject(damage)
        if not may_open:
            self._hash(path, published, state)

    def check(self, path: Path, published: PublishedFile) -> None:
        """Hash the file unless it is known to be whole; raises as `verify`."""
        state = _state(path, published)
        with self._lock:
            is_known = state in self._whole
        if not is_known:
            self._hash(path, published, state)

    def _hash(self, path: Path, published: PublishedFile, state: State) -> None:
        is_settled = time_ns() - path.stat().st_ctime_ns > _SETTLED_AFTER_NS
        try:
            _check_bytes(path, published)
        except CorruptObject as error:
            if is_settled:
                self._remember(state, str(error))
            raise
        if is_settled:
            self._remember(state, None)

    def _remember(self, state: State, damage: str | None) -> None:
        with self._lock:
            self._announced.discard(state)
            if len(self._whole) + len(self._damaged) >= _REMEMBERED_AT_MOST:
                self._whole.clear()
                self._damaged.clear()
            if damage is None:
                self._whole.add(state)
            else:
                self._damaged[state] = damage


def _state(path: Path, published: PublishedFile) -> State:
    inode = path.stat()
    return (published.sha256, inode.st_dev, inode.st_ino, inode.st_size, inode.st_mtime_ns, inode.st_ctime_ns)


def _check_bytes(path: Path, published: PublishedFile) -> None:
    try:
        with path.open("rb") as source:
            found = hashlib.file_digest(source, "sha256").hexdigest()
    except PermissionError as error:
        raise UserMistake(f"this process may not read {published.key}; it runs as a user without that right") from error
    if found != published.sha256:
        raise CorruptObject(
            f"expected sha256 {published.sha256} for {published.key!r}, got {found}; publish again: footfall run"
        )


VERIFIED: Final = VerifiedFiles()  # of this process
