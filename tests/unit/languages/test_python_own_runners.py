"""Runners that are not pytest: recognised, and run for real over tiny projects."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from micro_bench.languages import python
from micro_bench.languages._language import PASSED_OVER, CanaryWords, TestRun, Trace
from micro_bench.languages._recipe import Recipe
from micro_bench.model.execution import TestStatus

MANAGE = b"os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site.settings')\n"
TESTS = """\
import time
import unittest

from shop import total


class Sums(unittest.TestCase):
    def test_passes(self):
        self.assertEqual(total(1, 2), 3)

    def test_fails(self):
        self.assertEqual(1, 2)

    def test_errors(self):
        raise RuntimeError("no <such> thing")

    @unittest.skip("for a reason")
    def test_is_skipped(self):
        pass

    @unittest.expectedFailure
    def test_is_expected_to_fail(self):
        self.fail()

    @unittest.expectedFailure
    def test_passes_unexpectedly(self):
        pass

    def test_has_a_subtest_that_fails(self):
        for number in (1, 2):
            with self.subTest(number=number):
                self.assertEqual(number, 1)

    def test_takes_too_long(self):
        time.sleep(30)


class Broken(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("no class")

    def test_never(self):
        pass
"""
SHOP = "def total(one, other):\n    return one + other\n"
FORGED = "import os\n\nprint('OK', flush=True)\nos._exit(0)\n"


def project(root: Path, **more: str) -> Path:
    files = {"shop.py": SHOP, "tests/__init__.py": "", "tests/test_sums.py": TESTS, **more}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def run(root: Path, *paths: str, **options: object) -> tuple[int, dict[str, TestStatus], bytes]:
    """Exit code, id -> status, and the report."""
    values = {
        "junit": str(root / "report.xml"), "timeout_s": 2.0, "python": "unused",
        "work": str(root), "recipe": Recipe(runner="unittest"), "plugin": str(root / "plugin.py"),
        **options,
    }  # fmt: skip
    plan = TestRun.model_validate(values)
    (root / "plugin.py").write_text(python.test_plugin(plan))
    _program, *argv = python.test_command(paths, plan)
    done = subprocess.run(
        [sys.executable, *argv], cwd=root / python.test_folder(paths, plan), check=False,
        capture_output=True, timeout=120,
    )  # fmt: skip
    report = (root / "report.xml").read_bytes() if (root / "report.xml").exists() else b""
    found = python.results(report, paths) or () if report else ()
    return done.returncode, {one.id: one.status for one in found}, report


def test_every_outcome_is_read_by_its_test(tmp_path: Path) -> None:
    code, found, _ = run(project(tmp_path), "tests/test_sums.py")
    assert code == 1
    names = {ident.removeprefix("tests/test_sums.py::"): s.value for ident, s in found.items()}
    assert names == {
        "Sums::test_passes": "passed", "Sums::test_fails": "failed",
        "Sums::test_errors": "error", "Sums::test_is_skipped": "skipped",
        "Sums::test_is_expected_to_fail": "xfailed", "Sums::test_passes_unexpectedly": "failed",
        "Sums::test_has_a_subtest_that_fails": "failed", "Sums::test_takes_too_long": "error",
        "Broken::setUpClass": "error",
    }  # fmt: skip


def test_a_file_that_cannot_be_loaded_is_told_by_its_path(tmp_path: Path) -> None:
    broken = {"tests/test_broken.py": "import nothing_of_the_kind\n"}
    _, _, report = run(project(tmp_path, **broken), "tests/test_broken.py")
    (found,) = python.results(report, ("tests/test_broken.py",)) or ()
    assert (found.id, found.collection) == ("tests/test_broken.py", True)
    assert "nothing_of_the_kind" in found.message


def test_chosen_tests_alone_are_run(tmp_path: Path) -> None:
    only = ("tests/test_sums.py::Sums::test_passes",)
    code, found, _ = run(project(tmp_path), "tests/test_sums.py", only=only)
    assert (code, tuple(found)) == (0, only)


def test_when_the_time_is_up_the_rest_is_passed_over(tmp_path: Path) -> None:
    root = project(tmp_path)
    _, found, report = run(root, "tests/test_sums.py", stop_after_s=0.000001)
    assert found["tests/test_sums.py::Sums::test_passes"] is TestStatus.SKIPPED
    assert PASSED_OVER.encode() in report
    whole = ("tests/test_sums.py",)
    _, found, _ = run(root, *whole, stop_after_s=0.000001, whole=whole)
    assert found["tests/test_sums.py::Sums::test_passes"] is TestStatus.PASSED


def test_a_trace_tells_what_executes_the_change(tmp_path: Path) -> None:
    trace = Trace(touched={"shop.py": ((2, 2),)})
    _, _, report = run(project(tmp_path), "tests/test_sums.py", trace=trace)
    found = python.traces(report, ("tests/test_sums.py",))
    near = {ident.rpartition("::")[2]: mark[0] for ident, mark in found.items()}
    assert (near["test_passes"], near["test_fails"]) == ("3", "0")


def test_who_leaves_early_leaves_no_report(tmp_path: Path) -> None:
    code, found, report = run(project(tmp_path, **{"shop.py": FORGED}), "tests/test_sums.py")
    assert (code, found, report) == (0, {}, b"")


@pytest.mark.parametrize(
    ("files", "runner", "script"),
    [
        ({"manage.py": MANAGE}, "django", "manage.py"),
        ({"backend/manage.py": MANAGE, "Makefile": b"t:\n\tpython manage.py test\n"},
         "django", "backend/manage.py"),
        ({"manage.py": MANAGE, "pytest.ini": b"[pytest]\nDJANGO_SETTINGS_MODULE = a.b\n"},
         None, None),
        ({"manage.py": MANAGE, "conftest.py": b"settings.configure()\n"}, None, None),
        ({"runtests.py": b"from django.core import management\n",
          "Makefile": b"test:\n\tpython runtests.py\n"}, "django", "runtests.py"),
        ({"docs/manage.py": MANAGE}, None, None),
        ({"manage.py": MANAGE, "tox.ini": b"[testenv]\ncommands = pytest\n"}, None, None),
    ],
)  # fmt: skip
def test_djangos_runner_is_recognised(files, runner, script) -> None:
    found = python.completed(Recipe(), files)
    assert (found.runner, found.test_script) == (runner, script)


def test_a_lead_may_say_otherwise() -> None:
    found = python.completed(Recipe(runner="pytest"), {"manage.py": MANAGE})
    assert (found.runner, found.test_script) == ("pytest", None)
    args = Recipe(pytest_args=("--ds=a.b",))
    assert python.completed(args, {"manage.py": MANAGE}).runner is None


def test_canaries_are_what_these_runners_collect() -> None:
    words = CanaryWords(file="a_b", passing="c_d", failing="e_f")
    like = {"shop/tests/test_a.py": b"def test_a():\n    assert True\n"}
    made = python.canary(words, "shop/tests/test_a.py", like, Recipe(runner="django"))
    assert "class TestAB(unittest.TestCase)" in made.text
    assert json.dumps(made.path) == '"shop/tests/test_a_b.py"'
