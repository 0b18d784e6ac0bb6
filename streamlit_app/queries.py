"""What the pages read: questions to the current publication, asked for one person's scope and answered once.

A question is a function of `footfall_assets.reporting` that takes a connection first. `Explorer` opens the file, binds
the locations and cameras that are both allowed and asked for, and keeps the answer under publication, scope, question
and parameters: a new publication never shows an old answer, and nobody sees what was answered to somebody else.
"""

from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, TypeVar

import pandas as pd
import streamlit as st

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.publication import FileKind, Publication
from footfall_assets.contracts.settings import FleetSettings
from footfall_assets.reporting.comparison import Comparison, compare
from footfall_assets.reporting.coverage import coverage_by_day, coverage_gaps
from footfall_assets.reporting.export import ReportFormat, render
from footfall_assets.reporting.fleet_status import FleetStatus, fleet_status
from footfall_assets.reporting.footfall_over_time import (
    days_with_data,
    fits_by_hour,
    footfall_by_day,
    footfall_by_hour,
)
from footfall_assets.reporting.printable import ROWS_AT_MOST as PRINTED_ROWS_AT_MOST
from footfall_assets.reporting.provenance import Provenance
from footfall_assets.reporting.publication import READ_FOR_S, open_aggregates, open_protected, open_visitors
from footfall_assets.reporting.request import Order, Period
from footfall_assets.reporting.selection import Directory, Selection, read_directory, select_cameras
from footfall_assets.reporting.visitor_list import all_visitors, visitor_page
from footfall_assets.reporting.visitor_report import VisitorReport, visitor_head
from footfall_assets.reporting.visitor_stays import VisitorRow
from footfall_assets.storage.lake import LakeStore
from footfall_assets.storage.registry_store import read_registry
from streamlit_app.access import Scope
from streamlit_app.filters import FilterOptions, Filters, Grain
from streamlit_app.visitor_charts import camera_label

EXPORT_ROWS_AT_MOST: Final = 250_000  # of a file made in the app's memory: 25 MB of CSV
_KEPT_ANSWERS: Final = 256  # of all questions together; an answer is a chart's rows or a page of a list
_KEPT_COMPARISONS: Final = 16
_KEPT_FOR: Final = "1h"
_FLEET_KEPT_S: Final = 10  # devices report once a minute; each answer reads two small objects a device
_QUESTIONS: Final = "footfall_assets.reporting."
_OPENERS: Final[dict[FileKind, Callable[[LakeStore, Publication], AbstractContextManager[Any]]]] = {
    FileKind.PROTECTED: open_protected,
    FileKind.AGGREGATES: open_aggregates,
    FileKind.VISITORS: open_visitors,
}

Answer = TypeVar("Answer")


