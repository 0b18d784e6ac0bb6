"""Protected counts as a chart and as a table: a hidden count is a pale bar up to where counts are shown, never a 0."""

from typing import Final

import altair as alt
import pandas as pd

from footfall_assets.reporting.protected_footfall import ProtectedGrain, ProtectionRules

_HEIGHT_PX: Final = 320
_SHOWN: Final = "#0072B2"  # as the other charts
_HIDDEN: Final = "#C9D6DD"
_HOURS_DRAWN: Final = 7 * 24  # more bars cannot be told apart
_EDGED_BARS: Final = 120  # with more, white edges would hide the bars
UNITS: Final = {
    ProtectedGrain.HOUR: "Hour (local)",
    ProtectedGrain.DAY: "Business day",
    ProtectedGrain.WEEK: "Week",
    ProtectedGrain.MONTH: "Month",
}
_AXIS: Final = {
    ProtectedGrain.HOUR: "%b %d %H:%M",
    ProtectedGrain.DAY: "%b %d",
    ProtectedGrain.WEEK: "%b %d",
    ProtectedGrain.MONTH: "%b %Y",
}
# Of few bars the axis would otherwise be marked inside them, with one date several times.
_TICKS: Final = {
    ProtectedGrain.DAY: alt.TimeIntervalStep(interval="day", step=1),
    ProtectedGrain.WEEK: alt.TimeIntervalStep(interval="week", step=1),
    ProtectedGrain.MONTH: alt.TimeIntervalStep(interval="month", step=1),
}


def store_chart(frame: pd.DataFrame, grain: ProtectedGrain, rules: ProtectionRules) -> alt.Chart:
    """Return one bar a unit of `frame` (of `protected_footfall`); where it has none, nothing is known."""
    frame = drawn_units(frame, grain)
    shown = frame["unique_visitors"].astype("Float64").fillna(rules.least_visitors - 1)
    bars = pd.DataFrame(
        {
            "unit": frame["local_time"],
            "unit_ends": frame["local_time"] + _width(frame, grain),
            "label": unit_labels(frame, grain),
            "height": shown.astype("float64"),
            "ground": 0.0,
            "told": count_texts(frame, rules),
            "kind": frame["is_fewer"].map({True: f"Fewer than {rules.least_visitors}", False: "Unique visitors"}),
        }
    )
    chart: alt.Chart = (
        alt.Chart(bars, height=_HEIGHT_PX)
        .mark_rect(stroke="white", strokeWidth=1 if len(frame) <= _EDGED_BARS else 0)
        .encode(
            x=alt.X(
                "unit:T",
                title=None,
                axis=alt.Axis(
                    format=_AXIS[grain], labelOverlap=True, grid=False, tickCount=_TICKS.get(grain, alt.Undefined)
                ),
            ),
            x2="unit_ends:T",
            y=alt.Y("height:Q", title="Unique visitors", axis=alt.Axis(format=",d", tickMinStep=1)),
            y2="ground:Q",  # a bar between two times is drawn as a line at its height without it
            color=alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(
                    domain=["Unique visitors", f"Fewer than {rules.least_visitors}"], range=[_SHOWN, _HIDDEN]
                ),
                legend=alt.Legend(orient="top", columns=1),
            ),
            tooltip=[alt.Tooltip("label:N", title=UNITS[grain]), alt.Tooltip("told:N", title="Unique visitors")],
        )
    )
    return chart


def drawn_units(frame: pd.DataFrame, grain: ProtectedGrain) -> pd.DataFrame:
    """Return the units that the chart draws: of hours, the newest days only."""
    if grain is not ProtectedGrain.HOUR or frame.empty:
        return frame
    first = frame["local_time"].max().normalize() - pd.Timedelta(hours=_HOURS_DRAWN - 24)
    newest: pd.DataFrame = frame[frame["local_time"] >= first]
    return newest


def store_table(frame: pd.DataFrame, grain: ProtectedGrain, rules: ProtectionRules) -> pd.DataFrame:
    """Return the chart as a table: one row a unit, the count as it is shown."""
    return pd.DataFrame({UNITS[grain]: unit_labels(frame, grain), "Unique visitors": count_texts(frame, rules)})


def count_texts(frame: pd.DataFrame, rules: ProtectionRules) -> list[str]:
    """Return each count as people read it."""
    counts = zip(frame["is_fewer"], frame["unique_visitors"], strict=True)
    return [rules.fewer if fewer else f"{int(count):,}" for fewer, count in counts]


def unit_labels(frame: pd.DataFrame, grain: ProtectedGrain) -> list[str]:
    """Return the name of each unit: an hour's or a day's own, the first and last day of a longer one."""
    if grain is ProtectedGrain.HOUR:
        return [f"{moment:%Y-%m-%d %H:%M}" for moment in frame["local_time"]]
    if grain is ProtectedGrain.DAY:
        return [f"{day:%Y-%m-%d}" for day in frame["first_day"]]
    ends = zip(frame["first_day"], frame["last_day"], strict=True)
    return [f"{first:%Y-%m-%d} to {last:%Y-%m-%d}" for first, last in ends]


def _width(frame: pd.DataFrame, grain: ProtectedGrain) -> "pd.Series[pd.Timedelta]":
    if grain is ProtectedGrain.HOUR:
        return pd.Series(pd.Timedelta(hours=1), index=frame.index)
    days = pd.to_datetime(frame["last_day"]) - pd.to_datetime(frame["first_day"])
    return days + pd.Timedelta(days=1)
