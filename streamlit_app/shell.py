"""What every page of the explorer shares: who may see it, the filters, the notices, figures with their footers.

A page is a function of an `OpenPage`; `run_page` calls it once everything that could refuse has agreed, and turns what
it raises into one sentence.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Final, TypeAlias

import altair as alt
import pandas as pd
import streamlit as st

from footfall_assets.contracts.errors import FootfallError, NoData, UserMistake
from footfall_assets.contracts.publication import FileKind, Publication
from footfall_assets.contracts.settings import PlatformSettings, load_settings
from footfall_assets.reporting.formats import long_date, long_ends
from footfall_assets.reporting.provenance import DEVELOPMENT_NOTE, Provenance, age_text, older_text, provenance_of
from footfall_assets.reporting.provisional_days import read_provisional_days
from footfall_assets.reporting.selection import Selection
from footfall_assets.storage import open_lake
from footfall_assets.storage.lake import LakeStore
from streamlit_app.access import Page, Scope
from streamlit_app.current_files import WATCH
from streamlit_app.downloads import show_table_downloads
from streamlit_app.filter_panel import Offered, remember, show_filters
from streamlit_app.filters import FilterOptions, Filters
from streamlit_app.markdown import literal
from streamlit_app.publication_choice import choose_publication
from streamlit_app.queries import Explorer
from streamlit_app.sign_in import scope_for

ShownChart: TypeAlias = (
    alt.Chart | alt.LayerChart | alt.ConcatChart | alt.HConcatChart | alt.VConcatChart | alt.FacetChart
)
_SHOWN_ROWS: Final = 10_000  # of a table on a page
_UNKNOWN_CELL: Final = ""  # what a table shows for a value that nobody knows, as in its file
_ZONES_NAMED: Final = 3  # time zones a footer names before it only counts them


@dataclass(frozen=True)
class OpenPage:
    """A page that may be shown, with everything its figures need."""

    page: Page
    settings: PlatformSettings
    lake: LakeStore
    publication: Publication
    current: Publication
    scope: Scope
    explorer: Explorer
    provenance: Provenance
    options: FilterOptions
    filters: Filters
    file: FileKind

    def selection(self) -> Selection:
        """Return the cameras and locations that are allowed and asked for."""
        return self.explorer.selection(self.filters, file=self.file)

    def location_labels(self) -> dict[str, str]:
        """Return the names of the chosen locations by id."""
        return {key: self.options.locations.get(key, key) for key in self.selection().location_ids}

    @contextmanager
    def section(self, title: str) -> Iterator[None]:
        """Show a part of the page; what cannot be shown becomes a sentence, and the parts after it are shown."""
        st.subheader(title)
        with told():
            yield

    def figure(
        self,
        name: str,
        *,
        chart: ShownChart | None,
        table: pd.DataFrame,
        definition: str,
        filters: Filters | None = None,
        location_ids: Sequence[str] | None = None,
        expanded: bool = False,
    ) -> None:
        """Show a chart, its footer, its table and the downloads of that table; only the table where there is no chart.

        Args:
            name: of the files and of the query in the access log, in letters, digits and underscores; unique on the
                page.
            chart: an Altair chart.
            table: what the chart shows, with the column names that people read.
            definition: what is counted, and whether it adds up, in a sentence or two.
            filters: other than the page's, where the figure is about another period.
            location_ids: other than the chosen ones.
            expanded: whether the table is open from the start.
        """
        if chart is not None:
            st.altair_chart(chart, width="stretch")
        else:
            _show_rows(table)
        self.footer(definition, filters=filters, location_ids=location_ids)
        asked = filters or self.filters
        file_name, query = f"{name}_{asked.first_day}_{asked.last_day}", f"{name} {asked.period.label}"
        if chart is None:
            show_table_downloads(self.scope, table, name=file_name, query=query)
            return
        with st.expander("The chart as a table", expanded=expanded):
            _show_rows(table)
            show_table_downloads(self.scope, table, name=file_name, query=query)

    def footer(
        self, definition: str, *, filters: Filters | None = None, location_ids: Sequence[str] | None = None
    ) -> None:
        """Say of a figure: period, time zones, definition, age of the data."""
        asked = filters or self.filters
        places = self.selection().location_ids if location_ids is None else location_ids
        st.caption(
            literal(
                f"{period_text(asked)}, {self.zones_text(places)}. {definition} Data age: {age_text(self.provenance)}."
            )
        )

    def zones_text(self, location_ids: Sequence[str]) -> str:
        """Return whose clock the times of these locations follow."""
        zones = sorted({self.options.timezones[key] for key in location_ids if key in self.options.timezones})
        if not zones:
            return "local time of each location"
        named = ", ".join(zones) if len(zones) <= _ZONES_NAMED else f"{len(zones)} time zones"
        return f"local time ({named})"

    def day(self, day: date) -> Filters:
        """Return the page's filters for one whole day."""
        return replace(self.filters, first_day=day, last_day=day, starts_at=None, ends_at=None)


