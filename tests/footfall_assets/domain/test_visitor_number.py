import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.domain.visitor_number import _permute, check_letter, is_visitor_id, visitor_id

KEY, OTHER = bytes(range(32)), bytes(32)
NUMBERS = st.integers(0, 999_999)


def sample(first, last, count):
    return random.Random(7).sample(range(first, last), count)  # noqa: S311 - the same ones each time


def test_ids_stay_what_they_were_in_every_report_that_was_printed():
    assert [visitor_id(ordinal, KEY) for ordinal in (0, 1, 2, 99_999, 100_000, 1_000_000)] == [
        "05172X",
        "62716V",
        "77441A",
        "79861F",
        "789471W",
        "7840346R",
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 10, 64, 100, 1000, 4097])
def test_the_permutation_takes_each_place_once(size):
    found = [_permute(value, size, KEY) for value in range(size)]
    assert sorted(found) == list(range(size))
    if size > 10:
        assert found != sorted(found)


def test_no_two_of_many_ids_are_equal():
    """20,000 of the first 100,000: numbers drawn at random would share some 1,870 of them."""
    ids = {visitor_id(ordinal, KEY) for ordinal in sample(0, 100_000, 20_000)}
    assert len(ids) == 20_000
    assert all(len(each) == 6 and is_visitor_id(each) for each in ids)


@pytest.mark.slow
def test_the_first_hundred_thousand_ids_are_the_five_digit_numbers():
    numbers = [int(visitor_id(ordinal, KEY)[:-1]) for ordinal in range(100_000)]
    assert sorted(numbers) == list(range(100_000))


def test_six_digits_begin_where_five_end_and_no_id_is_given_twice():
    six = {visitor_id(ordinal, KEY) for ordinal in [100_000, 999_999, *sample(100_000, 1_000_000, 2000)]}
    assert len(six) == 2002
    assert all(len(each) == 7 and each[0] != "0" and is_visitor_id(each) for each in six)
    assert len(visitor_id(1_000_000, KEY)) == 8


def test_numbers_say_nothing_of_the_order_of_arrival():
    numbers = [int(visitor_id(ordinal, KEY)[:-1]) for ordinal in range(2000)]
    rises = sum(after > before for before, after in pairwise(numbers))
    assert 850 < rises < 1150
    assert 40_000 < sum(numbers) / len(numbers) < 60_000
    assert max(numbers) - min(numbers) > 99_000


def test_another_key_gives_another_order():
    same = sum(visitor_id(ordinal, KEY) == visitor_id(ordinal, OTHER) for ordinal in range(2000))
    assert same < 5


def test_a_place_before_the_first_is_refused():
    with pytest.raises(ValueError, match="0 or more"):
        visitor_id(-1, KEY)


@given(NUMBERS, st.data())
def test_any_one_wrong_digit_is_noticed(number, data):
    text = f"{number:05d}"
    place = data.draw(st.integers(0, len(text) - 1))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != text[place]]))
    assert not is_visitor_id(text[:place] + wrong + text[place + 1 :] + check_letter(number))


@given(NUMBERS, st.data())
def test_any_swap_of_neighbours_is_noticed(number, data):
    text = f"{number:05d}"
    place = data.draw(st.integers(0, len(text) - 2))
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assert is_visitor_id(swapped + check_letter(number)) == (swapped == text)


@given(NUMBERS)
def test_any_other_letter_is_noticed(number):
    letters = [letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if is_visitor_id(f"{number:05d}{letter}")]
    assert letters == [check_letter(number)]
    assert letters[0] not in "IOQ"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A",
        "1A",
        "0000A",
        "00000",
        "00000a",
        "000000A",
        "0012300A",
        " 00000A",
        "00000A ",
        "00000A\n",
        "-0000A",
        "+0000A",
        "0_000A",
        "00000AA",
        "\u0660" * 5 + "A",
        "²0000A",
        "1" * 5000 + "A",
        "=cmd()",
    ],
    ids=lambda text: ascii(text)[:24],
)
def test_what_visitor_id_never_writes_is_none(text):
    assert not is_visitor_id(text)


@given(st.integers(0, 10**9), st.binary(min_size=16, max_size=32))
def test_what_visitor_id_writes_is_one(ordinal, key):
    assert is_visitor_id(visitor_id(ordinal, key))
