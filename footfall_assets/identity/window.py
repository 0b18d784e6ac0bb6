"""All local visitors of a linkage window, in canonical order, with what links them and what keeps them apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from footfall_assets.contracts.settings import LinkageSettings
from footfall_assets.domain.agglomeration import Grid, Labels, Pairs, on_grid
from footfall_assets.domain.id_words import Words, id_order, rows_of
from footfall_assets.domain.linkage import ApartPairs
from footfall_assets.domain.presence import Presence, at_two_places
from footfall_assets.domain.row_groups import Groups
from footfall_assets.identity.gallery import Search, gallery_pairs
from footfall_assets.storage.arrow import matrix, microseconds, uuid_words

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True)
class Impossible:
    """Which local visitors cannot be one person: seen in one still, or at two locations at once."""

    in_one_still: ApartPairs
    presence: Presence

    def __call__(self, rows: Labels) -> Pairs:
        """Return the (m, 2) pairs of positions among distinct `rows`."""
        return np.concatenate([self.in_one_still(rows), at_two_places(self.presence, rows)])

    def between(self, left: Labels, right: Labels) -> NDArray[np.bool_]:
        """Return whether the rows `left` (k,) and `right` (k,) cannot be one person, pair by pair."""
        return self.in_one_still.between(left, right) | self.presence.between(left, right)

    def between_groups(self, groups: Groups, left: Labels, right: Labels) -> NDArray[np.bool_]:
        """Return whether groups `left` (k,) and `right` (k,) hold rows that cannot be one person."""
        in_one_still = self.in_one_still.between_groups(groups, left, right)
        return in_one_still | self.presence.between_groups(groups, left, right)


@dataclass(frozen=True)
class WindowVisitors:
    """The local visitors of a window, by day and then by id: those up to a day are the first so many rows.

    Attributes:
        rows: n rows of the templates table, without the vectors.
        local: (n, 2) their ids.
        day: (n,) days since the epoch, rising.
        grid: (n, d) their vectors.
        near: (m, 2) pairs of rows, those within the linkage distance among them, sorted by the larger row.
        apart: who cannot be one person.
    """

    rows: pa.Table
    local: Words
    day: NDArray[np.int32]
    grid: Grid
    near: Pairs
    apart: Impossible

    @classmethod
    def of(cls, templates: Iterable[pa.Table], linkage: LinkageSettings) -> "WindowVisitors":
        """Return the visitors in tables of templates, in any order; each table's vectors are let go once read."""
        tables, grids = [], []
        for table in templates:
            grids.append(on_grid(matrix(table["vector"])))
            tables.append(table.drop_columns("vector"))
        rows, grid = pa.concat_tables(tables).combine_chunks(), np.concatenate(grids)
        tables.clear()
        grids.clear()
        local, day = uuid_words(rows["local_visitor_id"]), rows["day"].cast(pa.int32()).to_numpy()
        order = np.lexsort((local[:, 1], local[:, 0], day))
        if (order != np.arange(len(order))).any():
            rows, local, day, grid = rows.take(pa.array(order)), local[order], day[order], grid[order]
        search = Search(linkage.window_max_distance, linkage.exact_neighbours_below, linkage.neighbours)
        return cls(rows, local, day, grid, gallery_pairs(grid, search), impossible(rows, local))

    def until(self, day: date) -> "WindowVisitors":
        """Return the visitors of the days up to `day`."""
        count = int(np.searchsorted(self.day, (day - _EPOCH).days, side="right"))
        if count == len(self.day):
            return self
        near = self.near[: np.searchsorted(self.near[:, 1], count)]
        rows = self.rows.slice(0, count)
        return WindowVisitors(rows, self.local[:count], self.day[:count], self.grid[:count], near, self.apart)


def impossible(rows: pa.Table, local: Words, person: Labels | None = None, people: int | None = None) -> Impossible:
    """Return which of some local visitors, or of people they are known to be, cannot be one person.

    Args:
        rows: of the templates table; vectors are not looked at.
        local: (n, 2) their ids.
        person: (n,) rising number of the person that each is; by default each is a person of its own.
        people: how many there are, where the last have no row.
    """
    person = np.arange(rows.num_rows) if person is None else person
    people = rows.num_rows if people is None else people
    stay = np.repeat(np.arange(rows.num_rows), pc.list_value_length(rows["stay_starts"]).to_numpy())
    place = pc.dictionary_encode(rows["location_id"].combine_chunks()).indices.to_numpy()
    presence = Presence(
        person=person[stay],
        place=place.astype(np.int64)[stay],
        start_us=microseconds(pc.list_flatten(rows["stay_starts"])),
        end_us=microseconds(pc.list_flatten(rows["stay_ends"])),
        people=people,
    )
    one = np.repeat(np.arange(rows.num_rows), pc.list_value_length(rows["conflicts"]).to_numpy())
    other = rows_of(uuid_words(pc.list_flatten(rows["conflicts"])), local)
    pairs = person[np.stack([one, other], axis=1)[one < other]]
    return Impossible(ApartPairs(people, pairs), presence)


def impossible_pairs(templates: pa.Table, ids: Sequence[UUID]) -> Pairs:
    """Return the (m, 2) positions among `ids` of the local visitors that cannot be one person."""
    wanted = uuid_words(pa.array([each.bytes for each in ids], pa.binary(16)))
    position = rows_of(uuid_words(templates["local_visitor_id"]), wanted)
    chosen = templates.filter(pa.array(position >= 0))
    local = uuid_words(chosen["local_visitor_id"])
    return np.asarray(position[position >= 0][impossible(chosen, local)(np.arange(len(local)))], dtype=np.int64)


def ranks(local: Words) -> Labels:
    """Return the place of each id in the order of ids."""
    rank = np.empty(len(local), dtype=np.int64)
    rank[id_order(local)] = np.arange(len(local))
    return rank
