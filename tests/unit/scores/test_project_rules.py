"""Grading by the project's own rules: real pytest on small trees, canaries and all."""

from __future__ import annotations

from pathlib import Path

import pytest

from micro_bench.languages._recipe import Recipe, TestNames
from micro_bench.scores import _supervising, grade, told
from tests.fakes.plain_grading import Seen, graded


def ini(*lines: str, name: str = "pytest.ini") -> dict[str, str]:
    return {name: "\n".join(("[pytest]", *lines)) + "\n"}


UNMARKED = """
    import pytest
    def pytest_collection_modifyitems(items):
        for item in items:
            if not item.get_closest_marker("unit"):
                item.add_marker(pytest.mark.skip(reason="not marked"))
"""
KINDS = {
    "functions by other names": (
        ini("python_functions = it_* should_*", "python_classes = Describe"),
        {"test_a.py": "def it_is(): pass\nclass DescribeX:\n    def should_be(self): pass\n"},
        {"test_a.py::it_is", "test_a.py::DescribeX::should_be"},
        "it_",
    ),
    "files by other names": (
        ini("python_files = *_spec.py check_*.py"),
        {"checks/a_spec.py": "def test_a(): pass\n"},
        {"checks/a_spec.py::test_a"},
        "_spec.py",
    ),
    "functions by no name": (
        ini("python_functions ="),
        {"test_a.py": "import unittest\nclass A(unittest.TestCase):\n    def test_a(self): pass\n"},
        {"test_a.py::A::test_a"},
        "test_",
    ),
    "unmarked tests are skipped": (
        {"conftest.py": UNMARKED, **ini("markers = unit: quick", "addopts = --strict-markers")},
        {
            "test_a.py": "import pytest\n@pytest.mark.unit\ndef test_a(): pass\n",
            "test_b.py": "from pytest import mark\n"
            "pytestmark = [mark.unit, mark.skipif(0, reason='')]\n"
            "class TestB:\n    def test_b(self): pass\n",
        },
        {"test_a.py::test_a", "test_b.py::TestB::test_b"},
        "test_",
    ),
    "named by the recipe": (
        {},
        {"a_spec.py": "def case_a(): pass\n"},
        {"a_spec.py::case_a"},
        "case_",
    ),
    "tests of unittest": (
        {},
        {"tests/testx.py": "from unittest import TestCase\n"
         "class T(TestCase):\n    def test_a(self): pass\n"},
        {"tests/testx.py::T::test_a"},
        "tests/test",
    ),
}  # fmt: skip
RECIPE = Recipe(test_names=(TestNames(files=("*_spec.py",), functions=("case_",)),))


@pytest.mark.parametrize("kind", KINDS)
def test_canaries_follow_the_rules(tmp_path: Path, kind: str) -> None:
    tree, hidden, tests, shape = KINDS[kind]
    seen = graded(tmp_path, tree, hidden, RECIPE if "recipe" in kind else None)
    assert seen.trust == "agree", seen.log
    assert seen.statuses == dict.fromkeys(tests, "passed")
    assert shape in "".join(head(seen))


@pytest.mark.parametrize("strict", ["addopts = --strict-markers", "strict_markers = true"])
def test_a_mark_that_only_the_fix_declares_is_in_no_canary(tmp_path: Path, strict: str) -> None:
    """Without the fix its tests are not collected: that is a result, not a run that broke down."""
    tests = {"test_a.py": "import pytest\n@pytest.mark.new\ndef test_a(): pass\n"}
    seen = graded(tmp_path, ini(strict, "markers = old: one"), tests)
    if strict == "addopts = --strict-markers":
        assert seen.statuses == {"test_a.py": "error"}
        assert "'new' not found in `markers`" in "".join(seen.graded.run.collection_errors())
    assert seen.trust == "agree", seen.log


def head(seen: Seen) -> list[str]:
    return seen.log.splitlines()[:2]


