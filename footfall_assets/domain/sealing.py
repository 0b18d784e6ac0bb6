"""Which days of a linkage window are solved in full, and which are provisional until such a day seals them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from footfall_assets.domain.calendar import LinkageWindow


@dataclass(frozen=True)
class SealingRule:
    """When a day is sealed.

    Attributes:
        above: local visitors of the window so far from which on a day is provisional.
        every_days: calendar days of the window from one seal to the next.
    """

    above: int
    every_days: int


@dataclass(frozen=True)
class Sealing:
    """The known days of a window, rising, and those of them that are sealed, among them the first."""

    days: tuple[date, ...]
    sealed: frozenset[date]

    def rests_on(self, day: date) -> date | None:
        """Return the day whose identities those of `day` are computed from, None for the first.

        A sealed day takes names from the day before it. A provisional day goes back to the sealed day before it and to
        no other: mistakes of provisional days do not pile up.
        """
        before = [each for each in self.days if each < day and (day in self.sealed or each in self.sealed)]
        return max(before, default=None)


def sealing(
    window: LinkageWindow,
    local_visitors: Mapping[date, int],
    rule: SealingRule,
    *,
    requested: Collection[date] = (),
    over: bool = False,
) -> Sealing:
    """Return which days of a window are sealed.

    Sealed are: every day while the window is small; the first day; the first known day at or after each
    `every_days`-th of the calendar; the window's last day, or its newest where the window is over; what was asked for.

    Args:
        window: the linkage window.
        local_visitors: of each known day of the window; the answer for a day looks at no later one, `over` apart.
        rule: when a day is sealed.
        requested: days that somebody wants sealed.
        over: whether a later window has begun.
    """
    days = tuple(sorted(local_visitors))
    sealed: set[date] = set()
    total = spans_before = 0
    for day in days:
        total += local_visitors[day]
        spans = ((day - window.first_day).days + 1) // rule.every_days
        closing = day == window.last_day or (over and day == days[-1])
        if total < rule.above or not sealed or spans > spans_before or closing or day in requested:
            sealed.add(day)
        spans_before = spans
    return Sealing(days, frozenset(sealed))
