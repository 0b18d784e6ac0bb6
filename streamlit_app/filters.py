"""The report's filters: what may be chosen, what was chosen, and how that is written into the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from footfall_assets.reporting.request import MIN_APPEARANCES_LIMIT, ReportRequest

_NUMBER_LENGTH: Final = len(str(MIN_APPEARANCES_LIMIT))


class Grain(StrEnum):
    """The step of the footfall chart."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True)
class FilterOptions:
    """What the current publication lets one choose; `locations` and `groups` are names by id."""

    first_day: date
    last_day: date
    locations: Mapping[str, str]
    groups: Mapping[str, str]

    @property
    def default_first_day(self) -> date:
        """The start of the newest month that has data: a default period never crosses linkage windows."""
        return max(self.first_day, self.last_day.replace(day=1))


@dataclass(frozen=True)
class Filters:
    """What is chosen; no location means all."""

    first_day: date
    last_day: date
    location_ids: tuple[str, ...] = ()
    camera_group: str | None = None
    min_appearances: int = 1
    grain: Grain = Grain.HOUR

    @property
    def request(self) -> ReportRequest:
        """The report to ask for."""
        return ReportRequest(
            self.first_day,
            self.last_day,
            location_ids=self.location_ids,
            camera_group=self.camera_group,
            min_appearances=self.min_appearances,
        )


def parse_filters(params: Mapping[str, Sequence[str]], options: FilterOptions) -> tuple[Filters, tuple[str, ...]]:
    """Return the filters in the address's `params` and one sentence for each that could not be used.

    What does not hold is replaced by the default. The sentences never repeat what was asked: it may be hostile.
    """
    problems: list[str] = []
    first, last = _period(params, options, problems)
    asked = params.get("location", ())
    location_ids = tuple(key for key in options.locations if key in set(asked))
    if set(asked) - set(location_ids):
        problems.append("A location in the address is not known here and was left out.")
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
    )
    return filters, tuple(problems)


def to_params(filters: Filters) -> dict[str, list[str]]:
    """Return the address's parameters from which `parse_filters` makes `filters` again; defaults are left out."""
    params = {"from": [filters.first_day.isoformat()], "to": [filters.last_day.isoformat()]}
    if filters.location_ids:
        params["location"] = list(filters.location_ids)
    if filters.camera_group is not None:
        params["group"] = [filters.camera_group]
    if filters.min_appearances > 1:
        params["min"] = [str(filters.min_appearances)]
    if filters.grain is not Grain.HOUR:
        params["by"] = [filters.grain.value]
    return params


def _period(params: Mapping[str, Sequence[str]], options: FilterOptions, problems: list[str]) -> tuple[date, date]:
    first = _day(_last(params, "from"), options.default_first_day)
    last = _day(_last(params, "to"), options.last_day)
    if first is None or last is None or not options.first_day <= first <= last <= options.last_day:
        problems.append("The period in the address does not lie within the days that have data; the default is shown.")
        return options.default_first_day, options.last_day
    return first, last


def _day(text: str | None, default: date) -> date | None:
    """Return the day of an ISO date in its one plain form; None for anything else."""
    if text is None:
        return default
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None  # fromisoformat takes week dates too


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
