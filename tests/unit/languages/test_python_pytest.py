"""The command that runs tests, and pytest's configuration kept at base."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from posixpath import join, normpath
from textwrap import dedent

import pytest

from micro_bench.languages import python
from micro_bench.languages._language import TestRun
from micro_bench.languages._recipe import Recipe, TestNames
from micro_bench.languages.python.testing.addopts import keep
from micro_bench.languages.python.testing.command import base_addopts

LOUD = (
    "-ra -q --strict-markers --cov=pkg --cov-report term-missing -n 4 --dist=loadscope --maxfail=1 "
    "-x --lf --junitxml=x.xml --durations=3 --timeout=3 -m 'not slow' --import-mode=importlib tests"
)
KEPT = [
    *("-r", "a", "--strict-markers", "--durations=3"),
    *("-m", "not slow", "--import-mode=importlib"),
]


def addopts(config, *paths):
    return base_addopts(paths or ("tests/test_a.py",), config)


def test_what_a_command_holds():
    plan = TestRun(
        junit="/out/j.xml",
        timeout_s=60.0,
        python="/opt/venv/bin",
        config={"pytest.ini": "[pytest]\naddopts = -x --tb=short\n"},
        work="/work",
        recipe=Recipe(pytest_args=("-vv",)),
    )
    command = python.test_command(("tests/test_a.py", "tests/test_b.py"), plan)
    assert command == (
        *("/opt/venv/bin/pytest", "-o", "junit_family=xunit1", "-o", "junit_logging=no"),
        *("-p", "no:lfplugin", "-p", "no:nfplugin", "-p", "no:randomly"),
        *("--continue-on-collection-errors", "-o", "cache_dir=/out/cache"),
        *("--junitxml=/out/j.xml", "--timeout=60", "--timeout-method=signal"),
        *("-o", "addopts=--tb=short", "--rootdir", "/work"),
        *("-vv", "--", "tests/test_a.py", "tests/test_b.py"),
    )


SUB = {"sub/pyproject.toml": "[tool.pytest.ini_options]\n"}


@pytest.mark.parametrize(
    ("config", "workdir", "paths", "folder"),
    [
        ({}, None, ["tests/test_a.py"], ""),
        (SUB, None, ["sub/tests/test_a.py"], "sub"),
        (SUB, ".", ["sub/tests/test_a.py"], ""),
        (SUB, None, ["sub/test_a.py", "other/test_b.py"], ""),
        ({**SUB, "pytest.ini": "[pytest]\n"}, None, ["sub/tests/test_a.py"], ""),
        ({"tests/pytest.ini": "[pytest]\n"}, None, ["tests/test_a.py"], ""),
        ({}, "a/./b/", ["tests/test_a.py"], "a/b"),
        ({}, None, [], ""),
    ],
)
def test_the_folder_that_the_tests_run_in(config, workdir, paths, folder):
    plan = TestRun(
        junit="/out/j.xml",
        timeout_s=1.0,
        python="/bin",
        config=config,
        recipe=Recipe(workdir=workdir),
    )
    assert python.test_folder(paths, plan) == folder
    given = python.test_command(paths, plan)[-len(paths) :] if paths else ()
    assert [normpath(join(folder, path)) for path in given] == paths


def test_a_recipe_that_names_tests_otherwise_tells_the_runner():
    names = (TestNames(classes=("Case",), functions=("it_*", "should")),)
    config = {"pytest.ini": "[pytest]\npython_classes = Case\n"}
    plan = TestRun(
        junit="/out/j.xml",
        timeout_s=1.0,
        python="/bin",
        config=config,
        recipe=Recipe(test_names=names),
    )
    command = python.test_command(("a.py",), plan)
    assert "python_functions='it_*' should" in command
    assert not any("python_classes" in word for word in command), "the configuration says it"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", f"[pytest]\naddopts = {LOUD}\n"),
        ("pytest.ini", "[pytest]\naddopts =\n    " + LOUD.replace(" -n", "\n    -n") + "\n"),
        (".pytest.ini", f"[pytest]\naddopts = {LOUD}\n"),
        ("tox.ini", f"[tox]\nenvlist = a\n\n[pytest]\naddopts = {LOUD}\n"),
        ("setup.cfg", f"[tool:pytest]\naddopts = {LOUD}\n"),
        ("pyproject.toml", f'[tool.pytest.ini_options]\naddopts = "{LOUD}"\n'),
        (
            "pyproject.toml",
            '[tool.pytest.ini_options]\naddopts = ["-ra", "-x", "--strict-markers"]\n',
        ),
        ("pyproject.toml", '[tool.pytest]\naddopts = ["-ra", "-x", "--strict-markers"]\n'),
        ("pytest.toml", '[pytest]\naddopts = ["-ra", "-x", "--strict-markers"]\n'),
    ],
)
def test_options_are_read_from_any_file(name, text):
    expected = KEPT if "--cov" in text else ["-r", "a", "--strict-markers"]
    assert keep(addopts({name: text})) == expected


def test_the_first_file_that_configures_pytest_counts():
    config = {
        "pytest.ini": "[pytest]\n",
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "--tb=long"\n',
        "tests/unit/pytest.ini": "[pytest]\naddopts = --tb=short\n",
        "sub/tox.ini": "[tox]\n",
        "sub/setup.cfg": "[tool:pytest]\naddopts = --tb=line\n",
    }
    assert addopts(config, "tests/test_a.py") == []
    assert addopts(config, "tests/unit/test_a.py::TestX::test_y") == ["--tb=short"]
    assert addopts(config, "tests/unit/test_a.py", "tests/test_b.py") == []
    assert addopts(config, "sub/test_a.py") == ["--tb=line"]
    assert addopts({}, "a.py") == []
    assert addopts({"pyproject.toml": "not toml ["}, "a.py") == []


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ("-vv -q -x -xvs", ["-s"]),
        ("-n4 -n auto -nauto", []),
        ("-rsxX", ["-r", "sxX"]),
        ("-vra", ["-r", "a"]),
        ("--cov --cov-branch --no-cov-on-fail --cov-fail-under 90", []),
        ("--reruns 3 --reruns-delay=1", []),
        ("--maxfail 1 --maxfail=2 --exitfirst", []),
        ("--ff --nf --sw --cache-clear --last-failed", []),
        ("-p no:warnings -p xdist -pno:doctest", ["-p", "no:warnings", "-p", "no:doctest"]),
        ("-p pytest_cov.plugin -p myproject.plugin", ["-p", "myproject.plugin"]),
        ("-m unit", []),
        ("-m 'not slow and not (web or db)'", ["-m", "not slow and not (web or db)"]),
        ("-k 'not slow' -k fast", ["-k", "not slow"]),
        ("-m 'not slow(reason=1)'", ["-m", "not slow(reason=1)"]),
        ("-m 'and and'", []),
        ("-o junit_family=xunit2 -o xfail_strict=true", ["-o", "xfail_strict=true"]),
        ("-W error", ["-W", "error"]),
        ("--doctest-modules src tests", ["--doctest-modules"]),
        ("--ds config.test --reuse-db tests", ["--ds", "config.test", "--reuse-db"]),
        ("--ignore docs --deselect=a::b", ["--ignore", "docs", "--deselect=a::b"]),
        ("--flake8 --mypy --black --isort --ruff --ruff-format", []),
        ("--mypy-ini-file=m.ini", ["--mypy-ini-file=m.ini"]),
        ("--randomly-seed=1 --random-order-bucket global", []),
        ("--color=yes --verbosity=2 --junit-xml x.xml --html=r.html", []),
        ("--strict-config --strict-markers", ["--strict-markers"]),
        ("-s -- -x", ["-s"]),
        ("-", []),
    ],
)
def test_which_options_are_kept(options, kept):
    config = {"pytest.ini": f"[pytest]\naddopts = {options}\n"}
    assert keep(addopts(config)) == kept


def test_a_run_with_the_project_s_own_loud_options(tmp_path):
    config = f'[tool.pytest.ini_options]\naddopts = "{LOUD}"\nmarkers = ["slow: x"]\n'
    (tmp_path / "pyproject.toml").write_text(config, "utf-8")
    (tmp_path / "test_a.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): raise ValueError\n"
        "@pytest.mark.slow\ndef test_slow(): pass\n",
        "utf-8",
    )
    (tmp_path / "test_b.py").write_text("import does_not_exist\n", "utf-8")
    plan = TestRun(
        junit=str(tmp_path / "out.xml"),
        timeout_s=30.0,
        python=str(Path(sys.executable).parent),
        config={"pyproject.toml": config},
    )
    command = python.test_command(["test_a.py", "test_b.py"], plan)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    found = python.results((tmp_path / "out.xml").read_bytes())
    assert done.returncode == 1
    assert {result.id: result.status.value for result in found} == {
        "test_a.py::test_good": "passed",
        "test_a.py::test_bad": "failed",
        "test_b.py": "error",
    }
    (error,) = [result for result in found if result.collection]
    assert error.message == (
        "collection failure: ModuleNotFoundError: No module named 'does_not_exist'"
    )
    assert not (tmp_path / ".pytest_cache").exists()


def merge(path, base, current):
    texts = (None if text is None else dedent(text).encode() for text in (base, current))
    merged = python.merge_infrastructure(path, *texts)
    return None if merged is None else merged.decode()


def test_files_of_pytest_alone_are_the_base_s():
    assert merge("tests/conftest.py", "x = 1\n", "x = 2\n") == "x = 1\n"
    assert merge("conftest.py", None, "x = 2\n") is None
    assert merge("pytest.ini", "[pytest]\n", None) == "[pytest]\n"
    assert merge("evil.pth", None, "import os") is None


PROJECT = """\
    [project]
    name = "a"  # kept
    dependencies = ["new"]

    [tool.ruff]
    line-length = 99
