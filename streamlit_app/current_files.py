"""The current publication's files, checked and held open by the server: at 10,000 stores they are gigabytes."""

from contextlib import suppress
from threading import Event, Lock, Thread
from typing import Final

from footfall_assets.contracts.errors import FootfallError
from footfall_assets.contracts.publication import Publication
from footfall_assets.reporting.publication import CurrentFiles, announce
from footfall_assets.storage.lake import LakeStore

_EVERY_S: Final = 20.0


class PublicationWatch:
    """One thread that checks what is published, as soon as it is; a page asks again and says what is wrong with it."""

    def __init__(self, every_s: float = _EVERY_S) -> None:
        """Wait for `follow`; look every so many seconds."""
        self._every_s = every_s
        self._followed: tuple[str, str] | None = None
        self._files: CurrentFiles | None = None
        self._thread: Thread | None = None
        self._lock = Lock()
        self._woken = Event()
        self._stopped = Event()

    def follow(self, lake: LakeStore, root: str, current: Publication) -> None:
        """Check the publications of `lake` from now on, and of no other; nobody waits for the large files of `current`.

        Args:
            lake: where publications are.
            root: its address: two objects of one lake are one lake.
            current: the publication that it names now.
        """
        followed = (root, current.publication_id)
        if self._followed == followed:
            return
        with suppress(FootfallError, OSError):
            announce(lake, current)
        with self._lock:
            if self._files is None or self._followed is None or self._followed[0] != root:
                self._files = CurrentFiles(lake)
            self._followed = followed
            if self._thread is None:
                self._thread = Thread(target=self._run, name="publication-watch", daemon=True)
                self._thread.start()
        self._woken.set()

    def stop(self) -> None:
        """Leave off, for good."""
        self._stopped.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        held = None
        while not self._stopped.is_set():
            self._woken.clear()
            if held is not None and held is not self._files:
                held.close()
            held = self._files
            if held is not None:
                with suppress(FootfallError, OSError):
                    held.refresh()
            self._woken.wait(self._every_s)
        if held is not None:
            held.close()


WATCH: Final = PublicationWatch()  # of the server's process
