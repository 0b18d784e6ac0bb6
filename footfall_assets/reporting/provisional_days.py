"""The newest days of a linkage window whose identities are not sealed yet, and what that means for a report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import duckdb

from footfall_assets.domain.count_range import NO_CUTS, Total
from footfall_assets.reporting.publication import fetch_rows, has_table

_PROVISIONAL_SQL: Final = """
select linkage_window, last_sealed_day, last_provisional_day from provisional_windows order by linkage_window
"""


@dataclass(frozen=True)
class ProvisionalDays:
    """Days of one linkage window whose identities the next seal decides again; both ends inclusive.

    `last_sealed_day` is the newest day before them; `is_in_period`: whether the period asked for holds any of them.
    """

    linkage_window: str
    first_day: date
    last_day: date
    last_sealed_day: date
    is_in_period: bool = True

    @property
    def text(self) -> str:
        """What a report says of them, in one line."""
        days = f"{self.first_day}" if self.first_day == self.last_day else f"{self.first_day} to {self.last_day}"
        are = "is" if self.first_day == self.last_day else "are"
        return (
            f"{days} {are} provisional: identities after {self.last_sealed_day} are not sealed yet, the list of "
            f"{self.linkage_window} may still change, and no total is given for it until the next seal"
        )


def read_provisional_days(
    connection: duckdb.DuckDBPyConnection, first_day: date = date.min, last_day: date = date.max
) -> tuple[ProvisionalDays, ...]:
    """Return the provisional days of each linkage window that has any; in-period ones cut at the days asked for.

    Publications of before know of none.
    """
    if not has_table(connection, "provisional_windows"):
        return ()
    found = []
    for window, sealed, newest in fetch_rows(connection, _PROVISIONAL_SQL, {}):
        first, last = sealed + timedelta(days=1), newest
        inside = first <= last_day and last >= first_day
        cut = (max(first, first_day), min(last, last_day)) if inside else (first, last)
        found.append(ProvisionalDays(window, *cut, sealed, is_in_period=inside))
    return tuple(found)


def with_provisional_reasons(totals: Mapping[str, Total], days: Sequence[ProvisionalDays]) -> dict[str, Total]:
    """Return totals by linkage window; none is given for a window with provisional days, with the reason.

    Nobody and a refusal for another reason stay what they are.
    """
    waiting = {each.linkage_window: each for each in days}
    return {
        window: _refused(total, waiting[window])
        if window in waiting and (total.people or total.reason == NO_CUTS)
        else total
        for window, total in totals.items()
    }


def _refused(total: Total, days: ProvisionalDays) -> Total:
    reason = (
        f"identities of {days.linkage_window} after {days.last_sealed_day} are provisional, not sealed yet; a total "
        "is given again after the next seal"
    )
    return replace(total, people=None, interval=None, reason=reason)