"""
OPTIONS = '\n    [tool.pytest.ini_options]\n    addopts = "-ra"\n    markers = ["a"]\n'


@pytest.mark.parametrize(
    "cheat",
    [
        '\n    [tool.pytest.ini_options]\n    addopts = "-p evil"\n',
        "\n    [tool.pytest]\n    addopts = ['-p', 'evil']\n",
        '\n    [tool]\n    pytest = {ini_options = {addopts = "-p evil"}}\n',
        "\n    [tool.pytest.ini_options]\n    a = 1\n    [tool.black]\n    [tool.pytest.x]\n",
        "",
    ],
)
def test_a_project_file_keeps_everything_but_pytest(cheat):
    merged = merge("pyproject.toml", PROJECT.replace('["new"]', "[]") + OPTIONS, PROJECT + cheat)
    assert tomllib.loads(merged)["tool"]["pytest"] == {
        "ini_options": {"addopts": "-ra", "markers": ["a"]}
    }
    if "[tool]\n" not in cheat:
        assert 'name = "a"  # kept' in merged
        assert tomllib.loads(merged)["project"]["dependencies"] == ["new"]


def test_a_project_file_without_pytest_at_base_has_none_afterwards():
    merged = merge("pyproject.toml", PROJECT, PROJECT + OPTIONS)
    assert tomllib.loads(merged) == tomllib.loads(dedent(PROJECT))
    assert merge("pyproject.toml", None, OPTIONS).strip() == ""


def test_a_project_file_with_equal_options_is_left_alone():
    current = PROJECT.replace("99", "100") + OPTIONS
    assert merge("pyproject.toml", PROJECT + OPTIONS, current) == dedent(current)


def test_a_file_that_does_not_parse_is_the_base_s():
    assert merge("pyproject.toml", "a = 1\n", "a = = 1\n") == "a = 1\n"
    assert merge("setup.cfg", "[a]\nb = 1\n", "b = 1\n") == "[a]\nb = 1\n"
    assert merge("tox.ini", "[a]\nb = 1\n", "[a]\nb\n") == "[a]\nb = 1\n"


@pytest.mark.parametrize(("path", "section"), [("setup.cfg", "tool:pytest"), ("tox.ini", "pytest")])
def test_ini_files_keep_everything_but_pytest(path, section):
    base = f"[a]\nb = 1\n\n[{section}]\naddopts = -ra\n\n[c]\nd = 1\n"
    cheat = f"[a]\nb = 2\n[{section}]  # here\naddopts = -p evil\n[c]\nd = 2\n[{section}]\nx = 1"
    assert merge(path, base, cheat) == f"[a]\nb = 2\n[c]\nd = 2\n[{section}]\naddopts = -ra\n\n"
    assert merge(path, "[a]\nb = 1\n", cheat) == "[a]\nb = 2\n[c]\nd = 2\n"
    assert merge(path, base, base.replace("d = 1", "d = 3")) == base.replace("d = 1", "d = 3")
    assert merge(path, None, cheat) == "[a]\nb = 2\n[c]\nd = 2\n"
    assert merge(path, base, None) == base


def test_a_recipe_says_what_the_runner_is_started_under():
    plan = {"junit": "/j.xml", "timeout_s": 1.0, "python": "/venv/bin"}
    for runner in (None, "python -m pytest", "django", "unittest"):
        under = Recipe(command=("xvfb-run", "-a"), runner=runner)
        given = python.test_command(("a.py",), TestRun(**plan, recipe=under))
        plain = python.test_command(("a.py",), TestRun(**plan, recipe=Recipe(runner=runner)))
        assert given == ("xvfb-run", "-a", *plain)
