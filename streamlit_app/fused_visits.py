"""Visits from all sources at once, as a section of a page: the estimate with its interval, each source beside it."""

from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.reporting.fused_visits import FUSED_COLUMNS, FusedFootfall, fused_footfall
from streamlit_app.markdown import literal
from streamlit_app.shell import OpenPage
from streamlit_app.traffic_charts import daily_lines

_LINES_AT_MOST: Final = 8  # that can be told apart
_TOGETHER: Final = "All sources"
_DEFINITION: Final = (
    "Visits of a whole day by faces and counters at once: each source is weighted by how far it was off where they "
    "overlap, and brought to the scale of the door counters. The interval holds the visits in 90 of 100 cases. A "
    "source that said nothing in an hour takes no part in it; an hour that none saw is missing. A source "
    "alone: of the hours that it saw. Visits add up over days."
)


def show_fused_visits(page: OpenPage) -> None:
    """Show the visits of each day by all sources; says so where nothing can be fused.

    Raises:
        NoData: the publication was made before sources were fused.
    """
    found = page.explorer.at_locations(fused_footfall, page.filters)
    for location, reason in found.reasons.items():
        st.caption(literal(f"{location}: not available: {reason}."))
    if found.days.empty:
        if not found.reasons:
            st.info("No door counter covers these locations; visits are those whose face was seen.")
        return
    lines = _lines(found)
    page.figure(
        "fused_visits",
        chart=None
        if lines["series"].nunique() > _LINES_AT_MOST
        else daily_lines(
            lines,
            value="visits",
            series="series",
            title="Visits",
            days=(page.filters.first_day, page.filters.last_day),
            number_format=",.0f",
        ),
        table=_table(found),
        definition=_DEFINITION,
        expanded=True,
    )
    page.figure(
        "fused_sources",
        chart=None,
        table=_sources_table(found),
        definition="How each source was measured: what it counts of a visit (for faces that is the visibility), and "
        "its own error, one standard deviation, of an hour with ten visits and of a day.",
    )


def _lines(found: FusedFootfall) -> pd.DataFrame:
    """Return the lines: of one location every source, of several the visits of each."""
    days = found.days
    if len(set(days["location"])) > 1:
        return days.rename(columns={"location": "series"})[["series", "business_day", "visits"]]
    said = {_TOGETHER: "visits", **{f"{name.capitalize()} alone": name for name in _names(days)}}
    return pd.concat(
        [
            pd.DataFrame({"series": label, "business_day": days["business_day"], "visits": days[column]})
            for label, column in said.items()
        ],
        ignore_index=True,
    )


def _names(frame: pd.DataFrame) -> list[str]:
    fixed = {"location_id", "location", "business_day", "hours", *FUSED_COLUMNS}
    return sorted(str(name) for name in frame.columns if name not in fixed)


def _table(found: FusedFootfall) -> pd.DataFrame:
    days = found.days
    return pd.DataFrame(
        {
            "Location": days["location"],
            "Business day": days["business_day"],
            "Visits": days["visits"].round(1),
            "Low (90 %)": days["low"].round(1),
            "High (90 %)": days["high"].round(1),
            "Hours any source saw": days["hours"],
            **{f"{name.capitalize()} alone": days[name].round(1) for name in _names(days)},
        }
    )


def _sources_table(found: FusedFootfall) -> pd.DataFrame:
    sources = found.sources
    return pd.DataFrame(
        {
            "Location": sources["location"],
            "Source": sources["source"],
            "Hours": sources["hours"],
            "Counted for each visit": sources["factor"].round(3),
            "Error of an hour": sources["hour_error"].round(3),
            "Error of a day": sources["day_error"].round(3),
        }
    )
