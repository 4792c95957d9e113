"""A recipe completed with what the project's own files say of its tests."""

from __future__ import annotations

import pytest

from micro_bench import codec
from micro_bench.errors import BadInputError
from micro_bench.languages import python
from micro_bench.languages._language import CanaryWords
from micro_bench.languages._recipe import Recipe, TestNames


def completed(files, recipe=None, later=None):
    trees = [
        None if tree is None else {path: text.encode() for path, text in tree.items()}
        for tree in (files, later)
    ]
    return python.completed(recipe or Recipe(), *trees)


def modules(recipe, *paths):
    return [path for path in paths if python.is_test_module(path, recipe)]


NAMES = ("python_files", "*_spec.py check_*.py")
CONFIGURED = {
    "pytest.ini": "[pytest]\n{} = {}\n",
    "tox.ini": "[pytest]\n{} =\n    {}\n",
    "setup.cfg": "[tool:pytest]\n{} = {}\n",
    "pyproject.toml": '[tool.pytest.ini_options]\n{} = "{}"\n',
}


@pytest.mark.parametrize("name", CONFIGURED)
def test_the_configuration_says_which_files_are_tests(name):
    recipe = completed({name: CONFIGURED[name].format(*NAMES)})
    paths = ("src/a_spec.py", "check_b.py", "src/test_c.py", "src/a_spec.txt", "spec.py")
    assert modules(recipe, *paths) == ["src/a_spec.py", "check_b.py"]
    assert python.is_test("src/a_spec.py", recipe)
    assert not python.is_test("src/test_c.py", recipe)
    assert python.is_test("shop/tests.py", recipe), "Django's own name is a test for any reader"
    assert python.is_test("tests/data.json", recipe)


@pytest.mark.parametrize("pattern", ["*.py", "test*.py", "[!_]*.py"])
def test_a_pattern_that_fits_source_counts_among_tests_only(pattern):
    recipe = completed({"pytest.ini": f"[pytest]\npython_files = {pattern}\n"})
    assert not python.is_test("src/testing.py", recipe)
    assert not python.is_test("src/core.py", recipe)
    assert modules(recipe, "src/test_a.py", "tests/testa.py", "tests/__main__.py") == [
        "src/test_a.py",
        "tests/testa.py",
    ]


def test_where_the_project_says_where_its_tests_are_odd_names_count_there_only():
    text = "[pytest]\npython_files = *test_*.py\ntestpaths = tests\n"
    recipe = completed({"pytest.ini": text})
    assert modules(recipe, "tests/unittest_a.py", "pkg/get_test_info.py", "pkg/test_a.py") == [
        "tests/unittest_a.py",
        "pkg/test_a.py",
    ]
    assert modules(recipe, "tests/a_test.py") == [], "the project does not call this a test"
    everywhere = completed({"pytest.ini": text.replace("tests", "tests .")})
    assert modules(everywhere, "pkg/get_test_info.py") == ["pkg/get_test_info.py"]


def test_the_nearest_configuration_counts():
    files = {
        "pytest.ini": "[pytest]\npython_files = *_spec.py\n",
        "a/b/pytest.ini": "[pytest]\npython_files = *_case.py\n",
        "a/setup.cfg": "[metadata]\nname = a\n",
        "c/tox.ini": "[pytest]\n",
    }
    recipe = completed(files)
    paths = ("x_spec.py", "a/x_spec.py", "a/b/x_spec.py", "a/b/x_case.py", "ab/x_case.py")
    assert modules(recipe, *paths) == ["x_spec.py", "a/x_spec.py", "a/b/x_case.py"]
    assert modules(recipe, "c/x_spec.py", "c/test_x.py") == ["c/test_x.py"]


def test_a_recipe_overrules_and_keeps_what_it_says():
    lead = TestNames(files=("*_mine.py",), functions=("mine_",))
    recipe = completed({"pytest.ini": "[pytest]\npython_files = *_spec.py\n"}, Recipe(
        test_names=(lead,), env={"MODE": "lead"}, runner="pytest", workdir="."
    ))  # fmt: skip
    assert modules(recipe, "a_mine.py", "a_spec.py") == ["a_mine.py"]
    assert recipe.test_names[0] == lead
    assert (recipe.env, recipe.runner, recipe.workdir) == ({"MODE": "lead"}, "pytest", ".")
    text = b"def mine_a(): ...\ndef test_b(): ...\n"
    assert list(python.test_definitions("a_mine.py", text, recipe)) == ["mine_a"]


