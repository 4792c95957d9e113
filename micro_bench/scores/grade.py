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
from micro_bench.edge.archive import REGULAR, Entry, pack, unpack
from micro_bench.edge.patching import patch_paths
from micro_bench.edge.resources import package_file
from micro_bench.errors import BadInputError, EngineError
from micro_bench.languages._language import Recipe, TestRun
from micro_bench.model.execution import TestResult, TestsRun, TestStatus, Trust
from micro_bench.model.image import Image
from micro_bench.model.score import Scan
from micro_bench.model.task import Task
from micro_bench.sandboxes._sandbox import OUTPUT_LIMIT, Places, Sandbox, StartRequest
from micro_bench.scores import scan

REPORT_LIMIT = 64 * 2**20
LINE_LIMIT = 64 * 2**20
SCANNER_TIMEOUT_S = 60
PREPARE_S = 300
CANARY_WORDS = 4
COMMON_WORDS = (
    "after", "all", "and", "are", "before", "both", "by", "default", "each", "empty", "error",
    "for", "given", "in", "is", "keeps", "missing", "name", "new", "no", "not", "of", "old", "one",
    "only", "raises", "returns", "same", "two", "unknown", "value", "values", "when", "with",
    "without", "zero",
)  # fmt: skip
FOLDERS = (("in", 1000, 0o755), ("out", 1000, 0o755))
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


@dataclass(frozen=True)
class StandBy:
    """A fresh sandbox with everything but the patch: started while the agent still works."""

    sandbox: Sandbox
    canaries: _Canaries


def stand_by(start: Start, job: Job, labels: Mapping[str, str]) -> StandBy:
    """Start a grading's sandbox ahead of its patch. Grade with it, or close its sandbox."""
    canaries = _canaries(job)
    entries = pack(_fixed_files(job, canaries), directories=FOLDERS)
    request = StartRequest(
        job.image, job.task.limits, lambda places: ((places.bench, entries),), labels=labels
    )
    return StandBy(start(request), canaries)


def grade(
    start: Start, job: Job, patch: bytes, log: BinaryIO, *, labels: Mapping[str, str] | None = None
) -> Graded:
    """Grade a patch in a fresh sandbox.

    Raises:
        EngineError: The sandbox broke; that says nothing about the patch.
    """
    return grade_in(stand_by(start, job, labels or {}), job, patch, log)


def grade_in(ready: StandBy, job: Job, patch: bytes, log: BinaryIO) -> Graded:
    """Grade a patch in the sandbox that stands by for it, and close that.

    Raises:
        EngineError: The sandbox broke; that says nothing about the patch.
    """
    begin = clock.monotonic()
    try:
        grading = _Grading(job, patch, ready.canaries)
        grading.hand_in(ready.sandbox)
        return grading.run(ready.sandbox, log, begin)
    finally:
        ready.sandbox.close()


@dataclass(frozen=True)
class _Grading:
    """One patch's way through one sandbox."""

    job: Job
    patch: bytes
    canaries: _Canaries

    def run(self, sandbox: Sandbox, log: BinaryIO, begin: float) -> Graded:
        """Prepare, test, read, cross-check."""
        output = _Split(log)
        plan, total = self.plan(sandbox.places), self.job.task.tests.total_timeout_s
        end = sandbox.run(
            _argv(sandbox), output=output, deadline_s=total + PREPARE_S,
            limit=LINE_LIMIT + OUTPUT_LIMIT,
        )  # fmt: skip
        prepared = output.prepared()
        if prepared is None:
            raise EngineError(f"preparing the grading failed: {bytes(output.head[-500:])!r}")
        if not prepared["applied"]:
            return _rejected(prepared, clock.monotonic() - begin)
        seconds = output.since_prepared(end.seconds)
        if plan["stage"] == "prepare":
            self._merge(sandbox, prepared, plan)
            end = sandbox.run(_argv(sandbox), output=log, deadline_s=total)
            seconds = end.seconds
        report = b"" if end.timed_out else _report(sandbox)
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
            "argv": list(job.language.test_command(tests, run)),
            "scanners": [_scanner(module, owned, places) for module in job.scanners],
        }  # fmt: skip

    def hand_in(self, sandbox: Sandbox) -> None:
        """Put the patch and the plan where the rest waits."""
        plan = json.dumps(self.plan(sandbox.places)).encode()
        files = [Entry("attempt.patch", self.patch), Entry("plan.json", plan)]
        sandbox.put(f"{sandbox.places.bench}/in", pack(files))

    def _merge(self, sandbox: Sandbox, prepared: dict[str, Any], plan: dict[str, Any]) -> None:
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
        files = [Entry("merged.tar", pack(entries)), Entry("plan.json", again)]
        sandbox.put(f"{sandbox.places.bench}/in", pack(files))


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


