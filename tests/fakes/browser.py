"""A real browser, and our program serving pages to it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import pytest
from selenium import webdriver

needs_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")), reason="needs chromium"
    ),
]
SWITCHES = (
    "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
    "disable-background-networking", "disable-component-update", "disable-sync",
)  # fmt: skip


@contextmanager
def opened(home: Path) -> Iterator[webdriver.Chrome]:
    """A browser of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for switch in (*SWITCHES, f"user-data-dir={home}"):
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))
    )
    try:
        yield driver
    finally:
        driver.quit()


def wide(driver: webdriver.Chrome, width: int, height: int = 900) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


@contextmanager
def served(root: Path, *argv: str) -> Iterator[str]:
    """Our command as a user starts it; the address that it prints."""
    command: Sequence[str] = (sys.executable, "-m", "micro_bench", "-w", str(root), *argv, "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as up:
        try:
            line = up.stdout.readline() if up.stdout else ""
            assert line, up.stderr.read() if up.stderr else ""
            yield json.loads(line)["address"]
        finally:
            up.terminate()
            up.communicate(timeout=20)


def axe(driver: webdriver.Chrome) -> list[str]:
    """What axe-core finds wrong on the page, each with its element."""
    script = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    driver.execute_cdp_cmd("Runtime.evaluate", {"expression": script})
    found = driver.execute_async_script(
        "const done = arguments[0]; axe.run().then(r => done(r.violations))"
    )
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for one in found
        for node in one["nodes"]
    ]
