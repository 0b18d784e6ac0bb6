"""The visitor report: who came in a period, how often and where, and footfall over time."""

from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from footfall_assets.contracts.errors import FootfallError, NoData, UserMistake
from footfall_assets.contracts.settings import load_settings
from footfall_assets.reporting.count_text import count_notes, total_text
from footfall_assets.reporting.formats import frame_to_csv, header, long_date, visitors_frame
from footfall_assets.reporting.provenance import DEVELOPMENT_NOTE, Provenance, age_text, definitions, provenance_of
from footfall_assets.reporting.publication import current_publication
from footfall_assets.reporting.visitor_report import VisitorReport
from footfall_assets.storage import open_lake
from streamlit_app.access import decide_scope
from streamlit_app.charts import LINES_AT_MOST, MEASURES, footfall_chart, shown_locations
from streamlit_app.filter_panel import GRAIN_KEY, remember, show_filters
from streamlit_app.filters import Filters, Grain
from streamlit_app.markdown import literal
from streamlit_app.navigation import require_app
from streamlit_app.queries import Explorer


def show_page() -> None:
    """Show the page, or one sentence on why there is nothing to show."""
    st.title("Unique Visitor Report")
    try:
        _show()
    except NoData as nothing:
        st.info(literal(str(nothing)), icon=":material/info:")
    except UserMistake as mistake:
        st.error(literal(str(mistake)), icon=":material/error:")
    except FootfallError as failure:
        st.error(literal(str(failure)), icon=":material/error:")


def _show() -> None:
    settings = load_settings()
    lake = open_lake(settings)
    publication = current_publication(lake)
    scope = decide_scope(home=settings.environment, publication=publication.environment)
    provenance = provenance_of(publication, now=datetime.now(UTC))
    explorer = Explorer(lake, publication, scope=scope)
    filters = show_filters(explorer.options())
    if filters is None:
        st.info("Choose the last day of the period as well.")
        return
    remember(filters)
    _show_notices(provenance)
    visit_gap_s = settings.counting.visit_gap_s
    _show_report(explorer, filters, provenance, visit_gap_s=visit_gap_s)
    _show_footfall(explorer, filters)
    _show_definitions(provenance, visit_gap_s=visit_gap_s)


def _show_notices(provenance: Provenance) -> None:
    if provenance.is_development:
        st.info(literal(DEVELOPMENT_NOTE), icon=":material/science:")
    if provenance.is_stale:
        st.warning(f"These data are old: {literal(age_text(provenance))}.", icon=":material/schedule:")


def _show_report(explorer: Explorer, filters: Filters, provenance: Provenance, *, visit_gap_s: int) -> None:
    try:
        report = explorer.report(filters, visit_gap_s=visit_gap_s)
    except NoData as nothing:
        st.info(literal(str(nothing)), icon=":material/info:")
        return
    _show_header(report)
    st.caption(f"Data age: {literal(age_text(provenance))}; publication {provenance.short_id}.")
    frame = visitors_frame(report)
    if frame.empty:
        st.info("No visitor has that many appearances in the period." if report.windows else "No visitor was seen.")
    else:
        st.dataframe(frame, hide_index=True, width="stretch")
    st.download_button(
        "Download CSV",
        frame_to_csv(frame),
        file_name=f"visitors_{filters.first_day}_{filters.last_day}.csv",
        mime="text/csv",
        icon=":material/download:",
    )


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
        st.metric("Listed Visitors", f"{report.listed_visitors:,}", border=True)
        st.metric("Unidentified Sightings", f"{report.unidentified_sightings:,} of {report.sightings:,}", border=True)
    if report.crosses_windows:
        st.caption("The period crosses linkage windows: one total each; they cannot be added.")
    for label, total in totals:
        st.caption(literal(f"{label}: {total_text(total)}"))
    for note in count_notes(tuple(total for _, total in totals), report.count_basis):
        st.caption(literal(note))
    for note in report.notes:
        st.caption(literal(note))


def _show_footfall(explorer: Explorer, filters: Filters) -> None:
    st.subheader("Footfall over time")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control("Step", list(Grain), key=GRAIN_KEY, format_func=lambda grain: f"By {grain}")
        measure = st.selectbox("Count", list(MEASURES), format_func=MEASURES.__getitem__, width=220)
    try:
        frame = explorer.footfall(filters)
    except NoData as nothing:
        st.info(literal(str(nothing)), icon=":material/info:")
        return
    shown = shown_locations(frame)
    st.altair_chart(footfall_chart(shown, measure=measure, grain=filters.grain), width="stretch")
    st.caption(_footfall_caption(filters, frame))
    with st.expander("The chart as a table"):
        table = _footfall_table(frame, filters.grain)
        st.dataframe(table, hide_index=True, width="stretch")


def _footfall_caption(filters: Filters, frame: pd.DataFrame) -> str:
    places = frame["location"].nunique()
    cut = (
        f" The chart shows {LINES_AT_MOST} of {places} locations; choose those you need."
        if places > LINES_AT_MOST
        else ""
    )
    return (
        f"{long_date(filters.first_day)} to {long_date(filters.last_day)}, in each location's own time, all cameras. "
        "A gap means that nothing was recorded. Unique visitors do not add up over hours, days or locations." + cut
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
show_page()
