"""What to do after a command: a line for people, `next_steps` in JSON for programs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from micro_bench import errors
from micro_bench.cli import _context
from micro_bench.errors import MicroBenchError

if TYPE_CHECKING:
    from micro_bench.pipeline.commands import Ran, Rescored
    from micro_bench.pipeline.demo import Shown
    from micro_bench.pipeline.images.keeping import Pruned, Usage
    from micro_bench.pipeline.images.moving import Pushed, Saved, Taken
    from micro_bench.pipeline.intake.importing import Imported
    from micro_bench.pipeline.verify.verifying import Verified

PROGRAM = "micro-bench"
_QUOTED = re.compile(rf"`({PROGRAM}[^`]*)`")


@dataclass(frozen=True)
class Step:
    """One thing to do."""

    command: str
    """Ready to be typed where the command before it was; empty if it is no command of ours."""
    why: str

    def __str__(self) -> str:
        return f"{self.command}  ({self.why})" if self.command else self.why


Steps = Sequence[Step]


def step(command: str, why: str, *, workspace: object = None) -> Step:
    """A command of ours, in the workspace that the command before it was told."""
    where = workspace or _context.chosen()
    words = [PROGRAM, *(["-w", shlex.quote(str(where))] if where else []), command]
    return Step(" ".join(words), why)


def as_json(steps: Steps) -> list[dict[str, str]]:
    """The value of `next_steps`."""
    return [asdict(one) for one in steps]


ANYWAY: dict[type[MicroBenchError], str] = {
    errors.BadInputError: "correct it, then give the same command again",
    errors.NotFoundError: "`micro-bench --help` has the commands that list what there is",
    errors.EngineError: "`micro-bench doctor` tells what this machine lacks",
    errors.BuildError: "`micro-bench doctor` tells what this machine lacks",
    errors.RegistryError: "what was pushed stays there; the same command goes on",
    errors.TrackerError: "the same command goes on where it stopped",
    errors.StorageError: "make the place writable or free some space; the same command goes on",
}
"""What to do about an error that says nothing of its own."""


def text_of(error: MicroBenchError) -> str:
    """What the error says is to be done, or what holds for its kind."""
    return error.next_step or ANYWAY.get(type(error), "`micro-bench --help` shows the commands")


def of_error(text: str) -> tuple[Step, ...]:
    """An error's next step; its command apart, where it names one."""
    if text.startswith(f"{PROGRAM} "):
        return (Step(text, "mends what went wrong"),)
    named = _QUOTED.search(text)
    return (Step(named.group(1) if named else "", text),)


def after_init(folder: Path) -> Steps:
    """The machine, then the tickets."""
    where = None if folder.resolve() == Path.cwd() else folder
    why = "tickets out of a clone of your repository; no tracker is needed"
    return (
        step("doctor", "what this machine lacks, with the mends", workspace=where),
        step("import CLONE", why, workspace=where),
    )


def after_settings() -> Steps:
    """Whether the machine can do what they say."""
    return (step("doctor", "whether this machine can do that"),)


def after_doctor(fixes: Sequence[tuple[str, str]], *, able: bool) -> Steps:
    """The mends; where none is needed, the work."""
    mends = [Step(fix, f"mends: {name}") for fix, name in fixes]
    return (*mends, *([tickets()] if able else []))


def after_reproduce(into: object) -> Steps:
    """The report of what was graded, where it was kept."""
    if into is None:
        return (step("report", "a run of your own; `--into DIR` would have kept this one"),)
    return (step("report", "what the patches came to here", workspace=into),)


def after_assess(source: str, expected: int) -> Steps:
    """The tasks, if there would be any; a workspace first, if there is none."""
    if not expected:
        why = "another source of tickets, or `recipe.yaml`, may give tasks"
        return (Step(f"{PROGRAM} import --help", why),)
    return (
        Step(f"{PROGRAM} init bench", "a workspace, if you have none"),
        Step(f"{PROGRAM} -w bench import {shlex.quote(source)}", "the tasks, as drafts"),
    )


def after_import(result: Imported) -> Steps:
    """To the drafts, or to what would link more tickets."""
    if not result.written and not result.unchanged:
        return (step("import --help", "no ticket became a task: the reasons are above"),)
    return (
        step("task list", "the tasks; read each spec, then set its status to reviewed"),
        verify(),
    )


def after_suspects(unread: Sequence[str]) -> Steps:
    """A reading of the first, or the report."""
    if not unread:
        return (step("report", "the run's table"),)
    words = f"attempt accept {shlex.quote(unread[0])} --why 'WHAT YOU SAW'"
    return (step(words, "or `attempt reject`, once you have read its patch"),)


