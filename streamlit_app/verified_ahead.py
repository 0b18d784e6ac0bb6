"""The current publication's files are checked before anybody asks: at 10,000 stores they are gigabytes, and seconds."""

from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Final

from footfall_assets.contracts.errors import FootfallError
from footfall_assets.reporting.publication import verify_current
from footfall_assets.storage.lake import LakeStore

_EVERY_S: Final = 20.0


class PublicationWatch:
    """One thread that checks what is published, as soon as it is; a page asks again and says what is wrong with it."""

    def __init__(self, every_s: float = _EVERY_S) -> None:
        """Wait for `follow`; look every so many seconds."""
        self._every_s = every_s
        self._lake: LakeStore | None = None
        self._thread: Thread | None = None
        self._lock = Lock()
        self._stopped = Event()

    def follow(self, lake: LakeStore) -> None:
        """Check the publications of `lake` from now on, and of no other."""
        with self._lock:
            self._lake = lake
            if self._thread is None:
                self._thread = Thread(target=self._run, name="publication-watch", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Leave off, for good."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            if self._lake is not None:
                with suppress(FootfallError, OSError):
                    verify_current(self._lake)
            self._stopped.wait(self._every_s)


WATCH: Final = PublicationWatch()  # of the server's process
