"""Run a patch's grading in a fresh sandbox: apply, restore, scan, hidden tests, canaries.

The order is the protection: whatever can be faked by code under test is measured before that code
runs, and what comes after is cross-checked (exit code, report and two canaries must agree).
"""

from __future__ import annotations

import base64
import io
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from types import ModuleType
from typing import Any, BinaryIO

from micro_bench.edge import clock
from micro_bench.edge.archive import REGULAR, Entry, pack
from micro_bench.edge.patching import patch_paths
from micro_bench.edge.resources import package_file
from micro_bench.errors import EngineError
from micro_bench.languages._language import Recipe, TestRun
from micro_bench.model.execution import TestResult, TestsRun, TestStatus, Trust
from micro_bench.model.image import Image
from micro_bench.model.score import Scan
from micro_bench.model.task import Task
from micro_bench.sandboxes._sandbox import Places, Sandbox, StartRequest
from micro_bench.scores import scan

REPORT_LIMIT = 64 * 2**20
LINE_LIMIT = 64 * 2**20
SCANNER_TIMEOUT_S = 60
SCANNER_OUTPUT_LIMIT = 16 * 2**20
"""As sent: all scanners, their sources and files to merge must fit in the one line."""
PREPARE_S = 300
CANARY_WORDS = 4
COMMON_WORDS = (
    "after", "all", "and", "are", "before", "both", "by", "default", "each", "empty", "error",
    "for", "given", "in", "is", "keeps", "missing", "name", "new", "no", "not", "of", "old", "one",
    "only", "raises", "returns", "same", "two", "unknown", "value", "values", "when", "with",
    "without", "zero",
)  # fmt: skip
Start = Callable[[StartRequest], Sandbox]


@dataclass(frozen=True)
class Hidden:
    """What is laid over the work tree before the tests run."""

    files: Mapping[str, tuple[int, bytes]] = field(default_factory=dict)
    """Path -> (git mode, content)."""
    deleted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Job:
    """One task's grading, the same for every patch."""

    task: Task
    image: Image
    language: ModuleType
    recipe: Recipe
    infrastructure: Mapping[str, bytes]
    """Base content of the test infrastructure files that also hold other settings."""
    hidden: Hidden
    tests: tuple[str, ...]
    """Test files to run."""
    scanners: tuple[ModuleType, ...]


@dataclass(frozen=True)
class Graded:
    """What one grading showed; judged elsewhere."""

    run: TestsRun
    scans: tuple[Scan, ...]
    total_s: float
    report: bytes
    """The runner's own report, as stored."""
    scan_s: float = 0.0
    """Of the scanners' commands."""


@dataclass(frozen=True)
class _Canaries:
    passing: str
    failing: str
    first: str
    """The file that runs before the tests, and below the one that runs after them."""
    last: str


def stand_by(start: Start, job: Job, labels: Mapping[str, str]) -> Sandbox:
    """Start a grading's sandbox ahead of its patch. Grade in it, or close it."""
    return start(StartRequest(job.image, job.task.limits, labels=labels))


def grade(
    start: Start, job: Job, patch: bytes, log: BinaryIO, *, labels: Mapping[str, str] | None = None
) -> Graded:
    """Grade a patch in a fresh sandbox.

    Raises:
        EngineError: The sandbox broke; that says nothing about the patch.
    """
    return grade_in(stand_by(start, job, labels or {}), job, patch, log)


def grade_in(sandbox: Sandbox, job: Job, patch: bytes, log: BinaryIO) -> Graded:
    """Grade a patch in a fresh sandbox that nothing has entered yet, and close that.

    Raises:
        EngineError: The sandbox broke; that says nothing about the patch.
    """
    begin = clock.monotonic()
    try:
        return _Grading(job, patch, _canaries(job)).run(sandbox, log, begin)
    finally:
        sandbox.close()


