"""An older publication on the screen: the same pages, the figures of then, and what changed since."""

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from footfall_assets.contracts.access import Grant, Role, User
from footfall_assets.contracts.publication import publication_key
from footfall_assets.contracts.settings import load_settings
from footfall_assets.storage.access_log import AccessLog
from footfall_assets.storage.lake import FolderLake
from footfall_assets.storage.user_store import change_users, hash_password
from streamlit_app.sign_in import Session

from .conftest import APP

THEN = datetime(2024, 2, 4, 6, tzinfo=UTC)
NOW = datetime(2024, 2, 5, 6, tzinfo=UTC)
HASH = hash_password("correct horse battery", cost=2**4)


def texts(app):
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.title)
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def metrics(app):
    return {metric.label: metric.value for metric in app.metric}


def in_address(app):
    value = app.query_params["publication"]
    return value if isinstance(value, str) else value[-1]


def opened(page, user=None, **query):
    app = AppTest.from_file(str(APP.parent / "pages" / f"{page}.py"), default_timeout=60)
    app.session_state["opened_through_app"] = True
    if user is not None:
        now = datetime.now(UTC)
        app.session_state["signed_in"] = Session(user, HASH.digest, now, now)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


@pytest.fixture
def lake(home):
    return FolderLake(home / "lake")


RULES = """
create table publication_header as
select 'month' as linkage_window_kind, 60 as appearance_gap_s, 4 as appearance_gap_intervals, 10800 as visit_gap_s
"""


@pytest.fixture
def two(publish, stores):
    """Then 13 visitors; now 14, the new one at store-203, of which a day was counted as well."""
    stores.more_visitors = RULES
    stores.protected("store-101", "day", "2024-02-01", 15).protected("store-203", "day", "2024-02-01", 40)
    older = publish(stores, published_at=THEN)
    stores.appear("00900Z", "store-203-door", "2024-02-03T18:00")
    stores.whole_day("store-203", "2024-02-02", 70)
    stores.protected_counts[0] = (*stores.protected_counts[0][:-1], 25)
    return older, publish(stores, published_at=NOW)


def test_the_current_one_is_shown_without_a_choice(two, app):
    app = opened("visitors")
    chosen = app.selectbox(key="filter_publication")
    assert metrics(app)["Listed Visitors"] == "14"
    assert "older publication" not in texts(app)
    assert chosen.options == [
        "Current (2024-02-05 06:00 UTC)",
        f"2024-02-04 06:00 UTC, kept: last of its day ({two[0].publication_id[:12]})",
    ]
    assert "publication" not in app.query_params


@pytest.mark.parametrize("digits", [12, 64, 5])
def test_the_address_names_an_older_one_and_all_figures_come_from_it(two, digits):
    app = opened("visitors", publication=two[0].publication_id[:digits])
    assert metrics(app)["Listed Visitors"] == "13"
    said = texts(app)
    assert f"As published on 2024-02-04 06:00 UTC (older publication {two[0].publication_id[:12]})" in said
    assert "published on 2024-02-05 06:00 UTC" in said
    assert two[0].publication_id in said
    assert in_address(app) == two[0].publication_id[:12]


def test_choosing_it_in_the_list_writes_the_address_and_back_again(two):
    app = opened("visitors")
    app.selectbox(key="filter_publication").select_index(1).run()
    assert metrics(app)["Listed Visitors"] == "13"
    assert in_address(app) == two[0].publication_id[:12]
    app.selectbox(key="filter_publication").select_index(0).run()
    assert metrics(app)["Listed Visitors"] == "14"
    assert "publication" not in app.query_params


def test_it_goes_along_to_the_next_page(two, app):
    app.switch_page("pages/visitors.py").run()
    app.selectbox(key="filter_publication").select_index(1).run()
    app.query_params.clear()  # as a click in the navigation does
    app.switch_page("pages/about.py").run()
    assert not app.exception
    assert "As published on 2024-02-04 06:00 UTC" in texts(app)


@pytest.mark.parametrize(
    "asked",
    ["ffffffffffff", "../../etc/passwd", "' or 1=1 --", "", "a" * 2_000, "<script>", "CURRENT", "0000\x00"],
)
def test_one_that_is_not_kept_is_a_sentence_and_no_figure(two, asked):
    app = opened("visitors", publication=asked)
    assert "is not kept here" in texts(app)
    assert not app.metric
    assert not app.dataframe
    assert not asked or asked not in texts(app)
    app.selectbox(key="filter_publication").select_index(0).run()
    assert metrics(app)["Listed Visitors"] == "14"


def test_one_that_was_withdrawn_while_it_was_on_the_screen_is_gone(two, lake):
    """Erasure rewrites what is kept and retires the old hashes: an answer from the cache would bring people back."""
    app = opened("visitors", publication=two[0].publication_id)
    lake.delete(publication_key(two[0].publication_id))
    app.run()
    assert "is not kept here" in texts(app)
    assert not app.metric


