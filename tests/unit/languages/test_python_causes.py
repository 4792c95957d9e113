"""pytest's own words, recorded, and what they mean for one small tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe
from micro_bench.model.execution import CauseKind, Meaning, TestStatus
from tests.unit.languages.trees import files

REPORTS = Path(__file__).parents[2] / "cases" / "languages" / "python" / "reports"
TREE = files({
    "pyproject.toml": """
        [project]
        name = "shop"
        requires-python = ">=3.6,<3.9"
        dependencies = ["six"]
        [project.optional-dependencies]
        fast = ["numpyx>=1.4"]
        mock = ["pytest-mock>=3"]
        """,
    "tox.ini": "[testenv:aio]\ndeps =\n    pytest-asyncio\n    py3: dateparse-x\n",
    "environment.yml": "dependencies:\n  - python=3.8\n  - pip:\n      - condathing\n",
    "src/shop/__init__.py": "",
    "src/shop/_speed.c": "",
    "src/shop/settings.py": "",
    "lib/helpers/tool.py": "",
    "lib/helpers/__init__.py": "",
    "rust/Cargo.toml": '[lib]\nname = "_oxide"\n',
    "tests/settings.py": "",
    "src/shop/_vendor/numpyx/__init__.py": "",
})  # fmt: skip
R, B, L = CauseKind.REQUIREMENT, CauseKind.BUILD, CauseKind.LAYOUT
V, U = CauseKind.LANGUAGE_VERSION, CauseKind.UNKNOWN


def meaning(said: str, recipe: Recipe | None = None) -> Meaning:
    return python.cause(said, TREE, recipe or Recipe())


@pytest.mark.parametrize(
    ("said", "kind", "words", "mend"),
    [
        ("No module named 'numpyx'", R, "optional-dependencies.fast", '["numpyx>=1.4"]'),
        ("could not import 'numpyx.linalg'", R, "optional-dependencies.fast", '["numpyx>=1.4"]'),
        ("No module named 'condathing'", R, "environment.yml", '["condathing"]'),
        ("No module named 'dateparse_x'", R, "tox.ini [testenv:aio] deps", '["dateparse-x"]'),
        ("No module named 'nobody'", R, "no manifest of the project names it", "find out which"),
        ("No module named 'pkg_resources'", R, "no manifest names it", '["setuptools<82"]'),
        ("import file mismatch:", CauseKind.SETTINGS, "one name", "--import-mode=importlib"),
        ("No module named 'shop._speed'", B, "src/shop/_speed.c", "`build: ["),
        ("No module named 'shop._oxide'", B, "rust/Cargo.toml", "`build: ["),
        ("No module named 'shop._version'", B, "no file of the repository", "`build: ["),
        ("No module named 'helpers.tool'", L, "lib/helpers/tool.py", 'roots: ["src", "lib"]'),
        ("No module named 'shop'", L, "src/shop/__init__.py", 'roots: ["src"]'),
        ("No module named 'distutils'", V, "up to Python 3.11", 'python: "3.11"'),
        ("No module named 'tomllib'", V, "since Python 3.11", 'python: "3.11"'),
        ("No module named 'urllib2'", V, "Python 2", "retired"),
        ("cannot import name 'Mapping' from 'collections' (/usr)", V, "Mapping", 'python: "3.8"'),
        ("module 'asyncio' has no attribute 'coroutine'", V, "coroutine", 'python: "3.8"'),
        ("cannot import name 'soft' from 'six' (/opt/venv)", R, "release of six", "pin it"),
        ("cannot import name 'fix' from 'shop.core' (/work)", U, "", ""),
        ("  File x\nSyntaxError: invalid syntax", V, "does not read", 'python: "3.8"'),
        (
            "ImproperlyConfigured: Requested setting X, but settings are not configured.",
            CauseKind.SETTINGS, "Django", "DJANGO_SETTINGS_MODULE: tests.settings",
        ),
        ("fixture 'mocker' not found", R, "pytest-mock supplies", '["pytest-mock>=3"]'),
        ("fixture 'basket' not found", R, "conftest.py that was not read", "name the plugin"),
        ("fixture 'benchmark' not found", R, "no manifest names it", '["pytest-benchmark"]'),
        ("unrecognized arguments: --ds=x.y", R, "pytest-django", '["pytest-django"]'),
        ("async def functions are not natively supported.", R, "asyncio", '["pytest-asyncio"]'),
        ("[Errno 111] Connection refused", CauseKind.SERVICE, "does not answer", "retired"),
        ("gaierror: Name or service not known", CauseKind.NETWORK, "network", "retired"),
        ("libGL.so.1: cannot open shared object file", CauseKind.SYSTEM, "libGL.so.1", "apt:"),
        ("[Errno 2] No such file or directory: 'git'", CauseKind.SYSTEM, "git", "apt: [git]"),
        ("[Errno 2] No such file or directory: '/work/x.txt'", U, "", ""),
        ("needs the fast extra", R, "optional-dependencies.fast", '["numpyx>=1.4"]'),
        ("requires numpyx", R, "optional-dependencies.fast", '["numpyx>=1.4"]'),
        ("numpyx is not installed", R, "optional-dependencies.fast", '["numpyx>=1.4"]'),
        ("requires nobody", U, "", ""),
        ("needs the speed extra", U, "", ""),
        ("needs a display", U, "", ""),
        ("AssertionError: assert 1 == 2\n +  where", U, "", ""),
    ],
)  # fmt: skip
def test_what_it_means_and_what_mends_it(said, kind, words, mend):
    found = meaning(said)
    assert found.kind is kind, found
    assert words in found.means, found
    assert mend in found.mend, found


def test_a_version_that_the_recipe_chose_is_not_proposed_again():
    assert '"3.8"' in meaning("SyntaxError: x", Recipe(python="3.11")).mend
    assert '"3.x"' in meaning("SyntaxError: x", Recipe(python="3.8")).mend


def test_equal_causes_have_equal_words():
    several = (
        "collection failure: ModuleNotFoundError: No module named 'numpyx'",
        "ModuleNotFoundError: No module named 'numpyx'",
        "could not import 'numpyx': No module named 'numpyx'",
        "collection skipped: could not import 'numpyx'",
    )
    assert len({meaning(said) for said in several}) == 1


def test_words_that_say_nothing_are_kept_as_they_are():
    assert meaning("collection skipped: needs a display").said == "needs a display"
    assert (
        meaning("AssertionError: assert 1 == 2\n +  where").said == "AssertionError: assert 1 == 2"
    )
    assert meaning("").said == ""


def test_a_recorded_report_gives_each_test_its_cause():
    results = python.results((REPORTS / "not_run.xml").read_bytes())
    assert results is not None
    found = {r.id: (r.status.value, r.collection, meaning(r.message)) for r in results}
    said = {i: (status, whole, m.kind.value, m.said) for i, (status, whole, m) in found.items()}
    assert {i: s for i, s in said.items() if s[0] != "passed"} == {
        "tests/test_chain.py": ("error", True, "requirement", "No module named 'numpyx'"),
        "tests/test_deep.py": ("error", True, "language_version",
                               "cannot import name 'Mapping' from 'collections'"),
        "tests/test_mark.py": ("error", True, "settings",
                               "'nope' not found in `markers` configuration option"),
        "tests/test_skip_module.py": ("skipped", False, "requirement", "No module named 'numpyx'"),
        "tests/test_syntax.py": ("error", True, "language_version", "SyntaxError: invalid syntax"),
        "tests/test_conn.py::test_a": ("failed", False, "service",
                                       "ConnectionRefusedError: [Errno 111] Connection refused"),
        "tests/test_conn.py::test_b": ("failed", False, "network",
                                       "socket.gaierror: [Errno -2] Name or service not known"),
        "tests/test_conn.py::test_c": ("failed", False, "system",
                                       "No such file or directory: 'no-such-program'"),
        "tests/test_fixture.py::test_a": ("error", False, "requirement",
                                          "fixture 'mocker' not found"),
        "tests/test_fixture.py::test_b": ("failed", False, "requirement",
                                          "async def functions are not natively supported"),
        "tests/test_more.py::test_meta": ("failed", False, "requirement",
                                          "No package metadata was found for numpyx"),
        "tests/test_more.py::test_sub": ("failed", False, "layout", "No module named 'shop'"),
        "tests/test_more.py::test_assert": ("failed", False, "unknown", "assert 1 == 2"),
        "tests/test_skip.py::test_a": ("skipped", False, "unknown", "needs the speed extra"),
        "tests/test_skip.py::test_b": ("skipped", False, "requirement", "No module named 'numpyx'"),
        "tests/test_skip.py::TestC::test_d": ("skipped", False, "unknown", "unconditional skip"),
    }  # fmt: skip


def test_a_file_that_is_skipped_as_a_whole_keeps_its_name_and_the_reason():
    results = python.results((REPORTS / "not_run.xml").read_bytes())
    assert results is not None
    (skipped,) = [r for r in results if r.id == "tests/test_skip_module.py"]
    assert skipped.status is TestStatus.SKIPPED
    assert "numpyx" in skipped.message


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("conftest", "ModuleNotFoundError: No module named 'nosuch'"),
        ("hook", "ModuleNotFoundError: No module named 'numpyx'"),
        ("option", "unrecognized arguments: --ds=x.y"),
        ("plugin", "Error importing plugin \"nosuchplugin\": No module named 'nosuchplugin'"),
    ],
)
def test_why_pytest_broke_down_is_read_out_of_what_it_printed(log, words):
    text = (REPORTS / f"broke_down_{log}.log").read_text(encoding="utf-8")
    assert python.complaint(text) == words


@pytest.mark.parametrize("log", ["", "Killed\n", "12 passed in 0.1s\n", "E\n" * 3])
def test_no_complaint_is_no_words(log):
    assert python.complaint(log) == ""


@pytest.mark.parametrize("letter", ["a", "'", "\n", "E   ", "INTERNALERROR> ", " lib"])
def test_hostile_words_are_read_up_to_a_length(letter):
    """What is looked at does not grow with what the tests print."""
    assert len(meaning(letter * 100_000).said) <= 200
