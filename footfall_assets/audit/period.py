"""What an audit looks at: the local visitors of a period, who they were taken for, and the faces that show them."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

import numpy as np
import pyarrow as pa

from footfall_assets.contracts.audit import current_day
from footfall_assets.contracts.errors import NoData
from footfall_assets.contracts.schemas import FACES, IDENTITIES, LOCAL_VISITORS, local_visitor_templates
from footfall_assets.domain.agglomeration import Floats, Labels
from footfall_assets.domain.calendar import days_between, linkage_window
from footfall_assets.identity.local_visitors import gate_reasons
from footfall_assets.identity.visitor_numbers import newest_identities
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.arrow import matrix

_MOST_FACES: Final = 8  # shown a side


@dataclass(frozen=True)
class AuditedPeriod:
    """The local visitors of a period, sorted by id, and the identities they were given.

    Attributes:
        templates: rows of the templates table.
        vectors: (n, d) unit vectors.
        members: rows of each identity; those that leave all counts are left out.
        content_hash: of the map of identities.
    """

    templates: pa.Table
    vectors: Floats
    members: list[Labels]
    content_hash: str


def today_of(platform: Platform, now: datetime) -> date:
    """Return the day that counts as today for the reserve and for crops of the day."""
    places = platform.partitions.places("local_visitors", platform.versions.local_visitors)
    newest = max((place.day for place in places), default=now.date())
    return current_day(newest, now, environment=platform.settings.environment)


def read_period(platform: Platform, first_day: date, last_day: date) -> AuditedPeriod:
    """Return who was seen in a period, in the newest map of its linkage window.

    Raises:
        NoData: nobody was.
    """
    found = newest_identities(platform).get(linkage_window(last_day))
    rows = platform.partitions.read_table(found, "identities", IDENTITIES).to_pylist()
    given = {
        row["local_visitor_id"]: row["face_id"]
        for row in rows
        if first_day <= row["day"] <= last_day and row["excluded_reason"] is None
    }
    if found is None or not given:
        raise NoData(f"no visitors from {first_day} to {last_day}; run: footfall run")
    templates = read_templates(platform, first_day, last_day)
    ids = templates["local_visitor_id"].to_pylist()
    order = sorted((row for row, each in enumerate(ids) if each in given), key=lambda row: ids[row])
    templates = templates.take(pa.array(order, pa.int64()))
    members: dict[UUID, list[int]] = defaultdict(list)
    for row, each in enumerate(templates["local_visitor_id"].to_pylist()):
        members[given[each]].append(row)
    groups = [np.array(each, dtype=np.int64) for each in sorted(members.values())]
    return AuditedPeriod(templates, matrix(templates["vector"]), groups, found.content_hash)


def read_templates(platform: Platform, first_day: date, last_day: date) -> pa.Table:
    """Return the templates of the local visitors of all locations and some days."""
    schema = local_visitor_templates(platform.embedding_dim)
    days = set(days_between(first_day, last_day))
    places = platform.partitions.places("local_visitors", platform.versions.local_visitors)
    manifests = [platform.partitions.manifest(place) for place in places if place.day in days]
    tables = [platform.partitions.read_table(each, "templates", schema) for each in manifests]
    return pa.concat_tables([schema.empty_table(), *tables])


def good_faces(platform: Platform, place: Place) -> dict[UUID, tuple[UUID, ...]]:
    """Return for each local visitor of a place the faces to show: those that may found an identity, best first.

    Where retention has removed the faces it is those that match the visitor best.
    """
    store = platform.partitions
    given = store.read_table(platform.manifest("local_visitors", place), "local_visitors", LOCAL_VISITORS)
    score = dict(zip(given["face_image_id"].to_pylist(), given["match_score"].to_pylist(), strict=True))
    faces = store.read_table(platform.manifest("faces", place), "faces", FACES).drop_columns(["crop"])
    names, quality = faces["face_image_id"].to_pylist(), faces["quality"].to_pylist()
    reasons = gate_reasons(faces, platform.settings.quality)
    good = {name: worth for name, worth, reason in zip(names, quality, reasons, strict=True) if reason is None}
    of: dict[UUID, list[UUID]] = defaultdict(list)
    for face, visitor in zip(score, given["local_visitor_id"].to_pylist(), strict=True):
        if visitor is not None:
            of[visitor].append(face)
    shown = {}
    for visitor, several in of.items():
        best = [face for face in several if face in good] or several
        worth = {face: (good.get(face, 0.0), score[face] or 0.0) for face in best}
        shown[visitor] = tuple(sorted(best, key=lambda face: (*(-each for each in worth[face]), face)))[:_MOST_FACES]
    return shown
