"""The sign-in page, and the line that says who is signed in; what they decide is in `sign_in`."""

from datetime import UTC, datetime
from typing import Final

import streamlit as st

from footfall_assets.contracts.errors import UserMistake
from footfall_assets.contracts.settings import PlatformSettings, load_settings
from footfall_assets.storage.user_store import MOST_PASSWORD
from streamlit_app.markdown import literal
from streamlit_app.sign_in import (
    OPEN_HOME_NOTE,
    SignInRefused,
    current_person,
    provider_is_configured,
    sign_in,
    sign_out,
    stranger_at_the_provider,
)

_NAME: Final = "sign_in_name"
_PASSWORD: Final = "sign_in_password"  # noqa: S105 - the key of a widget
_NAME_LENGTH: Final = 64  # characters, as an id


def show_sign_in() -> None:
    """Show the sign-in page, or one sentence on why nobody can sign in."""
    st.title("Sign in")
    try:
        settings = load_settings()
        person = current_person(settings, now=datetime.now(UTC))
    except SignInRefused as refused:
        st.info(literal(str(refused)))
        _show_ways(settings)
    except UserMistake as mistake:
        st.error(literal(str(mistake)))
    else:
        st.info(literal(f"You are signed in as {person.name}. None of your roles opens a page at this moment."))


def show_person() -> None:
    """Say in the sidebar who is signed in and in which roles, with the way out; nothing where nobody is."""
    try:
        person = current_person(load_settings(), now=datetime.now(UTC))
    except UserMistake:
        return
    with st.sidebar:
        if not person.signed_in:
            st.caption(literal(OPEN_HOME_NOTE))
            return
        now = datetime.now(UTC)
        roles = ", ".join(sorted({str(grant.role) for grant in person.grants if grant.holds(now)})) or "no role"
        st.caption(literal(f"Signed in as {person.name}: {roles}."))
        st.button("Sign out", key="sign_out", on_click=sign_out)


def _show_ways(settings: PlatformSettings) -> None:
    if provider_is_configured():
        if stranger_at_the_provider():
            st.warning("The identity provider knows you, this home does not. Ask whoever manages its users.")
            st.button("Use another account", key="sign_in_other", on_click=st.logout)
        else:
            st.button("Sign in with your organisation", key="sign_in_provider", on_click=st.login, type="primary")
        st.caption("Or with a password that this home keeps:")
    with st.form("sign_in_form", width=360, enter_to_submit=True):
        st.text_input("User", key=_NAME, max_chars=_NAME_LENGTH, autocomplete="username")
        st.text_input(
            "Password", key=_PASSWORD, type="password", max_chars=MOST_PASSWORD, autocomplete="current-password"
        )
        asked = st.form_submit_button("Sign in")
    if asked:
        _try(settings)


def _try(settings: PlatformSettings) -> None:
    try:
        sign_in(settings, st.session_state[_NAME], st.session_state[_PASSWORD], now=datetime.now(UTC))
    except SignInRefused as refused:
        st.error(literal(str(refused)))
    else:
        st.rerun()
