"""From the text of a field to its value, or to the reason why the row is set aside."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from footfall_assets.contracts.imports import RowFault
from footfall_assets.contracts.registry import Location, Registry
from footfall_assets.domain.calendar import business_day, wall_clock_moments

EARLIEST: Final = date(2000, 1, 1)
PLANNED_AHEAD: Final = timedelta(days=750)  # staff plans and opening hours reach two years ahead
CLOCK_AHEAD: Final = timedelta(minutes=5)  # a till's clock may run ahead by this
MINUTES_A_DAY: Final = 1440
_MOST_PEOPLE: Final = 1_000_000  # in one row; far above any door, far below an overflow
_MOST_REVENUE: Final = Decimal("1e12")
_SHOWN: Final = 60  # characters of a bad value in a message

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::00)?")
_TIMESTAMP: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?")
_WHOLE: Final = re.compile(r"\d{1,9}")
_HOUR: Final = re.compile(r"\d{1,2}")
_DECIMAL: Final = re.compile(r"-?\d{1,13}(\.\d{1,2})?")
_TEXT: Final = re.compile(r"[^\W_][\w &/.()'-]{0,63}")  # begins with a letter or digit: never a spreadsheet formula
_LAST_HOUR: Final = 23


class BadRow(Exception):
    """A row that is set aside.

    Attributes:
        reason: under which it is counted.
        message: expected, got.
    """

    def __init__(self, reason: RowFault, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class LocalHour:
    """A moment with the local day and hour it lies in."""

    moment: datetime
    business_day: date
    hour_starts_at: datetime
    local_hour: int

    def columns(self) -> dict[str, object]:
        """Return the three columns that place a row in its local hour."""
        return {
            "business_day": self.business_day,
            "hour_starts_at": self.hour_starts_at,
            "local_hour": self.local_hour,
        }


@dataclass
class Places:
    """The locations that rows may name, and the time it is now (timezone-aware)."""

    registry: Registry
    now: datetime
    _zones: dict[tuple[str, date], str] = field(default_factory=dict)

    def location(self, text: str) -> str:
        """Return the id of a location that is registered."""
        if text not in self.registry.versions_of_location:
            raise BadRow(RowFault.UNKNOWN_LOCATION, f"expected the id of a registered location, got {_shown(text)}")
        return text

    def past_hour(self, location_id: str, fields: Mapping[str, str]) -> LocalHour:
        """Return the moment a row speaks of: its `timestamp`, or the start of its `date` and `hour`; never ahead."""
        text = fields.get("timestamp", "")
        if text:
            moment = self._moment(location_id, text)
        else:
            day, hour = past_or_planned_day(fields.get("date", ""), now=self.now), whole_hour(fields.get("hour", ""))
            moment = self._local(location_id, datetime(day.year, day.month, day.day, hour))  # noqa: DTZ001 - local
        if moment > self.now + CLOCK_AHEAD:
            raise BadRow(RowFault.OUT_OF_RANGE, f"expected a time that has passed, got {_shown(text or str(moment))}")
        return self._hour_of(location_id, moment)

    def _moment(self, location_id: str, text: str) -> datetime:
        if not _TIMESTAMP.fullmatch(text):
            raise BadRow(RowFault.BAD_TIME, f"expected a time such as 2024-01-05T10:15, got {_shown(text)}")
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise BadRow(RowFault.BAD_TIME, f"expected a time that exists, got {_shown(text)}") from error
        _check_day(moment.date(), latest=self.now.date() + timedelta(days=1))
        return moment.astimezone(UTC) if moment.tzinfo else self._local(location_id, moment)

    def _local(self, location_id: str, local: datetime) -> datetime:
        found = wall_clock_moments(local, self._zone(location_id, local.date()))
        if not found:
            raise BadRow(RowFault.NO_SUCH_LOCAL_TIME, f"expected a local time that exists, clocks skip {local}")
        if len(found) > 1:
            raise BadRow(
                RowFault.AMBIGUOUS_LOCAL_TIME,
                f"expected one moment, clocks show {local} twice; write a timestamp with its offset from UTC",
            )
        return found[0]

    def _hour_of(self, location_id: str, moment: datetime) -> LocalHour:
        zone = self._zone(location_id, moment.date())
        day = business_day(moment, zone)
        local = _local_time(moment, zone)
        into_hour = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return LocalHour(moment, day, moment - into_hour, local.hour)

    def _zone(self, location_id: str, day: date) -> str:
        """Return the zone of a location on a day; before its first version that version's, as the marts do."""
        if (location_id, day) not in self._zones:
            versions = sorted(self.registry.versions_of_location[location_id], key=_valid_from)
            holding = [each for each in versions if each.valid_from <= day] or versions[:1]
            self._zones[location_id, day] = holding[-1].timezone
        return self._zones[location_id, day]


