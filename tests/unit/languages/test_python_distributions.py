"""Installable projects: names, versions, import roots, entry points, generated files.

Each case is a text file: a line `=== path` before each file of the tree, and the JSON of the
distributions under `=== expected`. The tree's newest tag is 9.9.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from micro_bench.languages import python
from micro_bench.languages._recipe import Recipe
from tests.unit.languages.trees import files, read_text_tree

CASES = Path(__file__).parents[2] / "cases" / "languages" / "python" / "projects"
DYNAMIC = '[project]\nname = "a"\ndynamic = ["version"]\n'
PROJECT = '[project]\nname = "a"\nversion = "1"\n'
SETUP = "from setuptools import setup\n"
SOURCES = {"lib/a/__init__.py": "", "src/a/__init__.py": "", "a/__init__.py": ""}


def distributions(entries, tag="9.9", recipe=None):
    return python.distributions(files(entries), tag, recipe or Recipe())


def only(entries, tag="9.9", recipe=None):
    (found,) = distributions(entries, tag, recipe)
    return found


@pytest.mark.parametrize("case", sorted(CASES.glob("*.tree")), ids=lambda path: path.stem)
def test_the_projects_of_a_tree(case):
    tree = read_text_tree(case)
    expected = json.loads(tree.pop("expected"))
    found = python.distributions(tree, "9.9", Recipe())
    actual = [json.loads(one.model_dump_json(exclude_defaults=True)) for one in found]
    assert actual == expected


def test_a_version_that_nothing_tells():
    found = only({"pyproject.toml": DYNAMIC}, tag=None)
    assert (found.version, found.version_source) == (
        "0.0.0",
        "unknown: neither the manifests nor a tag tell",
    )


def test_a_recipe_decides_the_roots():
    entries = {"pyproject.toml": PROJECT, **SOURCES}
    assert only(entries, recipe=Recipe(roots=("lib", "./src/"))).roots == ("lib", "src")


def test_other_forms_of_scripts():
    text = """
        [tool.poetry]
        name = "a"
        [tool.poetry.scripts]
        one = {reference = "a:one", type = "console"}
        two = {callable = "a:two"}
        bad = {}
    """
    points = only({"pyproject.toml": text}).entry_points
    assert points == {"console_scripts": {"one": "a:one", "two": "a:two"}}
    flit = '[tool.flit.metadata]\nmodule = "a"\n[tool.flit.scripts]\none = "a:one"\n'
    assert only({"pyproject.toml": flit}).entry_points == {"console_scripts": {"one": "a:one"}}


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ('[tool.setuptools_scm]\nwrite_to = "src/a/_version.py"\n', "src/a/_version.py"),
        ('[tool.setuptools_scm]\nversion_file = "src/a/_version.py"\n', "src/a/_version.py"),
        ('[tool.hatch.build.hooks.vcs]\nversion-file = "a/_v.py"\n', "a/_v.py"),
    ],
)
def test_a_version_file_is_generated(tmp_path, written, path):
    entries = {"pyproject.toml": DYNAMIC + written}
    ((name, content),) = only(entries, tag="1.2.dev3+g1").generated.items()
    (tmp_path / "v.py").write_text(content, "utf-8")
    values = runpy.run_path(str(tmp_path / "v.py"))
    assert name == path
    assert values["version"] == values["__version__"] == "1.2.dev3+g1"
    assert values["version_tuple"] == values["__version_tuple__"] == (1, 2, "dev3", "g1")
    assert only({**entries, path: "tracked"}).generated == {}


def test_a_template_that_asks_for_more_falls_back():
    written = "[tool.setuptools_scm]\nwrite_to = 'a/v.py'\nwrite_to_template = '{node} {0} {'\n"
    assert (
        "__version__ = version = '9.9'"
        in (only({"pyproject.toml": DYNAMIC + written}).generated["a/v.py"])
    )


def test_a_version_file_of_a_setup_script():
    script = SETUP + "setup(name='a', use_scm_version={'write_to': 'a/_version.py'})\n"
    assert list(only({"setup.py": script}).generated) == ["a/_version.py"]


def test_several_projects_the_top_one_first():
    entries = {
        "packages/b/pyproject.toml": '[project]\nname = "b"\nversion = "2"\n',
        "packages/b/src/b/__init__.py": "",
        "packages/a/setup.py": SETUP + "setup(name='a', version='1')",
        "packages/a/a.py": "",
        "pyproject.toml": '[project]\nname = "all"\nversion = "3"\n',
        "tests/data/p/pyproject.toml": '[project]\nname = "sample"\n',
        "examples/e/setup.py": SETUP + "setup(name='e')",
        "tools/pyproject.toml": "[tool.ruff]\n",
    }
    assert [(found.name, found.roots) for found in distributions(entries)] == [
        ("all", (".",)),
        ("a", ("packages/a",)),
        ("b", ("packages/b/src",)),
    ]


def test_names_that_the_manifest_does_not_tell():
    computed = SETUP + "setup(name=NAME + '-x', version='1')\n"
    assert only({"setup.py": computed, "my_app/__init__.py": "", "tests/__init__.py": ""}).name == (
        "my-app"
    )
    assert only({"setup.py": computed}).name == "project"
    assert only({"setup.py": 'X = "a"\n' + SETUP + "setup(name=f'{X}-b')"}).name == "a-b"


def test_a_tree_without_manifests_is_one_project():
    assert only({"app.py": ""}).model_dump(include={"name", "version", "roots"}) == {
        "name": "project",
        "version": "0.0.0",
        "roots": (".",),
    }
    assert distributions({"README.md": ""}) == ()


def test_setup_cfg_of_tools_only_declares_no_project():
    entries = {"setup.cfg": "[flake8]\nmax-line-length = 99\n", "a.py": ""}
    assert only(entries).version_source == "unknown: the tree has no manifest"


def test_project_table_stands_before_the_others():
    entries = {
        "pyproject.toml": '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.9"\n',
        "setup.cfg": "[metadata]\nname = b\nversion = 2\n",
        "setup.py": SETUP + "setup(name='c', version='3', entry_points={'x': ['y = z']})",
    }
    found = only(entries)
    assert (found.name, found.version, found.entry_points) == ("a", "1", {"x": {"y": "z"}})
