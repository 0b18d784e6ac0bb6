from datetime import UTC, date, datetime, timedelta

import pytest

from footfall_assets.contracts.errors import RegistryError, UserMistake
from footfall_assets.contracts.registry import Location, LocationMode, Registry
from footfall_assets.operations.scope import places_in
from footfall_assets.platform import Place

FIRST, LAST = date(2024, 1, 1), date(2024, 1, 2)


@pytest.fixture
def registry():
    stores = tuple(
        Location(location_id=each, name=each, mode=LocationMode.COUNT_ONLY, partition_group="all", valid_from=FIRST)
        for each in ("b", "a")
    )
    return Registry(first_day=FIRST, locations=stores)


def test_all_locations_on_every_day(registry) -> None:
    assert places_in(registry, FIRST, LAST, ()) == [Place(day, store) for day in (FIRST, LAST) for store in ("a", "b")]


def test_chosen_locations(registry) -> None:
    assert places_in(registry, LAST, LAST, ("b",)) == [Place(LAST, "b")]


def test_today_and_the_day_that_has_begun_in_the_east(registry) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    assert places_in(registry, tomorrow, tomorrow, ("a",)) == [Place(tomorrow, "a")]


@pytest.mark.parametrize(
    ("first", "last", "stores", "error", "message"),
    [
        (LAST, FIRST, (), UserMistake, "--from before --to"),
        (FIRST, date(2999, 1, 1), (), UserMistake, "future"),
        (date(2023, 12, 31), FIRST, (), UserMistake, "first day"),
        (FIRST, LAST, ("c",), RegistryError, "unknown location c; known: a, b"),
    ],
)
def test_mistakes(registry, first, last, stores, error, message) -> None:
    with pytest.raises(error, match=message):
        places_in(registry, first, last, stores)


def test_nothing_registered() -> None:
    with pytest.raises(UserMistake, match="first day"):
        places_in(Registry(), FIRST, LAST, ())
