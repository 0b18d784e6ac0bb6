"""When people come, whether the staff plan fits them, what they bought, and what other counters counted."""

from contextlib import suppress
from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting import counted_traffic
from footfall_assets.reporting.staffing import (
    WEEKDAYS,
    PeopleMeasure,
    ServiceLevel,
    hourly_profile,
    peak_text,
    staffing_profile,
    summarise,
    understaffed_hours,
)
from streamlit_app.access import Page
from streamlit_app.conversion import show_conversion
from streamlit_app.counters import unique_visitors_column
from streamlit_app.fused_visits import show_fused_visits
from streamlit_app.imported_files import HOW_TO_IMPORT, imported_files
from streamlit_app.markdown import literal
from streamlit_app.navigation import require_app
from streamlit_app.shell import OpenPage, run_page
from streamlit_app.traffic_charts import daily_lines, staffing_chart, week_heat_map

_MOST_HOURS: Final = 1000  # understaffed hours in the list
_MOST_FILES: Final = 20


def show_traffic(page: OpenPage) -> None:
    """Show the page's four parts."""
    with page.section("When people come"):
        _show_profile(page)
    with page.section("Staff against visitors"):
        _show_staffing(page)
    with page.section("Conversion"):
        show_conversion(page)
    with page.section("Other counters"):
        _show_counters(page)
    with page.section("Visits from all sources"):
        show_fused_visits(page)
    if page.scope.location_ids is None:  # a file can be about any location
        with page.section("Imported files"):
            _show_imports(page)


def _show_profile(page: OpenPage) -> None:
    try:
        profile, measure = _profile(page)
    except NoData:
        if not _showed_counted_profile(page):
            raise
        return
    st.markdown(literal(peak_text(profile, measure=measure)))
    noun = "Visits" if measure is PeopleMeasure.VISITS else "Sightings"
    table = pd.DataFrame(
        {
            "Weekday": [WEEKDAYS[number - 1] for number in profile["weekday"]],
            "Local hour": profile["local_hour"],
            f"{noun} an hour and store": profile["people_per_hour"].round(2),
            "Store days in the mean": profile["store_days"],
            "Open": profile["is_open"],
        }
    )
    page.figure(
        "hour_by_weekday",
        chart=week_heat_map(profile, title=f"{noun} an hour and store"),
        table=table,
        definition=(
            f"{noun} that began in the hour, as a mean over stores and days on which a camera was alive in it. "
            "An empty cell is an hour that no camera saw: unknown, not zero."
        ),
    )


def _showed_counted_profile(page: OpenPage) -> bool:
    """Show when people came in by a counter, where no camera saw anybody; return whether any counter says so."""
    profile = pd.DataFrame()
    with suppress(NoData):
        profile = page.explorer.at_locations(counted_traffic.counted_profile, page.filters)
    if profile.empty:
        return False
    source = str(profile["count_source"].iloc[0])
    st.info(
        f"No camera saw these locations: the hours are those of a counter ({source}). It cannot tell people apart, so "
        "unique visitors, visits and dwell are not available."
    )
    page.figure(
        "counted_hour_by_weekday",
        chart=week_heat_map(profile, title="People in, an hour and store"),
        table=pd.DataFrame(
            {
                "Weekday": [WEEKDAYS[number - 1] for number in profile["weekday"]],
                "Local hour": profile["local_hour"],
                "People in, an hour and store": profile["people_per_hour"].round(2),
                "Store days in the mean": profile["store_days"],
                "Source": profile["count_source"],
            }
        ),
        definition=(
            "People who came in, as a mean over stores and days of which the counter says anything in that hour. "
            "An empty cell is an hour nobody counted: unknown, not zero."
        ),
    )
    return True


def _profile(page: OpenPage) -> tuple[pd.DataFrame, PeopleMeasure]:
    """Return visits where any location recognises visitors, else sightings."""
    try:
        return page.explorer.at_locations(hourly_profile, page.filters), PeopleMeasure.VISITS
    except NoData:
        measure = PeopleMeasure.SIGHTINGS
        return page.explorer.at_locations(hourly_profile, page.filters, measure=measure), measure


