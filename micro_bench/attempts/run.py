"""One attempt: brief in, patch and typed outcome out."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from micro_bench.attempts.agents._agent import Brief, Command, Gateway
from micro_bench.attempts.harvest import GIT_LIMIT, Harvest, Wanted, harvest, put_git
from micro_bench.attempts.redacted import Redacted
from micro_bench.attempts.sizes import changed_lines
from micro_bench.attempts.toolboxes.shelf import Kept
from micro_bench.attempts.way_out import OpenLease, WayOut
from micro_bench.edge import clock
from micro_bench.edge.archive import Entry, pack, unpack
from micro_bench.edge.git_output import printable
from micro_bench.edge.resources import package_file
from micro_bench.errors import EngineError
from micro_bench.model.attempt import (
    AgentFailed,
    AgentRef,
    BudgetStop,
    Finished,
    HarvestNote,
    InfraFailed,
    Outcome,
    PatchRef,
    Timings,
)
from micro_bench.model.image import Image
from micro_bench.model.session import Session
from micro_bench.model.task import Limits, Task
from micro_bench.model.usage import Metered
from micro_bench.sandboxes._sandbox import Ended, Places, Sandbox, Start, StartRequest

CANNOT_START = (126, 127)
TAIL = 2000
LEFT_LIMIT = 50 * 2**20
"""Bytes of a file in which an agent tells of its work."""
VARIABLE_LIMIT = 100_000
"""Bytes of the instruction in an environment variable."""
IDENTITY = {
    f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "agent"), ("EMAIL", "agent@localhost"))
}  # fmt: skip
"""For commits anywhere: git guesses none in a sandbox."""
PathsOf = Callable[[bytes], tuple[str, ...]]


@dataclass(frozen=True)
class HowTested:
    """How a repository's tests are started."""

    program: str = "pytest"
    """`pytest`, or `python -m pytest`."""
    folder: str = ""
    """Below the top; empty for the top itself."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables beside those of the sandbox."""


@dataclass(frozen=True)
class Assignment:
    """An agent's one try at a task."""

    task: Task
    image: Image
    agent: AgentRef
    plugin: ModuleType
    number: int
    patch: bytes | None
    """What the agent needs of ours: the gold patch, a recording, or nothing."""
    secrets: Mapping[str, str]
    """Values of the environment variables that the agent's options name. Never stored."""
    files: Mapping[str, bytes]
    """The agent's own files, laid below `agent/` of the bench folder."""
    paths_of: PathsOf
    """Reads the paths out of a patch."""
    added: tuple[str, ...] = ()
    """Paths that the gold patch adds: they count even where `.gitignore` names them."""
    tested: HowTested = HowTested()
    """How the tests are started: what the agent sees when it runs them is what grading sees."""
    toolbox: Kept | None = None
    """The agent's program, where it is one that is installed."""
    config: Mapping[str, bytes] = field(default_factory=dict)
    """The team's own configuration of the agent."""
    lease: OpenLease | None = None
    """Opens the one way out for this attempt; None for agents that ask no model."""
    limits: Limits | None = None
    """In place of the spec's."""
    template: str = ""
    """Of the instruction; empty for the program's own."""
    model: str = ""
    """What the agent calls the model it is to ask; empty for its own, or none."""

    @property
    def bounds(self) -> Limits:
        """The limits that hold."""
        return self.limits or self.task.limits

    @property
    def name(self) -> str:
        """`task/agent/number`, as it is stored."""
        return f"{self.task.id}/{self.agent.name}/{self.number}"


@dataclass(frozen=True)
class Tried:
    """How it went."""

    outcome: Outcome
    patch: bytes
    timings: Timings
    instruction: str
    metered: Metered | None = None
    """What went through the gateway; None where there was none."""
    session: Session = field(default_factory=Session)
    """What the agent says of its own work."""


def instruction(what: Assignment, places: Places) -> str:
    """The text the agent reads. Everything in it comes from the task's own words."""
    task, how = what.task, what.tested
    environment = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True,
                                       keep_trailing_newline=True)  # fmt: skip
    return environment.from_string(what.template or own_template()).render(
        title=task.title, instruction=task.instruction.strip(), work=places.work,
        tests=f"{places.venv}/bin/{how.program}", folder=how.folder, env=sorted(how.env),
        seconds=round(what.bounds.agent_s), network=what.agent.options.get("network", "none"),
    )  # fmt: skip


def own_template() -> str:
    """The program's own template of the instruction."""
    return package_file("attempts/instruction.md.j2").decode()