def test_a_fix_may_bring_the_setting_with_the_tests():
    before = {"pytest.ini": "[pytest]\n"}
    after = {"pytest.ini": "[pytest]\npython_files = *_spec.py\n"}
    recipe = completed(before, later=after)
    assert modules(recipe, "a_spec.py", "test_a.py") == ["a_spec.py", "test_a.py"]
    assert modules(completed(before), "a_spec.py", "test_a.py") == ["test_a.py"]
    assert modules(completed({}, later=after), "a_spec.py", "test_a.py") == [
        "a_spec.py",
        "test_a.py",
    ]


def test_unittest_s_own_pattern_counts_where_no_pytest_is_configured():
    assert modules(completed({}), "unit/tests/testx.py", "unit/testx.py") == ["unit/tests/testx.py"]
    assert modules(completed({"pytest.ini": ""}), "unit/tests/testx.py") == []


def test_what_lies_beside_the_tests_of_a_test_path_belongs_to_them():
    files = {
        "pyproject.toml": "[tool.pytest.ini_options]\n"
        'testpaths = ["checks", "src", ".", "../x"]\npython_files = "check_*.py"\n',
        **dict.fromkeys(("checks/check_a.py", "checks/conftest.py", "checks/a.json"), ""),
        **dict.fromkeys(("src/check_a.py", "src/core.py", "src/more.py"), ""),
    }
    recipe = completed(files)
    assert recipe.tests == ()
    recipe = completed({**files, "pyproject.toml": files["pyproject.toml"].replace('".", ', "")})
    assert recipe.tests == ("checks",)
    assert python.is_test("checks/a.json", recipe)
    assert not python.is_test("src/core.py", recipe)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Makefile", "test:\n\tpython -m pytest -q\n", "python -m pytest"),
        ("tox.ini", "[testenv]\ncommands =\n  {envpython} -m pytest\n", "python -m pytest"),
        ("noxfile.py", 'session.run("python", "-m", "pytest")\n', "python -m pytest"),
        (".github/workflows/ci.yml", "- run: coverage run -m pytest\n", "python -m pytest"),
        ("Makefile", "test:\n\tpytest -q\n# python -m pytest\n", None),
        ("docs/Makefile", "test:\n\tpython -m pytest\n", None),
        ("README.md", "python -m pytest", None),
        ("Makefile", "\tpython -m pytest_watch\n\tpytest -m pytester\n", None),
    ],
)
def test_how_the_project_starts_its_tests(name, text, expected):
    assert completed({name: text}).runner == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("tox.ini", "[testenv]\nsetenv =\n  A = 1\n  B=x y\n  C = {toxinidir}/c\n  D = $D\n",
         {"A": "1", "B": "x y"}),
        ("tox.ini", "[testenv]\nset_env = A=1\n[testenv:docs]\nset_env = B=1\n", {"A": "1"}),
        ("Makefile", "test:\n\tA=1 B='x y' python -m pytest -k a=b\n", {"A": "1", "B": "x y"}),
        ("Makefile", "test:\n\tcd x && A=1 uv run pytest\n", {"A": "1"}),
        ("Makefile", "test:\n\tA=$(A) pytest\n\tB=`b` pytest\n\tC=1 make x\n", {}),
        ("Makefile", "a:\n\tA=1 pytest\nb:\n\tA=2 pytest\n", {}),
        ("Makefile", "a:\n\tpytest -v\n\tPURE=1 pytest -v\n", {}),
        ("Makefile", "a:\n\t@uv run pytest\nb:\n\tPURE=1 uv run pytest\n", {}),
        ("tox.ini", "[testenv]\nsetenv =\n  PYTHONPATH = src\n  PATH = x\n  COVERAGE_FILE = y\n",
         {}),
        (".github/workflows/ci.yml", "      run: A=1 pytest\n", {}),
    ],
)  # fmt: skip
def test_the_variables_that_the_project_sets(name, text, expected):
    assert completed({name: text}).env == expected


