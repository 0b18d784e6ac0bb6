"""Charts of dwell and zones: encodings only, no widgets and no queries."""

import math
from typing import Final

import altair as alt
import pandas as pd

ROWS_AT_MOST: Final = 24  # zones that can be told apart
NOT_DRAWN_APART_M: Final = 2.2  # metres between zones that one camera sees: they have its place on the plan
_BLUE: Final = "#0072B2"
_PALE: Final = "#9CC7E3"
_SHADES: Final = ("#CFE3F1", "#00466E")
_FRAME_PX: Final = 90
_TICKS: Final = 6
_ROW_PX: Final = 28
_PLAN_PX: Final = 380
_HEAT_FRAME_PX: Final = 140
_MARGIN_M: Final = 2.5  # metres around the outermost zones


def bounds_chart(frame: pd.DataFrame, *, label: str, title: str) -> alt.LayerChart:
    """Return a bar from lower to upper bound with a point at the midpoint, one row a value of the column `label`.

    `frame` has `median_lower_s`, `median_midpoint_s` and `median_upper_s`, in seconds.
    """
    columns = [label, "median_lower_s", "median_midpoint_s", "median_upper_s"]
    shown = frame[columns].dropna().head(ROWS_AT_MOST).rename(columns={label: "label"})
    y = alt.Y("label:N", title=None, sort=None, axis=alt.Axis(labelLimit=170))
    tooltip = [
        alt.Tooltip("label:N", title="Where"),
        alt.Tooltip("median_lower_s:Q", title="At least, s", format=",.0f"),
        alt.Tooltip("median_midpoint_s:Q", title="Midpoint, s", format=",.0f"),
        alt.Tooltip("median_upper_s:Q", title="Upper bound, s", format=",.0f"),
    ]
    base = alt.Chart(shown).encode(y=y, tooltip=tooltip)
    scale = alt.Scale(domainMin=0)
    bar = base.mark_bar(color=_PALE, height=10).encode(
        x=alt.X("median_lower_s:Q", title=title, scale=scale, axis=alt.Axis(tickCount=_TICKS, format=",d")),
        x2="median_upper_s:Q",
    )
    point = base.mark_circle(color=_BLUE, size=90, opacity=1).encode(x="median_midpoint_s:Q")
    return alt.LayerChart(layer=[bar, point]).properties(height=_FRAME_PX + _ROW_PX * len(shown))


def plan_positions(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a place on the plan, zones at one place moved apart sideways in order of name.

    `is_above` is true for every second of them: side by side their names would run into each other.
    """
    placed = frame.dropna(subset=["plan_x_m", "plan_y_m"]).sort_values("zone")
    at = placed.groupby(["plan_x_m", "plan_y_m"])["zone"]
    offset = at.cumcount() - (at.transform("size") - 1) / 2
    return placed.assign(plan_x_m=placed["plan_x_m"] + NOT_DRAWN_APART_M * offset, is_above=at.cumcount() % 2 == 1)


def plan_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """Return the zones of one store on its plan: the larger the more stays, the darker the longer the median dwell.

    `frame` has one row a zone, as `dwell_by_zone` returns it; zones without a place on the plan are left out.
    """
    columns = ["zone", "stays", "median_midpoint_s", "plan_x_m", "plan_y_m", "is_above"]
    placed = plan_positions(frame)[columns]

    def axis(column: str, title: str) -> tuple[str, str, alt.Scale]:
        low = math.floor(float(placed[column].min()) - _MARGIN_M)
        high = math.ceil(float(placed[column].max()) + _MARGIN_M)
        return f"{column}:Q", title, alt.Scale(domain=[low, high], nice=False, zero=False)

    x, x_title, x_scale = axis("plan_x_m", "Metres")
    y, y_title, y_scale = axis("plan_y_m", "Metres")
    base = alt.Chart(placed).encode(
        x=alt.X(x, title=x_title, scale=x_scale, axis=alt.Axis(tickCount=_TICKS)),
        y=alt.Y(y, title=y_title, scale=y_scale, axis=alt.Axis(tickCount=_TICKS)),
        tooltip=[
            alt.Tooltip("zone:N", title="Zone"),
            alt.Tooltip("stays:Q", title="Stays", format=",d"),
            alt.Tooltip("median_midpoint_s:Q", title="Median dwell, s", format=",.0f"),
        ],
    )
    circles = base.mark_circle(opacity=0.9).encode(
        size=alt.Size("stays:Q", title="Stays", scale=alt.Scale(range=[150, 2200], domainMin=0), legend=None),
        color=alt.Color(
            "median_midpoint_s:Q",
            title="Median dwell, s",
            scale=alt.Scale(range=list(_SHADES)),
            legend=alt.Legend(orient="top", gradientLength=140),
        ),
    )
    below, above = (
        base.transform_filter(f"datum.is_above === {which}")
        .mark_text(dy=dy_px, fontSize=12, color="#333333")
        .encode(text="zone:N")
        for which, dy_px in (("false", 32), ("true", -32))
    )
    return alt.LayerChart(layer=[circles, below, above]).properties(height=_PLAN_PX)


def share_chart(frame: pd.DataFrame) -> alt.Chart:
    """Return a bar a department, as long as its share of all stays; `frame` is what `dwell_by_department` returns."""
    shown = frame[["zone", "stays", "share"]].dropna().head(ROWS_AT_MOST)
    chart: alt.Chart = alt.Chart(shown, height=_FRAME_PX + _ROW_PX * len(shown)).mark_bar(color=_BLUE, height=14)
    return chart.encode(
        x=alt.X("share:Q", title="Share of stays", axis=alt.Axis(format=".0%", tickCount=_TICKS)),
        y=alt.Y("zone:N", title=None, sort=None, axis=alt.Axis(labelLimit=170)),
        tooltip=[
            alt.Tooltip("zone:N", title="Department"),
            alt.Tooltip("stays:Q", title="Stays", format=",d"),
            alt.Tooltip("share:Q", title="Share", format=".1%"),
        ],
    )


def hour_heat_map(frame: pd.DataFrame, *, row: str, value: str, title: str) -> alt.Chart:
    """Return a cell a place and local hour, the darker the more; an hour without any is empty.

    `frame` has `local_hour` and the columns named `row` and `value`.
    """
    cells = frame[["local_hour", row, value]].rename(columns={row: "place", value: "value"})
    cells["hour"] = [f"{hour:02}" for hour in cells["local_hour"]]
    hours = [f"{hour:02}" for hour in range(int(cells["local_hour"].min()), int(cells["local_hour"].max()) + 1)]
    places = cells["place"].nunique()
    chart: alt.Chart = alt.Chart(cells, height=_HEAT_FRAME_PX + _ROW_PX * places).mark_rect(stroke="white")
    return chart.encode(
        x=alt.X("hour:O", title="Local hour", scale=alt.Scale(domain=hours), axis=alt.Axis(labelAngle=0)),
        y=alt.Y("place:N", title=None, axis=alt.Axis(labelLimit=150)),
        color=alt.Color(
            "value:Q",
            title=title,
            scale=alt.Scale(domainMin=0, range=list(_SHADES)),
            legend=alt.Legend(orient="top", gradientLength=140),
        ),
        tooltip=[
            alt.Tooltip("place:N", title="Zone"),
            alt.Tooltip("hour:O", title="Local hour"),
            alt.Tooltip("value:Q", title=title, format=",d"),
        ],
    )
