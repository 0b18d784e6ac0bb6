"""Signing in with a password, and what happens to a session when anything about it ends."""

from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st

from footfall_assets.contracts.access import Grant, Role, User
from footfall_assets.contracts.settings import AccessSettings, load_settings
from footfall_assets.storage.user_store import change_users, hash_password
from streamlit_app.access import AccessDenied, Page
from streamlit_app.sign_in import (
    OPEN_HOME_USER,
    Session,
    SignInRefused,
    current_person,
    open_pages,
    scope_for,
    sign_in,
    sign_out,
)

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
WORDS = "correct horse battery"
QUICK = 2**4
VIEWER = Grant(role=Role.VIEWER, location_ids=("store-101",))


class Browser:
    """Stands for Streamlit's session and the identity provider's cookie."""

    def __init__(self, monkeypatch):
        self.session = {}
        self.user = {}
        monkeypatch.setattr(st, "session_state", self.session)
        monkeypatch.setattr(st, "user", self)
        monkeypatch.setattr(st, "logout", self.user.clear)

    @property
    def is_logged_in(self):
        return bool(self.user)

    def get(self, name):
        return self.user.get(name)

    def signed_in_at_provider(self, *, age=timedelta(minutes=1), **claims):
        self.user.update({"sub": "sub-1", "iat": (NOW - age).timestamp()} | claims)


@pytest.fixture
def browser(monkeypatch):
    st.cache_resource.clear()
    return Browser(monkeypatch)


@pytest.fixture
def ann(home):
    def made(**changes):
        user = User(**{"name": "ann", "password": hash_password(WORDS, cost=QUICK), "grants": (VIEWER,)} | changes)
        change_users(home / "access", lambda users: users.with_user(user), record=lambda: None)
        return user

    made()
    return made


def test_a_development_home_without_users_is_open_and_says_so(home, browser):
    person = current_person(load_settings(), now=NOW)
    assert (person.name, person.signed_in) == (OPEN_HOME_USER, False)
    assert {grant.role for grant in person.grants} == set(Role) - {Role.AUDITOR}
    assert set(open_pages(load_settings())) == set(Page) - {Page.AUDIT}


def test_a_production_home_without_users_is_closed(home, browser, monkeypatch):
    monkeypatch.setenv("FOOTFALL_ENVIRONMENT", "production")
    with pytest.raises(AccessDenied, match="it has no users"):
        current_person(load_settings(), now=NOW)
    assert open_pages(load_settings()) == ()


def test_production_data_in_an_open_development_home_are_closed(home, browser):
    assert scope_for(Page.OVERVIEW, load_settings(), "development").location_ids is None
    with pytest.raises(AccessDenied, match="it has no users"):
        scope_for(Page.OVERVIEW, load_settings(), "production")


def test_a_home_whose_last_user_was_removed_is_not_open_again(home, browser, ann):
    change_users(home / "access", lambda users: users.without("ann"), record=lambda: None)
    with pytest.raises(SignInRefused):
        current_person(load_settings(), now=NOW)


@pytest.mark.parametrize("environment", ["development", "production"])
def test_a_password_opens_what_is_granted(home, browser, ann, monkeypatch, environment):
    monkeypatch.setenv("FOOTFALL_ENVIRONMENT", environment)
    settings = load_settings()
    with pytest.raises(SignInRefused):
        current_person(settings, now=NOW)
    sign_in(settings, " Ann ", WORDS, now=NOW)
    person = current_person(settings, now=NOW)
    assert (person.name, person.grants) == ("ann", (VIEWER,))
    assert WORDS not in repr(browser.session)
    sign_out()
    assert browser.session == {}
    with pytest.raises(SignInRefused):
        current_person(settings, now=NOW)


def test_it_never_says_which_of_the_two_was_wrong(home, browser, ann):
    told = set()
    for name, password in (("ann", "wrong wrong wrong"), ("nobody", WORDS), ("", ""), ("ann\x00", WORDS)):
        with pytest.raises(SignInRefused) as refused:
            sign_in(load_settings(), name, password, now=NOW)
        told.add(str(refused.value))
    assert told == {"The user or the password is wrong."}
    assert browser.session == {}


def test_after_five_wrong_ones_even_the_right_one_has_to_wait(home, browser, ann):
    settings = load_settings()
    for _ in range(5):
        with pytest.raises(SignInRefused, match="wrong"):
            sign_in(settings, "ann", "wrong wrong wrong", now=NOW)
    with pytest.raises(SignInRefused, match="Try again in 15 minutes"):
        sign_in(settings, "ANN", WORDS, now=NOW)
    sign_in(settings, "ann", WORDS, now=NOW + timedelta(minutes=15))


