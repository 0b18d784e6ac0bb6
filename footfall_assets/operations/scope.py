"""Which locations and days a backfill goes through."""

from datetime import UTC, date, datetime, timedelta

from footfall_assets.contracts.errors import RegistryError, UserMistake
from footfall_assets.contracts.registry import Registry
from footfall_assets.domain.calendar import days_between
from footfall_assets.platform import Place


def places_in(registry: Registry, first_day: date, last_day: date, location_ids: tuple[str, ...]) -> list[Place]:
    """Return the chosen locations (all where none is named) on every day of a period, both ends inclusive.

    Raises:
        UserMistake: the period is turned round, in the future, or before the platform's first day.
        RegistryError: an unknown location.
    """
    if first_day > last_day:
        raise UserMistake(f"expected --from before --to, got {first_day} and {last_day}")
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    if last_day > tomorrow:
        raise UserMistake(f"--to {last_day} lies in the future")
    if registry.first_day is None or first_day < registry.first_day:
        raise UserMistake(f"--from {first_day} lies before the first day of this platform, {registry.first_day}")
    known = registry.location_ids()
    unknown = sorted(set(location_ids) - set(known))
    if unknown:
        raise RegistryError(f"unknown location {', '.join(unknown)}; known: {', '.join(known) or 'none'}")
    days = days_between(first_day, last_day)
    return [Place(day, location) for day in days for location in sorted(location_ids or known)]
