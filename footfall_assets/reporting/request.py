"""What a person asks a report for, checked before any query runs."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.ids import parse_slug

MIN_APPEARANCES_LIMIT: Final = 1_000_000  # appearances; far beyond any visitor, far below a 64-bit overflow
_FURTHEST_AHEAD: Final = timedelta(hours=14)  # UTC+14, Line Islands: the earliest local midnight on Earth
_MINUTE: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_DAY_STARTS: Final = (None, time())  # two ways to say that a period begins with a day


class Order(StrEnum):
    """How a list is sorted; ties by Visitor ID, then linkage window."""

    MOST_APPEARANCES = "most appearances"
    FEWEST_APPEARANCES = "fewest appearances"
    VISITOR_ID = "visitor id"
    MOST_LOCATIONS = "most locations"
    MOST_VISITS = "most visits"
    LAST_SEEN = "last seen"


@dataclass(frozen=True)
class Period:
    """Business days, both ends inclusive; or from one local minute to another, which is not part of it.

    Attributes:
        starts_at: the first day's local time (naive, whole minutes) from which the period runs; None for all of it.
        ends_at: the last day's local time at which it is over; None for all of it.
    """

    first_day: date
    last_day: date
    starts_at: time | None = None
    ends_at: time | None = None

    def __post_init__(self) -> None:
        for at in (self.starts_at, self.ends_at):
            if at is not None and (at.tzinfo or at.second or at.microsecond):
                raise UserMistake(f"expected a local time in whole minutes such as 09:30, got {at}")
        ends = datetime.max.time() if self.ends_at is None else self.ends_at
        starts = self.starts_at or time()
        if (self.first_day, starts) > (self.last_day, ends) or (self.first_day == self.last_day and starts == ends):
            raise UserMistake(f"expected a period that starts before it ends, got {self.label}; swap the two")

    @property
    def label(self) -> str:
        """The period in ISO form, `2024-01-01 to 2024-01-31` or `2024-01-01 09:30 to 2024-01-31 18:00`."""
        starts = "" if self.starts_at in _DAY_STARTS else f" {self.starts_at:%H:%M}"
        ends = "" if self.ends_at is None else f" {self.ends_at:%H:%M}"
        return f"{self.first_day}{starts} to {self.last_day}{ends}"

    @property
    def is_whole_days(self) -> bool:
        """Whether it neither starts nor ends inside a day."""
        return self.starts_at in _DAY_STARTS and self.ends_at is None

    def bounds(self, timezone: str) -> tuple[datetime, datetime]:
        """Return its UTC start (inclusive) and end (exclusive) where clocks follow the IANA zone `timezone`.

        A minute that a clock shows twice is inside from its first to its last time; one that it skips is the moment of
        the change.
        """
        zone = ZoneInfo(timezone)
        starts = datetime.combine(self.first_day, self.starts_at or time(), zone)
        last_day = self.last_day + timedelta(days=1) if self.ends_at is None else self.last_day
        ends = datetime.combine(last_day, self.ends_at or time(), zone).replace(fold=0 if self.ends_at is None else 1)
        return starts.astimezone(UTC), ends.astimezone(UTC)

    def check_not_future(self, now: datetime) -> None:
        """Refuse days that have begun nowhere on Earth at `now` (timezone-aware).

        Raises:
            UserMistake: the period ends later than that.
        """
        latest = (now.astimezone(UTC) + _FURTHEST_AHEAD).date()
        if self.last_day > latest:
            raise UserMistake(f"expected a period that ends by {latest}, got {self.label}; future days have no data")


@dataclass(frozen=True)
class ReportRequest:
    """One visitor report: the period, the cameras (all that no filter excludes), the least appearances listed.

    `starts_at` and `ends_at` are those of `Period`.

    Raises:
        UserMistake: the period is turned round, or `min_appearances` is outside 1 to 1,000,000.
        InvalidIdentifier: an id does not have the form of one.
    """

    first_day: date
    last_day: date
    location_ids: tuple[str, ...] = ()
    camera_group: str | None = None
    camera_ids: tuple[str, ...] = ()
    min_appearances: int = 1
    starts_at: time | None = None
    ends_at: time | None = None

    def __post_init__(self) -> None:
        Period(self.first_day, self.last_day, self.starts_at, self.ends_at)
        for value in (*self.location_ids, *self.camera_ids, *([self.camera_group] if self.camera_group else [])):
            parse_slug(value)
        if not 1 <= self.min_appearances <= MIN_APPEARANCES_LIMIT:
            raise UserMistake(
                f"expected a minimum of 1 to {MIN_APPEARANCES_LIMIT:,} appearances, got {self.min_appearances}"
            )

    @property
    def period(self) -> Period:
        """The time asked for."""
        return Period(self.first_day, self.last_day, self.starts_at, self.ends_at)

    @property
    def selects_all(self) -> bool:
        """Whether no filter restricts the cameras."""
        return not (self.location_ids or self.camera_group or self.camera_ids)


def parse_minute(text: str) -> time | None:
    """Return the time of day of `09:30`, None for any other form."""
    found = _MINUTE.fullmatch(text)
    return time(int(found[1]), int(found[2])) if found else None
