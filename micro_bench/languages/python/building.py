"""The program that builds a project's extensions inside a sandbox, with its settings."""

from __future__ import annotations

import inspect
import json

from micro_bench.languages._language import BuildPlaces
from micro_bench.languages.python import _building
from micro_bench.model.slice import BuildPlan


def build_program(plan: BuildPlan, places: BuildPlaces) -> str:
    """Its text."""
    settings = {
        "work": places.work,
        "out": places.out,
        "versions": places.versions,
        "steps": [step.model_dump(mode="json") for step in plan.steps],
    }
    text = json.dumps(json.dumps(settings))
    return f"{inspect.getsource(_building)}\n\nmain(json.loads({text}))\n"
