"""Findings of a task, remembered as long as nothing that they look at changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from micro_bench import codec, plugins
from micro_bench.edge.git import Repository
from micro_bench.errors import BadInputError, MicroBenchError, NotFoundError
from micro_bench.model.finding import Assessed, Demand, TaskFinding
from micro_bench.model.task import Task
from micro_bench.pipeline.line import Line
from micro_bench.tasks.demands import placed
from micro_bench.tasks.findings._finding import Case, Rule
from micro_bench.tasks.patches import Patch

ROOM = "tasks.findings"
VERSION = "2"
"""Of how the rules look; raised when one of them changes."""


@dataclass(frozen=True)
class Rules:
    """Which rules are asked."""

    select: tuple[str, ...] = ()
    """Codes or their beginnings, or names; none for all."""
    ignore: tuple[str, ...] = ()

    def takes(self, one: TaskFinding) -> bool:
        """Whether a finding is of one that is asked."""
        chosen = not self.select or any(_is(one, word) for word in self.select)
        return chosen and not any(_is(one, word) for word in self.ignore)


def rules() -> tuple[Rule, ...]:
    """Every rule there is, by code."""
    found: Iterable[Rule] = plugins.discover(ROOM).values()
    return tuple(sorted(found, key=lambda rule: rule.CODE))


def chosen(line: Line, select: Iterable[str], ignore: Iterable[str]) -> Rules:
    """What the command line and the settings ask for.

    Raises:
        BadInputError: A word is no rule's.
    """
    settings = line.settings.findings
    asked = Rules(_words(select) or settings.select, (*_words(ignore), *settings.ignore))
    known = [name for rule in rules() for name in (rule.CODE, rule.NAME)]
    unknown = [
        word for word in (*asked.select, *asked.ignore)
        if not any(name == word or name.startswith(word.upper()) for name in known)
    ]  # fmt: skip
    if unknown:
        raise BadInputError(
            f"no such rule: {', '.join(unknown)}", next_step="`micro-bench task rules` lists them"
        )
    return asked


def _words(given: Iterable[str]) -> tuple[str, ...]:
    """As people give them: one by one, or with commas between."""
    return tuple(word.strip() for text in given for word in text.split(",") if word.strip())


def assess(line: Line, task: Task) -> Assessed:
    """What the rules find, remembered in the workspace's `runs/findings`."""
    path = line.workspace.findings(task.id)
    wanted = _inputs(line, task)
    try:
        known = codec.load(path, Assessed)
    except (BadInputError, NotFoundError):
        known = None
    if known is not None and known.inputs == wanted:
        return known
    found = _assessed(line, task, wanted)
    codec.save(path, found)
    return found


def remembered(line: Line, task: Task) -> Assessed | None:
    """What is known of it; None where it was never looked at, or something changed since."""
    try:
        known = codec.load(line.workspace.findings(task.id), Assessed)
    except (BadInputError, NotFoundError):
        return None
    return known if known.inputs == _inputs(line, task) else None


def _assessed(line: Line, task: Task, inputs: str) -> Assessed:
    gold, tests = Patch(line.specs.gold_patch(task)), Patch(line.specs.test_patch(task))
    demands = _demands(line, task, gold)
    case = Case(
        task, gold, tests, demands, line.specs.verification(task.id), line.settings.findings
    )  # fmt: skip
    found = [one.of(rule.CODE, rule.NAME) for rule in rules() for one in rule.find(case)]
    found.sort(key=lambda one: (one.level.rank, one.rule, one.path, one.line))
    return Assessed(inputs=inputs, demands=demands, findings=tuple(found))


def _demands(line: Line, task: Task, gold: Patch) -> tuple[Demand, ...] | None:
    """None where the clone is not here, or lacks what is to be read."""
    try:
        clone = line.repository(task.repo.name)
        code = _Code(clone, task.repo.base_commit)
        before = clone.read_files(task.repo.base_commit, task.tests.hidden)
        after = clone.read_files(task.repo.fix_commit, task.tests.hidden)
    except MicroBenchError:
        return None
    language = line.language(task.language)
    asked = [
        one
        for path, content in after.items()
        for one in language.asked(path, before.get(path, b""), content)
    ]
    return placed(asked, f"{task.title}\n{task.instruction}", gold, code)


@dataclass(frozen=True)
class _Code:
    clone: Repository
    base: str

    def __call__(self, texts: Iterable[str], words: bool) -> frozenset[str]:  # noqa: FBT001
        return self.clone.occurring(self.base, texts, words=words)


def _inputs(line: Line, task: Task) -> str:
    """Over words, patches, verification, thresholds, the clone's being here, and the rules."""
    verification = line.workspace.verification(task.id) / "verification.json"
    executed = verification.read_text(encoding="utf-8") if verification.exists() else ""
    here = task.repo.name in {**line.specs.clones(), **line.clones}
    parts = (
        _rules_digest(), task.model_dump_json(), executed,
        line.settings.findings.model_dump_json(), str(here),
    )  # fmt: skip
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


@cache
def _rules_digest() -> str:
    names = ",".join(f"{rule.CODE}:{rule.NAME}" for rule in rules())
    return hashlib.sha256(f"{VERSION}\0{names}".encode()).hexdigest()


def _is(one: TaskFinding, word: str) -> bool:
    return one.name == word or one.rule.startswith(word.upper())


def counted(found: Iterable[TaskFinding]) -> Iterator[tuple[str, int]]:
    """Findings by level, the weightiest first, those there are."""
    levels = [one.level for one in found]
    for level in sorted(set(levels), key=lambda one: one.rank):
        yield level.value, levels.count(level)
