"""In which order visitors go through the store: moves from zone to zone, and the most common journeys."""

from typing import Final

import streamlit as st

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.journeys import ENTRY, EXIT, flows, flows_by_hour, journeys
from streamlit_app.access import Page
from streamlit_app.dwell_charts import hour_heat_map
from streamlit_app.journey_charts import flow_matrix, journey_chart, shown_places
from streamlit_app.navigation import require_app
from streamlit_app.share_matrix import ROWS_AT_MOST
from streamlit_app.shell import OpenPage, run_page

_LEVELS: Final = {"zone": "Zones", "camera": "Cameras"}
_RULE: Final = (
    "A visit moves on when another place sees the visitor last; two places that see the same person at once make no "
    "way back and forth."
)


def show_journeys(page: OpenPage) -> None:
    """Show the page's parts."""
    with page.section("From place to place"):
        _show_flows(page)
    with page.section("Most common journeys"):
        _show_journeys(page)
    with page.section("When zones are reached"):
        _show_hours(page)


def _show_flows(page: OpenPage) -> None:
    level = st.segmented_control(
        "Places", list(_LEVELS), default="zone", format_func=lambda each: _LEVELS[each], key="journeys_level"
    )
    found = page.explorer.at_locations(flows, page.filters, level=level or "zone")
    visits = int(found.loc[found["from_place"] == ENTRY, "moves"].sum())
    only_one = int(found.loc[found["from_place"].ne(ENTRY) & found["to_place"].ne(EXIT), "moves"].sum())
    with st.container(horizontal=True):
        st.metric("Visits", f"{visits:,}", border=True)
        st.metric("Moves inside the store, a visit", f"{only_one / visits:.1f}", border=True)
    places = found.loc[found["to_place"] != EXIT, "to_place"].nunique()
    if places > ROWS_AT_MOST:
        st.caption(f"The chart shows the {len(shown_places(found))} of {places} places that most moves go to.")
    names = {
        "from_place": "From",
        "to_place": "To",
        "moves": "Moves",
        "share_of_leaving": "Share of those that left",
        "mean_gap_s": "Mean gap, s",
    }
    page.figure(
        "moves",
        chart=flow_matrix(found),
        table=found[list(names)].rename(columns=names).round(3),
        definition=(
            f"{_RULE} The number is moves, the colour their share of all that left the place. The gap is from the last "
            "sighting at the one to the first at the other. Zones of one name at several stores are one place."
        ),
    )


def _show_journeys(page: OpenPage) -> None:
    found = page.explorer.at_locations(journeys, page.filters).copy()
    found["label"] = found["journey"].where(~found["goes_on"], found["journey"] + " > ...")
    names = {"label": "Journey", "visits": "Visits", "share": "Share of visits"}
    page.figure(
        "journeys",
        chart=journey_chart(found),
        table=found[list(names)].rename(columns=names).round(4),
        definition=f"The first five zones of each visit in the order in which they were reached. {_RULE}",
    )


def _show_hours(page: OpenPage) -> None:
    found = page.explorer.at_locations(flows_by_hour, page.filters)
    if found.empty:
        raise NoData("no zone was reached in this period")
    reached = found[found["to_place"] != EXIT].groupby(["to_place", "local_hour"])[["moves"]].sum().reset_index()
    page.figure(
        "zones_reached_by_hour",
        chart=hour_heat_map(reached, row="to_place", value="moves", title="Moves"),
        table=reached.rename(columns={"to_place": "Zone", "local_hour": "Local hour", "moves": "Moves"}),
        definition=(
            "Moves into each zone by the hour of the local clock in which it was reached, all days and stores together."
        ),
    )


require_app()
run_page(Page.JOURNEYS, "Journeys", show_journeys)
