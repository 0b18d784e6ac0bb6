"""The filters: what may be chosen, what was chosen, and how that is written into the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum
from typing import Final

from footfall_assets.reporting.request import MIN_APPEARANCES_LIMIT, Period, ReportRequest, parse_minute

_NUMBER_LENGTH: Final = len(str(MIN_APPEARANCES_LIMIT))
_MIDNIGHT: Final = time()


class Grain(StrEnum):
    """The step of a chart over time."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True)
class FilterOptions:
    """What the current publication lets one choose, as far as one may see it.

    `locations`, `groups` and `cameras` are names by id; `places` are the locations of cameras, `timezones` of
    locations, both by id.
    """

    first_day: date
    last_day: date
    locations: Mapping[str, str]
    groups: Mapping[str, str]
    cameras: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    timezones: Mapping[str, str] = field(default_factory=dict)

    @property
    def default_first_day(self) -> date:
        """The start of the newest month that has data: a default period never crosses linkage windows."""
        return max(self.first_day, self.last_day.replace(day=1))

    def cameras_at(self, location_ids: Sequence[str]) -> dict[str, str]:
        """Return the names of the cameras at these locations; of all of them where none is named."""
        return {key: name for key, name in self.cameras.items() if not location_ids or self.places[key] in location_ids}


@dataclass(frozen=True)
class Filters:
    """What is chosen; no location, camera group or camera means all; times are local, `ends_at` is exclusive."""

    first_day: date
    last_day: date
    location_ids: tuple[str, ...] = ()
    camera_group: str | None = None
    min_appearances: int = 1
    grain: Grain = Grain.HOUR
    camera_ids: tuple[str, ...] = ()
    starts_at: time | None = None
    ends_at: time | None = None

    @property
    def period(self) -> Period:
        """The time asked for."""
        return Period(self.first_day, self.last_day, self.starts_at, self.ends_at)

    @property
    def request(self) -> ReportRequest:
        """The report to ask for."""
        return ReportRequest(
            self.first_day,
            self.last_day,
            location_ids=self.location_ids,
            camera_group=self.camera_group,
            camera_ids=self.camera_ids,
            min_appearances=self.min_appearances,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


def parse_filters(params: Mapping[str, Sequence[str]], options: FilterOptions) -> tuple[Filters, tuple[str, ...]]:
    """Return the filters in the address's `params` and one sentence for each that could not be used.

    What does not hold is replaced by the default. The sentences never repeat what was asked: it may be hostile.
    """
    problems: list[str] = []
    first, last = _period(params, options, problems)
    starts, ends = _minutes(params, first, last, problems)
    location_ids = _known(params, "location", options.locations, problems)
    group = _last(params, "group")
    if group is not None and group not in options.groups:
        problems.append("The camera group in the address is not known here and was left out.")
    filters = Filters(
        first_day=first,
        last_day=last,
        location_ids=location_ids,
        camera_group=group if group in options.groups else None,
        min_appearances=_least(params, problems),
        grain=_grain(params, problems),
        camera_ids=_known(params, "camera", options.cameras_at(location_ids), problems),
        starts_at=starts,
        ends_at=ends,
    )
    return filters, tuple(problems)


def to_params(filters: Filters) -> dict[str, list[str]]:
    """Return the address's parameters from which `parse_filters` makes `filters` again; defaults are left out."""
    params = {"from": [filters.first_day.isoformat()], "to": [filters.last_day.isoformat()]}
    if filters.starts_at is not None:
        params["from"] = [f"{filters.first_day}T{filters.starts_at:%H:%M}"]
    if filters.ends_at is not None:
        params["to"] = [f"{filters.last_day}T{filters.ends_at:%H:%M}"]
    if filters.location_ids:
        params["location"] = list(filters.location_ids)
    if filters.camera_group is not None:
        params["group"] = [filters.camera_group]
    if filters.camera_ids:
        params["camera"] = list(filters.camera_ids)
    if filters.min_appearances > 1:
        params["min"] = [str(filters.min_appearances)]
    if filters.grain is not Grain.HOUR:
        params["by"] = [filters.grain.value]
    return params


def _known(
    params: Mapping[str, Sequence[str]], name: str, known: Mapping[str, str], problems: list[str]
) -> tuple[str, ...]:
    asked = frozenset(params.get(name, ()))
    found = tuple(key for key in known if key in asked) if asked else ()
    if asked - set(found):
        problems.append(f"A {name} in the address is not known here and was left out.")
    return found


def _period(params: Mapping[str, Sequence[str]], options: FilterOptions, problems: list[str]) -> tuple[date, date]:
    first = _day(_last(params, "from"), options.default_first_day)
    last = _day(_last(params, "to"), options.last_day)
    if first is None or last is None or not options.first_day <= first <= last <= options.last_day:
        problems.append("The period in the address does not lie within the days that have data; the default is shown.")
        return options.default_first_day, options.last_day
    return first, last


def _minutes(
    params: Mapping[str, Sequence[str]], first: date, last: date, problems: list[str]
) -> tuple[time | None, time | None]:
    """Return the local times of day in `2024-01-01T09:30`; None for the start or the end of the day."""
    if problems:  # the period was replaced as a whole
        return None, None
    starts, ends = (_minute(_last(params, name)) for name in ("from", "to"))
    starts = None if starts == _MIDNIGHT else starts
    if ends == _MIDNIGHT or (first == last and ends is not None and (starts or _MIDNIGHT) >= ends):
        problems.append("The period in the address ends before it starts; whole days are shown.")
        return None, None
    return starts, ends


def _minute(text: str | None) -> time | None:
    return parse_minute(text[11:]) if text is not None and len(text) > len("2024-01-01") else None


def _day(text: str | None, default: date) -> date | None:
    """Return the day of an ISO date, or of one with a minute, in its one plain form; None for anything else."""
    if text is None:
        return default
    day, mark, minute = text[: len("2024-01-01T00:00") + 1].partition("T")
    if mark and (len(text) > len("2024-01-01T00:00") or parse_minute(minute) is None):
        return None
    try:
        found = date.fromisoformat(day)
    except ValueError:
        return None
    return found if found.isoformat() == day else None  # fromisoformat takes week dates too


def _least(params: Mapping[str, Sequence[str]], problems: list[str]) -> int:
    text = _last(params, "min")
    if text is None:
        return 1
    # Length first: turning a number of a million digits into an int takes seconds.
    if len(text) <= _NUMBER_LENGTH and text.isascii() and text.isdigit() and 1 <= int(text) <= MIN_APPEARANCES_LIMIT:
        return int(text)
    problems.append(f"The minimum of appearances in the address is not between 1 and {MIN_APPEARANCES_LIMIT:,}.")
    return 1


def _grain(params: Mapping[str, Sequence[str]], problems: list[str]) -> Grain:
    text = _last(params, "by")
    if text is None or text in set(Grain):
        return Grain.HOUR if text is None else Grain(text)
    problems.append("The step of the chart in the address is neither hour nor day.")
    return Grain.HOUR


def _last(params: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = params.get(name, ())
    return values[-1] if values else None
