"""What a tree needs installed, out of its manifests."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from micro_bench.languages import python
from micro_bench.languages import python as python_language
from micro_bench.languages._recipe import Recipe
from tests.unit.languages.trees import files

WHEN = datetime(2024, 6, 1, tzinfo=UTC)
OURS = {"pytest", "pytest-timeout"}


def environment(entries, recipe=None, when=WHEN):
    return python.environment(files(entries), when, recipe or Recipe())


def texts(entries, recipe=None):
    """Requirements without those that are always added."""
    found = environment(entries, recipe).requirements
    return [item.text for item in found if item.source != "micro_bench"]


def complaints(entries):
    return list(environment(entries).complaints)


PROJECT = '[project]\nname = "a-b"\nversion = "1"\ndependencies = ["requests >= 2"]\n'


def test_pytest_is_always_there():
    found = environment({"a.py": ""})
    assert [(item.text, item.source) for item in found.requirements] == [
        ("pytest", "micro_bench"),
        ("pytest-timeout", "micro_bench"),
    ]
    given = {"requirements.txt": "pytest==7.4 ; python_version>='3'\npytest_timeout\n"}
    assert texts(given) == ['pytest==7.4; python_version >= "3"', "pytest_timeout"]
    assert [i.text for i in environment(given).requirements if i.source == "micro_bench"] == [
        "pytest"
    ]
    own = {"pyproject.toml": '[project]\nname = "pytest"\nversion = "8"\n'}
    assert [item.text for item in environment(own).requirements] == ["pytest-timeout"]


def test_a_tree_older_than_its_interpreter_gets_a_runner_that_works_under_it():
    then = datetime(2009, 1, 1, tzinfo=UTC)
    assert [i.text for i in environment({"a.py": ""}, when=then).requirements] == [
        "pytest>=7.2",
        "pytest-timeout>=1.4.2",
    ]
    named = {"requirements.txt": "pytest<3\npytest-timeout\n"}
    assert [i.text for i in environment(named, when=then).requirements] == [
        "pytest<3",
        "pytest-timeout",
    ]


def test_run_time_requirements_come_with_their_source():
    found = environment({"pyproject.toml": PROJECT}).requirements[0]
    assert (found.text, found.source) == ("requests>=2", "pyproject.toml project.dependencies")


@pytest.mark.parametrize(
    "declared",
    [
        '[project.optional-dependencies]\ntest = ["x"]\ndocs = ["sphinx"]\n',
        '[project.optional-dependencies]\nTests = ["x"]\ndev = ["y"]\n',
        '[dependency-groups]\ntesting = ["x"]\ndev = ["y"]\n',
        '[dependency-groups]\ntest = [{include-group = "Base_Group"}]\nbase-group = ["x"]\n',
        '[dependency-groups]\ntest = ["x", {include-group = "test"}]\n',
        '[dependency-groups]\ndev = ["x", "ruff", "Sphinx_Rtd_Theme", "types-x", "y-stubs"]\n',
        '[project.optional-dependencies]\ndev = ["a_b[all]", "mypy"]\nall = ["x"]\n',
        '[tool.pdm.dev-dependencies]\ntest = ["x"]\n',
        '[tool.uv]\ndev-dependencies = ["x", "pre-commit>=3"]\n',
        '[tool.hatch.envs.test]\ndependencies = ["x"]\n',
        (
            '[tool.hatch.envs.default]\nfeatures = ["extra"]\n'
            '[project.optional-dependencies]\nextra = ["x"]\n'
        ),
        '[tool.tox]\nlegacy_tox_ini = """\n[testenv]\ndeps = x\n"""\n',
        '[tool.tox.env_run_base]\ndeps = ["x"]\n',
        '[tool.poetry.group.test.dependencies]\nx = "*"\n',
        '[tool.poetry.dev-dependencies]\nx = "*"\nblack = "^22"\n',
    ],
)
def test_test_requirements_of_a_project_file(declared):
    assert texts({"pyproject.toml": PROJECT + declared}) == ["requests>=2", "x"]


@pytest.mark.parametrize(
    "entries",
    [
        {"requirements/test.txt": "x\n"},
        {"requirements/tests.in": "y\n", "requirements/tests.txt": "x\n"},
        {"requirements/tests.txt": "x\n", "requirements/tests-min.txt": "x<1\n"},
        {"test-requirements.txt": "x # why\n"},
        {"requirements-test.txt": "# only\nx\n"},
        {"requirements_tests.txt": "-r more/base.txt\n", "more/base.txt": "x\n"},
        {"tests/requirements.txt": "-e ..\nx\n"},
        {"tests/requirements/py3.txt": "x\n", "tests/requirements/oracle.txt": "y\n"},
        {"tox.ini": "[testenv]\ndeps =\n  x\n  py27: y\n  {env:Z}\n  -e .\n"},
        {"tox.ini": "[testenv]\ndeps = -r{toxinidir}/a/t.txt\n", "a/t.txt": "x\n"},
        {"tox.ini": "[testenv]\ndeps = {[base]deps}\n[base]\ndeps = x\n"},
        {"setup.cfg": "[testenv]\ndeps = x\n"},
        {"tox.toml": '[env_run_base]\ndeps = ["x"]\n'},
        {"requirements-dev.txt": "x\nflake8\nsphinx-click\n"},
        {"requirements/dev.txt": "x\nblack==24\n"},
        {"dev-requirements.txt": "x\n"},
        {"Pipfile": '[dev-packages]\nx = "*"\nmypy = "*"\n'},
    ],
)
def test_test_requirements_of_other_files(entries):
    assert texts({"pyproject.toml": PROJECT, **entries}) == ["requests>=2", "x"]


def test_tox_names_extras_and_groups():
    project = PROJECT + '[project.optional-dependencies]\nmine = ["x"]\n'
    project += '[dependency-groups]\nother_group = ["y"]\n'
    tox = "[testenv]\nextras = mine\ndependency_groups =\n    other-group\n"
    assert texts({"pyproject.toml": project, "tox.ini": tox}) == ["requests>=2", "y", "x"]


def test_a_tool_that_the_tests_import_stays():
    project = PROJECT + '[dependency-groups]\ndev = ["mypy", "ruff"]\n'
    tests = {"tests/test_types.py": "from mypy import api\n"}
    assert texts({"pyproject.toml": project, **tests}) == ["requests>=2", "mypy"]


DEVELOPMENT = """
    [dependency-groups]
    test = ["x"]
    dev = ["mypy", "PyYAML>6", "unused", "black"]
    [project.optional-dependencies]
    fast = ["fast-parser>=2"]
