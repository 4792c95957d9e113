"""Which of a project's own pytest options a grading run keeps."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from micro_bench.languages.python.source import parse_expression
from micro_bench.languages.python.values import words

_DROPPED = words("""
    --cov --no-cov --numprocesses --maxprocesses --max-worker-restart --dist --tx --looponfail
    --junit --html --css --self-contained-html --report-log --json-report --alluredir --md
    --exitfirst --maxfail --timeout --session-timeout --reruns --only-rerun --rerun --rerun-except
    --fail-on-flaky --flake-finder --randomly --random-order --count --repeat-scope
    --lf --last-failed --ff --failed-first --nf --new-first --cache --sw --stepwise --lfnf
    --quiet --verbose --verbosity --pdb --trace --color --emoji --sugar --picked --testmon
    --strict-config --flake8 --black --isort --pylint --ruff --pycodestyle --pydocstyle --codestyle
    --docstyle --bandit --pep8 --flakes --checkdocs --vulture --pyright --enabler
""")
"""Coverage, parallel runs and other reports; early stop, limits, repeats and order; what needs the
cache, which is off; looks and interaction; linters that the environment does not hold.
"""
_DROPPED_EXACTLY = frozenset(words("--mypy --mypy-ignore-missing-imports --mypy-config-file"))
_TAKES_VALUE = frozenset(
    words("""
    --numprocesses --maxprocesses --max-worker-restart --dist --tx --maxfail --timeout
    --session-timeout --reruns --reruns-delay --only-rerun --rerun-except --html --css
    --report-log --junitxml --junit-xml --junitprefix --junit-prefix --timeout_method
    --timeout-method --cov-report --cov-config --cov-fail-under --cov-context --verbosity
    --color --lfnf --last-failed-no-failures --count --repeat-scope --mypy-config-file
    --pylint-rcfile --alluredir --randomly-seed --random-order-bucket --random-order-seed
""")
)
_FLAG = frozenset(
    words("""
    --strict --strict-markers --doctest-modules --showlocals --no-header
    --no-summary --disable-warnings --disable-pytest-warnings --full-trace --pyargs --noconftest
    --keep-duplicates --doctest-continue-on-failure --doctest-ignore-import-errors --runxfail
    --no-showlocals --collect-in-virtualenv --nomigrations --no-migrations --reuse-db --create-db
    --xvfb --no-xvfb --mypy --mypy-ignore-missing-imports --strict-xfail
""")
)
_SHORT_WITH_VALUE = "rkmpcoWn"
_UNWANTED_PLUGIN = re.compile(
    r"(xdist|cov|pytest_cov|pytest_randomly|randomly|random_order|sugar|cacheprovider|stepwise)\b"
)


def keep(options: Sequence[str]) -> list[str]:
    """The options that change what a test means; not how many, how fast or how loud they run."""
    kept: list[str] = []
    waiting = list(options)
    while waiting:
        option = waiting.pop(0)
        if option == "--":
            break
        if option.startswith("--"):
            group = [option, *_value_of_long(option, waiting)]
            kept += [] if _is_dropped(option) else group
        elif option.startswith("-") and len(option) > 1:
            kept += _short(option, waiting)
    return kept


def _value_of_long(option: str, waiting: list[str]) -> list[str]:
    """The next token if it is this option's value. An unknown option is taken to have one."""
    if "=" in option or not waiting or waiting[0].startswith("-") or option in _FLAG:
        return []
    if option in _TAKES_VALUE or not _is_dropped(option):
        return [waiting.pop(0)]
    return []


def _is_dropped(option: str) -> bool:
    name = option.partition("=")[0]
    families = any(name == bad or name.startswith((f"{bad}-", f"{bad}_")) for bad in _DROPPED)
    return families or name in _DROPPED_EXACTLY or name.startswith("--junit")


def _short(option: str, waiting: list[str]) -> list[str]:
    """A cluster such as `-xvra` or `-n4`, without what is to go."""
    flags = ""
    for index, letter in enumerate(option[1:], start=1):
        if letter in _SHORT_WITH_VALUE:
            value = option[index + 1 :] or (waiting.pop(0) if waiting else "")
            return ([f"-{flags}"] if flags else []) + _short_with_value(letter, value)
        if letter not in "vqxh":
            flags += letter
    return [f"-{flags}"] if flags else []


def _short_with_value(letter: str, value: str) -> list[str]:
    if letter == "n" or not value or (letter in "km" and not _selects_by_default(value)):
        return []
    if letter == "p" and _UNWANTED_PLUGIN.match(value.removeprefix("no:")):
        return []
    if letter == "o" and value.startswith(("junit_", "addopts", "timeout", "cache_dir")):
        return []
    return [f"-{letter}", value]


def _selects_by_default(expression: str) -> bool:
    """Whether `-m` or `-k` with this expression runs a test that has none of the names.

    One that does not would leave out tests that nobody marked.
    """
    words = re.findall(r"[()]|[^\s()]+", re.sub(r"\w+\([^)]*=[^)]*\)", "name", expression))
    known = {"and", "or", "not", "(", ")"}
    source = " ".join(word if word in known else "False" for word in words)
    try:
        return _truth(parse_expression(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _truth(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return not _truth(node.operand)
    if isinstance(node, ast.BoolOp):
        values = [_truth(value) for value in node.values]
        return all(values) if isinstance(node.op, ast.And) else any(values)
    return False
