"""Run a patch's grading in a fresh sandbox: apply, restore, scan, hidden tests, canaries.

The order is the protection: whatever can be faked by code under test is measured before that code
runs, and what comes after is cross-checked (exit code, report and two canaries must agree).
"""

from __future__ import annotations

import base64
import json
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
from micro_bench.languages._language import TestRun, Trace
from micro_bench.languages._recipe import Recipe
from micro_bench.model.execution import TestsRun, Trust
from micro_bench.model.image import Image
from micro_bench.model.score import Scan, Suspicion
from micro_bench.model.task import Task
from micro_bench.sandboxes._sandbox import Places, Sandbox, Start, StartRequest
from micro_bench.scores import scan
from micro_bench.scores.canaries import Canaries, cross_check, explain, make
from micro_bench.scores.told import Told

SCANNER_TIMEOUT_S = 60
SCANNER_OUTPUT_LIMIT = 16 * 2**20
"""As sent: all scanners, their sources and files to merge must fit in the one line."""
PREPARE_S = 300
STREAM = 198
"""As in `_supervising.py`, which imports nothing of ours."""
SUSPICIONS_KEPT = 100


@dataclass(frozen=True)
class Hidden:
    """What is laid over the work tree before the tests run."""

    files: Mapping[str, tuple[int, bytes]] = field(default_factory=dict)
    """Path -> (git mode, content)."""
    deleted: tuple[str, ...] = ()


def never(path: str) -> bool:  # noqa: ARG001 - a rule about paths
    """No path asks for a build."""
    return False


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
    like: Mapping[str, bytes] = field(default_factory=dict)
    """The hidden test files, whichever run: the canaries take after them."""
    build: Callable[[str, str], str] | None = None
    """The program that builds the project's extensions, out of the tree's top and a folder for
    what it makes."""
    reads: Callable[[str], bool] = never
    """Whether a change of the path asks for that."""
    only: tuple[str, ...] = ()
    """Ids of the tests that run; empty for all of those files."""
    trace: Trace | None = None
    """Tell which tests execute what."""
    stop_after_s: float = 0
    """Seconds after which tests are passed over; 0: never."""


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
    suspicions: tuple[Suspicion, ...] = ()
    """What a person should look at in the patch."""


def stand_by(start: Start, job: Job, labels: Mapping[str, str]) -> Sandbox:
    """Start a grading's sandbox ahead of its patch. Grade in it, or close it."""
    return start(StartRequest(job.image, job.task.limits, labels=labels, supervised=True))


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
        canaries = make(job.tests, job.like, job.language, job.recipe, job.infrastructure)
        return _Grading(job, patch, canaries).run(sandbox, log, begin)
    finally:
        sandbox.close()


