"""Every language there is, found as the program finds it.

A language is one module or folder under `micro_bench/languages/` and one
directory of cases, `tests/cases/languages/<name>/`.
"""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from pathlib import Path

import pytest

from micro_bench import graphs
from micro_bench.languages._language import CanaryWords, Language, TestRun
from micro_bench.languages._recipe import Recipe, TestNames
from micro_bench.model.graph import Graph
from micro_bench.model.slice import Environment
from micro_bench.plugins import discover

LANGUAGES = discover("languages")
CASES = Path(__file__).parents[1] / "cases" / "languages"
WHEN = datetime(2024, 1, 1, tzinfo=UTC)
FUNCTIONS = sorted(
    name
    for name, member in vars(Language).items()
    if inspect.isfunction(member) and not name.startswith("_")
)

each = pytest.mark.parametrize("language", LANGUAGES.values(), ids=LANGUAGES)


def test_there_are_languages():
    assert "python" in LANGUAGES
    assert len(FUNCTIONS) >= 15


@each
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_the_contract(language, name):
    function = getattr(language, name, None)
    assert inspect.isfunction(function), f"{language.__name__} has no {name}()"
    wanted = list(inspect.signature(getattr(Language, name)).parameters)[1:]
    assert list(inspect.signature(function).parameters) == wanted
    assert inspect.getdoc(function)


@each
def test_it_offers_nothing_else(language):
    assert set(language.__all__) == {*FUNCTIONS, "NAME"}
    assert language.__name__.rpartition(".")[2] == language.NAME


@each
def test_it_has_cases(language):
    assert any((CASES / language.NAME).rglob("expected*")) or any(
        (CASES / language.NAME).rglob("*.tree")
    )


@each
def test_an_empty_tree(language):
    assert graphs.build(language, {}, Recipe()) == Graph(files=(), edges=(), packages={})
    assert isinstance(language.environment({}, WHEN, Recipe()), Environment)
    assert language.distributions({}, None, Recipe()) == ()
    assert language.declared_dependencies({}) == frozenset()


@each
def test_what_a_lead_says_is_kept_when_a_recipe_is_completed(language):
    lead = Recipe(
        tests=("checks",), test_names=(TestNames(files=("x_*",)),), env={"A": "b"}, workdir="sub",
        runner="pytest",
    )  # fmt: skip
    found = language.completed(lead, {}, {})
    assert (found.tests[:1], found.test_names[:1]) == (lead.tests, lead.test_names)
    assert (found.env, found.workdir, found.runner) == (lead.env, "sub", "pytest")
    assert language.completed(Recipe(), {}) == language.completed(Recipe(), {}, {})


@each
def test_no_change_and_no_definitions(language):
    change = language.symbol_change("a", b"", b"")
    assert (change.changed, change.public_breaks) == ((), ())
    assert language.test_definitions("a", b"", Recipe()) == {}
    assert language.results(b"nonsense") is None


@each
def test_the_command_names_the_paths_and_the_report(language):
    plan = TestRun(
        junit="/grading/out.xml",
        timeout_s=5.0,
        python="/opt/venv/bin",
        recipe=Recipe(pytest_args=("--xx",)),
    )
    command = language.test_command(("one", "two"), plan)
    assert isinstance(command, tuple)
    assert command[-2:] == ("one", "two")
    assert "--xx" in command
    assert any("/grading/out.xml" in argument for argument in command)


@each
def test_a_canary_is_made_of_the_words_it_is_given(language):
    words = CanaryWords(file="one_two", passing="three_four", failing="five_six")
    canary = language.canary(words, "deep/folder/file", {}, Recipe())
    assert canary.path.startswith("deep/folder/")
    assert "one_two" in canary.path
    assert "three_four" in canary.passing
    assert "five_six" in canary.failing
    assert canary.passing in canary.text
    assert canary.failing in canary.text
    assert language.is_test_module(canary.path, Recipe())


@each
@pytest.mark.parametrize("path", ["README.md", "docs/index.rst", "LICENSE", "data.bin"])
def test_files_of_no_language(language, path):
    assert not language.owns(path)
    assert not language.is_test(path, Recipe())
    assert not language.is_test_module(path, Recipe())
    assert not language.is_infrastructure(path)
    assert language.contract_file(path) is None


@each
def test_a_file_that_is_no_infrastructure_shares_nothing(language):
    assert not language.has_other_content("README.md")
    assert language.merge_infrastructure("pytest.ini", b"base", b"current") == b"base"
