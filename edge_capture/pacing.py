"""When the next still is due, and how long to wait before a camera is tried again."""

import math
from dataclasses import dataclass, field
from random import Random


class TickSchedule:
    """Ticks `interval_s` apart on the monotonic clock, tick 0 at `start_s`.

    Every due time is computed from the start, so that no lateness adds up.
    """

    def __init__(self, *, start_s: float, interval_s: float) -> None:
        self._start_s = start_s
        self._interval_s = interval_s
        self._next = 0

    def due_s(self, sequence: int) -> float:
        """Return the time of a tick."""
        return self._start_s + sequence * self._interval_s

    @property
    def next_due_s(self) -> float:
        """The time of the next tick that was not taken yet; in the past where the caller is late."""
        return self.due_s(self._next)

    def take(self, now_s: float) -> tuple[int, int]:
        """Return the tick that is due at `now_s` and how many before it passed without being taken.

        The next tick is taken where the clock says that it is not quite due: a sleep may end a little early.
        """
        latest = math.floor((now_s - self._start_s) / self._interval_s)
        sequence = max(latest, self._next)
        skipped = sequence - self._next
        self._next = sequence + 1
        return sequence, skipped


@dataclass
class Backoff:
    """Delays between attempts: a random share of a bound that doubles up to `longest_s` ("equal jitter").

    The random part keeps cameras that went away together, as after a power cut, from coming back all at once.
    """

    first_s: float = 0.5
    longest_s: float = 60.0
    random: Random = field(default_factory=Random)
    attempts: int = 0

    def next_s(self) -> float:
        """Return the next delay, from half the bound to the bound."""
        doublings = min(self.attempts, 62)  # beyond it a float's exponent would run over after years of trying
        bound = min(self.first_s * 2.0**doublings, self.longest_s)
        self.attempts += 1
        return bound * self.random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Start anew: the camera gave a picture."""
        self.attempts = 0
