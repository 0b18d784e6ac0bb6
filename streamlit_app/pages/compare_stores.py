"""Stores side by side over a period, each against itself in the period before."""

from dataclasses import dataclass
from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.reporting.request import Period
from footfall_assets.reporting.store_comparison import compare_stores, period_before
from streamlit_app.access import Page
from streamlit_app.markdown import literal
from streamlit_app.navigation import require_app
from streamlit_app.shell import OpenPage, run_page
from streamlit_app.traffic_charts import STORES_AT_MOST, store_bars

_PERCENT: Final = 100


@dataclass(frozen=True)
class _Figure:
    """A figure that stores are compared by: its name on the page, its definition, and how it is written."""

    title: str
    definition: str
    number_format: str = ",.1f"


_FIGURES: Final = {
    "visits_per_day": _Figure("Visits a day", "Mean of visits over the days on which the cameras saw the store."),
    "unique_visitors_per_day": _Figure(
        "Unique visitors a day",
        "Mean of the different visitors of a day. Unique visitors are never added up over days or stores.",
    ),
    "unique_visitors": _Figure(
        "Unique visitors of the period",
        "Different visitors, each counted once; known where the period is one calendar week or month. Never added up.",
        ",.0f",
    ),
    "dwell_minutes": _Figure(
        "Minutes of a visit", "Mean over visits; from stills a stay is known to an interval, its midpoint is shown."
    ),
    "visits_per_open_hour": _Figure(
        "Visits an open hour", "Visits divided by open hours, of days whose opening hours and visits are known."
    ),
    "transactions_per_visit": _Figure(
        "Receipts for each visit", "Receipts divided by visits, of days on which both are known.", ".2f"
    ),
    "peak_visits_per_hour": _Figure(
        "Visits in the busiest hour", "Mean of visits in the local hour of the day that has most, where open."
    ),
    "captured_share": _Figure("Coverage", "Frames captured of those the cameras should have taken.", ".0%"),
}


def show_comparison(page: OpenPage) -> None:
    """Show one figure as bars, and all of them as a table."""
    stores = page.explorer.at_locations(compare_stores, page.filters)
    period = Period(page.filters.first_day, page.filters.last_day)
    earlier = period_before(period)
    _show_leaders(stores)
    known = [name for name in _FIGURES if stores[name].notna().any()]
    name = st.selectbox(
        "Compare by", known, format_func=lambda key: _FIGURES[key].title, width=360, key="compare_figure"
    )
    figure = _FIGURES[name]
    left_out = max(int(stores[name].notna().sum()) - STORES_AT_MOST, 0)
    more = f" {left_out} more stores are in the table." if left_out else ""
    page.figure(
        "stores",
        chart=store_bars(stores, value=name, title=figure.title, number_format=figure.number_format),
        table=_table(stores),
        definition=f"{figure.definition}{more} Change is of visits a day, against {earlier.label}.",
        expanded=True,
    )
    _show_gaps(stores)


def _show_leaders(stores: pd.DataFrame) -> None:
    counted = stores[stores["visits_per_day"].notna()]
    if counted.empty:
        st.info("None of these stores recognises visitors: only coverage can be compared.")
        return
    with st.container(horizontal=True):
        _show_leader("Most visits a day", counted, "visits_per_day", "{:,.1f}")
        _show_leader("Most visits an open hour", counted, "visits_per_open_hour", "{:,.2f}")
        _show_leader("Most receipts for each visit", counted, "transactions_per_visit", "{:.2f}")
        _show_leader("Longest visits, minutes", counted, "dwell_minutes", "{:,.1f}")
        _show_leader("Highest change", counted, "change", "{:+.0%}")


def _show_leader(what: str, stores: pd.DataFrame, name: str, written: str) -> None:
    """Show the store with the highest figure; nothing where one store at most has it."""
    known = stores[stores[name].notna()]
    if len(known) > 1:
        first = known.sort_values([name, "location"], ascending=[False, True]).iloc[0]
        st.metric(literal(f"{what}: {first['location']}"), written.format(float(first[name])), border=True)


def _show_gaps(stores: pd.DataFrame) -> None:
    silent = stores[stores["known_days"] == 0]["location"].tolist()
    if silent:
        st.caption(literal(f"No data in this period: {', '.join(silent[:10])}{' and more' if silent[10:] else ''}."))
    if stores["visits_per_open_hour"].isna().all():
        st.caption("Visits an open hour need opening hours: footfall import opening-hours FILE.csv")
    if stores["transactions_per_visit"].isna().all():
        st.caption("Conversion needs sales: footfall import sales FILE.csv")
    flagged = stores[stores["has_more_transactions_than_visits"].fillna(value=False)]["location"].tolist()
    if flagged:
        st.warning(
            literal(
                f"More receipts than visits on some day at {', '.join(flagged[:5])}"
                f"{' and more' if flagged[5:] else ''}: the cameras missed people, and conversion is too high there."
            )
        )


def _table(stores: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Store": stores["location"],
            "Days with data": stores["known_days"],
            "Visits": stores["visits"],
            "Visits a day": stores["visits_per_day"].round(1),
            "Rank by visits a day": stores["rank_visits_per_day"],
            "Change, %": (_PERCENT * stores["change"]).round(1),
            "Unique visitors a day": stores["unique_visitors_per_day"].round(1),
            "Rank by unique visitors a day": stores["rank_unique_visitors_per_day"],
            "Unique visitors of the period": stores["unique_visitors"],
            "Minutes of a visit": stores["dwell_minutes"].round(1),
            "At least": stores["dwell_lower_minutes"].round(1),
            "At most": stores["dwell_upper_minutes"].round(1),
            "Visits an open hour": stores["visits_per_open_hour"].round(2),
            "Rank by visits an open hour": stores["rank_visits_per_open_hour"],
            "Busiest hour": stores["peak_hour"],
            "Visits in it": stores["peak_visits_per_hour"].round(2),
            "Receipts for each visit": stores["transactions_per_visit"].round(3),
            "Rank by receipts for each visit": stores["rank_transactions_per_visit"],
            "Coverage, %": (_PERCENT * stores["captured_share"]).round(1),
        }
    )


require_app()
run_page(Page.COMPARE, "Compare stores", show_comparison)