@pytest.mark.parametrize("text", ["\0", "[pytest", "[testenv]\nsetenv", "\xff", "a: [", "=" * 9])
@pytest.mark.parametrize("name", ["tox.ini", "Makefile", "pyproject.toml", "pytest.ini"])
def test_files_that_cannot_be_read_say_nothing(name, text):
    recipe = completed({name: text})
    assert (recipe.env, recipe.runner) == ({}, None)
    assert modules(recipe, "test_a.py") == ["test_a.py"]


MISTAKES = """\
schema_version: 1
runner: nose
workdir: ../other
env:
  MODE: test
  PATH: /bin
  MICRO_BENCH_WORK: x
  "a b": c
  DEBUG: 1
test_names:
  - files: ["*_spec.py"]
    belw: backend
  - below: /abs
"""


def test_every_mistake_of_a_recipe_is_told_with_its_line():
    with pytest.raises(BadInputError) as caught:
        codec.decode(MISTAKES, Recipe, "recipe.yaml")
    found = {(m.line, m.path): m.message for m in caught.value.mistakes}
    assert dict(found.keys()) == {
        2: "runner",
        3: "workdir",
        6: "env.PATH",
        7: "env.MICRO_BENCH_WORK",
        8: "env.a b",
        9: "env.DEBUG",
        12: "test_names[0].belw",
        13: "test_names[1].below",
    }
    assert "the sandbox finds its programs by it" in found[6, "env.PATH"]


WORDS = CanaryWords(file="old_values", passing="new_name", failing="no_name")
FILES = {"tests/test_a.py": "def test_a(): ...\n"}


def made(files, config="", beside="tests/test_a.py"):
    recipe = completed({"pytest.ini": f"[pytest]\n{config}\n"})
    return python.canary(WORDS, beside, {p: t.encode() for p, t in files.items()}, recipe)


@pytest.mark.parametrize(
    ("config", "files", "path", "passing"),
    [
        ("", FILES, "tests/test_old_values.py", "test_new_name"),
        ("", {"tests/a_test.py": ""}, "tests/old_values_test.py", "test_new_name"),
        ("python_files = *.py spec_*.py", {}, "tests/spec_old_values.py", "test_new_name"),
        ("python_files = *.py", {}, "tests/old_values.py", "test_new_name"),
        ("python_files = a?.py", {}, "tests/test_old_values.py", "test_new_name"),
        ("python_functions = it_* *_works", {"tests/test_a.py": "def a_works(): ...\n"},
         "tests/test_old_values.py", "new_name_works"),
        ("python_functions = should", FILES, "tests/test_old_values.py", "should_new_name"),
    ],
)  # fmt: skip
def test_a_canary_has_the_names_of_the_tests_beside_it(config, files, path, passing):
    canary = made(files, config)
    assert (canary.path, canary.passing) == (path, passing)
    assert canary.failing == passing.replace("new", "no", 1)
    assert f"def {canary.passing}()" in canary.text


MARKED = """\
import pytest
pytestmark = pytest.mark.unit

@pytest.mark.owner("me", level=2)
@pytest.mark.parametrize("a", [1])
def test_a(a): ...

@pytest.mark.owner("me", level=2)
@pytest.mark.other
class TestB:
    def test_b(self): ...
    @pytest.mark.skip
    def test_c(self): ...
    def helper(self): ...
"""


def test_a_canary_carries_the_marks_that_all_tests_carry():
    line = "pytestmark = [pytest.mark.owner('me', level=2), pytest.mark.unit]\n"
    assert line in made({"tests/test_a.py": MARKED}).text
    assert (
        "pytestmark" not in made({"tests/test_a.py": MARKED, "test_c.py": "def test_c(): 0"}).text
    )
    assert "pytestmark" not in made({"tests/test_a.py": "def test_a(:"}).text


def test_a_canary_is_a_test_case_where_no_function_is_collected():
    assert "class TestOldValues(unittest.TestCase):" in made(FILES, "python_functions =").text


def test_a_line_without_end_is_no_command():
    """Nobody starts tests by it, and to look for variables in it would take for ever."""
    endless = "A=1 " * 1000
    found = python.completed(
        Recipe(), {"Makefile": f"a:\n\t{endless}pytest\nb:\n\tB=2 pytest\n".encode()}
    )
    assert found.env == {"B": "2"}
