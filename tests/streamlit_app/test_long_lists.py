"""Lists of thousands of names: what is looked for is offered, and what is chosen stays."""

import pytest
from streamlit.testing.v1 import AppTest

from streamlit_app.long_lists import LISTED_AT_MOST, MATCHES_AT_MOST, matches

MANY = 10_000
NAMES = {f"store-{number:05}": f"Store #{number}" for number in range(MANY)}


@pytest.mark.parametrize(
    ("sought", "found"),
    [("#9999", ["store-09999"]), ("STORE-00042", ["store-00042"]), ("store 00042", ["store-00042"]), ("nowhere", [])],
)
def test_every_word_is_looked_for_in_name_and_id(sought, found):
    assert matches(NAMES, sought) == found


def test_nothing_sought_is_everything():
    assert len(matches(NAMES, " ")) == MANY


def page_of(count):
    def script(count):
        import streamlit as st  # noqa: PLC0415 - the function's text runs as a page

        from streamlit_app.long_lists import offered, pick_one  # noqa: PLC0415

        names = {f"store-{number:05}": f"Store #{number}" for number in range(count)}
        chosen = st.session_state.setdefault("places", [])
        st.multiselect("Locations", offered(names, "locations", key="places", chosen=chosen), key="places")
        st.write(pick_one("Store", names, key="store"))

    return AppTest.from_function(script, args=(count,), default_timeout=60).run()


def test_a_short_list_is_whole_and_asks_nothing():
    app = page_of(LISTED_AT_MOST)
    assert len(app.multiselect[0].options) == LISTED_AT_MOST
    assert not app.text_input


def test_a_long_list_offers_what_is_looked_for_and_keeps_what_is_chosen():
    app = page_of(MANY)
    assert len(app.multiselect[0].options) == MATCHES_AT_MOST
    assert "10,000 of 10,000 locations match" in app.caption[0].value
    app.text_input(key="places_find").set_value("#9999").run()
    assert app.multiselect[0].options == ["store-09999"]
    app.multiselect[0].set_value(["store-09999"])
    app.text_input(key="places_find").set_value("#123").run()
    assert not app.exception
    assert app.multiselect[0].value == ["store-09999"]
    assert "store-00123" in app.multiselect[0].options


def test_one_of_many_is_picked_and_stays_while_another_is_looked_for():
    app = page_of(MANY)
    assert app.selectbox[0].value == "store-00000"
    app.text_input(key="store_find").set_value("#777").run()
    app.selectbox[0].set_value("store-00777").run()
    app.text_input(key="store_find").set_value("nowhere").run()
    assert not app.exception
    assert app.selectbox[0].value == "store-00777"
