"""Deciding in a real browser, by keys alone."""

from __future__ import annotations

import json

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.fakes.browser import axe, needs_browser, served, wide
from tests.fakes.team import Team, spec
from tests.unit.pages.conftest import EVIL

pytestmark = needs_browser


@pytest.fixture
def desk(tmp_path, browser):
    team = Team(tmp_path)
    for number in (1, 2, 3):
        team.add(
            number, instruction=f"# Slugs {EVIL}\n\nuse `plain_letters`, so that accents stay.\n"
        )
    browser.get_log("browser")
    with served(team.root, "curate", "--by", "ann") as url:
        wide(browser, 1280)
        browser.get(url)
        yield team, browser
        assert browser.get_log("browser") == []


def press(browser, *keys):
    before = browser.find_element(By.TAG_NAME, "html").id
    browser.switch_to.active_element.send_keys(*keys)
    return before


def loaded(browser, before):
    WebDriverWait(browser, 10).until(
        lambda driver: (
            driver.find_element(By.TAG_NAME, "html").id != before
            and driver.execute_script("return document.readyState") == "complete"
        )
    )


def task_of(browser):
    return browser.current_url.rpartition("/")[2].partition(".html")[0]


def decisions(team):
    return [json.loads(line) for line in team.workspace.decisions.read_text().splitlines()]


def test_accept_undo_retire_mend_and_retier_by_keys(desk):
    team, browser = desk
    assert task_of(browser) == "parcel-1"
    loaded(browser, press(browser, "1"))
    assert task_of(browser) == "parcel-2"
    assert team.specs.task("parcel-1").status == "reviewed"
    loaded(browser, press(browser, "z"))
    assert task_of(browser) == "parcel-1"
    assert team.specs.task("parcel-1").status == "draft"

    press(browser, "3")
    loaded(browser, press(browser, "1"))
    assert team.specs.task("parcel-1").status == "retired"

    press(browser, "2")
    press(browser, Keys.CONTROL + Keys.END)
    press(browser, " More.")
    loaded(browser, press(browser, Keys.CONTROL + Keys.ENTER))
    assert "More." in team.specs.task("parcel-2").instruction

    ActionChains(browser).key_down(Keys.SHIFT).send_keys("3").key_up(Keys.SHIFT).perform()
    loaded(browser, press(browser, "spans packages", Keys.ENTER))
    assert team.specs.task("parcel-2").tier.human == 3
    acts = [(one["act"], one["by"]) for one in decisions(team)]
    assert acts == [
        ("accept", "ann"),
        ("undo", "ann"),
        ("retire", "ann"),
        ("mend", "ann"),
        ("retier", "ann"),
    ]
    assert all(one.get("seconds", 1) < 100 for one in decisions(team))


def test_later_goes_to_the_end_and_the_last_page_says_that_nothing_waits(desk):
    _, browser = desk
    loaded(browser, press(browser, "h"))
    loaded(browser, press(browser, "1"))
    loaded(browser, press(browser, "1"))
    assert task_of(browser) == "parcel-1"
    loaded(browser, press(browser, "1"))
    assert "Nothing waits" in browser.title


def test_an_edit_made_meanwhile_is_shown_as_a_conflict_and_the_words_are_not_lost(desk):
    team, browser = desk
    task = team.specs.task("parcel-1")
    press(browser, "2")
    press(browser, Keys.CONTROL + Keys.END)
    press(browser, " Mine.")
    team.specs.path(task).write_text(spec(team, task) + "notes: theirs\n")
    loaded(browser, press(browser, Keys.CONTROL + Keys.ENTER))
    log = browser.get_log("browser")  # the answer's status is told there
    assert all("409" in one["message"] for one in log)
    assert (
        "changed since it was shown" in browser.find_element(By.CSS_SELECTOR, "[role=alert]").text
    )
    assert browser.find_element(By.ID, "instruction").get_attribute("value").endswith("Mine.")
    assert "Mine." not in spec(team, task)


def test_nothing_hostile_acts_and_what_decides_is_there(desk):
    _, browser = desk
    assert browser.find_elements(By.CSS_SELECTOR, "main img, main script") == []
    assert browser.title.startswith("parcel-1")
    text = browser.find_element(By.TAG_NAME, "main").text
    for words in (
        "FAIL_TO_PASS",
        "Findings",
        "Tier",
        "Effort",
        "in the ticket",
        "The reference fix",
    ):
        assert words in text


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_no_page_scrolls_sideways(desk, width):
    _, browser = desk
    wide(browser, width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_axe_finds_nothing_wrong(desk):
    _, browser = desk
    assert axe(browser) == [], "\n".join(axe(browser))
    browser.switch_to.active_element.send_keys("3")
    assert axe(browser) == [], "\n".join(axe(browser))
