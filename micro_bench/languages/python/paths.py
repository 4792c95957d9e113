"""What a path alone tells: tests, test infrastructure, generated files, contracts."""

from __future__ import annotations

import functools
import re
from fnmatch import fnmatchcase

from micro_bench.languages._recipe import Recipe
from micro_bench.languages.python.names import (
    CONVENTIONAL,
    fits,
    is_beneath,
    is_loose,
    patterns,
)
from micro_bench.languages.python.values import words

SOURCE_SUFFIXES = (".py", ".pyi", ".pyw", ".pyx", ".pxd", ".pxi")

TEST_DIRECTORIES = frozenset(
    words("""
    tests test e2e unittests unit_tests integration_tests functional_tests system_tests
    acceptance_tests regression_tests smoke_tests e2e_tests
""")
)

SHARED_INFRASTRUCTURE = frozenset({"pyproject.toml", "setup.cfg", "tox.ini"})
"""Files that configure pytest among other things."""

_INFRASTRUCTURE = SHARED_INFRASTRUCTURE | {
    "conftest.py",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    ".pytest.toml",
}
_AT_START = frozenset({"sitecustomize", "usercustomize"})
"""Modules that the interpreter imports when it starts, in whatever form."""

_UNCOUNTED_DIRECTORIES = frozenset(
    words("""
    doc docs documentation vendor vendored _vendor _vendored third_party thirdparty node_modules
    changelog.d newsfragments
""")
)
_UNCOUNTED_TOP = frozenset({"changelog", "changes", "news", ".changes"})
_UNCOUNTED_NAMES = words("""
    *.md *.rst *.adoc *.lock *.min.js *.min.css *.map *.po *.mo *.svg *.png *.jpg *.gif *.ico
    *_pb2.py *_pb2.pyi *_pb2_grpc.py package-lock.json npm-shrinkwrap.json pnpm-lock.yaml
    pylock*.toml license* copying* authors* contributors* notice* readme* citation.cff
""")
_CHANGELOG = re.compile(
    r"(change|changes|changelog|history|news|releases?|release[-_]notes|whats[-_]?new)"
    r"(\.(md|rst|txt|adoc))?"
)
_NEVER_TESTS = frozenset({"conftest.py", "__init__.py", "__main__.py", "setup.py"})
_GENERATED = frozenset({"_version.py", "_generated.py"})

_CONTRACTS = {
    "migration": words("""
        **/migrations/*.py **/migrations/*.sql **/alembic/** **/alembic.ini **/migrate/*.sql
    """),
    "schema": words("""
        **/*.sql **/openapi*.yaml **/openapi*.yml **/openapi*.json **/swagger*.yaml **/swagger*.yml
        **/swagger*.json **/asyncapi*.yaml **/asyncapi*.yml **/*.proto **/*.graphql **/*.gql
        **/*.avsc **/*.xsd **/*.thrift **/*.prisma **/*.schema.json
    """),
    "ci": words("""
        **/.github/workflows/** **/.github/actions/** **/.gitlab-ci.yml **/.gitlab/ci/**
        **/.circleci/** **/.travis.yml **/jenkinsfile* **/azure-pipelines*.yml **/appveyor.yml
        **/.appveyor.yml **/bitbucket-pipelines.yml **/.drone.yml **/.buildkite/** **/.cirrus.yml
    """),
    "deployment": words("""
        **/dockerfile* **/*.dockerfile **/containerfile* **/docker-compose*.y*ml
        **/compose*.y*ml **/k8s/*.y*ml **/kubernetes/*.y*ml **/helm/*.y*ml **/helm/*.tpl
        **/charts/*.y*ml **/charts/*.tpl **/chart.y*ml **/*.tf **/*.tfvars **/procfile
        **/skaffold.y*ml **/serverless.y*ml **/fly.toml **/kustomization.y*ml **/ansible/*.y*ml
    """),
    "build": words("""
        **/setup.py **/setup.cfg **/pyproject.toml **/manifest.in **/makefile **/cmakelists.txt
        **/meson.build
    """),
}
"""Kind -> globs of lower-case paths; the first kind that fits counts. `*` crosses slashes."""


def owns(path: str) -> bool:
    """Whether the path is Python source, stubs and Cython included."""
    return path.endswith(SOURCE_SUFFIXES)


def is_test(path: str, recipe: Recipe) -> bool:
    """Whether the path belongs to the tests: modules, support code and data."""
    return _verdicts(recipe).is_test(path)


def is_test_module(path: str, recipe: Recipe) -> bool:
    """Whether pytest collects tests from this file.

    A pattern such as `*.py` or `test*.py` fits source too: it counts among the tests alone. So
    does any pattern, where the project says in what folders its tests are. The names that are
    usual count everywhere.
    """
    return _verdicts(recipe).is_test_module(path)


