"""Presence: when somebody certainly was at a location, and who was at two locations at once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from footfall_assets.domain.linkage import Labels, Pairs
from footfall_assets.domain.row_groups import Groups, all_members, span_members

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
        person: (m,) row of the person, rising.
        place: (m,) number of the location.
        start_us: (m,) first moment.
        end_us: (m,) last moment.
        people: n, where the last of them have no stay.
    """

    person: Labels
    place: Labels
    start_us: Microseconds
    end_us: Microseconds
    people: int = 0

    def between(self, left: Labels, right: Labels) -> NDArray[np.bool_]:
        """Return whether the people `left` (k,) and `right` (k,) were at different locations at one moment, by pair."""
        pair, one, other = all_members(self._stays, self._first, left, right)
        at_once = (self.start_us[one] <= self.end_us[other]) & (self.start_us[other] <= self.end_us[one])
        apart = np.zeros(len(left), dtype=np.bool_)
        apart[pair[at_once & (self.place[one] != self.place[other])]] = True
        return apart

    def between_groups(self, groups: Groups, left: Labels, right: Labels) -> NDArray[np.bool_]:
        """Return whether somebody of group `left` (k,) and of group `right` (k,) were at two locations at one moment.

        A sweep over the stays of both in the order of their starts. Of the other group only the stay that ends last so
        far is looked at: who of it is still there is where that one is, for nobody is at two locations at once.
        """
        count = len(left)
        group = np.concatenate([left, right])
        side_and_pair, place = span_members(groups.first[group], groups.size[group])
        person = groups.members[place]
        owner, stay = span_members(self._first[person], self._stays[person])
        side, pair = np.divmod(side_and_pair[owner], count)
        order = np.lexsort((self.start_us[stay], pair))
        side, pair, stay = side[order], pair[order], stay[order]
        by_end = np.argsort(self.end_us[stay], kind="stable")
        rank = np.empty(len(stay), dtype=np.int64)
        rank[by_end] = np.arange(1, len(stay) + 1)
        apart = np.zeros(count, dtype=np.bool_)
        for other in (0, 1):
            base = pair * (len(stay) + 1)
            last = np.maximum.accumulate(base + np.where(side == other, rank, 0)) - base
            mine = np.flatnonzero((side != other) & (last > 0))
            theirs = stay[by_end[last[mine] - 1]]
            at_once = self.end_us[theirs] >= self.start_us[stay[mine]]
            elsewhere = self.place[theirs] != self.place[stay[mine]]
            apart[pair[mine[at_once & elsewhere]]] = True
        return apart

    @cached_property
    def _stays(self) -> Labels:
        return np.bincount(self.person, minlength=self.people)

    @cached_property
    def _first(self) -> Labels:
        return np.cumsum(self._stays) - self._stays


def stays_apart(presence: Presence) -> int:
    """Return how many pairs of stays were at different locations at one moment.

    Of all pairs that overlap in time those at one location are taken away; both are counted in a sweep over the starts.
    """
    everywhere = _overlaps(presence.start_us, presence.end_us)
    order = np.argsort(presence.place, kind="stable")
    limits = np.flatnonzero(np.diff(presence.place[order])) + 1
    inside = (_overlaps(presence.start_us[rows], presence.end_us[rows]) for rows in np.split(order, limits))
    return everywhere - sum(inside)


def _overlaps(start_us: Microseconds, end_us: Microseconds) -> int:
    """Return how many pairs of spans share a moment: those that start before the end of one that started earlier."""
    order = np.argsort(start_us, kind="stable")
    begun_by_its_end = np.searchsorted(start_us[order], end_us[order], side="right")
    return int((begun_by_its_end - np.arange(1, len(order) + 1)).sum())


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
