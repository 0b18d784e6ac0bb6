"""Charts of the overview: encodings only, no widgets and no queries."""

from typing import Final

import altair as alt
import pandas as pd

_NOW: Final = "#0072B2"
_BEFORE: Final = "#8a979d"
_HEIGHT_PX: Final = 260
_STRIP_PX: Final = 150


def hours_chart(frame: pd.DataFrame, *, day: str, earlier_day: str) -> alt.LayerChart:
    """Return visits begun by local hour of two days as lines; an hour without a record is a gap.

    `frame` has `local_hour`, `visits` and `earlier_visits`.
    """
    named = {"visits": day, "earlier_visits": earlier_day}
    if frame["earlier_visits"].isna().all():  # a name in the legend without a line would be looked for in vain
        del named["earlier_visits"]
    hours = frame.set_index("local_hour").reindex(range(frame["local_hour"].min(), frame["local_hour"].max() + 1))
    long = pd.concat(
        [
            hours.reset_index()[["local_hour", name]].rename(columns={name: "visits"}).assign(day=label)
            for name, label in named.items()
        ]
    )
    x = alt.X("local_hour:Q", title="Hour of the day (local)", axis=alt.Axis(tickMinStep=1, format="d", grid=False))
    y = alt.Y("visits:Q", title="Visits begun", axis=alt.Axis(format=",d", tickMinStep=1))
    colour = alt.Color(
        "day:N",
        title=None,
        scale=alt.Scale(domain=list(named.values()), range=[_NOW, _BEFORE][: len(named)]),
        legend=alt.Legend(orient="top", columns=1, labelLimit=280),
    )
    tooltip = [
        alt.Tooltip("day:N", title="Day"),
        alt.Tooltip("local_hour:Q", title="Hour"),
        alt.Tooltip("visits:Q", title="Visits begun", format=",d"),
    ]
    base = alt.Chart(long).encode(x=x, y=y, color=colour, tooltip=tooltip)
    line = base.mark_line(invalid="break-paths-show-path-domains", strokeWidth=2)
    points = base.mark_circle(size=34, opacity=1, invalid="filter")
    return alt.LayerChart(layer=[line, points]).properties(height=_HEIGHT_PX)


def strip_chart(frame: pd.DataFrame) -> alt.Chart:
    """Return sightings in windows of 15 seconds as bars; a window in which no camera was alive has none, and grey.

    `frame` has `local_time`, `sightings` and `unique_visitors`, as `recent_footfall` returns its windows.
    """
    shown = frame.assign(
        ends=frame["local_time"] + pd.Timedelta(seconds=15),
        state=frame["sightings"].map(lambda count: "no camera alive" if pd.isna(count) else "sightings"),
        height=frame["sightings"].fillna(max(frame["sightings"].max(), 1) if frame["sightings"].notna().any() else 1),
        foot=0,
    )
    columns = ["local_time", "ends", "state", "height", "foot", "sightings", "unique_visitors"]
    x = alt.X("local_time:T", title=None, axis=alt.Axis(format="%H:%M", tickCount=6, labelOverlap=True, grid=False))
    y = alt.Y("height:Q", title="Sightings", axis=alt.Axis(format=",d", tickMinStep=1))
    colour = alt.Color(
        "state:N",
        title=None,
        scale=alt.Scale(domain=["sightings", "no camera alive"], range=[_NOW, "#e4e9eb"]),
        legend=alt.Legend(orient="top"),
    )
    tooltip = [
        alt.Tooltip("local_time:T", title="From (local)", format="%Y-%m-%d %H:%M:%S"),
        alt.Tooltip("sightings:Q", title="Sightings", format=",d"),
        alt.Tooltip("unique_visitors:Q", title="Unique visitors", format=",d"),
    ]
    chart: alt.Chart = alt.Chart(shown[columns], height=_STRIP_PX).mark_rect()
    return chart.encode(x=x, x2="ends:T", y=y, y2="foot:Q", color=colour, tooltip=tooltip)
