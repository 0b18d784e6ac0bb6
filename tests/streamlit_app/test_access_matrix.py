"""Every role on every page at every location, as the server runs it: what is not granted is refused and not named."""

import shutil
from datetime import UTC, date, datetime, timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from footfall_assets.contracts.access import Grant, Role, User
from footfall_assets.contracts.errors import CorruptObject
from footfall_assets.contracts.settings import load_settings
from footfall_assets.storage.access_log import AccessLog
from footfall_assets.storage.lake import FolderLake
from footfall_assets.storage.user_store import change_users, hash_password, read_users
from streamlit_app.access import PERMISSIONS, AccessDenied, Action, Page, Person, decide_scope
from streamlit_app.access_records import RecordedExport, record_view
from streamlit_app.filters import FilterOptions
from streamlit_app.queries import Explorer
from streamlit_app.sign_in import Session

from .conftest import APP, HAND_MADE

REFUSED = "You may not open this page"
HASH = hash_password("correct horse battery", cost=2**4)
MINE, OTHERS = "store-203", ("store-101", "store-305")
# What only somebody of another store could know: ids, names, counts.
FOREIGN = (b"store-101", b"store-305", b"#101", b"#305", b"Alexanderplatz", b"00123A", b"00500B")
PAGES = [page for page in Page if (APP.parent / "pages" / f"{page}.py").is_file()]


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """A lake with production data of three stores, one busy."""
    made = HAND_MADE.HandMade()
    made.place("store-101", "Store #101", cameras=("door", "till"), timezone="Europe/Berlin")
    made.place(MINE, "Store #203").place("store-305", "Store #305 Alexanderplatz")
    made.group("entrances", "Entrances", "store-101-door", f"{MINE}-door").group("theirs", "#101", "store-101-till")
    for visitor, camera in (("00123A", "store-101-till"), ("00203C", f"{MINE}-door"), ("00500B", "store-305-door")):
        made.appear(visitor, camera, "2024-02-01T12:00")
    for place, count in (("store-101", 995), (MINE, 40)):
        made.whole_day(place, "2024-02-01", count).hour(place, "2024-02-01T12:00", count)
        made.protected(place, "day", "2024-02-01", count).protected(place, "day", "2024-02-02", None)
    for camera in ("store-101-door", f"{MINE}-door"):
        made.covered(camera, "2024-02-01", missing=1)
    folder = tmp_path_factory.mktemp("made")
    captured = datetime.now(UTC) - timedelta(hours=1)
    published = made.publish(
        FolderLake(folder / "lake"), folder / "build", environment="production", last_captured_at=captured
    )
    return folder / "lake", published


@pytest.fixture
def published(home, made_once):
    lake, publication = made_once
    shutil.copytree(lake, home / "lake")
    return publication


@pytest.fixture
def users(home, monkeypatch):
    """Sets the users of a production home; `users(ann=(grant, ...))`."""
    monkeypatch.setenv("FOOTFALL_ENVIRONMENT", "production")

    def made(**granted):
        for name, grants in granted.items():
            user = User(name=name, password=HASH, grants=grants)
            change_users(home / "access", lambda users, user=user: users.with_user(user), record=lambda: None)

    return made


def grant(role, *locations):
    until = datetime.now(UTC) + timedelta(days=1)
    return Grant(role=role, location_ids=locations or None, valid_until=until, purpose="a task")


def signed_in(path, name, **query):
    app = AppTest.from_file(str(path), default_timeout=60)
    now = datetime.now(UTC)
    app.session_state["signed_in"] = Session(name, HASH.digest, now, now)
    app.session_state["opened_through_app"] = True
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def opened(page, name, **query):
    return signed_in(APP.parent / "pages" / f"{page}.py", name, **query)


def everything_sent(app):
    """Return all bytes that went to the browser for the page: texts, options, charts and tables."""
    found = []

    def walk(node):
        proto = getattr(node, "proto", None)
        if proto is not None and hasattr(proto, "SerializeToString"):
            found.append(proto.SerializeToString())
        for child in getattr(node, "children", {}).values():
            walk(child)

    walk(app._tree)
    return b"\n".join(found)


def texts(app):
    return "\n".join(each.value for each in (*app.error, *app.warning, *app.info, *app.caption, *app.title))


@pytest.mark.parametrize("role", Role)
def test_each_page_opens_for_those_roles_and_no_other_and_shows_their_store_alone(published, users, role):
    users(ann=(grant(role, MINE),), chief=(grant(role),))
    wrong = []
    for page in PAGES:
        allowed = Action.VIEW in PERMISSIONS[role].get(page, ())
        app = opened(page, "ann")
        if app.exception and not allowed:  # the hand-made publication does not have every mart
            wrong.append(f"{page}: {app.exception[0].value}")
        if allowed == (REFUSED in texts(app)) and page is not Page.AUDIT:  # which needs all locations
            wrong.append(f"{page}: {texts(app)}")
        leaked = [each for each in FOREIGN if each in everything_sent(app)]
        if leaked:
            wrong.append(f"{page}: names {leaked}")
        if not allowed and (app.dataframe or app.metric or app.get("vega_lite_chart") or app.sidebar.selectbox):
            wrong.append(f"{page}: shows more than a refusal")
    assert wrong == []


