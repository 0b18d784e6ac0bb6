"""The `identities` asset: all local visitors of the linkage window so far, linked together, with names that stay."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from footfall_assets.contracts.ids import minted_face_id
from footfall_assets.contracts.schemas import IDENTITIES
from footfall_assets.contracts.settings import LinkageSettings
from footfall_assets.domain.calendar import linkage_window
from footfall_assets.domain.linkage import Apart, Floats, Labels, Pairs, apart_by_pairs, link
from footfall_assets.domain.local_visitors import weighted_templates
from footfall_assets.domain.naming import NamedIdentity, carry_over
from footfall_assets.domain.presence import Presence, at_two_places
from footfall_assets.identity.neighbours import near_pairs
from footfall_assets.storage.arrow import codes, matrix, microseconds, uuid_column, uuid_lists


def resolve(templates: pa.Table, previous: pa.Table, day: date, linkage: LinkageSettings) -> pa.Table:
    """Return the identity of every local visitor from the start of the window to `day`, sorted by local visitor.

    The grouping is a function of `templates` alone, whatever their order; `previous` only supplies the names.

    Args:
        templates: rows of the templates table of `local_visitors`, all days and locations of the window up to `day`.
        previous: `identities` of the day before in the same window; empty on its first day.
        day: the newest day.
        linkage: when two local visitors are one person.
    """
    ids = templates["local_visitor_id"].to_pylist()
    order = sorted(range(len(ids)), key=lambda row: ids[row])
    templates = templates.take(pa.array(order, pa.int64()))
    ids = [ids[row] for row in order]
    vectors = matrix(templates["vector"])
    near = near_pairs(vectors, linkage.window_max_distance, linkage)
    alike = np.ones(len(vectors), np.float32)
    labels = link(vectors, alike, near, _impossible(templates), linkage.window_max_distance)
    window = linkage_window(day).label
    names = carry_over(
        _members(ids, labels),
        dict(zip(previous["local_visitor_id"].to_pylist(), previous["face_id"].to_pylist(), strict=True)),
        lambda founder: minted_face_id(window, day, founder),
    )
    minted_on = dict(zip(previous["face_id"].to_pylist(), previous["minted_on"].to_pylist(), strict=True))
    return _table(templates, ids, vectors, labels, names, minted_on, day)


def _members(ids: Sequence[UUID], labels: Labels) -> list[list[UUID]]:
    members: list[list[UUID]] = [[] for _ in range(int(labels.max(initial=-1)) + 1)]
    for each, label in zip(ids, labels.tolist(), strict=True):
        members[label].append(each)
    return members


def _impossible(templates: pa.Table) -> Apart:
    """Return which local visitors cannot be one person: seen in one still, or at two locations at once."""
    at = {each.bytes: row for row, each in enumerate(templates["local_visitor_id"].to_pylist())}
    shared = [
        (row, at[other])
        for row, others in enumerate(templates["conflicts"].to_pylist())
        for other in others
        if other in at and row < at[other]
    ]
    in_one_still = apart_by_pairs(len(at), np.array(shared, dtype=np.int64).reshape(-1, 2))
    presence = _presence(templates)

    def among(rows: Labels) -> Pairs:
        return np.concatenate([in_one_still(rows), at_two_places(presence, rows)])

    return among


def _presence(templates: pa.Table) -> Presence:
    stays = [len(each) for each in templates["stay_starts"].to_pylist()]
    person = np.repeat(np.arange(len(stays)), stays)
    return Presence(
        person=person,
        place=codes(templates["location_id"].to_pylist())[person],
        start_us=microseconds(pc.list_flatten(templates["stay_starts"])),
        end_us=microseconds(pc.list_flatten(templates["stay_ends"])),
    )


def _table(
    templates: pa.Table,
    ids: Sequence[UUID],
    vectors: Floats,
    labels: Labels,
    names: Sequence[NamedIdentity],
    minted_on: Mapping[UUID, date],
    day: date,
) -> pa.Table:
    count = int(labels.max(initial=-1)) + 1
    centre = weighted_templates(vectors, np.ones(len(vectors), np.float32), labels, count)
    identity_of = {member: identity for identity in names for member in identity.members}
    found = [identity_of[each] for each in ids]
    return pa.Table.from_arrays(
        [
            templates["local_visitor_id"],
            uuid_column([each.face_id for each in found]),
            templates["location_id"],
            templates["day"],
            pa.array(np.einsum("ij,ij->i", vectors, centre[labels]), pa.float32()),
            pa.array([day if each.minted else minted_on[each.face_id] for each in found], pa.date32()),
            uuid_lists([each.merged_from for each in found]),
            uuid_column([each.split_from for each in found]),
        ],
        schema=IDENTITIES,
    )
