"""The page in a real browser, at a desk's and a telephone's width."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest

from footfall_assets.storage.lake import FolderLake

from .conftest import CHROMIUM, Fleet, served, three_stores, with_troubles

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs Chromium at {CHROMIUM} (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """One home with a publication and a fleet, and one server, for all tests here."""
    folder = tmp_path_factory.mktemp("served")
    stores = three_stores()
    for day in ("2024-02-01", "2024-02-02", "2024-02-04"):
        stores.covered("store-101-door", day, captured=1800).covered("store-203-door", day, captured=400, missing=3)
    stores.publish(
        FolderLake(folder / "lake"), folder / "build", last_captured_at=datetime.now(UTC) - timedelta(hours=1)
    )
    with_troubles(Fleet(folder))
    with served(folder, folder) as at:
        yield at


def open_page(browser, address, width, *, metric="Total Unique Visitors"):
    page = browser.new_page(viewport={"width": width, "height": 1000}, accept_downloads=True)
    page.requested, page.complaints = [], []
    page.on("request", lambda request: page.requested.append(urlsplit(request.url)))
    page.failed = []
    page.on("response", lambda answer: page.failed.append(urlsplit(answer.url).path) if answer.status >= 400 else None)
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.get_by_test_id("stMetricLabel").filter(has_text=metric).wait_for(timeout=30_000)
    page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg").first.wait_for()
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    return page


def take_screenshot(page, path):
    """The page scrolls inside itself: a full-page picture needs a window as tall as its content."""
    width = page.viewport_size["width"]
    page.set_viewport_size({"width": width, "height": 2400})
    page.wait_for_timeout(500)  # the chart is drawn anew
    page.screenshot(path=path)


def drawn_share(page):
    """The share of the chart's pixels in the first store's colour, #0072B2."""
    chart = page.get_by_test_id("stVegaLiteChart")
    chart.scroll_into_view_if_needed()
    pixels = cv2.imdecode(np.frombuffer(chart.screenshot(), np.uint8), cv2.IMREAD_COLOR).astype(int)
    return float((np.abs(pixels - (0xB2, 0x72, 0x00)).max(axis=2) < 40).mean())


def shown_csv(page):
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").first.click()  # the list's comes before those of charts
    return list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))


def test_nothing_leaves_the_machine_and_the_chart_is_drawn(browser, address):
    """An icon was fetched from a font service; an axis option that the schema allowed left the chart empty."""
    page = open_page(browser, f"{address}/visitors", 1440)
    page.wait_for_timeout(1500)  # late requests, and what the chart library complains about
    assert {each.hostname for each in page.requested if each.scheme.startswith("http")} == {"127.0.0.1"}
    assert len(page.complaints) == len(page.failed)  # Streamlit looks for its server below the page's address first
    assert drawn_share(page) > 0.001  # an empty chart has none


@pytest.mark.parametrize("width", [1440, 390])
def test_page_fits_and_the_download_is_the_list(browser, address, tmp_path, width):
    page = open_page(browser, f"{address}/visitors", width)
    take_screenshot(page, tmp_path / f"visitors-{width}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    rows = shown_csv(page)
    assert rows[0] == [
        "Visitor ID",
        "Total Appearances",
        "Visits",
        "Locations Visited",
        "Visit Frequency per Location",
    ]
    assert len(rows) == 1 + 13
    assert rows[1][:2] == ["00102A", "4"]


def test_shared_address_opens_the_same_report(browser, address, tmp_path):
    page = open_page(browser, f"{address}/visitors?from=2024-02-01&to=2024-02-02&location=store-101&min=2&by=day", 1440)
    assert "by=day" in page.url
    assert page.get_by_test_id("stMetricLabel").filter(has_text="Listed Visitors").is_visible()
    assert len(shown_csv(page)) == 1 + 4
    page.get_by_text("The chart as a table").click()
    page.get_by_text("What these numbers mean").click()
    take_screenshot(page, tmp_path / "visitors-shared.png")


@pytest.mark.parametrize("width", [1440, 390])
def test_operations_page_fits_and_draws_what_came(browser, address, tmp_path, width):
    """An address below the root, first thing on a fresh server, opened the page's file without the app around it."""
    page = open_page(browser, f"{address}/operations", width, metric="Devices reporting")
    assert page.title() == "Footfall"
    page.wait_for_timeout(1500)  # late requests, and what the chart library complains about
    assert {each.hostname for each in page.requested if each.scheme.startswith("http")} == {"127.0.0.1"}
    # Streamlit looks for its server below the page's own address first, and then where it is.
    assert {path.rsplit("/", 2)[0] for path in page.failed} <= {"/operations"}
    assert len(page.complaints) == len(page.failed)
    take_screenshot(page, tmp_path / f"operations-{width}.png")
    assert drawn_share(page) > 0.01  # days with all frames have the full colour
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1440, 390])
def test_overview_opens_first_fits_and_hands_out_its_stores(browser, address, tmp_path, width):
    page = open_page(browser, address, width, metric="Peak hour")
    page.wait_for_timeout(1500)  # late requests, and what the chart library complains about
    assert {each.hostname for each in page.requested if each.scheme.startswith("http")} == {"127.0.0.1"}
    assert page.complaints == []
    take_screenshot(page, tmp_path / f"overview-{width}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_text("Stores", exact=True).last.scroll_into_view_if_needed()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").last.click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
    assert rows[0][:2] == ["Store", "Visits"]
    assert [row[0] for row in rows[1:3]] == ["Store #101", "Store #203"]


@pytest.mark.parametrize("width", [1440, 390])
def test_the_printable_report_needs_nothing_else(browser, address, tmp_path, width):
    page = open_page(browser, f"{address}/visitors", width)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download to print").click()
    printed = tmp_path / "report.html"
    printed.write_bytes(Path(download.value.path()).read_bytes())
    sheet = browser.new_page(viewport={"width": width, "height": 1000})
    requested = []
    sheet.on("request", lambda request: requested.append(request.url))
    sheet.goto(printed.as_uri())
    assert requested == [printed.as_uri()]
    assert sheet.locator("tbody tr").count() == 13
    assert sheet.evaluate("document.documentElement.scrollWidth") <= width
    sheet.screenshot(path=tmp_path / f"printed-{width}.png", full_page=True)


@pytest.mark.parametrize("width", [1440, 390])
def test_about_fits(browser, address, tmp_path, width):
    page = browser.new_page(viewport={"width": width, "height": 1000})
    page.goto(f"{address}/about")
    page.get_by_text("What the words mean").wait_for(timeout=30_000)
    page.get_by_text("What the totals rest on").wait_for(timeout=30_000)
    take_screenshot(page, tmp_path / f"about-{width}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