@pytest.mark.parametrize("role", Role)
def test_the_navigation_names_what_a_role_may_open(published, users, role, monkeypatch):
    users(ann=(grant(role),))
    named = []
    real = st.navigation
    monkeypatch.setattr(
        st, "navigation", lambda pages: named.extend(p for each in pages.values() for p in each) or real(pages)
    )
    app = signed_in(APP, "ann")
    assert not app.exception
    leads_on = {"begin"}  # hidden, shows nothing
    assert {page.url_path or page._url_path for page in named} - leads_on == {
        page.value for page in PAGES if Action.VIEW in PERMISSIONS[role].get(page, ())
    }


@pytest.mark.parametrize("page", PAGES)
def test_nobody_sees_anything_without_signing_in(published, users, page):
    users(ann=(grant(Role.ANALYST),))
    app = AppTest.from_file(str(APP.parent / "pages" / f"{page}.py"), default_timeout=60)
    app.session_state["opened_through_app"] = True
    app.run()
    assert "Sign in" in texts(app)
    assert [each for each in (b"store-", b"#101", b"#203") if each in everything_sent(app)] == []


def test_the_form_lets_somebody_in_and_out(published, users):
    users(ann=(grant(Role.VIEWER, MINE),))
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert app.title[0].value == "Sign in"
    app.text_input(key="sign_in_name").set_value("ann")
    app.text_input(key="sign_in_password").set_value("wrong wrong wrong")
    app.button[0].click().run()
    assert "wrong" in app.error[0].value
    app.text_input(key="sign_in_name").set_value("ann")
    app.text_input(key="sign_in_password").set_value("correct horse battery")
    app.button[0].click().run()
    assert app.title[0].value == "Store footfall"
    assert "Signed in as ann: viewer" in texts(app).replace("\\", "")
    app.button(key="sign_out").click().run()
    assert app.title[0].value == "Sign in"


@pytest.mark.parametrize("asked", [*OTHERS, f"{MINE},{OTHERS[0]}", "*", "", "' or 1=1 --", "store-999"])
def test_an_address_with_another_store_shows_ones_own(published, users, asked):
    users(ann=(grant(Role.VIEWER, MINE), grant(Role.OPERATOR, MINE)))
    app = opened(Page.STORE_FOOTFALL, "ann", location=asked)
    assert not app.exception
    assert app.selectbox(key="store_location").options == ["Store #203"]
    assert "not known here" in app.warning[0].value
    assert [each for each in FOREIGN if each in everything_sent(app) and each.decode() not in asked] == []


def test_a_forged_widget_of_another_store_is_replaced(published, users):
    users(ann=(grant(Role.VIEWER, MINE),))
    app = AppTest.from_file(str(APP.parent / "pages" / "store_footfall.py"), default_timeout=60)
    now, day = datetime.now(UTC), date(2024, 2, 1)
    app.session_state["signed_in"] = Session("ann", HASH.digest, now, now)
    app.session_state["opened_through_app"] = True
    app.session_state["store_location"] = "store-101"
    app.session_state["store_days"] = (day, day)
    app.session_state["store_step"] = "day"
    app.run()
    assert not app.exception
    assert app.selectbox(key="store_location").value == MINE
    assert b"995" not in everything_sent(app)


def test_a_then_b_in_one_server_see_nothing_of_each_other(published, users):
    """Caches live in the server, not in the session."""
    users(ann=(grant(Role.VIEWER, "store-101"),), bob=(grant(Role.VIEWER, MINE),))
    alone = opened(Page.STORE_FOOTFALL, "bob")
    st.cache_data.clear()
    first = opened(Page.STORE_FOOTFALL, "ann")
    after = opened(Page.STORE_FOOTFALL, "bob")
    assert b"#101" in everything_sent(first)
    assert [each for each in FOREIGN if each in everything_sent(after)] == []
    tables = [[table.value.to_csv() for table in app.dataframe] for app in (alone, after)]
    assert tables[0] == tables[1]
    assert "<10" in tables[0][0]


def test_caches_are_asked_with_the_scope(published, users):
    users(ann=(grant(Role.ANALYST, "store-101"),), bob=(grant(Role.ANALYST, MINE),))
    options = [_explorer(published, name).options() for name in ("ann", "bob", "ann")]
    assert [set(each.locations) for each in options] == [{"store-101"}, {MINE}, {"store-101"}]
    assert all(isinstance(each, FilterOptions) for each in options)