@pytest.mark.parametrize(
    ("idle", "total", "holds"),
    [
        (timedelta(minutes=60), timedelta(hours=1), True),
        (timedelta(minutes=61), timedelta(hours=2), False),
        (timedelta(minutes=1), timedelta(hours=12), True),
        (timedelta(minutes=1), timedelta(hours=12, seconds=1), False),
    ],
)
def test_a_session_ends(home, browser, ann, idle, total, holds):
    user = ann()
    browser.session["signed_in"] = Session("ann", user.password.digest, NOW - total, NOW - idle)
    if holds:
        assert current_person(load_settings(), now=NOW).name == "ann"
        assert browser.session["signed_in"].last_seen_at == NOW
    else:
        with pytest.raises(SignInRefused):
            current_person(load_settings(), now=NOW)
        assert "signed_in" not in browser.session


def test_another_password_and_a_removed_user_end_the_session(home, browser, ann):
    settings = load_settings()
    sign_in(settings, "ann", WORDS, now=NOW)
    ann(password=hash_password("another long one", cost=QUICK))
    with pytest.raises(SignInRefused):
        current_person(settings, now=NOW)


def test_what_is_revoked_holds_from_the_next_run_on(home, browser, ann):
    settings = load_settings()
    sign_in(settings, "ann", WORDS, now=datetime.now(UTC))
    assert scope_for(Page.STORE_FOOTFALL, settings, "production").location_ids == ("store-101",)
    change_users(
        home / "access",
        lambda users: users.with_user(users.named("ann").model_copy(update={"grants": ()})),
        record=lambda: None,
    )
    with pytest.raises(AccessDenied):
        scope_for(Page.STORE_FOOTFALL, settings, "production")


@pytest.mark.parametrize("forged", ["ann", {"user": "ann"}, ("ann", "x"), None, 1])
def test_what_is_no_session_of_ours_is_nobody(home, browser, ann, forged):
    browser.session["signed_in"] = forged
    with pytest.raises(SignInRefused):
        current_person(load_settings(), now=NOW)


def test_a_session_of_another_credential_is_nobody(home, browser, ann):
    browser.session["signed_in"] = Session("ann", "0" * 64, NOW, NOW)
    with pytest.raises(SignInRefused):
        current_person(load_settings(), now=NOW)


class TestProvider:
    """OpenID Connect: Streamlit checks the token, we look who that is here."""

    @pytest.fixture(autouse=True)
    def _users(self, ann):
        ann(password=None, email="ann@example.org")

    def who(self):
        return current_person(load_settings(), now=NOW).name

    def test_a_verified_address_is_its_user(self, browser):
        browser.signed_in_at_provider(email="Ann@Example.org", email_verified=True)
        assert self.who() == "ann"

    @pytest.mark.parametrize("verified", [False, None, "true", 1])
    def test_an_address_that_nobody_verified_is_nobody(self, browser, verified):
        browser.signed_in_at_provider(email="ann@example.org", email_verified=verified)
        with pytest.raises(SignInRefused):
            self.who()

    def test_a_stranger_is_nobody(self, browser):
        browser.signed_in_at_provider(email="eve@example.org", email_verified=True)
        with pytest.raises(SignInRefused):
            self.who()

    @pytest.mark.parametrize("age", [timedelta(hours=12, seconds=1), timedelta(days=29)])
    def test_the_cookie_of_thirty_days_does_not_outlive_the_session(self, browser, age):
        browser.signed_in_at_provider(email="ann@example.org", email_verified=True, age=age)
        with pytest.raises(SignInRefused):
            self.who()

    @pytest.mark.parametrize("issued", [None, "now", True])
    def test_a_token_without_its_time_is_refused(self, browser, issued):
        browser.signed_in_at_provider(email="ann@example.org", email_verified=True, iat=issued)
        with pytest.raises(SignInRefused):
            self.who()

    def test_sub_is_surer_than_an_address(self, ann, browser):
        ann(password=None, email="ann@example.org", subject="sub-1")
        browser.signed_in_at_provider(email="whoever@example.org", email_verified=False)
        assert self.who() == "ann"
        browser.user["sub"] = "sub-2"
        browser.user |= {"email": "ann@example.org", "email_verified": True}
        with pytest.raises(SignInRefused):
            self.who()


def test_limits_of_a_session_are_settings():
    limits = AccessSettings()
    assert (limits.session_hours, limits.idle_minutes, limits.sign_in_attempts) == (12, 60, 5)
