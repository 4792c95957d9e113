"""What starts a project's tests in its own hands, and which file says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from micro_bench.languages._language import Files
from micro_bench.languages.python.starters import of_ci, shown
from micro_bench.languages.python.testing.config import CONFIG_NAMES, read_config

DJANGO, PYTEST, UNITTEST = "django", "pytest", "unittest"
_COMMANDS = (
    (DJANGO, re.compile(r"\b(?:manage\.py|django-admin)[\s\"',]+test\b")),
    (PYTEST, re.compile(r"(?:^|[\s\"'/,&;(])(?:py\.test|pytest)(?=$|[\s\"',;)])", re.MULTILINE)),
    (UNITTEST, re.compile(r"-m[\s\"',]+unittest\b|\bunit2\s+discover")),
    ("nose", re.compile(r"\bnosetests\b|\bnose2\b")),
    ("trial", re.compile(r"\btrial\s+\w|-m\s+twisted\.trial")),
    ("zope.testrunner", re.compile(r"\bzope-testrunner\b|\bbin/test\b")),
    ("stestr", re.compile(r"\bstestr\s+run\b|\bostestr\b")),
    ("a script", re.compile(r"\bpython3?\s+(?:\./)?[\w/]*(?:run_?tests?|test_?runner)\w*\.py\b")),
    ("setup.py test", re.compile(r"\bsetup\.py\s+test\b")),
)
"""The first whose command a file holds is the file's runner."""
_STARTERS = ("tox.ini", "noxfile.py", "Makefile", "makefile", "GNUmakefile", "justfile")
_RUNTESTS = ("runtests.py", "tests/runtests.py", "run_tests.py", "tests/run_tests.py")
_MANAGE = re.compile(r"(?:(?!(?:docs?|examples?|tests?|templates?)/)[\w.-]+/){0,2}manage\.py")
_TELLING = (b"DJANGO_SETTINGS_MODULE", b"settings.configure", b"django.setup(")
_STARTERS_LATER = ("pyproject.toml", "tox.toml", "setup.cfg", "hatch.toml", "setup.py")
_IMPORTS_PYTEST = re.compile(rb"^\s*(?:import|from)\s+pytest\b", re.MULTILINE)
_IMPORTS_UNITTEST = re.compile(rb"^\s*(?:import|from)\s+(?:unittest|django\.test)\b", re.MULTILINE)


def find_runner(files: Files, modules: Sequence[str]) -> tuple[str, str]:
    """The runner and where it was read: commands first, then settings, then the tests."""
    starters = [(name, shown(files, name)) for name in _STARTERS if name in files]
    for path, text in (*starters, *of_ci(files)):
        found = _command(text)
        if found:
            return found, f"{path} (command)"
    for found, place in (*_settings(files), *_by_tests(files, modules)):
        return found, place
    return "none", "no file names a test runner"


def own_runner(files: Files) -> tuple[str, str] | None:
    """`django` and the script that starts it, where the project's tests need its own runner.

    Where pytest is told Django's settings it runs the same tests.
    """
    if _tells_pytest(files):
        return None
    found, _place = find_runner(files, ())
    scripts = [path for path in _RUNTESTS if path in files and b"django" in files[path]]
    if scripts and found != DJANGO:
        return DJANGO, scripts[0]
    manage = sorted((p for p in files if _MANAGE.fullmatch(p)), key=lambda p: (p.count("/"), p))
    if manage and found in (DJANGO, UNITTEST, "a script", "none"):
        return DJANGO, manage[0]
    return None


def _tells_pytest(files: Files) -> bool:
    """Whether a configuration, or the top's conftest, names Django's settings for pytest."""
    said = [read_config(name, shown(files, name)) for name in CONFIG_NAMES if name in files]
    if any("DJANGO_SETTINGS_MODULE" in str(each) or "--ds" in str(each) for each in said if each):
        return True
    return any(word in files.get("conftest.py", b"") for word in _TELLING)


def _command(text: str) -> str:
    return next((name for name, pattern in _COMMANDS if pattern.search(text)), "")


def _settings(files: Files) -> Iterator[tuple[str, str]]:
    for name in CONFIG_NAMES:
        if name in files and read_config(name, shown(files, name)) is not None:
            yield PYTEST, f"{name} (settings)"
    if "manage.py" in files:
        yield DJANGO, "manage.py"
    for name in _STARTERS_LATER:
        if found := _command(shown(files, name)):
            yield found, f"{name} (command)"


def _by_tests(files: Files, modules: Sequence[str]) -> Iterable[tuple[str, str]]:
    pytest = sum(bool(_IMPORTS_PYTEST.search(files[path])) for path in modules)
    unittest = sum(bool(_IMPORTS_UNITTEST.search(files[path])) for path in modules)
    if pytest:
        yield PYTEST, f"{pytest} of {len(modules)} test modules import it"
    if unittest:
        yield UNITTEST, f"{unittest} of {len(modules)} test modules import it"
    if modules:
        yield PYTEST, "by their names"
