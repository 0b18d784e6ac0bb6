"""Pages of the list against the whole of it, and periods that begin and end inside a day."""

from datetime import UTC, date, datetime, time

import duckdb
import pytest

from footfall_assets.contracts.errors import NoData, UserMistake
from footfall_assets.reporting.publication import open_visitors
from footfall_assets.reporting.request import Order, Period, ReportRequest
from footfall_assets.reporting.selected_rows import SelectedRows
from footfall_assets.reporting.visitor_list import _ranked, visitor_page
from footfall_assets.reporting.visitor_report import VISIT_GAP_S, visitor_head, visitor_report
from footfall_assets.reporting.visitor_timeline import visitor_timeline

JANUARY = {"first_day": date(2024, 1, 1), "last_day": date(2024, 1, 31)}


@pytest.fixture
def asking(lake, tmp_path):
    def asked(made, question, *args, **named):
        publication = made.publish(lake, tmp_path / "build")
        with open_visitors(lake, publication) as connection:
            return question(connection, *args, **named)

    return asked


@pytest.fixture
def busy(made):
    for number in range(30):
        for hour in range(number % 4 + 1):
            made.appear(f"{number:05}A", "store-101-door", f"2024-01-0{1 + number % 5}T{9 + 4 * hour:02}:15")
        if number % 3 == 0:
            made.appear(f"{number:05}A", "store-203-till", "2024-01-07T12:00")
    return made


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("minutes", [{}, {"starts_at": time(9, 20), "ends_at": time(12, 1)}])
def test_pages_in_any_order_are_the_rows_of_the_whole_list(busy, lake, tmp_path, order, minutes):
    request = ReportRequest(**JANUARY, **minutes)
    keys = {
        Order.MOST_APPEARANCES: lambda row: (-row.total_appearances, row.visitor_id),
        Order.FEWEST_APPEARANCES: lambda row: (row.total_appearances, row.visitor_id),
        Order.VISITOR_ID: lambda row: row.visitor_id,
        Order.MOST_LOCATIONS: lambda row: (-len(row.frequencies), -row.total_appearances, row.visitor_id),
        Order.MOST_VISITS: lambda row: (-row.visits, -row.total_appearances, row.visitor_id),
        Order.LAST_SEEN: lambda row: (-row.last_seen_at.timestamp(), row.visitor_id),
    }
    with open_visitors(lake, busy.publish(lake, tmp_path / "build")) as connection:
        whole = visitor_report(connection, request).visitors
        pages = [
            visitor_page(connection, request, first=first, most=7, order=order, visit_gap_s=VISIT_GAP_S)
            for first in range(0, 42, 7)
        ]
    assert [row for page in pages for row in page] == sorted(whole, key=keys[order])


READY_VISITS = """
create table publication_header as select 10800 as visit_gap_s;
create table fct_visits(
    linkage_window varchar, visitor_id varchar, business_day date, location_id varchar, appearances bigint
);
insert into fct_visits values
    ('2024-01', '00001A', '2024-01-01', 'store-101', 1), ('2024-01', '00001A', '2024-01-02', 'store-101', 1),
    ('2024-01', '00002A', '2024-01-01', 'store-101', 3), ('2024-01', '00003A', '2024-02-01', 'store-101', 9)
"""


def test_visits_that_are_published_rank_whole_days_of_all_cameras_by_the_same_pause(made):
    """The table here says what no appearance does, so that each answer tells where it came from."""
    asked = {"first_day": date(2024, 1, 1), "last_day": date(2024, 1, 31), "cameras": None}
    ranked = []
    with duckdb.connect() as connection:
        connection.execute(READY_VISITS)
        connection.execute(
            "create table fct_appearances(linkage_window varchar, visitor_id varchar, camera_id varchar, "
            "location_id varchar, business_day date, started_at timestamptz, ended_at timestamptz)"
        )
        for rows, gap_s in (
            (SelectedRows(asked, to_the_minute=False), 10_800),
            (SelectedRows(asked, to_the_minute=False), 60),
            (SelectedRows(asked | {"cameras": ["store-101-door"]}, to_the_minute=False), 10_800),
        ):
            found = _ranked(
                connection, rows, ReportRequest(**JANUARY), Order.MOST_VISITS, most=9, skipped=0, visit_gap_s=gap_s
            )
            ranked.append(found.fetchall())
    assert ranked == [[("2024-01", "00001A", 2), ("2024-01", "00002A", 3)], [], []]


def test_a_visitor_was_last_seen_on_the_clock_of_its_location(new_store, asking):
    made = new_store().place("store-9", "Nine", timezone="America/New_York")
    made.appear("00001A", "store-9-door", "2024-01-02T20:00", lasts_s=60)
    [row] = asking(made, visitor_report, ReportRequest(**JANUARY)).visitors
    assert f"{row.last_seen_at:%Y-%m-%d %H:%M}" == "2024-01-02 15:01"


def test_the_head_counts_what_the_list_holds(busy, asking):
    for least in (1, 2, 5):
        request = ReportRequest(**JANUARY, min_appearances=least)
        head, report = asking(busy, visitor_head, request), asking(busy, visitor_report, request)
        assert (head.visitors, head.listed_visitors) == ((), len(report.visitors))
        assert head.windows == report.windows


