"""What is handed in beside the tests: a plugin of pytest that runs some only, or traces them; or a
program that does so with another runner.
"""

from __future__ import annotations

import inspect
import json
import posixpath
import re

from micro_bench.languages._language import PASSED_OVER, TestRun
from micro_bench.languages.python.testing import _selecting, _unittesting

OWN = ("django", "unittest")
"""Runners that a program of ours starts and writes the report for."""
_IMPORTED = re.compile(r"from micro_bench\.languages[^\n(]*(?:\([^)]*\))?\n")

_STARTED = (
    "import os, runpy, sys; sys.path.pop(0); import pytest; {folder}"
    "sys.exit(pytest.main(plugins=runpy.run_path({plugin!r})['made']()))"
)
"""As pytest's own script does it, with the plugins."""


def test_plugin(plan: TestRun) -> str:
    """The plugin's text with its settings; empty where pytest alone does all that is asked."""
    own = plan.recipe.runner in OWN
    if not (own or is_needed(plan)):
        return ""
    settings = {
        "runner": plan.recipe.runner,
        "script": script_of(plan),
        "work": plan.work,
        "junit": plan.junit,
        "timeout_s": plan.timeout_s,
        "stop_after_s": plan.stop_after_s,
        "whole": plan.whole,
        "passed_over": PASSED_OVER,
        "only": plan.only,
        "stream": plan.stream,
        "trace": {"work": plan.work, **plan.trace.model_dump()} if plan.trace else None,
    }
    text = json.dumps(json.dumps(settings))
    chosen = f"import json\n\nSETTINGS.update(json.loads({text}))\n"
    if not own:
        return f"{inspect.getsource(_selecting)}\n\n{chosen}"
    runner = inspect.getsource(_unittesting).partition("from xml.sax")
    rest = _IMPORTED.sub("", "".join(runner[1:]))
    imports = "import os, runpy, signal, sys, time, unittest\n"
    return f"{inspect.getsource(_selecting)}\n\n{imports}{rest}\n\n{chosen}\nmain(sys.argv[1:])\n"


def script_of(plan: TestRun) -> str:
    """What starts Django's runner, seen from the folder that it lies in."""
    return posixpath.basename(plan.recipe.test_script or "manage.py")


def is_needed(plan: TestRun) -> bool:
    """Whether pytest alone would do otherwise."""
    return bool(plan.only or plan.trace or plan.stop_after_s or plan.stream >= 0)


def started(plan: TestRun) -> str:
    """The program that starts pytest with the plugin."""
    module = plan.recipe.runner == "python -m pytest"
    return _STARTED.format(
        folder="sys.path.append(os.getcwd()); " if module else "", plugin=plan.plugin
    )
