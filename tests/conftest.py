"""What every test can rely on: none of the developer's settings, an engine where one is needed."""

from __future__ import annotations

import functools
import os
import shutil
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from micro_bench.edge.engine import Engine
from micro_bench.errors import EngineError
from micro_bench.settings import FOREIGN, PREFIX

# A shell that starts the tests in the background tells them to ignore interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("house", deadline=None, database=None)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [n for n in os.environ if n.startswith(PREFIX) and not n.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    return


LONGEST = (
    "test_demo.py", "test_real_packages.py", "test_faults.py", "test_grading.py",
    "test_sandboxes.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that workers side by side end at about the same time."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what the machine cannot do; in CI a missing engine or browser is a failure."""
    if item.get_closest_marker("docker") and (reason := _no_engine()):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    if item.get_closest_marker("browser") and (reason := _no_browser()):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@functools.cache
def _no_engine() -> str:
    try:
        Engine.connect()
    except EngineError as error:
        return error.message
    return ""


@functools.cache
def _no_browser() -> str:
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    return f"not installed: {', '.join(missing)}" if missing else ""
