"""Runs and attempts in a real browser: content, keys, filters, a policy that nothing breaks."""

from __future__ import annotations

import time

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from micro_bench.pages.view.copying import copy
from micro_bench.pipeline.deciding.gating import freeze, gate
from tests.fakes.browser import axe, needs_browser, served, wide
from tests.fakes.team import Team
from tests.unit.deciding.test_nights import TASKS, night
from tests.unit.pages.conftest import EVIL, transcript
from tests.unit.reports.builder import attempt, finished, realistic, run_facts, score

pytestmark = needs_browser
RUN = "nightly-2026-03-14"
PLACES = [
    "index.html", f"run/{RUN}.html", f"run/{RUN}/tz-cutoff/weak/2.html", f"run/{RUN}/compare.html",
    f"run/{RUN}/beside/tz-cutoff/strong/weak.html", "trend.html",
]  # fmt: skip


@pytest.fixture(scope="module")
def address(team):
    with served(team.root, "view") as url:
        yield url


@pytest.fixture
def page(browser, address):
    wide(browser, 1280)
    browser.get_log("browser")
    browser.get(address)
    yield browser
    assert browser.get_log("browser") == []


def body(browser):
    return browser.find_element(By.TAG_NAME, "body")


def press(browser, key):
    before = browser.current_url
    body(browser).send_keys(key)
    return before


def moved(browser, before):
    WebDriverWait(browser, 10).until(lambda driver: driver.current_url != before)
    return browser.current_url


def at(browser, place):
    root = browser.current_url.split("/index.html")[0].split("/run/")[0]
    browser.get(f"{root}/{place}")


def shown(browser):
    return [
        row for row in browser.find_elements(By.CSS_SELECTOR, ".block > .r") if row.is_displayed()
    ]


def test_the_key_is_not_kept_in_the_address_and_nothing_hostile_acts(page):
    assert "key=" not in page.current_url
    page.find_element(By.CSS_SELECTOR, "a.row").click()
    assert page.title.startswith(RUN)
    assert EVIL in page.find_element(By.CSS_SELECTOR, ".block .r").get_attribute("textContent")
    assert page.find_elements(By.CSS_SELECTOR, "main img, main script") == []


def test_a_filter_is_in_the_address_and_the_walk_keeps_to_it(page):
    at(page, f"run/{RUN}.html")
    every = len(shown(page))
    page.find_element(By.CSS_SELECTOR, "[data-kind=lint]").click()
    rows = shown(page)
    assert 0 < len(rows) < every
    assert all("lint" in row.get_attribute("data-kinds") for row in rows)
    assert page.current_url.endswith("?kind=lint")
    assert f"{len(rows)} of {every} rows" in page.find_element(By.ID, "shown").text
    link = page.current_url
    page.get(link)
    assert len(shown(page)) == len(rows)
    shown(page)[0].find_element(By.CSS_SELECTOR, "a.m").click()
    number, total = page.find_element(By.ID, "place").text.split(" / ")
    marks = sum(len(row) for row in ([1] * int(total),))
    assert int(number) == 1
    assert 1 < marks < 100
    here = press(page, Keys.ARROW_RIGHT)
    assert "kind=lint" in moved(page, here)
    assert page.find_element(By.ID, "place").text == f"2 / {total}"
    here = press(page, Keys.ESCAPE)
    assert moved(page, here) == link


def test_search_and_failures_by_key(page):
    at(page, f"run/{RUN}.html")
    press(page, "/")
    page.switch_to.active_element.send_keys("webhook")
    assert {row.get_attribute("data-tier") for row in shown(page)} == {"3"}
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert "q=" not in page.current_url
    press(page, "f")
    assert all(row.get_attribute("data-kinds") != "pass" for row in shown(page))


def test_an_attempt_has_all_that_belongs_to_it(page):
    at(page, f"run/{RUN}/money-rounding/weak/1.html")
    text = body(page).text
    for words in (
        "Patch",
        "Transcript",
        "Findings",
        "Provenance",
        "hidden tests",
        "parcel/text.py",
    ):
        assert words in text
    assert page.title.startswith("money-rounding/weak/1")
    assert page.find_elements(By.CSS_SELECTOR, "main img, main script") == []
    assert page.find_element(By.CSS_SELECTOR, ".picture").text.startswith("picture: x")
    press(page, "e")
    assert page.current_url.endswith("#step-3")
    press(page, "t")
    assert page.current_url.endswith("#step-2")


