"""What comes in from other systems as CSV: the kinds of files, why a row is set aside, and the tables rows become.

Times are local to the location where people write them, and UTC beside the local day and hour once they are stored.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

import pyarrow as pa
from pydantic import AwareDatetime, BaseModel, ConfigDict

from footfall_assets.contracts.ids import Sha256, digest_of

_TIMESTAMP: Final = pa.timestamp("us", tz="UTC")
REVENUE: Final = pa.decimal128(18, 2)  # exact: sums must not depend on their order
STAFF: Final = pa.decimal128(9, 2)  # people; half a person is half an hour of one


class ImportKind(StrEnum):
    """What a file holds."""

    COUNTS = "counts"
    SALES = "sales"
    STAFF = "staff"
    OPENING_HOURS = "opening-hours"

    @property
    def table(self) -> str:
        """The name of its table in the warehouse."""
        return {"staff": "planned_staff"}.get(self.value, self.value.replace("-", "_"))


class CountSource(StrEnum):
    """What counted people, besides our own cameras."""

    MANUAL = "manual"
    MECHANICAL = "mechanical"
    MAT = "mat"
    INFRARED = "infrared"
    THERMAL = "thermal"
    WIFI = "wifi"
    VIDEO = "video"


class RowFault(StrEnum):
    """Why a row was set aside."""

    FIELDS = "fields"
    TOO_LONG = "too_long"
    UNKNOWN_LOCATION = "unknown_location"
    BAD_TIME = "bad_time"
    NO_SUCH_LOCAL_TIME = "no_such_local_time"
    AMBIGUOUS_LOCAL_TIME = "ambiguous_local_time"
    OUT_OF_RANGE = "out_of_range"
    BAD_NUMBER = "bad_number"
    BAD_TEXT = "bad_text"
    UNKNOWN_SOURCE = "unknown_source"
    CROSSES_MIDNIGHT = "crosses_midnight"
    OVERLAPPING = "overlapping"
    REPEATED_KEY = "repeated_key"


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


_HOUR: Final = (
    _required("business_day", pa.date32()),
    _required("hour_starts_at", _TIMESTAMP),  # of the local hour
    _required("local_hour", pa.int32()),
)

COUNTS: Final = pa.schema(
    [
        _required("location_id", pa.string()),
        _required("source", pa.string()),
        _required("counter", pa.string()),  # which of several, empty where there is one
        _required("counted_at", _TIMESTAMP),  # start of what was counted
        *_HOUR,
        _required("people_in", pa.int64()),
        pa.field("people_out", pa.int64()),  # null where the counter has one direction
    ]
)

SALES: Final = pa.schema(
    [
        _required("location_id", pa.string()),
        _required("category", pa.string()),  # empty: all categories together
        _required("sold_at", _TIMESTAMP),
        *_HOUR,
        _required("transactions", pa.int64()),
        pa.field("items", pa.int64()),
        pa.field("revenue", REVENUE),  # in the currency of the home
    ]
)

PLANNED_STAFF: Final = pa.schema(
    [
        _required("location_id", pa.string()),
        _required("business_day", pa.date32()),
        _required("starts_minute", pa.int32()),  # of the local clock, from midnight
        _required("ends_minute", pa.int32()),  # exclusive, at most 1440
        _required("staff", STAFF),
    ]
)

OPENING_HOURS: Final = pa.schema(
    [
        _required("location_id", pa.string()),
        pa.field("weekday", pa.int32()),  # 1 is Monday; null for an exception
        pa.field("valid_from", pa.date32()),  # first day of the weekday's hours; null: always
        pa.field("exception_day", pa.date32()),  # null for a weekday
        pa.field("opens_minute", pa.int32()),  # of the local clock; null: closed all day
        pa.field("closes_minute", pa.int32()),  # exclusive, at most 1440
    ]
)

SCHEMAS: Final = {
    ImportKind.COUNTS: COUNTS,
    ImportKind.SALES: SALES,
    ImportKind.STAFF: PLANNED_STAFF,
    ImportKind.OPENING_HOURS: OPENING_HOURS,
}

# What a later file replaces: all rows of the same key, whatever their number.
KEYS: Final = {
    ImportKind.COUNTS: ("location_id", "source", "counter", "counted_at"),
    ImportKind.SALES: ("location_id", "category", "sold_at"),
    ImportKind.STAFF: ("location_id", "business_day"),
    ImportKind.OPENING_HOURS: ("location_id", "weekday", "valid_from", "exception_day"),
}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SetAsideRow(_Frozen):
    """One row that was not taken: its line in the file, why, and how it began."""

    line: int
    reason: RowFault
    message: str
    text: str


class ImportRecord(_Frozen):
    """One accepted file: where it lies, what became of its rows."""

    sequence: int  # from 1; a later one replaces rows of the same key
    imported_at: AwareDatetime
    file_name: str
    file_sha256: Sha256
    rows: int
    rows_key: str | None  # Parquet; None where no row was taken
    rows_sha256: Sha256 | None
    set_aside: dict[RowFault, int]
    set_aside_key: str | None


class ImportLedger(_Frozen):
    """Every file of one kind that was imported, oldest first."""

    kind: ImportKind
    records: tuple[ImportRecord, ...] = ()

    @property
    def digest(self) -> str:
        """Hash of the rows in their order; other file names or times of import do not change it."""
        taken = [f"{each.sequence}/{each.rows_sha256}" for each in self.records if each.rows_sha256]
        return digest_of(self.kind, *taken)

    @property
    def has_rows(self) -> bool:
        """Whether any row was ever taken."""
        return any(each.rows for each in self.records)

    def newest_of(self, file_sha256: str) -> ImportRecord | None:
        """Return the newest import of a file with these bytes, or None."""
        return next((each for each in reversed(self.records) if each.file_sha256 == file_sha256), None)

    def last_imported_at(self) -> datetime | None:
        """Return when the newest file came in, or None."""
        return self.records[-1].imported_at if self.records else None
