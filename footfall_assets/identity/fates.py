"""What became of the correction events: in the newest map of each window, and in the metadata of a map."""

from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from footfall_assets.contracts.events import EventKind, undone
from footfall_assets.contracts.schemas import CORRECTIONS, IDENTITIES, PROVISIONAL, STRANGERS
from footfall_assets.identity.corrections import APPLIED, IMPOSSIBLE, SUPERSEDED, UNMATCHED
from footfall_assets.identity.visitor_numbers import newest_identities
from footfall_assets.identity.visitors import plain_ids
from footfall_assets.platform import Platform
from footfall_assets.storage.partitions import PartitionManifest, PartitionPlace

UNDONE: Final = "undone"
RECORDED: Final = "recorded"  # an undo: it acts on another event, not on a map
WAITING: Final = "waiting"  # not in the map yet; footfall run


def event_rows(platform: Platform) -> list[dict[str, Any]]:
    """Return every event with its status: undone, recorded, waiting for a run, or what the newest map says of it."""
    events = platform.events.events()
    gone = undone(events)
    fates = {
        fate["sequence"]: fate
        for manifest in newest_identities(platform).values()
        for fate in platform.partitions.read_table(manifest, "corrections", CORRECTIONS).to_pylist()
    }
    rows = []
    for event in events:
        fate = fates.get(event.sequence) if event.sequence not in gone else None
        status = fate["status"] if fate else WAITING
        if event.sequence in gone:
            status = UNDONE
        elif event.kind is EventKind.UNDO:
            status = RECORDED
        rows.append(
            {
                "sequence": event.sequence,
                "kind": str(event.kind),
                "created_at": event.created_at.isoformat(),
                "author": event.author,
                "reason": event.reason,
                "linkage_window": event.linkage_window,
                "visitors": list(event.visitors),
                "undoes": event.undoes,
                "status": status,
                "anchors": fate["anchors"] if fate else None,
                "matched": fate["matched"] if fate else None,
                "sha256": event.digest,
            }
        )
    return rows


def summary(platform: Platform, manifest: PartitionManifest | None) -> dict[str, int | float]:
    """Return what a map says of itself, for the metadata of its materialisation."""
    rows = platform.partitions.read_table(manifest, "identities", IDENTITIES)
    fates = platform.partitions.read_table(manifest, "corrections", CORRECTIONS).to_pylist()
    strangers = platform.partitions.read_table(manifest, "strangers", STRANGERS)
    person = pc.dictionary_encode(plain_ids(rows["face_id"]))
    number = person.indices.to_numpy()
    size = np.bincount(number, minlength=len(person.dictionary))
    shared = rows["match_score"].to_numpy()[size[number] > 1]
    excluded = rows.filter(pc.is_valid(rows["excluded_reason"]))
    return {
        "identities": len(size),
        "largest_identity": int(size.max(initial=0)),
        "weakest_link": round(float(shared.min(initial=1.0)), 4),  # lowest cosine to a template shared with others
        "excluded_identities": len(pc.unique(plain_ids(excluded["face_id"]))),
        "stranger_pairs": sum(strangers["pairs"].to_pylist()),
        "stranger_matches": sum(strangers["matches"].to_pylist()),
        "corrections_unmatched": sum(fate["status"] == UNMATCHED for fate in fates),
        "corrections_overruled": sum(fate["status"] in (SUPERSEDED, IMPOSSIBLE) for fate in fates),
        **{
            f"{kind}s_applied": sum((fate["kind"], fate["status"]) == (kind, APPLIED) for fate in fates)
            for kind in (EventKind.MERGE, EventKind.SPLIT, EventKind.EXCLUDE)
        },
    }


def provisional_note(platform: Platform, place: PartitionPlace) -> dict[str, str | float]:
    """Return whether a map is provisional, since which sealed day, and on how many visitors, for the metadata."""
    manifest = platform.partitions.manifest(place)
    rows = platform.partitions.read_table(manifest, "provisional", PROVISIONAL).to_pylist()
    if not rows:
        return {"provisional": False}
    return {
        "provisional": True,
        "sealed_day": rows[0]["sealed_day"].isoformat(),
        "local_visitors_since_seal": rows[0]["local_visitors"],
        "joined_sealed_identities": rows[0]["attached"],
        "splits_waiting_for_seal": rows[0]["splits_waiting"],
    }
