"""The map of a day: the chain of days it rests on, solved as far as it is not stored, each as its kind of day is.

A sealed day is the solve of the whole window and takes names from the day before. A provisional day starts from the
sealed day before it (`identity/provisional.py`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, partial
from itertools import pairwise
from typing import Final

import pyarrow as pa

from footfall_assets.contracts.ids import digest_of
from footfall_assets.contracts.schemas import IDENTITIES, STRANGERS, local_visitor_templates
from footfall_assets.domain.agglomeration import MergeTree
from footfall_assets.domain.calendar import linkage_window
from footfall_assets.domain.strangers import Strangers
from footfall_assets.identity.corrections import (
    NO_CORRECTIONS,
    AnchoredVisitors,
    Corrections,
    of_window,
    window_corrections,
)
from footfall_assets.identity.gallery_index import GalleryIndex, SealedGallery, opened_gallery
from footfall_assets.identity.provisional import OVERLAPPING_DAYS, ProvisionalMap, SealedMap, solve_provisional
from footfall_assets.identity.resolve import NO_NAMES, Names, Solution, solve
from footfall_assets.identity.staff import stills_at_staff_cameras, with_exclusions
from footfall_assets.identity.strangers import certain_strangers, strangers_table
from footfall_assets.identity.window import WindowVisitors, impossible_pairs
from footfall_assets.identity.window_plan import WindowPlan, local_manifests
from footfall_assets.platform import Place, Platform
from footfall_assets.storage.partitions import PartitionManifest

GALLERIES: Final = "galleries"  # one writer at a time


@dataclass(frozen=True)
class _Solved:
    """A day below in the chain: its names, its whole map where a provisional day starts from it, its merge tree."""

    names: Names
    whole: SealedMap | None = None
    tree: MergeTree | None = None


class WindowMaps:
    """Solves the maps of a window up to the newest day of a plan."""

    def __init__(self, platform: Platform, places: Sequence[Place], plan: WindowPlan) -> None:
        self._platform, self._places, self._plan = platform, places, plan
        self._window = linkage_window(max(plan.inputs))
        self._events = of_window(platform.events.active(), self._window)
        self._anchored = AnchoredVisitors(platform)
        self._linkage = platform.settings.linkage

    def solved(self, day: date) -> dict[str, pa.Table]:
        """Return the tables of a day's partition, by name."""
        chain = [day]
        while (below := self._plan.sealing.rests_on(chain[0])) and not self._right(below):
            chain.insert(0, below)
        solved = self._stored(below, chain[0]) if below else _Solved(NO_NAMES)
        for each, above in pairwise(chain):
            solved = self._solved(each, solved, above)
        return self._tables(day, solved)

    def _right(self, day: date) -> PartitionManifest | None:
        """Return the manifest of a day that is stored and comes from its inputs, else None."""
        manifest = self._platform.partitions.manifest(self._platform.day_of("identities", day))
        return manifest if manifest and manifest.inputs_hash == self._plan.inputs[day] else None

    def _is_sealed(self, day: date) -> bool:
        return day in self._plan.sealing.sealed

    def _stored(self, day: date, above: date) -> _Solved:
        manifest, read = self._right(day), self._platform.partitions.read_table
        identities = read(manifest, "identities", IDENTITIES)
        if self._is_sealed(above):
            return _Solved(Names.of(identities))
        found = read(manifest, "strangers", STRANGERS)
        strangers = Strangers(sum(found["pairs"].to_pylist()), sum(found["matches"].to_pylist()))
        return _Solved(NO_NAMES, SealedMap(day, identities, strangers))

    def _solved(self, day: date, below: _Solved, above: date) -> _Solved:
        if not self._is_sealed(day):
            return _Solved(Names.of(self._provisional(day, below)[0].identities))
        solution, visitors, _ = self._solve(day, below)
        whole = None if self._is_sealed(above) else self._whole(day, solution, visitors)
        return _Solved(solution.names, whole, solution.tree)

    def _solve(
        self, day: date, below: _Solved, cuts: Sequence[float] = ()
    ) -> tuple[Solution, WindowVisitors, Corrections]:
        """Return the solve of the whole window up to a sealed day."""
        visitors = self._everybody.until(day)
        corrections = self._corrections(day, visitors.rows)
        found = solve(visitors, below.names, day, self._linkage, corrections, cuts, below.tree)
        return found, visitors, corrections

    def _whole(self, day: date, solution: Solution, visitors: WindowVisitors) -> SealedMap:
        strangers = certain_strangers(visitors, self._linkage.window_max_distance)
        return SealedMap(day, solution.table(visitors), strangers)

    def _tables(self, day: date, below: _Solved) -> dict[str, pa.Table]:
        platform, tables = self._platform, {}
        found: SealedMap | ProvisionalMap
        if self._is_sealed(day):
            solution, visitors, corrections = self._solve(day, below, platform.cuts)
            found, rows = self._whole(day, solution, visitors), visitors.rows
            if platform.cuts:
                tables["cuts"] = solution.cuts(visitors)
        else:
            found, rows, corrections = self._provisional(day, below)
            tables["provisional"] = found.provisional
        inside = [place for place in self._places if self._window.first_day <= place.day <= day]
        tables["identities"] = with_exclusions(
            found.identities,
            rows,
            by_event=corrections.excluded,
            staff_stills=stills_at_staff_cameras(platform, inside, platform.registry),
            registry=platform.registry,
            settings=platform.settings.staff,
        )
        tables["strangers"] = strangers_table(found.strangers)
        if corrections.fates:
            tables["corrections"] = corrections.table()
        return tables

    def _provisional(self, day: date, below: _Solved) -> tuple[ProvisionalMap, pa.Table, Corrections]:
        """Return the map of a provisional day, the rows of the templates it looked at, and its corrections."""
        sealed = below.whole
        if sealed is None:
            raise ValueError(f"{day} is provisional and rests on no sealed day")
        rows = pa.concat_tables(_without_vectors(self._templates(self._looked_at(day, sealed.day))))
        corrections = self._corrections(day, rows)
        found = solve_provisional(
            sealed,
            self._gallery(sealed),
            self._templates(each for each in self._plan.inputs if sealed.day < each <= day),
            day,
            linkage=self._linkage,
            settings=self._platform.settings.provisional,
            overlapping=rows,
            corrections=corrections,
        )
        return found, rows, corrections

    def _looked_at(self, day: date, sealed: date) -> list[date]:
        """Return the days whose stays can matter: the newest, those that corrections name, all where staff rules ask.

        Days before the last sealed ones cannot overlap with those after it.
        """
        staff = self._platform.settings.staff
        first = sealed - timedelta(days=OVERLAPPING_DAYS - 1)
        named = {anchor.day for event in self._events for side in event.sides for anchor in side}
        everything = staff.dwell_min_hours is not None or bool(staff.schedule)
        return [each for each in self._plan.inputs if each <= day and (everything or each >= first or each in named)]

    def _gallery(self, sealed: SealedMap) -> GalleryIndex:
        platform, day = self._platform, sealed.day
        key = digest_of(platform.versions.identities, day.isoformat(), self._plan.inputs[day])
        days = [each for each in self._plan.inputs if each <= day]
        with platform.exclusively(GALLERIES):
            return opened_gallery(
                platform.settings.galleries_dir,
                key,
                platform.settings.provisional.exact_below,
                lambda: SealedGallery.of(sealed.identities, self._templates(days), platform.embedding_dim),
            )

    def _corrections(self, day: date, rows: pa.Table) -> Corrections:
        if not self._events:
            return NO_CORRECTIONS
        return window_corrections(self._events, day, self._anchored, partial(impossible_pairs, rows))

    @cached_property
    def _everybody(self) -> WindowVisitors:
        """The local visitors up to the newest sealed day of the plan; a chain solves none that is newer."""
        newest = max(self._plan.sealing.sealed)
        days = [each for each in self._plan.inputs if each <= newest]
        return WindowVisitors.of(self._templates(days), self._linkage)

    def _templates(self, days: Iterable[date]) -> Iterator[pa.Table]:
        """Yield the templates of each day, so that no more than one day's are held as they are stored."""
        store, schema = self._platform.partitions, local_visitor_templates(self._platform.embedding_dim)
        yield schema.empty_table()
        for day in days:
            manifests = local_manifests(self._platform, self._places, day)
            read = [store.read_table(manifest, "templates", schema) for _, manifest in sorted(manifests.items())]
            yield pa.concat_tables([schema.empty_table(), *read])


def _without_vectors(templates: Iterable[pa.Table]) -> Iterator[pa.Table]:
    for table in templates:
        yield table.drop_columns("vector")
