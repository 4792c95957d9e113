"""Every runner of tests is started for real, on a project of its own, and read by test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from micro_bench.languages import python
from micro_bench.languages._language import PASSED_OVER, CanaryWords, TestRun, Trace
from micro_bench.languages._recipe import Recipe

CASES = Path(__file__).parents[1] / "cases" / "languages" / "python" / "runners"
RUNNERS = [path.name for path in sorted(CASES.iterdir())]
EXIT = (
    "import os, sys, unittest\n\n{how}\n\n\n"
    "class T(unittest.TestCase):\n    def test_a(self):\n        pass\n"
)

TRACED = """\
import unittest

from {module} import near


class OwnTest(unittest.TestCase):
    def test_calls(self):
        near()

    def test_idle(self):
        pass


class SharedTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        near()

    def test_first(self):
        pass

    def test_second(self):
        pass
"""


@pytest.fixture(params=RUNNERS)
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "django":
        pytest.importorskip("django")
    return Path(shutil.copytree(CASES / request.param / "input", tmp_path / request.param))


def plan_of(project: Path, **settings: Any) -> TestRun:
    """As grading makes it: the recipe completed from the tree's files, the plugin beside it."""
    files = {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    recipe = Recipe(runner="unittest") if project.name == "unittest" else Recipe()
    out = project.parent
    values = {
        "junit": str(out / "report.xml"),
        "timeout_s": 1,
        "python": str(Path(sys.executable).parent),
        "work": str(project),
        "recipe": python.completed(recipe, files, files),
        "plugin": str(out / "plugin.py"),
        **settings,
    }
    return TestRun(**values)


def run(project: Path, paths: list[str], **settings: Any) -> tuple[int, bytes | None]:
    plan = plan_of(project, **settings)
    assert plan.recipe.runner == project.name
    Path(plan.plugin).write_text(python.test_plugin(plan))
    Path(plan.junit).unlink(missing_ok=True)
    folder = project / python.test_folder(paths, plan)
    command = python.test_command(paths, plan)
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(  # noqa: PLW1510 - the code is what is asked for
        command, cwd=folder, env=environment, capture_output=True, timeout=20
    )
    report = Path(plan.junit)
    return done.returncode, report.read_bytes() if report.exists() else None


def said(project: Path, paths: list[str], **settings: Any) -> dict[str, str]:
    report = run(project, paths, **settings)[1]
    assert report is not None
    found = python.results(report, paths)
    assert found is not None
    return {each.id: str(each.status) for each in found}


def modules_of(project: Path) -> list[str]:
    return sorted(path.relative_to(project).as_posix() for path in project.rglob("test_*.py"))


def test_every_outcome(project):
    expected = json.loads((CASES / project.name / "expected.json").read_text())
    assert said(project, modules_of(project)) == expected


def test_what_cannot_be_loaded_says_so_by_its_file(project):
    code, report = run(project, modules_of(project))
    assert code == 1
    found = {each.id: each for each in python.results(report, modules_of(project))}
    broken = found[next(path for path in modules_of(project) if path.endswith("test_broken.py"))]
    assert broken.collection
    assert "not_there_at_all" in broken.message


def test_a_limit_is_told_by_its_seconds(project):
    _code, report = run(project, modules_of(project))
    slow = [each for each in python.results(report, modules_of(project)) if "test_slow" in each.id]
    assert ["Timeout (>1" in each.message for each in slow] == [True]


def test_some_only(project):
    path = next(each for each in modules_of(project) if each.endswith("test_all.py"))
    wanted = (f"{path}::AllTest::test_pass", f"{path}::AsyncTest::test_pass")
    assert said(project, [path], only=wanted) == dict.fromkeys(wanted, "passed")


def test_what_is_late_is_passed_over(project):
    path = next(each for each in modules_of(project) if each.endswith("test_all.py"))
    wanted = f"{path}::AllTest::test_pass"
    _code, report = run(project, [path], only=(wanted,), stop_after_s=1e-9)
    (only,) = python.results(report, [path])
    assert (str(only.status), only.message) == ("skipped", PASSED_OVER)
    assert said(project, [path], only=(wanted,), stop_after_s=1e-9, whole=(path,)) == {
        wanted: "passed"
    }


@pytest.mark.parametrize("how", ["sys.exit(0)", "os._exit(0)"])
def test_an_early_end_passes_nothing(project, how):
    path = next(each for each in modules_of(project) if each.endswith("test_all.py"))
    early = path.replace("test_all", "test_early")
    (project / early).write_text(EXIT.format(how=how))
    _code, report = run(project, [early])
    assert not report or python.results(report, [early]) == ()


def test_a_canary_is_found(project):
    path = next(each for each in modules_of(project) if each.endswith("test_all.py"))
    words = CanaryWords(file="zebra", passing="goes_well", failing="goes_wrong")
    recipe = plan_of(project).recipe
    made = python.canary(words, path, {path: (project / path).read_bytes()}, recipe)
    (project / made.path).write_text(made.text)
    assert sorted(said(project, [made.path]).values()) == ["failed", "passed"]


def test_what_tests_execute(project):
    """Beside the test's own lines, those of its `setUpClass`."""
    path = next(each for each in modules_of(project) if each.endswith("test_all.py"))
    traced = path.replace("test_all", "test_traced")
    code = path.replace("tests/test_all", "code")
    (project / code).write_text("def near():\n    return 1\n")
    module = code[: -len(".py")].replace("/", ".")
    (project / traced).write_text(TRACED.format(module=module))
    trace = Trace(touched={code: ((2, 2),)}, importers=())
    _code, report = run(project, [traced], trace=trace)
    found = python.traces(report, [traced])
    assert {ident.partition("::")[2]: text[0] for ident, text in found.items()} == {
        "OwnTest::test_calls": "3",
        "OwnTest::test_idle": "0",
        "SharedTest::test_first": "3",
        "SharedTest::test_second": "3",
    }


def test_a_class_that_comes_late_is_not_set_up_and_what_cannot_be_loaded_is_told(project):
    found = said(project, modules_of(project), stop_after_s=1e-9)
    broken = next(path for path in modules_of(project) if path.endswith("test_broken.py"))
    assert found.pop(broken) == "error"
    assert set(found.values()) == {"skipped"}
    assert any(ident.endswith("SetUpTest::test_pass") for ident in found)
    assert not any(ident.endswith("::setUpClass") for ident in found)
