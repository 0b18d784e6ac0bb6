"""The explorer's pages, and the one way to open them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.navigation.page import Page

from streamlit_app.access import may_see_crops

_FOLDER: Final = Path(__file__).parent / "pages"
_THROUGH_APP: Final = "opened_through_app"


def run_chosen_page() -> None:
    """Show the navigation and run the page that the address names."""
    st.session_state[_THROUGH_APP] = True
    st.navigation(_pages()).run()


def require_app() -> None:
    """Start again through app.py where Streamlit has run a page's file by itself.

    It does that on a server that was just started: until navigation is used for the first time, it takes an address
    below the root for the file of that name in a folder called pages.
    """
    if _THROUGH_APP not in st.session_state:
        st.navigation(_pages())
        st.rerun()


def _pages() -> Sequence[Page]:
    # Without icons: the browser fetches a page's named icon from a font service, see app.py.
    pages = [
        st.Page(_FOLDER / "visitors.py", title="Visitors", default=True),
        st.Page(_FOLDER / "operations.py", title="Operations"),
    ]
    return [*pages, st.Page(_FOLDER / "audit.py", title="Audit")] if may_see_crops() else pages
