"""The protected counts against somebody who wants to know what is hidden; benchmarks/protection.py is the attacker."""

import importlib.util
import itertools
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

_PATH = Path(__file__).parents[2] / "benchmarks" / "protection.py"


def _load():
    spec = importlib.util.spec_from_file_location("protection_attack", _PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


attack = _load()
DAY = date(2024, 1, 3)
WHOLE = {"location_id": "a", "linkage_window": "2024-01", "week_starts_on": date(2024, 1, 1)}


def hour(place, number, count, day=DAY):
    starts = datetime(day.year, day.month, day.day, 8 + number, tzinfo=UTC)
    return (place, "hour", "2024-01", day, day, date(2024, 1, 1), starts, 8 + number, count)


def whole(place, grain, count, day=DAY, last=None):
    week = None if grain == "month" else date(2024, 1, 1)
    return (place, grain, "2024-01", day, last or day, week, None, None, count)


def frame(rows):
    made = pd.DataFrame(rows, columns=list(attack.COLUMNS))
    made["hour_starts_at"] = pd.to_datetime(made["hour_starts_at"], utc=True)
    made["local_hour"] = made["local_hour"].astype("Int64")
    return made


def shown_of(*rows):
    found = attack.protect(frame(rows))
    values = found["shown"].astype(object).where(~found["is_fewer"], "<10")
    return {
        (grain, hour): value for grain, hour, value in zip(found["grain"], found["local_hour"], values, strict=True)
    }


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "<10"), (1, "<10"), (9, "<10"), (10, 10), (12, 10), (13, 15), (17, 15), (18, 20), (1_000_002, 1_000_000)],
)
def test_fewer_than_ten_are_hidden_and_the_rest_is_rounded_to_five(count, expected):
    shown = shown_of(hour("a", 0, count), whole("a", "day", count))
    assert set(shown.values()) == {expected}


def test_two_hidden_hours_are_not_told_by_their_day():
    """9 + 9 = 18 people, and nobody twice: a day of 20 would say that both hours had 9."""
    rows = (hour("a", 0, 9), hour("a", 1, 9), whole("a", "day", 18))
    shown = shown_of(*rows)
    assert [shown["hour", 8], shown["hour", 9]] == ["<10", "<10"]
    assert 15 in shown.values()
    assert attack.attacked(attack.protect(frame(rows))).under_five == 0
    assert attack.attacked(attack.protect(frame(rows), attack.INDEPENDENT), attack.INDEPENDENT).fixed == 2


def test_a_number_is_lowered_only_where_it_would_tell():
    busy = shown_of(hour("a", 0, 40), hour("a", 1, 38), whole("a", "day", 78))
    assert sorted(busy.values()) == [40, 40, 80]
    mixed = shown_of(*(hour("a", number, 12) for number in range(9)), hour("a", 9, 3), whole("a", "day", 108))
    assert 110 in mixed.values()


@pytest.mark.parametrize(("hours", "most"), [(2, 22), (3, 12)])
def test_exhaustive_inverse_of_a_day(hours, most):
    """Who knows the rules and the code tries all true numbers: each hidden one still has five values or more.

    `most` is the largest count that is shown as 20, or as 10: what is shown stands for all its values.
    """
    cases = [
        (*counts, day)
        for counts in itertools.product(range(most + 1), repeat=hours)
        for day in range(max(counts), sum(counts) + 1)
    ]
    assert narrowest_inverse(cases) >= 5
    if hours == 2:
        assert narrowest_inverse(cases, attack.INDEPENDENT) == 1


def narrowest_inverse(cases, rules=attack.RULES):
    """Return the fewest values of any hidden unit over all true numbers that give the same publication."""
    rows = []
    for number, (*hours, day) in enumerate(cases):
        place = f"p{number:06d}"
        rows += [hour(place, index, count) for index, count in enumerate(hours)]
        rows.append(whole(place, "day", day))
    found = attack.protect(frame(rows), rules)
    found["unit"] = found["local_hour"].fillna(0).astype(int)
    found["said"] = found["shown"].astype(object).where(~found["is_fewer"], -1).astype(int)
    said, true = (
        found.pivot_table(index="location_id", columns="unit", values=name, aggfunc="first")
        for name in ("said", "unique_visitors")
    )
    fewest = []
    for unit in said.columns:
        hidden = said[unit] == -1
        values = true[unit][hidden].groupby([said[hidden][other] for other in said.columns]).nunique()
        fewest.append(values.min())
    return min(fewest)


@st.composite
def weeks(draw):
    """A week of sets of people, so that the true numbers fit together by themselves.

    The people of an hour are a run of numbers that begins anywhere: runs may overlap, hold one another or be apart.
    """
    days, hours = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    visits = []
    for day, number in itertools.product(range(days), range(hours)):
        first = draw(st.sampled_from([0, 5, 9, 1000 * (day * hours + number)]))
        visits += [(day, number, first + person) for person in range(draw(st.integers(0, 25)))]
    made = pd.DataFrame(visits, columns=["day", "hour", "person"]).astype("int64").assign(location_id="a")
    return attack.units_of(made, hours=hours, days=days, places=["a"])


@settings(max_examples=60, deadline=None)
@given(weeks())
def test_no_drawn_week_gives_a_hidden_number_away(units):
    published = attack.protect(units)
    outcome = attack.attacked(published)
    assert outcome.under_five == 0
    hidden = published["is_fewer"].to_numpy()
    assert ((published["unique_visitors"] < 10).to_numpy() == hidden).all()
    assert not published["shown"][hidden].notna().any()
    shown = published[~hidden]
    assert (shown["shown"] <= shown["unique_visitors"] + 2).all()  # lowered, never raised


@pytest.mark.parametrize("mix", attack.MIXES, ids=lambda mix: mix.name)
def test_no_month_of_any_kind_of_place_gives_a_hidden_number_away(mix):
    true = attack.drawn_units(mix, places=3, seed=7)
    published = attack.protect(true)
    assert len(published) == len(true)
    outcome = attack.attacked(published)
    assert (outcome.fixed, outcome.under_five) == (0, 0)


def test_the_attacker_finds_what_independent_rounding_gives_away():
    """Were he blind, every test above would pass."""
    mix = next(each for each in attack.MIXES if each.name == "two long hours")
    true = attack.drawn_units(mix, places=5, seed=7)
    outcome = attack.attacked(attack.protect(true, attack.INDEPENDENT), attack.INDEPENDENT)
    assert outcome.fixed > 0


def test_integer_programs_find_the_same_bounds():
    true = attack.drawn_units(attack.Mix("few hours", 3, 7.0, 0.1, 0.1), places=1, seed=3, days=7)
    published = attack.protect(true)
    units, hidden = attack.tree_of(published)
    wanted = np.flatnonzero(hidden)
    low, high = attack.feasible_ranges(units)
    assert len(wanted) > 10
    assert (attack.solved_ranges(units, wanted) == np.column_stack([low[wanted], high[wanted]])).all()


def test_publishing_again_and_after_late_data_adds_nothing():
    mix = next(each for each in attack.MIXES if each.name == "at the threshold")
    before, after = (attack.protect(units) for units in attack.late(mix, places=2, seed=5, share=0.02))
    outcome = attack.attacked_twice(before, after)
    assert outcome.hidden > 100
    assert outcome.under_five == 0
