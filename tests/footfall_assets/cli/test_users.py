"""Users from the command line: added, granted for a time, revoked; each change is a line of the access log."""

import io
import json
import stat

import pytest

from footfall_assets.contracts.access import Role
from footfall_assets.storage.user_store import matching_user, read_users

PASSWORD = "correct horse battery"  # noqa: S105 - of a user that exists in these tests only


@pytest.fixture
def typed(own_environment):
    """What comes from standard input instead of a keyboard."""

    def given(text):
        own_environment.setattr("sys.stdin", io.StringIO(text))

    return given


@pytest.fixture(autouse=True)
def _quick_hashes(own_environment):
    own_environment.setattr("footfall_assets.storage.user_store._COST", 2**4)


@pytest.fixture
def ann(footfall, typed):
    typed(f"{PASSWORD}\n")
    assert footfall("users", "add", "ann").code == 0
    footfall("fleet", "add-location", "store-101", "--name", "Store #101")


def users(home):
    return read_users(home / "access")


def test_a_new_user_may_do_nothing(footfall, ann, home):
    [user] = users(home).users
    assert (user.name, user.grants) == ("ann", ())
    assert matching_user(users(home), "ann", PASSWORD) == user
    assert matching_user(users(home), "ann", PASSWORD + "x") is None
    path = home / "access" / "users.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PASSWORD not in path.read_text()


def test_the_password_never_stands_on_the_command_line(footfall, home):
    said = footfall("users", "add", "--help")
    assert "--password TEXT" not in said.out
    assert footfall("users", "add", "ann", "--password", PASSWORD).code == 2
    assert users(home) is None


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_a_password_has_its_length(footfall, typed, home, password):
    typed(password + "\n")
    assert "12 to 1024 characters" in footfall("users", "add", "ann").complaint
    assert users(home) is None


@pytest.mark.parametrize("name", ["Ann", "a b", "../x", "a\nb", "x" * 65])
def test_a_name_is_an_id(footfall, typed, home, name):
    typed(PASSWORD + "\n")
    assert footfall("users", "add", name).code == 2
    assert users(home) is None


def test_a_user_of_an_identity_provider_has_no_password(footfall, home):
    assert footfall("users", "add", "bob", "--email", "Bob@Example.org").code == 0
    [bob] = users(home).users
    assert (bob.email, bob.password) == ("bob@example.org", None)
    assert footfall("users", "add", "eve", "--email", "BOB@example.org").code == 2


def test_nobody_is_added_who_cannot_sign_in(footfall, home):
    assert "nobody can sign in" in footfall("users", "add", "bob", "--no-password").complaint


def test_grants_come_and_go(footfall, ann, home):
    assert footfall("users", "grant", "ann", "viewer", "--location", "store-101").code == 0
    given = ("--days", "7", "--purpose", "complaint of 4 March")
    assert footfall("users", "grant", "ann", "visitor_list", "--location", "store-101", *given).code == 0
    assert [each.role for each in users(home).named("ann").grants] == [Role.VIEWER, Role.VISITOR_LIST]
    listed = footfall("users", "list").out
    assert "viewer at store-101" in listed
    assert "complaint of 4 March" in listed
    assert footfall("users", "revoke", "ann", "visitor_list").code == 0
    assert [each.role for each in users(home).named("ann").grants] == [Role.VIEWER]
    assert "no grant" in footfall("users", "revoke", "ann", "visitor_list").complaint
    assert footfall("users", "remove", "ann").code == 0
    assert users(home).users == ()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("viewer",), "--all-locations"),
        (("viewer", "--location", "store-101", "--all-locations"), "not both"),
        (("viewer", "--location", "store-999"), "no location 'store-999'"),
        (("viewer", "--location", "s1'--"), "expected an id"),
        (("visitor_list", "--all-locations"), "--purpose"),
        (("visitor_list", "--all-locations", "--purpose", "x"), "--days"),
        (("visitor_list", "--all-locations", "--days", "7"), "--purpose"),
        (("visitor_list", "--all-locations", "--days", "93", "--purpose", "x"), "at most 92"),
    ],
)
def test_a_grant_that_says_too_little_or_too_much_is_refused(footfall, ann, home, given, told):
    assert told in footfall("users", "grant", "ann", *given).complaint
    assert users(home).named("ann").grants == ()


def test_a_purpose_is_one_line(footfall, ann, home):
    given = ("--all-locations", "--days", "7", "--purpose", 'x\n{"number": 2}')
    assert footfall("users", "grant", "ann", "visitor_list", *given).code == 2
    assert users(home).named("ann").grants == ()


def test_the_same_grant_again_replaces_the_one_before(footfall, ann, home):
    for days in (1, 2):
        footfall("users", "grant", "ann", "analyst", "--all-locations", "--days", days)
    assert len(users(home).named("ann").grants) == 1


def test_every_change_is_a_line_of_the_access_log(footfall, ann, home):
    footfall("users", "grant", "ann", "viewer", "--location", "store-101")
    footfall("users", "grant", "nobody", "viewer", "--location", "store-101")
    footfall("users", "remove", "ann")
    lines = [json.loads(line) for line in footfall("access-log", "show", "--format", "json").out.splitlines()]
    assert [line["about"] for line in lines] == ["user ann set", "ann: granted viewer", "user ann removed"]
    assert lines[1]["scope"] == "store-101"
    said = footfall("access-log", "verify").out
    assert "3 lines, none changed; 1 signed days" in said
    assert "ann: granted viewer" in footfall("access-log", "show").out
    assert footfall("access-log", "show", "--who", "ann").out == ""
    assert footfall("access-log", "show", "--from", "2100-01-01").out == ""


def test_a_changed_log_is_neither_verified_nor_shown(footfall, ann, home):
    line = home / "lake" / "access_log" / "000000000001.json"
    line.write_bytes(line.read_bytes().replace(b"user ann set", b"user bob set"))
    for command in ("verify", "show"):
        said = footfall("access-log", command)
        assert (said.code, said.out) == (1, "")
        assert "line 1" in said.complaint


def test_a_file_that_others_may_read_is_refused(footfall, ann, home):
    (home / "access" / "users.json").chmod(0o640)
    assert "chmod 600" in footfall("users", "list").complaint
