"""Agents that are installed: found on the shelf or installed before a run begins."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

from micro_bench.attempts.agents._agent import Toolbox
from micro_bench.attempts.toolboxes.shelf import Kept, Shelf
from micro_bench.edge.files import write_atomic
from micro_bench.errors import BuildError
from micro_bench.model.attempt import AgentRef
from micro_bench.model.image import Image
from micro_bench.model.task import Limits
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.run.agents import Chosen
from micro_bench.sandboxes._sandbox import StartRequest

DEADLINE_S = 120
NEWEST = ("", "latest")


def shelf(line: Line) -> Shelf:
    """The toolboxes of this machine."""
    return Shelf(line.settings.cache_dir)


def equipped(line: Line, agents: Sequence[Chosen]) -> tuple[Chosen, ...]:
    """The agents with their toolboxes; what is missing is installed now, never in an attempt.

    Raises:
        BuildError: One can not be installed.
    """
    return tuple(_equipped(line, agent) for agent in agents)


def _equipped(line: Line, agent: Chosen) -> Chosen:
    if agent.plugin.TOOLBOX is None:
        return agent
    wanted = agent.ref.options.get("version", "")
    kept = None if wanted == "latest" else shelf(line).find(agent.ref.kind, wanted)
    if kept is None:
        kept = install(line, agent.ref.kind, agent.plugin.TOOLBOX, wanted)
    options = {
        **agent.ref.options, "version": kept.ref.version,
        "toolbox": f"sha256:{kept.ref.digest[:12]}",
    }  # fmt: skip
    ref = AgentRef(
        name=agent.ref.name, kind=agent.ref.kind, version=kept.ref.version, options=options
    )
    return replace(agent, ref=ref, toolbox=kept)


def install(line: Line, kind: str, toolbox: Toolbox, version: str = "") -> Kept:
    """Install one; what it takes is told."""
    line.tell(f"installing {kind}{'@' + version if version not in NEWEST else ''}")
    kept = shelf(line).install(kind, toolbox, "" if version in NEWEST else version)
    line.tell(f"installed {kind} {kept.ref.version} ({kept.ref.bytes / 2**20:.0f} MB)")
    return kept


def check_start(line: Line, agent: Chosen, image: Image, limits: Limits) -> str:
    """What an installed agent says of itself in a sandbox of an image.

    An older libc, another machine or a broken program show here, before any attempt.

    Raises:
        BuildError: It does not start there, with its last words.
    """
    kept, toolbox = agent.toolbox, agent.plugin.TOOLBOX
    if kept is None:
        return ""
    mark = line.settings.cache_dir / "toolboxes" / "starts" / (
        f"{kept.ref.digest[:20]}-{image.base_digest.removeprefix('sha256:')[-20:]}"
    )  # fmt: skip
    if mark.is_file():
        return mark.read_text(encoding="utf-8")
    output = io.BytesIO()
    sandbox = line.start(StartRequest(image, limits, toolbox=str(kept.folder), services=False))
    try:
        command = (*kept.ref.command(sandbox.places.toolbox), toolbox.probe)
        env = {"HOME": f"{sandbox.places.bench}"}
        ended = sandbox.run(command, output=output, deadline_s=DEADLINE_S, env=env)
    finally:
        sandbox.close()
    said = output.getvalue().decode("utf-8", "replace").strip()
    if ended.exit_code != 0:
        raise BuildError(
            f"{kept.ref.agent} {kept.ref.version} does not start in the image of {image.task} "
            f"(Python {image.python}, exit code {ended.exit_code}): {said[-500:] or 'no word'}",
            next_step="try another version (`-a KIND:version=...`); a program that wants a newer "
            "libc than the image has says so",
        )
    last = said.splitlines()[-1][:100] if said else ""
    write_atomic(mark, last.encode())
    return last