def after_reading(run: str) -> Steps:
    """The table anew."""
    return (step(f"report {shlex.quote(run)}", "the run's table with that reading"),)


def after_shell(task: str, at: str) -> Steps:
    """Mend the build, or go on."""
    if at == "failed":
        return (step(f"image {task}", "build it again, once recipe.yaml says what was missing"),)
    return (step(f"verify {task}", "execute it and see"),)


def after_du(found: Usage) -> Steps:
    """Room can be made."""
    if not found.total:
        return (step("image", "build the tasks' images"),)
    return (step("image prune --dry-run", "what no task needs any more"),)


def after_prune(found: Pruned) -> Steps:
    """The same for good, or what is left."""
    if found.dry_run and found.removed:
        return (step("image prune", "remove them"),)
    return (step("image du", "what is left takes"),)


def after_save(found: Saved) -> Steps:
    """On the other machine."""
    words = f"image load {shlex.quote(found.file.name)} --digest {found.sha256}"
    return (Step(f"{PROGRAM} {words}", "on the other machine, in a workspace of its own"),)


def after_load(found: Taken) -> Steps:
    """Proof on this machine."""
    by_hand = (Step("", found.note),) if found.note else ()
    return (*by_hand, step("verify", "prove them on this machine"))


def after_push(found: Pushed) -> Steps:
    """From there."""
    return (Step(f"docker pull {found.images[0]['image']}", "on a machine that reaches it"),)


def after_listing(rows: Sequence[dict[str, object]]) -> Steps:
    """By how far the tasks are."""
    if not rows:
        return (Step(f"{PROGRAM} init DIR", "a workspace, if this is none yet"), tickets())
    waiting = [row for row in rows if row["verified"] != "yes" and row["status"] != "retired"]
    if waiting:
        return (
            step(f"task explain {waiting[0]['task']}", "why it has its tier, links and tests"),
            step("verify", "prove those that are not verified yet"),
        )
    return (controls(),)


def after_explanation(task: str, verified: str) -> Steps:
    """To the proof, or to the run."""
    if verified == "yes":
        return (step(f"run -a oracle -a noop -k 1 -t {task}", "the controls on this task"),)
    return (step(f"verify {task}", "execute it and see"),)


def after_proposal(found: Sequence[Mapping[str, object]]) -> Steps:
    """Into the file, then the check."""
    if all(one["written"] for one in found):
        places = ", ".join(str(one["file"]) for one in found)
        return (
            Step("", f"read {places} and uncomment what you decide"),
            step("recipe check", "every mistake at once"),
        )
    return (step("recipe propose --write", "into recipe.yaml, as comments for review"),)


def after_verify(result: Sequence[Verified]) -> Steps:
    """First the tasks that failed, then the run."""
    broken = [one for one in result if not one.sound]
    steps = [
        step(f"task explain {one.task}", "the evidence, and why not")
        if one.verification
        else step(f"verify {one.task}", "again, once what its message says is mended")
        for one in broken[:3]
    ]
    return (*steps, *([controls()] if len(broken) < len(result) else []))


def after_run(result: Ran) -> Steps:
    """Mend, or read."""
    if result.infra:
        return (step(f"run ... --name {result.run}", "the same command tries the broken again"),)
    return (
        Step("", f"open {result.files['html']}"),
        step(f"report {result.run} -f markdown", "the report again, in the formats you want"),
    )


def after_report(written: Mapping[str, object]) -> Steps:
    """The page is for people, the rest for programs."""
    return (Step("", f"open {written['html']}"),) if "html" in written else (runs(),)


def after_demo(shown: Shown) -> Steps:
    """The page, the workspace, and one's own repository."""
    own = Step(f"{PROGRAM} assess CLONE", "what a clone of your own repository would give")
    return (
        Step("", f"open {shown.ran.files['html']}"),
        step("task list", "the tasks of the demonstration", workspace=shown.workspace),
        own,
    )


def after_score(result: Rescored) -> Steps:
    """The report does not follow by itself."""
    return (step(f"report {result.run}", "a report of the new scores"),)


def after_runs(names: Sequence[object]) -> Steps:
    """The newest is what people look for."""
    if not names:
        return (controls(),)
    return (step(f"report {names[-1]}", "the newest run's report"),)


def runs() -> Step:
    """What there is to report on."""
    return step("runs", "the runs there are")


def verify() -> Step:
    """The proof."""
    return step("verify", "prove the tasks: the base fails, the fix passes, nothing leaks")


def tickets() -> Step:
    return step("import --help", "make tasks of closed tickets: from a clone, or a tracker")


def controls() -> Step:
    return step("run -a oracle -a noop -k 1", "the controls: the first passes all, the second none")
