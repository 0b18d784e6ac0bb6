"""Space set apart while there is some, and given up when the disk is full: without it a full disk cannot be emptied.

Removing a batch writes to the index first, and a log that cannot grow by a page refuses that.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

BALLAST_BYTES: Final = 512 * 1024  # the index's log at its usual length
_TIMES_FREE: Final = 4  # so much more than the ballast has to be free before it is set apart again


class Ballast:
    """A file of zeros."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.restore()

    def restore(self) -> None:
        """Set the space apart where there is plenty."""
        if self._path.exists():
            return
        disk = os.statvfs(self._path.parent)
        if disk.f_bavail * disk.f_frsize < _TIMES_FREE * BALLAST_BYTES:
            return
        with suppress(OSError), self._path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)

    def drop(self) -> bool:
        """Give the space up; return whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
