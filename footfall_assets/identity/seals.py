"""Days that somebody wants sealed: one document each, beside the lake's other records of what people decided.

seals/<linkage window>/<day>.json
"""

from datetime import UTC, date, datetime
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.domain.calendar import LinkageWindow, linkage_window
from footfall_assets.storage.lake import KeyTaken, LakeStore

_PREFIX: Final = "seals"


class SealRequest(BaseModel):
    """Who wanted a day sealed, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    day: date
    author: str
    requested_at: AwareDatetime


def request_seal(lake: LakeStore, day: date, author: str) -> bool:
    """Ask for a day to be sealed from now on; return False where somebody already has."""
    request = SealRequest(day=day, author=author, requested_at=datetime.now(UTC))
    try:
        return lake.write_once(_key(day), request.model_dump_json(indent=1).encode())
    except KeyTaken:
        return False


def requested_seals(lake: LakeStore, window: LinkageWindow) -> frozenset[date]:
    """Return the days of a window that somebody wants sealed.

    Raises:
        CorruptObject: something else lies there.
    """
    days = set()
    for key in lake.list_keys(f"{_PREFIX}/{window.label}"):
        try:
            days.add(date.fromisoformat(key.rsplit("/", 1)[1].removesuffix(".json")))
        except ValueError as error:
            raise CorruptObject(f"{key}: expected {_PREFIX}/<window>/<day>.json; remove it") from error
    return frozenset(days)


def _key(day: date) -> str:
    return f"{_PREFIX}/{linkage_window(day).label}/{day.isoformat()}.json"