def _explorer(publication, name, page=Page.OVERVIEW):
    settings = load_settings()
    return Explorer(FolderLake(settings.home / "lake"), publication, scope=_scope(name, page))


def _scope(name, page):
    user = read_users(load_settings().access_dir).named(name)
    return decide_scope(Person(name, "production", user.grants), page, now=datetime.now(UTC))


@pytest.mark.usefixtures("published")
class TestRecords:
    """One line for each look at the list and each file, before anything is shown."""

    @pytest.fixture
    def lake(self, home):
        return FolderLake(home / "lake")

    def log(self, lake):
        return AccessLog(lake, load_settings().keys_dir).verify()

    def export(self, lake, name, page, made):
        return RecordedExport(_scope(name, page), load_settings(), lake, query="a report", rows=3, make=made)

    def test_an_export_is_one_line_with_scope_and_purpose(self, users, lake):
        users(ann=(grant(Role.VISITOR_LIST, MINE),))
        assert self.export(lake, "ann", Page.VISITORS, lambda: b"file")() == b"file"
        [line] = self.log(lake)
        assert (line.who, line.role, line.access, line.count) == ("ann", "visitor_list", "export", 3)
        assert (line.scope, line.purpose, line.about) == (MINE, "a task", "a report")

    def test_where_the_log_cannot_be_written_nothing_is_given_out(self, users, lake, monkeypatch):
        users(ann=(grant(Role.VISITOR_LIST, MINE),))
        monkeypatch.setattr(AccessLog, "append", lambda *_, **__: (_ for _ in ()).throw(OSError("no space left")))
        given = []
        with pytest.raises(OSError, match="no space"):
            self.export(lake, "ann", Page.VISITORS, lambda: given.append(1))()
        assert given == []

    def test_a_button_of_a_page_that_was_left_open_asks_again(self, users, lake):
        users(ann=(grant(Role.VISITOR_LIST, MINE),))
        button = self.export(lake, "ann", Page.VISITORS, lambda: b"file")
        users(ann=())
        with pytest.raises(AccessDenied):
            button()
        assert self.log(lake) == []

    def test_where_only_looking_is_allowed_there_is_no_file(self, users, lake):
        users(ann=(grant(Role.AUDITOR),))
        with pytest.raises(AccessDenied, match="no download"):
            self.export(lake, "ann", Page.AUDIT, lambda: b"file")()

    def test_the_same_look_is_one_line_and_another_one_more(self, users, lake, monkeypatch):
        users(ann=(grant(Role.VISITOR_LIST, MINE),))
        monkeypatch.setattr(st, "session_state", {})
        scope = _scope("ann", Page.VISITORS)
        for query, key in (("list 1", 1), ("line", 9), ("list 1", 1), ("line", 9), ("list 2", 2), ("list 1", 1)):
            record_view(scope, load_settings(), lake, query=query, rows=5, key=key)
        assert [line.about for line in self.log(lake)] == ["list 1", "line", "list 2", "list 1"]

    def test_a_line_that_is_just_being_written_is_not_called_damage(self, users, lake, monkeypatch):
        users(ann=(grant(Role.VISITOR_LIST, MINE),), eve=(grant(Role.PRIVACY_OFFICER),))
        self.export(lake, "ann", Page.VISITORS, lambda: b"file")()
        real, looks = AccessLog.verify, []

        def half_written_at_first(log):
            looks.append(log)
            if len(looks) == 1:
                raise CorruptObject("line 2 is not what was written last")
            return real(log)

        monkeypatch.setattr(AccessLog, "verify", half_written_at_first)
        app = opened(Page.ACCESS_LOG, "eve")
        assert not app.error
        assert len(app.dataframe[0].value) == 1

    def test_the_page_of_the_log_shows_it_to_the_privacy_officer(self, users, lake):
        users(ann=(grant(Role.VISITOR_LIST, MINE),), eve=(grant(Role.PRIVACY_OFFICER),))
        self.export(lake, "ann", Page.VISITORS, lambda: b"file")()
        app = opened(Page.ACCESS_LOG, "eve")
        assert not app.exception
        assert app.dataframe[0].value.iloc[0][["Who", "What"]].tolist() == ["ann", "Took a file away"]
        line = "access_log/000000000001.json"
        lake.write(line, lake.read(line).replace(b"ann", b"bob"))
        app = opened(Page.ACCESS_LOG, "eve")
        assert "line 1" in app.error[0].value
        assert not app.dataframe


def test_an_operator_sees_the_devices_of_ones_own_stores(published, users, troubled):
    users(ann=(grant(Role.OPERATOR, MINE),), chief=(grant(Role.OPERATOR),))
    restricted = opened(Page.OPERATIONS, "ann")
    assert set(restricted.dataframe[1].value["Device"]) == {"box-ill"}
    assert [each for each in FOREIGN if each in everything_sent(restricted)] == []
    assert len(opened(Page.OPERATIONS, "chief").dataframe[1].value) > 3
