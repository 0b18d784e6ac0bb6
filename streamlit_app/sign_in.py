"""Who sits in front of the screen: an open development home, an identity provider's word, or a password kept here.

Asked again on every run: nothing that a browser sends is taken for an answer, and what was granted a minute ago may be
gone now.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import streamlit as st

from footfall_assets.contracts.access import Grant, Role, User, Users
from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.storage.user_store import matching_user, read_users
from streamlit_app.access import (
    AccessDenied,
    CropScope,
    Environment,
    Page,
    Person,
    Scope,
    decide_crop_scope,
    decide_scope,
    may,
)
from streamlit_app.sign_in_attempts import SignInAttempts

_SESSION: Final = "signed_in"
OPEN_HOME_USER: Final = "development"  # whoever opens a development home without users
OPEN_HOME_NOTE: Final = (
    "This development home has no users: whoever reaches this page has every role. Add one: footfall users add NAME"
)


class SignInRefused(AccessDenied):
    """Nobody has signed in, the session is over, or the name and the password do not belong together."""


@dataclass(frozen=True)
class Session:
    """A sign-in with a password; kept by the server, never sent to the browser. Times are timezone-aware."""

    user: str
    credential: str  # the hash that the password was checked against: another one ends the session
    started_at: datetime
    last_seen_at: datetime


def scope_for(page: Page, settings: PlatformSettings, publication: Environment) -> Scope:
    """Return what the person in front of the screen may see on `page`; call it first, on every run.

    Args:
        page: the page that runs.
        settings: of the home.
        publication: the environment of the data to be shown; the home's own where none are.

    Raises:
        SignInRefused: nobody has signed in.
        AccessDenied: production data without users, or no grant opens the page.
    """
    now = datetime.now(UTC)
    person = current_person(settings, now=now)
    if not person.signed_in and publication != "development":
        raise AccessDenied(_NO_USERS)
    return decide_scope(person, page, now=now)


def scope_now(shown: Scope, settings: PlatformSettings) -> Scope:
    """Return what `shown` says when it is asked for at this moment, outside of a page's run.

    Raises:
        AccessDenied: the user is gone, or a grant has ended or changed since the page was shown.
    """
    now = datetime.now(UTC)
    users = read_users(settings.access_dir)
    if users is None:
        person = _open_home(settings)
    else:
        user = users.named(shown.user)
        if user is None:
            raise SignInRefused("Sign in to see anything.")
        person = Person(user.name, settings.environment, user.grants)
    scope = decide_scope(person, shown.page, now=now)
    if scope != shown:
        raise AccessDenied("What you may see has changed. Load the page again.")
    return scope


def crop_scope_for(settings: PlatformSettings) -> tuple[CropScope, Person]:
    """Return that the person in front of the screen may see crops, and who it is; raises as `scope_for`."""
    now = datetime.now(UTC)
    person = current_person(settings, now=now)
    return decide_crop_scope(person, now=now), person


def open_pages(settings: PlatformSettings) -> tuple[Page, ...]:
    """Return the pages that the person in front of the screen may open, for the navigation; none for nobody."""
    now = datetime.now(UTC)
    try:
        person = current_person(settings, now=now)
    except AccessDenied:
        return ()
    return tuple(page for page in Page if may(person, page, now=now))


_NO_USERS: Final = (
    "This home holds production data, and it has no users: nobody can be told apart, so nothing is shown. "
    "Add users: footfall users add NAME. The command line (footfall report) is under the operating system's own "
    "access control."
)


def current_person(settings: PlatformSettings, *, now: datetime) -> Person:
    """Return who sits in front of the screen, with what is granted at this moment.

    Raises:
        SignInRefused: nobody has signed in, or the session is over.
        AccessDenied: a production home without users.
        UserMistake: the file of users cannot be read.
    """
    users = read_users(settings.access_dir)
    if users is None:
        return _open_home(settings)
    user = _at_the_provider(users, settings, now) or _by_password(users, settings, now)
    if user is None:
        raise SignInRefused("Sign in to see anything.")
    return Person(user.name, settings.environment, user.grants)


def _open_home(settings: PlatformSettings) -> Person:
    if settings.environment != "development":
        raise AccessDenied(_NO_USERS)
    roles = [role for role in Role if role is not Role.AUDITOR or settings.audit.role == "auditor"]
    soon = datetime.max.replace(tzinfo=UTC)
    grants = tuple(
        Grant(role=role, location_ids=None, valid_until=soon, purpose="development without users")
        if role is Role.VISITOR_LIST
        else Grant(role=role, location_ids=None)
        for role in roles
    )
    return Person(OPEN_HOME_USER, settings.environment, grants, signed_in=False)


def _at_the_provider(users: Users, settings: PlatformSettings, now: datetime) -> User | None:
    """Return whom the identity provider vouches for; None without one, or where it knows somebody who is no user."""
    if not getattr(st.user, "is_logged_in", False):
        return None
    issued = st.user.get("iat")
    hours = timedelta(hours=settings.access.session_hours)
    if not isinstance(issued, (int, float)) or now - datetime.fromtimestamp(issued, UTC) > hours:
        return None
    subject, email = st.user.get("sub"), st.user.get("email")
    verified = email if st.user.get("email_verified") is True else None
    return users.vouched_for(
        subject=subject if isinstance(subject, str) else None,
        verified_email=verified if isinstance(verified, str) else None,
    )


def _by_password(users: Users, settings: PlatformSettings, now: datetime) -> User | None:
    session = st.session_state.get(_SESSION)
    if not isinstance(session, Session):
        return None
    user = users.named(session.user)
    limits = settings.access
    fresh = now - session.started_at <= timedelta(
        hours=limits.session_hours
    ) and now - session.last_seen_at <= timedelta(minutes=limits.idle_minutes)
    if user is None or user.password is None or user.password.digest != session.credential or not fresh:
        del st.session_state[_SESSION]
        return None
    st.session_state[_SESSION] = Session(session.user, session.credential, session.started_at, now)
    return user


def sign_in(settings: PlatformSettings, name: str, password: str, *, now: datetime) -> None:
    """Begin a session for the user of that name and password.

    Raises:
        SignInRefused: they do not belong together, or there were too many wrong ones; it never says which of the two
            was wrong.
        UserMistake: the file of users cannot be read.
    """
    users = read_users(settings.access_dir) or Users()
    limits = settings.access
    window = timedelta(minutes=limits.sign_in_window_minutes)
    attempts = _attempts(str(settings.access_dir), limits.sign_in_attempts, window)
    name = name.strip().lower()
    if not attempts.admit(name, now):
        raise SignInRefused(f"Too many attempts. Try again in {limits.sign_in_window_minutes:g} minutes.")
    user = matching_user(users, name, password)
    if user is None or user.password is None:
        raise SignInRefused("The user or the password is wrong.")
    attempts.forget(name)
    st.session_state[_SESSION] = Session(user.name, user.password.digest, now, now)


def sign_out() -> None:
    """End the session, at the identity provider's cookie too; nothing that it showed stays in its state."""
    st.session_state.clear()
    if getattr(st.user, "is_logged_in", False):
        st.logout()


def provider_is_configured() -> bool:
    """Return whether `.streamlit/secrets.toml` names an identity provider."""
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def stranger_at_the_provider() -> bool:
    """Return whether the identity provider vouches for somebody; asked where nobody is signed in."""
    return bool(getattr(st.user, "is_logged_in", False))


@st.cache_resource(show_spinner=False)
def _attempts(home: str, most: int, window: timedelta) -> SignInAttempts:
    del home  # part of the cache key: one server process, one count for all of its sessions
    return SignInAttempts(most=most, window=window)
