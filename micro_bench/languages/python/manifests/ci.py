"""What the jobs of CI files that run tests install, line by line. Nothing is run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from micro_bench.languages._language import Files
from micro_bench.languages.python.manifests import installs
from micro_bench.languages.python.manifests.needs import Needs
from micro_bench.languages.python.manifests.project import Project
from micro_bench.languages.python.starters import of_ci

_JOBS = re.compile(r"^jobs:\s*(?:#.*)?$", re.MULTILINE)
_TESTS = re.compile(
    r"(?:^|[\s\"'/&;(])(?:py\.test|pytest)(?=$|[\s\"',;)])|-m\s+unittest\b|manage\.py\s+test\b"
    r"|runtests\.py|\bcoverage\s+run\b|\bmake\s+(?:[\w-]*-)?tests?\b",
    re.MULTILINE,
)
_PREFIX = re.compile(r"^\s*(?:-\s+)?(?:run:\s*)?[|>]?-?\s*(?:sudo\s+)?")


def needs(files: Files, projects: Sequence[Project]) -> Needs:
    """The first job that runs tests and installs what they need."""
    for path, text in of_ci(files):
        for job in _jobs(text):
            if not _TESTS.search(job):
                continue
            reader = installs.Reader(files, projects, path)
            found = installs.joined([reader.command(line, _split) for line in _commands(job)])
            if installs.says_something(found):
                return found
    return Needs()


def _jobs(text: str) -> Iterator[str]:
    """The text of each job of a workflow; a file of another kind is one."""
    start = _JOBS.search(text)
    if start is None:
        yield text
        return
    body = text[start.end() :]
    first = re.search(r"^( +)[\w-]+:\s*(?:#.*)?$", body, re.MULTILINE)
    if first is None:
        yield body
        return
    yield from re.split(rf"^{first[1]}(?=[\w\"'-]+:)", body, flags=re.MULTILINE)[1:]


def _commands(job: str) -> Iterator[str]:
    """Command lines, continued ones joined, each part of `a && b` by itself."""
    plain_job = re.sub(r"\$\{\{.*?\}\}", "${{}}", job)
    for line in re.sub(r"\\\n\s*", " ", plain_job).splitlines():
        plain = re.sub(r"^([\"'])(.*)\1$", r"\2", _PREFIX.sub("", line).strip())
        yield from (part.strip() for part in re.split(r"&&|\|\||;|\|", plain))


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError:
        return text.split()
