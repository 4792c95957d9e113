"""JUnit XML as pytest writes it (family xunit1) -> results by node id. Input is hostile."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

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
_TEXT_READ = 100_000


def results(report: bytes, ran: Sequence[str] = ()) -> tuple[TestResult, ...] | None:
    """Every test of the report, or None when it is not a readable report.

    Collection errors are results too: their `id` is the file or class, `collection` is true.
    """
    files = {_dotted(path): path for path in ran}
    found: dict[str, TestResult] = {}
    try:
        for case in _cases(report):
            result = _result(case, files)
            known = found.get(result.id)
            if known is None or RANK.index(result.status) < RANK.index(known.status):
                found[result.id] = result
    except (ParseError, DefusedXmlException, ValueError):
        return None
    return tuple(found.values())


def _cases(report: bytes) -> Iterator[Element]:
    """Each `testcase`, one at a time: what was read is dropped, output at once."""
    above: list[Element] = []
    for event, element in iterparse(io.BytesIO(report), events=("start", "end"), forbid_dtd=True):
        if event == "start":
            above.append(element)
            continue
        above.pop()
        if element.tag == "testcase":
            yield element
        if above and not any(each.tag == "testcase" for each in above):
            above[-1].remove(element)
        elif element.tag in ("system-out", "system-err", "properties"):
            element.clear()


def _result(case: Element, files: dict[str, str]) -> TestResult:
    status, message = _status(case)
    collection = status is TestStatus.ERROR and message.startswith(COLLECTION)
    return TestResult(
        id=_node_id(case, files),
        status=status,
        seconds=_seconds(case.get("time", "0")),
        message=message[:MESSAGE_LIMIT],
        collection=collection,
    )


def _status(case: Element) -> tuple[TestStatus, str]:
    found = [(child.tag, child) for child in case if child.tag in ("error", "failure", "skipped")]
    if not found:
        return TestStatus.PASSED, ""
    order = {"error": 0, "failure": 1, "skipped": 2}
    tag, child = min(found, key=lambda item: order[item[0]])
    message, text = child.get("message") or "", (child.text or "")[-_TEXT_READ:].strip()
    if tag == "skipped":
        expected = child.get("type") == "pytest.xfail"
        message = _with_reason(message or text, _SKIPPED_WHY.findall(text), SKIPPED_FILE)
        return (TestStatus.XFAILED if expected else TestStatus.SKIPPED), message
    if tag == "error":
        return TestStatus.ERROR, _with_reason(message or text, [first_error(text)])
    return TestStatus.FAILED, message or text


def _with_reason(message: str, reasons: Sequence[str], alone: str = COLLECTION) -> str:
    """`ModuleNotFoundError: No module named 'x'` behind a message that says only where it was."""
    said = reasons[-1].strip() if reasons else ""
    return f"{message}: {said}" if message == alone and said else message


def _node_id(case: Element, files: dict[str, str]) -> str:
    """`file::Class::name` out of file `a/b.py`, classname `a.b.Class` and the name.

    What could not be collected is a case, too: a file has its own name there and no classname.
    """
    file, classname, name = (case.get(key, "") for key in ("file", "classname", "name"))
    if not classname and name == _dotted(file):
        return file
    if not classname and not file:
        return files.get(name, name.replace(".", "/") + ".py")
    file, dotted = _module(file, classname, files)
    classes = classname.removeprefix(dotted).strip(".")
    return "::".join([file, *(part for part in classes.split(".") if part), name])


def _module(file: str, classname: str, files: dict[str, str]) -> tuple[str, str]:
    """File and dotted name of the module that was collected.

    `file` is where a test was written: for one inherited from a class of another file it is that
    file. The files that ran tell; where they do not, capitalised parts are taken for classes.
    """
    parts = classname.split(".")
    own = bool(file) and f"{classname}.".startswith(f"{_dotted(file)}.")
    if not (own and file in files.values()):
        for length in range(len(parts), 0, -1):
            dotted = ".".join(parts[:length])
            if dotted in files:
                return files[dotted], dotted
    if own:
        return file, _dotted(file)
    while len(parts) > 1 and parts[-1][:1].isupper():
        parts.pop()
    return "/".join(parts) + ".py", ".".join(parts)


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
