from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamlit_app.filters import FilterOptions, Filters, Grain, parse_filters, to_params

OPTIONS = FilterOptions(
    first_day=date(2023, 12, 20),
    last_day=date(2024, 1, 31),
    locations={"store-101": "Store #101", "store-203": "Store #203"},
    groups={"entrances": "Entrances"},
)
DEFAULT = Filters(date(2024, 1, 1), date(2024, 1, 31))
DAYS = st.dates(OPTIONS.first_day, OPTIONS.last_day)


@given(
    days=st.tuples(DAYS, DAYS).map(sorted),
    places=st.lists(st.sampled_from(sorted(OPTIONS.locations)), unique=True).map(sorted),
    group=st.sampled_from([None, "entrances"]),
    least=st.integers(1, 1_000_000),
    grain=st.sampled_from(Grain),
)
def test_address_and_filters_are_the_same_thing(days, places, group, least, grain):
    filters = Filters(*days, tuple(places), group, least, grain)
    assert parse_filters(to_params(filters), OPTIONS) == (filters, ())


def test_no_address_is_the_newest_month_without_complaint():
    assert parse_filters({}, OPTIONS) == (DEFAULT, ())


@given(
    params=st.dictionaries(
        st.sampled_from(["from", "to", "location", "group", "min", "by", "other"]), st.lists(st.text(), max_size=3)
    )
)
def test_any_text_gives_filters_that_make_a_request(params):
    filters, problems = parse_filters(params, OPTIONS)
    assert filters.request.first_day >= OPTIONS.first_day
    assert filters.request.last_day <= OPTIONS.last_day
    assert all(len(problem) < 120 for problem in problems)


@pytest.mark.parametrize(
    ("params", "filters"),
    [
        pytest.param(
            {"location": ["store-203", "nowhere"]}, {"location_ids": ("store-203",)}, id="the known part stays"
        ),
        pytest.param({"min": ["1000001"]}, {}, id="above the limit"),
        pytest.param({"min": ["0"]}, {}, id="below one"),
        pytest.param({"from": ["2024-1-1"]}, {}, id="short date"),
        pytest.param({"from": ["2024-W01-1"]}, {}, id="week date"),
        pytest.param({"from": ["2023-12-19"]}, {}, id="before the data"),
        pytest.param({"to": ["2024-02-01"]}, {}, id="after the data"),
    ],
)
def test_what_cannot_be_used_is_replaced_and_told(params, filters):
    found, problems = parse_filters(params, OPTIONS)
    assert len(problems) == 1
    assert found == Filters(DEFAULT.first_day, DEFAULT.last_day, **filters)


def test_a_million_characters_cost_nothing():
    huge = ("9" * 1_000_000,)
    found, problems = parse_filters(dict.fromkeys(("from", "to", "location", "group", "min", "by"), huge), OPTIONS)
    assert found == DEFAULT
    assert len(problems) == 5


@pytest.mark.parametrize(
    "asked",
    [
        {"starts_at": time(9, 30)},
        {"ends_at": time(18, 0)},
        {"starts_at": time(9, 30), "ends_at": time(9, 31)},
        {"camera_ids": ("till",)},
    ],
)
def test_minutes_and_cameras_survive_the_address(asked):
    options = FilterOptions(
        date(2024, 1, 1), date(2024, 1, 31), {"store-101": "Store"}, {}, {"till": "Till"}, {"till": "store-101"}
    )
    filters = Filters(date(2024, 1, 2), date(2024, 1, 2), **asked)
    assert parse_filters(to_params(filters), options) == (filters, ())
