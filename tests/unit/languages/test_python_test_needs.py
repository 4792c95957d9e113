"""What tests need, by tox, nox and CI, and what a workspace supplies itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe
from tests.unit.languages.trees import files

WHEN = datetime(2024, 6, 1, tzinfo=UTC)
PROJECT = '[project]\nname = "a-b"\nversion = "1"\n'


def environment(entries, recipe=None):
    return python.environment(files(entries), WHEN, recipe or Recipe())


def texts(entries, recipe=None):
    found = environment(entries, recipe).requirements
    return [item.text for item in found if item.source != "micro_bench"]


WORKSPACE = {
    "pyproject.toml": """
        [project]
        name = "top"
        dependencies = ["acme-api", "acme-utils", "acme-gone", "acme-near", "outside"]
        [tool.uv.workspace]
        members = ["api", "tests/*-utils", "examples/*"]
        exclude = ["tests/old-utils"]
        [tool.uv.sources]
        acme-api = { workspace = true }
        acme-gone = { workspace = true }
        acme-near = { path = "tests/near" }
    """,
    "api/pyproject.toml": '[project]\nname = "acme-api"\ndependencies = ["x"]\n',
    "tests/test-utils/pyproject.toml": '[project]\nname = "Acme.Utils"\ndependencies = ["y"]\n',
    "tests/test-utils/src/acme_test/__init__.py": "",
    "tests/old-utils/pyproject.toml": '[project]\nname = "acme-old"\ndependencies = ["q"]\n',
    "tests/near/pyproject.toml": '[project]\nname = "acme-near"\ndependencies = ["z"]\n',
    "examples/e/pyproject.toml": '[project]\nname = "acme-e"\ndependencies = ["q", "acme-e2"]\n',
}


def test_a_workspace_s_members_are_its_own_below_tests_too():
    assert sorted(texts(WORKSPACE)) == ["outside", "x", "y", "z"]
    named = {one.name: one.roots for one in python.distributions(files(WORKSPACE), None, Recipe())}
    assert named["Acme.Utils"] == ("tests/test-utils/src",)
    assert "acme-old" not in named
    assert "acme-e" not in named


def test_what_uv_takes_from_a_repository_is_asked_of_no_index_unless_a_lead_says_so():
    entries = {
        "pyproject.toml": PROJECT + 'dependencies = ["fork", "both"]\n[tool.uv.sources]\n'
        'fork = { git = "https://t0k3n@git.example.org/fork" }\n'
        'both = [{ git = "https://e.org/b", marker = "x" }, { index = "inner" }]\n'
    }
    found = environment(entries)
    assert [item.text for item in found.requirements[:1]] == ["both"]
    assert " ".join(found.complaints) == (
        "pyproject.toml project.dependencies: 'fork' comes from a URL; left out: "
        "pyproject.toml tool.uv.sources takes it from https://***@git.example.org/fork"
    )
    assert texts(entries, Recipe(requirements=("fork",))) == ["fork", "both"]


def test_a_stated_interpreter_must_be_one_that_the_project_allows():
    entries = {
        "pyproject.toml": PROJECT + 'requires-python = ">=3.12"\n', ".python-version": "3.10\n"
    }  # fmt: skip
    found = environment(entries)
    assert (found.python, found.python_source) == ("3.13", "requires-python >=3.12")
    assert found.complaints[0] == (
        ".python-version: asks for Python 3.10, which requires-python >=3.12 rules out"
    )


@pytest.mark.parametrize(
    ("entries", "python_version", "source"),
    [
        ({"tox.ini": "[tox]\nenvlist = py{36,312}-django{42,52}, lint\n"}, "3.12", "tox envlist"),
        ({"tox.ini": "[tox]\nenv_list =\n  3.13\n  docs\n"}, "3.13", "tox envlist"),
        ({"Dockerfile": "FROM python:3.12.4-slim AS base\n"}, "3.12", "Dockerfile"),
        (
            {"docker/web.Dockerfile": "ARG PY=3.10\nFROM --platform=x docker.io/python:${PY}-slim"},
            "3.10",
            "docker/web.Dockerfile",
        ),
        (
            {"tests/Dockerfile": "FROM python:3.10\n", "Dockerfile": "FROM debian:12\n"},
            "3.11",
            "default: the manifests do not say",
        ),
    ],
)
def test_the_interpreter_by_tox_and_images(entries, python_version, source):
    found = environment({"a.py": "", **entries})
    assert (found.python, found.python_source) == (python_version, source)


TOX = """
    [tox]
    envlist = lint, py{310,311}-django{42,52}-{sqlite,postgres}, py311-djangomain, pypy3-django99
    [testenv]
    deps =
        pytest
        py310: old
        py311: new
        django42: Django>=4.2,<5
        django52: Django>=5.2,<6
        djangomain: https://example.org/main.zip
        postgres: psycopg
        !postgres: plain-sql
        lint: flake8
        lint,django52-sqlite: both
        api: -r {toxinidir}/requirements-top.txt
        sqlite: -r {toxinidir}/requirements-sqlite.txt
        postgres: -r {toxinidir}/pg/requirements.txt
        -e .[fast]
    [testenv:lint]
    deps = black
