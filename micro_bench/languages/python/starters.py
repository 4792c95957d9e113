"""Texts of a tree that a survey looks into."""

from __future__ import annotations

import re
from collections.abc import Iterator

from micro_bench.languages._language import Files

CI = re.compile(
    r"(?:\.github/workflows/[^/]+|\.gitlab-ci|\.travis|azure-pipelines|bitbucket-pipelines"
    r"|\.circleci/config)\.ya?ml"
)
"""Files that tell a CI service what to do."""
_COMPOSE = re.compile(r"(?:[^/]+/){0,2}(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml")
_LARGEST = 200_000


def shown(files: Files, path: str) -> str:
    """A file's text; empty if it is not there."""
    return files.get(path, b"")[:_LARGEST].decode("utf-8", "replace")


def of_ci(files: Files) -> Iterator[tuple[str, str]]:
    """Path and text of each CI file."""
    yield from ((path, shown(files, path)) for path in sorted(files) if CI.fullmatch(path))


def of_services(files: Files) -> Iterator[tuple[str, str]]:
    """Path and text of each file that may name services: CI and compose files."""
    yield from of_ci(files)
    yield from ((path, shown(files, path)) for path in sorted(files) if _COMPOSE.fullmatch(path))
