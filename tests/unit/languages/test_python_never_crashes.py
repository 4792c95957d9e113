"""Whatever bytes a repository holds: every function answers, and answers the same twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from micro_bench import graphs
from micro_bench.languages import python
from micro_bench.languages._language import TestRun
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.values import words

WHEN = datetime(2024, 6, 1, tzinfo=UTC)
NAMES = [
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "tox.ini",
    "pytest.ini",
    "pytest.toml",
    "Pipfile",
    "requirements.txt",
    "requirements/test.txt",
    ".python-version",
    "runtime.txt",
    ".github/workflows/ci.yml",
    "VERSION",
    "pkg/__init__.py",
    "pkg/fast.pyx",
    "pkg/stub.pyi",
    "pkg/sub/deep.py",
    "tests/conftest.py",
    "tests/test_a.py",
]
WORDS = [
    *words(
        """
        [tool.poetry] [tool.poetry.dependencies] [options] [metadata] [testenv] [tool:pytest]
        [project] [pytest] [tool.pytest.ini_options] [dependency-groups] [packages] [build-system]
        [tool.hatch.version] [tool.setuptools_scm] [tool.pytest] name= version= dependencies= test=
        dev= addopts= deps= python= requires-python= pythonpath= version_file= path= dynamic=
        extras= [] {} 1 = , . * ) ( : # ' é import from pkg class if setup( name= import_module(
        -p -n --cov -k %(x)s {posargs} "a" "pkg" ">=3" "^1.2||~2" ["x>=1","-r"] "pkg.sub"
        attr:pkg.v file:VERSION
        """
    ),
    *(" ", "  ", "\n", "\n", "\n", "\n", "\\\n", "\t", "\x00", "\ufeff", "\r", "\r\n"),
    "def f(",
    "):\n  ",
    "-m 'not a'",
    '{include-group = "test"}',
    "-r requirements.txt\n",
    "-c x\n",
    "-e .[a]\n",
    "x @ git+https://e.org/x\n",
    "{[testenv]deps}\n",
]
content = st.binary(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=14).map(
    lambda parts: "".join(parts).encode("utf-8", "surrogatepass")
)
trees = st.dictionaries(st.sampled_from(NAMES), content, max_size=8)


@given(trees)
def test_a_tree_has_a_graph(tree):
    graph = graphs.build(python, tree, Recipe())
    assert graphs.decode(graphs.encode(graph)) == graph
    assert graph == graphs.build(python, dict(reversed(tree.items())), Recipe())


@given(trees)
def test_a_tree_has_an_environment(tree):
    environment = python.environment(tree, WHEN, Recipe())
    assert environment == python.environment(tree, WHEN, Recipe())
    assert any(item.text.startswith("pytest") for item in environment.requirements)
    python.declared_dependencies(tree)
    assert python.survey(tree, Recipe()) == python.survey(tree, Recipe())
    assert python.distributions(tree, "1.0", Recipe()) == python.distributions(
        tree, "1.0", Recipe()
    )


@given(content, content)
@example(b"def f(a): ...\n", b"def f(b): ...\n")
def test_a_change_of_a_file(before, after):
    python.symbol_change("pkg/a.py", before, after)
    python.symbol_change("pkg/a.py", None, after)
    python.symbol_change("pkg/a.py", before, None)
    python.test_definitions("tests/test_a.py", after, Recipe())


@given(st.sampled_from(NAMES), content | st.none(), content | st.none())
def test_infrastructure_is_merged(path, base, current):
    merged = python.merge_infrastructure(path, base, current)
    assert python.merge_infrastructure(path, base, merged) == merged


@given(st.sampled_from(NAMES), content)
def test_a_command_is_made(path, config):
    text = config.decode("utf-8", "replace")
    plan = TestRun(junit="/o.xml", timeout_s=1.0, python="/bin", config={path: text})
    command = python.test_command(["tests/test_a.py"], plan)
    assert command[-2:] == ("--", "tests/test_a.py")


@pytest.mark.parametrize(
    "content",
    [
        b"(" * 3000,
        b"-" * 50_000 + b"1",
        b"x = " + b"1 + " * 20_000 + b"1\n",
        b"x = a" + b".b" * 20_000 + b"\n",
        b"if a:\n    import b\n" + b"elif c:\n    import d\n" * 5_000,
        b"\n".join(b" " * n + b"if a:" for n in range(99)) + b"\n" + b" " * 99 + b"import b\n",
        b"setup(version=" + b"-" * 5_000 + b"1)\n",
        b"\xff\xfe" + "import b\n".encode("utf-16-le"),
        b"# coding: klingon\nimport b\n",
        b"import b\x00",
    ],
    ids=range(10),
)
def test_monsters(content):
    tree = {"setup.py": content, "a.py": content, "tests/test_a.py": content, "b.py": b""}
    graphs.build(python, tree, Recipe())
    python.environment(tree, WHEN, Recipe())
    python.distributions(tree, None, Recipe())
    python.survey(tree, Recipe())
    python.symbol_change("a.py", content, b"x = 1\n")
    python.symbol_change("a.py", b"x = 1\n", content)
    python.test_definitions("tests/test_a.py", content, Recipe())


@given(st.text(min_size=1, max_size=40))
def test_a_path_is_judged(path):
    python.owns(path)
    python.is_test(path, Recipe(tests=("x", "!y")))
    python.is_test_module(path, Recipe())
    python.is_infrastructure(path)
    python.counts_for_tier(path)
    python.contract_file(path)
