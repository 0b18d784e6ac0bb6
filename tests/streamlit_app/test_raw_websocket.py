"""Whoever speaks to the server without a browser: forged widgets, addresses and messages, over the websocket itself."""

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from footfall_assets.contracts.access import Grant, Role, User
from footfall_assets.storage.lake import FolderLake
from footfall_assets.storage.user_store import change_users, hash_password
from streamlit_app.access import Page

from .conftest import served, three_stores

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
MINE, THEIRS = "store-203", "store-101"
FOREIGN = (b"store-101", b"#101", b"Berlin", b"store-305", b"00123A", b"00500B")
HOSTILE = ("store-101' or '1'='1", "x' union all select * from fct_sightings --", "../../etc/passwd", "\u202estore-101")
ANSWER_S = 60


class Raw:
    """A client that sends what it likes; it keeps every byte that comes back."""

    def __init__(self, address, **options):
        self._socket = connect(
            f"{address.replace('http', 'ws')}/_stcore/stream", subprotocols=["streamlit"], max_size=None, **options
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, message):
        self._socket.send(message if isinstance(message, bytes) else message.SerializeToString())

    def run(self, page="", query="", states=()):
        """Run a page with widget states of our choice and return the messages until the script has finished."""
        asked = BackMsg()
        asked.rerun_script.page_name = page
        asked.rerun_script.query_string = query
        asked.rerun_script.widget_states.widgets.extend(states)
        self.send(asked)
        found = []
        while True:
            raw = self._socket.recv(timeout=ANSWER_S)
            found.append(ForwardMsg.FromString(raw))
            # A run that leads to another page is followed by that page's.
            if found[-1].HasField("script_finished") and found[-1].script_finished in {
                ForwardMsg.FINISHED_SUCCESSFULLY,
                ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
            }:
                return found


def sent(messages):
    return b"\n".join(message.SerializeToString() for message in messages)


def widgets(messages, kind):
    """Return the widgets of a kind by label."""
    elements = [each.delta.new_element for each in messages if each.HasField("delta")]
    found = [getattr(each, kind) for each in elements if each.WhichOneof("type") == kind]
    return {each.label: each for each in found}


