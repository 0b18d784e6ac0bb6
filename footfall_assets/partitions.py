"""The partition definitions, shared by all assets: day, and day x location group.

A day is a business day: each location's own calendar cuts it, so the label carries no time zone.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final

import dagster as dg

from footfall_assets.contracts.registry import Registry
from footfall_assets.platform import Place

LOCATION_GROUPS: Final = "location_group"
_DAYS_AHEAD: Final = 2  # at UTC+14 the next day has begun before this one starts in UTC


def day_partitions(first_day: date) -> dg.DailyPartitionsDefinition:
    """Return one partition per business day, from the first the platform accepts."""
    return dg.DailyPartitionsDefinition(start_date=first_day.isoformat(), end_offset=_DAYS_AHEAD)


def place_partitions(first_day: date) -> dg.MultiPartitionsDefinition:
    """Return one partition per business day and location group."""
    groups = dg.DynamicPartitionsDefinition(name=LOCATION_GROUPS)
    return dg.MultiPartitionsDefinition({"day": day_partitions(first_day), "location": groups})


def place_key(day: date, partition_group: str) -> dg.MultiPartitionKey:
    """Return the partition key of a location group on a day."""
    return dg.MultiPartitionKey({"day": day.isoformat(), "location": partition_group})


def places_of(keys: Iterable[str], registry: Registry) -> list[Place]:
    """Return the locations and days behind partition keys of day x location group, sorted."""
    places = []
    for key in keys:
        if not isinstance(key, dg.MultiPartitionKey):
            raise TypeError(f"expected a key of day x location group, got {key!r}")
        dimensions = key.keys_by_dimension
        day = date.fromisoformat(dimensions["day"])
        places += [Place(day, location) for location in registry.locations_of(dimensions["location"])]
    return sorted(places)
