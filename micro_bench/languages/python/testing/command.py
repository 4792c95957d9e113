"""How pytest is started, and where."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Mapping, Sequence

from micro_bench.languages._language import TestRun
from micro_bench.languages.python import names
from micro_bench.languages.python.paths import is_test_place
from micro_bench.languages.python.testing import addopts as addopts_rules
from micro_bench.languages.python.testing.config import common_folder, effective, listed
from micro_bench.languages.python.testing.selecting import OWN, is_needed, started

_FIXED = (
    "-o",
    "junit_family=xunit1",
    "-o",
    "junit_logging=no",
    "-p",
    "no:lfplugin",
    "-p",
    "no:nfplugin",
    "-p",
    "no:randomly",
    "--continue-on-collection-errors",
)
"""Nobody reads what the report repeats of the output. The cache is on, for tests that use it, but
nothing of pytest's own writes to it.
"""

_AS_MODULE = (
    "import os, sys; sys.path.pop(0); import pytest; "
    "sys.path.append(os.getcwd()); sys.exit(pytest.main())"
)
"""`python -m pytest`, but for the order: no file of the tree can take the place of pytest, of its
plugins or of the standard library.
"""


def test_folder(paths: Sequence[str], plan: TestRun) -> str:
    """The recipe's folder; else that of the configuration, where the top has none.

    A project in a folder of its own, with its own settings, is tested from there.
    """
    if plan.recipe.workdir is not None:
        folder = posixpath.normpath(plan.recipe.workdir)
        return "" if folder == "." else folder
    if plan.recipe.runner in OWN:
        return posixpath.dirname(plan.recipe.test_script or "")
    found = effective(paths, plan.config)
    if found is None or effective((), plan.config) is not None or is_test_place(found[0]):
        return ""
    return found[0]


def test_command(paths: Sequence[str], plan: TestRun) -> tuple[str, ...]:
    """The argv that runs these tests and writes JUnit XML to `plan.junit`."""
    if plan.recipe.runner in OWN:
        return (*plan.recipe.command, f"{plan.python}/python", plan.plugin, *paths)
    kept = addopts_rules.keep(base_addopts(paths, plan.config))
    folder = test_folder(paths, plan)
    return (
        *plan.recipe.command,
        *_program(plan),
        *_FIXED,
        "-o",
        f"cache_dir={posixpath.dirname(plan.junit)}/cache",
        f"--junitxml={plan.junit}",
        f"--timeout={plan.timeout_s:g}",
        "--timeout-method=signal",
        "-o",
        f"addopts={shlex.join(kept)}",
        *_names(paths, plan),
        *(("--rootdir", plan.work) if plan.work else ()),
        *plan.recipe.pytest_args,
        "--",
        *(posixpath.relpath(path, folder) if folder else path for path in paths),
    )


def _names(paths: Sequence[str], plan: TestRun) -> Iterator[str]:
    """The names of tests, where a lead says something else than the configuration."""
    found = effective(paths, plan.config)
    said = found[1] if found else {}
    wanted = names.patterns(posixpath.join(common_folder(paths), "test"), plan.recipe)
    for key, value, otherwise in (
        ("python_classes", wanted.classes, names.CLASSES),
        ("python_functions", wanted.functions, names.FUNCTIONS),
    ):
        if value != (listed(said[key]) if key in said else otherwise):
            yield from ("-o", f"{key}={shlex.join(value)}")


def _program(plan: TestRun) -> tuple[str, ...]:
    if is_needed(plan):
        return (f"{plan.python}/python", "-c", started(plan))
    if plan.recipe.runner == "python -m pytest":
        return (f"{plan.python}/python", "-c", _AS_MODULE)
    return (f"{plan.python}/pytest",)


def base_addopts(paths: Sequence[str], config: Mapping[str, str]) -> list[str]:
    """The `addopts` that pytest would find for these paths."""
    found = effective(paths, config)
    return list(listed(found[1].get("addopts", ""))) if found else []
