"""Stills are decoded ahead of the model that looks at them, in order and with nothing swallowed."""

import threading

import pytest

from footfall_assets.vision.stills import ahead


def test_order_and_content_stay():
    assert list(ahead(range(50))) == list(range(50))
    assert list(ahead([])) == []


def test_a_missing_item_is_an_item():
    assert list(ahead([None, 1, None])) == [None, 1, None]


def test_the_next_one_is_made_while_the_last_is_in_use():
    second_is_made = threading.Event()

    def source():
        yield 1
        second_is_made.set()
        yield 2

    items = ahead(source())
    assert next(items) == 1
    assert second_is_made.wait(timeout=10)
    assert list(items) == [2]


def test_an_error_reaches_the_caller_in_its_place():
    def source():
        yield 1
        raise ValueError("broken")

    items = ahead(source())
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken"):
        next(items)
