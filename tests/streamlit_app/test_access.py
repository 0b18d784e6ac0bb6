"""The table of roles, and what follows from it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall_assets.contracts.access import Grant, Role
from footfall_assets.contracts.publication import FileKind
from streamlit_app.access import (
    FILES,
    PERMISSIONS,
    AccessDenied,
    Action,
    CropScope,
    Page,
    Person,
    decide_crop_scope,
    decide_scope,
    may,
)

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)
STORES = ("store-101", "store-203", "store-305")

# What each role may do, written down a second time: role -> the pages it sees and takes away, the pages it only sees.
AGGREGATE_PAGES = "overview compare_stores traffic dwell journeys loyalty demographics store_footfall"
EXPECTED = {
    "viewer": ("store_footfall", "about"),
    "analyst": (AGGREGATE_PAGES, "about"),
    "privacy_officer": ("access_log", "about"),
    "operator": ("operations", "about"),
    "visitor_list": ("visitors", "about"),
    "auditor": ("", "audit about"),
}


def grant(role, *locations, until=NOW + timedelta(days=1), purpose="lost child, case 7"):
    return Grant(role=role, location_ids=locations or None, valid_until=until, purpose=purpose)


def person(*grants):
    return Person("ann", "production", grants)


@pytest.mark.parametrize("page", Page)
@pytest.mark.parametrize("role", Role)
def test_each_role_may_do_on_each_page_what_is_written_here_and_nothing_else(role, page):
    takes, sees = (each.split() for each in EXPECTED[role])
    holder = person(grant(role))
    assert may(holder, page, Action.VIEW, now=NOW) is (page in takes or page in sees)
    assert may(holder, page, Action.EXPORT, now=NOW) is (page in takes)
    if page in takes or page in sees:
        scope = decide_scope(holder, page, now=NOW)
        assert (scope.roles, scope.location_ids, scope.may_export) == ((role,), None, page in takes)
    else:
        with pytest.raises(AccessDenied):
            decide_scope(holder, page, now=NOW)


def test_the_table_names_every_role_and_no_more():
    assert set(PERMISSIONS) == set(FILES) == set(Role)
    assert set(EXPECTED) == set(Role)


@pytest.mark.parametrize("page", Page)
def test_nobody_may_do_anything_without_a_grant(page):
    with pytest.raises(AccessDenied):
        decide_scope(person(), page, now=NOW)


@pytest.mark.parametrize(("role", "kinds"), [
    (Role.VIEWER, {FileKind.PROTECTED}),
    (Role.ANALYST, {FileKind.PROTECTED, FileKind.AGGREGATES}),
    (Role.VISITOR_LIST, {FileKind.AGGREGATES, FileKind.VISITORS}),
    (Role.OPERATOR, {FileKind.AGGREGATES}),
    (Role.PRIVACY_OFFICER, set()),
    (Role.AUDITOR, set()),
])  # fmt: skip
@pytest.mark.parametrize("kind", FileKind)
def test_each_role_may_open_these_files(role, kinds, kind):
    scope = decide_scope(person(grant(role)), Page.ABOUT, now=NOW)
    if kind in kinds:
        scope.check_file(kind)
    else:
        with pytest.raises(AccessDenied, match=kind):
            scope.check_file(kind)


def test_a_grant_ends_at_its_last_moment():
    holder = person(grant(Role.VISITOR_LIST, until=NOW))
    before = NOW - timedelta(microseconds=1)
    assert decide_scope(holder, Page.VISITORS, now=before).purposes == ("lost child, case 7",)
    with pytest.raises(AccessDenied):
        decide_scope(holder, Page.VISITORS, now=NOW)


def test_what_a_page_shows_comes_from_the_grants_that_open_it():
    """A viewer of one store who is the analyst of another must not be the analyst of both."""
    holder = person(grant(Role.VIEWER, "store-101"), grant(Role.ANALYST, "store-203"))
    assert decide_scope(holder, Page.OVERVIEW, now=NOW).location_ids == ("store-203",)
    assert decide_scope(holder, Page.STORE_FOOTFALL, now=NOW).location_ids == ("store-101", "store-203")


def test_one_grant_for_all_locations_is_for_all():
    holder = person(grant(Role.VIEWER, "store-101"), grant(Role.VIEWER))
    assert decide_scope(holder, Page.STORE_FOOTFALL, now=NOW).location_ids is None


def test_export_is_refused_where_only_looking_is_allowed():
    scope = decide_scope(person(grant(Role.AUDITOR)), Page.AUDIT, now=NOW)
    with pytest.raises(AccessDenied, match="download"):
        scope.check_export()


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("locations", [(), ("store-101",)])
def test_only_an_auditor_of_all_locations_may_see_crops(role, locations):
    holder = person(grant(role, *locations))
    if role is Role.AUDITOR and not locations:
        assert decide_crop_scope(holder, now=NOW) == CropScope("auditor")
    else:
        with pytest.raises(AccessDenied):
            decide_crop_scope(holder, now=NOW)


LOCATIONS = st.none() | st.lists(st.sampled_from(STORES), min_size=1, max_size=3, unique=True).map(tuple)
GRANTS = st.lists(
    st.builds(
        Grant,
        role=st.sampled_from(Role),
        location_ids=LOCATIONS,
        valid_until=st.integers(-3, 3).map(lambda hours: NOW + timedelta(hours=hours)),
        purpose=st.just("a purpose"),
    ),
    max_size=5,
).map(tuple)


@given(grants=GRANTS, page=st.sampled_from(Page))
def test_no_scope_holds_a_location_without_a_grant_for_this_page(grants, page):
    holds = [each for each in grants if each.valid_until > NOW and page in PERMISSIONS[each.role]]
    if not holds:
        with pytest.raises(AccessDenied):
            decide_scope(person(*grants), page, now=NOW)
        return
    scope = decide_scope(person(*grants), page, now=NOW)
    if scope.location_ids is None:
        assert any(each.location_ids is None for each in holds)
    else:
        assert set(scope.location_ids) == {location for each in holds for location in each.location_ids}
    assert set(scope.roles) == {each.role for each in holds}
