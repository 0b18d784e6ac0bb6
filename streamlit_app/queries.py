"""What the pages read, as reports and data frames from the current publication.

Answers are cached under the publication's id: a new publication never shows an old answer.
"""

from datetime import date, datetime
from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.contracts.publication import Publication
from footfall_assets.contracts.settings import FleetSettings
from footfall_assets.reporting.coverage import coverage_by_day, coverage_gaps
from footfall_assets.reporting.fleet_status import FleetStatus, fleet_status
from footfall_assets.reporting.footfall_over_time import days_with_data, footfall_by_day, footfall_by_hour
from footfall_assets.reporting.publication import open_aggregates, open_visitors
from footfall_assets.reporting.request import Period
from footfall_assets.reporting.selection import read_directory, select_cameras
from footfall_assets.reporting.visitor_report import VisitorReport, visitor_report
from footfall_assets.storage.lake import LakeStore
from footfall_assets.storage.registry_store import read_registry
from streamlit_app.access import Scope
from streamlit_app.filters import FilterOptions, Filters, Grain

_KEPT_ANSWERS: Final = 64  # per query; an answer is at most a report's rows
_KEPT_FOR: Final = "1h"
_FLEET_KEPT_S: Final = 10  # devices report once a minute; each answer reads two small objects a device


class Explorer:
    """The queries of one publication for one person's scope."""

    def __init__(self, lake: LakeStore, publication: Publication, *, scope: Scope) -> None:
        self._lake = lake
        self._publication = publication
        self._scope = scope

    def options(self) -> FilterOptions:
        """Return what the filters offer; raises NoData for a publication without a day."""
        return _options(self._lake, self._publication, self._publication.publication_id, self._scope)

    def report(self, filters: Filters, *, visit_gap_s: int) -> VisitorReport:
        """Return the visitor report; raises NoData where nobody was seen."""
        return _report(
            self._lake, self._publication, self._publication.publication_id, self._scope, filters, visit_gap_s
        )

    def footfall(self, filters: Filters) -> pd.DataFrame:
        """Return footfall by hour or day at the locations of the chosen cameras; raises NoData for no record at all.

        Aggregates are by location: all its cameras count, also those outside a camera group.
        """
        return _footfall(self._lake, self._publication, self._publication.publication_id, self._scope, filters)

    def coverage(self, first_day: date, last_day: date) -> pd.DataFrame:
        """Return coverage by camera and day; raises NoData for a publication without coverage."""
        return _coverage(
            self._lake, self._publication, self._publication.publication_id, self._scope, first_day, last_day
        )

    def coverage_gaps(self, first_day: date, last_day: date) -> pd.DataFrame:
        """Return the runs of missing batches; raises NoData for a publication without coverage."""
        return _coverage_gaps(
            self._lake, self._publication, self._publication.publication_id, self._scope, first_day, last_day
        )


def current_fleet(lake: LakeStore, lake_root: str, limits: FleetSettings, *, now: datetime) -> FleetStatus:
    """Return how the fleet is doing, at most ten seconds old; `lake_root` names the lake in the cache."""
    return _fleet(lake, limits, now, lake_root)


@st.cache_data(ttl=_FLEET_KEPT_S, max_entries=1, show_spinner="Asking the fleet")
def _fleet(_lake: LakeStore, _limits: FleetSettings, _now: datetime, lake_root: str) -> FleetStatus:
    del lake_root  # part of the cache key
    return fleet_status(_lake, read_registry(_lake), _limits, now=_now)


@st.cache_data(ttl=_KEPT_FOR, max_entries=_KEPT_ANSWERS, show_spinner=False)
def _coverage(
    _lake: LakeStore, _publication: Publication, publication_id: str, scope: Scope, first_day: date, last_day: date
) -> pd.DataFrame:
    del publication_id, scope  # part of the cache key
    with open_aggregates(_lake, _publication) as connection:
        return coverage_by_day(connection, first_day, last_day)


@st.cache_data(ttl=_KEPT_FOR, max_entries=_KEPT_ANSWERS, show_spinner=False)
def _coverage_gaps(
    _lake: LakeStore, _publication: Publication, publication_id: str, scope: Scope, first_day: date, last_day: date
) -> pd.DataFrame:
    del publication_id, scope  # part of the cache key
    with open_aggregates(_lake, _publication) as connection:
        return coverage_gaps(connection, first_day, last_day)


@st.cache_data(ttl=_KEPT_FOR, max_entries=_KEPT_ANSWERS, show_spinner=False)
def _options(_lake: LakeStore, _publication: Publication, publication_id: str, scope: Scope) -> FilterOptions:
    del publication_id, scope  # part of the cache key
    with open_aggregates(_lake, _publication) as connection:
        extent = days_with_data(connection)
        directory = read_directory(connection)
    return FilterOptions(
        first_day=extent.first_day,
        last_day=extent.last_day,
        locations={key: each.label for key, each in directory.locations.items()},
        groups={key: each.name for key, each in directory.groups.items()},
    )


@st.cache_data(ttl=_KEPT_FOR, max_entries=_KEPT_ANSWERS, show_spinner="Reading the publication")
def _report(
    _lake: LakeStore, _publication: Publication, publication_id: str, scope: Scope, filters: Filters, visit_gap_s: int
) -> VisitorReport:
    del publication_id, scope  # part of the cache key
    with open_visitors(_lake, _publication) as connection:
        return visitor_report(connection, filters.request, visit_gap_s=visit_gap_s)


@st.cache_data(ttl=_KEPT_FOR, max_entries=_KEPT_ANSWERS, show_spinner="Reading the publication")
def _footfall(
    _lake: LakeStore, _publication: Publication, publication_id: str, scope: Scope, filters: Filters
) -> pd.DataFrame:
    del publication_id, scope  # part of the cache key
    query = footfall_by_hour if filters.grain is Grain.HOUR else footfall_by_day
    with open_aggregates(_lake, _publication) as connection:
        places = select_cameras(read_directory(connection), filters.request).location_ids
        return query(connection, Period(filters.first_day, filters.last_day), location_ids=places)
