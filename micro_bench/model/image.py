"""A slice made runnable, and the evidence that it is sound."""

from __future__ import annotations

from enum import StrEnum

from micro_bench.model.base import Digest, Noun, Seconds, Slug, Time
from micro_bench.model.execution import Alteration, CauseKind, TestStatus
from micro_bench.model.service import Sidecar
from micro_bench.model.slice import BuiltFromSource, LeftOut


class Image(Noun):
    """A built image. `key` hashes everything that went in; `digest` is the engine's own id."""

    task: Slug
    key: Digest
    env_key: Digest
    tag: str
    digest: str
    base_digest: str
    place: str = ""
    """For local images: the folder that holds them."""
    python: str
    """Full version inside the image: `3.11.2`."""
    backend: str
    """`docker` or `local`."""
    work_tree: str
    """Git tree id of the one root commit in the image."""
    work_commit: str
    built: tuple[BuiltFromSource, ...] = ()
    """Packages of its environment that had no wheel."""
    left_out: tuple[LeftOut, ...] = ()
    """Packages of its lock that could neither be fetched nor built."""
    libraries: tuple[str, ...] = ()
    """System packages that the built ones need."""
    compiled: bool = False
    """Whether the project's own extensions were built."""
    services: tuple[Sidecar, ...] = ()
    """What its tests talk to: a fresh one of each for every sandbox."""


class RunKind(StrEnum):
    """The executions of a verification."""

    BASE_OWN = "base_own"
    """Base code with its own tests."""
    BASE_HIDDEN = "base_hidden"
    """Base code with the hidden tests: what an empty patch gets."""
    GOLD_HIDDEN = "gold_hidden"
    """Gold patch with the hidden tests."""
    NOOP = "noop"
    """The no-op agent, through the very grading that attempts go through."""
    GOLD_BUSY = "gold_busy"
    """As `gold_hidden`, on a machine that is busy with other work."""
    BASE_BUSY = "base_busy"
    """As `base_hidden`, on a machine that is busy with other work."""
    TWINS = "twins"
    """As `gold_hidden`, with altered tests among the others."""
    TRACED = "traced"
    """As `gold_hidden`, while it is told which test executes what. Its results decide nothing."""


class F2PKind(StrEnum):
    """Why a FAIL_TO_PASS test failed before."""

    NEW = "new"
    """The base's own tests do not have it."""
    CHANGED = "changed"
    """It was there, and its source is different now."""
    ALREADY_FAILING = "already_failing"
    """It was there, unchanged, and failed with the base's own tests too."""
    DRAGGED_IN = "dragged_in"
    """It was there, unchanged: something beside it (an import error, say) made it fail."""
    DIES = "dies"
    """On the base it hangs or ends the runner's process, with nothing else beside it."""


class FailToPass(Noun):
    """A test that fails on the base and passes with the gold patch, in every run."""

    id: str
    kind: F2PKind


class Flaky(Noun):
    """A quarantined test and the evidence: its status in each run."""

    id: str
    seen: dict[str, tuple[TestStatus, ...]]
    """Run kind -> status per repetition."""
    said: str = ""
    """What it said when it failed, where that is known."""


class Cause(Noun):
    """Hidden tests that do not pass with the gold patch, all for the same reason."""

    kind: CauseKind
    status: TestStatus
    """What became of them."""
    collected: bool
    """False where their whole file was not collected, or skipped."""
    said: str
    """The runner's essential words."""
    means: str = ""
    mend: str = ""
    """What would mend it, with the very line where there is one."""
    tests: tuple[str, ...]


class TestScope(Noun):
    """Which tests a grading runs, where these are not all."""

    __test__ = False

    whole: int
    """Tests that pass with the gold patch when all run."""
    whole_s: Seconds
    """Of these tests together."""
    kept: int
    kept_s: Seconds
    executing: int
    """Of the whole, those that execute a touched file or one that imports it."""
    alike: int
    """Left out: of their function, others execute the very same lines."""
    distant: int
    """Left out: they execute nothing of the change, and are not in the sample."""
    over_budget: int
    """Left out: the time budget was used up."""
    not_run: int = 0
    """Further tests that never ran: all of them take longer than a whole run may."""


ENOUGH_TWINS = 3
"""Coins that are tossed at least: a task with fewer twins can be forged by luck."""


class Twin(Noun):
    """A hidden test in a form that must fail: with the gold patch it does, in the very image."""

    file: str
    alteration: Alteration
    fails: tuple[str, ...]
    """Ids that fail with it. They may be others than the original's: values are part of ids."""

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        """File and functions: several twins of one test have the same."""
        return self.file, self.alteration.tests


class Leak(Noun):
    """Something in the image that gives the answer away."""

    kind: str
    """`git_object`, `git_ref`, `file_content`, `site_packages`, ..."""
    where: str
    what: str


class Execution(Noun):
    """One run of the tests inside the image."""

    kind: RunKind
    number: int
    started: Time
    seconds: Seconds
    exit_code: int | None
    counts: dict[TestStatus, int]
    log: str
    """Path of the stored output, relative to the verification's directory."""


class Verification(Noun):
    """What executing a task's image showed. Without `verified` it cannot be run.

    It holds as long as everything that decided it is the same: see `pipeline/verify/inputs.py`.
    """

    task: Slug
    task_digest: Digest
    recipe_digest: Digest | None = None
    settings_digest: Digest | None = None
    """None in verifications of before the two were written down."""
    image_key: Digest
    image_digest: str
    python: str
    isolation: str
    harness: str
    """Version and commit of micro-bench."""
    repetitions: int
    verified: bool
    reasons: tuple[str, ...]
    """Why not; empty when verified."""
    fail_to_pass: tuple[FailToPass, ...]
    pass_to_pass: tuple[str, ...]
    xfailed: tuple[str, ...] = ()
    """Of PASS_TO_PASS: tests that fail as expected with the gold patch. All others pass."""
    repeated: tuple[str, ...] = ()
    """Required tests that the runner tells of more than once with the gold patch."""
    twins: tuple[Twin, ...] = ()
    """Altered tests, of which a grading that would pass runs some in the originals' place."""
    unsuspicious: tuple[str, ...] = ()
    """What the reference fix does that would make a patch suspicious: here it has its reason."""
    shaken: tuple[str, ...] = ()
    """Required tests that do not always pass beside altered ones; there they prove nothing."""
    flaky: tuple[Flaky, ...]
    load_sensitive: tuple[Flaky, ...] = ()
    """Quarantined too: they differ on a busy machine."""
    causes: tuple[Cause, ...] = ()
    """What keeps hidden tests from passing with the gold patch, the first cause first."""
    warnings: tuple[str, ...] = ()
    """What to know of the task, verified or not, in words."""
    leaks: tuple[Leak, ...]
    collection_errors: tuple[str, ...]
    scope: TestScope | None = None
    """Which tests a grading runs: FAIL_TO_PASS and PASS_TO_PASS alone. None: whole files."""
    waived_gates: dict[str, str]
    """Gate -> the gold patch's findings that break it."""
    executions: tuple[Execution, ...]
    finished: Time


class BrokenEnvironment(Noun):
    """An environment that could not be made, as it was told. Of this machine."""

    task: Slug
    recipe_digest: Digest
    step: str
    """What was being done."""
    message: str
    """The package, why, the last lines, and what was tried."""
    next_step: str
    """The smallest edit that would go on."""
    when: Time

    def words(self) -> str:
        """For people; the first line says all that is needed."""
        return f"{self.step} failed: {self.message}\n  next: {self.next_step}"
