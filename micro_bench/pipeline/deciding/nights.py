"""`nightly`: controls, agents, the gate, once more what is suspicious, all of it written down."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from micro_bench import codec
from micro_bench.edge import clock, http
from micro_bench.edge.files import write_atomic
from micro_bench.errors import NotFoundError, TrackerError
from micro_bench.model.comparison import Night
from micro_bench.model.report import CONTROLS
from micro_bench.paths import Workspace
from micro_bench.pipeline.commands import Ran, RunOptions, run_command
from micro_bench.pipeline.deciding import wording
from micro_bench.pipeline.deciding.cases import junit
from micro_bench.pipeline.deciding.gating import gate, quarantine
from micro_bench.pipeline.line import Line
from micro_bench.pipeline.run.agents import parse
from micro_bench.reports.alarm import AGAIN_TIMES
from micro_bench.settings import Settings
from micro_bench.store import NIGHT, nights, open_run

AGAIN = "again"
Run = Callable[[Line, RunOptions], Ran]


@dataclass(frozen=True)
class Nightly:
    """What a night left."""

    night: Night
    files: dict[str, Path]
    posted: bool
    infra: list[str]
    """Attempts that stay broken."""


def nightly(line: Line, options: RunOptions, webhook: str = "", run: Run = run_command) -> Nightly:
    """The whole job. The same command on the same day goes on with the same run.

    Args:
        line: Where.
        options: As of a run; the controls are added.
        webhook: Name of a variable with the address that a message goes to when the state changes.
        run: Makes a run.

    Raises:
        BadInputError: An entry of the quarantine is past its date; nothing was run.
    """
    quarantine(line.workspace, clock.now().date())  # an entry past its date costs no night
    name = options.name or f"nightly-{clock.now():%Y-%m-%d}"
    ran = run(line, replace(options, agents=_with_controls(options.agents), name=name))
    infra = list(ran.infra)
    night = _gated(line, ran.run)
    worse = {one.agent: one.suspicious for one in night.agents if one.suspicious}
    if night.state == "suspected" and worse:
        line.tell(f"suspected: {', '.join(worse)}; the tasks that did worse run again")
        tasks = tuple(sorted({task for found in worse.values() for task in found}))
        more = run(
            _more_often(line),
            replace(
                options,
                agents=_spoken(options.agents, set(worse)),
                tasks=tasks,
                name=f"{name}-{AGAIN}",
            ),
        )
        infra += more.infra
        night = gate(line, ran.run, more.run)
    files = write(line.workspace, night)
    return Nightly(night, files, _post(line, night, webhook), infra)


def _gated(line: Line, run: str) -> Night:
    """The first nights have no baseline: that is told, and is no alarm."""
    try:
        return gate(line, run)
    except NotFoundError as error:
        night = Night(
            run=run, state="void", summary=f"nothing measurable: {error.message}",
            void=(error.describe(),), created=clock.now(),
        )  # fmt: skip
        codec.save(line.workspace.run(run) / NIGHT, night)
        return night


def _more_often(line: Line) -> Line:
    """The same with more attempts a task."""
    k = line.settings.k * AGAIN_TIMES
    return replace(line, settings=Settings.model_validate({**dict(line.settings), "k": k}))


def _with_controls(agents: tuple[str, ...]) -> tuple[str, ...]:
    return (*agents, *(one for one in CONTROLS if one not in agents))


def _spoken(agents: tuple[str, ...], wanted: set[str]) -> tuple[str, ...]:
    """Of the agents as they were named, those whose names are wanted."""
    found = tuple(one for one in agents if {c.ref.name for c in parse([one], "none")} & wanted)
    return found or agents


def write(workspace: Workspace, night: Night) -> dict[str, Path]:
    """Everything that other programs read, beside the run, before anybody ends."""
    root, lock = workspace.run(night.run), open_run(workspace, night.run).lock
    texts = {
        "summary.md": wording.markdown(night), "metrics.txt": wording.metrics(night),
        "night.junit.xml": junit(night, [task.id for task in lock.tasks]),
        "slack.json": json.dumps(slack(night), indent=1),
        "teams.json": json.dumps(teams(night), indent=1),
    }  # fmt: skip
    for name, text in texts.items():
        write_atomic(root / name, text.encode())
    return {name: root / name for name in (NIGHT, *texts)}


def slack(night: Night) -> dict[str, Any]:
    """A message of Slack's incoming webhooks."""
    lines = [f"*{wording.MARKS[night.state]} {_plain(night.summary)}*"]
    lines += [f"• {_plain(one.agent)}: {_plain(wording.watched(one))}" for one in night.agents]
    text = "\n".join(lines)[:2900]
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    return {"text": _plain(night.summary), "blocks": [section]}


def teams(night: Night) -> dict[str, Any]:
    """An adaptive card, as Microsoft Teams' workflows take it."""
    facts = [{"title": one.agent, "value": wording.watched(one)} for one in night.agents]
    body: list[dict[str, Any]] = [
        {"type": "TextBlock", "text": f"{wording.MARKS[night.state]} {night.summary}",
         "weight": "Bolder", "wrap": True},
        {"type": "FactSet", "facts": facts},
    ]  # fmt: skip
    card = {"type": "AdaptiveCard", "version": "1.4", "body": body}
    return {
        "type": "message",
        "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        ],
    }


def _plain(text: str) -> str:
    """Slack's own three characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _post(line: Line, night: Night, variable: str) -> bool:
    """Tell people when the state is another than last night's; silence otherwise.

    Neither a variable that is not set nor a message that is not taken changes the night's end.
    """
    if not variable:
        return False
    address = os.environ.get(variable, "")
    if not address:
        line.tell(f"the variable {variable} is not set: nobody is told")
        return False
    if night.state == _last_state(line, night):
        return False
    payload: Mapping[str, Any] = teams(night) if is_teams(address) else slack(night)
    try:
        return http.post(address, payload)
    except TrackerError as error:  # the night's own exit code must not be lost for it
        line.tell(error.describe())
        return False


def is_teams(address: str) -> bool:
    """Connectors of Office, and the workflows that took their place."""
    host = (urlsplit(address).hostname or "").lower()
    return host.endswith(
        (".office.com", ".office365.com", ".logic.azure.com", ".powerplatform.com")
    )


def _last_state(line: Line, night: Night) -> str:
    past = (one for one in nights(line.workspace) if one.run != night.run)
    before = [one for one in past if one.created < night.created]
    return before[-1].state if before else "fine"
