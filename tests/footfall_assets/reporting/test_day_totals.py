"""Sums of days by the visitor's number, against the same sums by hand."""

from collections import Counter
from datetime import date, timedelta

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall_assets.reporting import day_totals
from footfall_assets.reporting.day_totals import most_often_seen, sizes_of, totals_by_window

FIRST = date(2024, 1, 30)
WINDOWS = {"2024-01": (0, 1), "2024-02": (2, 3)}  # days after the first
ROWS = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(1, 9)), st.tuples(st.integers(1, 4), st.integers(0, 5)), max_size=36
)


def window_of(day):
    return next(window for window, days in WINDOWS.items() if day in days)


def opened(rows):
    connection = duckdb.connect()
    connection.execute(
        "create table visitor_day_total(linkage_window text, business_day date, visitor_number integer, "
        "local_visitors bigint, appearances bigint)"
    )
    connection.execute("create table day_bitmaps(linkage_window text, business_day date, cut integer)")
    connection.execute("create table visitor_window(linkage_window text, visitor_number integer, visitor_id text)")
    for (day, number), (local_visitors, more) in rows.items():
        at, window = FIRST + timedelta(days=day), window_of(day)
        connection.execute(
            "insert into visitor_day_total values (?, ?, ?, ?, ?)",
            [window, at, number, local_visitors, local_visitors + more],
        )
        connection.execute("insert into day_bitmaps values (?, ?, 0), (?, ?, 3)", [window, at] * 2)
    for window in WINDOWS:
        for number in range(1, 10):
            connection.execute("insert into visitor_window values (?, ?, ?)", [window, number, f"{9 - number}A"])
    return connection


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(0, 3), st.integers(0, 3), st.integers(1, 6), st.integers(0, 12), st.integers(1, 12))
def test_sums_are_those_by_hand(rows, one, other, min_appearances, first, most):
    begin, end = sorted((one, other))
    days = {"first_day": FIRST + timedelta(days=begin), "last_day": FIRST + timedelta(days=end)}
    seen, often = Counter(), Counter()
    for (day, number), (local_visitors, more) in rows.items():
        if begin <= day <= end:
            seen[window_of(day), number] += local_visitors
            often[window_of(day), number] += local_visitors + more
    with opened(rows) as connection:
        totals = totals_by_window(connection, days, "local_visitors")
        assert list(totals) == sorted({window for window, _ in seen})
        for window, total in totals.items():
            here = [count for (of, _), count in seen.items() if of == window]
            sizes = tuple(sum(count == size for count in here) for size in (1, 2, 3, 4))
            assert sizes_of(total) == (sum(here), len(here), sizes)
        listed = [(window, f"{9 - number}A", count, number) for (window, number), count in often.items()]
        listed = [row for row in listed if row[2] >= min_appearances]
        listed.sort(key=lambda row: (-row[2], row[1], row[0]))
        found = most_often_seen(connection, days, min_appearances=min_appearances, first=first, most=most)
        assert found == listed[first : first + most]


def test_batches_are_added_up(monkeypatch):
    monkeypatch.setattr(day_totals, "_BATCH_ROWS", 2)
    with opened({(day, number): (1, 0) for day in (0, 1) for number in (9, 1, 4)}) as connection:
        days = {"first_day": FIRST, "last_day": FIRST + timedelta(days=1)}
        assert totals_by_window(connection, days, "appearances")["2024-01"].tolist() == [0, 2, 0, 0, 2, 0, 0, 0, 0, 2]


def test_very_many_ties_are_left_to_the_database(monkeypatch):
    monkeypatch.setattr(day_totals, "_TIED_AT_MOST", 2)
    with opened({(0, number): (1, 0) for number in (1, 2, 3)}) as connection:
        days = {"first_day": FIRST, "last_day": FIRST}
        assert most_often_seen(connection, days, min_appearances=1, first=0, most=2) is None
