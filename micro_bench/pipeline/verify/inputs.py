"""Everything that decides a result, and whether a stored one still holds.

A key counts unless it stands below as harmless, with its reason: what somebody adds to a spec, to
the recipe or to the settings makes old results outdated by itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from micro_bench.edge import host
from micro_bench.languages._recipe import Recipe
from micro_bench.model.image import Verification
from micro_bench.model.task import Task
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Prepared
from micro_bench.settings import Settings

HARMLESS_IN_RECIPES = {"schema_version": "how the file is written, not what is executed"}
HARMLESS_IN_SETTINGS = {
    "schema_version": "how the file is written, not what is executed",
    "workspace": "where the files are",
    "jobs": "how many sandboxes work at a time; each has its own limits",
    "backend": "the image's key differs, and the isolation is compared by itself",
    "engine_socket": "where the engine is; its name and version are in the isolation",
    "engine_install": "whether an engine may be installed",
    "allow_unsandboxed": "the isolation is compared by itself",
    "agent_network": "part of the agent's options, which are in the plan of a run",
    "use_registry": "the base image's id is in the image's key",
    "base_images": "the base image's id is in the image's key",
    "registry": "where finished images are sent",
    "cache_dir": "where what can be fetched again is kept",
    "github_api": "read by importing alone",
    "github_token_env": "read by importing alone",
    "k": "in the plan of a run by itself; no verification reads it",
    "repetitions": "compared by itself: more of them hold where fewer are asked for",
    "limits": "copied into specs when they are drafted, and counted there",
    "findings": "what people are told of tasks; no execution reads it",
    "gateway": "how agents reach models: no execution of tests asks one",
    "costs": "what is added up when attempts are graded; stored with each run",
    "targets": "what grades are held to afterwards; stored with each run",
    "use_cases": "how results are grouped",
    "log_level": "what is told",
}
VERSION = "version of micro-bench"


@dataclass(frozen=True)
class Told:
    """What a verification says of its inputs, without the rest of it."""

    task_digest: str
    recipe_digest: str | None
    settings_digest: str | None
    harness: str


@dataclass(frozen=True)
class Inputs:
    """What decides a task's results, apart from its image."""

    spec: str
    recipe: str
    settings: str
    harness: str

    @classmethod
    def of(cls, task: Task, recipe: Recipe, settings: Settings) -> Inputs:
        """As they are now."""
        return cls(
            task.execution_digest(), recipe.digest_without(HARMLESS_IN_RECIPES),
            settings.digest_without(HARMLESS_IN_SETTINGS), host.harness_version(),
        )  # fmt: skip

    def changed(self, found: Verification | Told) -> tuple[str, ...]:
        """What is different from when this verification was made, in words."""
        then = (found.task_digest, found.recipe_digest, found.settings_digest, found.harness)
        now = (self.spec, self.recipe, self.settings, self.harness)
        names = ("spec", "recipe", "settings", VERSION)
        told = zip(names, then, now, strict=True)
        changed = (VERSION if old is None else name for name, old, new in told if old != new)
        return tuple(dict.fromkeys(changed))


def inputs(line: Line, task: Task) -> Inputs:
    """What decides a task's results in this workspace, now."""
    return Inputs.of(task, line.specs.recipe(task.repo.name), line.settings)


def holds(line: Line, found: Verification, prepared: Prepared) -> bool:
    """Whether executing it again would execute the very same."""
    image = prepared.image
    return (
        not inputs(line, prepared.task).changed(found)
        and (found.image_key, found.image_digest) == (image.key, image.digest)
        and found.isolation == line.backend.isolation()
    )


def grading_digest(found: Verification) -> str:
    """Over what decides the grading of an attempt beside its spec and its image."""
    parts = [found.recipe_digest or "", found.settings_digest or "", found.isolation]
    parts += [test.id for test in found.fail_to_pass]
    parts += ["", *found.pass_to_pass, "some" if found.scope else ""]
    parts += ["", *found.xfailed, "", *found.repeated]
    parts += [f"{gate} {why}" for gate, why in sorted(found.waived_gates.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
