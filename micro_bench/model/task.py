"""The curated task: what an agent is asked, on which code, and how it is judged."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from micro_bench.model.base import Digest, Noun, Sha, Slug, Time
from micro_bench.model.ticket import Confidence, Link, Words

SCHEMA_VERSION = 1
"""Of the spec files. A change of the format raises it and ships with a migration."""

HARMLESS = {
    "schema_version": "how the file is written, not what is executed",
    "title": "words: no test run reads them",
    "status": "whether a person has read the task",
    "tier": "how results are grouped",
    "effort": "how results are grouped",
    "instruction": "words for the agent: no test run reads them; a run's plan counts them",
    "ticket": "where the task comes from",
    "links": "why the fix belongs to the ticket",
    "link_confidence": "why the fix belongs to the ticket",
    "notes": "words for people",
}
"""Keys of a spec that decide no execution, each with its reason. All others do."""

TierNumber = Annotated[int, Field(ge=1, le=4)]
TIER_NAMES = {
    1: "isolated function",
    2: "multi-file",
    3: "cross-module integration",
    4: "architecture-level",
}


class Status(StrEnum):
    """Where a task stands in its life."""

    DRAFT = "draft"
    """As imported; nobody has read it."""
    REVIEWED = "reviewed"
    """A person has read the instruction and the tests and stands by them."""
    RETIRED = "retired"
    """Kept for the record, never run."""


class TierConfidence(StrEnum):
    """How sure the rule is of its tier."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class TierEvidence(Noun):
    """The numbers that decided the tier (all taken from the gold patch and the graph)."""

    files: int
    symbols: int
    modules: int
    packages: int
    cross_package_edges: int
    public_api_changes: tuple[str, ...] = ()
    fan_in_modules: int = 0
    fan_in_packages: int = 0
    new_dependencies: tuple[str, ...] = ()
    contract_files: tuple[str, ...] = ()
    """Migration, schema, CI, build or deployment files among the changed ones."""
    new_packages: tuple[str, ...] = ()
    renames: int = 0
    changed_lines: int = 0
    tests_elsewhere: bool = False
    """The hidden tests live in a package other than the changed one."""
    components: int = 0
    """Parts of the repository with a changed file: members, sub-packages, groups of modules.

    This and what follows is 0 or empty in specs that were written before components were told.
    """
    all_components: int = 0
    """So many parts has the whole repository."""
    component_names: tuple[str, ...] = ()
    cross_component_edges: int = 0
    fan_in_components: int = 0
    """Other components that import a changed module."""
    core_modules: tuple[str, ...] = ()
    """Changed modules on which more components rest than on three in four of all."""
    core_definitions: int = 0
    """Changed definitions of core modules that were there before: others may rest on them."""
    used_definitions: int = 0
    """The same for every module that another component imports."""
    new_components: tuple[str, ...] = ()


class TierAssignment(Noun):
    """The computed tier with its reasons, and a person's override if there is one."""

    auto: TierNumber
    confidence: TierConfidence
    rule: str
    """The rule that fired, in words with its numbers."""
    evidence: TierEvidence
    human: TierNumber | None = None
    by: str | None = None
    on: date | None = None
    why: str | None = None

    @model_validator(mode="after")
    def _an_override_gives_its_reason(self) -> Self:
        if self.human is not None and not self.why:
            raise ValueError("an override of the tier needs a reason: fill in `why`")
        return self

    @property
    def number(self) -> int:
        """The tier that counts: the person's if given, else the computed one."""
        return self.human or self.auto


EffortSize = Literal["S", "M", "L"]


class Effort(Noun):
    """How much work, apart from how far it spans: S <= 5 changed lines, M <= 65, L above."""

    auto: EffortSize
    human: EffortSize | None = None

    @property
    def size(self) -> EffortSize:
        """The size that counts."""
        return self.human or self.auto


class ImportedWords(Noun):
    """SHA-256 of the words as they were imported: tells whether a person changed them since."""

    title: Digest
    instruction: Digest


class TicketRef(Noun):
    """The ticket a task was made from."""

    source: str
    number: int
    name: str = ""
    """Its key, where the tracker has keys: `SHOP-12`."""
    url: str
    opened: Time
    also_closes: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    words: Words = Words.TRACKER
    """Whose words title and instruction were made of."""
    imported: ImportedWords | None = None
    """Only where a later import from the tracker may put better words in their place."""


