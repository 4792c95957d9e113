"""The plugin that runs some tests only and tells what they execute, in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from micro_bench.languages import python
from micro_bench.languages._language import PASSED_OVER, TestRun, Trace
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.testing import selecting
from micro_bench.model.execution import TestStatus

CODE = """\
def near(x):
    if x:
        return 1
    return 2


def other():
    return 3
"""
USER = (
    "from code_ import other\n\n\ndef use():\n    return other()\n\n\ndef idle():\n    return 0\n"
)
TESTS = """\
import threading
import unittest

import pytest

import code_
import user


@pytest.fixture(scope="module")
def shared():
    return code_.near(1)


@pytest.mark.parametrize("x", [0, 1, 2, "a::b", "\\x07"])
def test_near(x):
    assert code_.near(x)


def test_other():
    assert code_.other() == 3


def test_idle():
    assert user.idle() == 0


def test_nothing():
    assert True


def test_first(shared):
    assert shared == 1


def test_second(shared):
    assert shared == 1


def test_late(request):
    request.getfixturevalue("tmp_path")
    assert code_.near(0) == 2


def test_thread():
    thread = threading.Thread(target=code_.near, args=(0,))
    thread.start()
    thread.join()


class TestOld(unittest.TestCase):
    def test_method(self):
        self.assertEqual(code_.near(0), 2)
"""
TRACE = Trace(touched={"code_.py": ((1, 4),)}, importers=("user.py",))


def run(folder: Path, plan: TestRun, *options: str) -> bytes:
    for name, text in (("code_.py", CODE), ("user.py", USER), ("test_it.py", TESTS)):
        (folder / name).write_text(text)
    (folder / "test_more.py").write_text("def test_more():\n    assert True\n")
    Path(plan.plugin).write_text(python.test_plugin(plan))
    argv = [
        sys.executable,
        "-c",
        selecting.started(plan),
        "--rootdir",
        str(folder),
        "-p",
        "no:cacheprovider",
    ]
    report = folder / "report.xml"
    done = subprocess.run(
        [*argv, f"--junitxml={report}", "-o", "junit_family=xunit1", *options,
         "test_it.py", "test_more.py"],
        cwd=folder, capture_output=True, check=False, env={**os.environ, "PYTEST_ADDOPTS": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout.decode()
    return report.read_bytes()


def plan(folder: Path, **values: object) -> TestRun:
    return TestRun.model_validate(
        {"junit": "", "timeout_s": 9, "python": "", "work": str(folder),
         "plugin": str(folder / "plugin.py"), **values},
    )  # fmt: skip


def test_what_each_test_executes_is_told(tmp_path: Path):
    report = run(tmp_path, plan(tmp_path, trace=TRACE))
    traces = {
        ident.partition("::")[2]: told
        for ident, told in python.traces(report, ("test_it.py", "test_more.py")).items()
    }
    near = {name: told[0] for name, told in traces.items()}
    assert near == {
        "test_near[0]": "3", "test_near[1]": "3", "test_near[2]": "3", "test_near[a::b]": "3",
        "test_near[\\x07]": "3", "test_other": "2", "test_idle": "1", "test_nothing": "0",
        "test_first": "3", "test_second": "3", "test_late": "3", "test_thread": "3",
        "TestOld::test_method": "3", "test_more": "0",
    }  # fmt: skip
    assert traces["test_near[1]"] == traces["test_near[2]"] != traces["test_near[0]"]
    assert traces["test_first"] == traces["test_second"]


@pytest.mark.parametrize("runner", ["pytest", "python -m pytest"])
def test_only_the_tests_that_are_asked_for_run(tmp_path: Path, runner: str):
    report = run(tmp_path, plan(tmp_path, trace=TRACE))
    everything = [result.id for result in python.results(report, ("test_it.py",)) or ()]
    only = tuple(name for name in everything if "near" in name or "Old" in name)
    assert len(only) == 6
    asked = plan(tmp_path, only=(*only, "test_more.py"), recipe=Recipe(runner=runner))
    found = python.results(run(tmp_path, asked), ("test_it.py", "test_more.py")) or ()
    assert {result.id for result in found} == {*only, "test_more.py::test_more"}


def test_when_the_time_is_over_tests_are_passed_over_and_torn_down(tmp_path: Path):
    asked = plan(tmp_path, stop_after_s=1e-9, whole=("test_more.py",))
    found = python.results(run(tmp_path, asked), ("test_it.py", "test_more.py")) or ()
    passed = {result.id for result in found if result.status is TestStatus.PASSED}
    assert passed == {"test_more.py::test_more"}
    assert all(PASSED_OVER in result.message for result in found if result.id not in passed)


def test_nothing_is_handed_in_where_all_tests_run():
    assert python.test_plugin(plan(Path("/w"))) == ""