@dataclass(frozen=True)
class _Grading:
    """One patch's way through one sandbox."""

    job: Job
    patch: bytes
    canaries: Canaries

    def run(self, sandbox: Sandbox, log: BinaryIO, begin: float) -> Graded:
        """Prepare, test, read, cross-check."""
        plan, total = (
            self.plan(sandbox.places, sandbox.tests_user),
            self.job.task.tests.total_timeout_s,
        )
        told = Told()
        log.write(self.canaries.announced())
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
            told.forget()
            end = sandbox.run(
                _argv(sandbox), output=log, deadline_s=total, errors=told,
                files=self.merged(prepared, plan),
            )  # fmt: skip
            seconds = end.seconds
        report = b"" if end.timed_out else told.report()
        checked, doubts = self.checked(end.exit_code, report, told)
        if checked["trust"] is Trust.AGREE:
            log.write(self.canaries.explained())
        run = TestsRun(
            **checked, applied=True, exit_code=end.exit_code, seconds=seconds,
            touched=tuple(prepared["touched"]), restored=tuple(prepared["restored"]),
            out_of_memory=checked["trust"] is not Trust.AGREE and sandbox.out_of_memory(),
        )  # fmt: skip
        scans = scan.read_all(self.job.scanners, prepared)
        scan_s = sum(float(record["seconds"]) for record in prepared["scans"])
        doubts = (*doubts, *suspicious(self.job, prepared))
        return Graded(run, scans, clock.monotonic() - begin, report, scan_s, doubts)

    @property
    def total_s(self) -> float:
        """What the tests may take."""
        return self.job.task.tests.total_timeout_s

    def checked(
        self, code: int | None, report: bytes, told: Told
    ) -> tuple[dict[str, Any], tuple[Suspicion, ...]]:
        """The report's results, as far as they can be believed, and what is odd about them."""
        passing, failing = self.canaries.passing, self.canaries.failing
        results = self.job.language.results(report, self.tests) if report else None
        trust, kept = cross_check(code, results, passing, failing)
        detail = told.problem() or explain(trust, code, results, passing, failing)
        if trust is not Trust.AGREE:
            return {"trust": trust, "results": kept, "detail": detail}, ()
        if changed := told.changed():
            lied = f"while the tests ran, their own files were changed: {', '.join(changed[:3])}"
            return {"trust": Trust.TAMPERED, "results": kept, "detail": lied}, ()
        stream = told.stream()
        found = self.job.language.discord(stream or b"", results or ())
        if found and found.lied:
            return {"trust": Trust.TAMPERED, "results": kept, "detail": found.words}, ()
        odd = (Suspicion(what=found.words),) if found else ()
        return {"trust": trust, "results": kept, "detail": ""}, odd

    @property
    def tests(self) -> tuple[str, ...]:
        """The files that run, in their order."""
        return (self.canaries.first.path, *self.job.tests, self.canaries.last.path)

    def plan(self, places: Places, user: tuple[int, int] | None = None) -> dict[str, Any]:
        """What `_inside.py` is to do; `user` is whose the tests are, where there are several."""
        job, paths = self.job, patch_paths(self.patch)
        guarded = [p for p in paths if _is_guarded(job, p)]
        merge = [p for p in guarded if job.language.has_other_content(p)]
        owned = [p for p in paths if not job.language.is_test(p, job.recipe)]
        canaries = (self.canaries.first.path, self.canaries.last.path)
        run = TestRun(
            junit=f"{places.bench}/out/report.xml", timeout_s=job.task.tests.timeout_s,
            python=f"{places.venv}/bin", work=places.work, config=_text(job.infrastructure),
            recipe=job.recipe, only=(*job.only, *canaries) if job.only else (), trace=job.trace,
            stop_after_s=job.stop_after_s, whole=(*canaries, *job.like),
            plugin=f"{places.bench}/run/plugin.py", stream=STREAM,
        )  # fmt: skip
        return {
            "stage": "prepare" if merge else "all",
            "work": places.work, "bench": places.bench, "paths": list(paths),
            "restore": [p for p in guarded if p not in merge], "merge": merge,
            "delete": list(job.hidden.deleted),
            "report": run.junit, "argv": list(job.language.test_command(self.tests, run)),
            "plugin": job.language.test_plugin(run),
            "user": list(user) if user else None,
            "mine": sorted({*job.hidden.files, *canaries}),
            "owned": sorted({*job.infrastructure, *job.tests} - {*canaries}),
            "build": self._build(paths, places), "built": f"{places.bench}/out/built",
            "python": f"{places.venv}/bin/python",
            "folder": job.language.test_folder(self.tests, run), "env": dict(job.recipe.env),
            "scanners": [_scanner(module, owned, places) for module in job.scanners],
        }  # fmt: skip

    def _build(self, paths: Sequence[str], places: Places) -> str:
        """The text of the program that builds anew, where the patch changes what is built."""
        job = self.job
        if job.build is None or not any(map(job.reads, paths)):
            return ""
        return job.build(places.work, f"{places.bench}/out/built")

    def files(self, plan: dict[str, Any]) -> bytes:
        """Everything that is handed in: the patch, the plan, the hidden tests, the program."""
        job, canaries = self.job, self.canaries
        hidden = [Entry(p, c, m or REGULAR) for p, (m, c) in job.hidden.files.items()]
        hidden += [Entry(c.path, c.text.encode()) for c in (canaries.first, canaries.last)]
        return pack(
            [
                Entry("in/inside.py", package_file("scores/_inside.py")),
                Entry("in/_scanning.py", package_file("scores/_scanning.py")),
                Entry("in/hidden.tar", pack(hidden)),
                Entry("in/attempt.patch", self.patch),
                Entry("in/_supervising.py", package_file("scores/_supervising.py")),
                Entry("run/plugin.py", plan["plugin"].encode()),
                Entry("run/build.py", plan["build"].encode()),
                Entry("in/plan.json", json.dumps(_small(plan)).encode()),
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
        again = json.dumps({**_small(plan), "stage": "tests", "delete": delete}).encode()
        return pack([Entry("in/merged.tar", pack(entries)), Entry("in/plan.json", again)])


def suspicious(job: Job, prepared: Mapping[str, Any]) -> tuple[Suspicion, ...]:
    """What the language notes in the files that the patch leaves behind, tests aside.

    A source that was too large to be sent is one that nobody read.
    """
    sources: Mapping[str, str] = prepared.get("sources", {})
    found: list[Suspicion] = []
    for path in prepared["touched"]:
        if job.language.is_test(path, job.recipe) or not job.scanners:
            continue
        before, after = (_encoded(sources.get(f"{side}/{path}")) for side in ("base", "head"))
        found += job.language.suspicions(path, before, after or b"")
        if path in prepared.get("disguised", ()):
            found.append(Suspicion(what="code by another name", path=path))
        if path in prepared.get("unsent", ()):
            found.append(Suspicion(what="it is too large to be read", path=path))
    return tuple(found[:SUSPICIONS_KEPT])


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "replace")


def _rejected(prepared: dict[str, Any], total: float) -> Graded:
    run = TestsRun(
        applied=False, apply_error=str(prepared["error"]), trust=Trust.CRASHED, exit_code=None,
        seconds=0.0,
    )  # fmt: skip
    return Graded(run, (), total, b"")


def _small(plan: dict[str, Any]) -> dict[str, Any]:
    """The plan without the texts that have files of their own."""
    return {**plan, "plugin": "", "build": bool(plan["build"])}


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
        "others": [path for path in owned if not module.owns(path)],
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