def _show_staffing(page: OpenPage) -> None:
    settings = page.settings.staffing
    per_staff = st.number_input(
        "Visitors an hour that one member of staff serves",
        min_value=0.5,
        max_value=1000.0,
        value=float(settings.visitors_per_staff),
        step=0.5,
        format="%g",
        width=360,
        key="traffic_visitors_per_staff",
    )
    level = ServiceLevel(float(per_staff), settings.least_staff)
    profile = page.explorer.at_locations(staffing_profile, page.filters, level=level)
    if profile.empty:
        st.info(f"No staff plan covers this period. Import one: footfall import staff FILE.csv. {HOW_TO_IMPORT}")
        return
    summary = summarise(profile)
    if not summary.opening_known:
        st.caption("Opening hours are not known: every hour counts as open. footfall import opening-hours FILE.csv")
    with st.container(horizontal=True):
        st.metric("Hours understaffed", f"{summary.under:,}", border=True)
        st.metric("As needed", f"{summary.as_needed:,}", border=True)
        st.metric("Hours overstaffed", f"{summary.over:,}", border=True)
        st.metric("No verdict: seen in part", f"{summary.no_verdict:,}", border=True)
    known = profile[profile["hours"] > 0]
    if known.empty:
        st.info("No planned hour of this period was seen by a camera of a location that recognises visitors.")
        return
    page.figure(
        "staffing_by_hour",
        chart=staffing_chart(known),
        table=_profile_table(known),
        definition=(
            f"Service level: {level.text}. Means over hours whose plan and visitors are both known; an hour is over "
            "with a whole person more than needed. Where cameras saw a part of an hour only, its need is a lower "
            "bound: it can be under, and is never called over."
        ),
    )
    if summary.under:
        with st.expander(f"Understaffed hours ({summary.under:,})"):
            hours = page.explorer.at_locations(understaffed_hours, page.filters, level=level, most=_MOST_HOURS)
            page.figure(
                "understaffed_hours",
                chart=None,
                table=_under_table(hours),
                definition=f"Hours with fewer staff planned than needed, at most {_MOST_HOURS:,}, worst first.",
            )


def _profile_table(profile: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Local hour": profile["local_hour"],
            "Planned staff": profile["planned_staff"].round(2),
            "Needed staff": profile["needed_staff"].round(2),
            "Unique visitors": profile["unique_visitors"].astype("float64").round(1),
            "Hours in the mean": profile["hours"],
        }
    )


def _under_table(hours: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Location": hours["location"],
            "Local time": hours["local_time"],
            "Unique visitors": hours["unique_visitors"],
            "Planned staff": hours["planned_staff"],
            "Needed staff": hours["needed_staff"],
            "Minutes seen": hours["covered_minutes"],
        }
    )


def _show_counters(page: OpenPage) -> None:
    by_source = page.explorer.at_locations(counted_traffic.counted_traffic_by_location, page.filters)
    if by_source.empty:
        st.info(
            "No door counter, mat, beam or count by hand covers this period. Import them: "
            f"footfall import counts FILE.csv. {HOW_TO_IMPORT}"
        )
        return
    table = pd.DataFrame(
        {
            "Location": by_source["location"],
            "Source": by_source["count_source"],
            "Days": by_source["days"],
            "Hours counted": by_source["hours"],
            "Unique visitors": unique_visitors_column(by_source["location_id"], page.selection().counted_only_ids),
            "People in": by_source["people_in"],
            "People out": by_source["people_out"],
            "Hours both saw": by_source["compared_hours"],
            "People in, these hours": by_source["compared_people_in"],
            "Visits, these hours": by_source["compared_visits"],
            "Visits for each person in": by_source["visits_per_person_in"].astype("float64").round(3),
        }
    )
    chart = None
    compared = _compared_series(page.explorer.at_locations(counted_traffic.counted_traffic_by_day, page.filters))
    if not compared.empty:
        chart = daily_lines(
            compared,
            value="people",
            series="series",
            title="People in, and visits",
            days=(page.filters.first_day, page.filters.last_day),
            number_format=",.0f",
        )
    page.figure(
        "other_counters",
        chart=chart,
        table=table,
        definition=(
            "Counters count passages of everybody, also of staff; visits are stays of visitors whose face was seen. "
            "Compared are the hours that both saw. The two are shown side by side and never mixed; sources are never "
            "added."
        ),
        expanded=True,
    )


def _compared_series(days: pd.DataFrame) -> pd.DataFrame:
    """Return people in by source, and visits, of the hours both saw, day by day."""
    known = days[days["compared_hours"] > 0]
    source = known["count_source"].astype(str)
    counted = known.assign(series="Counted: " + source, people=known["compared_people_in"])
    seen = known.assign(series="Cameras, hours of: " + source, people=known["compared_visits"])
    return pd.concat([counted, seen], ignore_index=True)[["series", "business_day", "people"]]


def _show_imports(page: OpenPage) -> None:
    """Show the newest files of other systems with what was set aside of each; they say nothing of visitors."""
    table = imported_files(page.lake, most=_MOST_FILES)
    if table.empty:
        st.caption(f"None yet. {HOW_TO_IMPORT}")
        return
    st.dataframe(table, hide_index=True, width="stretch")
    st.caption(
        f"The newest {_MOST_FILES} files, times in UTC. Rows set aside are listed with their reasons in the lake, "
        "below imports; what the figures above show is as of the publication."
    )


require_app()
run_page(Page.TRAFFIC, "Traffic and staffing", show_traffic)
