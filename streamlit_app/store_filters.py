"""The filters of protected counts: what may be chosen, what was chosen, and how that is written into the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from footfall_assets.reporting.protected_footfall import ProtectedGrain
from footfall_assets.reporting.request import Period

_DAYS: Final[Mapping[ProtectedGrain, int]] = {  # of a default period: as many bars as can be told apart
    ProtectedGrain.HOUR: 3,
    ProtectedGrain.DAY: 31,
    ProtectedGrain.WEEK: 182,
    ProtectedGrain.MONTH: 731,
}


@dataclass(frozen=True)
class StoreOptions:
    """What may be chosen; `locations` are names by id, never empty."""

    locations: Mapping[str, str]
    days: Period

    def default_period(self, grain: ProtectedGrain) -> Period:
        """Return the newest days, as many as suit the step."""
        first = max(self.days.first_day, self.days.last_day - timedelta(days=_DAYS[grain] - 1))
        return Period(first, self.days.last_day)


@dataclass(frozen=True)
class StoreFilters:
    """What is chosen."""

    location_id: str
    grain: ProtectedGrain
    period: Period


def parse_store_filters(
    params: Mapping[str, Sequence[str]], options: StoreOptions
) -> tuple[StoreFilters, tuple[str, ...]]:
    """Return the filters in the address's `params` and one sentence for each that could not be used.

    What does not hold is replaced by the default. The sentences never repeat what was asked: it may be hostile.
    """
    problems: list[str] = []
    place = _last(params, "location")
    if place is not None and place not in options.locations:
        problems.append("The location in the address is not known here; another is shown.")
        place = None
    step = _last(params, "by")
    if step is not None and step not in set(ProtectedGrain):
        problems.append("The step in the address is not hour, day, week or month.")
        step = None
    grain = ProtectedGrain(step) if step else ProtectedGrain.DAY
    period = _period(_last(params, "from"), _last(params, "to"), options, grain)
    if period is None:
        problems.append("The period in the address does not lie within the days that have counts.")
    return StoreFilters(place or next(iter(options.locations)), grain, period or options.default_period(grain)), tuple(
        problems
    )


def store_params(filters: StoreFilters) -> dict[str, list[str]]:
    """Return the address's parameters from which `parse_store_filters` makes `filters` again."""
    return {
        "location": [filters.location_id],
        "by": [filters.grain.value],
        "from": [filters.period.first_day.isoformat()],
        "to": [filters.period.last_day.isoformat()],
    }


def _period(first: str | None, last: str | None, options: StoreOptions, grain: ProtectedGrain) -> Period | None:
    if first is None and last is None:
        return options.default_period(grain)
    first_day, last_day = _day(first), _day(last)
    if first_day is None or last_day is None:
        return None
    inside = options.days.first_day <= first_day <= last_day <= options.days.last_day
    return Period(first_day, last_day) if inside else None


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if day.isoformat() == text else None  # fromisoformat takes week dates too


def _last(params: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = params.get(name, ())
    return values[-1] if values else None
