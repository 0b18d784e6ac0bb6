"""How long publications are kept: the last of each day for good, so that its reports can be made again, others a day.

Whoever has a publication open reads on: a file that is removed stays until it is closed.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.publication import PUBLICATIONS_PREFIX, FileKind, Publication, publication_key
from footfall_assets.reporting.kept_publications import kept_publications, last_of_their_days
from footfall_assets.reporting.publication import current_publication
from footfall_assets.storage.lake import LakeStore

KEPT_FOR: Final = timedelta(hours=24)  # of the publications of a day that are not its last


def passed_publications(publications: Iterable[Publication], *, current: str, now: datetime) -> list[Publication]:
    """Return those that need not be kept: older than a day, not the last of their UTC day, and not the current one.

    Args:
        publications: all there are.
        current: id of the one that reports are made from.
        now: timezone-aware.
    """
    oldest_first = sorted(publications, key=lambda each: (each.published_at, each.publication_id))
    kept = {current} | last_of_their_days(oldest_first)
    return [each for each in oldest_first if each.publication_id not in kept and now - each.published_at > KEPT_FOR]


def remove_passed_publications(lake: LakeStore, *, now: datetime) -> tuple[str, ...]:
    """Remove the publications that have passed, with the files no other one shares, and return their ids.

    The caller holds the warehouse's lock. While a manifest cannot be read nothing is removed: its files are unknown.
    """
    try:
        publications = kept_publications(lake)
    except CorruptObject:
        return ()
    passed = passed_publications(publications, current=current_publication(lake).publication_id, now=now)
    gone = {each.publication_id for each in passed}
    for each in passed:
        lake.delete(publication_key(each.publication_id))
    shared = {file.key for each in publications if each.publication_id not in gone for file in each.files.values()}
    prefixes = tuple(f"{PUBLICATIONS_PREFIX}/{kind}-" for kind in FileKind)
    for key in lake.list_keys(PUBLICATIONS_PREFIX):
        if key.startswith(prefixes) and key.endswith(".duckdb") and key not in shared:
            lake.delete(key)
    return tuple(sorted(gone))