@dataclass(frozen=True)
class _Grading:
    """One patch's way through one sandbox."""

    job: Job
    patch: bytes
    canaries: _Canaries

    def run(self, sandbox: Sandbox, log: BinaryIO, begin: float) -> Graded:
        """Prepare, test, read, cross-check."""
        plan, total = self.plan(sandbox.places), self.job.task.tests.total_timeout_s
        told = _Told()
        end = sandbox.run(
            _argv(sandbox), output=log, deadline_s=total + PREPARE_S, errors=told,
            files=self.files(plan),
        )  # fmt: skip
        prepared = told.prepared()
        if prepared is None:
            raise EngineError(f"preparing the grading failed: {told.tail()!r}")
        if not prepared["applied"]:
            return _rejected(prepared, clock.monotonic() - begin)
        seconds = told.since_prepared(end.seconds)
        if plan["stage"] == "prepare":
            told.rest.clear()
            end = sandbox.run(
                _argv(sandbox), output=log, deadline_s=total, errors=told,
                files=self.merged(prepared, plan),
            )  # fmt: skip
            seconds = end.seconds
        report = b"" if end.timed_out else told.report()
        results = self.job.language.results(report) if report else None
        trust, kept = cross_check(
            end.exit_code, results, self.canaries.passing, self.canaries.failing
        )
        run = TestsRun(
            applied=True, trust=trust, exit_code=end.exit_code, results=kept, seconds=seconds,
            touched=tuple(prepared["touched"]), restored=tuple(prepared["restored"]),
            out_of_memory=trust is not Trust.AGREE and sandbox.out_of_memory(),
        )  # fmt: skip
        scans = scan.read_all(self.job.scanners, prepared)
        scan_s = sum(float(record["seconds"]) for record in prepared["scans"])
        return Graded(run, scans, clock.monotonic() - begin, report, scan_s)

    def plan(self, places: Places) -> dict[str, Any]:
        """What `_inside.py` is to do."""
        job, paths = self.job, patch_paths(self.patch)
        guarded = [p for p in paths if _is_guarded(job, p)]
        merge = [p for p in guarded if job.language.has_other_content(p)]
        owned = [p for p in paths if not job.language.is_test(p, job.recipe)]
        run = TestRun(
            junit=f"{places.bench}/out/report.xml", timeout_s=job.task.tests.timeout_s,
            python=f"{places.venv}/bin", config=_text(job.infrastructure),
            extra=("--rootdir", places.work, *job.recipe.pytest_args),
        )  # fmt: skip
        tests = (self.canaries.first, *job.tests, self.canaries.last)
        return {
            "stage": "prepare" if merge else "all",
            "work": places.work, "bench": places.bench, "paths": list(paths),
            "restore": [p for p in guarded if p not in merge], "merge": merge,
            "delete": list(job.hidden.deleted),
            "report": run.junit, "argv": list(job.language.test_command(tests, run)),
            "scanners": [_scanner(module, owned, places) for module in job.scanners],
        }  # fmt: skip

    def files(self, plan: dict[str, Any]) -> bytes:
        """Everything that is handed in: the patch, the plan, the hidden tests, the program."""
        job, canaries = self.job, self.canaries
        canary = job.language.canary(canaries.passing, canaries.failing).encode()
        hidden = [Entry(p, c, m or REGULAR) for p, (m, c) in job.hidden.files.items()]
        hidden += [Entry(path, canary) for path in (canaries.first, canaries.last)]
        return pack(
            [
                Entry("in/inside.py", package_file("scores/_inside.py")),
                Entry("in/_scanning.py", package_file("scores/_scanning.py")),
                Entry("in/hidden.tar", pack(hidden)),
                Entry("in/attempt.patch", self.patch),
                Entry("in/plan.json", json.dumps(plan).encode()),
            ]
        )

    def merged(self, prepared: dict[str, Any], plan: dict[str, Any]) -> bytes:
        """Files with test settings among others: the patch's version, the base's settings."""
        entries, gone = [], []
        for path, encoded in prepared["merge"].items():
            base = self.job.infrastructure.get(path)
            current = base64.b64decode(encoded) or None
            merged = self.job.language.merge_infrastructure(path, base, current)
            if merged is None:
                gone.append(path)
            else:
                entries.append(Entry(path, merged))
        delete = [*plan["delete"], *gone]
        again = json.dumps({**plan, "stage": "tests", "delete": delete}).encode()
        return pack([Entry("in/merged.tar", pack(entries)), Entry("in/plan.json", again)])


def cross_check(
    code: int | None, results: Sequence[TestResult] | None, passing: str, failing: str
) -> tuple[Trust, tuple[TestResult, ...]]:
    """Whether exit code, report and canaries agree; the results without the canaries.

    The failing canary makes exit code 1 the only honest one for a run that went to its end.
    """
    if code is None:
        return Trust.TIMEOUT, ()
    if results is None:
        return (Trust.TAMPERED if code == 0 else Trust.CRASHED), ()
    found = {name: [r.status for r in results if _named(r, name)] for name in (passing, failing)}
    kept = tuple(r for r in results if not _named(r, passing) and not _named(r, failing))
    good = _twice(found[passing], TestStatus.PASSED) and _twice(found[failing], TestStatus.FAILED)
    if good and code == 1:
        return Trust.AGREE, kept
    anything_passed = any(r.status in (TestStatus.PASSED, TestStatus.XFAILED) for r in results)
    if code != 0 and not anything_passed:
        return Trust.CRASHED, kept
    return Trust.TAMPERED, kept


