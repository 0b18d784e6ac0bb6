"""What the identities of the days of a linkage window are computed from, and which of them are sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from footfall_assets.contracts.ids import digest_of
from footfall_assets.domain.calendar import linkage_window
from footfall_assets.domain.sealing import Sealing, SealingRule, sealing
from footfall_assets.identity.corrections import day_lines, of_window
from footfall_assets.identity.seals import requested_seals
from footfall_assets.identity.staff import staff_lines
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.partitions import PartitionManifest


@dataclass(frozen=True)
class WindowPlan:
    """The known days of a window up to one of them.

    Attributes:
        sealing: which of them are sealed, and what each rests on.
        inputs: for each the hash of everything its identities come from, rising by day.
    """

    sealing: Sealing
    inputs: Mapping[date, str]


def known_places(platform: Platform, day: date | None = None) -> tuple[Place, ...]:
    """Return every place that has `local_visitors` in the active version, sorted; those of one day, where given."""
    found = platform.partitions.places("local_visitors", platform.versions.local_visitors, day)
    return tuple(Place(each.day, each.location_id) for each in found if each.location_id)


def local_manifests(platform: Platform, places: Sequence[Place], day: date) -> dict[str, PartitionManifest]:
    """Return the `local_visitors` manifests of one day by location."""
    found = {place.location_id: platform.manifest("local_visitors", place) for place in places if place.day == day}
    return {location: manifest for location, manifest in found.items() if manifest}


def window_plan(platform: Platform, places: Sequence[Place], day: date) -> WindowPlan:
    """Return the plan of the window around `day`, up to that day.

    Each day's hash covers the days before it: late data changes it from its own day on, and on no day before. Where a
    provisional day lies before a day, or it is one itself, its hash covers also which days were sealed until then.
    """
    window = linkage_window(day)
    days = sorted({place.day for place in places if window.first_day <= place.day <= day} | {day})
    events, registry = of_window(platform.events.active(), window), platform.registry
    chained: dict[date, str] = {}
    counts: dict[date, int] = {}
    chain = ""
    for each in days:
        contents = local_manifests(platform, places, each)
        chain = digest_of(
            chain,
            each.isoformat(),
            *(f"{name}={contents[name].content_hash}" for name in sorted(contents)),
            *day_lines(events, each),
            *staff_lines(registry, places, each, platform.settings.staff),
        )
        chained[each] = chain
        counts[each] = sum(manifest.rows("templates") for manifest in contents.values())
    settings = platform.settings.provisional
    is_large = sum(counts.values()) >= settings.above_local_visitors
    # Days after this one in its window: then the window's end does not close it, over or not.
    is_newest = not any(day < place.day <= window.last_day for place in places)
    found = sealing(
        window,
        counts,
        SealingRule(settings.above_local_visitors, settings.seal_every_days),
        requested=requested_seals(platform.lake, window) if is_large else (),
        over=is_newest and any(place.day > window.last_day for place in places),
    )
    return WindowPlan(found, _inputs(found, chained, settings.model_dump_json()))


def _inputs(found: Sealing, chained: Mapping[date, str], settings: str) -> dict[date, str]:
    """Return the hash of each day's inputs: the chain itself as long as every day is sealed."""
    hashes: dict[date, str] = {}
    provisional_before = False
    for day in found.days:
        provisional_before = provisional_before or day not in found.sealed
        if not provisional_before:
            hashes[day] = chained[day]
            continue
        base = found.rests_on(day)
        kind = "sealed" if day in found.sealed else f"provisional {settings}"
        hashes[day] = digest_of(kind, chained[day], f"{base}={hashes[base]}" if base else "")
    return hashes