def signed_in(raw, name):
    form = raw.run()
    fields = widgets(form, "text_input")
    [button] = widgets(form, "button").values()
    labels = {label.split()[0].lower(): each.id for label, each in fields.items()}
    states = [
        WidgetState(id=labels["user" if "user" in labels else "name"], string_value=name),
        WidgetState(id=labels["password"], string_value=PASSWORD),
        WidgetState(id=button.id, trigger_value=True),
    ]
    return raw.run(states=states)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A production home with a viewer, an analyst and a reader of the list, each of one store, and its app."""
    folder = tmp_path_factory.mktemp("served")
    made = three_stores()
    for place, count in ((THEIRS, 77_775), (MINE, 40)):
        made.protected(place, "day", "2024-02-01", count)
    made.publish(
        FolderLake(folder / "lake"),
        folder / "build",
        environment="production",
        last_captured_at=datetime.now(UTC) - timedelta(hours=1),
    )
    until = datetime.now(UTC) + timedelta(days=1)
    password = hash_password(PASSWORD, cost=2**4)
    for role in (Role.VIEWER, Role.ANALYST, Role.VISITOR_LIST):
        granted = Grant(role=role, location_ids=(MINE,), valid_until=until, purpose="a task")
        user = User(name=role.value.replace("_", "-"), password=password, grants=(granted,))
        change_users(folder / "access", lambda users, user=user: users.with_user(user), record=lambda: None)
    with served(folder, folder, FOOTFALL_ENVIRONMENT="production") as at:
        yield at


def test_without_signing_in_no_page_says_anything_whatever_is_forged(address):
    forged = [
        WidgetState(id="signed_in", json_value='{"user": "analyst"}'),
        WidgetState(id="$$ID-0-filter_locations", string_array_value={"data": [THEIRS]}),
        WidgetState(id="$$ID-0-sign_in_name", string_value="analyst"),
    ]
    with Raw(address) as raw:
        for page in Page:
            found = sent(raw.run(page.value, f"location={THEIRS}&signed_in=analyst", forged))
            assert [each for each in (*FOREIGN, MINE.encode(), b"77,775", b"Traceback") if each in found] == []


@pytest.mark.parametrize(
    ("name", "page", "kind", "label"),
    [
        ("viewer", Page.STORE_FOOTFALL, "selectbox", "Location"),
        ("analyst", Page.OVERVIEW, "multiselect", "Locations"),
        ("visitor-list", Page.VISITORS, "multiselect", "Locations"),
    ],
)
def test_who_may_see_one_store_gets_no_other_by_address_or_forged_widget(address, name, page, kind, label):
    with Raw(address) as raw:
        assert b"Sign out" in sent(signed_in(raw, name))
        for text in (THEIRS, *HOSTILE):
            for parameter in ("location", "publication"):
                shown = raw.run(page.value, f"{parameter}={urllib.request.quote(text)}")
                assert [each for each in FOREIGN if each in _without(sent(shown), text)] == []
        shown = raw.run(page.value, "")
        assert b"#203" in sent(shown)  # the page is there, and shows what is granted
        [widget] = [each for each in widgets(shown, kind).values() if each.label == label]
        for text in (THEIRS, *HOSTILE):
            state = WidgetState(id=widget.id)
            if kind == "selectbox":
                state.string_value = text
            else:
                state.string_array_value.data.append(text)
            found = raw.run(page.value, "", [state])
            assert [each for each in (*FOREIGN, b"77,775", b"root:") if each in _without(sent(found), text)] == []
        refused = next(each for each in Page if each not in {page, Page.ABOUT, Page.STORE_FOOTFALL})
        found = raw.run(refused.value, f"location={THEIRS}")
        assert [each for each in FOREIGN if each in _without(sent(found), THEIRS)] == []


def _without(found, text):
    """The bytes that came, less what was asked: the server repeats the address and a widget's own value."""
    return found.replace(text.encode(), b"").replace(urllib.request.quote(text).encode(), b"")


@pytest.mark.parametrize(
    "message",
    [
        b"\x00\xff not a message",
        b"",
        BackMsg(debug_shutdown_runtime=True),
        BackMsg(debug_disconnect_websocket=True),
        BackMsg(clear_cache=True),
        BackMsg(set_run_on_save=True),
    ],
    ids=["garbage", "nothing", "shutdown", "disconnect", "clear_cache", "run_on_save"],
)
def test_no_message_stops_the_server_for_others(address, message):
    with Raw(address) as raw:
        raw.run()
        try:
            raw.send(message)
            raw.run()
        except ConnectionClosed:
            pass  # of this one client
    with Raw(address) as other:
        assert b"Sign in" in sent(other.run())


def test_an_address_and_a_widget_of_a_million_characters_are_survived(address):
    long = "a" * 1_000_000
    with Raw(address) as raw:
        shown = raw.run("visitors", f"location={long}&publication={long}", [WidgetState(id=long, string_value=long)])
        assert b"Traceback" not in sent(shown)
    with Raw(address) as other:
        assert b"Sign in" in sent(other.run())


def test_nothing_can_be_uploaded(address):
    """No page takes a file: the server's own endpoint for it has no session to put one in."""
    for path in ("a/b", "../../x", "00000000-0000-0000-0000-000000000000/y"):
        request = urllib.request.Request(f"{address}/_stcore/upload_file/{path}", data=b"x" * 1_000, method="PUT")  # noqa: S310
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)  # noqa: S310 - our own server
        assert refused.value.code >= 400


def test_another_site_cannot_connect(address):
    with pytest.raises(Exception, match=r"403|rejected"):
        Raw(address, origin="http://evil.example")