def test_a_damaged_manifest_leaves_the_others(two, lake):
    lake.write(publication_key(two[0].publication_id), b"{}")
    app = opened("visitors", publication=two[0].publication_id)
    assert "is not kept here" in texts(app)
    app = opened("visitors")
    assert metrics(app)["Listed Visitors"] == "14"


def test_overview_and_store_footfall_show_the_figures_of_then(two):
    older = two[0].publication_id[:12]
    day = {"from": "2024-02-02", "to": "2024-02-02", "location": "store-203"}
    assert metrics(opened("overview", **day))["Unique visitors"] == "70"
    assert "no camera saw these stores" in texts(opened("overview", publication=older, **day))
    shown = [
        opened("store_footfall", location="store-101", **which).dataframe[0].value["Unique visitors"].tolist()
        for which in ({}, {"publication": older})
    ]
    assert shown == [["25"], ["15"]]


def test_what_changed_since_is_told_when_asked_for(two, lake):
    app = opened("visitors", publication=two[0].publication_id)
    assert "Compare with the current publication (2024-02-05 06:00 UTC)" in [each.label for each in app.toggle]
    app.toggle(key="visitors_changes").set_value(True).run()
    assert not app.exception
    table = next(each.value for each in app.dataframe if "More by splits" in each.value.columns)
    assert table[["Then", "New", "Gone", "Now"]].to_numpy().tolist() == [[13, 1, 0, 14]]
    days = next(each.value for each in app.dataframe if "Count" in each.value.columns)
    assert ["2024-02-02", "Store #203", "unique visitors", None, 70] in days.astype(object).where(
        days.notna(), None
    ).to_numpy().tolist()
    visitors = next(each.value for each in app.dataframe if "What became of it" in each.value.columns)
    assert visitors[["Visitor ID", "What became of it"]].to_numpy().tolist() == [["00900Z", "new"]]
    lines = AccessLog(lake, load_settings().keys_dir).verify()
    assert any(line.about.startswith("visitor_changes 2024-02-01") for line in lines)
    assert "What changed since" not in "\n".join(each.value for each in opened("visitors").subheader)


class TestRights:
    """The publication that is chosen changes nothing about who may see what."""

    @pytest.fixture
    def users(self, home):
        def made(**granted):
            for name, grants in granted.items():
                user = User(name=name, password=HASH, grants=grants)
                change_users(home / "access", lambda users, user=user: users.with_user(user), record=lambda: None)

        return made

    def grant(self, role, *locations):
        until = datetime.now(UTC) + timedelta(days=1)
        return Grant(role=role, location_ids=locations or None, valid_until=until, purpose="a task")

    def test_the_scope_holds_in_an_older_publication_and_in_the_comparison(self, two, users):
        users(ann=(self.grant(Role.VISITOR_LIST, "store-101"),), bob=(self.grant(Role.VISITOR_LIST, "store-203"),))
        older = two[0].publication_id
        bob = opened("visitors", "bob", publication=older)
        bob.toggle(key="visitors_changes").set_value(True).run()
        ann = opened("visitors", "ann", publication=older)
        ann.toggle(key="visitors_changes").set_value(True).run()
        assert (metrics(bob)["Listed Visitors"], metrics(ann)["Listed Visitors"]) == ("12", "12")
        tables = ["\n".join(table.value.to_csv() for table in app.dataframe) for app in (ann, bob)]
        assert "00900Z" in tables[1]
        assert [each for each in ("00900Z", "#203", "store-203", ",70") if each in tables[0]] == []

    def test_production_data_of_before_stay_closed_to_an_open_home(self, publish, stores):
        older = publish(stores, environment="production", published_at=THEN)
        publish(stores.appear("00900Z", "store-203-door", "2024-02-03T18:00"), published_at=NOW)
        assert metrics(opened("visitors"))["Listed Visitors"] == "14"
        app = opened("visitors", publication=older.publication_id)
        assert "it has no users" in texts(app)
        assert not app.metric

    def test_an_older_publication_opens_no_page(self, two, users):
        users(ann=(self.grant(Role.VIEWER, "store-101"),))
        app = opened("visitors", "ann", publication=two[0].publication_id)
        assert "You may not open this page" in texts(app)
        assert not app.selectbox

    def test_a_viewer_sees_the_current_publication_whatever_the_address_says(self, two, users):
        users(ann=(self.grant(Role.VIEWER),), bob=(self.grant(Role.VIEWER), self.grant(Role.ANALYST)))
        asked = {"location": "store-101", "publication": two[0].publication_id}
        shown = {
            name: opened("store_footfall", name, **asked).dataframe[0].value["Unique visitors"].tolist()
            for name in ("ann", "bob")
        }
        assert shown == {"ann": ["25"], "bob": ["15"]}
        assert "Publication" not in [each.label for each in opened("store_footfall", "ann", **asked).selectbox]
