"""Which declared distributions supply the modules that a tree imports.

Only what the manifests name is ever installed. A name found by scanning the code is no
requirement: anybody may have registered it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from micro_bench.languages._language import Files
from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.manifests.requirements import name_of
from micro_bench.languages.python.paths import is_test
from micro_bench.languages.python.values import words
from micro_bench.model.slice import Requirement

TOOLS = frozenset(
    words("""
    autoflake autopep8 bandit basedpyright black build bump-my-version bump2version bumpversion
    check-manifest codecov codespell commitizen copier coveralls cruft darglint doc8
    docformatter docutils-stubs flake8 flit furo ghp-import git-cliff hatch interrogate ipdb
    ipython isort jupyter jupyterlab keyring mdformat mike mkdocs mkdocstrings mypy myst-nb
    myst-parser nbsphinx notebook nox numpydoc pdbpp pdm pdoc pdoc3 pip-audit pip-tools poetry
    pre-commit prek pur pycodestyle pydocstyle pyflakes pylint pylint-exit pyproject-fmt pyrefly
    pyright pyroma python-semantic-release pytype pyupgrade radon readme-renderer refurb reno
    restview rstcheck ruff safety scriv semgrep slotscheck sourcery sphinx towncrier tox twine
    ty uv validate-pyproject vulture watchdog watchfiles wheel xenon yamllint yapf zensical
    zest-releaser
    pytest-black pytest-checkdocs pytest-enabler pytest-flake8 pytest-isort pytest-mypy
    pytest-pycodestyle pytest-pydocstyle pytest-pylint pytest-ruff
""")
)
"""Linters, docs, release and editor tools that no test run needs, unless a test imports them."""

_TOOL_FAMILIES = re.compile(
    r"(flake8|mkdocs|mkdocstrings|sphinx|sphinxcontrib|pylint|tox|nox|mdformat|jupyterlab|types|pep8)-.*"
    r"|.*-stubs"
)

_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    distribution: words(modules)
    for distribution, modules in {
        "attrs": "attr attrs",
        "beautifulsoup4": "bs4",
        "djangorestframework": "rest_framework",
        "gitpython": "git gitdb",
        "importlib-metadata": "importlib_metadata zipp",
        "opencv-python": "cv2",
        "pillow": "PIL",
        "psycopg2-binary": "psycopg2",
        "pyjwt": "jwt",
        "pyopenssl": "OpenSSL",
        "pytest": "pytest _pytest pluggy packaging iniconfig",
        "python-dateutil": "dateutil",
        "python-dotenv": "dotenv",
        "pyyaml": "yaml",
        "scikit-learn": "sklearn",
        "setuptools": "setuptools pkg_resources",
        "types-pyyaml": "",
        # Tools of a development group, for what comes with them.
        "black": "black click packaging pathspec platformdirs mypy_extensions",
        "flake8": "flake8 pycodestyle pyflakes mccabe",
        "ipython": "IPython traitlets pygments",
        "mkdocs": "mkdocs yaml jinja2 markdown click",
        "mypy": "mypy mypyc typing_extensions mypy_extensions pathspec",
        "pip-tools": "piptools click build",
        "pre-commit": "pre_commit yaml virtualenv",
        "pylint": "pylint astroid platformdirs dill tomlkit",
        "sphinx": "sphinx docutils jinja2 pygments requests packaging babel",
        "tox": "tox packaging pluggy filelock platformdirs virtualenv",
        "twine": "twine requests rich",
    }.items()
}
"""Where the modules have other names than the distribution, or more come with it."""

SHARED = frozenset(words("google azure zope ruamel backports sphinxcontrib jaraco paste"))
"""Names that many distributions share: the distribution of that very name is another matter."""

_IMPORT = re.compile(rb"^([ \t]*)(?:from|import)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_NOT_RUN = frozenset(
    words("docs doc examples example benchmarks scripts tools setup.py noxfile.py")
)


@dataclass(frozen=True)
class Imported:
    """Top-level names that the files of a tree import."""

    by_tests: frozenset[str]
    """Anywhere in the tests."""
    at_start: frozenset[str]
    """At the left margin of tests and source: without them, nothing runs."""


def find_imported(files: Files, recipe: Recipe) -> Imported:
    """Read the import lines of every file that a test run may load."""
    by_tests: set[str] = set()
    at_start: set[str] = set()
    for path, content in files.items():
        if not path.endswith(".py") or path.partition("/")[0] in _NOT_RUN:
            continue
        found = [(match[1], match[2].decode()) for match in _IMPORT.finditer(content)]
        at_start.update(name for margin, name in found if not margin)
        if is_test(path, recipe):
            by_tests.update(name for _, name in found)
    return Imported(frozenset(by_tests), frozenset(at_start))


def is_dispensable(requirement: str, imported_by_tests: frozenset[str]) -> bool:
    """A linter, docs or release tool, unless the tests import it."""
    name = name_of(requirement)
    if name is None or not (name in TOOLS or _TOOL_FAMILIES.fullmatch(name)):
        return False
    return name.replace("-", "_") not in imported_by_tests


def missing_imports(imported: Imported, wanted: Iterable[Requirement]) -> frozenset[str]:
    """What is imported at the start, or anywhere in the tests, and no requirement supplies under
    its name.
    """
    supplied = {module for item in wanted for module in _modules(item.text)}
    return (imported.at_start | imported.by_tests) - supplied


def suppliers(missing: frozenset[str], pool: Sequence[Requirement]) -> list[Requirement]:
    """Declared requirements that supply what is missing; a tool only where no other does."""
    found: list[Requirement] = []
    for item in sorted(pool, key=lambda item: len(_modules(item.text))):
        supplied = missing.intersection(_modules(item.text))
        if supplied:
            found.append(item)
            missing -= supplied
    return found


def distribution_of(module: str) -> str:
    """The distribution that is known to supply a module, or else the one of its name."""
    found = (name for name, modules in _OTHER_NAMES.items() if modules[:1] == (module,))
    return next(found, module.replace("_", "-"))


def is_run(path: str) -> bool:
    """Whether a test run may load the file: it is no documentation, example or tool."""
    return path.partition("/")[0] not in _NOT_RUN


def _modules(requirement: str) -> tuple[str, ...]:
    name = name_of(requirement)
    if name is None:
        return ()
    return _OTHER_NAMES.get(name, (name.replace("-", "_"),))
