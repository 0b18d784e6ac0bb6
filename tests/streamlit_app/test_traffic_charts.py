"""Encodings of the traffic charts: gaps stay gaps, and what is drawn is what the frame says."""

from datetime import date

import altair as alt
import numpy as np
import pandas as pd

from streamlit_app.traffic_charts import (
    NEEDED,
    PLANNED,
    STORES_AT_MOST,
    daily_lines,
    staffing_chart,
    store_bars,
    week_heat_map,
)


def rows_of(chart: alt.TopLevelMixin) -> pd.DataFrame:
    [rows] = chart.to_dict()["datasets"].values()
    return pd.DataFrame(rows)


def test_an_hour_nobody_saw_is_an_empty_cell() -> None:
    profile = pd.DataFrame(
        {
            "weekday": [1, 7],
            "local_hour": [9, 12],
            "people_per_hour": [0.0, 4.5],
            "store_days": [3, 1],
            "is_open": [True, False],
        }
    )
    chart = week_heat_map(profile, title="Visits")
    drawn = chart.to_dict()["encoding"]
    assert drawn["x"]["scale"]["domain"] == ["09", "10", "11", "12"]
    assert drawn["y"]["scale"]["domain"][0] == "Monday"
    cells = rows_of(chart)
    assert cells[["weekday", "hour", "people_per_hour", "state"]].to_numpy().tolist() == [
        ["Monday", "09", 0.0, "open"],
        ["Sunday", "12", 4.5, "closed"],
    ]


def test_plan_and_need_share_their_axis_and_legend() -> None:
    profile = pd.DataFrame(
        {"local_hour": [9], "planned_staff": [2.0], "needed_staff": [3.0], "unique_visitors": [25.0], "hours": [4]}
    )
    layers = staffing_chart(profile).to_dict()["layer"]
    assert [layer["encoding"]["y"]["field"] for layer in layers] == ["planned_staff", "needed_staff"]
    assert {layer["encoding"]["y"]["title"] for layer in layers} == {"Staff, mean of hours"}
    assert layers[0]["encoding"]["color"]["scale"]["domain"] == [PLANNED, NEEDED]


def test_a_day_without_a_value_is_in_the_line_as_a_gap() -> None:
    frame = pd.DataFrame(
        {"business_day": [date(2024, 1, 1), date(2024, 1, 3)], "store": ["a", "a"], "ratio": [0.5, np.nan]}
    )
    chart = daily_lines(
        frame,
        value="ratio",
        series="store",
        title="Ratio",
        days=(date(2024, 1, 1), date(2024, 1, 4)),
        number_format=".2f",
    )
    assert rows_of(chart)["ratio"].isna().tolist() == [False, True, True, True]
    assert chart.to_dict()["layer"][0]["mark"]["invalid"] == "break-paths-show-path-domains"


def test_bars_are_of_the_first_stores_and_of_none_without_the_figure() -> None:
    frame = pd.DataFrame({"location": [f"store-{number:02}" for number in range(30)], "visits": range(30)})
    frame["visits"] = frame["visits"].astype("Int64")
    frame.loc[29, "visits"] = pd.NA
    bars = rows_of(store_bars(frame, value="visits", title="Visits", number_format=",d"))
    assert len(bars) == STORES_AT_MOST
    assert bars["location"].iloc[0] == "store-28"
