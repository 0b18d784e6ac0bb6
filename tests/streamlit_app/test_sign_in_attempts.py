"""Guessing passwords is slow, for one name and for many."""

from datetime import UTC, datetime, timedelta

from streamlit_app.sign_in_attempts import SignInAttempts

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=15)


def attempts(most=3):
    return SignInAttempts(most=most, window=WINDOW)


def test_a_name_has_its_attempts_and_then_waits():
    tried = attempts()
    assert [tried.admit("ann", NOON) for _ in range(5)] == [True, True, True, False, False]
    assert tried.admit("bob", NOON)
    assert not tried.admit("ann", NOON + WINDOW - timedelta(seconds=1))
    assert tried.admit("ann", NOON + WINDOW)


def test_who_signs_in_starts_anew():
    tried = attempts()
    for _ in range(3):
        tried.admit("ann", NOON)
    tried.forget("ann")
    assert tried.admit("ann", NOON)
    tried.forget("nobody")


def test_many_names_share_a_limit():
    tried = attempts()
    assert sum(tried.admit(f"name-{number}", NOON) for number in range(500)) == 60
    assert not tried.admit("ann", NOON)
    assert tried.admit("ann", NOON + WINDOW)