def run_page(
    page: Page,
    title: str,
    show: Callable[[OpenPage], None],
    *,
    offered: Offered = Offered.DAYS,
    file: FileKind = FileKind.AGGREGATES,
    own_params: Collection[str] = (),
) -> None:
    """Show a page to whoever may see it, or one sentence on why there is nothing to show.

    Args:
        page: decides what the person may see on it.
        title: over the page.
        show: draws the rest.
        offered: which filters the sidebar has.
        file: where the page's locations, cameras and days are read from.
        own_params: of the address, that the page itself reads and writes.
    """
    st.title(title)
    with told():
        settings = load_settings()
        scope_for(page, settings, settings.environment)  # before anything is read that could tell a stranger something
        lake = open_lake(settings)
        chosen = choose_publication(lake, settings.lake_root)
        WATCH.follow(lake, settings.lake_root, chosen.current)
        publication = chosen.shown
        scope = scope_for(page, settings, publication.environment)
        explorer = Explorer(lake, publication, scope=scope)
        options = explorer.options(file=file)
        filters = show_filters(options, offered) if offered is not Offered.NOTHING else _everything(options)
        if filters is None:
            st.info("Choose the last day of the period as well.")
            return
        if offered is not Offered.NOTHING:
            remember(filters, chosen.params, keep=own_params)
        provenance = provenance_of(publication, now=datetime.now(UTC), current=chosen.current)
        show_notices(provenance)
        for days in explorer.ask(read_provisional_days, filters.first_day, filters.last_day, file=file):
            if days.is_in_period:
                st.warning(literal(f"{days.text}."))
        show(
            OpenPage(
                page,
                settings,
                lake,
                publication,
                chosen.current,
                scope,
                explorer,
                provenance,
                options,
                filters,
                file,
            )
        )


def show_notices(provenance: Provenance) -> None:
    """Say what must be known before any number is read: an older publication, old data, data for development."""
    older = older_text(provenance)
    if older:
        st.warning(literal(older))
    elif provenance.is_stale:
        st.warning(f"These data are old: {literal(age_text(provenance))}.")
    if provenance.is_development:
        st.caption(literal(DEVELOPMENT_NOTE))


def period_text(filters: Filters) -> str:
    """Return the period as people read it, such as `January 1, 2024 09:30 to January 31, 2024`."""
    if filters.first_day == filters.last_day and filters.period.is_whole_days:
        return long_date(filters.first_day)
    return " to ".join(long_ends(filters.period))


def _show_rows(table: pd.DataFrame) -> None:
    """Show a table, as many rows of it as a browser holds with ease."""
    st.dataframe(table.head(_SHOWN_ROWS), hide_index=True, width="stretch", placeholder=_UNKNOWN_CELL)
    if len(table) > _SHOWN_ROWS:
        st.caption(f"The first {_SHOWN_ROWS:,} of {len(table):,} rows; the files hold all of them.")


def _everything(options: FilterOptions) -> Filters:
    return Filters(options.default_first_day, options.last_day)


@contextmanager
def told() -> Iterator[None]:
    """Show expected failures as one sentence."""
    try:
        yield
    except NoData as nothing:
        st.info(literal(str(nothing)))
    except (UserMistake, FootfallError) as mistake:
        st.error(literal(str(mistake)))
