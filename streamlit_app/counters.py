"""What door counters and other sources counted on one day, and how it is told where there is no camera."""

from collections.abc import Collection
from datetime import date
from typing import Final

import pandas as pd
import streamlit as st

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.counted_traffic import counted_traffic_by_location, newest_counted_day
from footfall_assets.reporting.formats import long_date
from streamlit_app.shell import OpenPage

NO_CAMERA: Final = "not available"  # unique visitors of a location without a camera: unknown, never zero


def unique_visitors_column(location_ids: pd.Series, counted_only: Collection[str]) -> pd.Series:
    """Return of each location where its unique visitors come from, `NO_CAMERA` where nobody can tell people apart."""
    return location_ids.map(lambda key: NO_CAMERA if key in counted_only else "from cameras")


def show_counted_day(page: OpenPage, day: date) -> None:
    """Show what was counted on a day by location and source; a sentence where nothing was."""
    found = page.explorer.at_locations(counted_traffic_by_location, page.day(day))
    if found.empty:
        st.caption("No door counter, mat, beam or count by hand covers this day: footfall import counts FILE.csv.")
        return
    table = pd.DataFrame(
        {
            "Store": found["location"],
            "Source": found["count_source"],
            "People in": found["people_in"],
            "People out": found["people_out"],
            "Hours counted": found["hours"],
            "Unique visitors": unique_visitors_column(found["location_id"], page.selection().counted_only_ids),
        }
    )
    page.figure(
        "counted_at_the_doors",
        chart=None,
        table=table,
        definition="Passages of everybody, also of staff. People add up over stores of one source, sources never do. A "
        "counter cannot tell people apart: without a camera unique visitors are not available, which is not zero.",
        filters=page.day(day),
    )


def showed_newest_counted_day(page: OpenPage) -> bool:
    """Show the newest day that was counted, where no camera saw any; return whether one was."""
    try:
        day = page.explorer.at_locations(newest_counted_day, page.filters)
    except NoData:
        return False
    st.subheader(long_date(day))
    st.info("No camera saw these stores: only counters tell of them. Unique visitors, visits and dwell: not available.")
    show_counted_day(page, day)
    return True
