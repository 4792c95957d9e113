"""How pytest is started."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from micro_bench.languages._language import TestRun
from micro_bench.languages.python.testing import addopts as addopts_rules
from micro_bench.languages.python.testing.config import effective_config

_FIXED = (
    "-o",
    "junit_family=xunit1",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:randomly",
    "--continue-on-collection-errors",
)


def test_command(paths: Sequence[str], plan: TestRun) -> tuple[str, ...]:
    """The argv that runs these tests and writes JUnit XML to `plan.junit`."""
    kept = addopts_rules.keep(base_addopts(paths, plan.config))
    return (
        f"{plan.python}/pytest",
        *_FIXED,
        f"--junitxml={plan.junit}",
        f"--timeout={plan.timeout_s:g}",
        "--timeout-method=signal",
        "-o",
        f"addopts={shlex.join(kept)}",
        *plan.extra,
        "--",
        *paths,
    )


def base_addopts(paths: Sequence[str], config: Mapping[str, str]) -> list[str]:
    """The `addopts` that pytest would find for these paths."""
    values = effective_config(paths, config).get("addopts", [])
    if isinstance(values, list):
        return [str(value) for value in values]
    try:
        return shlex.split(str(values))
    except ValueError:
        return str(values).split()
