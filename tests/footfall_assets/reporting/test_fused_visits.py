"""Visits from several sources of a publication, each beside them."""

from datetime import date

import numpy as np
import pytest

from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.fused_visits import fused_footfall, hours_by_location, hours_of
from footfall_assets.reporting.request import Period

JANUARY = Period(date(2024, 1, 1), date(2024, 1, 31))


def test_days_have_an_interval_and_each_source_beside_them(counted_month) -> None:
    counted_month.store("a", chance=0.5, people=2000)
    found = fused_footfall(counted_month.connection, JANUARY, location_ids=("a",))
    assert len(found.days) == 31
    assert (found.days["location"] == "Store A").all()
    assert ((found.days["low"] <= found.days["visits"]) & (found.days["visits"] <= found.days["high"])).all()
    entries = counted_month.connection.sql("select sum(people_in) from counted_traffic_hourly").fetchone()
    assert found.days["visits"].sum() == pytest.approx(entries[0], rel=0.03)
    assert found.days["faces"].sum() == pytest.approx(entries[0], rel=0.03)
    assert set(found.sources["source"]) == {"faces", "infrared"}
    assert found.sources.set_index("source").loc["faces", "factor"] == pytest.approx(0.5, rel=0.05)


def test_an_hour_the_counter_missed_is_filled_by_faces(counted_month) -> None:
    counted_month.store("a", chance=0.9, people=2000)
    counted_month.connection.execute("delete from counted_traffic_hourly where business_day = date '2024-01-05'")
    found = fused_footfall(counted_month.connection, Period(date(2024, 1, 5), date(2024, 1, 5)), location_ids=("a",))
    (day,) = found.days.to_dict("records")
    assert np.isnan(day["infrared"])
    assert day["visits"] == pytest.approx(day["faces"])
    assert len(found.hours) == 10


def test_a_store_without_enough_counts_has_its_reason(counted_month) -> None:
    counted_month.store("a", chance=0.9)
    counted_month.store("b", chance=0.9, people=10)
    counted_month.store("c", chance=0.9, counter=None)
    found = fused_footfall(counted_month.connection, JANUARY, location_ids=("a", "b", "c"))
    assert set(found.days["location"]) == {"Store A"}
    assert list(found.reasons) == ["Store B"]
    assert "fewer than 50 people" in found.reasons["Store B"]


def test_places_nobody_asked_for_are_left_out(counted_month) -> None:
    counted_month.store("a", chance=0.9)
    counted_month.store("b", chance=0.9)
    found = fused_footfall(counted_month.connection, JANUARY, location_ids=("b",))
    assert set(found.days["location"]) == {"Store B"}


def test_an_older_publication_says_so(counted_month) -> None:
    counted_month.store("a", chance=0.9)
    counted_month.connection.execute("drop table count_source_errors")
    with pytest.raises(NoData, match="publish again"):
        fused_footfall(counted_month.connection, JANUARY, location_ids=("a",))


def test_many_locations_at_once_are_those_one_by_one(counted_month) -> None:
    counted_month.store("a", chance=0.5)
    counted_month.store("b", chance=0.8, counter="manual")
    counted_month.store("c", chance=0.8, counter="wifi")
    connection = counted_month.connection
    connection.execute(
        "delete from counted_traffic_hourly where location_id = 'b' and business_day < date '2024-01-09'"
    )
    rows = connection.sql(
        """
        select location_id, business_day, hour_starts_at, local_hour, count_source as source, people_in as counted,
            error
        from counted_traffic_hourly inner join count_source_errors using (count_source)
        union all
        select location_id, business_day, hour_starts_at, local_hour, 'faces', visits_started, null
        from counted_traffic_hourly
        order by 1, 3, 5
        """
    ).df()
    found = hours_by_location(rows)
    assert set(found) == {"a", "b", "c"}
    for place, given in found.items():
        _, alone = hours_of(rows[rows["location_id"] == place])
        np.testing.assert_array_equal(given.day, alone.day)
        assert given.errors == alone.errors
        assert given.counts.keys() == alone.counts.keys()
        for name, counts in given.counts.items():
            np.testing.assert_array_equal(counts, alone.counts[name])
