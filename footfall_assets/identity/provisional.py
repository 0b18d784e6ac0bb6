"""The identities of a provisional day: those of the last sealed day, with everybody seen since then linked to them.

It is the linkage of the window with the sealed identities held as they are: each enters as one row with the mean and
the number of its members, no two of them ever merge, and average linkage does the rest. A local visitor joins whoever
is nearest within the threshold, a sealed identity or others seen since the seal, under the same cannot-links.

The result is a function of the sealed day, of the local visitors since then and of the corrections, and of no
provisional day: what one got wrong the next day sees afresh, and the next seal solves again from the vectors alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from footfall_assets.contracts.ids import minted_face_id
from footfall_assets.contracts.schemas import IDENTITIES, PROVISIONAL
from footfall_assets.contracts.settings import LinkageSettings, ProvisionalSettings
from footfall_assets.domain.agglomeration import Floats, Labels
from footfall_assets.domain.calendar import linkage_window
from footfall_assets.domain.id_words import Words, id_order
from footfall_assets.domain.strangers import Strangers
from footfall_assets.identity.corrections import NO_CORRECTIONS, Corrections
from footfall_assets.identity.gallery_index import GalleryIndex
from footfall_assets.identity.provisional_items import Items, SealedMap
from footfall_assets.identity.strangers import certain_strangers
from footfall_assets.identity.window import WindowVisitors
from footfall_assets.storage.arrow import words_column, words_lists

__all__ = ["OVERLAPPING_DAYS", "ProvisionalMap", "SealedMap", "solve_provisional"]

# A business day is local: at the far ends of the date line the day before yesterday overlaps with today.
OVERLAPPING_DAYS: Final = 2
_EPOCH: Final = date(1970, 1, 1)
_BLOCK_ROWS: Final = 65_536  # rows whose vectors are held as float64 at a time: 64 MB at 128 dimensions


@dataclass(frozen=True)
class ProvisionalMap:
    """The tables of a provisional day's partition; nobody is excluded yet.

    There is no `cuts`: without the vectors of the sealed identities' members their clusters below the threshold cannot
    be followed, and a total from what can be is off by more than its interval (docs/adr/0007).
    """

    identities: pa.Table
    strangers: Strangers
    provisional: pa.Table


def solve_provisional(
    sealed: SealedMap,
    gallery: GalleryIndex,
    since: Iterable[pa.Table],
    day: date,
    *,
    linkage: LinkageSettings,
    settings: ProvisionalSettings,
    overlapping: pa.Table,
    corrections: Corrections = NO_CORRECTIONS,
) -> ProvisionalMap:
    """Return the map of a provisional day; the order of rows and tables does not matter.

    Args:
        sealed: the last sealed day before it.
        gallery: the identities of that day.
        since: templates of all local visitors after the sealed day, up to `day`.
        day: the provisional day.
        linkage: when two local visitors are one person.
        settings: how many sealed identities each is compared with.
        overlapping: templates of the sealed day and of `OVERLAPPING_DAYS` - 1 before it, with or without vectors; more
            of the window do no harm.
        corrections: what people said about the local visitors up to `day`.
    """
    fresh = WindowVisitors.of(since, linkage)
    found = gallery.candidates(fresh.grid, linkage.window_max_distance, settings.candidates)
    items = Items.of(sealed, gallery, fresh, found, corrections)
    cluster = items.clusters(overlapping, corrections, linkage.window_max_distance)
    naming = _Naming.of(items, cluster, day)
    of_new = certain_strangers(fresh, linkage.window_max_distance)
    parted = items.sealed_rows(corrections.apart)
    whole = naming.into[parted[(parted >= 0).all(axis=1)]]
    note = {
        "day": [day],
        "sealed_day": [sealed.day],
        "local_visitors": [len(fresh.grid)],
        "attached": [int((naming.of_fresh < len(items.gallery.face)).sum())],
        "index_used": [gallery.indexed],
        "splits_waiting": [int((whole[:, 0] == whole[:, 1]).sum())],
    }
    return ProvisionalMap(
        identities=_identities(items, naming, _scores(items, cluster)),
        strangers=Strangers(
            sealed.strangers.pairs + of_new.pairs,
            sealed.strangers.matches + of_new.matches,
        ),
        provisional=pa.table(note, schema=PROVISIONAL),
    )


@dataclass(frozen=True)
class _Naming:
    """What everybody is called: numbers of the gallery, and behind them those of new identities.

    Attributes:
        face: (k + new, 2) names.
        minted_on: (k + new,) days since the epoch.
        into: (k,) number of the identity that each sealed one is now: itself unless a correction merged it.
        of_fresh: (n,) number of each local visitor since the seal.
    """

    face: Words
    minted_on: NDArray[np.int32]
    into: Labels
    of_fresh: Labels

    @classmethod
    def of(cls, items: Items, cluster: Labels, day: date) -> "_Naming":
        """Return the names of clusters: the largest sealed identity's, or a new one.

        A new name comes from the first day a cluster was seen on and its smallest id on that day: it is the same on
        every provisional day that sees the same cluster.
        """
        known = len(items.gallery.face)
        into, size = np.arange(known), items.gallery.size[items.used]
        owner = np.full(int(cluster.max(initial=-1)) + 1, -1, dtype=np.int64)
        of_used = cluster[: len(items.used)]
        order = np.lexsort((items.used, -size, of_used))
        first = order[np.diff(of_used[order], prepend=-1) != 0]
        owner[of_used[first]] = items.used[first]
        into[items.used] = owner[of_used]
        of_fresh = cluster[len(items.used) :]
        nameless, founder, new = np.unique(of_fresh, return_index=True, return_inverse=True)
        fresh = np.flatnonzero(owner[nameless] < 0)
        owner[nameless[fresh]] = known + np.arange(len(fresh))
        window, born = linkage_window(day).label, items.fresh.day[founder[fresh]]
        local = np.ascontiguousarray(items.fresh.local[founder[fresh]]).astype(">u8")
        minted = [
            minted_face_id(window, _EPOCH + timedelta(days=when), UUID(bytes=each.tobytes())).bytes
            for when, each in zip(born.tolist(), local, strict=True)
        ]
        since = np.zeros(known, dtype=np.int32)
        since[items.number] = items.sealed.identities["minted_on"].cast(pa.int32()).to_numpy()
        return cls(
            face=np.concatenate([items.gallery.face, np.frombuffer(b"".join(minted), dtype=">u8").reshape(-1, 2)]),
            minted_on=np.concatenate([since, born]).astype(np.int32),
            into=into,
            of_fresh=owner[nameless][new],
        )


def _identities(items: Items, naming: _Naming, scores: Floats) -> pa.Table:
    """Return the rows of `identities`; those of the sealed day keep their score."""
    rows, fresh = items.sealed.identities, items.fresh
    local = np.concatenate([items.local, fresh.local])
    number = np.concatenate([naming.into[items.number], naming.of_fresh])
    order = id_order(local)
    number = number[order]

    def both(column: str, since: pa.Array | pa.ChunkedArray) -> pa.Array:
        kind = IDENTITIES.field(column).type
        chunks = [*rows[column].chunks, *pa.chunked_array([since] if isinstance(since, pa.Array) else since).chunks]
        return pa.chunked_array([each.cast(kind) for each in chunks], kind).combine_chunks().take(pa.array(order))

    lost = np.flatnonzero(naming.into != np.arange(len(naming.into)))
    lost = lost[np.lexsort((lost, naming.into[lost]))]
    sizes = np.bincount(naming.into[lost], minlength=len(naming.face))
    first, each = (np.cumsum(sizes) - sizes)[number], sizes[number]
    place = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
    columns = [
        words_column(local[order]),
        words_column(naming.face[number]),
        both("location_id", fresh.rows["location_id"]),
        both("day", fresh.rows["day"]),
        both("match_score", pa.array(scores, pa.float32())),
        pa.array(naming.minted_on[number], pa.int32()).cast(pa.date32()),
        words_lists(naming.face[lost[np.repeat(first, each) + place]], each),
        words_column(np.zeros((len(order), 2), np.uint64), valid=np.zeros(len(order), np.bool_)),
        pa.nulls(len(order), pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=IDENTITIES)


def _scores(items: Items, cluster: Labels) -> Floats:
    """Return the (n,) cosine of each local visitor since the seal to the mean of its identity's members."""
    of_fresh, of_used = cluster[len(items.used) :], cluster[: len(items.used)]
    score = np.empty(len(of_fresh), dtype=np.float32)
    order, by_cluster = np.argsort(of_fresh, kind="stable"), np.argsort(of_used, kind="stable")
    start = 0
    while start < len(order):
        last = of_fresh[order[min(start + _BLOCK_ROWS, len(order)) - 1]]
        stop = int(np.searchsorted(of_fresh[order], last, side="right"))
        rows = order[start:stop]
        begins = np.flatnonzero(np.diff(of_fresh[rows], prepend=-1))
        vectors = items.fresh.grid[rows].astype(np.float64)
        total = np.add.reduceat(vectors, begins, axis=0)
        here = of_fresh[rows[begins]]
        held = by_cluster[np.isin(of_used[by_cluster], here)]
        sums = items.gallery.mean[items.used[held]] * items.gallery.size[items.used[held], None].astype(np.float64)
        np.add.at(total, np.searchsorted(here, of_used[held]), sums)
        centre = np.repeat(total, np.diff(np.append(begins, len(rows))), axis=0)
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(centre, axis=1)
        score[rows] = np.einsum("ij,ij->i", vectors, centre) / lengths
        start = stop
    return score
