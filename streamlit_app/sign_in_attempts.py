"""How often somebody may try to sign in: by name, within a time, for the whole server."""

from collections import deque
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

_NAMES_AT_MOST: Final = 10_000  # remembered; made-up names must not fill the memory
_ALL_NAMES_FACTOR: Final = 20  # times the limit of one name, over all names: who guesses may change the name


class SignInAttempts:
    """Counts attempts until they succeed. Takes the time as input; threads may share one."""

    def __init__(self, *, most: int, window: timedelta) -> None:
        self._most, self._window = most, window
        self._by_name: dict[str, deque[datetime]] = {}
        self._all: deque[datetime] = deque()
        self._lock = Lock()

    def admit(self, name: str, now: datetime) -> bool:
        """Return whether `name` may try at `now`, and count the attempt where it may."""
        with self._lock:
            self._expire(now)
            tried = self._by_name.get(name, deque())
            if len(tried) >= self._most or len(self._all) >= self._most * _ALL_NAMES_FACTOR:
                return False
            if name not in self._by_name and len(self._by_name) >= _NAMES_AT_MOST:
                return False
            self._by_name.setdefault(name, deque()).append(now)
            self._all.append(now)
            return True

    def forget(self, name: str) -> None:
        """Drop what was counted for `name`: it has signed in."""
        with self._lock:
            for moment in self._by_name.pop(name, ()):
                self._all.remove(moment)

    def _expire(self, now: datetime) -> None:
        while self._all and now - self._all[0] >= self._window:
            self._all.popleft()
        for name, tried in list(self._by_name.items()):
            while tried and now - tried[0] >= self._window:
                tried.popleft()
            if not tried:
                del self._by_name[name]
