"""Runs a project's own unittest-based runner in the sandbox, and writes what pytest would write.

    python plugin.py PATH...

Django's `manage.py test`, a `runtests.py` that ends there, or `python -m unittest`. Sent as text
behind `_selecting`, whose settings and tracer it uses; any Python from 3.7 on. The harness imports
it for its text alone.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import time
import unittest
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from micro_bench.languages.python.testing._selecting import (
    NAME,
    SETTINGS,
    Tracer,
    is_wanted,
    tell,
)

CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32)], "?")
"""Characters that XML does not have."""


class LimitError(BaseException):
    """A test took too long. Not an `Exception`: a loop that tries again would swallow it."""


class Rows:
    """What became of each test."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], list[Any]] = {}
        self.traces: dict[tuple[str, str], str] = {}

    def say(self, key: tuple[str, str], kind: str, text: str = "") -> None:
        """The worst that is said of a test stays."""
        row = self.found.setdefault(key, ["passed", "", 0.0])
        order = ("passed", "xfail", "skipped", "failure", "error")
        if order.index(kind) >= order.index(row[0]):
            row[:2] = [kind, text]

    def end(self, key: tuple[str, str], seconds: float) -> None:
        """A test is over: it is told at once."""
        row = self.found[key]
        row[2] = seconds
        if SETTINGS.get("stream", -1) >= 0:
            tell(SETTINGS["stream"], f"::{key[1]}", row[0])

    def write(self, place: str) -> None:
        """As pytest does it, family xunit1."""
        lines = ['<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite>']
        for (classname, name), (kind, text, seconds) in self.found.items():
            who = f"classname={attribute(classname)} " if classname else ""
            lines.append(f'<testcase {who}name={attribute(name)} time="{seconds:.3f}">')
            if trace := self.traces.get((classname, name)):
                value = attribute(trace)
                lines.append(f'<properties><property name="{NAME}" value={value}/></properties>')
            if kind != "passed":
                tag = "skipped" if kind == "xfail" else kind
                of = ' type="pytest.xfail"' if kind == "xfail" else ""
                message = attribute(text.strip().rpartition("\n")[2])
                if kind == "error" and not classname:
                    message = '"collection failure"'
                words = escape(text.translate(CONTROL))
                lines.append(f"<{tag}{of} message={message}>{words}</{tag}>")
            lines.append("</testcase>")
        lines.append("</testsuite></testsuites>")
        with open(place, "w", encoding="utf-8", errors="replace") as file:
            file.write("\n".join(lines))


def attribute(text: str) -> str:
    return quoteattr(text.translate(CONTROL)[-2000:])


ROWS = Rows()
BEGIN = time.monotonic()
PATHS: list[str] = []
"""The files to run."""


def place_of(module: str) -> str:
    """The file of a module, relative to the tree; or what it would be."""
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    place, work = os.path.realpath(file), os.path.realpath(SETTINGS["work"])
    if file and place.startswith(work + os.sep):
        return place[len(work) + 1 :].replace(os.sep, "/")
    here = os.path.relpath(os.getcwd(), work).replace(os.sep, "/")
    path = module.replace(".", "/") + ".py"
    return path if here == "." else f"{here}/{path}"


def key_of(test: Any) -> tuple[str, str]:
    """Class and name as pytest's report has them; no class for what could not be loaded."""
    if type(test).__name__ == "_FailedTest":
        return "", dotted(asked_for(test._testMethodName))
    if not isinstance(test, unittest.TestCase):
        said = test.id()  # `setUpClass (package.module.Class)`
        name, _, where = said.partition(" (")
        module, _, owner = where.rstrip(")").rpartition(".")
        return f"{dotted(place_of(module))}.{owner}", name
    kind = type(test)
    name = getattr(test, "_testMethodName", None) or test.id()
    return ".".join([dotted(place_of(kind.__module__)), *owners(kind)]), name


def asked_for(name: str) -> str:
    """The file that was asked for and could not be loaded: the end of its label is known."""
    found = [path for path in PATHS if f".{label(path)}".endswith(f".{name}")]
    return found[0] if found else place_of(name)


def dotted(path: str) -> str:
    return path[: -len(".py")].replace("/", ".") if path.endswith(".py") else path


def ident_of(test: Any) -> str:
    """The id as the harness has it."""
    if not isinstance(test, unittest.TestCase) or type(test).__name__ == "_FailedTest":
        return ""
    kind = type(test)
    name = getattr(test, "_testMethodName", "")
    return "::".join([place_of(kind.__module__), *owners(kind), name])


def owners(kind: Any) -> list[str]:
    """The names of a class and of those around it."""
    return [part for part in kind.__qualname__.split(".") if part != "<locals>"]


def resulting(base: Any) -> Any:
    """The project's own class of results, which also tells us."""

    class Result(base):  # type: ignore[misc]
        def startTest(self, test: Any) -> None:  # noqa: N802 - unittest's names
            ROWS.say(key_of(test), "passed")
            self.bench_begin = time.monotonic()
            super().startTest(test)

        def stopTest(self, test: Any) -> None:  # noqa: N802
            super().stopTest(test)
            ROWS.end(key_of(test), time.monotonic() - self.bench_begin)

        def addError(self, test: Any, err: Any) -> None:  # noqa: N802
            super().addError(test, err)
            ROWS.say(key_of(test), "error", said(err))

        def addFailure(self, test: Any, err: Any) -> None:  # noqa: N802
            super().addFailure(test, err)
            ROWS.say(key_of(test), "failure", said(err))

        def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
            super().addSkip(test, reason)
            ROWS.say(key_of(test), "skipped", reason)

        def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802
            super().addExpectedFailure(test, err)
            ROWS.say(key_of(test), "xfail", said(err))

        def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802
            super().addUnexpectedSuccess(test)
            ROWS.say(key_of(test), "failure", "unexpected success")

        def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
            super().addSubTest(test, subtest, err)
            if err is not None:
                kind = "failure" if issubclass(err[0], test.failureException) else "error"
                ROWS.say(key_of(test), kind, f"{subtest}: {said(err)}")

    return Result


