"""Which days are sealed: a rule about days and numbers of local visitors alone."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.domain.calendar import linkage_window
from footfall_assets.domain.sealing import Sealing, SealingRule, sealing

FIRST = date(2024, 1, 1)
WINDOW = linkage_window(FIRST)
RULE = SealingRule(above=100, every_days=7)


def day(number):
    return date(2024, 1, number)


def sealed_numbers(counts, **options):
    found = sealing(WINDOW, {day(number): count for number, count in counts.items()}, RULE, **options)
    return sorted(each.day for each in found.sealed)


TABLE = {
    "a small window": ({1: 10, 2: 10, 3: 10}, {}, [1, 2, 3]),
    "one below the size": ({1: 50, 2: 49}, {}, [1, 2]),
    "the size itself": ({1: 50, 2: 50, 3: 1}, {}, [1]),
    "the first day, however large": ({2: 500, 3: 10}, {}, [2]),
    "every seventh day": (dict.fromkeys(range(1, 16), 60), {}, [1, 7, 14]),
    "the first known day behind a seventh": ({1: 60, 5: 60, 9: 60, 10: 60, 22: 60, 23: 60}, {}, [1, 9, 22]),
    "the last day of the window": ({1: 60, 29: 60, 30: 60, 31: 60}, {}, [1, 29, 31]),
    "the newest day of a window that is over": ({1: 60, 29: 60, 30: 60}, {"over": True}, [1, 29, 30]),
    "the newest day of a window that is not": ({1: 60, 29: 60, 30: 60}, {}, [1, 29]),
    "what was asked for": ({1: 60, 2: 60, 3: 60, 4: 60}, {"requested": [day(3)]}, [1, 3]),
    "a day that nobody knows": ({1: 60, 2: 60}, {"requested": [day(5)]}, [1]),
    "no day": ({}, {}, []),
}


@pytest.mark.parametrize(("counts", "options", "expected"), TABLE.values(), ids=TABLE.keys())
def test_which_days_are_sealed(counts, options, expected) -> None:
    assert sealed_numbers(counts, **options) == expected


def test_what_a_day_rests_on() -> None:
    found = Sealing(tuple(day(number) for number in (1, 2, 3, 5, 6)), frozenset({day(1), day(2), day(6)}))
    assert {each.day: (below.day if (below := found.rests_on(each)) else None) for each in found.days} == {
        1: None,
        2: 1,  # sealed: the names of the day before
        3: 2,
        5: 2,  # provisional: the last sealed day, not the day before
        6: 5,  # sealed: the names of the provisional day before
    }


months = st.dictionaries(st.integers(1, 31).map(day), st.integers(0, 80), min_size=1)
rules = st.builds(SealingRule, above=st.integers(0, 300), every_days=st.integers(1, 31))


@given(months, rules, st.lists(st.integers(1, 31).map(day)), st.booleans())
def test_a_provisional_day_rests_on_a_sealed_one(counts, rule, requested, over) -> None:
    found = sealing(WINDOW, counts, rule, requested=requested, over=over)
    for each in found.days:
        below = found.rests_on(each)
        assert (below is None) == (each == found.days[0])
        if each not in found.sealed:
            assert below in found.sealed
            assert each - below < timedelta(days=rule.every_days) or not any(below < other < each for other in counts)


@given(months, rules, st.lists(st.integers(1, 31).map(day)), st.data())
def test_no_day_depends_on_later_ones(counts, rule, requested, data) -> None:
    last = data.draw(st.sampled_from(sorted(counts)))
    until = {each: count for each, count in counts.items() if each <= last}
    before, after = (sealing(WINDOW, each, rule, requested=requested) for each in (until, counts))
    assert before.sealed == {each for each in after.sealed if each <= last}
