"""The visitor report: who came in a period, how often and where, one visitor's way, and footfall over time."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.contracts.errors import NoData
from footfall_assets.contracts.publication import FileKind
from footfall_assets.reporting.count_text import count_notes, total_text, unseen_notes
from footfall_assets.reporting.export import ReportFormat
from footfall_assets.reporting.formats import INCL_UNSEEN, header, incl_unseen_totals_text, rows_frame
from footfall_assets.reporting.method import counting_rules
from footfall_assets.reporting.printable import ROWS_AT_MOST as PRINTED_ROWS_AT_MOST
from footfall_assets.reporting.provenance import Provenance, age_text, definitions
from footfall_assets.reporting.request import Order
from footfall_assets.reporting.visitor_report import VisitorReport
from footfall_assets.reporting.visitor_stays import VisitorRow
from footfall_assets.reporting.visitor_timeline import visitor_timeline
from streamlit_app.access import Page
from streamlit_app.access_records import record_view
from streamlit_app.changes_since import show_changes
from streamlit_app.charts import LINES_AT_MOST, MEASURES, footfall_chart, shown_locations
from streamlit_app.downloads import show_download
from streamlit_app.filter_panel import GRAIN_KEY, Offered
from streamlit_app.filters import Grain
from streamlit_app.markdown import literal
from streamlit_app.navigation import require_app
from streamlit_app.queries import EXPORT_ROWS_AT_MOST
from streamlit_app.shell import OpenPage, run_page
from streamlit_app.visitor_charts import timeline_chart
from streamlit_app.visitor_pages import PARAMS, choose_page

_ROWS_A_PAGE: Final = 50
_FORMS: Final = {
    ReportFormat.CSV: ("Download CSV", "csv"),
    ReportFormat.PARQUET: ("Download Parquet", "parquet"),
    ReportFormat.HTML: ("Download to print", "html"),
}


def show_visitors(page: OpenPage) -> None:
    """Show the report of the chosen period and cameras, one visitor's way, and footfall at their locations."""
    visit_gap_s = _visit_gap_s(page)
    report = page.explorer.report(page.filters, visit_gap_s=visit_gap_s)
    _show_header(report)
    zones = literal(page.zones_text(page.selection().location_ids))
    age = literal(age_text(page.provenance))
    st.caption(f"Times are {zones}. Data age: {age}; publication {page.provenance.short_id}.")
    if not report.listed_visitors:
        st.info("No visitor has that many appearances in the period." if report.windows else "No visitor was seen.")
    else:
        order, shown = _show_list(page, report)
        _show_downloads(page, report, order)
        _show_timeline(page, report, shown)
    _show_footfall(page)
    show_changes(page)
    _show_definitions(page.provenance, visit_gap_s=visit_gap_s)


def _visit_gap_s(page: OpenPage) -> int:
    """Return the pause after which a visit has ended, as the publication was counted; the home's where it says none."""
    try:
        return page.explorer.ask(counting_rules, file=FileKind.VISITORS).visit_gap_s
    except NoData:
        return page.settings.counting.visit_gap_s


def _show_header(report: VisitorReport) -> None:
    named = dict(header(report))
    st.markdown(f"**Time Period:** {literal(named['Time Period'])}")
    st.markdown(f"**Camera Group:** {literal(named['Camera Group'])}")
    totals = [
        (f"Total Unique Visitors{f', {each.linkage_window}' if report.crosses_windows else ''}", each.total)
        for each in report.windows
    ]
    with st.container(horizontal=True):
        for label, total in totals:
            st.metric(label, "not estimated" if total.people is None else f"{total.people:,}", border=True)
        for each in report.windows:
            if each.total_incl_unseen.people is not None:
                st.metric(
                    f"{INCL_UNSEEN}{f', {each.linkage_window}' if report.crosses_windows else ''}",
                    f"{each.total_incl_unseen.people:,}",
                    border=True,
                )
        st.metric("Listed Visitors", f"{report.listed_visitors:,}", border=True)
        st.metric("Unidentified Sightings", f"{report.unidentified_sightings:,} of {report.sightings:,}", border=True)
    if report.crosses_windows:
        st.caption("The period crosses linkage windows: one total each; they cannot be added.")
    for label, total in totals:
        st.caption(literal(f"{label}: {total_text(total)}"))
    st.caption(literal(f"{INCL_UNSEEN}: {incl_unseen_totals_text(report)}"))
    unseen = unseen_notes(tuple(each.total_incl_unseen for each in report.windows))
    for note in (*count_notes(tuple(total for _, total in totals), report.count_basis), *unseen, *report.notes):
        st.caption(literal(note))


def _show_list(page: OpenPage, report: VisitorReport) -> tuple[Order, tuple[VisitorRow, ...]]:
    """Show one page of the list, which is all that the browser gets of it, and return its order and rows."""
    pages = math.ceil(report.listed_visitors / _ROWS_A_PAGE)
    order, number = choose_page(pages)
    first = (number - 1) * _ROWS_A_PAGE
    rows = page.explorer.rows(page.filters, first=first, most=_ROWS_A_PAGE, order=order, visit_gap_s=report.visit_gap_s)
    record_view(
        page.scope,
        page.settings,
        page.lake,
        query=f"visitor_report {page.filters.period.label}",
        rows=len(rows),
        key=(page.publication.publication_id, page.filters, order, number),
    )
    table = rows_frame(rows, with_windows=report.crosses_windows)
    if order is Order.LAST_SEEN:
        table.insert(1, "Last Seen (local)", [f"{row.last_seen_at:%Y-%m-%d %H:%M}" for row in rows])
    st.dataframe(table, hide_index=True, width="stretch")
    st.caption(
        f"Rows {first + 1:,} to {first + len(rows):,} of {report.listed_visitors:,}. Page {number:,} of {pages:,}."
    )
    return order, rows


