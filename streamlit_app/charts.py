"""From a data frame to a chart: encodings only, no widgets and no queries."""

import math
from datetime import date
from typing import Final

import altair as alt
import pandas as pd

from streamlit_app.filters import Grain

LINES_AT_MOST: Final = 8
# Okabe and Ito, Color Universal Design (2008), without its yellow, which is too light for a line on white; black last.
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7A5195", "#000000")
_HEIGHT_PX: Final = 320
CAMERAS_AT_MOST: Final = 24
_CAMERA_ROW_PX: Final = 28
_COVERAGE_FRAME_PX: Final = 180
MEASURES: Final = {
    "unique_visitors": "Unique visitors",
    "visits": "Visits",
    "appearances": "Appearances",
    "sightings": "Sightings",
}
_TIME_FORMATS: Final = {Grain.HOUR: "%Y-%m-%d %H:%M", Grain.DAY: "%Y-%m-%d"}
_TICKS_AT_MOST: Final = 8
_HOUR_STEPS: Final = (1, 3, 6, 12)
_AXIS_FORMATS: Final = {Grain.HOUR: "%b %d %H:%M", Grain.DAY: "%b %d"}


def footfall_chart(frame: pd.DataFrame, *, measure: str, grain: Grain) -> alt.LayerChart:
    """Return one line a location over its local time; where `measure` is missing the line has a gap.

    `frame` has `local_time`, `location` and `measure`, as the footfall queries return it.
    """
    labels = sorted(frame["location"].unique())
    x = alt.X(
        "local_time:T",
        title=None,
        axis=alt.Axis(format=_AXIS_FORMATS[grain], labelOverlap=True, values=_ticks(frame, grain), grid=False),
        scale=alt.Scale(padding=12),
    )
    y = alt.Y(f"{measure}:Q", title=MEASURES[measure], axis=alt.Axis(format=",d", tickMinStep=1))
    colour = alt.Color(
        "location:N",
        title=None,
        scale=alt.Scale(domain=labels, range=list(_COLOURS[: len(labels)])),
        legend=alt.Legend(orient="top", columns=1, labelLimit=280),  # two columns are cut off at 390 px
    )
    tooltip = [
        alt.Tooltip("location:N", title="Location"),
        alt.Tooltip("local_time:T", title="Local time", format=_TIME_FORMATS[grain]),
        alt.Tooltip(f"{measure}:Q", title=MEASURES[measure], format=",d"),
    ]
    columns = frame[["local_time", "location", measure]]
    base = alt.Chart(columns).encode(x=x, y=y, color=colour, tooltip=tooltip)
    # A count between two gaps is a line of no length: only its point shows it.
    line = base.mark_line(invalid="break-paths-show-path-domains", strokeWidth=2)
    points = base.mark_circle(size=34, opacity=1, invalid="filter")
    return alt.LayerChart(layer=[line, points]).properties(height=_HEIGHT_PX)


def _ticks(frame: pd.DataFrame, grain: Grain) -> list[alt.DateTime]:
    """Return up to about `_TICKS_AT_MOST` whole hours or days to label, from the first day's midnight on.

    Given as moments: a tick count puts several ticks on one day, all with its name, and an interval of hours that
    Vega-Lite's schema takes ("hour") makes Vega draw nothing (it knows "hours").
    """
    first, last = frame["local_time"].min().normalize(), frame["local_time"].max()
    hours = (last - first) / pd.Timedelta(hours=1)
    steps = _HOUR_STEPS if grain is Grain.HOUR else ()
    days = max(1, math.ceil(hours / 24 / _TICKS_AT_MOST))
    step = next((step for step in steps if hours / step <= _TICKS_AT_MOST), days * 24)
    return [
        alt.DateTime(year=each.year, month=each.month, date=each.day, hours=each.hour)
        for each in pd.date_range(first, last, freq=f"{step}h")
    ]


def shown_locations(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first `LINES_AT_MOST` locations by name; more lines cannot be told apart."""
    kept = sorted(frame["location"].unique())[:LINES_AT_MOST]
    return frame[frame["location"].isin(kept)]


def coverage_chart(frame: pd.DataFrame, *, first_day: date, last_day: date) -> alt.Chart:
    """Return a cell a camera and day, the darker the more frames came of those expected; a day without one is empty.

    `frame` has `camera_id`, `business_day`, `captured_share` (0 to 1), `frames_captured`, `frames_expected` and
    `missing_batches`, as `coverage_by_day` returns it.
    """
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range(first_day, last_day)]
    columns = ["camera_id", "captured_share", "frames_captured", "frames_expected", "missing_batches"]
    cells = frame[columns].assign(day=frame["business_day"].astype(str))
    x = alt.X("day:O", title=None, scale=alt.Scale(domain=days), axis=alt.Axis(labelAngle=-90, labelOverlap=True))
    y = alt.Y("camera_id:N", title=None, sort=None, axis=alt.Axis(labelLimit=150))
    colour = alt.Color(
        "captured_share:Q",
        title="Captured",
        scale=alt.Scale(domain=[0, 1], range=["#DCEBF5", "#0072B2"]),
        legend=alt.Legend(orient="top", format=".0%", gradientLength=160),
    )
    tooltip = [
        alt.Tooltip("camera_id:N", title="Camera"),
        alt.Tooltip("day:O", title="Business day"),
        alt.Tooltip("captured_share:Q", title="Captured", format=".1%"),
        alt.Tooltip("frames_captured:Q", title="Frames captured", format=",d"),
        alt.Tooltip("frames_expected:Q", title="Frames expected", format=",d"),
        alt.Tooltip("missing_batches:Q", title="Batches missing", format=",d"),
    ]
    height = _COVERAGE_FRAME_PX + _CAMERA_ROW_PX * frame["camera_id"].nunique()  # with axis and legend, as it is fitted
    chart: alt.Chart = alt.Chart(cells, height=height).mark_rect(stroke="white")
    return chart.encode(x=x, y=y, color=colour, tooltip=tooltip)


def shown_cameras(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first `CAMERAS_AT_MOST` cameras by name, sorted by name and day."""
    kept = sorted(frame["camera_id"].unique())[:CAMERAS_AT_MOST]
    return frame[frame["camera_id"].isin(kept)].sort_values(["camera_id", "business_day"])
