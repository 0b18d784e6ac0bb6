"""Visitors of a publication and what its counters say, to the people who came."""

from datetime import date

import pytest

from footfall_assets.domain.count_range import Total
from footfall_assets.domain.unseen import NO_COUNTER
from footfall_assets.reporting.request import Period, ReportRequest
from footfall_assets.reporting.selected_rows import selected_rows
from footfall_assets.reporting.selection import read_directory, select_cameras
from footfall_assets.reporting.unseen import totals_incl_unseen

DAYS = (date(2024, 1, 1), date(2024, 1, 31))


def asked(connection, seen, **filters):
    request = ReportRequest(*DAYS, **filters)
    directory = read_directory(connection)
    rows = selected_rows(directory, select_cameras(directory, request), request.period)
    total = Total(seen, (round(seen * 0.98), round(seen * 1.02)), 0.9, None)
    return totals_incl_unseen(connection, directory, rows, {"2024-01": total})["2024-01"]


def test_people_are_found_at_stores_of_different_visibility(counted_month) -> None:
    came, seen = zip(counted_month.store("a", chance=0.3), counted_month.store("b", chance=0.9), strict=True)
    found = asked(counted_month.connection, sum(seen))
    assert found.people == pytest.approx(sum(came), rel=0.06)
    assert found.interval is not None
    assert found.interval[0] <= sum(came) <= found.interval[1]


def test_one_store_is_asked_for_with_all_its_cameras(counted_month) -> None:
    counted_month.store("a", chance=0.3)
    came, seen = counted_month.store("b", chance=0.8)
    found = asked(counted_month.connection, seen, location_ids=("b",))
    assert found.people == pytest.approx(came, rel=0.05)
    one_camera = asked(counted_month.connection, seen, camera_ids=("b-door",))
    assert "choose all cameras of each location" in (one_camera.reason or "")


def test_without_a_counter_it_is_not_available(counted_month) -> None:
    _, seen = counted_month.store("a", chance=0.8, counter=None)
    assert asked(counted_month.connection, seen).reason == NO_COUNTER


def test_phones_alone_say_nothing(counted_month) -> None:
    _, seen = counted_month.store("a", chance=0.8, counter="wifi")
    assert "no door counter anchors the scale" in (asked(counted_month.connection, seen).reason or "")


def test_entries_of_staff_are_taken_out(counted_month) -> None:
    came, seen = counted_month.store("a", chance=0.7)
    counted_month.connection.execute("update counted_traffic_hourly set people_in = people_in * 2")
    assert (asked(counted_month.connection, seen).people or 0) > 1.1 * came
    counted_month.connection.execute("update count_source_errors set visits_per_entry = 0.5")
    assert asked(counted_month.connection, seen).people == pytest.approx(came, rel=0.05)


def test_counters_are_compared_over_whole_days(counted_month) -> None:
    counted_month.store("a", chance=0.8)
    directory = read_directory(counted_month.connection)
    request = ReportRequest(*DAYS)
    period = Period(*DAYS, starts_at=None, ends_at=None)
    rows = selected_rows(directory, select_cameras(directory, request), period)
    to_the_minute = type(rows)(rows.parameters, to_the_minute=True)
    total = Total(100, (98, 102), 0.9, None)
    found = totals_incl_unseen(counted_month.connection, directory, to_the_minute, {"2024-01": total})
    assert "ask for days without times" in (found["2024-01"].reason or "")


def test_an_older_publication_says_so(counted_month) -> None:
    _, seen = counted_month.store("a", chance=0.8)
    counted_month.connection.execute("drop table count_source_errors")
    assert "publish again" in (asked(counted_month.connection, seen).reason or "")
