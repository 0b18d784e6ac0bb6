"""Business days and linkage windows: how a moment becomes a partition."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def business_day(moment: datetime, timezone: str) -> date:
    """Return the local calendar day of `moment` (timezone-aware) at a location in IANA zone `timezone`."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def day_bounds(day: date, timezone: str) -> tuple[datetime, datetime]:
    """Return the UTC start (inclusive) and end (exclusive) of a business day; 23 to 25 hours apart."""
    zone = ZoneInfo(timezone)
    start = datetime.combine(day, time.min, zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
    return start, end


def wall_clock_moments(local: datetime, timezone: str) -> tuple[datetime, ...]:
    """Return every moment (UTC) at which clocks in `timezone` show `local` (naive), in order.

    None in the hour that clocks skip in spring, two in the hour they repeat in autumn, else one.
    """
    zone = ZoneInfo(timezone)
    moments = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return tuple(sorted(each for each in moments if each.astimezone(zone).replace(tzinfo=None) == local))


@dataclass(frozen=True)
class LinkageWindow:
    """A span of days inside which a visitor keeps one identity; both ends inclusive."""

    first_day: date
    last_day: date

    @property
    def label(self) -> str:
        """Its name in paths, columns and reports, such as `2024-01`."""
        return f"{self.first_day:%Y-%m}"


def linkage_window(day: date) -> LinkageWindow:
    """Return the calendar month around `day`, the default linkage window."""
    first = day.replace(day=1)
    next_first = (first + timedelta(days=32)).replace(day=1)
    return LinkageWindow(first, next_first - timedelta(days=1))


def days_between(first: date, last: date) -> tuple[date, ...]:
    """Return every day from `first` to `last`, both inclusive; empty when `last` comes before `first`."""
    return tuple(first + timedelta(days=offset) for offset in range((last - first).days + 1))
