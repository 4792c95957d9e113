"""The page in a real browser: what a parser cannot see."""

from __future__ import annotations

import shutil

import pytest
from selenium import webdriver

from micro_bench.reports.formats import html
from tests.unit.reports.builder import realistic_report

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")), reason="needs chromium"
    ),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    home = tmp_path_factory.mktemp("browser")
    switches = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run")
    quiet = ("disable-background-networking", "disable-component-update", "disable-sync")
    for switch in (*switches, *quiet, f"user-data-dir={home}"):
        options.add_argument(f"--{switch}")
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    page = home / "report.html"
    page.write_text(html.render(realistic_report()), encoding="utf-8")
    driver.get(page.as_uri())
    yield driver
    driver.quit()


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_page_never_scrolls_sideways(browser, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_the_page_loads_nothing(browser):
    loaded = browser.execute_script("return performance.getEntriesByType('resource').length")
    assert loaded == 0
