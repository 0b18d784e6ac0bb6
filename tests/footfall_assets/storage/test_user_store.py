"""The file of users: for its owner only, whole or not at all, and passwords that it does not hold."""

import stat

import pytest

from footfall_assets.contracts.access import Grant, Role, User, Users
from footfall_assets.contracts.errors import UserMistake
from footfall_assets.storage.user_store import change_users, hash_password, matching_user, read_users, users_path

WORDS = "correct horse battery"
QUICK = 2**4  # scrypt's N: what is tested is not how long it takes


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "access"


def added(name, password=WORDS):
    return lambda users: users.with_user(User(name=name, password=hash_password(password, cost=QUICK)))


def nothing():
    return None


def test_no_file_is_not_the_same_as_no_users(folder):
    assert read_users(folder) is None
    change_users(folder, added("ann"), record=nothing)
    change_users(folder, lambda users: users.without("ann"), record=nothing)
    assert read_users(folder) == Users()


def test_the_file_is_for_its_owner_only(folder):
    change_users(folder, added("ann"), record=nothing)
    assert stat.S_IMODE(users_path(folder).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for mode in (0o640, 0o604, 0o660):
        users_path(folder).chmod(mode)
        with pytest.raises(UserMistake, match="chmod 600"):
            read_users(folder)


def test_a_password_matches_its_user_alone(folder):
    change_users(folder, added("ann"), record=nothing)
    users = change_users(folder, added("bob", "another long one"), record=nothing)
    assert matching_user(users, "ann", WORDS).name == "ann"
    for name, password in (
        ("ann", "another long one"),
        ("bob", WORDS),
        ("eve", WORDS),
        ("ann", ""),
        ("ann", WORDS * 90),
    ):
        assert matching_user(users, name, password) is None


def test_a_user_of_a_provider_has_no_password_to_guess(folder):
    users = Users(users=(User(name="ann", email="ann@example.org"),))
    assert matching_user(users, "ann", "") is None
    assert matching_user(users, "ann", "0" * 64) is None


def test_the_same_password_has_another_hash_each_time():
    first, second = hash_password(WORDS, cost=QUICK), hash_password(WORDS, cost=QUICK)
    assert first.salt != second.salt
    assert first.digest != second.digest
    assert first.digest not in repr(first)
    assert first.salt not in repr(first)


def test_the_default_cost_is_that_of_owasp():
    kept = hash_password(WORDS)
    assert (kept.cost, kept.block_size, kept.parallelism) == (2**15, 8, 3)


@pytest.mark.parametrize("content", [b"", b"{}x", b'{"users": [{"name": "Ann"}]}', b'{"users": [], "root": true}'])
def test_a_damaged_file_is_no_open_door(folder, content):
    change_users(folder, added("ann"), record=nothing)
    users_path(folder).write_bytes(content)
    with pytest.raises(UserMistake, match="restore it from a backup"):
        read_users(folder)


def test_where_the_log_cannot_be_written_nothing_changes(folder):
    change_users(folder, added("ann"), record=nothing)

    def full():
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        change_users(folder, lambda users: users.without("ann"), record=full)
    assert read_users(folder).named("ann")


def test_two_users_are_two_people(folder):
    change_users(folder, lambda users: users.with_user(User(name="ann", email="a@example.org")), record=nothing)
    with pytest.raises(UserMistake, match="every email once"):
        change_users(folder, lambda users: users.with_user(User(name="bob", email="A@example.org")), record=nothing)


USERS = Users(
    users=(
        User(name="ann", email="ann@example.org"),
        User(name="bob", subject="sub-1", email="bob@example.org"),
    )
)


@pytest.mark.parametrize(
    ("subject", "email", "expected"),
    [
        ("sub-1", None, "bob"),
        ("sub-1", "ann@example.org", "bob"),  # who is known by `sub` is that one, whatever the address
        ("sub-9", "ann@example.org", "ann"),
        (None, " ANN@example.org ", "ann"),
        ("sub-9", "bob@example.org", None),  # bob's address at another account of the provider
        (None, None, None),
        ("", "", None),
        (None, "eve@example.org", None),
    ],
)
def test_whom_a_provider_vouches_for(subject, email, expected):
    found = USERS.vouched_for(subject=subject, verified_email=email)
    assert (found.name if found else None) == expected


@pytest.mark.parametrize("role", Role)
def test_only_the_visitor_list_needs_an_end_and_a_purpose(role):
    if role is Role.VISITOR_LIST:
        with pytest.raises(ValueError, match="purpose"):
            Grant(role=role, location_ids=None)
    else:
        assert Grant(role=role, location_ids=None).valid_until is None
    with pytest.raises(ValueError, match="at least one location"):
        Grant(role=Role.VIEWER, location_ids=())
