"""Filling the crop reserve of a day: the local visitors that the keyed hash selects, and their nearest others."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

import numpy as np

from footfall_assets.audit.period import good_faces, today_of
from footfall_assets.contracts.ids import digest_of
from footfall_assets.contracts.schemas import local_visitor_templates
from footfall_assets.domain.calendar import linkage_window
from footfall_assets.platform import Outcome, Place, Platform
from footfall_assets.storage.arrow import matrix
from footfall_assets.storage.audit_crops import crops_of
from footfall_assets.storage.crop_reserve import CropReserve, open_reserve


def refresh_crop_reserve(platform: Platform, day: date, *, now: datetime) -> Outcome:
    """Bring the reserve of a day up to date and purge the days that are over; the same input gives the same bytes.

    Kept are the crops of the local visitors that the hash selects, and of those of this day that are among the nearest
    of one selected on this day or before. With the reserve switched off nothing is written and everything is purged.
    """
    today = today_of(platform, now)
    reserve = open_reserve(platform.settings, platform.lake, today)
    opted_in = platform.settings.audit.crop_reserve
    purged = reserve.purge(everything=not opted_in)
    outcome = Outcome(version=platform.versions.local_visitors)
    outcome.left_out["reserve_days_purged"] += len(purged)
    if not opted_in or not reserve.keeps(day):
        return outcome
    names = []
    for place, visitors in _chosen(platform, reserve, day):
        faces = good_faces(platform, place)
        source = platform.place_of("faces", place)
        for visitor in visitors:
            crops = crops_of(platform.partitions, source, faces.get(visitor, ()))
            if crops:
                changed = reserve.put(day, visitor, crops)
                outcome.parts_computed += changed
                outcome.parts_reused += not changed
                names.append(str(visitor))
    outcome.rows = len(names)
    outcome.content_hash = digest_of(*sorted(names))
    return outcome


def _chosen(platform: Platform, reserve: CropReserve, day: date) -> Iterable[tuple[Place, list[UUID]]]:
    """Return the local visitors of a day to keep, by place."""
    audit = platform.settings.audit
    schema = local_visitor_templates(platform.embedding_dim)
    first = max(day - timedelta(days=audit.reserve_days - 1), linkage_window(day).first_day)
    there = platform.partitions.places("local_visitors", platform.versions.local_visitors)
    places = [Place(each.day, each.location_id) for each in there if each.location_id and first <= each.day <= day]
    ids: list[UUID] = []
    vectors, homes = [], []
    for place in places:
        table = platform.partitions.read_table(platform.manifest("local_visitors", place), "templates", schema)
        ids += table["local_visitor_id"].to_pylist()
        vectors.append(matrix(table["vector"]))
        homes += [place] * table.num_rows
    if not ids:
        return []
    matrix_of_all = np.concatenate(vectors)
    selected = np.array([reserve.selects(each, audit.reserve_share) for each in ids], dtype=np.bool_)
    of_the_day = np.array([home.day == day for home in homes], dtype=np.bool_)
    kept = set(np.flatnonzero(selected & of_the_day).tolist())
    here = np.flatnonzero(of_the_day)
    for row in np.flatnonzero(selected).tolist():
        cosines = matrix_of_all[here] @ matrix_of_all[row]
        cosines[here == row] = -np.inf
        kept |= set(here[np.argsort(-cosines, kind="stable")[: audit.reserve_candidates]].tolist())
    by_place: dict[Place, list[UUID]] = {}
    for row in sorted(kept, key=lambda each: ids[each]):
        by_place.setdefault(homes[row], []).append(ids[row])
    return sorted(by_place.items())
