"""Charts of traffic, staffing, sales and stores: encodings only, no widgets and no queries."""

from datetime import date
from typing import Final

import altair as alt
import pandas as pd

from footfall_assets.reporting.staffing import WEEKDAYS

STORES_AT_MOST: Final = 24  # bars that can be told apart
_BLUE: Final = "#0072B2"
_ORANGE: Final = "#D55E00"
_PALE: Final = "#9CC7E3"
_SHADES: Final = ("#DCEBF5", "#0072B2")
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7A5195", "#000000")
_HEIGHT_PX: Final = 300
_FRAME_PX: Final = 90  # axis and legend of a chart whose rows have a height of their own
_HEAT_FRAME_PX: Final = 140  # the same with a legend of a colour scale
_ROW_PX: Final = 28
PLANNED, NEEDED = "Planned staff", "Needed staff"


def week_heat_map(profile: pd.DataFrame, *, title: str) -> alt.Chart:
    """Return a cell a weekday and local hour, the darker the more people; an hour nobody saw is empty.

    `profile` is what `hourly_profile` returns; `title` names the mean.
    """
    hours = [f"{hour:02}" for hour in range(int(profile["local_hour"].min()), int(profile["local_hour"].max()) + 1)]
    cells = pd.DataFrame(
        {
            "hour": [f"{hour:02}" for hour in profile["local_hour"]],
            "weekday": [WEEKDAYS[number - 1] for number in profile["weekday"]],
            "people_per_hour": profile["people_per_hour"],
            "store_days": profile["store_days"],
            "state": ["open" if is_open else "closed" for is_open in profile["is_open"]],
        }
    )
    x = alt.X("hour:O", title="Local hour", scale=alt.Scale(domain=hours), axis=alt.Axis(labelAngle=0))
    y = alt.Y(
        "weekday:N",
        title=None,
        sort=list(WEEKDAYS),
        scale=alt.Scale(domain=list(WEEKDAYS)),
        axis=alt.Axis(labelOverlap=False),
    )
    colour = alt.Color(
        "people_per_hour:Q",
        title=title,
        scale=alt.Scale(domainMin=0, range=list(_SHADES)),
        legend=alt.Legend(orient="top", format=".1f", gradientLength=160),
    )
    tooltip = [
        alt.Tooltip("weekday:N", title="Weekday"),
        alt.Tooltip("hour:O", title="Local hour"),
        alt.Tooltip("people_per_hour:Q", title=title, format=".2f"),
        alt.Tooltip("store_days:Q", title="Store days in the mean", format=",d"),
        alt.Tooltip("state:N", title="The stores were"),
    ]
    chart: alt.Chart = alt.Chart(cells, height=_HEAT_FRAME_PX + len(WEEKDAYS) * _ROW_PX).mark_rect(stroke="white")
    return chart.encode(x=x, y=y, color=colour, tooltip=tooltip)


def staffing_chart(profile: pd.DataFrame) -> alt.LayerChart:
    """Return a bar of planned and a mark of needed staff for each local hour; `profile` as `staffing_profile` gives."""
    x = alt.X("hour:O", title="Local hour", axis=alt.Axis(labelAngle=0))
    colour = alt.Color(
        "what:N",
        title=None,
        scale=alt.Scale(domain=[PLANNED, NEEDED], range=[_PALE, _ORANGE]),
        legend=alt.Legend(orient="top"),
    )
    hours = profile.assign(hour=[f"{hour:02}" for hour in profile["local_hour"]])
    tooltip = [
        alt.Tooltip("hour:O", title="Local hour"),
        alt.Tooltip("planned_staff:Q", title=PLANNED, format=".2f"),
        alt.Tooltip("needed_staff:Q", title=NEEDED, format=".2f"),
        alt.Tooltip("unique_visitors:Q", title="Unique visitors", format=".1f"),
        alt.Tooltip("hours:Q", title="Hours in the mean", format=",d"),
    ]
    y_title = "Staff, mean of hours"
    planned = alt.Chart(hours.assign(what=PLANNED)).mark_bar()
    needed = alt.Chart(hours.assign(what=NEEDED)).mark_tick(thickness=4)
    return alt.LayerChart(
        layer=[
            planned.encode(x=x, y=alt.Y("planned_staff:Q", title=y_title), color=colour, tooltip=tooltip),
            needed.encode(x=x, y=alt.Y("needed_staff:Q", title=y_title), color=colour, tooltip=tooltip),
        ]
    ).properties(height=_HEIGHT_PX)


def daily_lines(
    frame: pd.DataFrame, *, value: str, series: str, title: str, days: tuple[date, date], number_format: str
) -> alt.LayerChart:
    """Return one line a series over business days; a day without a value is a gap.

    `frame` has `business_day`, and the columns named by `value` and `series`; `days` are the first and the last.
    """
    labels = sorted(frame[series].unique())[: len(_COLOURS)]
    whole = pd.MultiIndex.from_product([labels, pd.date_range(*days)], names=[series, "day"])
    points = frame.assign(day=pd.to_datetime(frame["business_day"])).set_index([series, "day"])[value]
    lines = points.astype("float64").reindex(whole).reset_index()
    x = alt.X("day:T", title=None, axis=alt.Axis(format="%b %d", grid=False, tickCount={"interval": "day", "step": 1}))
    if (days[1] - days[0]).days > len(_COLOURS):
        x = alt.X("day:T", title=None, axis=alt.Axis(format="%b %d", grid=False, tickCount=6, labelOverlap=True))
    y = alt.Y(f"{value}:Q", title=title, axis=alt.Axis(format=number_format), scale=alt.Scale(domainMin=0))
    colour = alt.Color(
        f"{series}:N",
        title=None,
        scale=alt.Scale(domain=labels, range=list(_COLOURS[: len(labels)])),
        legend=alt.Legend(orient="top", columns=1, labelLimit=280),
    )
    tooltip = [
        alt.Tooltip(f"{series}:N", title="Series"),
        alt.Tooltip("day:T", title="Business day", format="%Y-%m-%d"),
        alt.Tooltip(f"{value}:Q", title=title, format=number_format),
    ]
    base = alt.Chart(lines).encode(x=x, y=y, color=colour, tooltip=tooltip)
    line = base.mark_line(invalid="break-paths-show-path-domains", strokeWidth=2)
    return alt.LayerChart(layer=[line, base.mark_circle(size=34, opacity=1, invalid="filter")]).properties(
        height=_HEIGHT_PX
    )


def store_bars(frame: pd.DataFrame, *, value: str, title: str, number_format: str) -> alt.Chart:
    """Return a bar a store, the longest first, at most `STORES_AT_MOST`; a store without the figure has none.

    `frame` has `location` and the column named by `value`.
    """
    known = frame[["location", value]].dropna().sort_values([value, "location"], ascending=[False, True])
    shown = known.head(STORES_AT_MOST).astype({value: "float64"})
    x = alt.X(f"{value}:Q", title=title, axis=alt.Axis(format=number_format, tickCount=6), scale=alt.Scale(domainMin=0))
    y = alt.Y("location:N", title=None, sort=shown["location"].tolist(), axis=alt.Axis(labelLimit=160))
    tooltip = [
        alt.Tooltip("location:N", title="Store"),
        alt.Tooltip(f"{value}:Q", title=title, format=number_format),
    ]
    chart: alt.Chart = alt.Chart(shown, height=_FRAME_PX + len(shown) * _ROW_PX).mark_bar(color=_BLUE)
    return chart.encode(x=x, y=y, tooltip=tooltip)
