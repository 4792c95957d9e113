"""JUnit XML as pytest writes it (family xunit1) -> results by node id. Input is hostile."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from micro_bench.languages.python.testing._selecting import NAME
from micro_bench.languages.python.testing.words import first_error
from micro_bench.model.execution import TestResult, TestStatus

RANK = (
    TestStatus.ERROR,
    TestStatus.FAILED,
    TestStatus.SKIPPED,
    TestStatus.XFAILED,
    TestStatus.PASSED,
)
"""Worst first: a test that is reported twice (a failure and a broken teardown) keeps the worst."""
MESSAGE_LIMIT = 300
COLLECTION, SKIPPED_FILE = "collection failure", "collection skipped"
_SKIPPED_WHY = re.compile(r"Skipped: (.*?)['\"]?\)?$", re.DOTALL)
_OUTCOMES = ("error", "failure", "skipped")
"""Worst first."""
_TEXT_KEPT = 100_000
MOST_RESULTS, MOST_LETTERS = 100_000, 8_000_000
"""Of a report: tests, and letters in their ids and messages. Beyond, it is none."""
_CHUNK = 2**20


def results(report: bytes, ran: Sequence[str] = ()) -> tuple[TestResult, ...] | None:
    """Every test of the report, or None when it is not a readable report.

    Collection errors are results too: their `id` is the file or class, `collection` is true.
    """
    reader = _read(report, ran)
    return tuple(reader.found.values()) if reader else None


def traces(report: bytes, ran: Sequence[str] = ()) -> Mapping[str, str]:
    """What each test of a traced run executed; of what cannot be read, nothing."""
    reader = _read(report, ran)
    return reader.traces if reader else {}


def _read(report: bytes, ran: Sequence[str]) -> _Reader | None:
    reader = _Reader({_dotted(path): path for path in ran})
    parser = DefusedXMLParser(target=reader, forbid_dtd=True)
    try:
        for start in range(0, len(report), _CHUNK):
            parser.feed(report[start : start + _CHUNK])
            if reader.is_full():
                return None
        parser.close()
    except (ParseError, DefusedXmlException, ValueError):
        return None
    return None if reader.is_full() else reader


@dataclass
class _Said:
    """What a `testcase` says of its outcome: one of its children."""

    tag: str
    attributes: Mapping[str, str]
    pieces: list[str] = field(default_factory=list)
    size: int = 0

    @property
    def text(self) -> str:
        return "".join(self.pieces)[-_TEXT_KEPT:].strip()

    def add(self, piece: str) -> None:
        """Keep the end, where the cause stands; reports may be of any size."""
        self.pieces.append(piece)
        self.size += len(piece)
        if self.size > 2 * _TEXT_KEPT:
            self.pieces = ["".join(self.pieces)[-_TEXT_KEPT:]]
            self.size = _TEXT_KEPT


class _Reader:
    """Takes one case at a time and forgets it; what the tests printed is not even kept for that."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.found: dict[str, TestResult] = {}
        self.traces: dict[str, str] = {}
        self._files = files
        self._known = frozenset(files.values())
        self._case: Mapping[str, str] | None = None
        self._children: list[_Said] = []
        self._inside = False
        self._letters = 0

    def is_full(self) -> bool:
        """Whether the report tells of more than anybody's tests are, to fill the host's memory."""
        return len(self.found) > MOST_RESULTS or self._letters > MOST_LETTERS

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """A tag opens."""
        if tag == "testcase":
            self._case, self._children = attributes, []
        elif tag == "property" and self._case is not None and attributes.get("name") == NAME:
            self.traces[self._node_id(self._case)] = sys.intern(attributes.get("value", "")[:20])
        elif tag in _OUTCOMES and self._case is not None:
            self._children.append(_Said(tag, attributes))
            self._inside = True

    def data(self, text: str) -> None:
        """A piece of text."""
        if self._inside:
            self._children[-1].add(text)

    def end(self, tag: str) -> None:
        """A tag closes."""
        if tag in _OUTCOMES:
            self._inside = False
        if tag != "testcase" or self._case is None:
            return
        result = self._result(self._case)
        known = self.found.get(result.id)
        if known is None:
            self._letters += len(result.id) + len(result.message)
        else:
            worst = min(result, known, key=lambda each: RANK.index(each.status))
            result = replace(worst, times=known.times + 1)
        self.found[result.id] = result
        self._case = None

    def close(self) -> None:
        """The document ends."""

    def _result(self, case: Mapping[str, str]) -> TestResult:
        status, message = _status(self._children)
        collection = status is TestStatus.ERROR and message.startswith(COLLECTION)
        return TestResult(
            id=self._node_id(case),
            status=status,
            seconds=_seconds(case.get("time", "0")),
            message=message[:MESSAGE_LIMIT],
            collection=collection,
        )

    def _node_id(self, case: Mapping[str, str]) -> str:
        """`file::Class::name` out of file `a/b.py`, classname `a.b.Class` and the name.

        What could not be collected is a case, too: a file has its own name there, no classname.
        """
        file, classname, name = (case.get(key, "") for key in ("file", "classname", "name"))
        if not classname and name == _dotted(file):
            return file
        if not classname and not file:
            return self._files.get(name, name.replace(".", "/") + ".py")
        file, dotted = self._module(file, classname)
        classes = classname.removeprefix(dotted).strip(".")
        return "::".join([file, *(part for part in classes.split(".") if part), name])

    def _module(self, file: str, classname: str) -> tuple[str, str]:
        """File and dotted name of the module that was collected.

        `file` is where a test was written: for one inherited from a class of another file it is
        that file. The files that ran tell; where they do not, capitals are taken for classes.
        """
        parts = classname.split(".")
        own = bool(file) and f"{classname}.".startswith(f"{_dotted(file)}.")
        if not (own and file in self._known):
            for length in range(len(parts), 0, -1):
                dotted = ".".join(parts[:length])
                if dotted in self._files:
                    return self._files[dotted], dotted
        if own:
            return file, _dotted(file)
        while len(parts) > 1 and parts[-1][:1].isupper():
            parts.pop()
        return "/".join(parts) + ".py", ".".join(parts)


def _status(children: Sequence[_Said]) -> tuple[TestStatus, str]:
    if not children:
        return TestStatus.PASSED, ""
    worst = min(children, key=lambda child: _OUTCOMES.index(child.tag))
    message, text = worst.attributes.get("message") or "", worst.text
    if worst.tag == "skipped":
        expected = worst.attributes.get("type") == "pytest.xfail"
        message = _with_reason(message or text, _SKIPPED_WHY.findall(text), SKIPPED_FILE)
        return (TestStatus.XFAILED if expected else TestStatus.SKIPPED), message
    if worst.tag == "error":
        return TestStatus.ERROR, _with_reason(message or text, [first_error(text)])
    return TestStatus.FAILED, message or text


def _with_reason(message: str, reasons: Sequence[str], alone: str = COLLECTION) -> str:
    """`ModuleNotFoundError: No module named 'x'` behind a message that says only where it was."""
    said = reasons[-1].strip() if reasons else ""
    return f"{message}: {said}" if message == alone and said else message


def _dotted(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").replace("\\", ".")


def _seconds(text: str) -> float:
    try:
        return max(float(text.replace(",", "")), 0.0)
    except ValueError:
        return 0.0


def has_other_content(path: str) -> bool:
    """pyproject.toml, setup.cfg and tox.ini hold more than pytest's settings."""
    return path.rpartition("/")[2] in ("pyproject.toml", "setup.cfg", "tox.ini")
