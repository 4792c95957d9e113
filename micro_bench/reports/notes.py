"""What a reader must know beside the numbers: warnings of this run, and the method."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from micro_bench.model.image import ENOUGH_TWINS
from micro_bench.model.report import CONTROLS, Cell, Counts, Note, Provenance, RunFacts, TaskRow
from micro_bench.plurals import count
from micro_bench.reports.wording import FEW_TASKS, clean, partial, precision, tier_name


def warnings(
    run: RunFacts,
    cells: Sequence[Cell],
    provenance: Sequence[Provenance],
    isolations: Sequence[str],
    foreign: int,
) -> tuple[str, ...]:
    """In the order of what weighs most. `foreign` attempts were of no listed task or agent."""
    overall = [cell for cell in cells if cell.tier is None]
    return (
        *_demo(run),
        *_part(run),
        *_broken_controls(run, overall),
        *_isolation(isolations),
        *_drafts(run),
        *_one_repetition(run),
        *_forgeable(run),
        *_replays(run),
        *_environments(run),
        *_levels(run),
        *_lost_attempts(overall),
        *_few_tasks(run, cells),
        *_too_few_attempts(overall),
        *_changed(provenance),
        *(
            [f"{count(foreign, 'attempt')} left out: of no task or agent of this run."]
            if foreign
            else []
        ),
    )


def _demo(run: RunFacts) -> Iterator[str]:
    if run.demo:
        yield (
            "Demonstration: the agents are scripted. The numbers show how a report reads; "
            "they say nothing about any product."
        )


def _part(run: RunFacts) -> Iterator[str]:
    if run.part:
        yield f"Part only: {clean(run.part)}."


def _broken_controls(run: RunFacts, overall: Sequence[Cell]) -> Iterator[str]:
    kinds = {agent.name: agent.kind for agent in run.agents}
    for cell in overall:
        rates = cell.all_gates
        wrong = {"oracle": rates.attempts - rates.passes, "noop": rates.passes}
        bad = wrong.get(kinds[cell.agent], 0)
        if bad:
            did = "did not pass" if kinds[cell.agent] == "oracle" else "passed"
            yield (
                f"Void: the control {cell.agent} {did} in {bad} of "
                f"{count(rates.attempts, 'attempt')}. "
                "Find out why before you read any other number of this run."
            )


_UNCONFINED = "plain process"
"""What a sandbox that confines nothing says of itself."""


def _isolation(isolations: Sequence[str]) -> Iterator[str]:
    open_ones = [clean(name) for name in isolations if _UNCONFINED in name.lower()]
    if open_ones:
        yield (
            f"Isolation was {', '.join(open_ones)}: attempts were not fenced off from the "
            "machine. Use it for a first look only."
        )
    if len(isolations) > 1:
        yield f"Attempts ran under different isolation: {'; '.join(map(clean, isolations))}."


def _environments(run: RunFacts) -> Iterator[str]:
    """Each finding once, with the tasks it is of."""
    found: dict[str, list[str]] = {}
    for task in run.tasks:
        for words in task.environment:
            found.setdefault(words, []).append(task.id)
    for words, tasks in found.items():
        yield f"Environment of {', '.join(map(clean, tasks))}: {clean(words)}."


def _levels(run: RunFacts) -> Iterator[str]:
    """Rates over what is not alike: tier by tier, and over all of them."""
    whole = Counter(task.level.value for task in run.tasks if task.level)
    if len(whole) < 2:
        return
    mixed = [
        f"tier {tier}: {_counted(levels)}"
        for tier in sorted({task.tier for task in run.tasks})
        if len(levels := Counter(t.level.value for t in run.tasks if t.tier == tier and t.level))
        > 1
    ]
    within = f"; {', '.join(mixed)}" if mixed else "; within each tier they are alike"
    yield (
        f"Slices of different levels are taken together: {_counted(whole)}{within}. An agent that "
        "sees the whole repository has another task than one that sees a part of it: compare "
        "within one level."
    )


def _counted(levels: Counter[str]) -> str:
    return ", ".join(f"{number} {level}" for level, number in sorted(levels.items()))


def _drafts(run: RunFacts) -> Iterator[str]:
    drafts = [task for task in run.tasks if not task.reviewed]
    if drafts and not run.demo:
        yield (
            f"Drafts: {len(drafts)} of {count(len(run.tasks), 'task')}. Nobody has read whether "
            "the ticket's text asks for what its tests check."
        )


FEWEST_REPETITIONS = 2
"""A test that once passes and once fails is seen only where it is executed twice."""


def _one_repetition(run: RunFacts) -> Iterator[str]:
    once = [
        t for t in run.tasks if t.repetitions is not None and t.repetitions < FEWEST_REPETITIONS
    ]
    if once:
        yield (
            f"Verified with one repetition: {len(once)} of {count(len(run.tasks), 'task')}. A test "
            "that passes only sometimes may be among those required."
        )


def _replays(run: RunFacts) -> Iterator[str]:
    names = [agent.name for agent in run.agents if agent.kind == "replay"]
    if names:
        yield (
            f"Replayed: the patches of {', '.join(names)} were recorded earlier. Nothing was "
            "attempted in this run, so their times say nothing about the agents."
        )


_CAUSES: tuple[tuple[Callable[[Counts], int], str], ...] = (
    (lambda c: c.infra_failures, "broken by the infrastructure, left out of every denominator"),
    (lambda c: c.ungraded, "not graded, left out of every denominator"),
    (lambda c: c.missing, "planned and not made: the run is incomplete"),
    (lambda c: c.unscored, "with a gate that could not be evaluated, left out of all gates"),
    (lambda c: c.tampered, "with results that were tampered with, counted as failures"),
    (lambda c: c.rejected, "of these rejected by a person who read the patch"),
    (lambda c: c.suspicious, "suspicious and not read by anybody yet: they count as they are"),
)


SUSPICIOUS_SHOWN = 10


def _lost_attempts(overall: Sequence[Cell]) -> Iterator[str]:
    for number, what in _CAUSES:
        found = {cell.agent: number(cell.counts) for cell in overall if number(cell.counts)}
        if found:
            yield f"{count(sum(found.values()), 'attempt')} {what} ({_listed(found)})."


def _few_tasks(run: RunFacts, cells: Sequence[Cell]) -> Iterator[str]:
    kinds = {agent.name: agent.kind for agent in run.agents}
    few = []
    for tier in dict.fromkeys(cell.tier for cell in cells):
        here = [cell for cell in cells if cell.tier == tier]
        points = precision([c for c in here if kinds[c.agent] not in CONTROLS] or here)
        if points is not None:
            tasks = count(here[0].tasks, "task")
            few.append(f"{tier_name(tier)} ({tasks}, pass@1 interval up to ±{points} points)")
    if few:
        yield f"Too few tasks (below {FEW_TASKS}) to rank agents on: {'; '.join(few)}."


def _too_few_attempts(overall: Sequence[Cell]) -> Iterator[str]:
    for k in [rates.k for cell in overall[:1] for rates in cell.all_gates.by_k]:
        short = {
            cell.agent: f"{cell.all_gates.at(k).pass_at.tasks} of {cell.all_gates.tasks}"
            for cell in overall
            if partial(cell.all_gates.at(k).pass_at, cell.all_gates)
        }
        if short:
            yield (
                f"The values of pass@{k} and pass^{k} marked with * rest on the tasks that have "
                f"{k} counted attempts ({_listed(short)}); they cannot be compared across k."
            )


def _changed(provenance: Iterable[Provenance]) -> Iterator[str]:
    mixed = [one.task for one in provenance if len(one.task_digests) > 1]
    if mixed:
        yield (
            f"{count(len(mixed), 'task')} changed during the run, so their attempts are not "
            f"comparable: {', '.join(mixed)}."
        )


def _listed(found: Mapping[str, object]) -> str:
    return ", ".join(f"{agent} {what}" for agent, what in found.items())


def suspicions(rows: Iterable[TaskRow]) -> Iterator[str]:
    """The suspicious attempts one by one, with what to do about them."""
    found = [
        f"{row.task}/{row.agent}/{mark.number}: {', '.join(mark.suspicious)}"
        for row in rows for mark in row.marks if mark.suspicious
    ]  # fmt: skip
    if found:
        more = f"; and {len(found) - SUSPICIOUS_SHOWN} more" if found[SUSPICIOUS_SHOWN:] else ""
        yield (
            f"Read these patches, then `micro-bench attempt accept|reject ATTEMPT --why ...`: "
            f"{'; '.join(found[:SUSPICIOUS_SHOWN])}{more}."
        )


def _forgeable(run: RunFacts) -> Iterator[str]:
    few = [task.id for task in run.tasks if task.twins is not None and task.twins < ENOUGH_TWINS]
    if few:
        yield (
            f"Forgeable: {len(few)} of {count(len(run.tasks), 'task')} have fewer than "
            f"{ENOUGH_TWINS} altered tests, so that a patch which turns failures into passes may "
            f"not be found out: {', '.join(few)}."
        )


def notes(ks: Sequence[int]) -> tuple[Note, ...]:
    """The method, in the words that go below every table."""
    shown = ", ".join(map(str, ks))
    return tuple(Note(term=term, text=text.format(ks=shown)) for term, text in _METHOD.items())


_METHOD = {
    "pass@k": (
        "Chance that at least one of k attempts passes: 1 - C(n-c, k) / C(n, k) for a task with "
        "c passes in n attempts, averaged over tasks; k = {ks}. n/a where no task has k "
        "attempts."
    ),
    "pass^k": (
        "Chance that all of k attempts pass: C(c, k) / C(n, k), averaged over tasks. pass@k "
        "shows what retries can reach, pass^k what can be relied on."
    ),
    "Reliability gap": (
        "pass@k less pass^k, at the largest k that any task has: what retries reach and nobody can "
        "rely on. Its interval is of the same model."
    ),
    "Passing": (
        "All gates: the ticket's hidden tests, the tests that passed before, lint, and security "
        "scan. Tests only: the first two, as published benchmarks count."
    ),
    "Question answered": (
        "How often would the agent solve new tickets like these? The tasks are a sample of "
        "them. Whether one agent changed on these very tasks is another question."
    ),
    "Interval": (
        "Brackets hold the 95% interval of a hierarchical beta-binomial model with uniform "
        "priors on the mean and the intraclass correlation. Attempts at one task resemble one "
        "another; the interval takes that into account. It is widened to hold the value itself."
    ),
    "Ranking": (
        "Agents whose pass@1 intervals overlap are not ranked, nor is anything below 10 tasks. "
        "Overlap does not show that agents are equal."
    ),
    "Left out": (
        "Attempts that the infrastructure broke, or whose grading did not work, are in no "
        "denominator and are shown. Attempts with a gate that could not be evaluated are left "
        "out of all gates, count for tests only, and are shown."
    ),
    "Counted as failures": (
        "An agent that broke, and results that were tampered with. At a limit the work stops, "
        "and the patch that is there is graded."
    ),
    "Gates waterfall": (
        "Each attempt is lost at the first gate it fails. A gate's own failures also count the "
        "attempts that an earlier gate had stopped."
    ),
    "Unit green, system red": (
        "Attempts whose unit tests pass while an integration test does not, out of those at "
        "tasks that require both."
    ),
    "ICC": (
        "Intraclass correlation, posterior median: near 1 a task always or never passes, near 0 "
        "every attempt is a fresh throw."
    ),
}
