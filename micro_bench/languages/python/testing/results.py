"""JUnit XML as pytest writes it (family xunit1) -> results by node id. Input is hostile."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

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
COLLECTION = "collection failure"
COLLECTION_SKIPPED = "collection skipped"
_SKIP_REASON = re.compile(r"Skipped: (.*?)['\"]?\)?$", re.DOTALL)


def results(report: bytes) -> tuple[TestResult, ...] | None:
    """Every test of the report, or None when it is not a readable report.

    Collection errors are results too: their `id` is the file, `collection` is true.
    """
    try:
        root = fromstring(report, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        return None
    found: dict[str, TestResult] = {}
    for case in root.iter("testcase"):
        result = _result(case)
        known = found.get(result.id)
        if known is None or RANK.index(result.status) < RANK.index(known.status):
            found[result.id] = result
    return tuple(found.values())


def _result(case: Element) -> TestResult:
    status, message = _status(case)
    name = case.get("name", "")
    collection = status is TestStatus.ERROR and message.startswith(COLLECTION)
    whole = collection or message.startswith(COLLECTION_SKIPPED)
    return TestResult(
        id=name.replace(".", "/") + ".py" if whole else _node_id(case, name),
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
    message = child.get("message") or (child.text or "").strip()
    if tag == "skipped":
        expected = child.get("type") == "pytest.xfail"
        if message == COLLECTION_SKIPPED:
            reason = _SKIP_REASON.search((child.text or "").strip())
            message = ": ".join([COLLECTION_SKIPPED, *([reason[1]] if reason else [])])
        return (TestStatus.XFAILED if expected else TestStatus.SKIPPED), message
    if tag == "error" and message == COLLECTION:
        message = ": ".join([COLLECTION, *filter(None, [first_error(child.text or "")])])
    return (TestStatus.ERROR if tag == "error" else TestStatus.FAILED), message


def _node_id(case: Element, name: str) -> str:
    """`file::Class::name` out of file `a/b.py`, classname `a.b.Class` and the name."""
    file, classname = case.get("file", ""), case.get("classname", "")
    dotted = file.removesuffix(".py").replace("/", ".").replace("\\", ".")
    if not file or not f"{classname}.".startswith(f"{dotted}."):
        # a test inherited from a class of another file: `file` is where it was written
        file, dotted = _module_of(classname)
    classes = classname.removeprefix(dotted).strip(".")
    return "::".join([file, *(part for part in classes.split(".") if part), name])


def _module_of(classname: str) -> tuple[str, str]:
    """File and dotted name of the module, taking capitalised parts at the end for classes."""
    parts = classname.split(".")
    while len(parts) > 1 and parts[-1][:1].isupper():
        parts.pop()
    return "/".join(parts) + ".py", ".".join(parts)


def _seconds(text: str) -> float:
    try:
        return max(float(text.replace(",", "")), 0.0)
    except ValueError:
        return 0.0


def canary(passing: str, failing: str) -> str:
    """Two tests of the given names: the first passes, the second fails, whatever the code is."""
    return f"def {passing}():\n    assert True\n\n\ndef {failing}():\n    assert False\n"


def has_other_content(path: str) -> bool:
    """pyproject.toml, setup.cfg and tox.ini hold more than pytest's settings."""
    return path.rpartition("/")[2] in ("pyproject.toml", "setup.cfg", "tox.ini")