SKIPPED = UNMARKED.replace('get_closest_marker("unit")', 'name == "test_a"')
DESELECTED = (
    "def pytest_collection_modifyitems(items): items[:] = [i for i in items if i.name == 'test_a']"
)
BROKEN = """
    import pytest
    @pytest.fixture(autouse=True)
    def checked(request):
        assert request.node.name == "test_a", "who is this?"
"""


@pytest.mark.parametrize(
    ("conftest", "detail"),
    [
        (SKIPPED, "skipped: not marked"),
        (DESELECTED, "the project's rules do not collect them"),
        (BROKEN, "an error before they begin: failed on setup with"),
    ],
)
def test_where_no_canary_can_run_that_is_told_from_tampering(tmp_path: Path, conftest, detail):
    seen = graded(tmp_path, {"conftest.py": conftest}, {"test_a.py": "def test_a(): pass\n"})
    assert (seen.trust, seen.statuses) == ("blind", {"test_a.py::test_a": "passed"})
    assert seen.graded.run.detail.startswith(detail)


FORGE = """
    import pytest
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(item, call):
        report = yield
        report.outcome, report.longrepr = "passed", None
        return report
"""


def test_a_forged_canary_is_tampering_and_says_what_was_seen(tmp_path: Path):
    seen = graded(tmp_path, {"conftest.py": FORGE}, {"test_a.py": "def test_a(): assert 0\n"})
    assert seen.trust == "tampered"
    assert seen.graded.run.detail == (
        "exit code 0; the canaries: the failing one passed, the failing one passed, "
        "the passing one passed, the passing one passed"
    )
    assert "[micro-bench]" not in seen.log.splitlines()[-1]


