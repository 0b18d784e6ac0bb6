"""The overview: the newest day against the same weekday before, the newest minutes, the stores, what is missing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.all_cameras_total import AllCamerasTotal, all_cameras_totals
from footfall_assets.reporting.count_text import total_text
from footfall_assets.reporting.formats import long_date
from footfall_assets.reporting.overview import DayOverview, Dwell, day_overview
from footfall_assets.reporting.provenance import age_text, duration_text
from footfall_assets.reporting.recent_footfall import recent_footfall
from streamlit_app.access import Page
from streamlit_app.counters import show_counted_day, showed_newest_counted_day
from streamlit_app.fleet_tables import gaps_frame
from streamlit_app.long_lists import pick_one
from streamlit_app.markdown import literal
from streamlit_app.navigation import require_app
from streamlit_app.overview_charts import hours_chart, strip_chart
from streamlit_app.shell import OpenPage, run_page

_STRIP_MINUTES: Final = (30, 120, 480)  # the newest; further back where nobody was seen in fewer
_COVERAGE_DAYS: Final = 7
_LOW_SHARE: Final = 0.9  # of the frames expected: below it a store is named
_AS_MANY: Final = 0.005  # a change that rounds to 0 %
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_STORE_COLUMNS: Final = {
    "location": "Store",
    "visits": "Visits",
    "earlier_visits": "Visits a week before",
    "change": "Change",
    "unique_visitors": "Unique visitors",
    "peak_hour": "Peak hour",
    "captured_share": "Frames captured",
}


def show_overview(page: OpenPage) -> None:
    """Show the newest day of the chosen period first, then what surrounds it."""
    try:
        overview = page.explorer.at_locations(day_overview, page.filters)
    except NoData:
        if not showed_newest_counted_day(page):
            raise
        return
    _show_day(page, overview)
    with page.section("Unique visitors of all stores together"):
        _show_totals(page, overview)
    with page.section("Through the day"):
        _show_hours(page, overview)
    with page.section("Stores"):
        _show_stores(page, overview)
    with page.section("Counted at the doors"):
        show_counted_day(page, overview.day)
    with page.section("The newest minutes"):
        _show_strip(page)
    with page.section("What is missing"):
        _show_coverage(page, overview.day)


def _show_day(page: OpenPage, overview: DayOverview) -> None:
    known, compared = len(overview.known_stores), len(overview.compared_stores)
    st.subheader(f"{_WEEKDAYS[overview.day.weekday()]}, {long_date(overview.day)}")
    st.markdown(literal(_story(overview)))
    with st.container(horizontal=True):
        st.metric("Visits", _number(overview.total("visits")), _percent(overview.change("visits")), border=True)
        if known == 1:
            store = overview.known_stores.iloc[0]
            uniques = None if pd.isna(store["unique_visitors"]) else int(store["unique_visitors"])
            st.metric("Unique visitors", _number(uniques), border=True)
        st.metric(
            "Sightings", _number(overview.total("sightings")), _percent(overview.change("sightings")), border=True
        )
        st.metric("Mean visit", _minutes(overview.dwell), border=True)
        hour = overview.peak_hour
        st.metric("Peak hour", "unknown" if hour is None else f"{hour:02}:00 to {(hour + 1) % 24:02}:00", border=True)
    against = (
        f"Changes are against {_day_name(overview.earlier_day)}, over {compared} of {known} "
        f"store{'' if known == 1 else 's'} with data on both days."
        if compared
        else f"Nothing was recorded on {_day_name(overview.earlier_day)}: there is nothing to compare with."
    )
    stays = (
        f" The mean visit lies between {_bounds(overview.dwell)}: stills are seconds apart." if overview.dwell else ""
    )
    page.footer(
        "The newest business day with data in the chosen period. A visit is a stay at one store; visits and sightings "
        f"add up over stores, unique visitors do not. {against}{stays}",
        filters=page.day(overview.day),
    )


def _show_totals(page: OpenPage, overview: DayOverview) -> None:
    """Show how many people all cameras saw, or why nobody can say; from what says nothing about any of them."""
    if page.selection().camera_ids is not None:
        st.info(
            "Totals with their interval are of all stores together; of a part of them they are in the visitor report. "
            "Choose no location and no camera group, with a role for all stores, to see them here."
        )
        return
    found = page.explorer.ask(all_cameras_totals, overview.day)
    named = [
        *((_total_label(each), each) for each in found.of_day),
        *((_total_label(each), each) for each in found.of_windows if each.first_day != each.last_day),
    ]
    with st.container(horizontal=True):
        for label, each in named:
            people = "not estimated" if each.total.people is None else f"{each.total.people:,}"
            st.metric(label, people, border=True)
    for label, each in named:
        days = "" if each.first_day == each.last_day else f", {long_date(each.first_day)} to {long_date(each.last_day)}"
        st.caption(literal(f"{label}{days}: {total_text(each.total)}."))
    basis = f" Calibrated on: {found.basis.origin} ({found.basis.made_on})." if found.basis else ""
    page.footer(
        "Different people with at least one face that can be recognised, each counted once over all stores: an "
        f"estimate with its interval. It does not add up over days, stores or windows.{basis}",
        filters=page.day(overview.day),
    )


def _total_label(each: AllCamerasTotal) -> str:
    return long_date(each.first_day) if each.first_day == each.last_day else f"Window {each.linkage_window} so far"


def _story(overview: DayOverview) -> str:
    """Return what happened on the day in one or two sentences."""
    stores, visits = len(overview.known_stores), overview.total("visits")
    if visits is None:
        return "Faces are only counted at these stores: nobody is told apart, so there are no visits."
    said = f"{visits:,} visit{'' if visits == 1 else 's'} at {stores} store{'' if stores == 1 else 's'}"
    change = overview.change("visits")
    if change is not None:
        way = "as many as" if abs(change) < _AS_MANY else f"{abs(change):.0%} {'more' if change > 0 else 'fewer'} than"
        said += f", {way} on the same weekday a week before"
    first = overview.known_stores.iloc[0]
    if stores > 1 and not pd.isna(first["visits"]) and first["visits"]:
        said += f". {first['location']} had the most, {int(first['visits']):,}"
    if overview.peak_hour is not None:
        said += f". Most visits began between {overview.peak_hour:02}:00 and {(overview.peak_hour + 1) % 24:02}:00"
    return f"{said}."


def _show_hours(page: OpenPage, overview: DayOverview) -> None:
    if overview.hours.empty:
        st.info("No hour of this day has a record.")
        return
    named = {
        "local_hour": "Hour (local)",
        "visits": _day_name(overview.day),
        "earlier_visits": _day_name(overview.earlier_day),
    }
    page.figure(
        "visits_by_hour",
        chart=hours_chart(overview.hours, day=named["visits"], earlier_day=named["earlier_visits"]),
        table=overview.hours.rename(columns=named),
        definition="Visits by the hour in which they began, over the stores that are compared. A gap means that "
        "nothing was recorded.",
        filters=page.day(overview.day),
    )


def _show_stores(page: OpenPage, overview: DayOverview) -> None:
    table = overview.stores[list(_STORE_COLUMNS)].rename(columns=_STORE_COLUMNS)
    table["Change"] = table["Change"].map(_percent)
    if overview.compared_stores.empty:
        table = table.drop(columns=["Visits a week before", "Change"])
    table["Frames captured"] = table["Frames captured"].map(lambda share: None if pd.isna(share) else f"{share:.0%}")
    table["Peak hour"] = table["Peak hour"].map(lambda hour: None if pd.isna(hour) else f"{int(hour):02}:00")
    page.figure(
        "stores",
        chart=None,
        table=table,
        definition="Most visits first. Unique visitors are those of each store: somebody who went to two is counted at "
        "both. An empty cell is unknown, not zero.",
        filters=page.day(overview.day),
    )


def _show_strip(page: OpenPage) -> None:
    labels = page.location_labels()
    place = pick_one("Store", labels, key="overview_strip")
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    recent = page.explorer.in_scope(recent_footfall, place, minutes=_STRIP_MINUTES[0], now=now)
    for minutes in _STRIP_MINUTES[1:]:
        if recent.windows["sightings"].sum():
            break
        recent = page.explorer.in_scope(recent_footfall, place, minutes=minutes, now=now)
    known = recent.windows["sightings"].notna()
    seen = int(recent.windows["sightings"].sum())
    st.markdown(
        literal(
            f"{seen:,} sighting{'' if seen == 1 else 's'} in the last {len(known) // 4} minutes of data, which "
            f"are {duration_text(recent.age)} old."
        )
    )
    table = recent.windows[["local_time", "sightings", "unidentified_sightings", "unique_visitors"]].rename(
        columns={
            "local_time": "From (local)",
            "sightings": "Sightings",
            "unidentified_sightings": "Unidentified",
            "unique_visitors": "Unique visitors",
        }
    )
    newest = recent.newest.astimezone(UTC).date()
    page.figure(
        "newest_minutes",
        chart=strip_chart(recent.windows),
        table=table,
        definition=f"Windows of 15 seconds, {int(known.sum())} of {len(known)} with a camera alive. Sightings add up; "
        "unique visitors do not.",
        filters=page.day(newest),
        location_ids=(place,),
    )


def _show_coverage(page: OpenPage, day: date) -> None:
    first = day - timedelta(days=_COVERAGE_DAYS - 1)
    st.markdown(literal(f"Newest data: {age_text(page.provenance)}."))
    places = set(page.selection().location_ids)
    days, gaps = page.explorer.coverage(first, day), page.explorer.coverage_gaps(first, day)
    days, gaps = (frame[frame["location_id"].isin(places)] for frame in (days, gaps))
    if days.empty:
        st.info("No batch came in these days.")
        return
    low = days[days["captured_share"] < _LOW_SHARE]
    silent = _silent_days(days, first, day)
    if low.empty and gaps.empty and not silent:
        st.success(f"Every camera delivered at least {_LOW_SHARE:.0%} of its frames on {_days_text(days)}.")
    if silent:
        st.warning(f"Cameras that delivered nothing on some day: {literal(', '.join(silent))}.")
    if not low.empty:
        st.warning(
            literal(
                f"{len(low)} camera day{'' if len(low) == 1 else 's'} with fewer than {_LOW_SHARE:.0%} of the frames."
            )
        )
    if not gaps.empty:
        st.dataframe(gaps_frame(gaps), hide_index=True, width="stretch")
    page.footer(
        "Frames that arrived of those the cameras should have taken; what is missing is in no count above.",
        filters=replace(page.filters, first_day=first, last_day=day),
    )


def _days_text(days: pd.DataFrame) -> str:
    known = days["business_day"].nunique()
    if known == _COVERAGE_DAYS:
        return f"each of the last {_COVERAGE_DAYS} days"
    return f"the {known} day{'' if known == 1 else 's'} with data of the last {_COVERAGE_DAYS}"


def _silent_days(days: pd.DataFrame, first: date, last: date) -> list[str]:
    """Return the cameras with fewer days than there are, of those that delivered on any."""
    expected = (last - first).days + 1
    counted = days.groupby("camera_id")["business_day"].nunique()
    return sorted(counted[counted < min(expected, int(counted.max()))].index)


def _day_name(day: date) -> str:
    return f"{_WEEKDAYS[day.weekday()]}, {long_date(day)}"


def _number(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"


def _percent(change: float | None) -> str | None:
    return None if change is None or pd.isna(change) else f"{change:+.0%}"


def _minutes(dwell: Dwell | None) -> str:
    return "unknown" if dwell is None else f"{dwell.midpoint_s / 60:.0f} min"


def _bounds(dwell: Dwell | None) -> str:
    return "" if dwell is None else f"{dwell.lower_s / 60:.1f} and {dwell.upper_s / 60:.1f} minutes"


require_app()
run_page(Page.OVERVIEW, "Overview", show_overview)
