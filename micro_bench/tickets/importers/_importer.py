"""What an importer offers, and what it is given.

An importer is a module of this folder with `NAME`, `recognises` and `read`.
It reads one tracker's exports or API and returns an `Export`. It never stops at a record it
cannot read: the record becomes a complaint, and the rest go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from micro_bench.edge.http import Page
from micro_bench.model.ticket import Export
from micro_bench.tickets.history import Change


class JsonApi(Protocol):
    """Reads a tracker's API; `micro_bench.edge.http.Api` is one."""

    def url(self, path: str, params: Mapping[str, str] | None = None) -> str:
        """The whole address of a path below the base."""

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The JSON at a path."""

    def page(self, url: str) -> Page:
        """One page by its whole address."""


class Clone(Protocol):
    """A local clone, of which an importer reads the history only."""

    def origin(self) -> str | None:
        """The address that the clone was made from."""

    def changes(self) -> Sequence[Change]:
        """What was merged to the branch, newest first."""


class Progress(Protocol):
    """Is told what was done so far; `total` is None as long as nobody knows it."""

    def __call__(self, what: str, done: int, total: int | None) -> None: ...


def silent(what: str, done: int, total: int | None) -> None:
    """A progress that nobody watches."""


def no_network(base_url: str) -> JsonApi:
    """The `http` of a context that reads files only."""
    raise NotImplementedError(f"no connection to {base_url} was provided")


def no_clone(place: Path) -> Clone:
    """The `clone` of a context that reads no history."""
    raise NotImplementedError(f"no way to read the clone {place} was provided")


def looks_tested(_repo: str, paths: Sequence[str]) -> bool:
    """A `tested` that knows no language: the paths of tests say that they are tests."""
    tests = [path for path in paths if "test" in path.lower()]
    return bool(tests) and any(path not in tests for path in paths)


@dataclass(frozen=True)
class ImportContext:
    """What an importer may use."""

    repo: str | None = None
    """`owner/name`, where the source does not say it or says more than one."""
    http: Callable[[str], JsonApi] = no_network
    """Base address -> API, with the token already in it."""
    api_url: str | None = None
    """The API's base address on an own server (`https://HOST/api/v3`)."""
    cache: Path | None = None
    """Where pages of the API are kept, so that an interrupted import goes on where it stopped."""
    refresh: bool = False
    """Ask for everything again, whatever is cached."""
    progress: Progress = silent
    clone: Callable[[Path], Clone] = no_clone
    """The root of a clone -> what can be read of it."""
    tested: Callable[[str, Sequence[str]], bool] = looks_tested
    """Whether the paths that a change of the repository touches hold both source and tests."""


class Importer(Protocol):
    """A module under `micro_bench/tickets/importers/`."""

    NAME: str

    def recognises(self, source: str) -> bool:
        """Whether the source (a path, an address or `name:...`) is for this importer."""

    def read(self, source: str, context: ImportContext) -> Export:
        """Everything the source holds."""
