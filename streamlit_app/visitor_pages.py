"""Which page of the visitor list is shown and in which order: widgets, their state, and the address that repeats it."""

from typing import Final

import streamlit as st

from footfall_assets.reporting.request import Order

PARAMS: Final = ("sort", "page")
_SORT, _PAGE = PARAMS
_PAGE_KEY: Final = "visitors_page"
_ORDER_KEY: Final = "visitors_order"
_DIGITS_AT_MOST: Final = 9  # of a page number; turning a million digits into a number takes seconds
_ORDERS: Final = {
    Order.MOST_APPEARANCES: "Most appearances first",
    Order.FEWEST_APPEARANCES: "Fewest appearances first",
    Order.MOST_VISITS: "Most visits first",
    Order.LAST_SEEN: "Last seen first",
    Order.VISITOR_ID: "Visitor ID",
    Order.MOST_LOCATIONS: "Most locations first",
}
_IN_ADDRESS: Final = {order: order.value.replace(" ", "-") for order in _ORDERS}


def choose_page(pages: int) -> tuple[Order, int]:
    """Show the widgets and return the order and the number of the page, 1 to `pages`."""
    for problem in _restore(pages):
        st.warning(problem)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = st.selectbox(
            "Sorted by",
            list(_ORDERS),
            key=_ORDER_KEY,
            format_func=_ORDERS.__getitem__,
            width=260,
            on_change=_to_first_page,
        )
        number = int(st.number_input("Page", 1, pages, step=1, key=_PAGE_KEY, width=160, disabled=pages == 1))
    _remember(_SORT, None if order is Order.MOST_APPEARANCES else _IN_ADDRESS[order])
    _remember(_PAGE, None if number == 1 else str(number))
    return order, number


def _restore(pages: int) -> list[str]:
    """Set the widgets' state from the address at first; what does not hold is replaced, with a sentence."""
    problems = []
    if _ORDER_KEY not in st.session_state:
        asked = st.query_params.get(_SORT)
        order = next((key for key, name in _IN_ADDRESS.items() if name == asked), None)
        if order is None and asked is not None:
            problems.append("The order in the address is none that the list has; most appearances come first.")
        st.session_state[_ORDER_KEY] = order or Order.MOST_APPEARANCES
    if _PAGE_KEY not in st.session_state:
        asked = st.query_params.get(_PAGE, "1")
        is_number = len(asked) <= _DIGITS_AT_MOST and asked.isascii() and asked.isdigit() and int(asked) >= 1
        if not is_number or int(asked) > pages:
            problems.append(f"The page in the address is not one of the list's {pages:,}.")
        st.session_state[_PAGE_KEY] = int(asked) if is_number else 1
    st.session_state[_PAGE_KEY] = min(st.session_state[_PAGE_KEY], pages)
    return problems


def _to_first_page() -> None:
    st.session_state[_PAGE_KEY] = 1


def _remember(name: str, value: str | None) -> None:
    if st.query_params.get(name) == value:
        return
    if value is None:
        del st.query_params[name]
    else:
        st.query_params[name] = value
