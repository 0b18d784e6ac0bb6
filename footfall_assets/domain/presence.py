"""Presence: when somebody certainly was at a location, and who was at two locations at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.linkage import Labels, Pairs

Microseconds = NDArray[np.int64]  # since the epoch


def stays(times_us: Microseconds, elsewhere_after_s: float) -> tuple[Microseconds, Microseconds]:
    """Return the starts and ends of the spans in which somebody certainly stayed, in order.

    Args:
        times_us: when they were seen at one location, in any order.
        elsewhere_after_s: seconds unseen after which they may have been elsewhere in between.
    """
    ordered = np.sort(times_us)
    begins = np.diff(ordered, prepend=ordered[:1]) > elsewhere_after_s * 1e6
    begins[:1] = True
    return ordered[begins], ordered[np.roll(begins, -1)]


@dataclass(frozen=True)
class Presence:
    """The stays of n people, m in all.

    Attributes:
        person: (m,) row of the person.
        place: (m,) number of the location.
        start_us: (m,) first moment.
        end_us: (m,) last moment.
    """

    person: Labels
    place: Labels
    start_us: Microseconds
    end_us: Microseconds


def at_two_places(presence: Presence, rows: Labels) -> Pairs:
    """Return the (k, 2) positions among `rows` of people who were at different locations at one moment."""
    position = np.full(int(max(presence.person.max(initial=-1), rows.max(initial=-1))) + 1, -1, dtype=np.int64)
    position[rows] = np.arange(len(rows))
    chosen = np.flatnonzero(position[presence.person] >= 0)
    who, place = position[presence.person[chosen]], presence.place[chosen]
    start, end = presence.start_us[chosen], presence.end_us[chosen]
    at_once = (start[:, None] <= end) & (start <= end[:, None]) & (place[:, None] != place)
    left, right = np.nonzero(at_once & (who[:, None] < who))
    return np.unique(np.stack([who[left], who[right]], axis=1), axis=0)