"""


def test_conditions_on_factors_hold_for_the_environment_that_stands_for_all():
    entries = {
        "pyproject.toml": PROJECT + '[project.optional-dependencies]\nfast = ["speed"]\n',
        "tox.ini": TOX,
        "requirements-top.txt": "no\n",
        "requirements-sqlite.txt": "lite\n",
        "pg/requirements.txt": "by-package\n./pg ; python_version > '3'\n",
        "pg/setup.py": "",
    }
    assert texts(entries) == [
        "pytest", "new", "Django<6,>=5.2", "plain-sql", "both", "lite", "by-package", "speed",
    ]  # fmt: skip


def test_a_section_for_tests_counts_where_the_base_asks_for_nothing():
    lint = "[testenv]\ncommands = x\n[testenv:lint]\ndeps = black\n"
    assert texts({"tox.ini": f"{lint}[testenv:test]\ndeps = p\n"}) == ["p"]


NOX = """
    import nox
    TOOLS = ["pytest>=7", "hypothesis"]
    @nox.session(python=["3.10"])
    def tests(session):
        session.install("-r", "requirements-x.txt", "--upgrade-package", "no", *TOOLS)
        session.install("-e", ".[fast]", silent=True)
        session.install(f"django=={session.python}")
        session.install(*nox.project.dependency_groups(PYPROJECT, "more"))
        session.run("pytest")
    @nox.session
    def lint(session):
        session.install("black", "pytest")
"""


def test_what_nox_installs_for_tests_is_read_and_not_run():
    entries = {
        "pyproject.toml": PROJECT + '[project.optional-dependencies]\nfast = ["speed"]\n'
        '[dependency-groups]\nmore = ["m"]\n',
        "noxfile.py": NOX,
        "requirements-x.txt": "x==1\n",
    }
    assert texts(entries) == ["x==1", "pytest>=7", "hypothesis", "speed", "m"]
    assert environment(entries).requirements[1].source == "noxfile.py tests"
    assert texts({"noxfile.py": "def tests(session:\n"}) == []


WORKFLOW = """
    on: push
    jobs:
      lint:
        steps:
          - run: pip install black pytest-lint
      test:
        steps:
          - run: python -m pip install --upgrade pip setuptools
          - run: |
              pip install -r requirements/x.txt && pip install pytest \\
                "factory>=3" -c limits.txt
              pip install --index-url https://e.org/simple inner "django==${{ matrix.django }}"
              pip install -e '.[fast]' dist/a.whl
              coverage run -m pytest
      docs:
        steps:
          - run: pip install sphinx
"""


def test_what_a_ci_job_that_runs_tests_installs_counts():
    entries = {
        "pyproject.toml": PROJECT + '[project.optional-dependencies]\nfast = ["speed"]\n',
        ".github/workflows/ci.yml": WORKFLOW,
        "requirements/x.txt": "x==1\n",
        "limits.txt": "factory<4\nelsewhere<2\n",
        "requirements-dev.txt": "never\n",
    }
    assert texts(entries) == ["x==1", "pytest", "factory>=3", "factory<4", "inner", "speed"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("uv sync --group qa --extra fast", ["q", "pytest", "speed"]),
        ("uv pip install .[fast] --group=qa", ["speed", "q", "pytest"]),
        ("poetry install --with=qa,docs -E fast", ["s", "q", "pytest", "speed"]),
        ("pdm install -G qa -G fast", ["q", "pytest", "speed"]),
        ("pip install tox", ["d"]),
        ("pip install -r gone.txt", ["d"]),
    ],
)
def test_other_commands_that_install(line, expected):
    entries = {
        "pyproject.toml": PROJECT + '[project.optional-dependencies]\nfast = ["speed"]\n'
        '[dependency-groups]\ndev = ["d"]\ndocs = ["s"]\nqa = ["q", "pytest"]\n',
        ".gitlab-ci.yml": f"test:\n  script:\n    - {line}\n    - pytest\n",
    }
    assert texts(entries) == expected
