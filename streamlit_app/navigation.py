"""The explorer's pages, and the one way to open them: the navigation names what this person may open, and no more."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.settings import load_settings
from streamlit_app.access import Page
from streamlit_app.sign_in import open_pages
from streamlit_app.sign_in_form import show_person, show_sign_in

_FOLDER: Final = Path(__file__).parent / "pages"
_THROUGH_APP: Final = "opened_through_app"

# In the order of the navigation, by section, one line a page; the first with figures that somebody may open is where
# they begin.
_SECTIONS: Final[Mapping[str, Mapping[Page, str]]] = {
    "Report": {
        Page.OVERVIEW: "Overview",
        Page.VISITORS: "Visitors",
        Page.ABOUT: "About the numbers",
    },
    "Stores": {
        Page.STORE_FOOTFALL: "Store footfall",
        Page.COMPARE: "Compare stores",
        Page.TRAFFIC: "Traffic and staffing",
        Page.DWELL: "Dwell and zones",
    },
    "People": {
        Page.JOURNEYS: "Journeys",
        Page.LOYALTY: "Loyalty",
        Page.DEMOGRAPHICS: "Demographics",
    },
    "Operations": {
        Page.OPERATIONS: "Operations",
        Page.AUDIT: "Audit",
        Page.ACCESS_LOG: "Access log",
    },
}


def run_chosen_page() -> None:
    """Show the navigation and run the page that the address names."""
    st.session_state[_THROUGH_APP] = True
    chosen = st.navigation(_pages())
    show_person()
    chosen.run()


def require_app() -> None:
    """Start again through app.py where Streamlit has run a page's file by itself.

    It does that on a server that was just started: until navigation is used for the first time, it takes an address
    below the root for the file of that name in a folder called pages.
    """
    if _THROUGH_APP not in st.session_state:
        st.navigation(_pages())
        st.rerun()


def _pages() -> Mapping[str, Sequence[StreamlitPage]]:
    # Without icons: the browser fetches a page's named icon from a font service, see app.py.
    try:
        allowed = open_pages(load_settings())
    except UserMistake:
        allowed = ()
    sections = {
        section: {page: title for page, title in titles.items() if page in allowed and _file(page).is_file()}
        for section, titles in _SECTIONS.items()
    }
    named = [page for titles in sections.values() for page in titles]
    if not named:
        # Under every page's own address as well: after signing in, a link that was shared leads to its page.
        links = [st.Page(show_sign_in, title="Sign in", url_path=page, visibility="hidden") for page in Page]
        return {"": [st.Page(show_sign_in, title="Sign in", url_path="sign_in", default=True), *links]}
    first = next((page for page in named if page is not Page.ABOUT), named[0])
    # A page of its own that leads on: Streamlit knows the page one begins with at the root alone, and a link to that
    # page by its name would find nothing.
    begin = st.Page(lambda: _lead_to(first), title="Footfall", url_path="begin", default=True, visibility="hidden")
    shown = {
        section: [st.Page(_file(page), title=title) for page, title in titles.items()]
        for section, titles in sections.items()
        if titles
    }
    return {"": [begin], **shown}


def _lead_to(page: Page) -> None:
    st.switch_page(_file(page), query_params={key: st.query_params.get_all(key) for key in st.query_params})


def _file(page: Page) -> Path:
    return _FOLDER / f"{page}.py"