def _show_downloads(page: OpenPage, report: VisitorReport, order: Order) -> None:
    listed = report.listed_visitors
    if listed > EXPORT_ROWS_AT_MOST:
        st.caption(
            f"The list has {listed:,} rows. A download from here holds up to {EXPORT_ROWS_AT_MOST:,}; shorten the list "
            "with the filters, or write all of it to a file: footfall report, with the option format csv or parquet."
        )
    with st.container(horizontal=True):
        for form, (label, ending) in _FORMS.items():
            if form is not ReportFormat.HTML and listed > EXPORT_ROWS_AT_MOST:
                continue
            show_download(
                page.scope,
                label,
                _export(page, form, report.visit_gap_s, order),
                file_name=f"visitors_{page.filters.first_day}_{page.filters.last_day}.{ending}",
                query=f"visitor_report {page.filters.period.label}",
                rows=min(listed, PRINTED_ROWS_AT_MOST) if form is ReportFormat.HTML else listed,
                key=f"visitors_{ending}",
            )


def _export(page: OpenPage, form: ReportFormat, visit_gap_s: int, order: Order) -> Callable[[], bytes]:
    """Return what makes the file, once it is asked for."""
    return lambda: page.explorer.export(page.filters, form, page.provenance, order=order, visit_gap_s=visit_gap_s)


def _show_timeline(page: OpenPage, report: VisitorReport, shown: tuple[VisitorRow, ...]) -> None:
    names = {
        (row.linkage_window, row.visitor_id): row.visitor_id
        + (f" ({row.linkage_window})" if report.crosses_windows else "")
        for row in shown
    }
    with page.section("One visitor's way"):
        chosen = st.selectbox(
            "Visitor, of this page of the list",
            list(names),
            index=None,
            format_func=names.__getitem__,
            placeholder="Choose a Visitor ID",
            key="visitors_chosen",
            width=320,
        )
        if chosen is None:
            return
        window, visitor = chosen
        frame = page.explorer.in_scope(
            visitor_timeline,
            page.filters.request,
            file=FileKind.VISITORS,
            visitor_id=visitor,
            linkage_window=window,
            visit_gap_s=report.visit_gap_s,
        )
        record_view(
            page.scope,
            page.settings,
            page.lake,
            query=f"visitor_timeline {page.filters.period.label}",
            rows=len(frame),
            key=(page.publication.publication_id, page.filters, chosen),
        )
        visits = frame["visit"].nunique()
        st.markdown(
            literal(
                f"{visitor}: {len(frame)} appearance{'' if len(frame) == 1 else 's'} in {visits} "
                f"visit{'' if visits == 1 else 's'} on {frame['business_day'].nunique()} days."
            )
        )
        page.figure(
            "visitor_timeline",
            chart=timeline_chart(frame),
            table=_timeline_table(frame),
            definition="A point is an appearance: a run of sightings at one camera. Larger: more sightings.",
        )


def _timeline_table(frame: pd.DataFrame) -> pd.DataFrame:
    named = {
        "visit": "Visit",
        "business_day": "Business day",
        "location": "Location",
        "camera": "Camera",
        "starts_local": "From (local)",
        "ends_local": "To (local)",
        "sightings": "Sightings",
    }
    times = {name: frame[name].dt.strftime("%Y-%m-%d %H:%M:%S") for name in ("starts_local", "ends_local")}
    return frame.assign(**times)[list(named)].rename(columns=named)


def _show_footfall(page: OpenPage) -> None:
    with page.section("Footfall over time"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.segmented_control("Step", list(Grain), key=GRAIN_KEY, format_func=lambda grain: f"By {grain}")
            measure = st.selectbox("Count", list(MEASURES), format_func=MEASURES.__getitem__, width=220)
        filters = replace(page.filters, starts_at=None, ends_at=None, grain=page.explorer.step_that_fits(page.filters))
        if filters.grain is not page.filters.grain:
            st.caption("By day: so many locations have too many hours to show. Choose fewer, or a shorter period.")
        frame = page.explorer.footfall(filters)
        places = frame["location"].nunique()
        cut = f" The chart shows {LINES_AT_MOST} of {places} locations; choose those you need."
        page.figure(
            "footfall",
            chart=footfall_chart(shown_locations(frame), measure=measure, grain=filters.grain),
            table=_footfall_table(frame, filters.grain),
            definition="Whole business days, all cameras of a location. A gap means that nothing was recorded. "
            "Unique visitors do not add up over hours, days or locations." + (cut if places > LINES_AT_MOST else ""),
            filters=filters,
        )


def _footfall_table(frame: pd.DataFrame, grain: Grain) -> pd.DataFrame:
    time = "Hour (local)" if grain is Grain.HOUR else "Business day"
    named = {"location": "Location", "local_time": time, **MEASURES}
    shown_time = frame["local_time"].dt.strftime("%Y-%m-%d %H:%M" if grain is Grain.HOUR else "%Y-%m-%d")
    return frame.assign(local_time=shown_time)[list(named)].rename(columns=named)


def _show_definitions(provenance: Provenance, *, visit_gap_s: int) -> None:
    with st.expander("What these numbers mean"):
        for word, meaning in definitions(visit_gap_s).items():
            st.markdown(f"**{word}**: {literal(meaning)}.")
        st.markdown(f"**Published**: {provenance.published_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
        st.markdown(f"**Publication**: `{provenance.publication_id}`")


require_app()
run_page(Page.VISITORS, "Unique Visitor Report", show_visitors, offered=Offered.MINUTES, own_params=PARAMS)