def _fixed_files(job: Job, canaries: _Canaries) -> list[Entry]:
    """The grader's own files, the same for every patch but for the canaries' names."""
    canary = job.language.canary(canaries.passing, canaries.failing).encode()
    hidden = [Entry(p, c, m or REGULAR) for p, (m, c) in job.hidden.files.items()]
    return [
        Entry("in/inside.py", package_file("scores/_inside.py")),
        Entry(
            "in/hidden.tar",
            pack([*hidden, *(Entry(f, canary) for f in (canaries.first, canaries.last))]),
        ),
    ]


def _scanner(module: ModuleType, owned: Sequence[str], places: Places) -> dict[str, Any]:
    return {
        "name": module.NAME, "argv": list(module.command(places.tools)),
        "files": [path for path in owned if module.owns(path)],
        "timeout_s": SCANNER_TIMEOUT_S, "output_limit": OUTPUT_LIMIT,
    }  # fmt: skip


def _argv(sandbox: Sandbox) -> tuple[str, ...]:
    bench = sandbox.places.bench
    return (
        f"{sandbox.places.tools}/bin/python",
        "-I",
        f"{bench}/in/inside.py",
        f"{bench}/in/plan.json",
    )


def _report(sandbox: Sandbox) -> bytes:
    """The runner's report; none is an answer, not an error of the harness."""
    try:
        archive = sandbox.get(f"{sandbox.places.bench}/out", REPORT_LIMIT)
        files = {entry.path: entry.content for entry in unpack(archive, REPORT_LIMIT)}
    except (EngineError, BadInputError):
        return b""
    return files.get("out/report.xml", b"")


class _Split(io.BytesIO):
    """Keeps the first line (the prepared JSON) apart from the test output that follows."""

    def __init__(self, rest: BinaryIO) -> None:
        super().__init__()
        self.head = bytearray()
        self._rest, self._left = rest, OUTPUT_LIMIT
        self._complete = False
        self._begin = clock.monotonic()
        self._prepared_at = 0.0

    def write(self, data: Any) -> int:
        """Collect until the first line ends; pass on the rest."""
        chunk = bytes(data)
        if self._complete:
            self._pass_on(chunk)
            return len(chunk)
        line, newline, rest = chunk.partition(b"\n")
        self.head += line
        if newline or len(self.head) > LINE_LIMIT:
            self._complete = True
            self._prepared_at = clock.monotonic() - self._begin
            self._pass_on(rest)
        return len(chunk)

    def _pass_on(self, chunk: bytes) -> None:
        self._rest.write(chunk[: self._left])
        self._left = max(self._left - len(chunk), 0)

    def prepared(self) -> dict[str, Any] | None:
        """The line, read."""
        try:
            value = json.loads(self.head) if self._complete else None
        except ValueError:
            return None
        return value if isinstance(value, dict) else None

    def since_prepared(self, total: float) -> float:
        """Seconds of the test command."""
        return max(total - self._prepared_at, 0.0) if self._complete else 0.0
