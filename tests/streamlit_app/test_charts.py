import pandas as pd
import pytest

from streamlit_app.charts import LINES_AT_MOST, MEASURES, footfall_chart, shown_locations
from streamlit_app.filters import Grain


@pytest.fixture
def frame():
    counted = pd.array([4, None, 0], dtype="Int64")
    times = pd.date_range("2024-01-05T09:00", periods=3, freq="h")
    return pd.DataFrame({"local_time": times, "location": "Store #101"} | dict.fromkeys(MEASURES, counted))


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("grain", list(Grain))
def test_encoding(frame, measure, grain):
    line, points = footfall_chart(frame, measure=measure, grain=grain).to_dict()["layer"]
    for layer in (line, points):
        assert layer["encoding"]["x"]["field"] == "local_time"
        assert layer["encoding"]["y"]["field"] == measure
        assert layer["encoding"]["color"]["field"] == "location"
        assert "aggregate" not in layer["encoding"]["y"]


def test_missing_stays_missing_and_breaks_the_line(frame):
    chart = footfall_chart(frame, measure="unique_visitors", grain=Grain.HOUR).to_dict()
    (rows,) = chart["datasets"].values()
    assert [row["unique_visitors"] for row in rows] == [4, None, 0]
    assert chart["layer"][0]["mark"]["invalid"] == "break-paths-show-path-domains"


def test_local_time_is_not_shifted_to_the_browsers_zone(frame):
    chart = footfall_chart(frame, measure="visits", grain=Grain.HOUR).to_dict()
    (rows,) = chart["datasets"].values()
    assert rows[0]["local_time"] == "2024-01-05T09:00:00"


@pytest.mark.parametrize(
    ("grain", "last", "count", "second"),
    [
        (Grain.DAY, "2024-01-02", 2, (2, 0)),
        (Grain.DAY, "2024-01-31", 8, (5, 0)),
        (Grain.HOUR, "2024-01-01T05:00", 6, (1, 1)),
        (Grain.HOUR, "2024-01-02T23:00", 8, (1, 6)),
        (Grain.HOUR, "2024-01-31T23:00", 8, (5, 0)),
    ],
)
def test_ticks_are_whole_hours_or_days(grain, last, count, second):
    """A chart of two days had eight ticks, seven of them named after the first day."""
    times = pd.to_datetime(["2024-01-01", last], format="ISO8601")
    frame = pd.DataFrame({"local_time": times, "location": "a", "visits": 1})
    chart = footfall_chart(frame, measure="visits", grain=grain).to_dict()
    ticks = chart["layer"][0]["encoding"]["x"]["axis"]["values"]
    assert len(ticks) == count
    assert (ticks[1]["date"], ticks[1]["hours"]) == second


def test_one_hour_has_a_tick(frame):
    chart = footfall_chart(frame.head(1), measure="visits", grain=Grain.HOUR).to_dict()
    assert len(chart["layer"][0]["encoding"]["x"]["axis"]["values"]) >= 1


def test_more_lines_than_can_be_told_apart_are_cut(frame):
    many = pd.concat([frame.assign(location=f"Store {number:02}") for number in range(20)])
    shown = shown_locations(many)
    assert sorted(shown["location"].unique()) == [f"Store {number:02}" for number in range(LINES_AT_MOST)]
