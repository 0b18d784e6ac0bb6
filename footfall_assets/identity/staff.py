"""Who leaves all counts: `excluded_reason` of `identities`, from events, staff-only cameras and two rules."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from footfall_assets.contracts.registry import Registry
from footfall_assets.contracts.schemas import IDENTITIES, LOCAL_VISITORS
from footfall_assets.contracts.settings import Shift, StaffSettings
from footfall_assets.domain.agglomeration import Labels
from footfall_assets.domain.staff import (
    Attendance,
    ExclusionReason,
    attendance,
    by_dwell,
    by_schedule,
    by_staff_camera,
)
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.arrow import microseconds

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def staff_cameras(registry: Registry, places: Iterable[Place]) -> dict[Place, tuple[str, ...]]:
    """Return the staff-only cameras of each place that has some on its day, sorted."""
    flagged = sorted({(camera.location_id, camera.camera_id) for camera in registry.cameras if camera.staff_only})
    found: dict[Place, tuple[str, ...]] = {}
    for place in places:
        held = (registry.camera(name, place.day) for location, name in flagged if location == place.location_id)
        names = tuple(camera.camera_id for camera in held if camera and camera.staff_only)
        if names:
            found[place] = names
    return found


def staff_lines(registry: Registry, places: Sequence[Place], day: date, settings: StaffSettings) -> list[str]:
    """Return what the registry says on a day that decides who is staff; empty where nothing does."""
    if not settings.schedule and not any(camera.staff_only for camera in registry.cameras):
        return []
    here = [place for place in places if place.day == day]
    lines = [f"staff={place.location_id}:{','.join(names)}" for place, names in staff_cameras(registry, here).items()]
    if settings.schedule:
        lines += [f"zone={place.location_id}:{_zone(registry, place.location_id, day)}" for place in here]
    return sorted(lines)


def stills_at_staff_cameras(platform: Platform, places: Iterable[Place], registry: Registry) -> pa.Table:
    """Return (local_visitor_id, stills): on how many stills of staff-only cameras each was seen; 0 is left out."""
    tables = []
    for place, names in staff_cameras(registry, places).items():
        manifest = platform.manifest("local_visitors", place)
        rows = platform.partitions.read_table(manifest, "local_visitors", LOCAL_VISITORS)
        there = pc.and_(pc.is_in(rows["camera_id"], pa.array(names)), pc.is_valid(rows["local_visitor_id"]))
        tables.append(pa.table({"local_visitor_id": _plain(rows.filter(there)["local_visitor_id"])}))
    if not tables:
        return pa.table({"local_visitor_id": pa.array([], pa.binary(16)), "stills": pa.array([], pa.int64())})
    counted = pa.concat_tables(tables).group_by("local_visitor_id").aggregate([([], "count_all")])
    return counted.rename_columns(["local_visitor_id", "stills"])


def with_exclusions(
    identities: pa.Table,
    templates: pa.Table,
    *,
    by_event: Collection[UUID],
    staff_stills: pa.Table,
    registry: Registry,
    settings: StaffSettings,
) -> pa.Table:
    """Return `identities` with `excluded_reason`: the same in every row of an identity.

    Args:
        identities: the map of a day.
        templates: rows of the templates table of its local visitors, in any order.
        by_event: local visitors whose identity an event excludes.
        staff_stills: as `stills_at_staff_cameras` returns.
        registry: for the time zones of a schedule.
        settings: the rules.
    """
    person, people = _people(identities)
    reason = np.full(people, -1, dtype=np.int64)
    reasons = list(ExclusionReason)

    def exclude(mask: NDArray[np.bool_], why: ExclusionReason) -> None:
        reason[mask & (reason < 0)] = reasons.index(why)

    local = _plain(identities["local_visitor_id"])
    named = pc.is_in(local, pa.array([each.bytes for each in by_event], pa.binary(16)))
    exclude(np.bincount(person, weights=_numbers(named), minlength=people) > 0, ExclusionReason.EVENT)
    at = _numbers(pc.index_in(staff_stills["local_visitor_id"], local))
    known = at >= 0
    stills = staff_stills["stills"].to_numpy()[known]
    exclude(
        by_staff_camera(person[at[known]], stills, people, min_stills=settings.camera_min_stills),
        ExclusionReason.STAFF_CAMERA,
    )
    if settings.dwell_min_hours is not None or settings.schedule:
        seen, locations, days = _attendance(identities, person, templates, settings)
        if settings.dwell_min_hours is not None:
            staff = by_dwell(seen, people, min_hours=settings.dwell_min_hours, min_days=settings.dwell_min_days)
            exclude(staff, ExclusionReason.STAFF_DWELL)
        if settings.schedule:
            starts, ends = _shifts(seen, locations, days, registry, settings.schedule)
            staff = by_schedule(
                seen,
                starts,
                ends,
                people,
                tolerance_s=60 * settings.schedule_tolerance_min,
                min_days=settings.schedule_min_days,
            )
            exclude(staff, ExclusionReason.STAFF_SCHEDULE)
    chosen = reason[person]
    texts = pa.array([str(each) for each in reasons], pa.string())
    column = texts.take(pa.array(chosen, mask=chosen < 0))
    field = IDENTITIES.get_field_index("excluded_reason")
    return identities.set_column(field, IDENTITIES.field(field), column)


def _people(identities: pa.Table) -> tuple[Labels, int]:
    encoded = pc.dictionary_encode(_plain(identities["face_id"]))
    return np.asarray(encoded.indices.to_numpy(), dtype=np.int64), len(encoded.dictionary)


def _attendance(
    identities: pa.Table, person: Labels, templates: pa.Table, settings: StaffSettings
) -> tuple[Attendance, list[str], list[date]]:
    """Return the attendance with the names behind its numbers of places and days."""
    row = _numbers(pc.index_in(_plain(templates["local_visitor_id"]), _plain(identities["local_visitor_id"])))
    stays = pc.list_value_length(templates["stay_starts"]).to_numpy()
    place = pc.dictionary_encode(templates["location_id"].combine_chunks())
    day = pc.dictionary_encode(templates["day"].combine_chunks())
    each = np.repeat(np.arange(templates.num_rows), stays)
    each_known = row[each] >= 0
    each = each[each_known]
    seen = attendance(
        person[row[each]],
        place.indices.to_numpy().astype(np.int64)[each],
        day.indices.to_numpy().astype(np.int64)[each],
        microseconds(pc.list_flatten(templates["stay_starts"]))[each_known],
        microseconds(pc.list_flatten(templates["stay_ends"]))[each_known],
        visit_gap_s=settings.visit_gap_s,
    )
    return seen, place.dictionary.to_pylist(), day.dictionary.to_pylist()


def _shifts(
    seen: Attendance, locations: Sequence[str], days: Sequence[date], registry: Registry, schedule: Sequence[Shift]
) -> tuple[Labels, Labels]:
    """Return (m, k) starts and ends of the shifts at each row's location and day, -1 where a shift does not hold."""
    places = np.stack([seen.place, seen.day], axis=1)
    distinct, row = np.unique(places, axis=0, return_inverse=True)
    bounds = np.full((len(distinct), len(schedule), 2), -1, dtype=np.int64)
    for number, (place, when) in enumerate(distinct.tolist()):
        location, day = locations[place], days[when]
        zone = ZoneInfo(_zone(registry, location, day))
        for column, shift in enumerate(schedule):
            if shift.location_id in (None, location) and day.weekday() in shift.weekdays:
                moments = (datetime.combine(day, clock, zone) for clock in (shift.starts, shift.ends))
                bounds[number, column] = [(moment - _EPOCH) // timedelta(microseconds=1) for moment in moments]
    return bounds[row, :, 0], bounds[row, :, 1]


def _zone(registry: Registry, location_id: str, day: date) -> str:
    versions = [each for each in registry.locations if each.location_id == location_id]
    held = registry.location(location_id, day) or next(iter(versions), None)
    return held.timezone if held else "UTC"


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Return a column of UUIDs as 16 bytes each."""
    whole = column.combine_chunks()
    return whole.storage if isinstance(whole, pa.ExtensionArray) else whole


def _numbers(values: pa.Array) -> Labels:
    """Return booleans or positions as integers, -1 where there is none."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return np.asarray(pc.fill_null(whole.cast(pa.int64()), -1).to_numpy(zero_copy_only=False), dtype=np.int64)