@pytest.mark.parametrize("width", [390, 768, 1280])
@pytest.mark.parametrize("place", PLACES)
def test_no_page_scrolls_sideways(page, width, place):
    at(page, place)
    wide(page, width)
    page.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


def test_a_damaged_run_is_named_and_stops_no_other(team, page):
    broken = team.root / "runs" / "broken"
    broken.mkdir()
    (broken / "lock.json").write_text('{"run": 1}')
    page.refresh()
    assert "cannot be read" in body(page).text
    assert RUN in body(page).text
    (broken / "lock.json").unlink()


def test_a_run_that_is_going_on_shows_what_is_added(tmp_path, browser):
    team = Team(tmp_path)
    facts, attempts, scores = realistic()
    store = team.run(facts, attempts[:20], scores)
    with served(team.root, "view", "latest") as url, store.exclusive():
        browser.get(url)
        assert "going on" in body(browser).text
        assert "20 of" in body(browser).text
        time.sleep(2.5)  # the page has asked once
        with store.attempt_folder(attempts[20].id) as folder:
            store.save_attempt(folder, attempts[20], {"patch.diff": b""})
        WebDriverWait(browser, 15).until(lambda driver: "21 of" in body(driver).text)


def test_a_copy_opens_from_files_without_a_server(team, tmp_path, browser):
    found = copy(team.line, tmp_path / "copy")
    browser.get_log("browser")
    browser.get(found.first.as_uri())
    browser.find_element(By.CSS_SELECTOR, "a.row").click()
    browser.find_element(By.CSS_SELECTOR, "[data-kind=failed]").click()
    shown(browser)[0].find_element(By.CSS_SELECTOR, "a.m").click()
    assert browser.find_element(By.ID, "place").text.startswith("1 / ")
    here = press(browser, Keys.ARROW_RIGHT)
    moved(browser, here)
    assert browser.find_element(By.ID, "place").text.startswith("2 / ")
    assert browser.find_element(By.CSS_SELECTOR, "table.code").is_displayed()
    assert browser.get_log("browser") == []


def test_a_long_transcript_is_paged_and_a_key_finds_its_last_failure(tmp_path, browser):
    team = Team(tmp_path)
    facts = run_facts()
    made = attempt("tz-cutoff", facts.agents[0], 1, finished())
    team.run(
        facts,
        [made],
        {made.id: score(made, "pass")},
        {made.id: {"transcript.json": transcript(made.id, 450)}},
    )
    with served(team.root, "view") as url:
        browser.get(url)
        at(browser, f"run/{RUN}/{made.id}.html")
        assert len(browser.find_elements(By.CSS_SELECTOR, ".step")) == 200
        at(browser, f"run/{RUN}/{made.id}.p3.html")
        assert len(browser.find_elements(By.CSS_SELECTOR, ".step")) == 50
        here = press(browser, "x")
        assert moved(browser, here).endswith(f"{made.id}.html#step-2")


@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_nothing_wrong(page, place):
    at(page, place)
    assert axe(page) == [], "\n".join(axe(page))


def test_flips_come_first_and_lead_to_both_sides(page):
    at(page, f"run/{RUN}.html")
    page.find_element(By.PARTIAL_LINK_TEXT, "Compare the agents").click()
    text = body(page).text
    assert "Told apart by this run" in text
    assert "Tasks that flipped" in text
    assert text.index("Tasks that flipped") < text.index("By tier")
    press(page, "j")
    here = page.current_url
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert "/beside/" in moved(page, here)
    assert len(page.find_elements(By.CSS_SELECTOR, ".pair > section")) == 2
    assert page.find_elements(By.CSS_SELECTOR, "main img, main script") == []


def test_nights_are_drawn_and_named(tmp_path, browser):
    team = Team(tmp_path)
    for number in range(3):
        night(team, f"n{number}", after=number)
    freeze(team.line, ("n0", "n1", "n2"))
    night(team, "bad", dict.fromkeys(TASKS, 0), after=4)
    gate(team.line, "n2")
    gate(team.line, "bad")
    with served(team.root, "view") as url:
        browser.get(url)
        browser.find_element(By.PARTIAL_LINK_TEXT, "Nights").click()
        assert len(browser.find_elements(By.CSS_SELECTOR, ".trend circle")) == 2
        assert len(browser.find_elements(By.CSS_SELECTOR, ".t-suspected")) == 1
        assert "suspected: steady got worse" in body(browser).text
