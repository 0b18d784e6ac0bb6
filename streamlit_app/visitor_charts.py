"""Charts about one visitor: encodings only, no widgets and no queries."""

from typing import Final

import altair as alt
import pandas as pd

_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7A5195", "#000000")
_CAMERA_ROW_PX: Final = 30
_FRAME_PX: Final = 120  # axis and legend


def camera_label(location: str, camera: str) -> str:
    """Return a camera's name with its store's, once where the camera is named after the store."""
    return camera if camera.startswith(location) else f"{location}: {camera}"


def timeline_chart(frame: pd.DataFrame) -> alt.Chart:
    """Return a point an appearance, by local time and camera, the larger the more sightings; colours are locations.

    `frame` is that of `visitor_timeline`.
    """
    shown = frame.assign(place=[camera_label(*each) for each in zip(frame["location"], frame["camera"], strict=True)])
    labels = sorted(shown["location"].unique())
    colours = [_COLOURS[number % len(_COLOURS)] for number in range(len(labels))]
    x = alt.X(
        "starts_local:T",
        title=None,
        axis=alt.Axis(format="%b %d %H:%M", labelOverlap=True, tickCount=6),
        scale=alt.Scale(padding=16),
    )
    y = alt.Y("place:N", title=None, sort=sorted(shown["place"].unique()), axis=alt.Axis(labelLimit=170, grid=True))
    colour = alt.Color(
        "location:N",
        title=None,
        scale=alt.Scale(domain=labels, range=colours),
        legend=alt.Legend(orient="top", columns=1, labelLimit=280),
    )
    size = alt.Size("sightings:Q", legend=None, scale=alt.Scale(range=[60, 400]))
    tooltip = [
        alt.Tooltip("place:N", title="Camera"),
        alt.Tooltip("starts_local:T", title="From (local)", format="%Y-%m-%d %H:%M:%S"),
        alt.Tooltip("ends_local:T", title="To (local)", format="%Y-%m-%d %H:%M:%S"),
        alt.Tooltip("sightings:Q", title="Sightings", format=",d"),
        alt.Tooltip("visit:Q", title="Visit", format=",d"),
    ]
    height = _FRAME_PX + _CAMERA_ROW_PX * shown["place"].nunique()
    chart: alt.Chart = alt.Chart(shown, height=height).mark_circle(opacity=0.8)
    return chart.encode(x=x, y=y, color=colour, size=size, tooltip=tooltip)
