"""What is handed in beside the tests: a plugin of pytest that runs some only, or traces them."""

from __future__ import annotations

import inspect
import json

from micro_bench.languages._language import PASSED_OVER, TestRun
from micro_bench.languages.python.testing import _selecting

_STARTED = (
    "import os, runpy, sys; sys.path.pop(0); import pytest; {folder}"
    "sys.exit(pytest.main(plugins=runpy.run_path({plugin!r})['made']()))"
)
"""As pytest's own script does it, with the plugins."""


def test_plugin(plan: TestRun) -> str:
    """The plugin's text with its settings; empty where all tests run and none is traced."""
    if not is_needed(plan):
        return ""
    settings = {
        "stop_after_s": plan.stop_after_s,
        "whole": plan.whole,
        "passed_over": PASSED_OVER,
        "only": plan.only,
        "trace": {"work": plan.work, **plan.trace.model_dump()} if plan.trace else None,
    }
    text = json.dumps(json.dumps(settings))
    return (
        f"{inspect.getsource(_selecting)}\n\nimport json\n\nSETTINGS.update(json.loads({text}))\n"
    )


def is_needed(plan: TestRun) -> bool:
    """Whether pytest alone would do otherwise."""
    return bool(plan.only or plan.trace or plan.stop_after_s)


def started(plan: TestRun) -> str:
    """The program that starts pytest with the plugin."""
    module = plan.recipe.runner == "python -m pytest"
    return _STARTED.format(
        folder="sys.path.append(os.getcwd()); " if module else "", plugin=plan.plugin
    )
