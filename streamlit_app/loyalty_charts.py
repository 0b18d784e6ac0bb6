"""Charts of loyalty: encodings only, no widgets and no queries."""

from typing import Final

import altair as alt
import pandas as pd

from streamlit_app.share_matrix import ROWS_AT_MOST, share_matrix

NEW, RETURNING = "New", "Returning"
_BLUE: Final = "#0072B2"
_ORANGE: Final = "#D55E00"
_HEIGHT_PX: Final = 300


def new_and_returning_chart(frame: pd.DataFrame) -> alt.Chart:
    """Return a stacked bar a day; a day on which new and returning are not known has none.

    `frame` has `business_day`, `new_visitors` and `returning_visitors`, of one location or of all together.
    """
    days = [f"{day:%Y-%m-%d}" for day in frame["business_day"]]
    long = pd.concat(
        pd.DataFrame({"day": days, "kind": kind, "order": order, "visitors": frame[column].astype("Float64")})
        for order, (kind, column) in enumerate(((RETURNING, "returning_visitors"), (NEW, "new_visitors")))
    )
    chart: alt.Chart = alt.Chart(long.dropna(), height=_HEIGHT_PX).mark_bar()
    return chart.encode(
        x=alt.X("day:O", title=None, scale=alt.Scale(domain=days), axis=alt.Axis(labelAngle=-60, labelOverlap=True)),
        y=alt.Y("visitors:Q", title="Visitors", axis=alt.Axis(format=",d", tickMinStep=1)),
        color=alt.Color(
            "kind:N",
            title=None,
            scale=alt.Scale(domain=[NEW, RETURNING], range=[_ORANGE, _BLUE]),
            legend=alt.Legend(orient="top"),
        ),
        order=alt.Order("order:Q"),
        tooltip=[
            alt.Tooltip("day:O", title="Business day"),
            alt.Tooltip("kind:N", title="Kind"),
            alt.Tooltip("visitors:Q", title="Visitors", format=",d"),
        ],
    )


def times_chart(frame: pd.DataFrame, *, x: str, y: str, x_title: str, y_title: str) -> alt.Chart:
    """Return a bar a number of times; `x` and `y` name the columns with the number and its count."""
    columns = pd.DataFrame({"times": frame[x], "count": frame[y]})
    chart: alt.Chart = alt.Chart(columns, height=_HEIGHT_PX).mark_bar(color=_BLUE)
    return chart.encode(
        x=alt.X("times:O", title=x_title, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("count:Q", title=y_title, axis=alt.Axis(format=",d", tickMinStep=1)),
        tooltip=[
            alt.Tooltip("times:O", title=x_title),
            alt.Tooltip("count:Q", title=y_title, format=",d"),
        ],
    )


def shared_matrix(frame: pd.DataFrame) -> alt.LayerChart:
    """Return a cell for each pair of different stores, the darker the larger the share of the row's visitors.

    `frame` has `location`, `other_location`, `visitors` and `share`, both ways round.
    """
    names = sorted(set(frame["location"]))[:ROWS_AT_MOST]
    cells = frame[frame["location"].isin(names) & frame["other_location"].isin(names)]
    cells = cells[["location", "other_location", "visitors", "share"]]
    base = alt.Chart(cells).encode(
        x=alt.X(
            "other_location:N",
            title="also came to",
            scale=alt.Scale(domain=names),
            axis=alt.Axis(labelAngle=-40, labelLimit=120),
        ),
        y=alt.Y("location:N", title="Visitors of", scale=alt.Scale(domain=names), axis=alt.Axis(labelLimit=120)),
        tooltip=[
            alt.Tooltip("location:N", title="Visitors of"),
            alt.Tooltip("other_location:N", title="also came to"),
            alt.Tooltip("visitors:Q", title="Visitors", format=",d"),
            alt.Tooltip("share:Q", title="Share", format=".1%"),
        ],
    )
    return share_matrix(base, count="visitors", share="share", title="Share of the row's visitors", rows=len(names))
