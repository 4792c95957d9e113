"""Scores -> reports in every format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from micro_bench import plugins
from micro_bench.attempts.conduct import calls_of, conduct
from micro_bench.attempts.sizes import changed_lines
from micro_bench.edge.files import write_atomic
from micro_bench.edge.garbage import uncollected
from micro_bench.errors import BadInputError
from micro_bench.model.attempt import Attempt, BudgetStop, Finished, PatchRef
from micro_bench.model.rates import CostRates, Targets
from micro_bench.model.report import Report, RunFacts, SkippedTask, TaskFacts
from micro_bench.model.run import RunLock
from micro_bench.reports.tabulate import tabulate
from micro_bench.store import RunStore

FORMATS = "reports.formats"
DEFAULT_KS = (1, 3, 5)


@uncollected()
def build(store: RunStore, ks: Sequence[int] = ()) -> Report:
    """Tabulate a run: every stored attempt with its latest score."""
    attempts = store.attempts()
    if store.lock.targets is None:
        attempts = tuple(_told(store, one) for one in attempts)
    return tabulate(facts(store.lock, ks), attempts, store.scores())


def _told(store: RunStore, attempt: Attempt) -> Attempt:
    """Of a run of an older version: what is now kept with an attempt, out of its files."""
    folder = store.root / "attempts" / attempt.id
    known: dict[str, object] = {}
    if (folder / "transcript.json").is_file():
        known["conduct"] = conduct(calls_of((folder / "transcript.json").read_bytes()), ())
    outcome = attempt.outcome
    if isinstance(outcome, Finished | BudgetStop) and (folder / "patch.diff").is_file():
        lines = changed_lines((folder / "patch.diff").read_bytes())
        sized = PatchRef.model_validate({**dict(outcome.patch), "lines": lines})
        known["outcome"] = {**dict(outcome), "patch": sized}
    return Attempt.model_validate({**dict(attempt), **known})


def facts(lock: RunLock, ks: Sequence[int]) -> RunFacts:
    """What was to be run, out of the run's lock."""
    wanted = tuple(sorted(set(ks))) or tuple(
        sorted({k for k in DEFAULT_KS if k < lock.k} | {lock.k})
    )
    return RunFacts(
        run=lock.run, created=lock.created, harness=lock.harness, agents=lock.agents, ks=wanted,
        tasks=tuple(
            TaskFacts.model_validate(
                {"id": t.id, "title": t.title, "tier": t.tier, "effort": t.effort,
                 "reviewed": t.reviewed, "repetitions": t.repetitions, "twins": t.twins,
                 "environment": t.environment, "level": t.level, "packages": t.packages,
                 "labels": t.labels, "use_case": t.use_case, "graded_by": t.grading}
            )
            for t in lock.tasks
        ),
        isolation=lock.isolation, rates=lock.rates or CostRates(),
        targets=lock.targets or Targets(), prompt=lock.prompt, host=lock.host,
        demo=lock.demo, part=lock.part, planned=lock.k,
        skipped=tuple(SkippedTask(id=s.task, reason=s.reason) for s in lock.skipped),
    )  # fmt: skip


def formats() -> tuple[str, ...]:
    """The names of the formats there are."""
    return tuple(plugins.discover(FORMATS))


def render(report: Report, name: str) -> str:
    """One format's text.

    Raises:
        BadInputError: It is no text.
    """
    content: str | bytes = plugins.load(FORMATS, name).render(report)
    if isinstance(content, bytes):
        raise BadInputError(
            f"the format {name} is no text", next_step="it is written as a file beside the run"
        )
    return content


@uncollected()
def write(store: RunStore, report: Report, names: Sequence[str] = ()) -> dict[str, Path]:
    """Write the report's files beside the run; format -> path."""
    known = plugins.discover(FORMATS)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise BadInputError(f"no such format: {', '.join(unknown)} (there are {', '.join(known)})")
    written = {}
    for name in names or known:
        path = store.root / f"report.{known[name].SUFFIX}"
        content = known[name].render(report)
        write_atomic(path, content if isinstance(content, bytes) else content.encode())
        written[name] = path
    return written