@pytest.mark.parametrize(("first", "most"), [(-1, 10), (0, 0), (0, 1_001)])
def test_a_page_that_is_none_is_refused(busy, asking, first, most):
    with pytest.raises(UserMistake, match="1 to 1000 rows"):
        asking(busy, visitor_page, ReportRequest(**JANUARY), first=first, most=most, visit_gap_s=VISIT_GAP_S)


def test_what_is_not_allowed_is_in_no_row(busy, asking):
    request = ReportRequest(**JANUARY)
    rows = asking(busy, visitor_page, request, first=0, most=100, visit_gap_s=VISIT_GAP_S, allowed=("store-203",))
    assert {name for row in rows for name, _ in row.frequencies} == {"Store #203"}
    assert asking(busy, visitor_head, request, allowed=("store-203",)).listed_visitors == len(rows) == 10
    with pytest.raises(UserMistake, match="unknown location"):
        asking(busy, visitor_head, ReportRequest(**JANUARY, location_ids=("store-101",)), allowed=("store-203",))


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "listed"),
    [
        (None, None, 2),
        (time(10, 0), time(10, 1), 1),  # the first minute of the period belongs to it
        (time(10, 1), None, 1),
        (None, time(10, 0), 0),  # the last does not
        (None, time(10, 1), 1),
        (time(11, 59), time(12, 0), 0),
        (time(0, 0), None, 2),
    ],
)
def test_an_appearance_belongs_to_the_minute_it_starts_in(made, asking, starts_at, ends_at, listed):
    made.appear("00001A", "store-101-door", "2024-01-05T10:00").appear("00002B", "store-101-door", "2024-01-05T12:00")
    request = ReportRequest(date(2024, 1, 5), date(2024, 1, 5), starts_at=starts_at, ends_at=ends_at)
    if listed:
        report = asking(made, visitor_report, request)
        assert (report.listed_visitors, report.windows[0].identified_visitors) == (listed, listed)
        assert report.sightings == listed
    else:
        with pytest.raises(NoData):
            asking(made, visitor_report, request)


def test_minutes_are_those_of_each_stores_clock(new_store, asking):
    made = new_store().place("store-101", "Store #101", timezone="Europe/Berlin").place("store-203", "Store #203")
    made.appear("00001A", "store-101-door", "2024-01-05T09:30").appear("00002B", "store-203-door", "2024-01-05T09:30")
    request = ReportRequest(date(2024, 1, 5), date(2024, 1, 5), starts_at=time(10), ends_at=time(11))
    assert [row.visitor_id for row in asking(made, visitor_report, request).visitors] == ["00001A"]


def test_bounds_hold_both_times_of_a_repeated_minute_and_skip_the_missing_hour():
    autumn = Period(date(2024, 10, 27), date(2024, 10, 27), time(2, 30), time(2, 45)).bounds("Europe/Berlin")
    assert autumn == (datetime(2024, 10, 27, 0, 30, tzinfo=UTC), datetime(2024, 10, 27, 1, 45, tzinfo=UTC))
    spring = Period(date(2024, 3, 31), date(2024, 3, 31)).bounds("Europe/Berlin")
    assert spring == (datetime(2024, 3, 30, 23, tzinfo=UTC), datetime(2024, 3, 31, 22, tzinfo=UTC))


@pytest.mark.parametrize(
    "period",
    [
        (date(2024, 1, 2), date(2024, 1, 1), None, None),
        (date(2024, 1, 1), date(2024, 1, 1), time(10), time(10)),
        (date(2024, 1, 1), date(2024, 1, 1), time(10), time(9)),
        (date(2024, 1, 1), date(2024, 1, 1), None, time(0)),
        (date(2024, 1, 1), date(2024, 1, 2), time(10, 0, 1), None),
        (date(2024, 1, 1), date(2024, 1, 2), time(10, tzinfo=UTC), None),
    ],
)
def test_a_period_that_holds_no_minute_or_seconds_is_refused(period):
    with pytest.raises(UserMistake):
        Period(*period)


def test_a_timeline_numbers_visits_as_the_list_counts_them(busy, asking):
    request = ReportRequest(**JANUARY)
    for row in asking(busy, visitor_report, request).visitors:
        frame = asking(
            busy,
            visitor_timeline,
            request,
            visitor_id=row.visitor_id,
            linkage_window="2024-01",
            visit_gap_s=VISIT_GAP_S,
        )
        assert (len(frame), frame["visit"].nunique()) == (row.total_appearances, row.visits)
        assert frame["visit"].iloc[0] == 1
        assert frame["starts_local"].is_monotonic_increasing


def test_a_timeline_of_nobody_or_elsewhere_says_so(busy, asking):
    asked = {"linkage_window": "2024-01", "visit_gap_s": VISIT_GAP_S}
    with pytest.raises(NoData, match="no visitor"):
        asking(busy, visitor_timeline, ReportRequest(**JANUARY), visitor_id="99999Z", **asked)
    with pytest.raises(NoData, match="no visitor"):
        asking(busy, visitor_timeline, ReportRequest(**JANUARY), visitor_id="00001A", allowed=("store-203",), **asked)
