"""Altered tests of a task that prove something: the reference fix fails them, in the very image,
as often as anything else is repeated, and passes what is not altered beside them.
"""

from __future__ import annotations

import dataclasses
import random
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from micro_bench.model.execution import Altered, TestsRun, Trust
from micro_bench.model.image import ENOUGH_TWINS, Twin
from micro_bench.scores import grade as grading
from micro_bench.scores import twins as altering
from micro_bench.scores.judge import Required
from micro_bench.scores.twins import Key

Execute = Callable[[grading.Job], TestsRun]
"""The gold patch's grading of a job."""
EACH, ALONE = 2, 3
"""Altered forms of each test of FAIL_TO_PASS, and of one that is alone."""
MOST_OTHERS = 10
"""Tests of the same files, not of FAIL_TO_PASS, that are altered, too."""
MOST_ROUNDS = 6
"""In which further forms are tried."""


@dataclass(frozen=True)
class Twins:
    """What was found."""

    kept: tuple[Twin, ...] = ()
    shaken: tuple[str, ...] = ()
    """Required tests that did not pass beside altered ones."""


def find(job: grading.Job, required: Required, repetitions: int, execute: Execute) -> Twins:
    """Make them, try them, and keep those that always fail."""
    here = _Finding(job, required, execute)
    here.try_out()
    here.confirm(max(repetitions - 1, 1))
    return Twins(tuple(sorted(here.kept, key=_order)), tuple(sorted(here.shaken)))


def _order(twin: Twin) -> tuple[str, int, str]:
    return twin.file, twin.alteration.line, twin.fails[0]


def words(twins: Collection[Twin]) -> str:
    """`12 altered tests (9 value, 3 comparison)`."""
    kinds = {how: sum(t.alteration.how is how for t in twins) for how in Altered}
    told = ", ".join(f"{count} {how}" for how, count in kinds.items() if count)
    return f"{len(twins)} altered tests" + (f" ({told})" if told else "")


def findings(twins: Collection[Twin]) -> Iterable[str]:
    """What is to be said of a task with few of them."""
    if len(twins) < ENOUGH_TWINS:
        yield (
            f"forgeable: {words(twins)}, fewer than {ENOUGH_TWINS}: a patch that turns failures "
            "into passes may not be found out"
        )


@dataclass
class _Finding:
    """The twins of one task, as they come in."""

    job: grading.Job
    required: Required
    execute: Execute
    chance: random.Random = field(default_factory=secrets.SystemRandom)
    kept: list[Twin] = field(default_factory=list)
    shaken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.files = altering.files_of(self.required.fail_to_pass)
        self.left = self.candidates()
        self.wanted = self.how_many()

    def candidates(self) -> dict[Key, list[Twin]]:
        """Every form of every test that is worth altering; nobody has seen them fail yet."""
        found = list[Twin]()
        for file in sorted(self.files & self.job.hidden.files.keys()):
            text = self.job.hidden.files[file][1]
            seed = secrets.randbits(64)
            made = self.job.language.alterations(file, text, self.job.recipe, seed)
            found += [Twin(file=file, alteration=one, fails=()) for one in made]
        return {key: _spread(forms) for key, forms in altering.by_test(found).items()}

    def how_many(self) -> Mapping[Key, int]:
        """Forms that are looked for, of each test."""
        asked, known = self.required.fail_to_pass, self.required.pass_to_pass
        new = [k for k in self.left if any(altering.is_of(test, k) for test in asked)]
        others = [
            k for k in self.left if k not in new and any(altering.is_of(test, k) for test in known)
        ]
        some = self.chance.sample(others, min(MOST_OTHERS, len(others)))
        each = ALONE if len(new) == 1 else EACH
        return {**dict.fromkeys(new, each), **dict.fromkeys(some, 1)}

    def lacking(self) -> list[Key]:
        """Tests of which further forms are wanted and left."""
        have = altering.by_test(self.kept)
        return [
            key for key, number in self.wanted.items()
            if len(have.get(key, ())) < number and self.left[key]
        ]  # fmt: skip

    def try_out(self) -> None:
        """All tests altered at once, again and again with other forms."""
        for _round in range(MOST_ROUNDS):
            keys = self.lacking()
            if not keys:
                return
            tried = [self.left[key].pop(0) for key in keys]
            run = self.run(tried, whole=True)
            if run.trust is not Trust.AGREE:
                return
            for twin in tried:
                if fails := altering.failing(run, twin.key):
                    self.kept.append(Twin.model_validate({**dict(twin), "fails": fails}))

    def run(self, twins: Collection[Twin], *, whole: bool) -> TestsRun:
        """With these forms; whole files where it is not known yet what their tests are called."""
        what = self.round(twins)
        job = dataclasses.replace(what.job, only=()) if whole else what.job
        return self.execute(job)

    def round(self, twins: Collection[Twin]) -> altering.Round:
        """As a grading does it."""
        return altering.prepared(
            self.job, tuple(twins), self.required.tests(), self.files, self.chance
        )

    def confirm(self, pairs: int) -> None:
        """A random half of the tests altered, then the other half: as often as that."""
        for _pair in range(pairs):
            tests = altering.by_test(self.kept)
            first = {key for key in tests if self.chance.random() < 1 / 2}
            for half in (first, tests.keys() - first):
                chosen = [self.chance.choice(tests[key]) for key in sorted(half)]
                if chosen:
                    self.check(chosen)

    def check(self, chosen: Collection[Twin]) -> None:
        """Drop what does not fail, note what fails beside it."""
        what = self.round(chosen)
        run = self.execute(what.job)
        if run.trust is not Trust.AGREE:
            self.kept = [twin for twin in self.kept if twin not in chosen]
            return
        found = altering.mismatch(what, run, self.required.good(run))
        self.kept = [twin for twin in self.kept if twin not in found.forged]
        self.shaken.update(found.lost)


def _spread(forms: list[Twin]) -> list[Twin]:
    """Those of different lines first, in each kind: what one does not reach another may."""
    seen: dict[tuple[Altered, int], int] = {}
    ranked = []
    for twin in forms:
        place = (twin.alteration.how, twin.alteration.line)
        seen[place] = seen.get(place, 0) + 1
        ranked.append((list(Altered).index(place[0]), seen[place], twin))
    return [twin for _how, _nth, twin in sorted(ranked, key=lambda each: each[:2])]
