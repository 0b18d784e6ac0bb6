"""A matrix of counts, each cell as dark as its share of the row: encodings only, no widgets and no queries."""

from typing import Final

import altair as alt

ROWS_AT_MOST: Final = 14  # that can be read
_SHADES: Final = ("#E3EFF7", "#0072B2")
_FRAME_PX: Final = 170
_ROW_PX: Final = 34


def share_matrix(cells: alt.Chart, *, count: str, share: str, title: str, rows: int) -> alt.LayerChart:
    """Return the cells of a chart that has its rows and columns encoded.

    Args:
        cells: with x, y and tooltip.
        count: the column written into each cell.
        share: the column, 0 to 1, that colours it.
        title: what the share is of.
        rows: how many there are.
    """
    colour = alt.Color(
        f"{share}:Q",
        title=title,
        scale=alt.Scale(domain=[0, 1], range=list(_SHADES)),
        legend=alt.Legend(orient="top", format=".0%", gradientLength=140),
    )
    text = alt.condition(f"datum.{share} > 0.6", alt.value("white"), alt.value("#222222"))
    layers = [
        cells.mark_rect(stroke="white").encode(color=colour),
        cells.mark_text(fontSize=11).encode(text=alt.Text(f"{count}:Q", format=",d"), color=text),
    ]
    return alt.LayerChart(layer=layers).properties(height=_FRAME_PX + _ROW_PX * rows)
