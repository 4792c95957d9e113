"""An agent does a small task in a real sandbox with a scripted model: no key, no provider."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from micro_bench import plugins
from micro_bench.attempts import run as attempts
from micro_bench.edge.patching import patch_paths
from micro_bench.errors import BuildError, NotFoundError
from micro_bench.model.attempt import Finished
from micro_bench.model.provider import GatewaySettings, Provider
from micro_bench.pipeline.demo import example
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.prepare import Prepared, prepare
from micro_bench.pipeline.run.agents import ROOM, Chosen, parse
from micro_bench.pipeline.run.gateways import ways
from micro_bench.pipeline.run.listing import parted
from micro_bench.pipeline.run.products import check_start, equipped
from micro_bench.rehearsal.script import Script, script
from micro_bench.rehearsal.server import ModelServer

FILE = "rehearsal.txt"
STEPS = script([
    {"text": "I write the file first."},
    {"write": {"path": FILE, "content": "answer = 41\n"}},
    {"read": FILE},
    {"edit": {"path": FILE, "old": "answer = 41\n", "new": "answer = 42\n"}},
    {"shell": f"grep -c 42 {FILE}"},
    {"finish": "The answer is 42 now."},
])  # fmt: skip
PROVIDER, MODEL = "scripted", "scripted-1"
KEY = "REHEARSAL_KEY"
ARGUMENTS = {"aider": "--edit-format diff"}
"""What an agent needs beside to follow the script: whole files are aider's way with a model that
it does not know."""


@dataclass(frozen=True)
class Rehearsed:
    """How it went."""

    agent: str
    version: str
    sandbox: str
    seconds: float
    requests: int
    tokens: int
    calls: int
    problems: tuple[str, ...]
    log: str
    """The end of what the agent printed."""

    def row(self) -> dict[str, Any]:
        """For a table."""
        return {
            "agent": self.agent, "version": self.version, "works": not self.problems,
            "seconds": round(self.seconds, 1), "requests": self.requests, "tokens": self.tokens,
            "calls": self.calls, "sandbox": self.sandbox, "problems": "; ".join(self.problems),
        }  # fmt: skip

    def raise_if_wrong(self) -> None:
        """Raises BuildError with the agent's last words where something did not work."""
        if self.problems:
            raise BuildError(
                f"{self.agent} {self.version} does not work here: {'; '.join(self.problems)}\n"
                f"{self.log}",
                next_step="another version: `micro-bench agents check AGENT@VERSION`",
            )


def rehearse(line: Line, text: str) -> Rehearsed:
    """Have an agent do it.

    Raises:
        NotFoundError: There is no such agent, or it asks no model.
        BuildError: It cannot be installed, or does not start in the example's slice.
    """
    kind, version = parted(text)
    plugin = plugins.load(ROOM, kind)
    if plugin.TOOLBOX is None:
        raise NotFoundError(f"{kind} is not installed from anywhere: there is nothing to check")
    here = example(line)
    task = min(here.specs.tasks(), key=lambda task: (task.tier.number, task.id))
    prepared = prepare(here, task)
    (agent,) = equipped(here, parse([_described(kind, version)], "none"))
    check_start(here, agent, prepared.image, task.limits)
    return _rehearsed(here, prepared, agent, STEPS)


def _described(kind: str, version: str) -> str:
    options = [f"model={PROVIDER}/{MODEL}"]
    options += [f"version={version}"] if version else []
    options += [f'args="{ARGUMENTS[kind]}"'] if kind in ARGUMENTS else []
    return f"{kind}={kind}:{','.join(options)}"


def _rehearsed(line: Line, prepared: Prepared, agent: Chosen, steps: Script) -> Rehearsed:
    with ModelServer(steps) as server, tempfile.TemporaryDirectory() as folder:
        tried = _attempt(line, prepared, agent, server, Path(folder))
        log = (Path(folder) / "agent.log").read_bytes()[-1500:].decode("utf-8", "replace")
    used, asked = tried.metered, server.model_requests()
    assert used is not None  # noqa: S101 - it had a way out
    calls = sum(len(step.calls) for step in tried.session.steps)
    problems = tuple(_problems(tried, calls, len(asked)))
    return Rehearsed(
        agent.ref.kind, agent.ref.version, line.backend.name, tried.timings.agent_command,
        used.requests, used.tokens.total, calls, problems, log,
    )  # fmt: skip


def _attempt(
    line: Line, prepared: Prepared, agent: Chosen, server: ModelServer, folder: Path
) -> attempts.Tried:
    provider = Provider(
        base_url=server.url, wires=tuple(agent.plugin.WIRES), key_env=KEY, prices=None
    )
    gateway = GatewaySettings(providers={PROVIDER: provider})
    settings = type(line.settings).model_validate({**dict(line.settings), "gateway": gateway})
    with ways(settings, folder, (agent,), {KEY: str(server.key)}) as ways_of:
        way = ways_of(agent)
        assert way is not None  # noqa: S101 - it asks a model
        what = attempts.Assignment(
            prepared.task, prepared.image, agent.ref, agent.plugin, 1, None, {}, {}, patch_paths,
            (FILE,), attempts.HowTested(), agent.toolbox, {}, way.opens, model=way.model,
        )  # fmt: skip
        return attempts.attempt(line.start, what, folder)


def _problems(tried: attempts.Tried, calls: int, asked: int) -> Iterator[str]:
    outcome, used = tried.outcome, tried.metered
    if not isinstance(outcome, Finished):
        yield f"it ended as {outcome.kind}: {getattr(outcome, 'message', '')}".rstrip(": ")
    if b"+answer = 42" not in tried.patch:
        yield "its patch is not what the script does"
    if used is None or not used.requests:
        yield "nothing went through the gateway"
    elif used.requests < asked or any(model.unmetered for model in used.models):
        yield "not all that it asked was metered"
    if not calls:
        yield "none of its calls of tools could be read from what it prints"