def said(err: Any) -> str:
    """What an exception says, and where it was raised."""
    import traceback  # noqa: PLC0415 - where it is needed

    return "".join(traceback.format_exception(*err)) if isinstance(err, tuple) else str(err)


def install() -> None:
    """Put our part into unittest: results, limits, a choice of tests, a trace."""
    runner, case = unittest.TextTestRunner, unittest.TestCase
    make, run, one = runner._makeResult, runner.run, case.run
    wanted = frozenset(SETTINGS.get("only") or ())
    tracer = Tracer(SETTINGS["trace"]) if SETTINGS.get("trace") else None

    def make_result(self: Any) -> Any:
        self.resultclass = resulting(self.resultclass or unittest.TextTestResult)
        return make(self)

    def run_chosen(self: Any, test: Any) -> Any:
        return run(self, chosen(test, wanted) if wanted else test)

    def run_one(self: Any, result: Any = None) -> Any:
        if result and is_late(self):
            return pass_over(self, result)
        if tracer is None:
            return limited(one, self, result)
        tracer.begin(set(tracer.shared.get(id(type(self)), ())))
        try:
            return limited(one, self, result)
        finally:
            ROWS.traces[key_of(self)] = tracer.told(tracer.end())

    runner._makeResult = make_result  # type: ignore[method-assign]
    runner.run = run_chosen  # type: ignore[method-assign]
    case.run = run_one  # type: ignore[method-assign]
    if tracer:
        trace_classes(tracer)
    skip_classes()


def is_late(test: Any) -> bool:
    """Whether a test comes when the others are passed over. What could not be loaded never does."""
    limit = SETTINGS.get("stop_after_s")
    if not limit or time.monotonic() - BEGIN <= limit or type(test).__name__ == "_FailedTest":
        return False
    return place_of(type(test).__module__) not in SETTINGS["whole"]


def pass_over(test: Any, result: Any) -> Any:
    """Say so of a test."""
    result.startTest(test)
    result.addSkip(test, SETTINGS["passed_over"])
    result.stopTest(test)
    return result


def skip_classes() -> None:
    """A class that comes late is not set up: with Django its data may take longer than its tests.

    To unittest it looks like one whose set-up failed: it is not run and not torn down.
    """
    suite: Any = unittest.TestSuite
    prepare, skipped = suite._handleClassSetUp, set()

    def handle(self: Any, test: Any, result: Any) -> Any:
        kind = type(test)
        is_new = kind is not getattr(result, "_previousTestClass", None)
        if isinstance(test, unittest.TestCase) and (is_new or kind in skipped) and is_late(test):
            skipped.add(kind)
            kind._classSetupFailed = True
            return pass_over(test, result)
        return prepare(self, test, result)

    suite._handleClassSetUp = handle


def trace_classes(tracer: Tracer) -> None:
    """What `setUpClass` executes counts for every test of the class."""
    suite: Any = unittest.TestSuite
    prepare = suite._handleClassSetUp

    def traced(self: Any, test: Any, result: Any) -> Any:
        tracer.begin(set())
        try:
            return prepare(self, test, result)
        finally:
            hits = tracer.end()
            if id(type(test)) not in tracer.shared:
                tracer.shared[id(type(test))] = hits

    suite._handleClassSetUp = traced


def chosen(test: Any, wanted: Any) -> Any:
    """A suite of the tests that are asked for, and of what could not be loaded."""
    kept = unittest.TestSuite()
    for one in flat(test):
        ident = ident_of(one)
        if not ident or is_wanted(ident, wanted):
            kept.addTest(one)
    return kept


def flat(test: Any) -> Any:
    """Every test of a suite, in its order."""
    if isinstance(test, unittest.TestSuite):
        for one in test:
            yield from flat(one)
    else:
        yield test


def limited(one: Any, test: Any, result: Any) -> Any:
    """A test that takes too long is an error of its own."""

    def over(_number: Any, _frame: Any) -> None:
        raise LimitError(f"Timeout (>{SETTINGS['timeout_s']}s) from micro-bench")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, SETTINGS["timeout_s"])
    try:
        return one(test, result)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def label(path: str) -> str:
    """A file as a dotted name, seen from the working folder."""
    here = os.path.relpath(os.path.join(SETTINGS["work"], path))
    return dotted(here.replace(os.sep, "/"))


def start(paths: list[str]) -> None:
    """The project's runner, over these files."""
    PATHS[:] = paths
    labels = [label(path) for path in paths]
    sys.path.pop(0)  # the folder of this file
    install()
    if SETTINGS["runner"] == "unittest":
        sys.path.insert(0, os.getcwd())
        sys.argv = ["python -m unittest", *labels]
        unittest.main(module=None)
        return
    script = SETTINGS["script"]
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    name = os.path.basename(script)
    options = ["test", "--noinput"] if name == "manage.py" else []
    sys.argv = [script, *options, *labels]
    runpy.run_path(script, run_name="__main__")


def main(paths: list[str]) -> None:
    """Run, and write the report however it ends."""
    try:
        start(paths)
    finally:
        ROWS.write(SETTINGS["junit"])