class _Verdicts:
    """What a recipe makes of paths. It is asked of every path of a tree, again and again."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._tests: dict[str, bool] = {}
        self._modules: dict[str, bool] = {}

    def is_test(self, path: str) -> bool:
        known = self._tests.get(path)
        if known is None:
            known = self._tests[path] = _is_test(path, self.recipe)
        return known

    def is_test_module(self, path: str) -> bool:
        known = self._modules.get(path)
        if known is None:
            known = self._modules[path] = _is_test_module(path, self.recipe)
        return known

    def is_of(self, recipe: Recipe) -> bool:
        """Whether another recipe would make the same of them."""
        own = self.recipe
        return own.tests == recipe.tests and own.test_names == recipe.test_names

    def size(self) -> int:
        return len(self._tests) + len(self._modules)


_LAST: list[_Verdicts] = [_Verdicts(Recipe())]
"""Those that were asked last, the newest first; never more than a few."""
_MOST_VERDICTS, _MOST_PATHS = 4, 500_000


def _verdicts(recipe: Recipe) -> _Verdicts:
    last = _LAST[0]
    if last.recipe is recipe:
        return last
    found = next((one for one in _LAST if one.is_of(recipe)), None)
    if found is None or found.size() > _MOST_PATHS:
        found = _Verdicts(recipe)
    found.recipe = recipe  # it makes the same of every path, and is the one that is asked now
    _LAST[:] = [found, *(one for one in _LAST if one is not found)][:_MOST_VERDICTS]
    return found


def _is_test(path: str, recipe: Recipe) -> bool:
    for root in recipe.tests:
        if _is_root(root) and is_beneath(path, root.removeprefix("!")):
            return not root.startswith("!") or is_test_module(path, recipe)
    return (
        _in_test_directory(path)
        or is_test_module(path, recipe)
        or path.rpartition("/")[2] in ("conftest.py", "tests.py")
    )


def _is_test_module(path: str, recipe: Recipe) -> bool:
    name = path.rpartition("/")[2]
    if not name.endswith(".py") or name in _NEVER_TESTS:
        return False
    wanted = patterns(path, recipe)
    fitting = [pattern for pattern in wanted.files if fits(path, pattern)]
    if not fitting or any(fits(path, each) for each in CONVENTIONAL):
        return bool(fitting)
    if all(map(is_loose, fitting)):
        return _among_tests(path, recipe)
    return not wanted.within or any(is_beneath(path, each) for each in wanted.within)


def _among_tests(path: str, recipe: Recipe) -> bool:
    for root in recipe.tests:
        if _is_root(root) and is_beneath(path, root.removeprefix("!")):
            return not root.startswith("!")
    return _in_test_directory(path)


def is_test_place(directory: str) -> bool:
    """Whether the directory, or one above it, is one for tests by its name."""
    return _in_test_directory(directory + "/")


def _in_test_directory(path: str) -> bool:
    directories = path.split("/")[:-1]
    return directories[:1] == ["testing"] or bool(TEST_DIRECTORIES.intersection(directories))


def _is_root(root: str) -> bool:
    """Whether it names a folder below the top: the top itself would make everything a test."""
    return bool(root.removeprefix("!").strip("./"))


def is_infrastructure(path: str) -> bool:
    """Whether the file configures or hooks into pytest or the interpreter's start.

    Installed metadata does too: an entry point of `pytest11` is a plugin. Whoever looks for it
    does not mind capitals.
    """
    return _is_infrastructure(path)


@functools.lru_cache(65_536)
def _is_infrastructure(path: str) -> bool:
    *directories, name = path.split("/")
    if any(each.casefold().endswith((".dist-info", ".egg-info")) for each in directories):
        return True
    if any(part.partition(".")[0] in _AT_START for part in (*directories, name)):
        return True
    return name in _INFRASTRUCTURE or name.endswith(".pth")


def counts_for_tier(path: str) -> bool:
    """False for docs, lock files, generated and vendored files, changelogs."""
    *directories, name = path.lower().split("/")
    if _UNCOUNTED_DIRECTORIES.intersection(directories) or _UNCOUNTED_TOP & {*directories[:1]}:
        return False
    if name in _GENERATED or _CHANGELOG.fullmatch(name):
        return False
    return not any(fnmatchcase(name, pattern) for pattern in _UNCOUNTED_NAMES)


def contract_file(path: str) -> str | None:
    """The kind of contract beside the code that the file states, if any."""
    if is_test(path, Recipe()) or not counts_for_tier(path):
        return None
    anchored = "/" + path.lower()
    fitting = (
        kind
        for kind, patterns in _CONTRACTS.items()
        if any(fnmatchcase(anchored, pattern.replace("**", "*")) for pattern in patterns)
    )
    return next(fitting, None)