class Explorer:
    """The questions of one person to one publication."""

    def __init__(self, lake: LakeStore, publication: Publication, *, scope: Scope) -> None:
        self._lake = lake
        self._publication = publication
        self._scope = scope
        # Of one run of a page: with 10,000 locations each copy from the cache, and each hash of them, takes a while.
        self._directories: dict[FileKind, Directory] = {}
        self._selections: dict[tuple[Filters, FileKind], Selection] = {}

    @property
    def scope(self) -> Scope:
        """Whom the answers are for."""
        return self._scope

    def ask(
        self,
        question: Callable[..., Answer],
        *arguments: Hashable,
        file: FileKind = FileKind.AGGREGATES,
        **named: object,
    ) -> Answer:
        """Return `question(connection, *arguments, **named)` from a published file, asked once.

        For questions that know nothing of locations. Whatever is per location goes through `at_locations`,
        `at_cameras` or `in_scope`. Arguments must be hashable by Streamlit: plain values, tuples, frozen dataclasses.

        Raises:
            AccessDenied: no role of the scope may open the file.
            TypeError: `question` is not a function of `footfall_assets.reporting`.
        """
        self._scope.check_file(file)
        name = f"{question.__module__}.{question.__qualname__}"
        if not name.startswith(_QUESTIONS) or "<" in name:
            raise TypeError(f"expected a function of {_QUESTIONS[:-1]}, whose name says what it asks, got {name}")
        answer: Answer = _answer(
            self._lake,
            self._publication,
            question,
            self._publication.publication_id,
            self._scope,
            name,
            file,
            arguments,
            tuple(sorted(named.items())),
        )
        return answer

    def at_locations(
        self,
        question: Callable[..., Answer],
        filters: Filters,
        *,
        file: FileKind = FileKind.AGGREGATES,
        **named: object,
    ) -> Answer:
        """Return `question(connection, period, location_ids=..., **named)`: locations allowed and asked for.

        Figures by location count all its cameras, also those outside a chosen camera group. Raises as `ask`.
        """
        places = self.selection(filters, file=file).location_ids
        return self.ask(question, filters.period, file=file, location_ids=places, **named)

    def at_cameras(
        self,
        question: Callable[..., Answer],
        filters: Filters,
        *,
        file: FileKind = FileKind.AGGREGATES,
        **named: object,
    ) -> Answer:
        """Return `question(connection, period, camera_ids=..., **named)`, None for all cameras; raises as `ask`."""
        cameras = self.selection(filters, file=file).camera_ids
        return self.ask(question, filters.period, file=file, camera_ids=cameras, **named)

    def in_scope(
        self,
        question: Callable[..., Answer],
        *arguments: Hashable,
        file: FileKind = FileKind.AGGREGATES,
        **named: object,
    ) -> Answer:
        """Return `question(connection, *arguments, allowed=..., **named)`: locations allowed, None for all."""
        return self.ask(question, *arguments, file=file, allowed=self._scope.location_ids, **named)

    def directory(self, *, file: FileKind = FileKind.AGGREGATES) -> Directory:
        """Return the locations, cameras and camera groups that the scope knows of."""
        if file not in self._directories:
            self._directories[file] = self.in_scope(read_directory, file=file)
        return self._directories[file]

    def selection(self, filters: Filters, *, file: FileKind = FileKind.AGGREGATES) -> Selection:
        """Return the cameras and locations that are allowed and asked for; this is the one place that decides.

        Raises:
            UserMistake: something unknown is asked for, or nothing is left.
        """
        if (filters, file) not in self._selections:
            self._selections[filters, file] = select_cameras(self.directory(file=file), filters.request)
        return self._selections[filters, file]

    def options(self, *, file: FileKind = FileKind.AGGREGATES) -> FilterOptions:
        """Return what the filters offer; raises NoData for a publication without a day."""
        extent = self.ask(days_with_data, file=file)
        directory = self.directory(file=file)
        locations = directory.locations
        return FilterOptions(
            first_day=extent.first_day,
            last_day=extent.last_day,
            locations={key: each.label for key, each in locations.items()},
            groups={key: each.name for key, each in directory.groups.items()},
            cameras={
                key: camera_label(directory.label(each.location_id), each.name)
                for key, each in directory.cameras.items()
            },
            places={key: each.location_id for key, each in directory.cameras.items()},
            timezones={key: each.timezone for key, each in locations.items()},
        )

    def report(self, filters: Filters, *, visit_gap_s: int) -> VisitorReport:
        """Return the visitor report without its rows; raises NoData where nobody was seen."""
        return self.in_scope(visitor_head, filters.request, file=FileKind.VISITORS, visit_gap_s=visit_gap_s)

    def rows(
        self, filters: Filters, *, first: int, most: int, order: Order, visit_gap_s: int
    ) -> tuple[VisitorRow, ...]:
        """Return up to `most` rows of the visitor list from row number `first` (0 is the top) on."""
        return self.in_scope(
            visitor_page,
            filters.request,
            file=FileKind.VISITORS,
            first=first,
            most=most,
            order=order,
            visit_gap_s=visit_gap_s,
        )

    def export(
        self, filters: Filters, form: ReportFormat, provenance: Provenance, *, order: Order, visit_gap_s: int
    ) -> bytes:
        """Return the visitor report as a file of at most `EXPORT_ROWS_AT_MOST` rows, not kept.

        Raises:
            AccessDenied: the scope may not export, or may not see visitors.
            UserMistake: the list is longer; the command line writes lists of any length.
        """
        self._scope.check_export()
        self._scope.check_file(FileKind.VISITORS)
        request, allowed = filters.request, self._scope.location_ids
        most = PRINTED_ROWS_AT_MOST if form is ReportFormat.HTML else None
        with open_visitors(self._lake, self._publication) as connection:
            head = visitor_head(connection, request, visit_gap_s=visit_gap_s, allowed=allowed)
            if most is None and head.listed_visitors > EXPORT_ROWS_AT_MOST:
                raise UserMistake(
                    f"the list has {head.listed_visitors:,} rows, and a download holds {EXPORT_ROWS_AT_MOST:,}; "
                    "write it with footfall report --format csv --out FILE"
                )
            pieces = all_visitors(connection, request, visit_gap_s=visit_gap_s, allowed=allowed, most=most, order=order)
            report = replace(head, visitors=tuple(row for piece in pieces for row in piece))
        return render(report, provenance, form=form)

    def changes_since(self, current: Publication, filters: Filters) -> Comparison:
        """Return what differs in `current`, over the whole days and the locations of the filters.

        Raises:
            AccessDenied: no role of the scope may see visitors and aggregates.
            UserMistake: something unknown is asked for, or it takes longer than a report may.
        """
        for file in (FileKind.VISITORS, FileKind.AGGREGATES):
            self._scope.check_file(file)
        selection = self.selection(filters, file=FileKind.VISITORS)
        places = None if selection.camera_ids is None else selection.location_ids
        days = (filters.first_day, filters.last_day)
        ids = (self._publication.publication_id, current.publication_id)
        return _changes(self._lake, self._publication, current, ids, self._scope, days, places)

    def step_that_fits(self, filters: Filters) -> Grain:
        """Return the step of the filters; days where so many locations have more hours than a browser holds."""
        period, places = Period(filters.first_day, filters.last_day), self.selection(filters).location_ids
        return filters.grain if fits_by_hour(period, location_ids=places) else Grain.DAY

    def footfall(self, filters: Filters) -> pd.DataFrame:
        """Return footfall by hour or day at the chosen cameras' locations, whole days; raises NoData for no record."""
        question = footfall_by_hour if filters.grain is Grain.HOUR else footfall_by_day
        places = self.selection(filters).location_ids
        return self.ask(question, Period(filters.first_day, filters.last_day), location_ids=places)

    def coverage(self, first_day: date, last_day: date) -> pd.DataFrame:
        """Return coverage by camera and day; raises NoData for a publication without coverage."""
        return self._allowed_rows(self.ask(coverage_by_day, first_day, last_day))

    def coverage_gaps(self, first_day: date, last_day: date) -> pd.DataFrame:
        """Return the runs of missing batches; raises NoData for a publication without coverage."""
        return self._allowed_rows(self.ask(coverage_gaps, first_day, last_day))

    def _allowed_rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        allowed = self._scope.location_ids
        return frame if allowed is None else frame[frame["location_id"].isin(allowed)]