def _twice(seen: Sequence[TestStatus], wanted: TestStatus) -> bool:
    """Both canaries of a name, one before and one after the tests, ended as they must.

    Tests that wreck the runner's streams make every later test an error, the second canary too:
    an error is no forged pass.
    """
    return len(seen) == 2 and wanted in seen and set(seen) <= {wanted, TestStatus.ERROR}


def _named(result: TestResult, name: str) -> bool:
    return result.id.rpartition("::")[2] == name


def _rejected(prepared: dict[str, Any], total: float) -> Graded:
    run = TestsRun(
        applied=False, apply_error=str(prepared["error"]), trust=Trust.CRASHED, exit_code=None,
        seconds=0.0,
    )  # fmt: skip
    return Graded(run, (), total, b"")


def _canaries(job: Job) -> _Canaries:
    """Names nobody can know before, and that look like any other test's.

    Made of the words of the hidden tests' own names; the files lie beside the hidden tests, so
    that the same rules collect them.
    """
    folder = PurePosixPath(job.tests[0]).parent if job.tests else PurePosixPath()
    taken = {name for path in job.hidden.files for name in _test_names(job, path)}
    words = sorted({*COMMON_WORDS, *(w for name in taken for w in name.lower().split("_") if w)})
    names: list[str] = []
    while len(names) < 4:
        name = "_".join(["test", *(secrets.choice(words) for _ in range(CANARY_WORDS))])
        if name not in taken and name not in names:
            names.append(name)
    passing, failing, *files = names
    return _Canaries(passing, failing, *(str(folder / f"{file}.py") for file in files))


def _test_names(job: Job, path: str) -> tuple[str, ...]:
    if not job.language.is_test_module(path):
        return ()
    _mode, content = job.hidden.files[path]
    found = job.language.test_definitions(path, content)
    return tuple(name.rpartition("::")[2] for name in found if name.isascii())


def _is_guarded(job: Job, path: str) -> bool:
    """The base's tests and what configures them; the fix itself holds none of them."""
    if any(PurePosixPath(path).match(pattern) for pattern in job.task.editable):
        return False
    language = job.language
    return bool(language.is_infrastructure(path) or language.is_test(path, job.recipe))


def _text(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: content.decode("utf-8", "replace") for path, content in files.items()}


def _scanner(module: ModuleType, owned: Sequence[str], places: Places) -> dict[str, Any]:
    return {
        "name": module.NAME, "argv": list(module.command(places.tools)),
        "files": [path for path in owned if module.owns(path)],
        "timeout_s": SCANNER_TIMEOUT_S, "output_limit": SCANNER_OUTPUT_LIMIT,
    }  # fmt: skip


def _argv(sandbox: Sandbox) -> tuple[str, ...]:
    bench = sandbox.places.bench
    return (
        f"{sandbox.places.tools}/bin/python",
        "-I",
        f"{bench}/in/inside.py",
        f"{bench}/in/plan.json",
    )


class _Told(io.BytesIO):
    """What the program inside tells: one line of JSON before the tests, their report after them."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.rest = bytearray(), bytearray()
        self._complete = False
        self._begin = clock.monotonic()
        self._prepared_at = 0.0

    def write(self, data: Any) -> int:
        """Collect the line until it ends, then the report; drop what is too much."""
        chunk = bytes(data)
        if self._complete:
            self._take(chunk)
            return len(chunk)
        line, newline, rest = chunk.partition(b"\n")
        self.head += line
        if newline or len(self.head) > LINE_LIMIT:
            self._complete = True
            self._prepared_at = clock.monotonic() - self._begin
            self._take(rest)
        return len(chunk)

    def _take(self, chunk: bytes) -> None:
        if len(self.rest) <= REPORT_LIMIT:
            self.rest += chunk

    def prepared(self) -> dict[str, Any] | None:
        """The line, read."""
        try:
            value = json.loads(self.head) if self._complete else None
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    def report(self) -> bytes:
        """The runner's report; none is an answer, not an error of the harness."""
        return bytes(self.rest) if len(self.rest) <= REPORT_LIMIT else b""

    def tail(self) -> bytes:
        """The last words, for a message."""
        return bytes((self.head + self.rest)[-500:])

    def since_prepared(self, total: float) -> float:
        """Seconds of the test command."""
        return max(total - self._prepared_at, 0.0) if self._complete else 0.0
