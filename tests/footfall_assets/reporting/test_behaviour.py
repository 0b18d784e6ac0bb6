"""Dwell, journeys and loyalty as the pages ask for them: figures of a period, locations, what must not be added."""

from datetime import date

import pandas as pd
import pytest

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.dwell import (
    camera_visibility,
    dwell_by_day,
    dwell_by_department,
    dwell_by_zone,
    dwell_of_visits,
    stays_by_hour,
)
from footfall_assets.reporting.journeys import flows, flows_by_hour, journeys
from footfall_assets.reporting.loyalty import days_between_visits, loyalty_by_day, stores_shared, visit_frequency
from footfall_assets.reporting.publication import open_aggregates
from footfall_assets.reporting.request import Period
from footfall_assets.storage.lake import FolderLake

PERIOD = Period(date(2024, 1, 8), date(2024, 1, 10))
BOTH = ("store-101", "store-203")
ROWS = (
    """insert into dwell_by_zone values
        ('store-101', 'hats', '2024-01-08', 3, 4, 40, 60, 80, null, null, null, null, null),
        ('store-101', 'hats', '2024-01-09', 5, 6, 160, 190, 220, null, null, null, null, null),
        ('store-101', 'hats', '2024-01-10', 0, 0, null, null, null, null, null, null, null, null),
        ('store-203', 'hats', '2024-01-08', 1, 1, 7, 8, 9, null, null, null, null, null),
        ('store-203', 'desk', '2024-01-08', null, null, null, null, null, null, null, null, null, null),
        ('store-101', 'hats', '2024-01-11', 9, 9, 999, 999, 999, null, null, null, null, null)""".replace(
        " by name", ""
    ),
    """insert into dwell_distribution values
        ('store-101', 'hats', '2024-01-08', 10, 4, 40, 60, 80),
        ('store-101', 'hats', '2024-01-09', 10, 2, 24, 34, 44),
        ('store-101', 'hats', '2024-01-09', 30, 4, 136, 156, 176),
        ('store-203', 'hats', '2024-01-08', 5, 1, 7, 8, 9),
        ('store-101', null, '2024-01-08', 300, 1, 310, 320, 330),
        ('store-101', null, '2024-01-09', 600, 1, 610, 620, 630)""",
    """insert into visit_dwell values ('store-101', '2024-01-08', 1, 310, 320, 330),
        ('store-101', '2024-01-09', 1, 610, 620, 630), ('store-203', '2024-01-08', null, null, null, null)""",
    "insert into dim_zones values ('store-101', 'hats', 1, true, 'store-101-door', 3, 4)",
    """insert into dwell_by_zone_hourly values ('store-101', 'hats', '2024-01-08', 9, 4, 60),
        ('store-101', 'hats', '2024-01-09', 9, 6, 190)""",
    """insert into camera_visibility values ('store-101-door', 'store-101', '2024-01', 5, 40, 30, 0.75),
        ('store-101-door', 'store-101', '2023-12', 5, 40, 20, 0.5)""",
    """insert into camera_flows values
        ('store-101', '2024-01-08', 'zone', '(entry)', 'hats', 3, null, null),
        ('store-101', '2024-01-08', 'zone', 'hats', 'till', 1, 30, 30),
        ('store-203', '2024-01-09', 'zone', 'hats', 'till', 1, 90, 90),
        ('store-101', '2024-01-08', 'zone', 'hats', '(exit)', 2, null, null),
        ('store-101', '2024-01-08', 'camera', '(entry)', 'store-101-door', 3, null, null)""",
    "insert into camera_flows_hourly values ('store-101', '2024-01-08', 9, '(entry)', 'hats', 3)",
    """insert into journeys values ('store-101', '2024-01-08', 'hats > till', 2, false, 1),
        ('store-101', '2024-01-09', 'hats > till', 2, false, 2), ('store-203', '2024-01-09', 'hats', 1, false, 1)""",
    """insert into visit_frequency values ('2024-01', 'store-101', 'visits', 1, 5), ('2024-01', null, 'visits', 1, 7),
        ('2023-12', 'store-101', 'visits', 1, 99)""",
    "insert into days_between_visits values ('2024-01', 'store-101', 2, 3), ('2024-01', null, 1, 4)",
    """insert into loyalty_daily values ('2024-01', 'store-101', '2024-01-08', 5, 2, 3, 1),
        ('2024-01', 'store-101', '2024-01-10', 4, null, null, null), ('2024-01', null, '2024-01-08', 6, 3, 3, null)""",
    """insert into stores_shared values ('2024-01', 'store-101', 'store-101', 10),
        ('2024-01', 'store-101', 'store-203', 4), ('2024-01', 'store-203', 'store-203', 8)""",
)


@pytest.fixture
def aggregates(made, tmp_path):
    lake = FolderLake(tmp_path / "lake")
    publication = made.with_behaviour(*ROWS).publish(lake, tmp_path / "build")
    with open_aggregates(lake, publication) as connection:
        yield connection


