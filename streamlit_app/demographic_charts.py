"""Charts of shares by age, gender and expression: encodings only, no widgets and no queries."""

from typing import Final

import altair as alt
import pandas as pd

_BLUE: Final = "#0072B2"
_ORANGE: Final = "#D55E00"
_GREY: Final = "#3A3A3A"
_ROW_PX: Final = 30
_PAIR_PX: Final = 46
_FRAME_PX: Final = 90  # axis and legend


def pairs_chart(shares: pd.DataFrame) -> alt.LayerChart:
    """Return two bars an age band, women and men, each with its interval.

    `shares` has `band`, `gender`, `label`, and `share`, `low`, `high` (0 to 1), in the order of the bands.
    """
    bands = list(dict.fromkeys(shares["band"]))
    y = alt.Y("band:N", title=None, sort=bands, scale=alt.Scale(domain=bands), axis=alt.Axis(labelLimit=110))
    offset = alt.YOffset("gender:N", sort=["women", "men"])
    colour = alt.Color(
        "gender:N",
        title=None,
        scale=alt.Scale(domain=["women", "men"], range=[_ORANGE, _BLUE]),
        legend=alt.Legend(orient="top"),
    )
    base = alt.Chart(shares).encode(y=y, yOffset=offset, tooltip=_tooltip())
    bars = base.mark_bar(opacity=0.75).encode(x=_share("share"), color=colour)
    interval = base.mark_rule(strokeWidth=2, color=_GREY).encode(x=_share("low"), x2="high:Q")
    return alt.LayerChart(layer=[bars, interval]).properties(height=_FRAME_PX + _PAIR_PX * len(bands))


def shares_chart(shares: pd.DataFrame) -> alt.LayerChart:
    """Return a bar a class with its interval; `shares` has `label`, `share`, `low`, `high` (0 to 1), in their order."""
    labels = list(shares["label"])
    y = alt.Y("label:N", title=None, sort=labels, scale=alt.Scale(domain=labels), axis=alt.Axis(labelLimit=110))
    base = alt.Chart(shares).encode(y=y, tooltip=_tooltip())
    bars = base.mark_bar(opacity=0.75, color=_BLUE).encode(x=_share("share"))
    interval = base.mark_rule(strokeWidth=2, color=_GREY).encode(x=_share("low"), x2="high:Q")
    return alt.LayerChart(layer=[bars, interval]).properties(height=_FRAME_PX + _ROW_PX * len(labels))


def _share(column: str) -> alt.X:
    return alt.X(f"{column}:Q", title="Share of visitor-days", axis=alt.Axis(format=".0%", tickCount=5))


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("label:N", title="Class"),
        alt.Tooltip("share:Q", title="Share", format=".1%"),
        alt.Tooltip("low:Q", title="From", format=".1%"),
        alt.Tooltip("high:Q", title="To", format=".1%"),
    ]
