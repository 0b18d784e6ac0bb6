"""Each kind of file: what its rows become, and every reason for which one is set aside."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.imports import KEYS, SCHEMAS, CountSource, ImportKind
from footfall_assets.imports.import_file import parse_csv, read_csv
from footfall_assets.imports.kinds import KINDS

COUNTS = "timestamp,location,source,in,out"
SALES = "location,date,hour,transactions,items,revenue,category"
STAFF = "location,date,from,to,staff"
HOURS = "location,weekday,date,valid_from,opens,closes"
GOOD = {
    ImportKind.COUNTS: (COUNTS, "2024-01-05T10:15,berlin,infrared,3,2"),
    ImportKind.SALES: (SALES, "berlin,2024-01-05,10,3,4,12.50,"),
    ImportKind.STAFF: (STAFF, "berlin,2024-01-05,09:30,17:00,2.5"),
    ImportKind.OPENING_HOURS: (HOURS, "berlin,mon,,,09:00,18:30"),
}


def test_a_count_gets_the_local_day_and_hour_it_belongs_to(parse) -> None:
    rows = parse(ImportKind.COUNTS, COUNTS, "2024-01-05T00:15,kathmandu,wifi,3,").rows.to_pylist()
    assert rows == [
        {
            "location_id": "kathmandu",
            "source": "wifi",
            "counter": "",
            "counted_at": datetime(2024, 1, 4, 18, 30, tzinfo=UTC),
            "business_day": date(2024, 1, 5),
            "hour_starts_at": datetime(2024, 1, 4, 18, 15, tzinfo=UTC),
            "local_hour": 0,
            "people_in": 3,
            "people_out": None,
        }
    ]


def test_sales_of_an_hour_and_of_a_moment(parse) -> None:
    [row] = parse(ImportKind.SALES, SALES, "berlin,2024-01-05,10,3,,12.50,Men's shoes").rows.to_pylist()
    assert row["sold_at"] == row["hour_starts_at"] == datetime(2024, 1, 5, 9, tzinfo=UTC)
    assert (row["transactions"], row["items"], row["revenue"]) == (3, None, Decimal("12.50"))
    assert row["category"] == "Men's shoes"
    by_moment = parse(
        ImportKind.SALES, "timestamp,location,transactions,items,revenue", "2024-01-05 10:59:59,berlin,1,1,-3.5"
    )
    [row] = by_moment.rows.to_pylist()
    assert row["sold_at"] == datetime(2024, 1, 5, 9, 59, 59, tzinfo=UTC)
    assert row["hour_starts_at"] == datetime(2024, 1, 5, 9, tzinfo=UTC)


def test_staff_by_shift_and_by_hour(parse) -> None:
    [row] = parse(ImportKind.STAFF, STAFF, "berlin,2024-01-05,09:30,24:00,2.5").rows.to_pylist()
    assert (row["starts_minute"], row["ends_minute"], row["staff"]) == (570, 1440, Decimal("2.50"))
    [row] = parse(ImportKind.STAFF, "location,date,hour,staff", "berlin,2026-01-05,23,0").rows.to_pylist()
    assert (row["starts_minute"], row["ends_minute"], row["staff"]) == (1380, 1440, Decimal("0.00"))


def test_hours_of_weekdays_exceptions_and_days_closed(parse) -> None:
    parsed = parse(
        ImportKind.OPENING_HOURS,
        HOURS,
        "berlin,Monday,,,09:00,12:00",
        "berlin,1,,,13:00,18:00",
        "berlin,mon,,2024-02-01,10:00,18:00",
        "berlin,sun,,,,",
        "berlin,,2024-12-24,,09:00,14:00",
        "berlin,,2024-12-25,,,",
    )
    found = [tuple(row.values())[1:] for row in parsed.rows.to_pylist()]
    assert sorted(found, key=str) == sorted(
        [
            (1, None, None, 540, 720),
            (1, None, None, 780, 1080),
            (1, date(2024, 2, 1), None, 600, 1080),
            (7, None, None, None, None),
            (None, None, date(2024, 12, 24), 540, 840),
            (None, None, date(2024, 12, 25), None, None),
        ],
        key=str,
    )
    assert parsed.set_aside == ()


BAD = {
    "too few fields": (ImportKind.COUNTS, COUNTS, "2024-01-05T10:15,berlin,mat,3", "fields"),
    "a stray quote": (ImportKind.COUNTS, COUNTS, '2024-01-05T10:15,"berlin,mat,3,2', "fields"),
    "a line without end": (ImportKind.COUNTS, COUNTS, "x" * 3000, "too_long"),
    "a location nobody registered": (ImportKind.COUNTS, COUNTS, "2024-01-05T10:15,paris,mat,3,2", "unknown_location"),
    "another source": (ImportKind.COUNTS, COUNTS, "2024-01-05T10:15,berlin,radar,3,2", "unknown_source"),
    "a negative count": (ImportKind.COUNTS, COUNTS, "2024-01-05T10:15,berlin,mat,-3,2", "bad_number"),
    "half a person": (ImportKind.COUNTS, COUNTS, "2024-01-05T10:15,berlin,mat,3.5,2", "bad_number"),
    "more people than a door lets in": (
        ImportKind.COUNTS,
        COUNTS,
        "2024-01-05T10:15,berlin,mat,1000001,2",
        "bad_number",
    ),
    "nobody counted in": (ImportKind.COUNTS, COUNTS, "2024-01-05T10:15,berlin,mat,,2", "bad_number"),
    "another form of time": (ImportKind.COUNTS, COUNTS, "05.01.2024 10:15,berlin,mat,3,2", "bad_time"),
    "a day that is none": (ImportKind.COUNTS, COUNTS, "2024-02-30T10:15,berlin,mat,3,2", "bad_time"),
    "tomorrow": (ImportKind.COUNTS, COUNTS, "2024-11-02T10:15,berlin,mat,3,2", "out_of_range"),
    "the last century": (ImportKind.COUNTS, COUNTS, "1999-12-31T10:15,berlin,mat,3,2", "out_of_range"),
    "the hour that clocks skip": (ImportKind.COUNTS, COUNTS, "2024-03-31T02:30,berlin,mat,3,2", "no_such_local_time"),
    "the hour that comes twice": (ImportKind.COUNTS, COUNTS, "2024-10-27T02:30,berlin,mat,3,2", "ambiguous_local_time"),
    "an hour of 24": (ImportKind.SALES, SALES, "berlin,2024-01-05,24,3,4,12.50,", "bad_time"),
    "a decimal comma": (ImportKind.SALES, SALES, 'berlin,2024-01-05,10,3,4,"12,50",', "bad_number"),
    "not a number": (ImportKind.SALES, SALES, "berlin,2024-01-05,10,3,4,nan,", "bad_number"),
    "a formula": (ImportKind.SALES, SALES, "berlin,2024-01-05,10,3,4,12.50,=1+1", "bad_text"),
    "a shift beyond midnight": (ImportKind.STAFF, STAFF, "berlin,2024-01-05,22:00,06:00,2", "crosses_midnight"),
    "a shift of no length": (ImportKind.STAFF, STAFF, "berlin,2024-01-05,22:00,22:00,2", "crosses_midnight"),
    "a time beyond the day": (ImportKind.STAFF, STAFF, "berlin,2024-01-05,22:00,24:01,2", "bad_time"),
    "a plan in the far future": (ImportKind.STAFF, STAFF, "berlin,2030-01-05,09:00,10:00,2", "out_of_range"),
    "a night open": (ImportKind.OPENING_HOURS, HOURS, "berlin,fri,,,22:00,04:00", "crosses_midnight"),
    "a weekday and a date": (ImportKind.OPENING_HOURS, HOURS, "berlin,fri,2024-01-05,,09:00,18:00", "bad_time"),
    "neither": (ImportKind.OPENING_HOURS, HOURS, "berlin,,,,09:00,18:00", "bad_time"),
    "an eighth weekday": (ImportKind.OPENING_HOURS, HOURS, "berlin,8,,,09:00,18:00", "bad_time"),
    "no end": (ImportKind.OPENING_HOURS, HOURS, "berlin,fri,,,09:00,", "bad_time"),
}


@pytest.mark.parametrize(("kind", "header", "line", "reason"), BAD.values(), ids=BAD.keys())
def test_a_bad_row_is_set_aside_and_stops_no_other(parse, kind, header, line, reason) -> None:
    good = GOOD[kind][1]
    parsed = parse(kind, header, line, good)
    [aside] = parsed.set_aside
    assert (aside.line, aside.reason, aside.text) == (2, reason, line[:200])
    assert parsed.set_aside_counts == {reason: 1}
    assert parsed.rows.equals(parse(kind, header, good).rows)
    assert parsed.rows.num_rows == 1


def test_hours_beyond_midnight_are_refused_with_what_to_do(parse) -> None:
    [aside] = parse(ImportKind.OPENING_HOURS, HOURS, "berlin,fri,,,22:00,04:00").set_aside
    assert "two rows: one until 24:00, and one from 00:00" in aside.message


def test_an_offset_tells_the_two_hours_of_one_name_apart(parse) -> None:
    parsed = parse(
        ImportKind.COUNTS,
        COUNTS,
        "2024-10-27T02:30+02:00,berlin,mat,3,2",
        "2024-10-27T02:30+01:00,berlin,mat,4,1",
    )
    found = [(row["hour_starts_at"].hour, row["local_hour"], row["people_in"]) for row in parsed.rows.to_pylist()]
    assert found == [(0, 2, 3), (1, 2, 4)]


def test_a_location_that_moved_has_the_zone_of_the_day(parse) -> None:
    parsed = parse(
        ImportKind.COUNTS,
        COUNTS,
        "2023-07-01T10:00,moved,mat,1,1",
        "2024-05-31T10:00,moved,mat,1,1",
        "2024-06-01T10:00,moved,mat,1,1",
    )
    assert [row["counted_at"].hour for row in parsed.rows.to_pylist()] == [10, 10, 8]


@pytest.mark.parametrize("kind", ImportKind)
def test_a_second_row_of_one_key_is_set_aside(parse, kind) -> None:
    header, line = GOOD[kind]
    parsed = parse(kind, header, line, line)
    assert [(aside.line, aside.reason) for aside in parsed.set_aside] == [(3, "repeated_key")]
    assert parsed.rows.num_rows == 1


def test_hours_that_overlap_are_set_aside(parse) -> None:
    parsed = parse(
        ImportKind.OPENING_HOURS,
        HOURS,
        "berlin,mon,,,09:00,12:00",
        "berlin,mon,,,11:59,18:00",
        "berlin,mon,,,12:00,18:00",
        "berlin,mon,,,,",
        "berlin,tue,,,11:00,18:00",
    )
    assert [(aside.line, aside.reason) for aside in parsed.set_aside] == [(3, "overlapping"), (5, "overlapping")]
    assert parsed.rows.num_rows == 3


def test_bytes_mark_windows_lines_and_spaces_do_not_matter(parse, registry) -> None:
    header, line = GOOD[ImportKind.COUNTS]
    spaced = f"\ufeff{header.upper()}\r\n\r\n{line.replace(',', ' , ')}\r\n".encode()
    now = datetime(2024, 11, 1, tzinfo=UTC)
    parsed = parse_csv(ImportKind.COUNTS, "file.csv", spaced, registry=registry, now=now)
    assert parsed.rows.equals(parse(ImportKind.COUNTS, header, line).rows)


REFUSED = {
    "a column is missing": (b"timestamp,location,source,in\n", "expected the columns"),
    "a column is unknown": (b"timestamp,location,source,in,out,name\n", "expected the columns"),
    "a column is there twice": (b"timestamp,location,source,in,out,out\n", "expected the columns"),
    "semicolons": (b"timestamp;location;source;in;out\n", "separated by commas"),
    "another encoding": ("timestamp,location,source,in,out\nü".encode("latin-1"), "UTF-8"),
    "a quote in the header": (b'timestamp,"location', "first line"),
}


@pytest.mark.parametrize(("data", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_cannot_be_read_is_refused_whole(registry, data, words) -> None:
    with pytest.raises(UserMistake, match=words):
        parse_csv(ImportKind.COUNTS, "file.csv", data, registry=registry, now=datetime(2024, 11, 1, tzinfo=UTC))


def test_a_file_that_cannot_say_when_is_refused(parse) -> None:
    with pytest.raises(UserMistake, match="hour or from and to"):
        parse(ImportKind.STAFF, "location,date,from,staff")


def test_no_more_is_read_than_allowed(tmp_path) -> None:
    path, empty = tmp_path / "big.csv", tmp_path / "empty.csv"
    path.write_bytes(b"x" * 11)
    empty.touch()
    assert read_csv(path, most_bytes=11) == b"x" * 11
    refused = ((path, "at most 10 bytes"), (empty, "empty"), (tmp_path / "absent.csv", "name"), (tmp_path, "name"))
    for source, words in refused:
        with pytest.raises(UserMistake, match=words):
            read_csv(source, most_bytes=10)


def test_every_kind_is_complete() -> None:
    assert set(KINDS) == set(SCHEMAS) == set(KEYS) == set(GOOD) == set(ImportKind)
    for kind in ImportKind:
        assert set(KINDS[kind].repeated) <= set(SCHEMAS[kind].names)


@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from(sorted(CountSource)), st.integers(0, 9)),
        unique_by=lambda row: row[:2],
        max_size=20,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_changes_nothing(parse, rows, random) -> None:
    lines = [f"2024-01-05T10:{minute:02},berlin,{source},{count},0" for minute, source, count in rows]
    shuffled = random.sample(lines, len(lines))
    assert parse(ImportKind.COUNTS, COUNTS, *lines).rows.equals(parse(ImportKind.COUNTS, COUNTS, *shuffled).rows)


@given(st.text(max_size=200))
def test_no_line_stops_a_file(parse, text) -> None:
    good = GOOD[ImportKind.COUNTS][1]
    junk = [line for line in text.split("\n") if line.strip()]
    parsed = parse(ImportKind.COUNTS, COUNTS, *junk, good)
    assert parsed.rows.num_rows + len(parsed.set_aside) == len(junk) + 1
    assert parsed.rows.num_rows >= 1