@st.cache_data(ttl=_KEPT_FOR, max_entries=_KEPT_ANSWERS, show_spinner="Reading the publication")
def _answer(
    _lake: LakeStore,
    _publication: Publication,
    _question: Callable[..., Any],
    publication_id: str,
    scope: Scope,
    name: str,
    file: FileKind,
    arguments: tuple[Hashable, ...],
    named: tuple[tuple[str, object], ...],
) -> Any:  # noqa: ANN401 - what the question returns
    del publication_id, scope, name  # part of the cache key
    with _OPENERS[file](_lake, _publication) as connection:
        return _question(connection, *arguments, **dict(named))


@st.cache_data(ttl=_KEPT_FOR, max_entries=_KEPT_COMPARISONS, show_spinner="Comparing two publications")
def _changes(
    _lake: LakeStore,
    _before: Publication,
    _after: Publication,
    ids: tuple[str, str],
    scope: Scope,
    days: tuple[date, date],
    location_ids: tuple[str, ...] | None,
) -> Comparison:
    del ids, scope  # part of the cache key
    return compare(
        _lake, _before, _after, first_day=days[0], last_day=days[1], location_ids=location_ids, for_s=READ_FOR_S
    )


def current_fleet(lake: LakeStore, lake_root: str, limits: FleetSettings, *, now: datetime) -> FleetStatus:
    """Return how the fleet is doing, at most ten seconds old; `lake_root` names the lake in the cache."""
    return _fleet(lake, limits, now, lake_root)


@st.cache_data(ttl=_FLEET_KEPT_S, max_entries=1, show_spinner="Asking the fleet")
def _fleet(_lake: LakeStore, _limits: FleetSettings, _now: datetime, lake_root: str) -> FleetStatus:
    del lake_root  # part of the cache key
    return fleet_status(_lake, read_registry(_lake), _limits, now=_now)
