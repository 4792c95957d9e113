"""A plugin of pytest, inside the sandbox: runs some tests only, and tells what they execute.

Sent as text, with its settings behind it; any Python from 3.7 on, and nothing that pytest itself
does not have. The harness imports it for its text alone.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

SETTINGS: dict[str, Any] = {}
"""`only`: ids of tests, or files of which all run; empty for all. `trace`: see `Tracer`.

`stop_after_s`: when to pass over the tests that are left, but for the files in `whole`, and
`passed_over`: what these say.
"""
NAME = "micro_bench_trace"
FILE = 10000000
"""More lines than a file has: a line's number is that of its file times this, and its own."""


def made() -> list[Any]:
    """The plugins."""
    found = [selection(frozenset(SETTINGS.get("only") or ()), SETTINGS.get("stop_after_s"))]
    if SETTINGS.get("stream", -1) >= 0:
        found.append(streaming(SETTINGS["stream"]))
    return [*found, tracing(Tracer(SETTINGS["trace"]))] if SETTINGS.get("trace") else found


def streaming(number: int) -> Any:
    """Tells every result at once: what has been told cannot be taken back."""
    import pytest  # noqa: PLC0415 - the harness itself has none

    class Streaming:
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_logreport(self, report: Any) -> None:
            tell(number, report.nodeid, report.outcome)

    return Streaming()


def tell(number: int, ident: str, outcome: str) -> None:
    """One line. Programs that tests start do not get the descriptor."""
    try:
        os.set_inheritable(number, False)
        os.write(number, json.dumps([escaped(ident), outcome]).encode() + b"\n")
    except OSError:  # the tests have closed it: less is told, and the host sees that
        pass


def selection(wanted: frozenset[str], limit: float | None) -> Any:
    """Runs some of the tests."""
    import pytest  # noqa: PLC0415 - the harness itself has none

    begin = time.monotonic()

    class Selection:
        @pytest.hookimpl(hookwrapper=True, trylast=True)
        def pytest_collection_modifyitems(self, config: Any, items: Any) -> Any:
            yield
            if wanted:
                chosen = [item for item in items if is_wanted(item.nodeid, wanted)]
                others = [item for item in items if not is_wanted(item.nodeid, wanted)]
                items[:] = chosen
                config.hook.pytest_deselected(items=others)

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtest_protocol(self, item: Any) -> Any:
            late = limit and time.monotonic() - begin > limit
            if late and item.nodeid.partition("::")[0] not in SETTINGS["whole"]:
                item.add_marker(pytest.mark.skip(reason=SETTINGS["passed_over"]))
            yield

    return Selection()


def tracing(tracer: Tracer) -> Any:
    """Adds to the report what each test executes."""
    import pytest  # noqa: PLC0415 - the harness itself has none

    class Tracing:
        @pytest.hookimpl(hookwrapper=True, trylast=True)
        def pytest_fixture_setup(self, fixturedef: Any) -> Any:
            outside = sys.gettrace()
            before = tracer.begin(set())
            yield
            tracer.shared[id(fixturedef)] = tracer.end()
            tracer.hits.update(before)
            sys.settrace(outside)

        @pytest.hookimpl(hookwrapper=True, tryfirst=True)
        def pytest_runtest_setup(self, item: Any) -> Any:  # noqa: ARG002
            tracer.hits.clear()
            yield

        @pytest.hookimpl(hookwrapper=True, trylast=True)
        def pytest_runtest_call(self, item: Any) -> Any:
            tracer.begin(fixtures_of(item, tracer.shared) | tracer.hits)
            yield
            item.user_properties.append((NAME, tracer.told(tracer.end())))

    return Tracing()


def is_wanted(ident: str, wanted: Any) -> bool:
    """By its id as the report writes it, or by its file."""
    return ident in wanted or ident.partition("::")[0] in wanted or escaped(ident) in wanted


def escaped(ident: str) -> str:
    """The report writes characters that XML does not have in a way of its own."""
    try:
        from _pytest.junitxml import bin_xml_escape  # noqa: PLC0415

        return str(bin_xml_escape(ident))
    except ImportError:
        return ident


def fixtures_of(item: Any, shared: Any) -> set[int]:
    """What the fixtures of a test executed, when one before it had them set up."""
    found: set[int] = set()
    definitions = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", None) or {}
    for each in definitions.values():
        for definition in each:
            found |= shared.get(id(definition), frozenset())
    return found


class Tracer:
    """Which lines of some files are executed.

    `work`: the top of the tree. `touched`: path -> ranges of changed lines. `importers`: paths of
    files of which it is enough to know the functions.
    """

    def __init__(self, settings: Any) -> None:
        self.work = os.path.realpath(settings["work"])
        self.hits: set[int] = set()
        self.shared: dict[int, frozenset[int]] = {}
        self.numbers: dict[str, int] = {}
        self.changed: set[int] = set()
        for number, (path, ranges) in enumerate(sorted(settings["touched"].items()), 1):
            self.numbers[path] = number
            for first, last in ranges:
                self.changed.update(number * FILE + line for line in range(first, last + 1))
        self.importers = FILE * (len(self.numbers) + 1)
        for number, path in enumerate(settings["importers"], len(self.numbers) + 1):
            self.numbers.setdefault(path, number)
        self.known: dict[str, int] = {}

    def begin(self, hits: set[int]) -> set[int]:
        """Trace from here on; returns what was executed before."""
        before = set(self.hits)
        self.hits.clear()
        self.hits.update(hits)
        sys.settrace(self.call)
        threading.settrace(self.call)
        return before

    def end(self) -> frozenset[int]:
        """Trace no more; what was executed since."""
        sys.settrace(None)
        threading.settrace(None)
        return frozenset(self.hits)

    def call(self, frame: Any, event: str, argument: Any) -> Any:  # noqa: ARG002
        """A function is called: its lines count where the file is touched."""
        name = frame.f_code.co_filename
        try:
            start = self.known[name]
        except KeyError:
            start = self.known[name] = self.start(name)
        if not start:
            return None
        if start >= self.importers:
            self.hits.add(start + frame.f_code.co_firstlineno)
            return None
        add = self.hits.add

        def line(frame: Any, event: str, argument: Any) -> Any:  # noqa: ARG001
            add(start + frame.f_lineno)
            return line

        return line

    def start(self, name: str) -> int:
        """The number of a file's line 0; 0 for files that nobody asks for."""
        place = os.path.realpath(name)
        if not place.startswith(self.work + os.sep):
            return 0
        path = place[len(self.work) + 1 :].replace(os.sep, "/")
        return self.numbers.get(path, 0) * FILE

    def told(self, hits: frozenset[int]) -> str:
        """How near a test comes to the change, and a mark of the lines: equal ones, equal marks."""
        if not hits:
            return "0"
        near = 1
        if not self.changed.isdisjoint(hits):
            near = 3
        elif min(hits) < self.importers:
            near = 2
        return f"{near}:{hash(hits) & 0xFFFFFFFF:08x}"