def test_a_log_says_which_failures_are_ours(tmp_path: Path):
    seen = graded(tmp_path, {}, {"test_a.py": "def test_a(): pass\n"})
    ours = [line for line in seen.log.splitlines() if line.startswith("[micro-bench]")]
    failed = [line.split()[1] for line in seen.log.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 2
    assert ours[:2] == head(seen)
    assert ours[2:] == seen.log.splitlines()[-2:]
    for test in failed:
        file, name = test.split("::")
        assert file in ours[0]
        assert file in ours[2]
        assert f"{name} must fail" in ours[1]


CACHE_HOOK = (
    "def pytest_configure(config): config.cache.set('a/b', config.cache.get('a/b', 0) + 1)\n"
)


def test_the_cache_is_there_and_private(tmp_path: Path):
    tree = {
        "conftest.py": CACHE_HOOK,
        ".pytest_cache/v/a/b": "7",
        ".pytest_cache/v/cache/lastfailed": '{"test_a.py::test_b": true}',
        **ini("addopts = --lf", "cache_dir = here"),
    }
    text = (
        "from pathlib import Path\n"
        "def test_a(cache): assert cache.get('a/b', 0) == 1\n"
        "def test_b(): assert not Path('here').exists()\n"
    )
    seen = graded(tmp_path, tree, {"test_a.py": text})
    assert seen.trust == "agree", seen.log
    assert seen.statuses == {"test_a.py::test_a": "passed", "test_a.py::test_b": "passed"}


SEEN = """
    import os
    from pathlib import Path
    def test_seen():
        assert {asks}
"""
BAD = "raise SystemExit(3)\n"
HOW = {
    "by the recipe": (
        {"sub/a": "", **dict.fromkeys(("pytest.py", "pytest_timeout.py", "pluggy.py"), BAD),
         "sub/gen.py": "A = 1"},
        Recipe(env={"MODE": "a b"}, workdir="sub", runner="python -m pytest"),
        "tests/test_a.py",
        "os.environ['MODE'] == 'a b' and Path('a').exists() and __import__('gen').A",
    ),
    "by the project": (
        {"tools/gen.py": "A = 1\n", "Makefile": "test:\n\tMODE=a python3 -m pytest -q\n"},
        None,
        "tests/test_a.py",
        "os.environ['MODE'] == 'a' and __import__('tools.gen').gen.A",
    ),
    "from a project's own folder": (
        {"sub/pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['src']\n",
         "sub/src/gen.py": "A = 1\n"},
        None,
        "sub/tests/test_a.py",
        "Path.cwd().name == 'sub' and __import__('gen').A",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", HOW)
def test_variables_folder_and_runner(tmp_path: Path, how: str):
    tree, recipe, path, asks = HOW[how]
    seen = graded(tmp_path, tree, {path: SEEN.format(asks=asks)}, recipe)
    assert (seen.trust, seen.statuses) == ("agree", {f"{path}::test_seen": "passed"}), seen.log


SHARED = "import unittest\nclass Shared(unittest.TestCase):\n    def test_p(self): pass\n"
INHERITED = """
    from base_case import Shared as _Shared
    class lower_case(_Shared): pass
    class _Hidden(_Shared): pass
    class TestMine(_Shared): pass
"""


def test_tests_inherited_from_another_file_are_those_of_the_file_that_ran(tmp_path: Path):
    hidden = {"sub.d/test_a.py": INHERITED, "sub.d/base_case.py": SHARED}
    seen = graded(tmp_path, {}, hidden)
    assert set(seen.statuses) == {
        f"sub.d/test_a.py::{name}::test_p"
        for name in ("lower_case", "_Hidden", "TestMine", "_Shared")
    }


COLLECTION = {
    "pkg/__init__.py": "",
    "pkg/test_class.py": "import pytest\nclass TestY:\n"
    "    @pytest.mark.parametrize('a', [1])\n    def test_a(self): pass\n",
    "pkg/test_file.py": "import nowhere_at_all\n",
    "pkg/test_skip.py": "import pytest\npytest.importorskip('nowhere_at_all')\n",
    "pkg/test_good.py": "def test_a(): pass\n",
}


def test_what_could_not_be_collected_is_stored_under_its_own_id(tmp_path: Path):
    run = graded(tmp_path, {}, COLLECTION).graded.run
    assert run.statuses() == {"pkg/test_good.py::test_a": "passed", "pkg/test_skip.py": "skipped"}
    errors = dict(error.split(": ", 1) for error in run.collection_errors())
    assert set(errors) == {"pkg/test_class.py::TestY", "pkg/test_file.py"}
    assert "function uses no argument 'a'" in errors["pkg/test_class.py::TestY"]
    assert "No module named 'nowhere_at_all'" in errors["pkg/test_file.py"]
    (skipped,) = [result for result in run.results if result.id == "pkg/test_skip.py"]
    assert skipped.message == (
        "collection skipped: could not import 'nowhere_at_all': No module named 'nowhere_at_all'"
    )


def test_a_umask_that_tests_leave_behind_does_not_hide_the_report(tmp_path: Path):
    text = "import os\ndef test_a(): os.umask(0o777)\ndef test_b(): pass\n"
    seen = graded(tmp_path, {}, {"test_a.py": text, **ini("filterwarnings = error")})
    assert seen.trust == "agree", seen.log
    assert set(seen.statuses.values()) == {"passed"}


def test_output_that_the_project_wants_in_its_report_is_left_out(tmp_path: Path):
    text = "def test_a(): print('loud ' * 1000)\n"
    seen = graded(tmp_path, ini("junit_logging = all"), {"test_a.py": text})
    assert seen.trust == "agree"
    assert b"loud" not in seen.graded.report


def test_a_report_that_is_too_large_is_called_so(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(told, "REPORT_LIMIT", 2**20)
    text = "import pytest\ndef test_a(): pytest.fail('x' * 2_000_000)\n"
    seen = graded(tmp_path, {}, {"test_a.py": text})
    assert seen.trust == "crashed"
    assert seen.graded.run.detail == "the test report is larger than 1 MiB"


def test_of_a_report_that_is_too_large_just_enough_is_told_to_see_it(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(_supervising, "REPORT_LIMIT", 10)
    (tmp_path / "report").write_bytes(b"x" * 100)
    assert len(_supervising.report(tmp_path / "report")) == 11


def test_both_sides_have_one_limit():
    assert _supervising.REPORT_LIMIT == told.REPORT_LIMIT
    assert _supervising.STREAM == grade.STREAM
