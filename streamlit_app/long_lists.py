"""Lists to pick from that stay quick with ten thousand entries: beyond some hundreds, what is looked for is written.

A browser that gets all of ten thousand names takes seconds a keystroke to search them; the server takes milliseconds.
"""

from collections.abc import Collection, Mapping
from typing import Final

import streamlit as st

LISTED_AT_MOST: Final = 500  # entries that a list shows without being asked for a part of a name
MATCHES_AT_MOST: Final = 100  # entries that it shows then; more are not read


def offered(names: Mapping[str, str], what: str, *, key: str, chosen: Collection[str] = ()) -> list[str]:
    """Return what a list offers: everything, or of a long one what is looked for, and whatever is chosen already.

    Args:
        names: of all entries, by key.
        what: is looked for, in the plural, such as `locations`.
        key: of the list's widget.
        chosen: keys that stay in the list.
    """
    if len(names) <= LISTED_AT_MOST:
        return list(names)
    sought = st.text_input(f"Find {what}", key=f"{key}_find", placeholder="A part of the name or id, then Enter")
    found = matches(names, sought)
    shown = found[:MATCHES_AT_MOST]
    st.caption(
        f"{len(found):,} of {len(names):,} {what} match; the first {len(shown)} are in the list."
        if len(found) > len(shown)
        else f"{len(found):,} of {len(names):,} {what} match."
    )
    return [*shown, *(each for each in chosen if each in names and each not in set(shown))]


def matches(names: Mapping[str, str], sought: str) -> list[str]:
    """Return the keys whose name or key holds every word of `sought`, in the order of `names`."""
    words = sought.casefold().split()
    return [key for key, name in names.items() if all(word in f"{name} {key}".casefold() for word in words)]


def pick_one(label: str, names: Mapping[str, str], *, key: str, what: str = "stores", width: int = 320) -> str:
    """Show a list and return the key that is chosen, the first at the beginning; `names` is never empty."""
    before = st.session_state.get(key)
    listed = offered(names, what, key=key, chosen=() if before is None else (before,))
    if not listed:
        listed = list(names)[:1]
    if before is not None and before not in listed:
        del st.session_state[key]  # it is in no list of names any more
    chosen: str = st.selectbox(label, listed, key=key, format_func=lambda each: names.get(each, each), width=width)
    return chosen
