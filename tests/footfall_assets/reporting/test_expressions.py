"""Shares by expression at a camera and in a zone."""

from datetime import date

import pytest

from footfall_assets.contracts.attributes import CLASSES, Trait
from footfall_assets.contracts.errors import NoData
from footfall_assets.reporting.expressions import expressions_by_camera, expressions_by_zone
from footfall_assets.reporting.request import Period

JANUARY = Period(date(2024, 1, 1), date(2024, 1, 31))
EXPRESSIONS = CLASSES[Trait.EXPRESSION]
HAPPY = EXPRESSIONS.index("happy")
BIASED = [[80 if i == j else 2 for j in range(7)] for i in range(7)]
BIASED[HAPPY] = [40 if j in (HAPPY, EXPRESSIONS.index("neutral")) else 2 for j in range(7)]  # half of them look neutral


def rows_of(place, happy, *, location="store-101", day="2024-01-02", reason=None, neutral=1):
    counts = dict.fromkeys(EXPRESSIONS, 1) | {"happy": happy, "neutral": neutral}
    total = sum(counts.values())
    return [
        (location, place, day, name, None if reason else n, None if reason else total, reason)
        for name, n in counts.items()
    ]


@pytest.fixture
def store(new_store):
    made = new_store().place("store-101", "Store #101", cameras=("door", "shelf", "till"))
    return made.confused("store-101", "expression", EXPRESSIONS, BIASED)


def happy_share(found):
    return next(share for share in found.shown.shares if share.name == "happy")


def test_by_camera_with_the_busiest_first(store, opened) -> None:
    store.demographic("expression_daily", *rows_of("store-101-door", 20), *rows_of("store-101-shelf", 80))
    store.demographic("expression_daily", *rows_of("store-101-till", 2, reason="too_few_visitors"))
    cameras, left_out = expressions_by_camera(opened(store), JANUARY, camera_ids=None)
    assert [each.place for each in cameras] == ["store-101-shelf", "store-101-door"]
    assert happy_share(cameras[0]).share > 0.8
    assert [each.shown.visitor_days for each in cameras] == [86, 26]
    assert left_out == (("too_few_visitors", 1),)


def test_only_the_cameras_asked_for(store, opened) -> None:
    store.demographic("expression_daily", *rows_of("store-101-door", 20), *rows_of("store-101-shelf", 80))
    cameras, left_out = expressions_by_camera(opened(store), JANUARY, camera_ids=("store-101-door",))
    assert [each.place for each in cameras] == ["store-101-door"]
    assert left_out == ()


def test_zones_of_two_stores_are_apart_and_days_add_up(store, opened) -> None:
    store.place("store-203", "Store #203").confused("store-203", "expression", EXPRESSIONS, BIASED)
    store.demographic(
        "expression_by_zone",
        *rows_of("display", 20),
        *rows_of("display", 30, day="2024-01-03"),
        *rows_of("display", 90, location="store-203"),
        *rows_of("shelf", 3, reason="too_few_visitors"),
        *rows_of("display", 500, day="2024-02-01"),
    )
    connection = opened(store)
    zones, left_out = expressions_by_zone(connection, JANUARY, location_ids=("store-101", "store-203"))
    assert [(each.location_id, each.place, each.shown.visitor_days) for each in zones] == [
        ("store-203", "display", 96),
        ("store-101", "display", 62),
    ]
    assert left_out == (("too_few_visitors", 1),)
    alone, _ = expressions_by_zone(connection, JANUARY, location_ids=("store-101",))
    assert [each.location_id for each in alone] == ["store-101"]


def test_what_the_classifier_confuses_is_undone(store, opened) -> None:
    """Of 100 happy people 44 look happy and 44 neutral to it: as many labels of each are people who are happy."""
    store.demographic("expression_by_zone", *rows_of("display", 44, neutral=46))
    [zone], _ = expressions_by_zone(opened(store), JANUARY, location_ids=("store-101",))
    happy = happy_share(zone)
    assert happy.low <= happy.share <= happy.high
    assert happy.share > 0.8  # of the labels 0.46


def test_an_older_publication_has_nothing_to_say(new_store, opened) -> None:
    with pytest.raises(NoData, match="footfall run"):
        expressions_by_zone(opened(new_store().place("store-101", "Store #101")), JANUARY, location_ids=("store-101",))
