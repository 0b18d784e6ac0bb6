"""Every page in a real browser: it opens, a filter changes it, and what it hands out is what it shows."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from footfall_assets.storage.lake import FolderLake
from streamlit_app.access import Page

from .conftest import CHROMIUM, HAND_MADE, Fleet, served, three_stores, with_troubles
from .test_behaviour_pages import ROWS as BEHAVIOUR
from .test_demographics_page import BANDS, GENDERS, PAIRS, counted, mostly_right, switched
from .test_traffic_page import CATEGORIES, COUNTS, HOURS, SALES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs Chromium at {CHROMIUM} (apt-get install chromium)"),
]
# The table that stands before a button, as the page tells it to whoever cannot see a canvas.
TABLE_BEFORE = """button => {
    const before = [...document.querySelectorAll('[data-testid=stDataFrame]')].filter(
        each => each.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING);
    const cells = (row, kind) => [...row.querySelectorAll(kind)].map(cell => cell.textContent);
    const table = before.at(-1).querySelector('canvas table');
    return [cells(table, 'th'), ...[...table.querySelectorAll('tbody tr')].map(row => cells(row, 'td'))];
}"""
WITH_FILES = [page for page in Page if page not in {Page.ABOUT, Page.OPERATIONS, Page.AUDIT}]
NOT_RUNNING = "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
PAGE_WIDE = "Math.max(document.documentElement.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth)"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """One home with something on every page, and one server."""
    folder = tmp_path_factory.mktemp("served")
    made = three_stores().with_traffic(HOURS, SALES, CATEGORIES, COUNTS).with_behaviour(*BEHAVIOUR)
    made.calibration = HAND_MADE.hand_made_calibration()
    switched(made, "age", "gender")
    for trait, names in (("age_gender", PAIRS), ("age", BANDS), ("gender", GENDERS)):
        made.confused("store-101", trait, names, mostly_right(len(names)))
    counted(made, "age_gender", PAIRS, {"male_18_25": 90, "female_26_35": 40, "male_36_50": 20, "female_36_50": 15})
    counted(made, "age", BANDS, {"18_25": 90, "26_35": 40, "36_50": 35})
    counted(made, "gender", GENDERS, {"male": 110, "female": 55})
    for place in ("store-101", "store-203"):
        made.protected(place, "day", "2024-02-01", 15).protected(place, "day", "2024-02-02", None)
        made.covered(f"{place}-door", "2024-02-01")
    made.with_trees().publish(
        FolderLake(folder / "lake"), folder / "build", last_captured_at=datetime.now(UTC) - timedelta(hours=1)
    )
    with_troubles(Fleet(folder))
    with served(folder, folder, FOOTFALL_AUDIT__ROLE="auditor") as at:
        yield at


@pytest.fixture
def opened(browser, address):
    def open_page(page, query=""):
        shown = browser.new_page(viewport={"width": 1440, "height": 2400}, accept_downloads=True)
        shown.goto(f"{address}/{page}{query}")
        shown.locator("h1").first.wait_for(timeout=60_000)
        return settled(shown)

    return open_page


def settled(shown):
    for _ in range(2):  # what a click sets off begins a moment later, and may set off something itself
        shown.wait_for_timeout(500)
        shown.wait_for_function(NOT_RUNNING, timeout=60_000)
    assert shown.get_by_test_id("stException").count() == 0
    return shown


def pick(shown, kind, label, option):
    box = shown.locator(f"[data-testid={kind}]").filter(has=shown.get_by_text(label, exact=True)).first
    box.locator("input").first.click()
    shown.locator("[role=option]").filter(has_text=option).first.click()
    shown.keyboard.press("Escape")
    return settled(shown)


def changed(page, shown):
    """Change a filter of the page, and return what the address must have then."""
    if page is Page.STORE_FOOTFALL:
        pick(shown, "stSelectbox", "Location", "Store #203")
        return "location=store-203"
    if page is Page.ACCESS_LOG:
        pick(shown, "stMultiSelect", "Who", "development")
        return ""
    pick(shown, "stMultiSelect", "Locations", "Store #101")
    return "location=store-101"


def downloaded(shown, button):
    """Return the file behind a button; Streamlit can lose a click that follows closely on another download."""
    for attempt in range(3):
        try:
            with shown.expect_download(timeout=15_000) as waiting:
                button.click()
            content = Path(waiting.value.path()).read_bytes()
        except Exception as late:  # playwright's own, which need not be installed
            if attempt == 2 or "Timeout" not in str(late):
                raise
        else:
            break
        finally:
            settled(shown)
    return content


def plain(cell):
    """A cell without what a form adds: decimals of a whole number, thousands, the word for nothing."""
    text = str(cell).replace(",", "").removeprefix("'").lower()
    if text in {"", "none", "nan", "<na>"}:
        return ""
    try:
        return f"{float(text):.6g}"
    except ValueError:
        return text


@pytest.mark.parametrize("page", WITH_FILES, ids=str)
def test_files_hold_what_the_page_shows_after_a_filter_was_changed(opened, page):
    if page is Page.ACCESS_LOG:  # which has a line once somebody has looked at the list
        looked = opened(Page.VISITORS)
        looked.get_by_text("Rows 1 to").first.wait_for(timeout=60_000)
        looked.close()
    shown = opened(page)
    assert changed(page, shown) in shown.url
    closed = shown.locator("[data-testid=stExpander] details:not([open]) summary")
    while closed.count():
        closed.first.click()
    settled(shown)
    names = ("Download CSV", "Download Parquet")
    written, columnar = (shown.get_by_role("button", name=name).all() for name in names)
    assert len(written) == len(columnar) >= 1, shown.get_by_test_id("stMain").inner_text()
    for of_csv, of_parquet in zip(written, columnar, strict=True):
        header, *on_screen = of_csv.evaluate(TABLE_BEFORE)
        rows = list(csv.reader(io.StringIO(downloaded(shown, of_csv).decode())))
        table = pq.read_table(io.BytesIO(downloaded(shown, of_parquet)))
        more = {0, 1} if page is Page.ACCESS_LOG else {0}  # the first file is a line of the second, made in time
        assert table.num_rows - (len(rows) - 1) in more
        assert header
        assert rows[0][: len(header)] == header
        assert on_screen
        for screen, file in zip(on_screen, rows[1:], strict=False):
            assert [plain(cell) for cell in screen] == [plain(cell) for cell in file[: len(screen)]]
    shown.close()


@pytest.mark.parametrize("page", Page, ids=str)
def test_no_page_is_wider_than_a_telephone_and_no_page_fails(opened, page):
    shown = opened(page)
    shown.set_viewport_size({"width": 390, "height": 2400})
    shown.wait_for_timeout(600)
    assert shown.evaluate(PAGE_WIDE) <= 390
    shown.close()


def test_the_printed_report_holds_the_list(opened):
    shown = opened(Page.VISITORS, "?location=store-101&sort=visitor-id")
    rows = list(
        csv.reader(io.StringIO(downloaded(shown, shown.get_by_role("button", name="Download CSV").first).decode()))
    )
    printed = downloaded(shown, shown.get_by_role("button", name="Download to print")).decode()
    assert [row[0] for row in rows[1:]] == sorted(row[0] for row in rows[1:])
    places = [printed.index(f">{row[0]}<") for row in rows[1:]]
    assert places == sorted(places)
    assert printed.count("<tr>") == len(rows)
    shown.close()