def past_or_planned_day(text: str, *, now: datetime) -> date:
    """Return a day between 2000 and two years ahead."""
    if not _DATE.fullmatch(text):
        raise BadRow(RowFault.BAD_TIME, f"expected a date such as 2024-01-05, got {_shown(text)}")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadRow(RowFault.BAD_TIME, f"expected a date that exists, got {_shown(text)}") from error
    _check_day(day, latest=(now + PLANNED_AHEAD).date())
    return day


def whole_hour(text: str) -> int:
    """Return an hour of the clock, 0 to 23."""
    if not _HOUR.fullmatch(text) or int(text) > _LAST_HOUR:
        raise BadRow(RowFault.BAD_TIME, f"expected an hour from 0 to 23, got {_shown(text)}")
    return int(text)


def minute_of_day(text: str) -> int:
    """Return the minutes from midnight to a time of the clock, `00:00` to `24:00`."""
    found = _CLOCK.fullmatch(text)
    minute = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else MINUTES_A_DAY + 1  # noqa: PLR2004
    if minute > MINUTES_A_DAY:
        raise BadRow(RowFault.BAD_TIME, f"expected a time from 00:00 to 24:00, got {_shown(text)}")
    return minute


def minutes_of(starts: str, ends: str) -> tuple[int, int]:
    """Return a stretch of one local day in minutes from midnight."""
    first, last = minute_of_day(starts), minute_of_day(ends)
    if last <= first:
        raise BadRow(
            RowFault.CROSSES_MIDNIGHT,
            f"expected an end after the start on the same day, got {starts} to {ends}; for hours beyond midnight give "
            "two rows: one until 24:00, and one from 00:00 for the day after",
        )
    return first, last


def people(text: str) -> int:
    """Return a whole number of people or things, 0 to 1,000,000."""
    if not _WHOLE.fullmatch(text) or int(text) > _MOST_PEOPLE:
        raise BadRow(RowFault.BAD_NUMBER, f"expected a whole number from 0 to {_MOST_PEOPLE:,}, got {_shown(text)}")
    return int(text)


def people_or_none(text: str) -> int | None:
    """Return the same, or None for an empty field."""
    return people(text) if text else None


def money_or_none(text: str) -> Decimal | None:
    """Return an amount with at most two decimals, negative where refunds outweigh sales; None for an empty field."""
    if not text:
        return None
    amount = _decimal(text)
    if abs(amount) > _MOST_REVENUE:
        raise BadRow(RowFault.BAD_NUMBER, f"expected an amount below {_MOST_REVENUE:,.0f}, got {_shown(text)}")
    return amount


def staff_count(text: str) -> Decimal:
    """Return planned staff, 0 to 10,000, with at most two decimals."""
    staff = _decimal(text)
    if not 0 <= staff <= 10_000:  # noqa: PLR2004 - people, as the message says
        raise BadRow(RowFault.BAD_NUMBER, f"expected planned staff from 0 to 10,000, got {_shown(text)}")
    return staff


def plain_text(text: str) -> str:
    """Return a short name, empty where there is none."""
    if text and not _TEXT.fullmatch(text):
        raise BadRow(
            RowFault.BAD_TEXT,
            f"expected at most 64 letters, digits, spaces or & / . ( ) ' -, beginning with a letter or digit, "
            f"got {_shown(text)}",
        )
    return text


def _decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise BadRow(RowFault.BAD_NUMBER, f"expected a number such as 1250.50, got {_shown(text)}")
    return Decimal(text)


def _check_day(day: date, *, latest: date) -> None:
    if not EARLIEST <= day <= latest:
        raise BadRow(RowFault.OUT_OF_RANGE, f"expected a day from {EARLIEST} to {latest}, got {day}")


def _local_time(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def _valid_from(location: Location) -> date:
    return location.valid_from


def _shown(text: str) -> str:
    return repr(text[:_SHOWN])