def test_dwell_of_zones_over_several_days(aggregates):
    found = dwell_by_zone(aggregates, PERIOD, location_ids=BOTH).set_index(["location", "zone"])
    hats = found.loc["Store #101", "hats"]
    assert (hats["days"], hats["stays"], hats["most_visitors_a_day"]) == (3, 10, 5)
    assert hats["visitors_a_day"] == pytest.approx(8 / 3)  # a mean over days, the empty one with them; never a sum
    assert (hats["mean_lower_s"], hats["mean_midpoint_s"], hats["mean_upper_s"]) == (20, 25, 30)
    # Of ten stays the fifth lies in the class from 10 s, in which 6 stays last 64 s together.
    assert hats["median_lower_s"] == pytest.approx(64 / 6)
    assert hats["median_upper_s"] == pytest.approx(124 / 6)
    assert (hats["plan_x_m"], hats["plan_y_m"]) == (3, 4)
    desk = found.loc["Store #203", "desk"]
    assert desk[["stays", "visitors_a_day", "median_lower_s", "plan_x_m"]].isna().all()


def test_zones_of_other_locations_are_not_read(aggregates):
    assert set(dwell_by_zone(aggregates, PERIOD, location_ids=("store-203",))["location_id"]) == {"store-203"}
    with pytest.raises(NoData, match="no camera of these locations"):
        dwell_by_zone(aggregates, PERIOD, location_ids=())


def test_departments_are_zones_of_one_name(aggregates):
    found = dwell_by_department(aggregates, PERIOD, location_ids=BOTH).set_index("zone")
    assert tuple(found.loc["hats", ["locations", "stays"]]) == (2, 11)
    assert found.loc["hats", "share"] == 1
    assert pd.isna(found.loc["desk", "stays"])
    assert found.loc["hats", "median_lower_s"] == pytest.approx(64 / 6)  # the sixth of eleven
    assert "visitors_a_day" not in found


def test_dwell_of_visits(aggregates):
    found = dwell_of_visits(aggregates, PERIOD, location_ids=BOTH).set_index("location_id")
    assert tuple(found.loc["store-101", ["days", "visits", "mean_midpoint_s", "median_midpoint_s"]]) == (2, 2, 470, 320)
    assert found.loc["store-203", ["visits", "median_midpoint_s"]].isna().all()


def test_days_hours_and_visibility(aggregates):
    assert len(dwell_by_day(aggregates, PERIOD, location_ids=("store-101",))) == 3
    (hour,) = stays_by_hour(aggregates, PERIOD, location_ids=BOTH).to_dict("records")
    assert (hour["stays"], hour["mean_midpoint_s"]) == (10, 25)
    (camera,) = camera_visibility(aggregates, PERIOD, location_ids=BOTH).to_dict("records")
    assert camera["visibility"] == 0.75  # of the period's window, not of December


def test_flows_add_up_over_stores_and_say_who_left_where(aggregates):
    found = flows(aggregates, PERIOD, location_ids=BOTH).set_index(["from_place", "to_place"])
    assert tuple(found.loc["hats", "till"]) == (2, 0.5, 60)
    assert found.loc[("(entry)", "hats"), "share_of_leaving"] == 1
    assert list(flows(aggregates, PERIOD, location_ids=BOTH, level="camera")["to_place"]) == ["store-101-door"]
    assert flows(aggregates, PERIOD, location_ids=("store-203",))["moves"].tolist() == [1]
    assert flows_by_hour(aggregates, PERIOD, location_ids=BOTH)["moves"].tolist() == [3]


def test_journeys_are_shares_of_all_visits(aggregates):
    found = journeys(aggregates, PERIOD, location_ids=BOTH)
    ways = found[["journey", "visits", "share"]].to_dict("split")["data"]
    assert ways == [["hats > till", 3, 0.75], ["hats", 1, 0.25]]
    assert journeys(aggregates, PERIOD, location_ids=BOTH, most=1)["share"].tolist() == [0.75]
    with pytest.raises(NoData, match="no visit"):
        journeys(aggregates, Period(date(2024, 2, 1), date(2024, 2, 1)), location_ids=BOTH)


def test_a_day_that_is_not_known_is_missing_in_loyalty(aggregates):
    found = loyalty_by_day(aggregates, PERIOD, location_ids=BOTH)
    here = found[found["location_id"] == "store-101"].set_index("business_day")
    assert here.loc[date(2024, 1, 8), ["new_visitors", "returning_visitors"]].tolist() == [2, 3]
    assert pd.isna(here.loc[date(2024, 1, 9), "unique_visitors"])
    assert here.loc[date(2024, 1, 10), "unique_visitors"] == 4
    assert pd.isna(here.loc[date(2024, 1, 10), "new_visitors"])
    assert set(found["location"]) == {"All locations", "Store #101"}


def test_all_locations_together_are_for_who_may_see_all(aggregates):
    for query in (loyalty_by_day, visit_frequency, days_between_visits):
        assert "All locations" in set(query(aggregates, PERIOD, location_ids=BOTH)["location"])
        assert set(query(aggregates, PERIOD, location_ids=("store-101",))["location"]) == {"Store #101"}


def test_only_windows_of_the_period_are_shown(aggregates):
    assert set(visit_frequency(aggregates, PERIOD, location_ids=BOTH)["linkage_window"]) == {"2024-01"}


def test_shared_visitors_are_a_share_of_each_store(aggregates):
    found = stores_shared(aggregates, PERIOD, location_ids=BOTH)
    pair = found[found["location_id"] != found["other_location_id"]].iloc[0]
    assert (pair["visitors"], pair["share_of_location"], pair["share_of_other"]) == (4, 0.4, 0.5)
    assert len(stores_shared(aggregates, PERIOD, location_ids=("store-101",))) == 1
