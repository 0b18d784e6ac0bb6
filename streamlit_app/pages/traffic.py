"""When people come, whether the staff plan fits them, what they bought, and what other counters counted."""

from contextlib import suppress
from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting import conversion, counted_traffic
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
from streamlit_app.counters import unique_visitors_column
from streamlit_app.fused_visits import show_fused_visits
from streamlit_app.imported_files import imported_files
from streamlit_app.markdown import literal
from streamlit_app.navigation import require_app
from streamlit_app.shell import OpenPage, run_page
from streamlit_app.traffic_charts import daily_lines, staffing_chart, week_heat_map

_MOST_HOURS: Final = 1000  # understaffed hours in the list
_MOST_FILES: Final = 20
_LINES_AT_MOST: Final = 8  # locations whose lines can be told apart; of more, the sum is shown
_HOW: Final = "How to: docs/imports.md."


def show_traffic(page: OpenPage) -> None:
    """Show the page's four parts."""
    with page.section("When people come"):
        _show_profile(page)
    with page.section("Staff against visitors"):
        _show_staffing(page)
    with page.section("Conversion"):
        _show_conversion(page)
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
        st.info(f"No staff plan covers this period. Import one: footfall import staff FILE.csv. {_HOW}")
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


def _show_conversion(page: OpenPage) -> None:
    summary = page.explorer.at_locations(conversion.conversion_summary, page.filters)
    if not summary.sales_days:
        st.info(f"No sales cover this period. Import them: footfall import sales FILE.csv. {_HOW}")
        return
    is_few = len(page.selection().location_ids) <= _LINES_AT_MOST
    question = conversion.conversion_by_day if is_few else conversion.conversion_totals_by_day
    days = page.explorer.at_locations(question, page.filters)
    with st.container(horizontal=True):
        st.metric("Receipts for each visit", _ratio(summary.transactions_per_visit), border=True)
        st.metric("Revenue for each visit", _ratio(summary.revenue_per_visit), border=True)
        st.metric("Receipts compared", f"{summary.transactions:,}", border=True)
        st.metric("Visits compared", f"{summary.visits:,}", border=True)
    if summary.flagged_days:
        st.warning(
            f"More receipts than visits on {summary.flagged_days} of {summary.compared_days} store days: the cameras "
            "missed people there, and conversion is too high."
        )
    page.figure(
        "conversion_by_day",
        chart=daily_lines(
            days,
            value="transactions_per_visit",
            series="location",
            title="Receipts for each visit",
            days=(page.filters.first_day, page.filters.last_day),
            number_format=".2f",
        ),
        table=_sales_table(days),
        definition=(
            "Receipts divided by visits of the same store and day; the figures above divide the sums. Days on which "
            "visits are unknown are gaps. Revenue is in the currency of the imported file."
        ),
    )
    categories = page.explorer.at_locations(conversion.sales_by_category, page.filters)
    if not categories.empty:
        with st.expander("What was sold, by category"):
            page.figure(
                "sales_by_category",
                chart=None,
                table=categories.rename(columns=str.capitalize),
                definition="Items and revenue add up over categories; receipts do not, one can hold several.",
            )


def _sales_table(days: pd.DataFrame) -> pd.DataFrame:
    columns = {
        "location": "Location",
        "business_day": "Business day",
        "transactions": "Receipts",
        "items": "Items",
        "revenue": "Revenue",
        "visits": "Visits",
        "unique_visitors": "Unique visitors",
        "transactions_per_visit": "Receipts for each visit",
        "transactions_per_visitor": "Receipts for each unique visitor",
        "revenue_per_visit": "Revenue for each visit",
        "has_more_transactions_than_visits": "More receipts than visits",
    }
    shown = [name for name in columns if name in days.columns]
    ratios = {name: 3 for name in shown if name.startswith("transactions_per")} | {"revenue_per_visit": 2}
    return days[shown].round(ratios).rename(columns=columns)


def _show_counters(page: OpenPage) -> None:
    by_source = page.explorer.at_locations(counted_traffic.counted_traffic_by_location, page.filters)
    if by_source.empty:
        st.info(
            "No door counter, mat, beam or count by hand covers this period. Import them: "
            f"footfall import counts FILE.csv. {_HOW}"
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
        st.caption(f"None yet. {_HOW}")
        return
    st.dataframe(table, hide_index=True, width="stretch")
    st.caption(
        f"The newest {_MOST_FILES} files, times in UTC. Rows set aside are listed with their reasons in the lake, "
        "below imports; what the figures above show is as of the publication."
    )


def _ratio(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.2f}"


require_app()
run_page(Page.TRAFFIC, "Traffic and staffing", show_traffic)