def request(what: Assignment) -> StartRequest:
    """What the attempt's sandbox is started with."""
    return StartRequest(
        what.image, what.bounds, what.agent.options.get("network", "none"),
        {"task": what.task.id, "agent": what.agent.name, "number": str(what.number)},
        way_out=what.lease is not None, toolbox=str(what.toolbox.folder) if what.toolbox else "",
    )  # fmt: skip


def attempt(start: Start, what: Assignment, folder: Path) -> Tried:
    """Let the agent try; the log is streamed into `folder`.

    An engine that breaks gives `InfraFailed`; every other end is the agent's own.
    """
    begin = clock.monotonic()
    stage = _Stage()
    try:
        return _Try(start, what, folder, begin, stage).run()
    except EngineError as error:
        total = clock.monotonic() - begin
        outcome = InfraFailed(stage=stage.name, message=error.message)
        return Tried(outcome, b"", Timings(total=total), "")


@dataclass
class _Stage:
    """Which step an infrastructure failure fell on."""

    name: str = "start"


@dataclass
class _Try:
    start: Start
    what: Assignment
    folder: Path
    begin: float
    stage: _Stage

    def run(self) -> Tried:
        """Start, run, take the patch, name the outcome."""
        what = self.what
        sandbox = self.start(request(what))
        started = clock.monotonic()
        try:
            with WayOut(what.lease, what.name, sandbox, self.folder) as way:
                brief = self._brief(sandbox.places, way)
                self.stage.name = "agent"
                command = what.plugin.command(brief)
                ended = self._run_agent(sandbox, command, brief, way)
            left = clock.monotonic()
            self.stage.name = "harvest"
            session = self._session(sandbox, command, way)
            starved = ended.exit_code not in (0, None) and sandbox.out_of_memory()
            dead = ended.timed_out or (starved and not sandbox.alive())
            taken = self._take(sandbox, frozen=dead)
        finally:
            sandbox.close()
        outcome = self._outcome(ended, taken, way, starved=starved)
        if way.broken:
            outcome = InfraFailed(stage="model", message=way.broken)
        timings = Timings(
            total=clock.monotonic() - self.begin, start=started - self.begin,
            agent_command=ended.seconds, harvest=clock.monotonic() - left,
        )  # fmt: skip
        kept = taken.patch if isinstance(outcome, Finished | BudgetStop) else b""
        return Tried(outcome, kept, timings, brief.instruction, way.metered, session)

    def _brief(self, places: Places, way: WayOut) -> Brief:
        what = self.what
        text = instruction(what, places)
        program = what.toolbox.ref.command(places.toolbox) if what.toolbox else ()
        gateway = Gateway(way.url, way.key) if way.key else None
        model = {"model": what.model} if what.model else {}
        options = {**what.agent.options, **model}
        return Brief(
            what.task.id, what.number, text, places, options, what.patch, program,
            gateway, what.config,
        )  # fmt: skip

    def _files(self, command: Command, brief: Brief) -> bytes:
        """What lies in the bench folder before the agent starts."""
        files = {**self.what.files, **command.files}
        entries = [
            Entry("task/instruction.md", brief.instruction.encode()),
            *(Entry(f"agent/{name}", content, 0o100755) for name, content in files.items()),
        ]
        return pack(entries)

    def _run_agent(self, sandbox: Sandbox, command: Command, brief: Brief, way: WayOut) -> Ended:
        places = sandbox.places
        env = {
            **self.what.tested.env,
            "MICRO_BENCH_TASK": brief.task,
            "MICRO_BENCH_ATTEMPT": str(brief.number),
            "MICRO_BENCH_INSTRUCTION": _for_environment(brief.instruction, places),
            "MICRO_BENCH_INSTRUCTION_FILE": f"{places.bench}/task/instruction.md",
            "MICRO_BENCH_AGENT_FILES": f"{places.bench}/agent",
            **IDENTITY,
            **command.env,
            **self.what.secrets,
        }
        with (self.folder / "agent.log").open("wb") as log:
            output = Redacted(log, (*self.what.secrets.values(), way.key))
            with way.ending():
                ended = sandbox.run(
                    way.command(command.argv), output=output, env=env,
                    deadline_s=self.what.bounds.agent_s, files=self._files(command, brief),
                )  # fmt: skip
            output.finish()
        return ended

    def _session(self, sandbox: Sandbox, command: Command, way: WayOut) -> Session:
        """Read from what it printed and left. Its words are hostile: they are data, and bounded."""
        files = dict[str, str]()
        secrets = (*self.what.secrets.values(), way.key)
        for name in command.leaves:
            with suppress(EngineError):  # it left none, or a huge one
                tar = sandbox.get(f"{sandbox.places.bench}/agent/{name}", LEFT_LIMIT)
                files[name] = _text(next(iter(unpack(tar))).content, secrets)
        log = self.folder / "agent.log"
        found: Session = self.what.plugin.session(_text(log.read_bytes(), secrets), files)
        return found

    def _take(self, sandbox: Sandbox, *, frozen: bool) -> Harvest:
        """At the deadline everything is dead; the patch is what was on disk at that moment.

        The same way is taken where the agent's leftovers let no further command start, or disturb
        what takes the patch.
        """
        if not frozen:
            try:
                taken = self._harvest(sandbox)
            except EngineError:
                if not sandbox.alive():
                    raise
                taken = Harvest(b"", way_out="frozen")
            if taken.way_out != "frozen":
                return taken
        copy = sandbox.frozen()
        try:
            taken = self._harvest(copy)
        finally:
            copy.close()
        return taken if frozen else _noted(taken, "taken from a copy without any process")

    def _harvest(self, sandbox: Sandbox) -> Harvest:
        """With the objects of the agent's repository, or, where it has lost them, the image's."""
        what, work = self.what, sandbox.places.work
        limit = int(what.bounds.patch_mb * 2**20)
        wanted = Wanted(what.image.work_commit, limit, what.added)
        taken = harvest(sandbox, wanted, f"{work}/.git/objects")
        if taken.way_out != "objects":
            return taken
        pristine = self.start(StartRequest(what.image, what.bounds, services=False))
        try:
            git = pristine.get(f"{work}/.git", GIT_LIMIT)
        finally:
            pristine.close()
        objects = put_git(sandbox, git, secrets.token_hex(8))
        taken = harvest(sandbox, wanted, objects)
        return _noted(taken, "the agent's repository had lost the root commit")

    def _outcome(self, ended: Ended, taken: Harvest, way: WayOut, *, starved: bool) -> Outcome:
        tail = _tail(self.folder / "agent.log")
        if taken.problem:
            words = f"{taken.problem}\n{tail}"
            return AgentFailed(exit_code=ended.exit_code, tail=words, notes=taken.notes)
        patch = PatchRef(
            sha256=hashlib.sha256(taken.patch).hexdigest(), bytes=len(taken.patch),
            files=tuple(printable(path) for path in self.what.paths_of(taken.patch)),
            lines=changed_lines(taken.patch),
        )  # fmt: skip
        if limit := way.stopped or self._limit(ended, starved=starved):
            return BudgetStop(limit=limit, patch=patch, notes=taken.notes)
        code = ended.exit_code
        if code in CANNOT_START or (code != 0 and not taken.patch):
            return AgentFailed(exit_code=code, tail=tail, notes=taken.notes)
        return Finished(patch=patch, exit_code=code or 0, notes=taken.notes)

    def _limit(self, ended: Ended, *, starved: bool) -> str:
        """The limit of the sandbox that was reached."""
        limits = self.what.bounds
        if ended.timed_out:
            return f"wall time of {limits.agent_s:g} s"
        return f"memory of {limits.memory_mb} MB" if starved else ""


def _text(content: bytes, secrets: Iterable[str]) -> str:
    """As text, with secrets masked."""
    masked = io.BytesIO()
    output = Redacted(masked, secrets)
    output.write(content)
    output.finish()
    return masked.getvalue().decode("utf-8", "replace")


def _noted(taken: Harvest, text: str) -> Harvest:
    """With the way it was taken."""
    return replace(taken, notes=(HarvestNote(text=text), *taken.notes))


def _for_environment(text: str, places: Places) -> str:
    """The instruction as a variable: no system takes one of any length (Linux: 128 KiB)."""
    if len(text.encode("utf-8", "surrogateescape")) <= VARIABLE_LIMIT:
        return text
    mark = f"[cut here; the whole text is in {places.bench}/task/instruction.md]"
    kept = text.encode("utf-8", "surrogateescape")[:VARIABLE_LIMIT].decode("utf-8", "ignore")
    return f"{mark}\n\n{kept}\n\n{mark}\n"


def _tail(log: Path) -> str:
    data = log.read_bytes() if log.exists() else b""
    return data[-TAIL:].decode("utf-8", "replace")
