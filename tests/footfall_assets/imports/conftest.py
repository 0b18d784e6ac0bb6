from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from footfall_assets.contracts.imports import ImportKind
from footfall_assets.contracts.registry import Location, Registry
from footfall_assets.imports.import_file import parse_csv
from footfall_assets.storage.import_store import ParsedFile

NOW = datetime(2024, 11, 1, 12, tzinfo=UTC)


def location(location_id: str, timezone: str, valid_from: date = date(2023, 1, 1)) -> Location:
    return Location(
        location_id=location_id, name=location_id, timezone=timezone, partition_group=location_id, valid_from=valid_from
    )


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry(
        locations=(
            location("berlin", "Europe/Berlin"),
            location("kathmandu", "Asia/Kathmandu"),
            location("moved", "UTC", date(2024, 1, 1)),
            location("moved", "Europe/Berlin", date(2024, 6, 1)),
        )
    )


@pytest.fixture(scope="session")
def parse(registry: Registry) -> Callable[..., ParsedFile]:
    """Parse lines as one file; the first is its header."""

    def of(kind: ImportKind, *lines: str) -> ParsedFile:
        return parse_csv(kind, "file.csv", "\n".join(lines).encode(), registry=registry, now=NOW)

    return of
