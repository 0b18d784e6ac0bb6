"""Who comes back: new and returning visitors, how often they come, after how many days, and to which stores."""

from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.loyalty import days_between_visits, loyalty_by_day, stores_shared, visit_frequency
from streamlit_app.access import Page
from streamlit_app.long_lists import pick_one
from streamlit_app.loyalty_charts import new_and_returning_chart, shared_matrix, times_chart
from streamlit_app.navigation import require_app
from streamlit_app.share_matrix import ROWS_AT_MOST
from streamlit_app.shell import OpenPage, run_page

_INSIDE: Final = (
    "A visitor is known inside one linkage window, a calendar month; in the next everybody is new again. Visitors do "
    "not add up over days, stores or windows."
)
_MEASURES: Final = {"visits": "Visits", "days": "Days"}


def show_loyalty(page: OpenPage) -> None:
    """Show the page's parts."""
    with page.section("New and returning visitors"):
        _show_days(page)
    with page.section("How often visitors come"):
        _show_frequency(page)
    with page.section("Days between visits"):
        _show_between(page)
    with page.section("Visitors that stores share"):
        _show_shared(page)


def _of_one_place(frame: pd.DataFrame, *, key: str) -> pd.DataFrame:
    """Return the rows of the place that is chosen: one store, or all of them together where that is known."""
    names = list(dict.fromkeys(frame.sort_values("location_id", na_position="first")["location"]))
    chosen = pick_one("Where", dict(zip(names, names, strict=True)), key=key) if len(names) > 1 else names[0]
    here: pd.DataFrame = frame[frame["location"] == chosen]
    return here


def _of_one_window(frame: pd.DataFrame, *, key: str) -> pd.DataFrame:
    windows = sorted(set(frame["linkage_window"]), reverse=True)
    chosen = st.selectbox("Window", windows, key=key) if len(windows) > 1 else windows[0]
    of_window: pd.DataFrame = frame[frame["linkage_window"] == chosen]
    return of_window


def _show_days(page: OpenPage) -> None:
    days = _of_one_place(page.explorer.at_locations(loyalty_by_day, page.filters), key="loyalty_days_place")
    is_hidden = days["new_visitors"].isna().all()
    if is_hidden:
        st.info(
            "New and returning are not shown in the first 7 days of a window: everybody looks new then. Choose a "
            "period that reaches beyond them."
        )
    names = {
        "location": "Location",
        "business_day": "Business day",
        "unique_visitors": "Unique visitors",
        "new_visitors": "New",
        "returning_visitors": "Returning",
        "returning_to_location": "Returning to this location",
    }
    page.figure(
        "new_and_returning",
        chart=None if is_hidden else new_and_returning_chart(days),
        table=days[list(names)].rename(columns=names),
        definition=(
            "Returning: seen on an earlier day of the window at any store. Not shown for the first 7 days of a window, "
            f"nor of a store that began later. {_INSIDE}"
        ),
    )


def _show_frequency(page: OpenPage) -> None:
    found = page.explorer.at_locations(visit_frequency, page.filters)
    here = _of_one_window(_of_one_place(found, key="loyalty_frequency_place"), key="loyalty_frequency_window")
    measure = st.segmented_control(
        "Count", list(_MEASURES), default="visits", format_func=lambda each: _MEASURES[each], key="loyalty_measure"
    )
    noun = _MEASURES[measure or "visits"]
    times = here[here["measure"] == (measure or "visits")]
    visitors = int(times["visitors"].sum())
    more = int(times.loc[times["times"] > 1, "visitors"].sum())
    with st.container(horizontal=True):
        st.metric("Visitors of the window", f"{visitors:,}", border=True)
        st.metric(f"With two {noun.lower()} or more", f"{more / visitors:.0%}", border=True)
    page.figure(
        "visit_frequency",
        chart=times_chart(times, x="times", y="visitors", x_title=f"{noun} in the window", y_title="Visitors"),
        table=times[["linkage_window", "location", "times", "visitors"]].rename(
            columns={"linkage_window": "Window", "location": "Location", "times": noun, "visitors": "Visitors"}
        ),
        definition=(
            f"Visitors by their number of {noun.lower()} in the whole window, also where the period is a part of it. "
            f"{_INSIDE}"
        ),
    )


def _show_between(page: OpenPage) -> None:
    found = page.explorer.at_locations(days_between_visits, page.filters)
    here = _of_one_window(_of_one_place(found, key="loyalty_between_place"), key="loyalty_between_window")
    page.figure(
        "days_between_visits",
        chart=times_chart(
            here,
            x="days_between",
            y="returns",
            x_title="Days between",
            y_title="Times a visitor came back",
        ),
        table=here[["linkage_window", "location", "days_between", "returns"]].rename(
            columns={
                "linkage_window": "Window",
                "location": "Location",
                "days_between": "Days between",
                "returns": "Times",
            }
        ),
        definition=(
            "From one day with a visit to the visitor's next in the same window, 1 for the day after. Long gaps are "
            f"seen too seldom, because a window ends. {_INSIDE}"
        ),
    )


def _show_shared(page: OpenPage) -> None:
    found = _of_one_window(page.explorer.at_locations(stores_shared, page.filters), key="loyalty_shared_window")
    pairs = found[found["location_id"] != found["other_location_id"]]
    if pairs.empty:
        raise NoData("no visitor came to two of these stores in the window")
    both = pd.concat([pairs.assign(share=pairs["share_of_location"]), _turned(pairs)], ignore_index=True)
    stores = both["location"].nunique()
    if stores > ROWS_AT_MOST:
        st.caption(f"The chart shows {ROWS_AT_MOST} of {stores} stores.")
    page.figure(
        "stores_shared",
        chart=shared_matrix(both),
        table=found[["location", "other_location", "visitors", "share_of_location", "share_of_other"]]
        .rename(
            columns={
                "location": "Store",
                "other_location": "Other store",
                "visitors": "Visitors of both",
                "share_of_location": "Share of the store's",
                "share_of_other": "Share of the other's",
            }
        )
        .round(3),
        definition=(
            "The number is visitors who came to both stores in the window, the colour their share of the row's "
            f"visitors. {_INSIDE}"
        ),
    )


def _turned(pairs: pd.DataFrame) -> pd.DataFrame:
    turned = pairs.rename(columns={"location": "other_location", "other_location": "location"})
    return turned.assign(share=pairs["share_of_other"])


require_app()
run_page(Page.LOYALTY, "Loyalty", show_loyalty)