"""


@pytest.mark.parametrize(
    ("path", "line", "supplied"),
    [
        ("tests/test_a.py", "import yaml", ["PyYAML>6"]),
        ("tests/test_a.py", "from fast_parser import a", ["fast-parser>=2"]),
        ("src/a_b/c.py", "from typing_extensions import Self", ["mypy"]),
        ("src/a_b/c.py", "import requests.adapters, x", []),
        ("src/a_b/c.py", "import somebody_else", []),
        ("src/a_b/c.py", "if y:\n    import yaml", []),
        ("docs/conf.py", "import yaml", []),
        ("setup.py", "import yaml", []),
    ],
)
def test_what_the_code_imports_comes_from_any_declared_place(path, line, supplied):
    entries = {"pyproject.toml": PROJECT + "\n".join(map(str.strip, DEVELOPMENT.splitlines()))}
    assert texts({**entries, path: line + "\n"}) == ["requests>=2", "x", *supplied]


def test_a_requirement_of_the_very_name_comes_before_a_tool_that_brings_it():
    project = PROJECT + '[dependency-groups]\ntest = ["x"]\ndev = ["mypy", "typing-extensions"]\n'
    entries = {"pyproject.toml": project, "a_b.py": "import typing_extensions\n"}
    assert texts(entries) == ["requests>=2", "x", "typing-extensions"]


def test_requirements_of_an_application():
    assert texts({"requirements.txt": "flask==3.0\n"}) == ["flask==3.0"]
    assert texts({"requirements/base.txt": "flask\n", "a.py": ""}) == ["flask"]
    assert texts({"Pipfile": '[packages]\nflask = "==3.0"\n'}) == ["flask==3.0"]
    tools_only = "[tool.black]\nline-length = 9\n"
    assert texts({"pyproject.toml": tools_only, "requirements.txt": "flask\n"}) == ["flask"]


def test_a_requirements_file_of_a_library_counts_when_it_is_for_development():
    assert texts({"pyproject.toml": PROJECT, "requirements.txt": "x\n"}) == ["requests>=2"]
    both = {"pyproject.toml": PROJECT, "requirements.txt": "-e .\nx\npytest\nmkdocs-a\n"}
    assert texts(both) == ["requests>=2", "x", "pytest"]


def test_the_forms_of_a_requirement_file():
    text = (
        "\\ufeff# comment\n"
        "--index-url https://example.org\n"
        "one==1.0 \\\n    --hash=sha256:aaaa \\\n    --hash=sha256:bbbb\n"
        "two[extra]>=2 ; python_version < '4'  # why\n"
        "-c limits.txt\n"
        "--requirement=sub/more.txt\n"
    ).replace("\\ufeff", "\ufeff")
    entries = {
        "requirements.txt": text,
        "limits.txt": "two<3\nunused<9\n",
        "sub/more.txt": "three\n-r ../requirements.txt\n-r gone.txt\n",
    }
    assert texts(entries) == ["one==1.0", 'two[extra]>=2; python_version < "4"', "three", "two<3"]
    first, second = complaints(entries)
    assert first == (
        "requirements.txt:2: --index-url example.org is not heeded: packages come from where this "
        "machine's own settings say"
    )
    assert second == "sub/gone.txt: named by sub/more.txt, not in the tree"


def test_no_password_of_a_requirement_gets_into_a_manifest():
    entries = {
        "requirements.txt": "--extra-index-url https://robot:s3cr3t@pypi.example.org/simple\n"
        "git+https://t0k3n@git.example.org/a.git#egg=a\nb @ https://t0k3n@example.org/b.whl\n"
    }
    said = " ".join(complaints(entries))
    assert "pypi.example.org is not heeded" in said
    assert "https://***@git.example.org" in said
    assert "s3cr3t" not in said
    assert "t0k3n" not in said


def test_what_no_index_serves_is_left_out_and_told():
    entries = {
        "requirements.txt": "git+https://e.org/one.git#egg=one\ntwo @ https://e.org/two.whl\n"
        "./local/wheel\n!!!\nfine\n"
    }
    assert texts(entries) == ["fine"]
    assert complaints(entries) == [
        "requirements.txt:1: 'git+https://e.org/one.git#egg=one' comes from a URL; left out (one)",
        "requirements.txt:2: 'two @ https://e.org/two.whl' comes from a URL; left out",
        "requirements.txt:3: './local/wheel' is a path or no requirement; left out",
        "requirements.txt:4: '!!!' is a path or no requirement; left out",
    ]


def test_projects_of_the_same_tree_are_not_fetched():
    entries = {
        "pyproject.toml": '[tool.uv.workspace]\nmembers = ["p/*"]\n',
        "p/a/pyproject.toml": '[project]\nname = "acme-a"\ndependencies = ["x"]\n',
        "p/b/pyproject.toml": '[project]\nname = "acme-b"\ndependencies = ["Acme.A", "y"]\n'
        '[dependency-groups]\ntest = ["acme-a[fast]", "z"]\n',
        "requirements.txt": "-e ./p/a\n",
        "tests/sample/setup.py": "from setuptools import setup\nsetup(install_requires=['q'])\n",
        "examples/e/pyproject.toml": '[project]\nname = "e"\ndependencies = ["q"]\n',
    }
    assert texts(entries) == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ('"^1.2.3"', "x<2.0,>=1.2.3"),
        ('"^0.2.3"', "x<0.3,>=0.2.3"),
        ('"^0.0.3"', "x<0.0.4,>=0.0.3"),
        ('"^0.0"', "x<0.1,>=0.0"),
        ('"^0"', "x<1.0,>=0"),
        ('"^1.0b2"', "x<2.0,>=1.0b2"),
        ('"~1.2.3"', "x<1.3,>=1.2.3"),
        ('"~1"', "x<2.0,>=1"),
        ('"~=1.2"', "x~=1.2"),
        ('"1.2.*"', "x==1.2.*"),
        ('"1.2"', "x==1.2"),
        ('"*"', "x"),
        ('">=1, <2"', "x<2,>=1"),
        ('">= 1,!=1.5"', "x!=1.5,>=1"),
        ('"^1.0 || ^2.0"', "x<3.0,>=1.0"),
        ('{version = "^1", extras = ["a"]}', "x[a]<2.0,>=1"),
        ('{version = "1", markers = "os_name == \'nt\'"}', 'x==1; (os_name == "nt")'),
        ('{python = ">3,<4"}', 'x; python_version > "3" and python_version < "4"'),
        ('{version = "1", platform = "linux"}', 'x==1; sys_platform == "linux"'),
        ('[{version = "1", python = "<3.9"}]', 'x==1; python_version < "3.9"'),
    ],
)  # fmt: skip
def test_poetry_constraints(constraint, expected):
    head = '[tool.poetry]\nname = "a"\n[tool.poetry.dependencies]\npython = "^3.8"\n'
    found = texts({"pyproject.toml": f"{head}x = {constraint}\n"})
    assert found == [expected.replace('; (os_name == "nt")', '; os_name == "nt"')]


def test_poetry_s_optional_and_foreign_dependencies():
    text = """
        [tool.poetry]
        name = "a"
        [tool.poetry.dependencies]
        main = "*"
        feature = {version = "1", optional = true}
        remote = {git = "https://e.org/r.git"}
        local = {path = "../local"}
        [tool.poetry.extras]
        test = ["feature"]
    """
    assert texts({"pyproject.toml": text}) == ["main", "feature==1"]
    assert [line.partition(": ")[2] for line in complaints({"pyproject.toml": text})] == [
        "'remote @ git+https://e.org/r.git' comes from a URL; left out",
        "'local @ ../local' comes from a URL; left out",
    ]


SETUP_PY = """
    from setuptools import find_packages, setup

    TESTS = ["x>=1"]
    BASE = ["requests"]
    EXTRAS = {"test": TESTS + ["y"], ":python_version<'3'": ["futures"]}
    ARGS = dict(python_requires=">=3.9")

    setup(
        name="a",
        install_requires=[*BASE, "six"],
        extras_require={**EXTRAS, "docs": ["sphinx"]},
        **ARGS,
    )
