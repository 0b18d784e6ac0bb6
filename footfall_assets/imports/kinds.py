"""What a row of each kind of file means."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from footfall_assets.contracts.imports import KEYS, CountSource, ImportKind, RowFault
from footfall_assets.imports.csv_lines import Columns
from footfall_assets.imports.fields import (
    BadRow,
    Places,
    minutes_of,
    money_or_none,
    past_or_planned_day,
    people,
    people_or_none,
    plain_text,
    staff_count,
    whole_hour,
)

Row = dict[str, Any]  # by the columns of the kind's schema
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")  # ISO order; 1 is Monday


@dataclass(frozen=True)
class KindOfFile:
    """How files of one kind are read.

    Attributes:
        columns: of the file.
        read: a row's fields as a row of the table; raises BadRow.
        repeated: columns that no two rows of one file may agree in.
        overlapping: columns within which no two rows' minutes may overlap; none where they have no minutes.
    """

    columns: Columns
    read: Callable[[Mapping[str, str], Places], Row]
    repeated: tuple[str, ...]
    overlapping: tuple[str, ...] = ()


def _counts(fields: Mapping[str, str], places: Places) -> Row:
    location = places.location(fields["location"])
    if fields["source"] not in set(CountSource):
        known = ", ".join(CountSource)
        raise BadRow(RowFault.UNKNOWN_SOURCE, f"expected one of {known}, got {fields['source'][:60]!r}")
    hour = places.past_hour(location, fields)
    return {
        "location_id": location,
        "source": fields["source"],
        "counter": plain_text(fields.get("counter", "")),
        "counted_at": hour.moment,
        **hour.columns(),
        "people_in": people(fields["in"]),
        "people_out": people_or_none(fields["out"]),
    }


def _sales(fields: Mapping[str, str], places: Places) -> Row:
    location = places.location(fields["location"])
    hour = places.past_hour(location, fields)
    return {
        "location_id": location,
        "category": plain_text(fields.get("category", "")),
        "sold_at": hour.moment,
        **hour.columns(),
        "transactions": people(fields["transactions"]),
        "items": people_or_none(fields["items"]),
        "revenue": money_or_none(fields["revenue"]),
    }


def _staff(fields: Mapping[str, str], places: Places) -> Row:
    location = places.location(fields["location"])
    day = past_or_planned_day(fields["date"], now=places.now)
    text = fields.get("hour", "")
    if text:
        hour = whole_hour(text)
        starts, ends = 60 * hour, 60 * hour + 60
    else:
        starts, ends = minutes_of(fields.get("from", ""), fields.get("to", ""))
    staff: Decimal = staff_count(fields["staff"])
    return {
        "location_id": location,
        "business_day": day,
        "starts_minute": starts,
        "ends_minute": ends,
        "staff": staff,
    }


def _opening_hours(fields: Mapping[str, str], places: Places) -> Row:
    location = places.location(fields["location"])
    weekday_text, day_text, since_text = (fields.get(name, "") for name in ("weekday", "date", "valid_from"))
    if bool(weekday_text) == bool(day_text) or (day_text and since_text):
        raise BadRow(
            RowFault.BAD_TIME, "expected a weekday (with or without valid_from) or the date of an exception, not both"
        )
    closed = not fields["opens"] and not fields["closes"]
    opens, closes = (None, None) if closed else minutes_of(fields["opens"], fields["closes"])
    return {
        "location_id": location,
        "weekday": _weekday(weekday_text) if weekday_text else None,
        "valid_from": past_or_planned_day(since_text, now=places.now) if since_text else None,
        "exception_day": past_or_planned_day(day_text, now=places.now) if day_text else None,
        "opens_minute": opens,
        "closes_minute": closes,
    }


def _weekday(text: str) -> int:
    if text.lower()[:3] in _WEEKDAYS:
        return _WEEKDAYS.index(text.lower()[:3]) + 1
    if text in {"1", "2", "3", "4", "5", "6", "7"}:
        return int(text)
    raise BadRow(RowFault.BAD_TIME, f"expected a weekday mon to sun, or 1 (Monday) to 7, got {text[:60]!r}")


KINDS: Final[Mapping[ImportKind, KindOfFile]] = {
    ImportKind.COUNTS: KindOfFile(
        Columns(("timestamp", "location", "source", "in", "out"), ("counter",)),
        _counts,
        repeated=KEYS[ImportKind.COUNTS],
    ),
    ImportKind.SALES: KindOfFile(
        Columns(("location", "transactions", "items", "revenue"), ("timestamp", "date", "hour", "category")),
        _sales,
        repeated=KEYS[ImportKind.SALES],
    ),
    ImportKind.STAFF: KindOfFile(
        Columns(("location", "date", "staff"), ("hour", "from", "to")),
        _staff,
        repeated=("location_id", "business_day", "starts_minute", "ends_minute"),
    ),
    ImportKind.OPENING_HOURS: KindOfFile(
        Columns(("location", "opens", "closes"), ("weekday", "date", "valid_from")),
        _opening_hours,
        repeated=(*KEYS[ImportKind.OPENING_HOURS], "opens_minute"),
        overlapping=KEYS[ImportKind.OPENING_HOURS],
    ),
}


def find_clashes(rows: Sequence[Row], kind: KindOfFile) -> dict[int, BadRow]:
    """Return the positions of rows that clash with an earlier row of the file, and why."""
    found: dict[int, BadRow] = {}
    seen: set[tuple[Any, ...]] = set()
    taken: defaultdict[tuple[Any, ...], list[tuple[int, int]]] = defaultdict(list)
    for position, row in enumerate(rows):
        key = tuple(row[name] for name in kind.repeated)
        if key in seen:
            found[position] = BadRow(
                RowFault.REPEATED_KEY, "expected one row for each key in a file, got a second; the first was taken"
            )
            continue
        seen.add(key)
        if kind.overlapping:
            day = tuple(row[name] for name in kind.overlapping)
            # A day closed clashes with any hours of that day.
            opens, closes = (row["opens_minute"] or 0, row["closes_minute"] or 1440)
            if any(opens < other_closes and other_opens < closes for other_opens, other_closes in taken[day]):
                found[position] = BadRow(
                    RowFault.OVERLAPPING, "expected hours that do not overlap those of an earlier row of that day"
                )
                continue
            taken[day].append((opens, closes))
    return found