class Repo(Noun):
    """The code the task starts from."""

    name: str
    """`owner/name`; its slug names the folders under `tickets/` and `repo_slices/`."""
    base_commit: Sha
    fix_commit: Sha
    pull: int | None = None
    fixed: Time


class PatchFile(Noun):
    """A patch kept beside the spec; the digest makes a silent edit impossible."""

    file: str
    sha256: Digest


class TestPlan(Noun):
    """Which tests decide, and how long they may take. Paths are relative to the repository."""

    __test__ = False

    hidden: tuple[str, ...]
    """Files of the test patch; they reach no agent."""
    run: tuple[str, ...] = ()
    """Test files to run when grading: the hidden ones and those that reach the changed modules."""
    integration: tuple[str, ...] = (
        "**/integration/**",
        "**/e2e/**",
        "**/system/**",
        "**/functional/**",
    )
    """Globs of the tests that exercise the system; all others count as unit tests."""
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60
    """For one test."""
    total_timeout_s: Annotated[float, Field(gt=0, le=86400)] = 900
    """For one grading."""
    scope: Literal["traced", "all"] = "traced"
    """PASS_TO_PASS: the tests that execute what the fix touches, with a sample of the others; or
    all tests of the files in `run`."""
    budget_s: Annotated[float, Field(gt=0, le=86400)] = 120
    """Seconds of tests in one grading with scope `traced`. FAIL_TO_PASS always run."""


class Severity(StrEnum):
    """One scale for every scanner, lowest first."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info ... 4 for critical."""
        return list(Severity).index(self)


class Gate(Noun):
    """A threshold on the findings that are new against the base."""

    max_new: Annotated[int, Field(ge=0)] = 0
    min_severity: Severity = Severity.LOW
    """Findings below it are shown and do not count."""
    enabled: bool = True
    waived: str | None = None
    """Why the gate is not applied to this task (for example: the gold patch breaks it)."""


class Gates(Noun):
    """Criteria beside the tests; the verdict is their conjunction."""

    lint: Gate = Gate()
    sast: Gate = Gate(min_severity=Severity.MEDIUM)


class Limits(Noun):
    """What one attempt may use."""

    agent_s: Annotated[float, Field(gt=0, le=86400)] = 1800
    cpus: Annotated[float, Field(gt=0, le=256)] = 1
    memory_mb: Annotated[int, Field(ge=64)] = 2048
    pids: Annotated[int, Field(ge=16)] = 256
    patch_mb: Annotated[float, Field(gt=0)] = 10


class SliceLevel(StrEnum):
    """How much of the repository goes into the image."""

    PACKAGE = "package"
    """Whole packages and the whole test tree; docs and examples stay out."""
    FULL = "full"
    """The tree at the base commit, byte for byte."""


class SliceRequest(Noun):
    """What the slice must hold."""

    level: SliceLevel = SliceLevel.PACKAGE
    include: tuple[str, ...] = ()
    """Further paths (globs) to keep."""
    exclude: tuple[str, ...] = ()
    """Paths (globs) to leave out, applied last."""


class Task(Noun):
    """One task spec: a YAML file under `tickets/<repository>/`."""

    schema_version: Literal[1]
    id: Slug
    title: str
    status: Status
    language: str
    tier: TierAssignment
    effort: Effort
    instruction: Annotated[str, Field(min_length=1)]
    """What the agent reads. Nothing else of the ticket reaches it."""
    ticket: TicketRef
    repo: Repo
    links: tuple[Link, ...]
    link_confidence: Confidence
    gold_patch: PatchFile
    test_patch: PatchFile
    tests: TestPlan
    gates: Gates = Gates()
    limits: Limits = Limits()
    slice: SliceRequest = SliceRequest()
    editable: tuple[str, ...] = ()
    """Test infrastructure files (globs) a patch may change; others are restored to base."""
    notes: str = ""
    """For people; never shown to an agent."""

    def execution_digest(self) -> str:
        """SHA-256 over what decides an execution: not the words, the status or the notes."""
        return self.digest_without(HARMLESS)