"""


def test_literal_arguments_of_a_setup_script():
    assert texts({"setup.py": SETUP_PY}) == [
        "requests", "six", "futures; python_version < '3'".replace("'", '"'), "x>=1", "y"
    ]  # fmt: skip
    found = environment({"setup.py": SETUP_PY})
    assert found.python_source == "requires-python >=3.9"


def test_a_setup_script_that_computes_is_told_and_not_run():
    text = "from setuptools import setup\nsetup(install_requires=open('r.txt').read().split())\n"
    entries = {"setup.py": text, "requirements.txt": "x\n"}
    assert texts(entries) == ["x"]
    assert complaints(entries) == ["setup.py: install_requires is computed, not read"]


def test_setup_cfg():
    text = """
        [metadata]
        name = a
        [options]
        python_requires = >=3.8
        install_requires =
            requests>=2; python_version>="3"
            six  # why
        [options.extras_require]
        testing =
            x
            a[more]
        more = y
    """
    assert texts({"setup.cfg": text, "setup.py": "from setuptools import setup\nsetup()\n"}) == [
        'requests>=2; python_version >= "3"', "six", "x", "y"
    ]  # fmt: skip


def test_dynamic_dependencies_lie_in_files():
    text = """
        [project]
        name = "a"
        dynamic = ["dependencies", "optional-dependencies"]
        [tool.setuptools.dynamic]
        dependencies = {file = ["deps/run.txt"]}
        optional-dependencies.test = {file = "deps/test.txt"}
    """
    entries = {"pyproject.toml": text, "deps/run.txt": "r\n", "deps/test.txt": "t\n"}
    assert texts(entries) == ["r", "t"]


def test_flit_s_old_table():
    text = """
        [tool.flit.metadata]
        module = "a"
        requires = ["r"]
        requires-python = ">=3.9"
        [tool.flit.metadata.requires-extra]
        test = ["t"]
    """
    assert texts({"pyproject.toml": text}) == ["r", "t"]


def test_a_recipe_adds_requirements_and_packages():
    recipe = Recipe(requirements=("extra==1",), apt=("libpq5",))
    found = environment({"pyproject.toml": PROJECT}, recipe)
    assert found.apt == ("libpq5",)
    assert (found.requirements[0].text, found.requirements[0].source) == (
        "extra==1",
        "recipe.yaml requirements",
    )


def test_a_manifest_that_does_not_parse_is_told():
    assert complaints({"pyproject.toml": "a = = 1"}) == ["pyproject.toml: does not parse"]
    assert complaints({"setup.cfg": "nonsense"}) == ["setup.cfg: does not parse"]
    assert complaints({"setup.py": "def ("})[0].startswith("setup.py: does not parse (line 1: ")


@pytest.mark.parametrize(
    ("requires", "python", "source"),
    [
        (">=3.8", "3.11", "requires-python >=3.8"),
        (">=3.12", "3.13", "requires-python >=3.12"),
        (">=3.12,<3.13", "3.12", "requires-python >=3.12,<3.13"),
        ("<3.11", "3.10", "requires-python <3.11"),
        (">=3.14", "3.14", "requires-python >=3.14"),
        (">=3.11.4", "3.11", "requires-python >=3.11.4"),
        ("!=3.11.*", "3.13", "requires-python !=3.11.*"),
        ("==3.9.*", "3.9", "requires-python ==3.9.*"),
        ("<3", "2.7", "requires-python <3"),
        (">=4", "3.11", "default: requires-python cannot be met"),
        ("three", "3.11", "default: the manifests do not say"),
    ],
)
def test_the_interpreter_by_requires_python(requires, python, source):
    text = f'[project]\nname = "a"\nversion = "1"\nrequires-python = "{requires}"\n'
    found = environment({"pyproject.toml": text})
    assert (found.python, found.python_source) == (python, source)


@pytest.mark.parametrize(
    ("entries", "python", "source"),
    [
        ({}, "3.11", "default: the manifests do not say"),
        ({".python-version": "3.12.4\n"}, "3.12", ".python-version"),
        ({".python-version": "pypy3.9\n3.8\n3.13.1\n3.12\n"}, "3.13", ".python-version"),
        ({"runtime.txt": "python-3.10.2\n"}, "3.10", "runtime.txt"),
        ({".python-version": "3.6\n"}, "3.11", "default: the manifests do not say"),
        (
            {"setup.cfg": "[metadata]\nclassifiers =\n Programming Language :: Python :: 3.12\n"},
            "3.12",
            "classifiers",
        ),
        (
            {".github/workflows/ci.yml": "a:\n  python-version: ['3.9', \"3.10\"]\n  node: 3.13\n"},
            "3.10",
            "CI matrix",
        ),
        (
            {".github/workflows/ci.yml": "python-version:\n  - pypy-3.11\n  - '3.12'\nos: [a]\n"},
            "3.12",
            "CI matrix",
        ),
    ],
)  # fmt: skip
def test_the_interpreter_by_other_signs(entries, python, source):
    found = environment({"a.py": "", **entries})
    assert (found.python, found.python_source) == (python, source)


@pytest.mark.parametrize(
    ("requires", "offered", "python"),
    [
        (">=3.9", ("3.13",), "3.13"),
        (">=3.9", ("3.15",), "3.15"),
        (">=3.9,<3.13", ("3.13",), "3.11"),
        (">=3.12", ("3.10", "3.12"), "3.12"),
        (">=3.9", ("3.10", "3.11", "3.12", "3.13"), "3.12"),  # 3.13 is not out yet
    ],
)
def test_of_several_interpreters_that_would_do_one_that_is_there_is_taken(
    requires, offered, python
):
    text = f'[project]\nname = "a"\nversion = "1"\nrequires-python = "{requires}"\n'
    tree = files({"pyproject.toml": text})
    assert python_language.environment(tree, WHEN, Recipe(), offered).python == python


def test_a_version_that_is_named_goes_before_one_that_is_merely_allowed():
    text = (
        '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.8"\n'
        'classifiers = ["Programming Language :: Python :: 3.10"]\n'
    )
    tree = files({"pyproject.toml": text})
    found = python_language.environment(tree, WHEN, Recipe(), ("3.8", "3.10", "3.12"))
    assert found.python == "3.10"
    tree |= files({".github/workflows/ci.yml": "python-version: ['3.12']\n"})
    assert (
        python_language.environment(tree, WHEN, Recipe(), ("3.8", "3.10", "3.12")).python == "3.12"
    )


def test_a_version_that_is_not_there_is_told_where_another_will_do():
    text = '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.10"\n'
    tree = files({"pyproject.toml": text, ".python-version": "3.12"})
    found = python_language.environment(tree, WHEN, Recipe(), ("3.11", "3.13"))
    assert found.python == "3.11"
    assert ".python-version: asks for Python 3.12; 3.11 is taken" in found.complaints


def test_what_the_manifests_do_not_say_is_what_is_there():
    assert python_language.environment(files({"a.py": ""}), WHEN, Recipe(), ("3.14",)).python == (
        "3.14"
    )


def test_a_recipe_decides_the_interpreter():
    assert environment({".python-version": "3.12"}, Recipe(python="3.10.4")).python == "3.10"


def test_a_wish_that_cannot_be_met_is_told():
    assert complaints({".python-version": "3.6"}) == [
        ".python-version: asks for Python 3.6; 3.11 is taken"
    ]


def test_an_interpreter_younger_than_the_code_is_told():
    found = environment({"a.py": ""}, when=datetime(2020, 1, 1, tzinfo=UTC))
    assert found.complaints[0].startswith("Python 3.11 (2022-10-24) is younger than the base")


def test_declared_dependencies():
    text = PROJECT + (
        '[project.optional-dependencies]\nredis = ["Redis_Client>4"]\ntest = ["pytest"]\n'
        'docs = ["sphinx"]\nall = ["a-b[redis]"]\n'
    )
    assert python.declared_dependencies(files({"pyproject.toml": text})) == {
        "requests",
        "redis-client",
    }
    application = {"requirements.txt": "Flask==3\ngit+https://e.org/x\n"}
    assert python.declared_dependencies(files(application)) == {"flask"}
    assert python.declared_dependencies({}) == frozenset()
