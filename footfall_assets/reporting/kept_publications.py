"""Which publications are kept, and the one that a person means by the first digits of its id."""

import re
from collections.abc import Iterable
from datetime import UTC
from typing import Final

import duckdb

from footfall_assets.contracts.errors import CorruptObject, NoData, UserMistake
from footfall_assets.contracts.publication import PUBLICATIONS_PREFIX, Publication
from footfall_assets.reporting.publication import current_publication, fetch_rows, read_publication
from footfall_assets.storage.lake import LakeStore, ObjectMissing

CURRENT: Final = "current"  # how people call the publication that reports are made from
_MANIFEST: Final = re.compile(rf"{PUBLICATIONS_PREFIX}/([0-9a-f]{{64}})\.json")
_DIGITS: Final = re.compile(r"[0-9a-f]{4,64}")  # fewer would soon mean several
_SHORT_ID: Final = 12  # digits that people read
_NAMED_IN_MESSAGES: Final = 10
_VISIT_GAP_SQL: Final = "select visit_gap_s from publication_header"


def kept_publications(lake: LakeStore) -> list[Publication]:
    """Return the publications that are kept, newest first."""
    found = [read_publication(lake, publication_id) for publication_id in kept_ids(lake)]
    return sorted(found, key=lambda each: (each.published_at, each.publication_id), reverse=True)


def readable_publications(lake: LakeStore) -> list[Publication]:
    """Return the publications that are kept and whose manifest is what the publisher writes, newest first."""
    found = []
    for publication_id in kept_ids(lake):
        try:
            found.append(read_publication(lake, publication_id))
        except (CorruptObject, ObjectMissing):  # the second: removed between the list and the reading
            continue
    return sorted(found, key=lambda each: (each.published_at, each.publication_id), reverse=True)


def last_of_their_days(publications: Iterable[Publication]) -> frozenset[str]:
    """Return the ids of the publications that were the last of their UTC day: these are kept for good."""
    oldest_first = sorted(publications, key=lambda each: (each.published_at, each.publication_id))
    return frozenset({each.published_at.astimezone(UTC).date(): each.publication_id for each in oldest_first}.values())


def find_publication(lake: LakeStore, name: str) -> Publication:
    """Return the publication called `name`: `current`, or the first digits of its id.

    Raises:
        NoData: nothing is published yet.
        UserMistake: no publication that is kept begins so, or several do.
        CorruptObject: its manifest is not what the publisher writes.
    """
    if name == CURRENT:
        return current_publication(lake)
    kept = kept_ids(lake)
    if not kept:
        raise NoData("nothing is published yet, expected a publication; run: footfall run")
    if not _DIGITS.fullmatch(name):
        raise UserMistake(
            f"expected {CURRENT!r} or 4 to 64 digits of a publication id, got {name[:80]!r}; {_known(kept)}"
        )
    meant = [publication_id for publication_id in kept if publication_id.startswith(name)]
    if len(meant) != 1:
        raise UserMistake(f"expected one publication that begins with {name!r}, found {len(meant)}; {_known(kept)}")
    return read_publication(lake, meant[0])


def counted_with(connection: duckdb.DuckDBPyConnection) -> int:
    """Return the pause in seconds after which a visit had ended when the publication was made: its reports keep it."""
    ((visit_gap_s,),) = fetch_rows(connection, _VISIT_GAP_SQL, {})
    return int(visit_gap_s)


def kept_ids(lake: LakeStore) -> list[str]:
    """Return the ids of all publications that have a manifest, readable or not."""
    matches = (_MANIFEST.fullmatch(key) for key in lake.list_keys(PUBLICATIONS_PREFIX))
    return [match[1] for match in matches if match]


def _known(kept: list[str]) -> str:
    shown = ", ".join(publication_id[:_SHORT_ID] for publication_id in kept[:_NAMED_IN_MESSAGES])
    more = len(kept) - _NAMED_IN_MESSAGES
    return f"kept: {shown}" + (f" and {more} more" if more > 0 else "")
