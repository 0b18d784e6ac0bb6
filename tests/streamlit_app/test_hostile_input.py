"""SQL, paths and markup in every parameter of the address and every filter: bound or refused, never followed."""

from datetime import date
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from footfall_assets.contracts.errors import InvalidIdentifier, NoData, UserMistake
from footfall_assets.reporting.protected_footfall import ProtectedGrain, protected_days, protected_footfall
from footfall_assets.reporting.publication import open_protected, open_visitors
from footfall_assets.reporting.request import Period, ReportRequest
from footfall_assets.reporting.selection import read_directory, select_cameras
from footfall_assets.storage.lake import FolderLake
from streamlit_app.store_filters import StoreOptions, parse_store_filters, store_params

from .conftest import APP

DAYS = Period(date(2024, 2, 1), date(2024, 2, 29))
OPTIONS = StoreOptions({"store-101": "Store #101", "store-203": "Store #203"}, DAYS)
HOSTILE = {
    "or": "store-101' or '1'='1",
    "comment": "x'--",
    "union": "x' union all select visitor_id, 1, 1, true, 1 from fct_appearances --",
    "stacked": "x'; attach '/etc/passwd' as p; --",
    "copy": "x'; copy (select 1) to '/stolen.csv'; --",
    "read_text": "x' || (select content from read_text('/etc/passwd')) || '",
    "parameter": "$location",
    "quoted": '"; drop table protected_footfall; --',
    "nul": "store-101\x00",
    "full_width": "store-101\uff07 or 1=1",
    "right_to_left": "\u202estore-101",
    "zero_width": "store-\u200b101",
    "homoglyph": "st\u043ere-101",
    "newline": "store-101\n2024-01-01",
    "path": "../../etc/passwd",
    "encoded": "..%2f..%2fetc%2fpasswd",
    "script": "<script>alert(1)</script>",
    "template": "{{7*7}}",
    "formula": "=cmd()",
    "long": "s" * 1_000_000,
    "number": "9" * 400,
    "list": "['store-101','store-203']",
}


@pytest.fixture
def publication(stores, publish):
    for place, count in (("store-101", 995), ("store-203", 40)):
        stores.protected(place, "day", "2024-02-01", count)
    return publish(stores)


@pytest.fixture
def lake(home):
    return FolderLake(home / "lake")


def test_bound_text_finds_nothing(publication, lake):
    """Bound, each is a name that no location has: 0 rows of 22."""
    found = []
    with open_protected(lake, publication) as connection:
        for name, text in HOSTILE.items():
            frame = protected_footfall(connection, text, ProtectedGrain.DAY, DAYS, allowed=None)
            scoped = protected_footfall(connection, "store-101", ProtectedGrain.DAY, DAYS, allowed=(text,))
            found += [name for each in (frame, scoped) if len(each)]
            with pytest.raises(NoData):
                protected_days(connection, allowed=(text,))
        intact = protected_footfall(connection, "store-101", ProtectedGrain.DAY, DAYS, allowed=None)
    assert found == []
    assert len(intact) == 1


@pytest.mark.parametrize("field", ["location_ids", "camera_ids", "camera_group"])
def test_no_request_is_made_of_hostile_text(publication, lake, field):
    passed = []
    with open_visitors(lake, publication) as connection:
        directory = read_directory(connection)
    for name, text in HOSTILE.items():
        value = text if field == "camera_group" else (text,)
        try:
            select_cameras(directory, ReportRequest(DAYS.first_day, DAYS.last_day, **{field: value}))
        except (InvalidIdentifier, UserMistake):
            continue
        passed.append(name)
    assert passed == []


def test_a_hostile_scope_allows_nothing(publication, lake):
    with open_visitors(lake, publication) as connection:
        for text in HOSTILE.values():
            assert read_directory(connection, allowed=[text]).locations == {}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("parameter", ["location", "by", "from", "to"])
def test_the_address_of_protected_counts_falls_back(parameter, name):
    plain = {"location": ["store-203"], "by": ["week"], "from": ["2024-02-05"], "to": ["2024-02-07"]}
    filters, problems = parse_store_filters(plain | {parameter: [HOSTILE[name]]}, OPTIONS)
    assert len(problems) == 1
    assert HOSTILE[name] not in problems[0]
    assert filters.location_id in OPTIONS.locations
    assert DAYS.first_day <= filters.period.first_day <= filters.period.last_day <= DAYS.last_day
    assert parse_store_filters(store_params(filters), OPTIONS) == (filters, ())


@pytest.mark.parametrize(
    "period",
    [
        ("2024-02-07", "2024-02-05"),
        ("2024-01-31", "2024-02-05"),
        ("2024-02-05", "2024-03-01"),
        ("2024-W06-1", "2024-W06-1"),
    ],
)
def test_a_period_outside_of_the_data_falls_back(period):
    filters, problems = parse_store_filters({"from": [period[0]], "to": [period[1]]}, OPTIONS)
    assert problems
    assert filters.period == OPTIONS.default_period(ProtectedGrain.DAY)


@pytest.mark.parametrize("page", ["store_footfall", "visitors", "overview"])
def test_pages_show_their_own_data_whatever_the_address_says(publication, page):
    for text in (HOSTILE["union"], HOSTILE["stacked"], HOSTILE["script"], HOSTILE["nul"]):
        app = AppTest.from_file(str(APP.parent / "pages" / f"{page}.py"), default_timeout=60)
        app.session_state["opened_through_app"] = True
        for parameter in ("location", "group", "camera", "by", "from", "to", "min", "page", "visitor"):
            app.query_params[parameter] = text
        app.run()
        assert not app.exception
        told = "\n".join(each.value for each in (*app.error, *app.warning, *app.info, *app.caption, *app.markdown))
        assert text not in told
        assert "root:" not in told
    assert not Path("/stolen.csv").exists()
