"""Where visitors stay and for how long: zones on the store's plan, departments, whole visits, each with its bounds."""

from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.dwell import (
    camera_visibility,
    dwell_by_department,
    dwell_by_zone,
    dwell_of_visits,
    stays_by_hour,
)
from streamlit_app.access import Page
from streamlit_app.dwell_charts import ROWS_AT_MOST, bounds_chart, hour_heat_map, plan_chart, share_chart
from streamlit_app.long_lists import pick_one
from streamlit_app.markdown import literal
from streamlit_app.navigation import require_app
from streamlit_app.shell import OpenPage, run_page

_BOUNDS: Final = (
    "Dwell is the time from the first to the last still that shows a visitor: at least so long. The upper bound adds "
    "the expected wait for such a still on both sides, the camera's interval divided by the chance that a still shows "
    "the face; the point is the middle of the two. Bar and point are medians."
)
_DWELL_COLUMNS: Final = {
    "median_lower_s": "Median, at least, s",
    "median_midpoint_s": "Median, midpoint, s",
    "median_upper_s": "Median, upper bound, s",
    "mean_lower_s": "Mean, at least, s",
    "mean_midpoint_s": "Mean, midpoint, s",
    "mean_upper_s": "Mean, upper bound, s",
}


def show_dwell(page: OpenPage) -> None:
    """Show the page's parts."""
    with page.section("How long visits last"):
        _show_visits(page)
    with page.section("Zones"):
        _show_zones(page)
    with page.section("On the store's plan"):
        _show_plan(page)
    with page.section("Departments"):
        _show_departments(page)
    with page.section("Stays by hour"):
        _show_hours(page)
    with page.section("How well the cameras see"):
        _show_visibility(page)


def _show_visits(page: OpenPage) -> None:
    visits = page.explorer.at_locations(dwell_of_visits, page.filters)
    if visits["visits"].isna().all():
        raise NoData("these locations count sightings only; how long anybody stayed is not known there")
    table = visits.rename(columns={"location": "Location", "days": "Days known", "visits": "Visits", **_DWELL_COLUMNS})
    page.figure(
        "dwell_of_visits",
        chart=bounds_chart(visits, label="location", title="Median dwell of a visit, seconds"),
        table=table.drop(columns="location_id").round(1),
        definition=f"A visit ends after 3 hours away or at local midnight. {_BOUNDS}",
    )


def _show_zones(page: OpenPage) -> None:
    zones = _zones(page)
    stores = len(set(zones["location_id"]))
    zones["label"] = zones["zone"] if stores == 1 else zones["location"] + ": " + zones["zone"]
    longest = zones.sort_values(["stays", "label"], ascending=[False, True])
    if len(longest) > ROWS_AT_MOST:
        st.caption(f"The chart shows the {ROWS_AT_MOST} of {len(longest)} zones with most stays.")
    page.figure(
        "dwell_by_zone",
        chart=bounds_chart(longest, label="label", title="Median dwell of a stay, seconds"),
        table=_zone_table(zones),
        definition=(
            "A stay is a run of sightings of one visitor in one zone, at any camera that sees it, with the gaps of an "
            f"appearance. {_BOUNDS} Visitors a day is a mean over days; visitors never add up over days or zones."
        ),
    )


def _zones(page: OpenPage) -> pd.DataFrame:
    zones = page.explorer.at_locations(dwell_by_zone, page.filters)
    if zones["stays"].isna().all():
        raise NoData("these locations count sightings only; how long anybody stayed is not known there")
    return zones.copy()


def _zone_table(zones: pd.DataFrame) -> pd.DataFrame:
    names = {
        "location": "Location",
        "zone": "Zone",
        "days": "Days known",
        "visitors_a_day": "Visitors a day",
        "most_visitors_a_day": "Most visitors a day",
        "stays": "Stays",
        **_DWELL_COLUMNS,
    }
    return zones[list(names)].rename(columns=names).round(1)


def _show_plan(page: OpenPage) -> None:
    zones = _zones(page)
    labels = dict(zip(zones["location_id"], zones["location"], strict=True))
    chosen = pick_one("Store", labels, key="dwell_store")
    here = zones[zones["location_id"] == chosen]
    unknown = sorted(here.loc[here["plan_x_m"].isna(), "zone"])
    if unknown:
        st.caption(literal(f"Place on the plan not known: {', '.join(unknown)}."))
    placed = here.dropna(subset=["plan_x_m", "plan_y_m"])
    table = placed[["zone", "camera_ids", "plan_x_m", "plan_y_m", "stays", "median_midpoint_s"]].rename(
        columns={
            "zone": "Zone",
            "camera_ids": "Cameras",
            "plan_x_m": "Metres right",
            "plan_y_m": "Metres up",
            "stays": "Stays",
            "median_midpoint_s": "Median dwell, midpoint, s",
        }
    )
    if placed.empty:
        raise NoData("no camera of this store has a place on its plan")
    page.figure(
        "zones_on_the_plan",
        chart=plan_chart(placed),
        table=table.round(1),
        definition=(
            "The larger a circle the more stays, the darker the longer their median dwell. A zone lies where its "
            "cameras do, as the registry says now; zones of one camera are drawn side by side."
        ),
        location_ids=(chosen,),
    )


def _show_departments(page: OpenPage) -> None:
    departments = page.explorer.at_locations(dwell_by_department, page.filters)
    if departments["share"].isna().all():
        raise NoData("nobody stayed in a zone, or these locations count sightings only")
    names = {"zone": "Department", "locations": "Stores", "stays": "Stays", "share": "Share of stays"}
    medians = {name: title for name, title in _DWELL_COLUMNS.items() if name.startswith("median")}
    page.figure(
        "departments",
        chart=share_chart(departments),
        table=departments[[*names, *medians]].rename(columns=names | medians).round(3),
        definition=f"A department is the zones of one name at all stores; stays add up, visitors do not. {_BOUNDS}",
    )


def _show_hours(page: OpenPage) -> None:
    hours = page.explorer.at_locations(stays_by_hour, page.filters)
    if hours.empty:
        raise NoData("no stay began in this period")
    together = hours.groupby(["zone", "local_hour"])[["stays"]].sum().reset_index()
    page.figure(
        "stays_by_hour",
        chart=hour_heat_map(together, row="zone", value="stays", title="Stays"),
        table=together.rename(columns={"zone": "Zone", "local_hour": "Local hour", "stays": "Stays"}),
        definition=(
            "Stays by the hour of the local clock in which they began, all days and stores of the period together. An "
            "empty cell had no stay, or no camera was alive: Traffic and staffing shows which hours were seen."
        ),
    )


def _show_visibility(page: OpenPage) -> None:
    found = page.explorer.at_locations(camera_visibility, page.filters)
    if found.empty:
        raise NoData("no visitor was seen in three stills in a row; the chance is taken as 1")
    names = {
        "location": "Location",
        "camera_id": "Camera",
        "linkage_window": "Window",
        "interval_s": "Interval, s",
        "stills": "Stills inside appearances",
        "stills_shown": "Of these with the face",
        "visibility": "Chance that a still shows it",
    }
    page.figure(
        "camera_visibility",
        chart=None,
        table=found[list(names)].rename(columns=names).round(3),
        definition=(
            "Of the stills between the first and the last sighting of an appearance, those that show the face, "
            "corrected for waits so long that they end the appearance. Below 30 such stills it is not known, and dwell "
            "takes 1."
        ),
    )


require_app()
run_page(Page.DWELL, "Dwell and zones", show_dwell)
