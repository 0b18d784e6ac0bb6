"""What a provisional day links: the sealed identities as they are, one row each, and everybody seen since the seal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from footfall_assets.domain.agglomeration import Floats, Grid, Labels, Pairs
from footfall_assets.domain.id_words import Words, numbered, rows_of
from footfall_assets.domain.linkage import ApartPairs, connected_components, link
from footfall_assets.domain.row_groups import Groups
from footfall_assets.domain.strangers import Strangers
from footfall_assets.identity.corrections import Corrections
from footfall_assets.identity.gallery_index import GalleryIndex, SealedGallery
from footfall_assets.identity.window import Impossible, WindowVisitors, impossible
from footfall_assets.storage.arrow import uuid_words


@dataclass(frozen=True)
class SealedMap:
    """What a provisional day starts from.

    Attributes:
        day: the sealed day.
        identities: its rows of `identities`, sorted by local visitor.
        strangers: how often strangers matched.
    """

    day: date
    identities: pa.Table
    strangers: Strangers


@dataclass(frozen=True)
class _Held:
    """Who is never one: whom the evidence or a correction keeps apart, and any two sealed identities.

    Attributes:
        is_sealed: (n,) whether a sealed identity is in each row.
        evidence: whom stays, stills and corrections keep apart.
    """

    is_sealed: NDArray[np.bool_]
    evidence: Impossible

    def __call__(self, rows: Labels) -> Pairs:
        """Return the (m, 2) pairs of positions among distinct `rows` that are never one."""
        left, right = np.triu_indices(len(rows), 1)
        chosen = self.between(rows[left], rows[right])
        return np.stack([left[chosen], right[chosen]], axis=1)

    def between(self, left: Labels, right: Labels) -> NDArray[np.bool_]:
        """Return whether the rows `left` (k,) and `right` (k,) are never one, pair by pair."""
        return (self.is_sealed[left] & self.is_sealed[right]) | self.evidence.between(left, right)

    def between_groups(self, groups: Groups, left: Labels, right: Labels) -> NDArray[np.bool_]:
        """Return whether groups `left` (k,) and `right` (k,) hold rows that are never one."""
        held = np.bincount(groups.label, weights=self.is_sealed[groups.rows], minlength=len(groups.rows)) > 0
        return (held[left] & held[right]) | self.evidence.between_groups(groups, left, right)


@dataclass(frozen=True)
class Items:
    """What is linked: sealed identities that somebody may join, then the local visitors since the seal.

    Attributes:
        sealed: the sealed day.
        local: (s, 2) its local visitors.
        number: (s,) of the identity of each, in the gallery.
        gallery: all its identities.
        used: (u,) numbers of those that are items, rising.
        fresh: the n local visitors since, items u and on.
        joins: (m, 2) items: identity, and local visitor within the largest distance of it.
    """

    sealed: SealedMap
    local: Words
    number: Labels
    gallery: SealedGallery
    used: Labels
    fresh: WindowVisitors
    joins: Pairs

    @classmethod
    def of(
        cls, sealed: SealedMap, index: GalleryIndex, fresh: WindowVisitors, found: Pairs, corrections: Corrections
    ) -> "Items":
        """Return the items: identities that were `found` (fresh, identity) or that a correction names."""
        local = uuid_words(sealed.identities["local_visitor_id"])
        number = numbered(uuid_words(sealed.identities["face_id"]))[1]
        named = rows_of(_words([*corrections.together, *corrections.apart]).reshape(-1, 2), local)
        used = np.unique(np.concatenate([found[:, 1], number[named[named >= 0]]]))
        joins = np.stack([np.searchsorted(used, found[:, 1]), len(used) + found[:, 0]], axis=1)
        return cls(sealed, local, number, index.gallery, used, fresh, joins)

    @property
    def count(self) -> int:
        """How many items there are."""
        return len(self.used) + len(self.fresh.grid)

    def sealed_rows(self, pairs: Sequence[tuple[UUID, UUID]]) -> Pairs:
        """Return (m, 2) the number of the sealed identity of each id, -1 where it is not of the sealed day."""
        row = rows_of(_words(pairs).reshape(-1, 2), self.local)
        number = np.full(len(row), -1, dtype=np.int64)
        number[row >= 0] = self.number[row[row >= 0]]
        return number.reshape(-1, 2)

    def _item_pairs(self, pairs: Sequence[tuple[UUID, UUID]]) -> Pairs:
        """Return the (m, 2) different items that pairs of local visitors are; pairs of unknown ones are left out."""
        old = self.sealed_rows(pairs)
        new = rows_of(_words(pairs).reshape(-1, 2), self.fresh.local).reshape(-1, 2)
        item = np.where(old >= 0, np.searchsorted(self.used, old), np.where(new >= 0, len(self.used) + new, -1))
        chosen = (item >= 0).all(axis=1) & (item[:, 0] != item[:, 1])
        return np.asarray(item[chosen], dtype=np.int64)

    def clusters(self, overlapping: pa.Table, corrections: Corrections, max_distance: float) -> Labels:
        """Return the (items,) clusters of average linkage over groups of items that are one by correction."""
        group = connected_components(self.count, self._item_pairs(corrections.together))
        groups = int(group.max(initial=-1)) + 1
        is_sealed = np.zeros(groups, dtype=np.bool_)
        is_sealed[group[: len(self.used)]] = True
        splits = group[self._item_pairs(corrections.apart)]
        apart = _Held(is_sealed, self._evidence(overlapping, group, groups, splits))
        near = group[np.concatenate([self.joins, self.fresh.near + len(self.used)])]
        mean, weight = self._means(group, groups)
        return link(mean, weight, near[near[:, 0] != near[:, 1]], apart, max_distance)[group]

    def _evidence(self, overlapping: pa.Table, group: Labels, groups: int, splits: Pairs) -> Impossible:
        """Return which groups cannot be one: a sealed identity is wherever its members of the last days were."""
        row = rows_of(uuid_words(overlapping["local_visitor_id"]), self.local)
        position = np.full(len(self.gallery.face), -1, dtype=np.int64)
        position[self.used] = np.arange(len(self.used))
        known = np.flatnonzero(row >= 0)
        item = position[self.number[row[known]]]
        known, item = known[item >= 0], item[item >= 0]
        columns = self.fresh.rows.column_names
        rows = pa.concat_tables([overlapping.select(columns).take(pa.array(known)), self.fresh.rows.select(columns)])
        person = group[np.concatenate([item, len(self.used) + np.arange(len(self.fresh.grid))])]
        order = np.argsort(person, kind="stable")
        rows = rows.take(pa.array(order)).combine_chunks()
        found = impossible(rows, uuid_words(rows["local_visitor_id"]), person[order], groups)
        pairs = np.concatenate([found.in_one_still.pairs, splits])
        return Impossible(ApartPairs(groups, pairs), found.presence)

    def _means(self, group: Labels, groups: int) -> tuple[Grid, Floats]:
        """Return the mean vector and the local visitors of each group."""
        mean = np.concatenate([self.gallery.mean[self.used], self.fresh.grid])
        weight = np.concatenate([self.gallery.size[self.used], np.ones(len(self.fresh.grid), np.int64)])
        if groups == self.count:
            return mean, weight.astype(np.float32)
        first = np.unique(group, return_index=True)[1]
        of_groups, sums = mean[first], np.bincount(group, weights=weight, minlength=groups)
        for several in np.flatnonzero(np.bincount(group, minlength=groups) > 1):
            members = np.flatnonzero(group == several)
            of_groups[several] = np.rint(np.average(mean[members], axis=0, weights=weight[members]))
        return of_groups, sums.astype(np.float32)


def _words(pairs: Sequence[tuple[UUID, UUID]]) -> Words:
    """Return the ids of pairs, one after the other: (2 m, 2)."""
    return uuid_words(pa.array([each.bytes for pair in pairs for each in pair], pa.binary(16)))
