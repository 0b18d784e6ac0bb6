"""Charts of ways through a store: encodings only, no widgets and no queries."""

from typing import Final

import altair as alt
import pandas as pd

from footfall_assets.reporting.journeys import ENTRY, EXIT
from streamlit_app.share_matrix import ROWS_AT_MOST, share_matrix

_BLUE: Final = "#0072B2"
_ROW_PX: Final = 34
_BAR_FRAME_PX: Final = 60


def shown_places(frame: pd.DataFrame) -> list[str]:
    """Return the places most moves go to, at most `ROWS_AT_MOST`, without the way in and the way out."""
    moves = frame[frame["to_place"] != EXIT].groupby("to_place")["moves"].sum()
    return [str(place) for place in moves.sort_values(ascending=False, kind="stable").index[:ROWS_AT_MOST]]


def flow_matrix(frame: pd.DataFrame) -> alt.LayerChart:
    """Return a cell for each pair of places, the darker the larger the share of those that left the first.

    `frame` is what `flows` returns; of very many places those are shown that most moves go to.
    """
    places = shown_places(frame)
    rows, columns = [ENTRY, *places], [*places, EXIT]
    cells = frame[frame["from_place"].isin(rows) & frame["to_place"].isin(columns)]
    cells = cells[["from_place", "to_place", "moves", "share_of_leaving"]]
    base = alt.Chart(cells).encode(
        x=alt.X(
            "to_place:N",
            title="To",
            scale=alt.Scale(domain=columns),
            axis=alt.Axis(labelAngle=-40, labelLimit=120, labelOverlap=False),
        ),
        y=alt.Y("from_place:N", title="From", scale=alt.Scale(domain=rows), axis=alt.Axis(labelLimit=120)),
        tooltip=[
            alt.Tooltip("from_place:N", title="From"),
            alt.Tooltip("to_place:N", title="To"),
            alt.Tooltip("moves:Q", title="Moves", format=",d"),
            alt.Tooltip("share_of_leaving:Q", title="Share of those that left", format=".0%"),
        ],
    )
    return share_matrix(base, count="moves", share="share_of_leaving", title="Share of those that left", rows=len(rows))


def journey_chart(frame: pd.DataFrame) -> alt.LayerChart:
    """Return a bar a journey, as long as its share of all visits, its zones written above it.

    `frame` has `label`, `visits` and `share`, the most frequent first.
    """
    shown = frame[["label", "visits", "share"]]
    base = alt.Chart(shown).encode(
        y=alt.Y("label:N", title=None, sort=None, axis=None),
        x=alt.X("share:Q", title="Share of visits", axis=alt.Axis(format=".0%", tickCount=6)),
        tooltip=[
            alt.Tooltip("label:N", title="Journey"),
            alt.Tooltip("visits:Q", title="Visits", format=",d"),
            alt.Tooltip("share:Q", title="Share", format=".1%"),
        ],
    )
    # The way stands above its bar, not beside it: five names are longer than a narrow screen's axis.
    bars = base.mark_bar(color=_BLUE, height=10, yOffset=8)
    names = base.mark_text(align="left", baseline="middle", dy=-8, fontSize=12, color="#222222").encode(
        text="label:N", x=alt.value(0)
    )
    return alt.LayerChart(layer=[bars, names]).properties(height=_BAR_FRAME_PX + _ROW_PX * len(shown))
