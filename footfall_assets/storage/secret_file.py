"""Secrets in files: made once, whole or not at all, readable by their owner only."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

_OWNER_ONLY = 0o700


def read_or_create_secret(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return the secret in `path`, which `make` supplies on first use; of several first users one wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
    if not path.exists():
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".partial-") as partial:  # made with mode 0600
            partial.write(make())
            partial.flush()
            os.fsync(partial.fileno())
            try:
                os.link(partial.name, path)  # unlike a rename it never replaces another process's secret
            except FileExistsError:
                return path.read_bytes()
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return path.read_bytes()
