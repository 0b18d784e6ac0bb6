"""What a person asks a report for, checked before any query runs."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.ids import parse_slug

MIN_APPEARANCES_LIMIT: Final = 1_000_000  # appearances; far beyond any visitor, far below a 64-bit overflow
_FURTHEST_AHEAD: Final = timedelta(hours=14)  # UTC+14, Line Islands: the earliest local midnight on Earth


@dataclass(frozen=True)
class Period:
    """Whole business days, both ends inclusive."""

    first_day: date
    last_day: date

    def __post_init__(self) -> None:
        if self.first_day > self.last_day:
            raise UserMistake(
                f"expected a period that starts before it ends, got {self.first_day} to {self.last_day}; swap the two"
            )

    @property
    def label(self) -> str:
        """The period in ISO form, `2024-01-01 to 2024-01-31`."""
        return f"{self.first_day} to {self.last_day}"

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

    def __post_init__(self) -> None:
        Period(self.first_day, self.last_day)
        for value in (*self.location_ids, *self.camera_ids, *([self.camera_group] if self.camera_group else [])):
            parse_slug(value)
        if not 1 <= self.min_appearances <= MIN_APPEARANCES_LIMIT:
            raise UserMistake(
                f"expected a minimum of 1 to {MIN_APPEARANCES_LIMIT:,} appearances, got {self.min_appearances}"
            )

    @property
    def period(self) -> Period:
        """The business days asked for."""
        return Period(self.first_day, self.last_day)

    @property
    def selects_all(self) -> bool:
        """Whether no filter restricts the cameras."""
        return not (self.location_ids or self.camera_group or self.camera_ids)
