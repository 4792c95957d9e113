"""A night as JUnit XML, in the form that GitLab's and GitHub's readers hold to the last one.

They know a case by its class and name: each pair is there once, is the same every night, and says
nothing of a ticket's words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from micro_bench.model.comparison import Night, Watched
from micro_bench.pipeline.deciding.wording import watched
from micro_bench.reports.xml import attribute, counts


class Case(NamedTuple):
    """One case; `element` is `failure`, `error`, `skipped`, or empty for a pass."""

    place: str
    name: str
    element: str = ""
    message: str = ""


def junit(night: Night, tasks: Sequence[str]) -> str:
    """The whole night first, then a suite for each agent with a case for each task.

    Args:
        night: What the gate said.
        tasks: Of the run.
    """
    suites = {"nightly": [_whole(night)]}
    for one in night.agents:
        place = f"nightly.{one.agent}"
        suites[place] = [_agent(place, one), *_tasks(place, one, night, tasks)]
    every = [case for cases in suites.values() for case in cases]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="nightly" {counts(every)}>',
    ]
    for name, cases in suites.items():
        lines.append(f"  <testsuite name={attribute(name)} {counts(cases)}>")
        lines += [line for case in cases for line in _lines(case)]
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _whole(night: Night) -> Case:
    """A confirmed regression fails; a night that shows nothing is an error."""
    element = {"confirmed": "failure", "void": "error", "budget": "error", "suspected": "skipped"}
    words = "; ".join([night.summary, *night.void])
    return Case("nightly", "the night", element.get(night.state, ""), words)


def _agent(place: str, one: Watched) -> Case:
    element = {
        "confirmed": "failure", "suspected": "skipped", "new": "skipped", "unmeasured": "error",
    }  # fmt: skip
    return Case(place, "no regression", element.get(one.state, ""), watched(one))


def _tasks(place: str, one: Watched, night: Night, tasks: Sequence[str]) -> Iterator[Case]:
    """A task fails where both tries of the night together say that it broke."""
    broken = {flip.task: flip for flip in one.broken} if one.state == "confirmed" else {}
    for task in dict.fromkeys(tasks):
        if task in night.quarantined:
            yield Case(place, task, "skipped", "in quarantine")
        elif task in broken:
            (c, n), (d, m) = broken[task].first, broken[task].second
            yield Case(place, task, "failure", f"{d} of {m} pass tonight, {c} of {n} before")
        elif one.rate is None or night.state == "void":
            yield Case(place, task, "skipped", "nothing of this night counts")
        else:
            yield Case(place, task)


def _lines(case: Case) -> Iterator[str]:
    head = f"    <testcase classname={attribute(case.place)} name={attribute(case.name)}"
    if not case.element:
        yield f"{head}/>"
        return
    yield f"{head}><{case.element} message={attribute(case.message)}/></testcase>"
